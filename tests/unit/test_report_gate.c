/* reports: rules that figures must keep, on their own and against a baseline. */
#include "reports/report.h"
#include "tests/unit/assert.h"
#include "tests/unit/directory.h"
#include "tests/unit/report_fixture.h"

#include <stdio.h>

static struct lfm_error error;

static void clean(void)
{
    release_report();
    remove_directory();
}

TestSuite(report_gate, .init = make_directory, .fini = clean);

/* A comparison of one candidate. */
static const char *comparison(const char *name, double kld, double top1, int positions)
{
    static char text[4][512];
    static int next;
    char *out = text[next++ % 4];
    snprintf(out, sizeof text[0],
             "{\"schema\": \"lfmscope-compare\", \"positions\": %d, \"reference\": {\"name\": \"a/model\"}, \"candidates\": "
             "[{\"name\": \"%s\", \"kld\": {\"mean\": %.17g}, \"top1_agreement\": %.17g}]}", positions, name, kld, top1);
    return out;
}

/* Judges the results by the rules, beside those of a baseline if there is one. */
static enum lfm_status judge(const char *now, const char *before, const char *rules)
{
    const char *path = in_directory("now.json"), *baseline = in_directory("before.json");
    write_text("now.json", now);
    if (before) write_text("before.json", before);
    release_report();
    const struct lfm_report_options options = {.baseline = &baseline, .n_baseline = before ? 1 : 0, .rules = &rules,
                                               .n_rules = rules ? 1 : 0};
    return lfm_report_build(&report, &path, 1, &options, &error);
}

static void assert_verdicts(const char *now, const char *before, const char *rules, const char *expected)
{
    char verdicts[256] = "";
    assert_ok(judge(now, before, rules));
    for (size_t i = 0; i < report.gate.n_checks; i++)
        snprintf(verdicts + strlen(verdicts), sizeof verdicts - strlen(verdicts), "%s%s", i ? ", " : "",
                 report.gate.checks[i].verdict);
    cr_assert_str_eq(verdicts, expected, "%s: got '%s'", rules, verdicts);
}

Test(report_gate, a_figure_may_reach_its_limit_and_not_pass_it)
{
    const char *now = comparison("q4_0", 0.25, 0.5, 10);
    assert_verdicts(now, NULL, "kld=0.25", "holds");
    assert_verdicts(now, NULL, "kld=0.24", "fails");
    assert_verdicts(now, NULL, "top1_agreement=0.5", "holds");
    assert_verdicts(now, NULL, "top1_agreement=0.51", "fails");
    assert_verdicts(now, NULL, "kld=1,top1_agreement=0.9", "holds, fails");
    cr_assert_eq(report.gate.n_failed, 1);
    cr_assert_eq(report.gate.n_rules, 2);
    cr_assert_str_eq(report.content.blocks[0].text, "The gate does not hold: 1 of 2 checks of 2 rules fails: top1_agreement of "
                                                    "model: Q4_0 is 0.500, limit 0.900.");
}

Test(report_gate, figures_that_differ_in_the_last_digits_are_shown_to_differ)
{
    assert_verdicts(comparison("q4_0", 0.2500001, 0.5, 10), comparison("q4_0", 0.25, 0.5, 10), "kld=+0", "fails");
    cr_assert_not_null(strstr(report.content.blocks[0].text, "is 0.2500001"), "%s", report.content.blocks[0].text);
    cr_assert_not_null(strstr(report.content.blocks[0].text, "limit 0.25."), "%s", report.content.blocks[0].text);
}

Test(report_gate, scores_of_another_model_are_no_counterpart)
{
#define RUN "\", \"suite\": \"ifeval\", \"reference\": {\"correct\": {\"accuracy\": 0.5, \"n\": 10}}, \"variants\": [{\"name\": " \
            "\"q8_0\", \"correct\": {\"accuracy\": 0.5, \"n\": 10}}]}"
    const char *now = "{\"schema\": \"lfmscope-eval-against\", \"model\": \"a" RUN;
    assert_verdicts(now, now, "score=-0", "holds, holds");
    assert_verdicts(now, "{\"schema\": \"lfmscope-eval-against\", \"model\": \"b" RUN, "score=-0", "new, new, gone, gone");
}

Test(report_gate, limits_with_a_sign_go_from_the_baseline_to_the_worse_side)
{
    const char *now = comparison("q4_0", 0.25, 0.5, 10), *same = comparison("q4_0", 0.25, 0.5, 10);
    assert_verdicts(now, same, "kld=+0,top1_agreement=-0", "holds, holds");
    const char *better = comparison("q4_0", 0.125, 0.75, 10);
    assert_verdicts(now, better, "kld=+0.125,kld=+0.12,kld=+100%,kld=+99%", "holds, fails, holds, fails");
    assert_verdicts(now, better, "top1_agreement=-0.25,top1_agreement=-0.2,top1_agreement=-34%,top1_agreement=-33%",
                    "holds, fails, holds, fails");
    cr_assert_eq(report.gate.checks[0].baseline, 0.75);
    cr_assert_eq(report.gate.checks[0].limit, 0.5);
}

