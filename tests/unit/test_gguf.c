/* GGUF: what is read, what is refused and with which words, what the writer writes. */
#include "reference/checkpoint/gguf.h"

#include "reference/base/file.h"
#include "reference/checkpoint/checkpoint.h"
#include "tests/unit/assert.h"
#include "tests/unit/checkpoint_files.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { TYPE_F32 = 0, TYPE_F16 = 1, TYPE_Q8_0 = 8, TYPE_UNKNOWN = 99 };

static struct lfm_error error;
static struct lfm_checkpoint *checkpoint;
static struct lfm_buffer file;

static void finish(void)
{
    lfm_checkpoint_close(checkpoint);
    lfm_buffer_release(&file);
    remove_directory();
}

TestSuite(gguf, .init = make_directory, .fini = finish);

/* Writes what is in `file` and opens it. */
static enum lfm_status open_file(void)
{
    write_buffer("m.gguf", &file);
    return lfm_checkpoint_open(&checkpoint, in_directory("m.gguf"), &error);
}

static void assert_refused(const char *part)
{
    assert_fails(open_file(), LFM_ERROR_FORMAT, part);
    cr_assert_null(checkpoint);
    cr_assert(strstr(error.message, "m.gguf'") != NULL, "message '%s' names no file", error.message);
}

/* One tensor "w", and `data_length` zero bytes of data. */
static void put_one_tensor(uint32_t n_dimensions, const uint64_t *dimensions, uint32_t type, uint64_t offset,
                           size_t data_length)
{
    put_gguf_header(&file, 3, 1, 0);
    put_gguf_tensor(&file, "w", n_dimensions, dimensions, type, offset);
    pad_to(&file, 32);
    put_zeros(&file, data_length);
}

/* --- reading --- */

Test(gguf, shape_is_outermost_first_and_data_are_the_files)
{
    const float values[6] = {1, 2, 3, 4, 5, 6};
    put_gguf_header(&file, 3, 1, 0);
    put_gguf_tensor(&file, "w", 2, (uint64_t[]){3, 2}, TYPE_F32, 0);
    pad_to(&file, 32);
    assert_ok(lfm_buffer_append(&file, values, sizeof values, &error));
    assert_ok(open_file());
    cr_assert_eq(checkpoint->container, LFM_GGUF);
    cr_assert_str_eq(checkpoint->name, "m");
    const struct lfm_tensor *tensor = lfm_checkpoint_find(checkpoint, "%c", 'w');
    cr_assert_not_null(tensor);
    assert_ok(lfm_tensor_expect_shape(tensor, 2, (size_t[]){2, 3}, &error));
    cr_assert_str_eq(tensor->type_name, "f32");
    cr_assert_eq(tensor->bytes, sizeof values);
    float decoded[6];
    assert_ok(lfm_tensor_decode(tensor, decoded, 6, &error));
    cr_assert_arr_eq(decoded, values, sizeof values);
}

Test(gguf, version_2_is_read_and_others_are_not)
{
    put_gguf_header(&file, 2, 0, 0);
    assert_ok(open_file());
    cr_assert_eq(checkpoint->gguf->version, 2u);
    lfm_checkpoint_close(checkpoint);
    lfm_buffer_clear(&file);
    put_gguf_header(&file, 1, 0, 0);
    assert_refused("expected GGUF version 2 or 3, found 1");
    lfm_buffer_clear(&file);
    put_gguf_header(&file, 0x03000000, 0, 0);
    assert_refused("big-endian");
}

Test(gguf, alignment_of_the_file_is_obeyed)
{
    put_gguf_header(&file, 3, 2, 1);
    put_gguf_u32(&file, "general.alignment", 64);
    put_gguf_tensor(&file, "a", 1, (uint64_t[]){1}, TYPE_F32, 0);
    put_gguf_tensor(&file, "b", 1, (uint64_t[]){1}, TYPE_F32, 64);
    pad_to(&file, 64);
    put_zeros(&file, 68);
    assert_ok(open_file());
    const struct lfm_tensor *a = lfm_checkpoint_find(checkpoint, "a"), *b = lfm_checkpoint_find(checkpoint, "b");
    cr_assert_eq((const char *)b->data - (const char *)a->data, 64);
}

Test(gguf, unknown_type_is_listed_but_not_decoded)
{
    put_gguf_header(&file, 3, 2, 0);
    put_gguf_tensor(&file, "strange", 1, (uint64_t[]){7}, TYPE_UNKNOWN, 0);
    put_gguf_tensor(&file, "plain", 1, (uint64_t[]){1}, TYPE_F32, 64);
    pad_to(&file, 32);
    put_zeros(&file, 68);
    assert_ok(open_file());
    const struct lfm_tensor *strange = lfm_checkpoint_find(checkpoint, "strange");
    float values[7];
    cr_assert_null(strange->format);
    cr_assert_str_eq(strange->type_name, "ggml type 99");
    cr_assert_eq(strange->bytes, 64u);
    assert_fails(lfm_tensor_decode(strange, values, 7, &error), LFM_ERROR_FORMAT,
                 "'strange' is stored as ggml type 99");
    assert_ok(lfm_tensor_decode(lfm_checkpoint_find(checkpoint, "plain"), values, 1, &error));
}

