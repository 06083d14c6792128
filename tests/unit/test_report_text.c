/* reports/text: cleaning, escaping and number formatting. */
#include "reports/text.h"

#include "tests/unit/assert.h"

static struct lfm_pool pool;
static struct lfm_writer writer;

static void release(void)
{
    lfm_pool_release(&pool);
    lfm_buffer_release(&writer.buffer);
    writer = (struct lfm_writer){0};
}

TestSuite(report_text, .fini = release);

#define assert_text(observed, expected)                                                                      \
    do {                                                                                                     \
        const char *observed_ = (observed), *expected_ = (expected);                                         \
        cr_assert(strcmp(observed_, expected_) == 0, "%s is '%s', expected '%s'", #observed, observed_, expected_); \
    } while (0)

static const char *written(void (*write)(struct lfm_writer *, const char *), const char *text)
{
    lfm_buffer_clear(&writer.buffer);
    write(&writer, text);
    return writer.buffer.data ? writer.buffer.data : "";
}

Test(report_text, html_escapes_what_could_end_a_text_or_an_attribute)
{
    assert_text(written(lfm_write_html, "<b a=\"1\" c='2'>&amp;"), "&lt;b a=&quot;1&quot; c=&#39;2&#39;&gt;&amp;amp;");
}

Test(report_text, markdown_escapes_tables_emphasis_links_and_html)
{
    assert_text(written(lfm_write_markdown, "a|b *c* [d](e) `f` <g> \\ q8_0"),
                "a\\|b \\*c\\* \\[d\\](e) \\`f\\` &lt;g> \\\\ q8\\_0");
}

Test(report_text, csv_quotes_only_where_it_must)
{
    assert_text(written(lfm_write_csv, "plain text"), "plain text");
    assert_text(written(lfm_write_csv, "a,\"b\""), "\"a,\"\"b\"\"\"");
}

Test(report_text, gnuplot_strings_cannot_be_left)
{
    assert_text(written(lfm_write_gnuplot, "'; system('touch x')\n`id`"),
                "'\xe2\x80\x99; system(\xe2\x80\x99touch x\xe2\x80\x99) `id`'");
}

Test(report_text, csv_numbers_read_back_and_nan_is_empty)
{
    lfm_write_number(&writer, 0.1);
    lfm_write(&writer, " ");
    lfm_write_number(&writer, 1.0 / 3);
    lfm_write(&writer, "[");
    lfm_write_number(&writer, NAN);
    lfm_write(&writer, "]");
    assert_text(writer.buffer.data, "0.1 0.3333333333333333[]");
}

Test(report_text, cleaning_replaces_controls_bad_utf8_and_reordering)
{
    assert_text(lfm_clean_text(&pool, "a\x01" "b"), "a\xef\xbf\xbd" "b");
    assert_text(lfm_clean_text(&pool, "a\nb\tc"), "a b c");
    assert_text(lfm_clean_text(&pool, "x\xff\xc3(y"), "x\xef\xbf\xbd\xef\xbf\xbd(y");
    assert_text(lfm_clean_text(&pool, "\xe2\x80\xae" "abc"), "\xef\xbf\xbd" "abc");
    assert_text(lfm_clean_text(&pool, "\xed\xa0\x80"), "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd");
    assert_text(lfm_clean_text(&pool, "gr\xc3\xbc\xc3\x9f \xf0\x9f\x90\x99"), "gr\xc3\xbc\xc3\x9f \xf0\x9f\x90\x99");
    assert_text(lfm_clean_text(&pool, "cut \xe2\x82"), "cut \xef\xbf\xbd\xef\xbf\xbd");
}

Test(report_text, shortening_counts_characters_not_bytes)
{
    assert_text(lfm_shorten(&pool, "\xc3\xa4\xc3\xa4\xc3\xa4", 3), "\xc3\xa4\xc3\xa4\xc3\xa4");
    assert_text(lfm_shorten(&pool, "\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4", 3), "\xc3\xa4\xc3\xa4\xe2\x80\xa6");
}

Test(report_text, plain_numbers_have_three_digits)
{
    assert_text(lfm_number_text(&pool, 0, LFM_NUMBER_PLAIN), "0");
    assert_text(lfm_number_text(&pool, 3.8741, LFM_NUMBER_PLAIN), "3.87");
    assert_text(lfm_number_text(&pool, 0.0017, LFM_NUMBER_PLAIN), "0.00170");
    assert_text(lfm_number_text(&pool, 2.7e-6, LFM_NUMBER_PLAIN), "2.70\xc3\x97" "10\xe2\x81\xbb\xe2\x81\xb6");
    assert_text(lfm_number_text(&pool, 9.9999e-4, LFM_NUMBER_PLAIN), "0.00100");
    assert_text(lfm_number_text(&pool, -12.34, LFM_NUMBER_PLAIN), "\xe2\x88\x92" "12.3");
    assert_text(lfm_number_text(&pool, 123456, LFM_NUMBER_PLAIN), "123456");
    assert_text(lfm_number_text(&pool, NAN, LFM_NUMBER_PLAIN), "\xe2\x80\x93");
}

Test(report_text, percentages_do_not_claim_all_or_none)
{
    assert_text(lfm_number_text(&pool, 0.9905, LFM_NUMBER_PERCENT), "99.05\xc2\xa0%");
    assert_text(lfm_number_text(&pool, 1, LFM_NUMBER_PERCENT), "100.00\xc2\xa0%");
    assert_text(lfm_number_text(&pool, 0.99998, LFM_NUMBER_PERCENT), "99.998\xc2\xa0%");
    assert_text(lfm_number_text(&pool, 0, LFM_NUMBER_PERCENT), "0.00\xc2\xa0%");
    assert_text(lfm_number_text(&pool, 0.00001, LFM_NUMBER_PERCENT), "0.001\xc2\xa0%");
}

Test(report_text, sizes_are_in_decimal_units)
{
    assert_text(lfm_number_text(&pool, 512, LFM_NUMBER_BYTES), "512\xc2\xa0" "B");
    assert_text(lfm_number_text(&pool, 8831250, LFM_NUMBER_BYTES), "8.83\xc2\xa0MB");
    assert_text(lfm_number_text(&pool, 16.7e9, LFM_NUMBER_BYTES), "16.7\xc2\xa0GB");
    assert_text(lfm_number_text(&pool, 999999, LFM_NUMBER_BYTES), "1.00\xc2\xa0MB");
}

Test(report_text, counts_are_grouped)
{
    assert_text(lfm_number_text(&pool, 7, LFM_NUMBER_COUNT), "7");
    assert_text(lfm_number_text(&pool, 1234567, LFM_NUMBER_COUNT), "1,234,567");
}

Test(report_text, value_and_error_share_decimals_and_power)
{
    assert_text(lfm_number_with_error(&pool, 1.00372, 0.00041, LFM_NUMBER_FIXED4), "1.00372 \xc2\xb1 0.00041");
    assert_text(lfm_number_with_error(&pool, 2.7e-6, 3.1e-8, LFM_NUMBER_PLAIN),
                "(2.700 \xc2\xb1 0.031)\xc3\x97" "10\xe2\x81\xbb\xe2\x81\xb6");
    assert_text(lfm_number_with_error(&pool, 0.5, NAN, LFM_NUMBER_PLAIN), "0.500");
    assert_text(lfm_number_with_error(&pool, 0.9905, 0.001, LFM_NUMBER_PERCENT), "99.05 \xc2\xb1 0.10\xc2\xa0%");
    assert_text(lfm_number_with_error(&pool, 1e308, 1e-320, LFM_NUMBER_PLAIN),
                "(1.0000 \xc2\xb1 0.0000)\xc3\x97" "10\xc2\xb3\xe2\x81\xb0\xe2\x81\xb8");
    assert_text(lfm_number_with_error(&pool, NAN, 0.1, LFM_NUMBER_PLAIN), "\xe2\x80\x93");
}

Test(report_text, scores_and_points_have_one_decimal_and_intervals_in_brackets)
{
    assert_text(lfm_number_text(&pool, 0.7417, LFM_NUMBER_SCORE), "74.2\xc2\xa0%");
    assert_text(lfm_number_text(&pool, 0.033, LFM_NUMBER_POINTS), "+3.3");
    assert_text(lfm_number_text(&pool, -0.033, LFM_NUMBER_POINTS), "\xe2\x88\x92" "3.3");
    assert_text(lfm_number_text(&pool, 0.0001, LFM_NUMBER_POINTS), "0.0");
    assert_text(lfm_number_with_interval(&pool, 0.742, 0.657, 0.812, LFM_NUMBER_SCORE), "74.2\xc2\xa0% [65.7, 81.2]");
    assert_text(lfm_number_with_interval(&pool, 0, -0.01, 0.01, LFM_NUMBER_POINTS), "0.0 [\xe2\x88\x92" "1.0, +1.0]");
    assert_text(lfm_number_with_interval(&pool, 0.5, NAN, 1, LFM_NUMBER_SCORE), "50.0\xc2\xa0%");
    assert_text(lfm_number_with_interval(&pool, NAN, 0, 1, LFM_NUMBER_SCORE), "\xe2\x80\x93");
}

Test(report_text, formats_have_their_usual_spelling)
{
    assert_text(lfm_format_title(&pool, "q8_0"), "Q8_0");
    assert_text(lfm_format_title(&pool, "fp8_e4m3"), "FP8 E4M3");
    assert_text(lfm_format_title(&pool, "My Model"), "My Model");
    assert_text(lfm_format_title(&pool, "stored"), "stored");
    assert_text(lfm_format_title(&pool, ""), "");
}
