/* reports: what `bench` printed, as a figure and a table. */
#include "tests/unit/assert.h"
#include "tests/unit/report_fixture.h"

static struct lfm_error error;

#define ROW(format, activations, batch, rate)                                                                         \
    "{\"format\": \"" format "\", \"activations\": \"" activations "\", \"kv\": \"f32\", \"batch\": " #batch             \
    ", \"context\": 0, \"prefill_tps\": 50, \"decode_tps\": " #rate ", \"decode_tps_min\": 1, \"decode_tps_max\": 99}"
#define START "{\"schema\": \"lfmscope-bench\", \"name\": \"dir/m\", \"repeats\": 3, \"threads\": 2, "

Test(report_bench, formats_are_series_and_batches_are_rows, .fini = release_report)
{
    assert_ok(build_report(&error, START "\"rows\": [" ROW("q8_0", "f32", 1, 10) "," ROW("q8_0", "f32", 8, 20) "," ROW("q4_0", "f32", 1, 30)
                          "]}"));
    const struct lfm_block *block = find_block("bench");
    cr_assert_not_null(block);
    const struct lfm_plot *plot = block->plot;
    cr_assert_eq(plot->n_series, 2);
    cr_assert_str_eq(plot->series[0].label, "Q8_0");
    cr_assert_str_eq(plot->series[1].label, "Q4_0");
    cr_assert_eq(plot->n_rows, 2);
    cr_assert_str_eq(plot->rows[1], "8 at once");
    cr_assert_eq(plot->points[1].x, 20);
    cr_assert_eq(plot->points[1].y, 1);
    cr_assert_eq(plot->points[1].low, 1);
    cr_assert_eq(plot->points[1].high, 99);
    cr_assert_not_null(find_block("bench-rows"));
    cr_assert_str_eq(report.documents.items[0].model, "m");
}

Test(report_bench, activations_are_named_when_they_differ, .fini = release_report)
{
    assert_ok(build_report(&error, START "\"rows\": [" ROW("q8_0", "f32", 1, 10) "," ROW("q8_0", "q8", 1, 20) "]}"));
    const struct lfm_plot *plot = find_block("bench")->plot;
    cr_assert_eq(plot->n_series, 2);
    cr_assert_str_eq(plot->series[1].label, "Q8_0/Q8");
}

Test(report_bench, rates_that_were_not_measured_leave_no_plot, .fini = release_report)
{
    assert_ok(build_report(&error, START "\"rows\": [{\"format\": \"q8_0\", \"batch\": 1, \"context\": 0, \"decode_tps\": null}]}"));
    cr_assert_null(find_block("bench"));
    cr_assert_not_null(find_block("bench-rows"));
}

Test(report_bench, a_result_without_rows_is_refused, .fini = release_report)
{
    assert_fails(build_report(&error, START "\"rows\": []}"), LFM_ERROR_FORMAT, "'rows' is missing or empty");
    release_report();
    assert_fails(build_report(&error, START "\"rows\": [{\"format\": 3}]}"), LFM_ERROR_FORMAT, "'format' must be a string");
    release_report();
    assert_fails(build_report(&error, START "\"rows\": [7]}"), LFM_ERROR_FORMAT, "a list of objects");
}