Test(gguf, file_without_tensors_is_a_vocabulary)
{
    put_gguf_header(&file, 3, 0, 1);
    put_gguf_u32(&file, "x", 7);
    assert_ok(open_file());
    cr_assert_eq(checkpoint->n_tensors, 0u);
    cr_assert_null(lfm_checkpoint_find(checkpoint, "w"));
}

/* Element i of every tensor of floats in the golden files is i/4 - 1: scripts/golden/checkpoint.py. */
static void assert_ramp(const char *name, double tolerance)
{
    float values[192];
    const struct lfm_tensor *tensor = lfm_checkpoint_find(checkpoint, "%s", name);
    cr_assert_not_null(tensor, "no tensor '%s'", name);
    assert_ok(lfm_tensor_expect_shape(tensor, 3, (size_t[]){2, 3, 32}, &error));
    assert_ok(lfm_tensor_decode(tensor, values, 192, &error));
    for (size_t i = 0; i < 192; i++) assert_near(values[i], (double)i / 4 - 1, tolerance);
}

static void assert_golden_tensors(void)
{
    float values[192];
    cr_assert_eq(checkpoint->n_tensors, 10u);
    assert_ramp("f32", 0);
    assert_ramp("f16", 0);
    assert_ramp("bf16", 0);
    assert_ramp("q8_0", 0.2);
    assert_ramp("q4_0", 3.2);
    const struct lfm_tensor *unread = lfm_checkpoint_find(checkpoint, "int64");
    cr_assert_str_eq(unread->type_name, "ggml type 27");
    assert_fails(lfm_tensor_decode(unread, values, 5, &error), LFM_ERROR_FORMAT, "'int64' is stored as ggml type 27");
    assert_ok(lfm_tensor_expect_shape(unread, 1, (size_t[]){5}, &error));
}

static void assert_golden_metadata(void)
{
    static const char *const keys[] = {"u8", "i8", "u16", "i16", "u64", "i64", "f32", "f64", "bool"};
    static const double expected[] = {200, -3, 60000, -300, 1099511627776, -1099511627776, 0.25, 0.1, 1};
    double number;
    const char *text;
    size_t length, cursor = 0;
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
        assert_ok(lfm_gguf_element(lfm_gguf_find(checkpoint->gguf, keys[i]), 0, &number, &error));
        assert_near(number, expected[i], 0);
    }
    assert_ok(lfm_gguf_string(checkpoint->gguf, "text", &text, &length, NULL, &error));
    cr_assert(length == 6 && memcmp(text, "na\xc3\xafve", 6) == 0);
    assert_ok(lfm_gguf_element(lfm_gguf_find(checkpoint->gguf, "integers"), 2, &number, &error));
    assert_near(number, -1, 0);
    assert_ok(lfm_gguf_element(lfm_gguf_find(checkpoint->gguf, "floats"), 1, &number, &error));
    assert_near(number, -2, 0);
    const struct lfm_gguf_value *words = lfm_gguf_find(checkpoint->gguf, "words");
    for (uint64_t i = 0; i < words->count; i++)
        assert_ok(lfm_gguf_next_string(words, &cursor, &text, &length, &error));
    cr_assert(length == 4 && memcmp(text, "drei", 4) == 0);
}

Test(gguf, file_of_the_python_package_is_read)
{
    assert_ok(lfm_checkpoint_open(&checkpoint, "tests/golden/checkpoint/types.gguf", &error));
    assert_golden_tensors();
    assert_golden_metadata();
}

Test(gguf, split_set_of_the_python_package_is_read)
{
    assert_ok(lfm_checkpoint_open(&checkpoint, "tests/golden/checkpoint/split-00001-of-00002.gguf", &error));
    cr_assert_str_eq(checkpoint->name, "split");
    assert_golden_tensors();
    assert_golden_metadata();
}

/* --- metadata --- */

static void put_key(const char *key, uint32_t type)
{
    put_string(&file, key);
    put_integer(&file, type, 4);
}

