/* reports: what `bench` printed, as a figure and a table. */
#include "reference/base/file.h"
#include "reports/report.h"
#include "tests/unit/assert.h"

#include <stdlib.h>
#include <unistd.h>

static struct lfm_report report;
static struct lfm_error error;

static enum lfm_status build(const char *text)
{
    char path[] = "/tmp/lfmscope-report-bench-XXXXXX";
    int descriptor = mkstemp(path);
    cr_assert_geq(descriptor, 0);
    close(descriptor);
    assert_ok(lfm_write_file(path, text, strlen(text), &error));
    const char *paths[] = {path};
    enum lfm_status status = lfm_report_build(&report, paths, 1, NULL, &error);
    unlink(path);
    return status;
}

static void clean(void)
{
    lfm_report_release(&report);
}

static const struct lfm_block *find_block(const char *id)
{
    for (size_t i = 0; i < report.content.n_blocks; i++)
        if (report.content.blocks[i].id && strcmp(report.content.blocks[i].id, id) == 0) return &report.content.blocks[i];
    return NULL;
}

#define ROW(format, activations, batch, rate)                                                                         \
    "{\"format\": \"" format "\", \"activations\": \"" activations "\", \"kv\": \"f32\", \"batch\": " #batch             \
    ", \"context\": 0, \"prefill_tps\": 50, \"decode_tps\": " #rate ", \"decode_tps_min\": 1, \"decode_tps_max\": 99}"
#define START "{\"schema\": \"lfmscope-bench\", \"name\": \"dir/m\", \"repeats\": 3, \"threads\": 2, "

Test(report_bench, formats_are_series_and_batches_are_rows, .fini = clean)
{
    assert_ok(build(START "\"rows\": [" ROW("q8_0", "f32", 1, 10) "," ROW("q8_0", "f32", 8, 20) "," ROW("q4_0", "f32", 1, 30)
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

Test(report_bench, activations_are_named_when_they_differ, .fini = clean)
{
    assert_ok(build(START "\"rows\": [" ROW("q8_0", "f32", 1, 10) "," ROW("q8_0", "q8", 1, 20) "]}"));
    const struct lfm_plot *plot = find_block("bench")->plot;
    cr_assert_eq(plot->n_series, 2);
    cr_assert_str_eq(plot->series[1].label, "Q8_0/Q8");
}

Test(report_bench, rates_that_were_not_measured_leave_no_plot, .fini = clean)
{
    assert_ok(build(START "\"rows\": [{\"format\": \"q8_0\", \"batch\": 1, \"context\": 0, \"decode_tps\": null}]}"));
    cr_assert_null(find_block("bench"));
    cr_assert_not_null(find_block("bench-rows"));
}

Test(report_bench, a_result_without_rows_is_refused, .fini = clean)
{
    assert_fails(build(START "\"rows\": []}"), LFM_ERROR_FORMAT, "'rows' is missing or empty");
    clean();
    assert_fails(build(START "\"rows\": [{\"format\": 3}]}"), LFM_ERROR_FORMAT, "'format' must be a string");
    clean();
    assert_fails(build(START "\"rows\": [7]}"), LFM_ERROR_FORMAT, "a list of objects");
}
