/* The inside of a comparison: an observer that keeps what the reference did in one step, and one that compares a
 * candidate with it as it runs. For compare.c and inject.c alone. */
#ifndef LFM_QUANT_COMPARE_INSIDE_H
#define LFM_QUANT_COMPARE_INSIDE_H

#include "quant/compare.h"
#include "quant/steps.h"
#include "reference/model/observer.h"

/* The reference's values at the scored rows of one step. Row r of layer l starts at (l * LFM_STEP_TOKENS + r) * width. */
struct lfm_inside_recording {
    const struct lfm_config *config; /* borrowed, the reference's */
    const struct lfm_steps *steps;   /* borrowed: the current step says which rows are kept */
    float *residual;                 /* width D */
    float *router_logits;            /* width E */
    int32_t *selected;               /* width K */
    float *weights;                  /* width K */
    float *candidate_logits;         /* [LFM_STEP_TOKENS,E]: of the candidate's current layer */
};

enum lfm_status lfm_inside_recording_init(struct lfm_inside_recording *recording, const struct lfm_config *config,
                                          const struct lfm_steps *steps, struct lfm_error *error);
void lfm_inside_recording_release(struct lfm_inside_recording *recording);

/* The observer for the reference's run; `recording` must outlive it. */
struct lfm_observer lfm_inside_recording_observer(struct lfm_inside_recording *recording);

/* The observer for a candidate's run; adds to layers[num_hidden_layers]. */
struct lfm_inside_comparer {
    struct lfm_inside_recording *recording;
    struct lfm_layer_sums *layers;
};
struct lfm_observer lfm_inside_observer(struct lfm_inside_comparer *comparer);

#endif