Test(gguf, metadata_of_every_type_are_found)
{
    const uint32_t half = 0x3f000000;
    const uint64_t minus_two = 0xc000000000000000;
    put_gguf_header(&file, 3, 0, 10);
    put_key("u8", LFM_GGUF_U8), put_integer(&file, 200, 1);
    put_key("i8", LFM_GGUF_I8), put_integer(&file, 0xff, 1);
    put_key("i16", LFM_GGUF_I16), put_integer(&file, 300, 2);
    put_key("u64", LFM_GGUF_U64), put_integer(&file, UINT64_C(1) << 40, 8);
    put_key("i64", LFM_GGUF_I64), put_integer(&file, UINT64_C(1) << 63, 8);
    put_key("f32", LFM_GGUF_F32), put_integer(&file, half, 4);
    put_key("f64", LFM_GGUF_F64), put_integer(&file, minus_two, 8);
    put_key("bool", LFM_GGUF_BOOL), put_integer(&file, 1, 1);
    put_key("string", LFM_GGUF_STRING), put_string(&file, "text");
    put_key("array", LFM_GGUF_ARRAY), put_integer(&file, LFM_GGUF_I16, 4), put_integer(&file, 2, 8);
    put_integer(&file, 5, 2), put_integer(&file, 0xfffe, 2);
    assert_ok(open_file());
    const struct lfm_gguf *gguf = checkpoint->gguf;
    size_t size = 0, length = 0;
    double number = 0;
    bool truth = false, found = true;
    const char *text = NULL;
    assert_ok(lfm_gguf_size(gguf, "u8", &size, NULL, &error));
    cr_assert_eq(size, 200u);
    assert_ok(lfm_gguf_size(gguf, "i16", &size, &found, &error));
    cr_assert(found && size == 300);
    assert_ok(lfm_gguf_size(gguf, "u64", &size, NULL, &error));
    cr_assert_eq(size, (size_t)1 << 40);
    assert_ok(lfm_gguf_double(gguf, "i8", &number, NULL, &error));
    assert_near(number, -1, 0);
    assert_ok(lfm_gguf_double(gguf, "i64", &number, NULL, &error));
    assert_near(number, -9223372036854775808.0, 0);
    assert_ok(lfm_gguf_double(gguf, "f32", &number, NULL, &error));
    assert_near(number, 0.5, 0);
    assert_ok(lfm_gguf_double(gguf, "f64", &number, NULL, &error));
    assert_near(number, -2, 0);
    assert_ok(lfm_gguf_bool(gguf, "bool", &truth, NULL, &error));
    cr_assert(truth);
    assert_ok(lfm_gguf_string(gguf, "string", &text, &length, NULL, &error));
    cr_assert(length == 4 && memcmp(text, "text", 4) == 0);
    const struct lfm_gguf_value *array = lfm_gguf_find(gguf, "array");
    assert_ok(lfm_gguf_element(array, 1, &number, &error));
    assert_near(number, -2, 0);
    assert_fails(lfm_gguf_element(array, 2, &number, &error), LFM_ERROR_ARGUMENT, "element 2 of 2");
    assert_ok(lfm_gguf_element(lfm_gguf_find(gguf, "u8"), 0, &number, &error));
    assert_near(number, 200, 0);
    assert_ok(lfm_gguf_size(gguf, "absent", &size, &found, &error));
    cr_assert(!found);
}

Test(gguf, metadata_of_another_kind_or_absent_are_named)
{
    put_gguf_header(&file, 3, 0, 2);
    put_key("minus", LFM_GGUF_I32), put_integer(&file, 0xffffffff, 4);
    put_key("text", LFM_GGUF_STRING), put_string(&file, "7");
    assert_ok(open_file());
    const struct lfm_gguf *gguf = checkpoint->gguf;
    size_t size, length, cursor = 0;
    double number;
    bool truth;
    const char *text;
    assert_fails(lfm_gguf_size(gguf, "absent", &size, NULL, &error), LFM_ERROR_FORMAT, "metadata 'absent' is missing");
    assert_fails(lfm_gguf_size(gguf, "minus", &size, NULL, &error), LFM_ERROR_FORMAT,
                 "'minus': expected a whole number");
    assert_fails(lfm_gguf_size(gguf, "text", &size, NULL, &error), LFM_ERROR_FORMAT, "'text': expected a whole number");
    assert_fails(lfm_gguf_double(gguf, "text", &number, NULL, &error), LFM_ERROR_FORMAT, "expected a number");
    assert_fails(lfm_gguf_bool(gguf, "minus", &truth, NULL, &error), LFM_ERROR_FORMAT, "expected true or false");
    assert_fails(lfm_gguf_string(gguf, "minus", &text, &length, NULL, &error), LFM_ERROR_FORMAT, "expected a string");
    assert_fails(lfm_gguf_element(lfm_gguf_find(gguf, "text"), 0, &number, &error), LFM_ERROR_FORMAT,
                 "expected numbers");
    assert_fails(lfm_gguf_next_string(lfm_gguf_find(gguf, "text"), &cursor, &text, &length, &error), LFM_ERROR_FORMAT,
                 "expected an array of strings");
}

Test(gguf, strings_of_an_array_come_one_after_another)
{
    put_gguf_header(&file, 3, 0, 1);
    put_key("names", LFM_GGUF_ARRAY), put_integer(&file, LFM_GGUF_STRING, 4), put_integer(&file, 3, 8);
    put_string(&file, "one"), put_string(&file, ""), put_string(&file, "three");
    assert_ok(open_file());
    const struct lfm_gguf_value *names = lfm_gguf_find(checkpoint->gguf, "names");
    const char *text;
    size_t cursor = 0, length, lengths = 0;
    for (uint64_t i = 0; i < names->count; i++) {
        assert_ok(lfm_gguf_next_string(names, &cursor, &text, &length, &error));
        lengths = 10 * lengths + length;
    }
    cr_assert_eq(lengths, 305u);
    assert_fails(lfm_gguf_next_string(names, &cursor, &text, &length, &error), LFM_ERROR_ARGUMENT, "its 3 strings");
}

