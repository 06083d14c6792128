/* Router decisions out of a trace: see decisions.h. */
#include "quant/decisions.h"

#include "reference/base/memory.h"

#include <gsl/gsl_sort.h>
#include <math.h>
#include <stdlib.h>

enum lfm_status lfm_decisions_init(struct lfm_decisions *decisions, size_t E, size_t K, struct lfm_error *error)
{
    *decisions = (struct lfm_decisions){.E = E, .K = K};
    LFM_TRY(LFM_ALLOC(&decisions->logits, LFM_DECISIONS_AT_ONCE * E, error));
    LFM_TRY(LFM_ALLOC(&decisions->weights, LFM_DECISIONS_AT_ONCE * K, error));
    LFM_TRY(LFM_ALLOC(&decisions->selected, LFM_DECISIONS_AT_ONCE * K, error));
    return LFM_ALLOC(&decisions->bias, E, error);
}

void lfm_decisions_release(struct lfm_decisions *decisions)
{
    free(decisions->logits);
    free(decisions->weights);
    free(decisions->selected);
    free(decisions->bias);
    *decisions = (struct lfm_decisions){0};
}

enum lfm_status lfm_decisions_begin(struct lfm_decisions *decisions, const struct lfm_trace *trace, size_t layer,
                                    struct lfm_error *error)
{
    return lfm_trace_read_expert_bias(trace, layer, decisions->bias, error);
}

enum lfm_status lfm_decisions_read(struct lfm_decisions *decisions, const struct lfm_trace *trace, size_t layer,
                                   size_t first, size_t n, struct lfm_error *error)
{
    LFM_TRY(lfm_trace_read(trace, layer, LFM_POINT_ROUTER_LOGITS, first, n, decisions->logits, error));
    LFM_TRY(lfm_trace_read(trace, layer, LFM_POINT_ROUTER_WEIGHTS, first, n, decisions->weights, error));
    return lfm_trace_read_selected(trace, layer, first, n, decisions->selected, error);
}

struct lfm_router_decision lfm_decision(const struct lfm_decisions *decisions, size_t t)
{
    return (struct lfm_router_decision){decisions->logits + t * decisions->E, decisions->selected + t * decisions->K,
                                        decisions->weights + t * decisions->K};
}

void lfm_router_scores(double *scores, const float *logits, const float *bias, size_t E)
{
    for (size_t e = 0; e < E; e++) scores[e] = 1 / (1 + exp(-(double)logits[e])) + (bias ? (double)bias[e] : 0);
}

double lfm_router_margin(const float *logits, const float *bias, double *scores, size_t E, size_t K)
{
    if (K >= E) return INFINITY;
    lfm_router_scores(scores, logits, bias, E);
    gsl_sort(scores, 1, E);
    return scores[E - K] - scores[E - K - 1];
}

void lfm_decision_scores(double *scores, const struct lfm_decisions *decisions, size_t t)
{
    lfm_router_scores(scores, decisions->logits + t * decisions->E, decisions->bias, decisions->E);
}

enum lfm_status lfm_require_routers(const struct lfm_trace *trace, struct lfm_error *error)
{
    const struct lfm_trace_information *information = lfm_trace_information(trace);
    if (information->tokens == 0) return lfm_fail(error, LFM_ERROR_MISMATCH, "'%s' holds no tokens", information->path);
    for (size_t layer = 0; layer < information->layers; layer++)
        if (lfm_trace_has_router(trace, layer)) return LFM_OK;
    return lfm_fail(error, LFM_ERROR_MISMATCH, "'%s' has no router data%s", information->path,
                    information->experts > 0 ? ": trace with --points router, without --statistics-only"
                                             : ": the model has no experts");
}
