/* Output distributions of scored rows against the reference's, a few rows of logits at a time: what `compare` and
 * `ledger` measure with. Memory is O(vocabulary). Results are the same bits for any number of threads. */
#ifndef LFM_QUANT_OUTPUTS_H
#define LFM_QUANT_OUTPUTS_H

#include "quant/distance.h"
#include "quant/perplexity.h"
#include "quant/steps.h"
#include "reference/base/error.h"
#include "reference/model/model.h"

#include <stddef.h>

struct lfm_outputs {
    const struct lfm_steps *steps;  /* borrowed: targets and positions of the scored rows */
    float *p_logits, *q_logits;     /* [LFM_LOGIT_ROWS,V] */
    struct lfm_row_summary *p_rows; /* [LFM_LOGIT_ROWS] */
    struct lfm_distance *distances; /* [LFM_LOGIT_ROWS] of the latest call of lfm_outputs_compare */
};

/* Room for a vocabulary of V. On failure nothing is owned. */
enum lfm_status lfm_outputs_init(struct lfm_outputs *outputs, const struct lfm_steps *steps, size_t V,
                                 struct lfm_error *error);
void lfm_outputs_release(struct lfm_outputs *outputs);

/* Takes `count` rows (up to LFM_LOGIT_ROWS) of hidden [n_scored,D], from scored row `first` on, as the reference's, which
 * later calls compare with, and fills nll[count]. Fails on logits that are not finite, naming the model. */
enum lfm_status lfm_outputs_reference(struct lfm_outputs *outputs, const struct lfm_model *model, const float *hidden,
                                      size_t first, size_t count, double *nll, struct lfm_error *error);

/* Fills distances[count] of the same rows as another run has them; the reference is the first argument of each distance.
 * The model's vocabulary is the reference's. */
enum lfm_status lfm_outputs_compare(struct lfm_outputs *outputs, const struct lfm_model *model, const float *hidden,
                                    size_t first, size_t count, struct lfm_error *error);

#endif