Test(gguf, nested_arrays_are_passed_over)
{
    put_gguf_header(&file, 3, 0, 2);
    put_key("nested", LFM_GGUF_ARRAY), put_integer(&file, LFM_GGUF_ARRAY, 4), put_integer(&file, 2, 8);
    put_integer(&file, LFM_GGUF_U16, 4), put_integer(&file, 2, 8), put_integer(&file, 0, 4);
    put_integer(&file, LFM_GGUF_STRING, 4), put_integer(&file, 1, 8), put_string(&file, "x");
    put_gguf_u32(&file, "after", 9);
    assert_ok(open_file());
    size_t after = 0;
    assert_ok(lfm_gguf_size(checkpoint->gguf, "after", &after, NULL, &error));
    cr_assert_eq(after, 9u);
}

Test(gguf, nesting_without_end_is_refused)
{
    put_gguf_header(&file, 3, 0, 1);
    put_key("deep", LFM_GGUF_ARRAY);
    for (int i = 0; i < 100000; i++) put_integer(&file, LFM_GGUF_ARRAY, 4), put_integer(&file, 1, 8);
    assert_fails(open_file(), LFM_ERROR_LIMIT, "metadata 'deep': arrays are nested more than");
}

/* --- bad input --- */

Test(gguf, other_files_are_told_apart)
{
    assert_refused("it is no GGUF file");
    put_integer(&file, 'G', 1);
    assert_refused("it is no GGUF file");
    assert_ok(lfm_buffer_puts(&file, "IF89a and so on", &error));
    assert_refused("it is no GGUF file");
    assert_fails(lfm_checkpoint_open(&checkpoint, in_directory("absent.gguf"), &error), LFM_ERROR_IO, "absent.gguf'");
}

Test(gguf, every_truncation_of_a_file_is_refused)
{
    put_gguf_header(&file, 3, 2, 3);
    put_gguf_u32(&file, "number", 7);
    put_key("text", LFM_GGUF_STRING), put_string(&file, "some text");
    put_key("list", LFM_GGUF_ARRAY), put_integer(&file, LFM_GGUF_STRING, 4), put_integer(&file, 2, 8);
    put_string(&file, "one"), put_string(&file, "two");
    put_gguf_tensor(&file, "a", 2, (uint64_t[]){3, 2}, TYPE_F32, 0);
    put_gguf_tensor(&file, "b", 1, (uint64_t[]){32}, TYPE_Q8_0, 32);
    pad_to(&file, 32);
    put_zeros(&file, 32 + 34);
    for (size_t length = 0; length < file.length; length++) {
        write_bytes("m.gguf", file.data, length);
        assert_fails(lfm_checkpoint_open(&checkpoint, in_directory("m.gguf"), &error), LFM_ERROR_FORMAT, "m.gguf'");
    }
    assert_ok(open_file());
}

Test(gguf, huge_counts_end_with_the_file)
{
    put_gguf_header(&file, 3, UINT64_MAX, 0);
    assert_refused("tensor 1: expected 8 more bytes");
    lfm_buffer_clear(&file);
    put_gguf_header(&file, 3, 0, UINT64_MAX);
    assert_refused("metadata entry 1 of 18446744073709551615");
}

Test(gguf, huge_arrays_and_strings_end_with_the_file)
{
    const uint32_t types[] = {LFM_GGUF_U8, LFM_GGUF_U64, LFM_GGUF_STRING, LFM_GGUF_ARRAY};
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
        lfm_buffer_clear(&file);
        put_gguf_header(&file, 3, 0, 1);
        put_key("list", LFM_GGUF_ARRAY), put_integer(&file, types[i], 4), put_integer(&file, UINT64_MAX / 2 + 1, 8);
        put_zeros(&file, 24);
        assert_refused("metadata 'list'");
    }
    lfm_buffer_clear(&file);
    put_gguf_header(&file, 3, 0, 1);
    put_key("text", LFM_GGUF_STRING), put_integer(&file, UINT64_MAX, 8);
    assert_refused("metadata 'text': expected 18446744073709551615 more bytes");
}

Test(gguf, unknown_value_type_is_refused)
{
    put_gguf_header(&file, 3, 0, 1);
    put_key("odd", 13), put_zeros(&file, 8);
    assert_refused("metadata 'odd': expected a value type from 0 to 12, found 13");
}

Test(gguf, keys_given_twice_are_refused)
{
    put_gguf_header(&file, 3, 0, 3);
    put_gguf_u32(&file, "twice", 1);
    put_gguf_u32(&file, "between", 1);
    put_gguf_u32(&file, "twice", 2);
    assert_refused("metadata 'twice' is there twice");
}

