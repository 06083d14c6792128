/* reports: what `routing` printed, as figures of load, experts chosen together, domains, flips and paths. */
#include "reference/base/file.h"
#include "reports/report.h"
#include "tests/unit/assert.h"
#include "tests/unit/directory.h"

static struct lfm_report report;
static struct lfm_error error;

static void clean(void)
{
    lfm_report_release(&report);
    remove_directory();
}

TestSuite(report_routing, .init = make_directory, .fini = clean);

static enum lfm_status build(const char *text)
{
    write_text("routing.json", text);
    const char *paths[] = {in_directory("routing.json")};
    return lfm_report_build(&report, paths, 1, NULL, &error);
}

static const struct lfm_plot *plot_of(const char *id)
{
    for (size_t i = 0; i < report.content.n_blocks; i++)
        if (report.content.blocks[i].id && strcmp(report.content.blocks[i].id, id) == 0)
            return report.content.blocks[i].plot;
    return NULL;
}

#define LAYER                                                                                                          \
    "{\"layer\": 4, \"experts\": 2, \"top_k\": 1, \"load\": [0.5, 0.5], \"cv\": 0.2, \"chance\": {\"cv\": 0.05}, "      \
    "\"coactivation\": [{\"a\": 0, \"b\": 1, \"lift\": 1.5}], \"domains\": [{\"label\": \"code\", \"share\": [0.75, "   \
    "null]}], \"mutual_information\": {\"domain\": {\"excess\": 0.1}, \"token\": {\"excess\": 0.3}}}"
#define TRACE(weights)                                                                                                 \
    "{\"file\": \"" weights ".h5\", \"weights\": \"" weights "\", \"tokens\": 9, \"chance\": {\"lift\": 0.75, \"share\": 0.5}, " \
    "\"layers\": [" LAYER "]}"
#define PAIR                                                                                                           \
    "{\"reference\": \"bf16.h5\", \"candidate\": \"q4_0.h5\", \"layers\": [], \"all\": {\"margin_bins\": ["               \
    "{\"from\": 0, \"to\": 0.0001, \"tokens\": 4, \"flips\": {\"observed\": 0.5, \"predicted_empirical\": 0.4}}, "      \
    "{\"from\": 0.1, \"to\": null, \"tokens\": 5, \"flips\": {\"observed\": 0.02, \"predicted_empirical\": 0.01}}]}, "  \
    "\"first_divergence\": {\"layers\": [{\"layer\": 4, \"share\": 0.25}], \"never_share\": 0.75}}"

static void build_both(void)
{
    assert_ok(build("{\"schema\": \"lfmscope-routing\", \"traces\": [" TRACE("bf16") "," TRACE("q4_0") "], \"pairs\": [" PAIR "]}"));
}

Test(report_routing, load_stands_beside_chance)
{
    build_both();
    const struct lfm_plot *plot = plot_of("load-chance");
    cr_assert_eq(plot->n_series, 3);
    cr_assert_str_eq(plot->series[2].label, "by chance");
    cr_assert_eq(plot->points[plot->series[0].first].y, 0.2);
    cr_assert_eq(plot->points[plot->series[2].first].y, 0.05);
}

Test(report_routing, pairs_are_shaded_by_lift_over_chance_on_both_sides_of_the_diagonal)
{
    build_both();
    const struct lfm_plot *plot = plot_of("coactivation");
    cr_assert_eq(plot->n_points, 2);
    cr_assert(plot->points[0].x == 1 && plot->points[0].y == 0 && plot->points[0].value == 2);
    cr_assert(plot->points[1].x == 0 && plot->points[1].y == 1 && plot->points[1].value == 2);
}

Test(report_routing, domains_are_multiples_of_the_even_share)
{
    build_both();
    const struct lfm_plot *plot = plot_of("domain-experts");
    cr_assert_str_eq(plot->rows[0], "code");
    cr_assert_eq(plot->n_points, 1); /* null is left out */
    cr_assert_eq(plot->points[0].value, 1.5);
    cr_assert_eq(plot_of("specialisation")->points[1].y, 0.1);
}

Test(report_routing, flips_stand_in_the_middle_of_their_bins)
{
    build_both();
    const struct lfm_plot *plot = plot_of("flips-margin");
    assert_near(plot->points[0].x, pow(10, -4.25), 1e-12);
    assert_near(plot->points[1].x, pow(10, -0.75), 1e-12);
    assert_near(plot->points[0].y, 50, 1e-12);
    plot = plot_of("flips-predicted");
    cr_assert(plot->points[1].x == 0.01 && plot->points[1].y == 0.02);
    cr_assert(plot->points[2].x == 0.01 && plot->points[3].y == 0.4); /* the line of what was predicted */
    cr_assert_eq(plot_of("first-divergence")->points[0].y, 25);
}

Test(report_routing, of_one_older_file_shows_what_it_has)
{
    assert_ok(build("{\"schema\": \"lfmscope-routing\", \"traces\": [{\"weights\": \"bf16\", \"layers\": [{\"layer\": 2, "
                    "\"experts\": 2, \"load\": [0.5, 0.5], \"cv\": 0}]}]}"));
    cr_assert_not_null(plot_of("expert-load"));
    cr_assert_null(plot_of("load-chance"));
    cr_assert_null(plot_of("coactivation"));
    cr_assert_null(plot_of("domain-experts"));
    cr_assert_null(plot_of("specialisation"));
    cr_assert_null(plot_of("flips-margin"));
    cr_assert_null(plot_of("first-divergence"));
}

Test(report_routing, a_list_of_something_else_is_refused)
{
    assert_fails(build("{\"schema\": \"lfmscope-routing\", \"traces\": [{\"layers\": [{\"domains\": [{\"share\": [\"x\"]}]}]}]}"),
                 LFM_ERROR_FORMAT, "share");
}
