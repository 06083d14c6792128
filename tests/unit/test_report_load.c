/* reports: what `routing --load` printed, as figures and tables. */
#include "tests/unit/assert.h"
#include "tests/unit/report_fixture.h"

static struct lfm_error error;

#define START "{\"schema\": \"lfmscope-routing-load\", \"command\": \"c\", \"draw\": \"tokens\", \"traces\": ["
#define BATCH(batch, distinct)                                                                                       \
    "{\"batch\": " #batch ", \"distinct_experts\": " #distinct ", \"distinct_experts_low\": 1, "                     \
    "\"distinct_experts_high\": 9, \"distinct_experts_uniform\": 4, \"distinct_experts_own_load\": 3}"
#define PLACEMENT(placement, batch, straggler)                                                                       \
    "{\"devices\": 2, \"placement\": \"" placement "\", \"batch\": " #batch ", \"straggler\": " #straggler           \
    ", \"straggler_low\": 1, \"straggler_high\": 2, \"straggler_even\": 1.25}"

Test(report_load, batches_stand_beside_their_predictions, .fini = release_report)
{
    assert_ok(
        build_report(&error, START "{\"file\": \"dir/t.h5\", \"name\": \"m\", \"batches\": [" BATCH(1, 2) "," BATCH(8, 3.5) "]}]}"));
    const struct lfm_block *block = find_block("load-batches");
    cr_assert_not_null(block);
    const struct lfm_plot *plot = block->plot;
    cr_assert_eq(plot->n_series, 3);
    const struct lfm_point *point = &plot->points[plot->series[2].first + 1];
    cr_assert(point->x == 8 && point->y == 3.5 && point->low == 1 && point->high == 9);
    cr_assert_eq(plot->points[plot->series[0].first].y, 4);
    cr_assert_eq(plot->points[plot->series[1].first].y, 3);
    cr_assert_not_null(strstr(block->text, "dir/t.h5"));
    cr_assert_not_null(strstr(block->text, "independent tokens"));
    cr_assert_null(find_block("load-devices"));
    cr_assert_null(find_block("load-caches"));
}

Test(report_load, devices_are_shown_at_the_largest_batch, .fini = release_report)
{
    assert_ok(build_report(&error, START "{\"name\": \"m\", \"placements\": [" PLACEMENT("contiguous", 4, 1.9) ","
                          PLACEMENT("contiguous", 64, 1.5) "," PLACEMENT("balanced", 64, 1.1) "]}]}"));
    const struct lfm_plot *plot = find_block("load-devices")->plot;
    cr_assert_eq(plot->n_points, 3);
    cr_assert_eq(plot->points[0].x, 1.5);
    cr_assert_eq(plot->points[1].x, 1.1);
    cr_assert_eq(plot->points[2].x, 1.25);
    cr_assert_eq(plot->n_rows, 1);
    cr_assert_not_null(find_block("load-placements"));
}

Test(report_load, each_trace_has_its_figures, .fini = release_report)
{
    assert_ok(build_report(&error, START "{\"name\": \"a\", \"batches\": [" BATCH(1, 2) "]}, {\"name\": \"b\", \"batches\": [" BATCH(
        1, 2) "], \"caches\": [{\"size\": 3, \"hit_rate\": {\"lru\": 0.5, \"belady\": 0.75}}]}]}"));
    cr_assert_not_null(find_block("load-batches"));
    cr_assert_not_null(find_block("load-batches-2"));
    const struct lfm_plot *plot = find_block("load-caches-2")->plot;
    cr_assert_eq(plot->n_points, 2);
    cr_assert_eq(plot->points[0].y, 75);
    cr_assert_eq(plot->points[1].y, 50);
}

Test(report_load, what_is_not_there_or_of_another_type_is_refused, .fini = release_report)
{
    assert_fails(build_report(&error, START "]}"), LFM_ERROR_FORMAT, "'traces' is missing or empty: no load to show");
    release_report();
    assert_fails(build_report(&error, START "{\"batches\": [{\"batch\": \"x\"}]}]}"), LFM_ERROR_FORMAT, "'batch' must be a number");
    release_report();
    assert_fails(build_report(&error, START "{\"caches\": 7}]}"), LFM_ERROR_FORMAT, "'caches' must be a list");
}