Test(gguf, keys_without_or_with_unprintable_letters_are_refused)
{
    put_gguf_header(&file, 3, 0, 1);
    put_key("", LFM_GGUF_U8), put_zeros(&file, 1);
    assert_refused("metadata entry 1 of 1: expected a name of 1 to 65535 bytes, found 0");
    lfm_buffer_clear(&file);
    put_gguf_header(&file, 3, 0, 1);
    put_key("two\nlines", LFM_GGUF_U8), put_zeros(&file, 1);
    assert_refused("control character 0x0a at byte 3");
    lfm_buffer_clear(&file);
    put_gguf_header(&file, 3, 0, 1);
    put_integer(&file, 3, 8), put_integer(&file, 'a', 1), put_integer(&file, 0, 1), put_integer(&file, 'b', 1);
    put_integer(&file, LFM_GGUF_U8, 4), put_zeros(&file, 1);
    assert_refused("control character 0x00 at byte 1");
}

Test(gguf, alignment_must_be_a_power_of_two)
{
    const uint32_t wrong[] = {0, 24, UINT32_MAX};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        lfm_buffer_clear(&file);
        put_gguf_header(&file, 3, 0, 1);
        put_gguf_u32(&file, "general.alignment", wrong[i]);
        assert_refused("expected a power of two");
    }
    lfm_buffer_clear(&file);
    put_gguf_header(&file, 3, 0, 1);
    put_key("general.alignment", LFM_GGUF_STRING), put_string(&file, "32");
    assert_refused("'general.alignment': expected a value of type u32");
}

Test(gguf, dimensions_are_one_to_four_and_not_zero)
{
    put_one_tensor(5, (uint64_t[]){1, 1, 1, 1, 1}, TYPE_F32, 0, 4);
    assert_refused("tensor 'w': expected 1 to 4 dimensions, found 5");
    lfm_buffer_clear(&file);
    put_one_tensor(0, (uint64_t[]){0}, TYPE_F32, 0, 4);
    assert_refused("tensor 'w': expected 1 to 4 dimensions, found 0");
    lfm_buffer_clear(&file);
    put_one_tensor(2, (uint64_t[]){4, 0}, TYPE_F32, 0, 4);
    assert_refused("tensor 'w': expected a dimension from 1");
}

Test(gguf, shapes_that_overflow_are_refused)
{
    put_one_tensor(2, (uint64_t[]){UINT64_C(1) << 32, UINT64_C(1) << 32}, TYPE_F32, 0, 64);
    assert_refused("tensor 'w': the shape [4294967296,4294967296] has more elements");
    lfm_buffer_clear(&file);
    put_one_tensor(1, (uint64_t[]){UINT64_C(1) << 62}, TYPE_F32, 0, 64);
    assert_refused("tensor 'w'");
    lfm_buffer_clear(&file);
    put_one_tensor(2, (uint64_t[]){UINT64_C(1) << 31, UINT64_C(1) << 31}, TYPE_F32, 0, 64);
    assert_refused("tensor 'w': the shape [2147483648,2147483648] takes more bytes"); /* 2^64 */
    lfm_buffer_clear(&file);
    put_one_tensor(1, (uint64_t[]){UINT64_MAX}, TYPE_UNKNOWN, 0, 64);
    assert_refused("tensor 'w': expected a dimension");
    lfm_buffer_clear(&file);
    put_one_tensor(4, (uint64_t[]){65536, 65536, 65536, 65536}, TYPE_UNKNOWN, 0, 64);
    assert_refused("tensor 'w': the shape");
}

Test(gguf, rows_must_be_multiples_of_the_block)
{
    put_one_tensor(2, (uint64_t[]){33, 32}, TYPE_Q8_0, 0, 33 * 34);
    assert_refused("tensor 'w': the shape [32,33] does not fit");
}

Test(gguf, data_must_lie_in_the_file)
{
    put_one_tensor(1, (uint64_t[]){16}, TYPE_F32, 0, 63);
    assert_refused("tensor 'w': 64 bytes at offset 0 lie beyond the end, the file has 63 bytes");
    lfm_buffer_clear(&file);
    put_one_tensor(1, (uint64_t[]){16}, TYPE_F32, UINT64_MAX - 31, 64);
    assert_refused("tensor 'w': 64 bytes at offset 18446744073709551584 lie beyond the end");
    lfm_buffer_clear(&file);
    put_one_tensor(1, (uint64_t[]){1}, TYPE_UNKNOWN, 64, 64);
    assert_refused("tensor 'w': 0 bytes at offset 64 lie beyond the end");
    lfm_buffer_clear(&file);
    put_one_tensor(1, (uint64_t[]){1}, TYPE_F32, 8, 64);
    assert_refused("tensor 'w': expected an offset that is a multiple of 32, found 8");
}

Test(gguf, overlapping_tensors_are_refused)
{
    put_gguf_header(&file, 3, 3, 0);
    put_gguf_tensor(&file, "high", 1, (uint64_t[]){8}, TYPE_F32, 96);
    put_gguf_tensor(&file, "low", 1, (uint64_t[]){9}, TYPE_F32, 0);
    put_gguf_tensor(&file, "middle", 1, (uint64_t[]){8}, TYPE_F32, 32);
    pad_to(&file, 32);
    put_zeros(&file, 128);
    assert_refused("tensors 'low' and 'middle' overlap");
}

