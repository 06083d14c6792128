/* One sequence through the model, with everything a conformance pack states about it. */
#ifndef LFM_EVAL_CONFORM_PASS_H
#define LFM_EVAL_CONFORM_PASS_H

#include "reference/base/error.h"
#include "reference/model/model.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Results for T tokens; L layers, D, E, K, V as in config.h. Owned; rows of dense layers are zero. */
struct lfm_pass {
    size_t T, L, D, E, K, V;
    float *router_logits; /* [L,T,E] */
    int32_t *selected;    /* [L,T,K] best first */
    float *weights;       /* [L,T,K] */
    float *residual;      /* [L,T,D] the stream after the layer */
    float *hidden;        /* [T,D] after the final norm */
    float *logits;        /* [T,V]; NULL when none were asked for */
};

/* Runs the ids from an empty state, as one prompt. Logits are computed from position `first` on (T: none), those before
 * are zero. On failure *pass is to be released as well. */
enum lfm_status lfm_pass_run(struct lfm_pass *pass, const struct lfm_model *model, const int32_t *ids, size_t T,
                             size_t first, struct lfm_error *error);
void lfm_pass_release(struct lfm_pass *pass);

/* The margin of the router's decision for token t in layer l: the smallest score among the chosen experts minus the
 * largest among the others, with score = 1/(1 + exp(-logit)) + bias in double. What the engine chose in FP32 decides who
 * is chosen, so that it can be negative by a rounding. INFINITY when every expert is chosen or the layer is dense. */
double lfm_pass_margin(const struct lfm_pass *pass, const struct lfm_model *model, size_t l, size_t t);
/* The smallest margin among the decisions of layers below `layers` at positions up to t: what a value at that place
 * depends on. INFINITY when there is none. */
double lfm_pass_upstream(const struct lfm_pass *pass, const struct lfm_model *model, size_t layers, size_t t);
/* Whether the bias changes which experts are chosen: the K largest scores without it are others. */
bool lfm_pass_bias_decides(const struct lfm_pass *pass, size_t l, size_t t);

#endif
