/* A gate: rules that figures must keep, on their own or against an earlier report's.
 *
 * A rule is METRIC=LIMIT. Every metric has a worse side. LIMIT is a number that the figure may reach ("kld=0.02",
 * "top1_agreement=0.97"); with a sign, how far from the baseline's figure to the worse side ("kld=+0.001",
 * "score=-0.02"); with a sign and "%", the same as a share of the baseline's figure ("kld=+5%"). */
#ifndef LFM_REPORTS_GATE_H
#define LFM_REPORTS_GATE_H

#include "reports/document.h"

/* One figure under one rule, or, without rules, beside the baseline's. */
struct lfm_gate_check {
    const char *rule;   /* as it was given; NULL: figures are shown, not judged */
    const char *metric; /* "kld" */
    const char *subject; /* whose figure: "demo-model: Q4_0", "ifeval, demo-model: Q4_0" */
    const char *file;
    double baseline, value, limit; /* NaN where there is none */
    const char *verdict; /* "holds", "fails"; "gone", "not comparable": fail too; "new": not judged; "" without rules */
    bool fails;
};

struct lfm_gate {
    struct lfm_gate_check *checks;
    size_t n_checks, capacity;
    size_t n_rules, n_failed, n_judged;
    bool against; /* a baseline */
};

/* The metrics that rules name, for messages: "kld, kld_p99, ...". */
const char *lfm_gate_metrics(struct lfm_pool *pool);

/* Judges the figures of `now` by the rules, each a list separated by commas; `baseline` NULL when there is none. A figure is
 * the baseline's when kind of result, model, variant and suite are. Figures of other numbers of positions or items cannot be
 * compared. Fails with LFM_ERROR_ARGUMENT on a rule that cannot be read or wants a baseline that is not there, with
 * LFM_ERROR_MISMATCH on a rule that judges no figure. All memory is the pool's. */
enum lfm_status lfm_gate_judge(struct lfm_gate *gate, struct lfm_pool *pool, const struct lfm_documents *now,
                               const struct lfm_documents *baseline, const char *const *rules, size_t n_rules,
                               struct lfm_error *error);

#endif
