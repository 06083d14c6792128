/* reports: modules' own and inherited errors, where traces part, and channels that stand out. */
#include "tests/unit/assert.h"
#include "tests/unit/report_fixture.h"

static struct lfm_error error;

TestSuite(report_divergence, .fini = release_report);

static const char *cell_of(const struct lfm_table *table, size_t row, size_t column)
{
    return table->cells[row * table->n_columns + column].text;
}

#define MODULES "{\"schema\": \"lfmscope-compare\", \"candidates\": [{\"weights\": \"q4_0\", \"inject\": {\"modules\": ["
#define OPERATOR "{\"layer\": 3, \"module\": \"operator\", \"kind\": \"attention\", \"injected\": 0.25, \"inherited\": 0.125, \"total\": 0.375}"
#define EXPERTS(own) "{\"layer\": 3, \"module\": \"feed_forward\", \"kind\": \"moe\", \"injected\": 0.5, \"inherited\": 0.25, " \
                "\"total\": 0.75, \"router\": {\"injected\": {\"exact_set\": " #own "}, \"total\": {\"exact_set\": 0.75}}}"

Test(report_divergence, own_and_whole_errors_of_operators_and_feed_forwards_are_lines)
{
    assert_ok(build_report(&error, MODULES OPERATOR "," EXPERTS(1) "]}}]}"));
    const struct lfm_block *block = find_block("injected");
    cr_assert_not_null(block);
    const struct lfm_plot *plot = block->plot;
    static const double expected[] = {0.25, 0.375, 0.5, 0.75};
    cr_assert_eq(plot->n_series, 4);
    for (size_t i = 0; i < 4; i++) {
        cr_assert_eq(plot->points[i].x, 3);
        cr_assert_eq(plot->points[i].y, expected[i]);
    }
    cr_assert_str_eq(plot->series[3].label, "feed-forward, in all");
    cr_assert_eq(plot->n_bands, 1);
    cr_assert_not_null(strstr(block->text, "The feed-forward of layer 3 inherits most: 0.500 of its own, 0.750 in all."));
    cr_assert_not_null(strstr(block->text, "no router chooses other experts; in the candidate\xe2\x80\x99s own run a layer"));
    const struct lfm_table *table = find_block("injected-modules")->table;
    cr_assert_eq(table->n_cells, 2 * table->n_columns);
    cr_assert_str_eq(cell_of(table, 1, 8), "25.00\xc2\xa0%");
    cr_assert_str_eq(cell_of(table, 0, 8), "\xe2\x80\x93");
}

Test(report_divergence, a_router_that_errs_by_itself_is_mentioned)
{
    assert_ok(build_report(&error, MODULES EXPERTS(0.875) "]}}]}"));
    cr_assert_not_null(strstr(find_block("injected")->text, "for at most 12.50\xc2\xa0%"));
}

Test(report_divergence, a_model_without_errors_has_a_table_and_no_plot)
{
    assert_ok(build_report(&error, MODULES "{\"layer\": 0, \"module\": \"operator\", \"injected\": 0, \"inherited\": 0, \"total\": 0}]}}]}"));
    cr_assert_null(find_block("injected"));
    cr_assert_not_null(find_block("injected-modules"));
}

#define TRACES "{\"schema\": \"lfmscope-trace-compare\", \"tolerance\": 0.01, \"outlier_multiple\": 3, \"reference\": " \
               "{\"file\": \"r.h5\", \"weights\": \"bf16\"}, \"candidates\": ["
#define CHANNEL(channel, rms, times) "{\"channel\": " #channel ", \"rms\": " #rms ", \"times_median\": " #times "}"

Test(report_divergence, the_first_token_above_is_a_row_with_its_dataset)
{
    assert_ok(build_report(&error, TRACES "{\"weights\": \"q4_0\", \"file\": \"c.h5\", \"first\": {\"layer\": 2, \"point\": \"conv\", \"token\": 17, "
                    "\"document\": 1, \"position\": 5, \"id\": 44, \"value\": 0.5}, \"first_in_text\": {\"layer\": 7, \"point\": "
                    "\"residual\", \"token\": 3, \"document\": 0, \"position\": 3, \"id\": 9, \"value\": null}}, "
                    "{\"weights\": \"q8_0\", \"file\": \"d.h5\", \"first\": null, \"first_in_text\": null}]}"));
    const struct lfm_table *table = find_block("first-above")->table;
    cr_assert_eq(table->n_cells, 3 * table->n_columns);
    cr_assert_not_null(strstr(table->caption, "above 0.01:"));
    cr_assert_str_eq(cell_of(table, 0, 2), "/layers/02/conv");
    cr_assert_str_eq(cell_of(table, 0, 3), "17");
    cr_assert_str_eq(cell_of(table, 1, 2), "/layers/07/residual");
    cr_assert_str_eq(cell_of(table, 2, 2), "none above");
    cr_assert_str_eq(cell_of(table, 2, 8), "d.h5");
}

Test(report_divergence, channels_come_largest_first_and_those_of_the_reference_once)
{
    assert_ok(build_report(&error, TRACES "{\"weights\": \"q4_0\", \"file\": \"c.h5\", \"points\": ["
                    "{\"layer\": 0, \"point\": \"B\", \"error_outliers\": {\"count\": 1, \"channels\": [" CHANNEL(4, 1, 5)
                    "]}, \"magnitude_outliers\": {\"count\": 1, \"channels\": [" CHANNEL(1, 8, 4) "]}}, "
                    "{\"layer\": 1, \"point\": \"x\", \"error_outliers\": {\"count\": 9, \"channels\": [" CHANNEL(6, 2, 7) ","
                    CHANNEL(5, 3, null) "]}}]}]}"));
    const struct lfm_table *table = find_block("channel-outliers")->table;
    cr_assert_eq(table->n_cells, 4 * table->n_columns);
    static const char *const channels[] = {"5", "6", "4", "1"};
    for (size_t i = 0; i < 4; i++) cr_assert_str_eq(cell_of(table, i, 3), channels[i], "row %zu", i);
    cr_assert_str_eq(cell_of(table, 1, 2), "/layers/01/x");
    cr_assert_str_eq(cell_of(table, 3, 1), "reference");
    cr_assert_str_eq(cell_of(table, 3, 6), "r.h5");
    cr_assert_not_null(strstr(table->caption, "10 for Q4_0"));
}

Test(report_divergence, traces_compared_without_a_tolerance_have_no_such_tables)
{
    assert_ok(build_report(&error, "{\"schema\": \"lfmscope-trace-compare\", \"candidates\": [{\"weights\": \"q4_0\"}]}"));
    cr_assert_null(find_block("first-above"));
    cr_assert_null(find_block("channel-outliers"));
}

Test(report_divergence, wrong_types_are_errors_that_name_the_place)
{
    assert_fails(build_report(&error, MODULES "7]}}]}"), LFM_ERROR_FORMAT, "inject");
    release_report();
    assert_fails(build_report(&error, TRACES "{\"first\": 3}]}"), LFM_ERROR_FORMAT, "candidates[0]: 'first' must be an object");
    release_report();
    assert_fails(build_report(&error, TRACES "{\"points\": [{\"error_outliers\": {\"channels\": [{\"channel\": \"x\"}]}}]}]}"), LFM_ERROR_FORMAT,
                 "'channel' must be a number");
}