Test(report_gate, results_without_a_counterpart_are_new_or_gone_and_gone_fails)
{
    const char *now = "{\"schema\": \"lfmscope-compare\", \"positions\": 10, \"reference\": {\"name\": \"model\"}, \"candidates\": "
                      "[{\"name\": \"q4_0\", \"kld\": {\"mean\": 1}}, {\"name\": \"q8_0\", \"kld\": {\"mean\": 1}}]}";
    const char *before = "{\"schema\": \"lfmscope-compare\", \"positions\": 10, \"reference\": {\"name\": \"model\"}, \"candidates\": "
                         "[{\"name\": \"q4_0\", \"kld\": {\"mean\": 1}}, {\"name\": \"q5_0\", \"kld\": {\"mean\": 1}}]}";
    assert_verdicts(now, before, "kld=+0", "holds, new, gone");
    cr_assert_eq(report.gate.n_failed, 1);
    cr_assert_eq(report.gate.n_judged, 2);
}

Test(report_gate, figures_of_other_numbers_of_positions_are_not_comparable)
{
    const char *now = comparison("q4_0", 0.25, 0.5, 10), *other = comparison("q4_0", 0.25, 0.5, 20);
    assert_verdicts(now, other, "kld=+5%", "not comparable");
    cr_assert_eq(report.gate.n_failed, 1);
    assert_verdicts(now, other, "kld=0.3", "holds");
}

Test(report_gate, scores_of_tasks_and_bytes_of_measurements_are_figures_too)
{
    static const char *const path = "tests/golden/reports", *const rules[] = {"score=0.1", "bytes_per_token=1e12"};
    assert_ok(lfm_report_build(&report, &path, 1,
                               &(struct lfm_report_options){.baseline = &path, .n_baseline = 1, .rules = rules, .n_rules = 2},
                               &error));
    cr_assert_gt(report.gate.n_judged, 6);
    cr_assert_eq(report.gate.n_failed, 0);
    const struct lfm_block *block = find_block("gate");
    cr_assert_not_null(block);
    cr_assert_eq(block->table->n_cells, 8 * report.gate.n_checks);
    cr_assert_not_null(strstr(report.content.blocks[0].text, "The gate holds"));
}

Test(report_gate, without_rules_figures_stand_beside_the_baselines)
{
    assert_verdicts(comparison("q4_0", 0.25, 0.5, 10), comparison("q4_0", 0.125, 0.5, 10), NULL, ", ");
    cr_assert_str_eq(report.content.blocks[0].text, "Of 2 figures that the baseline has too, 1 changed.");
    cr_assert_eq(report.gate.n_failed, 0);
}

static void refuse(const char *rules, enum lfm_status status, const char *part)
{
    const char *now = comparison("q4_0", 0.25, 0.5, 10), *before = comparison("q4_0", 0.125, 0.5, 10);
    assert_fails(judge(now, before, rules), status, part);
}

Test(report_gate, rules_that_cannot_be_read_or_judge_nothing_are_refused)
{
    refuse("kld", LFM_ERROR_ARGUMENT, "expected METRIC=LIMIT");
    refuse("speed=1", LFM_ERROR_ARGUMENT, "one of kld, kld_p99");
    refuse("=1", LFM_ERROR_ARGUMENT, "expected METRIC=LIMIT");
    refuse("kld=", LFM_ERROR_ARGUMENT, "+NUMBER%");
    refuse("kld=1x", LFM_ERROR_ARGUMENT, "+NUMBER%");
    refuse("kld=nan", LFM_ERROR_ARGUMENT, "+NUMBER%");
    refuse("kld=5%", LFM_ERROR_ARGUMENT, "+NUMBER%");
    refuse("kld=-5%", LFM_ERROR_ARGUMENT, "worse when it rises");
    refuse("top1_agreement=+0.1", LFM_ERROR_ARGUMENT, "worse when it falls");
    refuse("score=0.5", LFM_ERROR_MISMATCH, "judges nothing");
    assert_fails(judge(comparison("q4_0", 0.25, 0.5, 10), NULL, "kld=+5%"), LFM_ERROR_ARGUMENT, "--baseline");
    assert_fails(judge(comparison("q4_0", 0.25, 0.5, 10), comparison("q4_0", 0.25, 0.5, 10), ""), LFM_ERROR_ARGUMENT,
                 "no rule");
}
