/* Streamed text: what is held back, and where a stop string ends it. */
#include "reference/model/stop.h"
#include "tests/unit/assert.h"

static struct lfm_error error;

/* Adds the pieces one by one; `expected` is what each of them lets out, the last entry what the end does. */
static void expect_stream(const char *const *stops, size_t n_stops, const char *const *pieces,
                          const char *const *expected, bool stopped)
{
    struct lfm_stop stop = {.strings = stops, .n_strings = n_stops};
    struct lfm_buffer ready = {0};
    size_t i = 0;
    for (; pieces[i]; i++) {
        lfm_buffer_clear(&ready);
        assert_ok(lfm_stop_add(&stop, pieces[i], strlen(pieces[i]), &ready, &error));
        cr_assert_str_eq(ready.data ? ready.data : "", expected[i], "piece %zu let out '%s', expected '%s'", i,
                         ready.data ? ready.data : "", expected[i]);
    }
    lfm_buffer_clear(&ready);
    assert_ok(lfm_stop_finish(&stop, &ready, &error));
    cr_assert_str_eq(ready.data ? ready.data : "", expected[i]);
    cr_assert_eq(stop.stopped, stopped);
    lfm_stop_release(&stop);
    lfm_buffer_release(&ready);
}

#define LIST(...) ((const char *const[]){__VA_ARGS__, NULL})

Test(stop, lets_everything_out_when_there_are_no_stop_strings)
{
    expect_stream(NULL, 0, LIST("a", " b", "c"), LIST("a", " b", "c", ""), false);
}

Test(stop, holds_back_the_beginning_of_a_character)
{
    expect_stream(NULL, 0, LIST("a\xF0\x9F", "\x99", "\x82z"), LIST("a", "", "\xF0\x9F\x99\x82z", ""), false);
    expect_stream(NULL, 0, LIST("a\xF0\x9F"), LIST("a", "\xEF\xBF\xBD"), false);
    expect_stream(NULL, 0, LIST("\xF0\x9F", "b"), LIST("", "\xEF\xBF\xBD" "b", ""), false);
}

Test(stop, ends_in_front_of_a_stop_string_wherever_the_pieces_are_cut)
{
    expect_stream(LIST("END"), 1, LIST("one EN", "D two"), LIST("one ", "", ""), true);
    expect_stream(LIST("END"), 1, LIST("one E", "N", "D"), LIST("one ", "", "", ""), true);
    expect_stream(LIST("END"), 1, LIST("one END", "x"), LIST("one ", "", ""), true);
    expect_stream(LIST("\n\n"), 1, LIST("a\n", "\nb"), LIST("a", "", ""), true);
}

Test(stop, lets_out_what_only_looked_like_a_stop_string)
{
    expect_stream(LIST("END"), 1, LIST("EN", "EN", "x"), LIST("", "EN", "ENx", ""), false);
    expect_stream(LIST("END"), 1, LIST("EN"), LIST("", "EN"), false);
    expect_stream(LIST("aab"), 1, LIST("aa", "ab"), LIST("", "a", ""), true);
}

Test(stop, takes_the_first_of_several_stop_strings)
{
    expect_stream(LIST("two", "ne t"), 2, LIST("one two"), LIST("o", ""), true);
    expect_stream(LIST("xyz", "y"), 2, LIST("ax", "y"), LIST("a", "x", ""), true);
}
