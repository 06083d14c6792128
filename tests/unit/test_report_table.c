/* reports/table: one table, three renderings. */
#include "reports/table.h"

#include "tests/unit/assert.h"

static struct lfm_pool pool;
static struct lfm_writer writer;

static void release(void)
{
    lfm_pool_release(&pool);
    lfm_buffer_release(&writer.buffer);
}

TestSuite(report_table, .fini = release);

static const struct lfm_column columns[] = {{"name", "Name", false}, {"kld", "KLD", true}, {"share", "Share", true}};

static struct lfm_table *sample(void)
{
    struct lfm_source source = {"a.json", "lfmscope compare"};
    struct lfm_table *table = lfm_table_new(&pool, "sample", "A sample.", &source, columns, 3);
    lfm_table_mark(table, "a|<b>, \"c\"", "#2f7ed8");
    lfm_table_error(table, 0.0125, 0.001, LFM_NUMBER_PLAIN);
    lfm_table_number(table, 0.5, LFM_NUMBER_PERCENT);
    lfm_table_text(table, "plain");
    lfm_table_number(table, NAN, LFM_NUMBER_PLAIN);
    lfm_table_number(table, 1, LFM_NUMBER_PERCENT);
    return table;
}

static void assert_contains(const char *part)
{
    cr_assert(strstr(writer.buffer.data, part) != NULL, "'%s' lacks '%s'", writer.buffer.data, part);
}

Test(report_table, html_escapes_texts_and_aligns_numbers)
{
    lfm_table_html(&writer, sample());
    assert_contains("<th scope=\"row\"><span class=\"mark\" style=\"background:#2f7ed8\"></span>a|&lt;b&gt;, "
                    "&quot;c&quot;</th>");
    assert_contains("<th scope=\"col\" class=\"n\">KLD</th>");
    assert_contains("<td class=\"n\">0.0125 \xc2\xb1 0.0010</td>");
    cr_assert(strstr(writer.buffer.data, "<b>") == NULL);
}

Test(report_table, markdown_keeps_cells_in_their_columns)
{
    lfm_table_markdown(&writer, sample());
    cr_assert_str_eq(writer.buffer.data, "| Name | KLD | Share |\n|:---|---:|---:|\n"
                                         "| a\\|&lt;b>, \"c\" | 0.0125 \xc2\xb1 0.0010 | 50.00\xc2\xa0% |\n"
                                         "| plain | \xe2\x80\x93 | 100.00\xc2\xa0% |\n");
}

Test(report_table, csv_has_full_numbers_errors_and_empty_fields)
{
    lfm_table_csv(&writer, sample());
    cr_assert_str_eq(writer.buffer.data, "name,kld,kld_stderr,share\n\"a|<b>, "
                                         "\"\"c\"\"\",0.0125,0.001,0.5\nplain,,,1\n");
}

Test(report_table, intervals_are_two_columns_of_the_csv)
{
    static const struct lfm_column right[] = {{"name", "Name", false}, {"right", "Right", true}};
    struct lfm_source source = {"a.json", ""};
    struct lfm_table *table = lfm_table_new(&pool, "scores", "Scores.", &source, right, 2);
    lfm_table_text(table, "a");
    lfm_table_interval(table, 0.75, 0.5, 0.875, LFM_NUMBER_SCORE);
    lfm_table_text(table, "b");
    lfm_table_share(table, 1, 4, 0.0625, 0.5);
    lfm_table_text(table, "c");
    lfm_table_share(table, NAN, NAN, NAN, NAN);
    lfm_table_csv(&writer, table);
    cr_assert_str_eq(writer.buffer.data,
                     "name,right,right_low,right_high\na,0.75,0.5,0.875\nb,0.25,0.0625,0.5\nc,,,\n");
    lfm_buffer_clear(&writer.buffer);
    lfm_table_markdown(&writer, table);
    assert_contains("| a | 75.0\xc2\xa0% \\[50.0, 87.5\\] |");
    assert_contains("| b | 1 of 4 |");
}

Test(report_table, no_memory_no_crash)
{
    lfm_table_interval(NULL, 1, 1, 1, LFM_NUMBER_PLAIN);
    lfm_table_share(NULL, 1, 1, 1, 1);
    lfm_table_text(NULL, "a");
    lfm_table_number(NULL, 1, LFM_NUMBER_PLAIN);
    lfm_table_error(NULL, 1, 1, LFM_NUMBER_PLAIN);
}
