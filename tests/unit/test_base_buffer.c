/* Growing byte strings. */
#include "reference/base/buffer.h"
#include "tests/unit/assert.h"

#include <stdint.h>

static struct lfm_error error;

Test(buffer, appends_bytes_with_zeros_inside_and_ends_in_a_zero)
{
    struct lfm_buffer buffer = {0};
    assert_ok(lfm_buffer_append(&buffer, "a\0b", 3, &error));
    assert_ok(lfm_buffer_puts(&buffer, "cd", &error));
    cr_assert_eq(buffer.length, 5);
    cr_assert_arr_eq(buffer.data, "a\0bcd", 6);
    lfm_buffer_release(&buffer);
}

Test(buffer, appending_nothing_gives_an_empty_string)
{
    struct lfm_buffer buffer = {0};
    assert_ok(lfm_buffer_append(&buffer, NULL, 0, &error));
    cr_assert_str_eq(buffer.data, "");
    lfm_buffer_release(&buffer);
}

Test(buffer, numbers_have_the_fewest_digits_that_read_back)
{
    struct lfm_buffer buffer = {0};
    const double numbers[] = {0.8, 1.05, 1, 0.1 + 0.2, 1e-300, 5.0 / 3};
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        assert_ok(lfm_buffer_put_double(&buffer, numbers[i], &error));
        assert_ok(lfm_buffer_puts(&buffer, " ", &error));
    }
    cr_assert_str_eq(buffer.data, "0.8 1.05 1 0.30000000000000004 1e-300 1.6666666666666667 ");
    lfm_buffer_release(&buffer);
}

Test(buffer, words_are_quoted_where_a_shell_would_take_them_apart)
{
    struct lfm_buffer buffer = {0};
    const char *const words[] = {"a/b-1.gguf", "two words", "it's", "''", "", "$x;*", "--file=a"};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        assert_ok(lfm_buffer_put_word(&buffer, words[i], &error));
        assert_ok(lfm_buffer_puts(&buffer, " ", &error));
    }
    cr_assert_str_eq(buffer.data, "a/b-1.gguf 'two words' 'it'\\''s' ''\\'''\\''' '' '$x;*' --file=a ");
    lfm_buffer_release(&buffer);
}

Test(buffer, formats_text_longer_than_its_memory)
{
    struct lfm_buffer buffer = {0};
    for (int i = 0; i < 100; i++) assert_ok(lfm_buffer_printf(&buffer, &error, "%03d,", i));
    cr_assert_eq(buffer.length, 400);
    cr_assert_str_eq(buffer.data + 396, "099,");
    lfm_buffer_release(&buffer);
}

Test(buffer, clearing_keeps_the_memory_and_releasing_does_not)
{
    struct lfm_buffer buffer = {0};
    assert_ok(lfm_buffer_puts(&buffer, "text", &error));
    size_t capacity = buffer.capacity;
    lfm_buffer_clear(&buffer);
    cr_assert_eq(buffer.length, 0);
    cr_assert_eq(buffer.capacity, capacity);
    cr_assert_str_eq(buffer.data, "");
    lfm_buffer_release(&buffer);
    cr_assert_null(buffer.data);
    cr_assert_eq(buffer.capacity, 0);
}

Test(buffer, a_length_that_overflows_is_refused_and_nothing_changes)
{
    struct lfm_buffer buffer = {0};
    assert_ok(lfm_buffer_puts(&buffer, "kept", &error));
    assert_fails(lfm_buffer_append(&buffer, "x", SIZE_MAX - 2, &error), LFM_ERROR_MEMORY, "cannot grow");
    cr_assert_str_eq(buffer.data, "kept");
    lfm_buffer_release(&buffer);
}