Test(gguf, tensors_at_one_place_are_refused_whatever_their_type)
{
    put_gguf_header(&file, 3, 2, 0);
    put_gguf_tensor(&file, "a", 1, (uint64_t[]){8}, TYPE_UNKNOWN, 0);
    put_gguf_tensor(&file, "b", 1, (uint64_t[]){8}, TYPE_F32, 0);
    pad_to(&file, 32);
    put_zeros(&file, 32);
    assert_refused("tensors 'a' and 'b' overlap");
}

Test(gguf, names_given_twice_are_refused)
{
    put_gguf_header(&file, 3, 2, 0);
    put_gguf_tensor(&file, "w", 1, (uint64_t[]){1}, TYPE_F32, 0);
    put_gguf_tensor(&file, "w", 1, (uint64_t[]){1}, TYPE_F32, 32);
    pad_to(&file, 32);
    put_zeros(&file, 64);
    assert_refused("tensor 'w' is there twice");
}

Test(gguf, names_with_unprintable_letters_are_refused)
{
    put_gguf_header(&file, 3, 1, 0);
    put_gguf_tensor(&file, "a\tb", 1, (uint64_t[]){1}, TYPE_F32, 0);
    pad_to(&file, 32);
    put_zeros(&file, 32);
    assert_refused("tensor 1: the name has the control character 0x09 at byte 1");
}

/* --- split sets --- */

static void write_part(const char *name, uint16_t number, uint16_t count, const char *tensor)
{
    lfm_buffer_clear(&file);
    put_gguf_header(&file, 3, 1, 4);
    put_key("split.no", LFM_GGUF_U16), put_integer(&file, number, 2);
    put_key("split.count", LFM_GGUF_U16), put_integer(&file, count, 2);
    put_key("split.tensors.count", LFM_GGUF_I32), put_integer(&file, 3, 4);
    put_gguf_u32(&file, "kept", number);
    put_gguf_tensor(&file, tensor, 1, (uint64_t[]){1}, TYPE_F32, 0);
    pad_to(&file, 32);
    put_integer(&file, 0x3f800000, 4);
    write_buffer(name, &file);
}

static enum lfm_status open_set(const char *name)
{
    return lfm_checkpoint_open(&checkpoint, in_directory(name), &error);
}

static void write_set(void)
{
    write_part("big-00001-of-00003.gguf", 0, 3, "a");
    write_part("big-00002-of-00003.gguf", 1, 3, "b");
    write_part("big-00003-of-00003.gguf", 2, 3, "c");
}

Test(gguf, split_set_opens_as_one_model)
{
    write_set();
    assert_ok(open_set("big-00001-of-00003.gguf"));
    cr_assert_str_eq(checkpoint->name, "big");
    cr_assert_eq(checkpoint->n_tensors, 3u);
    const struct lfm_tensor *c = lfm_checkpoint_find(checkpoint, "c");
    float value;
    cr_assert_not_null(c);
    cr_assert_not_null(strstr(c->file, "big-00003-of-00003.gguf"));
    assert_ok(lfm_tensor_decode(c, &value, 1, &error));
    assert_near(value, 1, 0);
    cr_assert_null(lfm_gguf_find(checkpoint->gguf, "split.count"));
    size_t kept = 9;
    assert_ok(lfm_gguf_size(checkpoint->gguf, "kept", &kept, NULL, &error));
    cr_assert_eq(kept, 0u);
}

Test(gguf, missing_part_is_named)
{
    write_set();
    unlink(in_directory("big-00002-of-00003.gguf"));
    assert_fails(open_set("big-00001-of-00003.gguf"), LFM_ERROR_IO, "part 2 of 3: cannot open");
}

Test(gguf, later_part_asks_for_the_first)
{
    write_set();
    assert_fails(open_set("big-00002-of-00003.gguf"), LFM_ERROR_ARGUMENT, "it is part 2 of 3; give the first part");
}

Test(gguf, parts_that_contradict_their_place_are_refused)
{
    write_set();
    write_part("big-00002-of-00003.gguf", 2, 3, "b");
    assert_fails(open_set("big-00001-of-00003.gguf"), LFM_ERROR_MISMATCH, "expected part 2 of 3, found part 3 of 3");
    write_part("big-00002-of-00003.gguf", 1, 3, "a");
    assert_fails(open_set("big-00001-of-00003.gguf"), LFM_ERROR_FORMAT, "tensor 'a' is there twice");
    write_part("other.gguf", 0, 3, "a");
    assert_fails(open_set("other.gguf"), LFM_ERROR_MISMATCH, "its name should end in '-00001-of-00003.gguf'");
    write_part("big-00001-of-00002.gguf", 0, 2, "a");
    write_part("big-00002-of-00002.gguf", 1, 2, "b");
    assert_fails(open_set("big-00001-of-00002.gguf"), LFM_ERROR_MISMATCH, "expected 3 tensors in its 2 parts, found 2");
    write_part("big-00001-of-00003.gguf", 4, 3, "a");
    assert_fails(open_set("big-00001-of-00003.gguf"), LFM_ERROR_FORMAT, "it says it is part 5 of 3");
}

/* --- writing --- */

