/* What differs between two traces of the same text: at every point of every layer, and in the routers' decisions. */
#ifndef LFM_QUANT_TRACE_COMPARE_H
#define LFM_QUANT_TRACE_COMPARE_H

#include "quant/agreement.h"
#include "reference/base/error.h"
#include "reference/base/progress.h"
#include "reference/model/observer.h"
#include "reference/trace/reader.h"

#include <stddef.h>

/* x is the reference, y the candidate, over all tokens and channels. docs/metrics.md has the formulas in words. */
struct lfm_point_difference {
    size_t layer;
    enum lfm_point point;
    double relative_l2, cosine, sqnr_db; /* as agreement.h defines them */
    double cka;                          /* as cka.h defines it; NaN for points wider than it can take */
    /* the largest error of one channel: sqrt(sum_t (x - y)^2 / sum over all channels of sum_t x^2 / width), that is,
     * the channel's RMS error divided by the RMS of the point. The mean of its square over channels is
     * relative_l2^2. */
    double max_channel_error;
    size_t max_channel;
};

struct lfm_router_difference {
    size_t layer;
    struct lfm_router_figures figures;
};

struct lfm_trace_comparison {
    size_t tokens;
    struct lfm_point_difference *points; /* by layer, then in the order of the points; what both traces have */
    size_t n_points;
    struct lfm_router_difference *routers; /* layers of which both traces have logits, selected and weights */
    size_t n_routers;
};

/* Fails, saying what differs, unless both traces are of models of one shape and tokenizer, and of the same tokens in
 * the same documents. */
enum lfm_status lfm_traces_match(const struct lfm_trace *reference, const struct lfm_trace *candidate,
                                 struct lfm_error *error);

/* The same for traces of which one may be the start of the other, when the shorter one is incomplete: *tokens is what both
 * have, at least 1. */
enum lfm_status lfm_traces_match_start(const struct lfm_trace *reference, const struct lfm_trace *candidate,
                                       size_t *tokens, struct lfm_error *error);

/* Compares matching traces, reading both some tokens at a time. Fails when they have nothing in common. The progress,
 * which may be NULL, counts points. */
enum lfm_status lfm_traces_compare(struct lfm_trace_comparison *out, const struct lfm_trace *reference,
                                   const struct lfm_trace *candidate, struct lfm_progress *progress,
                                   struct lfm_error *error);
void lfm_trace_comparison_release(struct lfm_trace_comparison *comparison);

/* The number of steps that lfm_traces_compare announces. */
size_t lfm_traces_points(const struct lfm_trace *reference, const struct lfm_trace *candidate);

/* The routers alone: rows[*n], to be freed by the caller, of the layers that both traces have them for. */
enum lfm_status lfm_traces_compare_routers(struct lfm_router_difference **rows, size_t *n,
                                           const struct lfm_trace *reference, const struct lfm_trace *candidate,
                                           struct lfm_error *error);

#endif
