/* Comparing models live: a reference and candidates run the same windows, step by step (steps.h).
 *
 * Memory does not grow with the text except for a few numbers per scored position. Output distributions are compared
 * over the whole vocabulary (distance.h); inside, the stream after each layer and the router decisions (agreement.h),
 * over the same scored positions. Results are the same bits for any number of threads. */
#ifndef LFM_QUANT_COMPARE_H
#define LFM_QUANT_COMPARE_H

#include "quant/agreement.h"
#include "reference/base/error.h"
#include "reference/base/progress.h"
#include "reference/model/model.h"
#include "reference/model/text.h"

/* What one layer accumulates over the scored positions. */
struct lfm_layer_sums {
    struct lfm_vector_sums residual;
    struct lfm_router_sums router; /* of layers with experts */
};

/* One candidate against the reference. Arrays have one value per scored position, in the order of the windows. */
struct lfm_comparison {
    const struct lfm_model *model; /* the candidate, borrowed */
    double *kld;                   /* nats */
    double *nll;                   /* of the true next token under the candidate */
    double *delta_p;               /* probability of the true next token, candidate minus reference */
    double *top1, *top5;           /* top-1 agreement (0 or 1), top-5 overlap */
    struct lfm_layer_sums *layers; /* [num_hidden_layers]; NULL when the candidate is of another architecture */
};

/* Fails unless the candidate can be compared: the same vocabulary, token by token, the same merges and, for models of
 * the same architecture, the same layer shapes. The message names the first difference. */
enum lfm_status lfm_check_comparable(const struct lfm_model *reference, const struct lfm_model *candidate,
                                     struct lfm_error *error);

/* Allocates a comparison of `positions` positions. */
enum lfm_status lfm_comparison_init(struct lfm_comparison *comparison, const struct lfm_model *reference,
                                    const struct lfm_model *candidate, size_t positions, struct lfm_error *error);
void lfm_comparison_release(struct lfm_comparison *comparison);

/* Runs all windows from the first, the reference once and then each of n candidates; fills the comparisons and
 * reference_nll[windows->n_scored]. The progress, which may be NULL, counts tokens times models. Fails on logits that
 * are not finite, and after Ctrl-C. */
enum lfm_status lfm_compare(double *reference_nll, struct lfm_comparison *comparisons, size_t n,
                            const struct lfm_model *reference, struct lfm_windows *windows,
                            struct lfm_progress *progress, struct lfm_error *error);

#endif