static struct lfm_gguf_writer *open_writer(void)
{
    struct lfm_gguf_writer *writer = NULL;
    assert_ok(lfm_gguf_writer_open(&writer, in_directory("out.gguf"), &error));
    return writer;
}

static void write_floats(struct lfm_gguf_writer *writer, const float *values, size_t n)
{
    assert_ok(lfm_gguf_write_data(writer, values, n * sizeof *values, &error));
}

Test(gguf, written_file_reads_back)
{
    const float values[6] = {1, 2, 3, 4, 5, -6};
    const int32_t heads[3] = {0, 8, -1};
    const char *const words[2] = {"one", "tw\0o"};
    const struct lfm_format *f32 = lfm_format_by_name("f32");
    struct lfm_gguf_writer *writer = open_writer();
    assert_ok(lfm_gguf_put_string(writer, "general.architecture", "lfm2moe", 7, &error));
    assert_ok(lfm_gguf_put_u32(writer, "count", 24, &error));
    assert_ok(lfm_gguf_put_f32(writer, "epsilon", 0.25f, &error));
    assert_ok(lfm_gguf_put_bool(writer, "bos", true, &error));
    assert_ok(lfm_gguf_put_strings(writer, "words", words, (size_t[]){3, 4}, 2, &error));
    assert_ok(lfm_gguf_put_numbers(writer, "heads", LFM_GGUF_I32, heads, 3, &error));
    assert_ok(lfm_gguf_add_tensor(writer, "odd", f32, 1, (size_t[]){1}, &error));
    assert_ok(lfm_gguf_add_tensor(writer, "w", f32, 2, (size_t[]){2, 3}, &error));
    assert_ok(lfm_gguf_begin(writer, &error));
    write_floats(writer, values, 3);
    write_floats(writer, values + 3, 3);
    write_floats(writer, values, 1);
    assert_ok(lfm_gguf_commit(writer, &error));
    lfm_gguf_writer_close(writer);

    assert_ok(lfm_checkpoint_open(&checkpoint, in_directory("out.gguf"), &error));
    const struct lfm_gguf *gguf = checkpoint->gguf;
    float decoded[6];
    assert_ok(lfm_tensor_decode(lfm_checkpoint_find(checkpoint, "odd"), decoded, 1, &error));
    assert_near(decoded[0], 1, 0);
    const struct lfm_tensor *w = lfm_checkpoint_find(checkpoint, "w");
    assert_ok(lfm_tensor_expect_shape(w, 2, (size_t[]){2, 3}, &error));
    assert_ok(lfm_tensor_decode(w, decoded, 6, &error));
    assert_near(decoded[4], -6, 0);
    assert_near(decoded[5], 1, 0);
    cr_assert_eq(checkpoint->bytes, 28u);
    double number;
    bool bos = false;
    size_t length, cursor = 0;
    const char *text;
    assert_ok(lfm_gguf_double(gguf, "epsilon", &number, NULL, &error));
    assert_near(number, 0.25, 0);
    assert_ok(lfm_gguf_bool(gguf, "bos", &bos, NULL, &error));
    cr_assert(bos);
    assert_ok(lfm_gguf_element(lfm_gguf_find(gguf, "heads"), 2, &number, &error));
    assert_near(number, -1, 0);
    assert_ok(lfm_gguf_next_string(lfm_gguf_find(gguf, "words"), &cursor, &text, &length, &error));
    assert_ok(lfm_gguf_next_string(lfm_gguf_find(gguf, "words"), &cursor, &text, &length, &error));
    cr_assert(length == 4 && memcmp(text, "tw\0o", 4) == 0);
    cr_assert_eq(count_files(), 1u);
}

Test(gguf, values_of_a_file_are_copied_as_they_stand)
{
    put_gguf_header(&file, 3, 0, 4);
    put_gguf_u32(&file, "general.alignment", 128);
    put_key("text", LFM_GGUF_STRING), put_string(&file, "text");
    put_key("nested", LFM_GGUF_ARRAY), put_integer(&file, LFM_GGUF_ARRAY, 4), put_integer(&file, 1, 8);
    put_integer(&file, LFM_GGUF_U16, 4), put_integer(&file, 1, 8), put_integer(&file, 5, 2);
    put_key("last", LFM_GGUF_F64), put_integer(&file, 7, 8);
    assert_ok(open_file());
    struct lfm_gguf_writer *writer = open_writer();
    for (size_t i = 0; i < checkpoint->gguf->n_values; i++)
        assert_ok(lfm_gguf_put_value(writer, &checkpoint->gguf->values[i], &error));
    assert_ok(lfm_gguf_begin(writer, &error));
    assert_ok(lfm_gguf_commit(writer, &error));
    lfm_gguf_writer_close(writer);
    struct lfm_buffer copy = {0};
    assert_ok(lfm_read_file(&copy, in_directory("out.gguf"), &error));
    pad_to(&file, 128);
    cr_assert_eq(copy.length, file.length);
    cr_assert_arr_eq(copy.data, file.data, file.length);
    lfm_buffer_release(&copy);
}

