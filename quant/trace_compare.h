/* What differs between two traces of the same text: at every point of every layer, and in the routers' decisions. */
#ifndef LFM_QUANT_TRACE_COMPARE_H
#define LFM_QUANT_TRACE_COMPARE_H

#include "quant/agreement.h"
#include "quant/divergence.h"
#include "reference/base/error.h"
#include "reference/base/progress.h"
#include "reference/model/observer.h"
#include "reference/trace/reader.h"

#include <stdbool.h>
#include <stddef.h>

struct lfm_trace_compare_options {
    double tolerance; /* relative L2 error of a token's vector, above which it is counted */
    double outliers;  /* channels with more than so many times the median RMS are outliers */
};
#define LFM_TRACE_COMPARE_DEFAULT {.tolerance = 0.01, .outliers = 3}

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
    struct lfm_token_errors token_errors;
    struct lfm_channel_outliers error_outliers;     /* by RMS of x - y */
    struct lfm_channel_outliers magnitude_outliers; /* by RMS of x */
};

/* One token at one point. */
struct lfm_divergence {
    bool found;
    size_t layer;
    enum lfm_point point;
    size_t token;               /* the row */
    int32_t document, position; /* of that token, and its id */
    int32_t id;
    double value;               /* its relative L2 error */
};

/* A dataset that one trace lacks. */
struct lfm_missing_point {
    size_t layer;
    enum lfm_point point;
    bool in_reference; /* it is the candidate that lacks it */
};

struct lfm_router_difference {
    size_t layer;
    struct lfm_router_figures figures;
};

struct lfm_trace_comparison {
    struct lfm_trace_compare_options options;
    size_t tokens;                       /* that both traces have */
    struct lfm_point_difference *points; /* by layer, then in the order of the points; what both traces have */
    size_t n_points;
    struct lfm_router_difference *routers; /* layers of which both traces have logits, selected and weights */
    size_t n_routers;
    /* The first above the tolerance: in the order of the computation (layers, in a layer the order in which points are
     * announced, then tokens), and in the order of the text (tokens, then layers and points). */
    struct lfm_divergence first, first_in_text;
    struct lfm_missing_point *missing;   /* by layer and point */
    size_t n_missing;
};

/* Fails, saying what differs, unless both traces are of models of one shape and tokenizer, and of the same tokens in
 * the same documents. An incomplete trace may end earlier than the other: *tokens is what both have. */
enum lfm_status lfm_traces_overlap(size_t *tokens, const struct lfm_trace *reference, const struct lfm_trace *candidate,
                                   struct lfm_error *error);
/* The same, but both must have all of the tokens. */
enum lfm_status lfm_traces_match(const struct lfm_trace *reference, const struct lfm_trace *candidate,
                                 struct lfm_error *error);

/* Compares traces that overlap, reading both some tokens at a time. `options` NULL means the default ones. Fails when they
 * have no point in common. The progress, which may be NULL, counts points. */
enum lfm_status lfm_traces_compare(struct lfm_trace_comparison *out, const struct lfm_trace *reference,
                                   const struct lfm_trace *candidate, const struct lfm_trace_compare_options *options,
                                   struct lfm_progress *progress, struct lfm_error *error);
void lfm_trace_comparison_release(struct lfm_trace_comparison *comparison);

/* The number of steps that lfm_traces_compare announces. */
size_t lfm_traces_points(const struct lfm_trace *reference, const struct lfm_trace *candidate);

/* The routers alone: rows[*n], to be freed by the caller, of the layers that both traces have them for. */
enum lfm_status lfm_traces_compare_routers(struct lfm_router_difference **rows, size_t *n,
                                           const struct lfm_trace *reference, const struct lfm_trace *candidate,
                                           struct lfm_error *error);

#endif
