/* The decisions of one router of a trace, some tokens at a time. */
#ifndef LFM_QUANT_DECISIONS_H
#define LFM_QUANT_DECISIONS_H

#include "quant/agreement.h"
#include "reference/base/error.h"
#include "reference/trace/reader.h"

#include <stddef.h>
#include <stdint.h>

enum { LFM_DECISIONS_AT_ONCE = 256 }; /* one chunk of the file */

/* Up to LFM_DECISIONS_AT_ONCE tokens of one layer; all arrays are owned. */
struct lfm_decisions {
    size_t E, K;
    float *logits, *weights; /* [n,E], [n,K] */
    int32_t *selected;       /* [n,K] */
    float *bias;             /* [E] what is added to the sigmoids before experts are chosen; zeros without one */
};

/* Release also after a failure. */
enum lfm_status lfm_decisions_init(struct lfm_decisions *decisions, size_t E, size_t K, struct lfm_error *error);
void lfm_decisions_release(struct lfm_decisions *decisions);

/* Reads the bias of a layer; then its tokens first .. first+n-1. */
enum lfm_status lfm_decisions_begin(struct lfm_decisions *decisions, const struct lfm_trace *trace, size_t layer,
                                    struct lfm_error *error);
enum lfm_status lfm_decisions_read(struct lfm_decisions *decisions, const struct lfm_trace *trace, size_t layer,
                                   size_t first, size_t n, struct lfm_error *error);

/* The t-th of the tokens read. */
struct lfm_router_decision lfm_decision(const struct lfm_decisions *decisions, size_t t);

/* scores[E] = sigmoid(logits[E]) + bias[E], what experts are chosen by, in double; bias may be NULL. */
void lfm_router_scores(double *scores, const float *logits, const float *bias, size_t E);

/* How far a score has to move before another set is chosen: the K-th minus the (K+1)-th largest of the scores. Infinite
 * when K is E. scores[E] is scratch. */
double lfm_router_margin(const float *logits, const float *bias, double *scores, size_t E, size_t K);

/* The scores of the t-th of the tokens read. */
void lfm_decision_scores(double *scores, const struct lfm_decisions *decisions, size_t t);

/* Fails when the trace has no router ("trace with --points router", "the model has no experts") or no tokens. */
enum lfm_status lfm_require_routers(const struct lfm_trace *trace, struct lfm_error *error);

#endif