Test(gguf, every_tensor_begins_at_the_alignment)
{
    const struct lfm_format *f32 = lfm_format_by_name("f32");
    struct lfm_gguf_writer *writer = open_writer();
    assert_ok(lfm_gguf_put_u32(writer, "general.alignment", 256, &error));
    assert_ok(lfm_gguf_add_tensor(writer, "a", f32, 1, (size_t[]){3}, &error));
    assert_ok(lfm_gguf_add_tensor(writer, "b", f32, 1, (size_t[]){1}, &error));
    assert_ok(lfm_gguf_begin(writer, &error));
    write_floats(writer, (float[]){1, 2, 3, 4}, 4);
    assert_ok(lfm_gguf_commit(writer, &error));
    lfm_gguf_writer_close(writer);
    assert_ok(lfm_checkpoint_open(&checkpoint, in_directory("out.gguf"), &error));
    const struct lfm_tensor *a = lfm_checkpoint_find(checkpoint, "a"), *b = lfm_checkpoint_find(checkpoint, "b");
    cr_assert_eq((const char *)b->data - (const char *)a->data, 256);
}

Test(gguf, incomplete_file_is_never_seen)
{
    struct lfm_gguf_writer *writer = open_writer();
    assert_ok(lfm_gguf_add_tensor(writer, "w", lfm_format_by_name("f32"), 1, (size_t[]){4}, &error));
    assert_fails(lfm_gguf_write_data(writer, "1234", 4, &error), LFM_ERROR_ARGUMENT, "data came before the header");
    assert_ok(lfm_gguf_begin(writer, &error));
    assert_ok(lfm_gguf_write_data(writer, "12345", 5, &error));
    assert_fails(lfm_gguf_commit(writer, &error), LFM_ERROR_ARGUMENT, "tensor 'w' has 5 of its 16 bytes");
    assert_fails(lfm_gguf_write_data(writer, "123456789012", 12, &error), LFM_ERROR_ARGUMENT, "1 bytes more");
    lfm_gguf_writer_close(writer);
    cr_assert_eq(count_files(), 0u);
}

Test(gguf, writer_refuses_what_no_reader_could_read)
{
    const struct lfm_format *f32 = lfm_format_by_name("f32");
    char long_name[65] = {0};
    memset(long_name, 'x', 64);
    struct lfm_gguf_writer *writer = open_writer();
    assert_ok(lfm_gguf_put_u32(writer, "k", 1, &error));
    assert_fails(lfm_gguf_put_bool(writer, "k", true, &error), LFM_ERROR_ARGUMENT, "metadata 'k' is given twice");
    assert_fails(lfm_gguf_put_u32(writer, "general.alignment", 48, &error), LFM_ERROR_ARGUMENT, "power of two");
    assert_fails(lfm_gguf_put_numbers(writer, "n", LFM_GGUF_STRING, "", 1, &error), LFM_ERROR_ARGUMENT,
                 "type of numbers");
    assert_ok(lfm_gguf_add_tensor(writer, "w", f32, 1, (size_t[]){4}, &error));
    assert_fails(lfm_gguf_add_tensor(writer, "w", f32, 1, (size_t[]){4}, &error), LFM_ERROR_ARGUMENT,
                 "'w' is given twice");
    assert_fails(lfm_gguf_add_tensor(writer, long_name, f32, 1, (size_t[]){4}, &error), LFM_ERROR_ARGUMENT,
                 "at most 63");
    assert_fails(lfm_gguf_add_tensor(writer, "s", f32, 0, NULL, &error), LFM_ERROR_ARGUMENT, "no empty dimensions");
    assert_fails(lfm_gguf_add_tensor(writer, "s", f32, 2, (size_t[]){4, 0}, &error), LFM_ERROR_ARGUMENT,
                 "no empty dimensions");
    assert_fails(lfm_gguf_add_tensor(writer, "s", f32, 5, (size_t[]){1, 1, 1, 1, 1}, &error), LFM_ERROR_ARGUMENT,
                 "at most 4 dimensions");
    assert_fails(lfm_gguf_add_tensor(writer, "s", lfm_format_by_name("fp8_e4m3"), 1, (size_t[]){4}, &error),
                 LFM_ERROR_ARGUMENT, "no type for fp8_e4m3");
    assert_fails(lfm_gguf_add_tensor(writer, "s", lfm_format_by_name("q8_0"), 2, (size_t[]){2, 48}, &error),
                 LFM_ERROR_FORMAT, "tensor 's': the shape [2,48] does not fit");
    assert_ok(lfm_gguf_begin(writer, &error));
    assert_fails(lfm_gguf_put_u32(writer, "late", 1, &error), LFM_ERROR_ARGUMENT, "written already");
    assert_fails(lfm_gguf_add_tensor(writer, "late", f32, 1, (size_t[]){1}, &error), LFM_ERROR_ARGUMENT,
                 "written already");
    assert_fails(lfm_gguf_begin(writer, &error), LFM_ERROR_ARGUMENT, "written already");
    lfm_gguf_writer_close(writer);
    assert_fails(lfm_gguf_writer_open(&writer, in_directory("no/such/place.gguf"), &error), LFM_ERROR_IO,
                 "cannot write");
    cr_assert_null(writer);
}
