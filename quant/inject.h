/* Whose error it is: what a module gets wrong on the reference's input, and what it inherits from the modules before it.
 *
 * A module f is the operator of a layer or its feed-forward, each with the norm in front of it, or the layer as a whole.
 * F is the reference, Q the candidate; x_F is what enters the module in the reference's run, x_Q in the candidate's. Three runs
 * of the candidate beside one of the reference give
 *
 *   f_Q(x_Q)  a run left alone
 *   f_Q(x_F)  of operators and feed-forwards: a run in which every module is given the reference's stream, so that what a
 *             module remembers of earlier tokens (convolution columns, keys, values) comes of the reference's inputs too
 *   f_Q(x_F)  of layers: a run in which the reference's stream is put in after every layer
 *
 * all by observers that replace values: there is no other forward pass. The norm of the module is the candidate's: what enters
 * it is the reference's stream. docs/metrics.md has the formulas in words. */
#ifndef LFM_QUANT_INJECT_H
#define LFM_QUANT_INJECT_H

#include "quant/agreement.h"
#include "reference/base/error.h"
#include "reference/base/progress.h"
#include "reference/model/model.h"
#include "reference/model/text.h"

/* Sums of squares over the scored positions and all channels. As vectors, total = injected + propagated. */
struct lfm_inject_sums {
    double reference;  /* f_F(x_F) */
    double injected;   /* f_Q(x_F) - f_F(x_F) */
    double propagated; /* f_Q(x_Q) - f_Q(x_F) */
    double total;      /* f_Q(x_Q) - f_F(x_F) */
};

/* Each divided by the reference's sum, and the root taken; 0 where there is no error. NaN without positions. */
struct lfm_inject_figures {
    double injected, propagated, total;
    double inherited; /* total - injected: negative where errors cancel */
};
struct lfm_inject_figures lfm_inject_figures(const struct lfm_inject_sums *sums);

struct lfm_inject_layer {
    struct lfm_inject_sums operator, feed_forward, layer;
    /* The candidate's router against the reference's, both given x_F, and in the candidate's own run. No tokens in layers
     * without experts. */
    struct lfm_router_sums router_injected, router_total;
};

struct lfm_injection {
    const struct lfm_model *model;     /* the candidate, borrowed */
    size_t positions;
    struct lfm_inject_sums embedding;  /* of the embedded tokens, which have nothing to inherit */
    struct lfm_inject_layer *layers;   /* [num_hidden_layers] */
};

/* Fails unless the candidate has the reference's architecture: modules must correspond. */
enum lfm_status lfm_injection_init(struct lfm_injection *injection, const struct lfm_model *reference,
                                   const struct lfm_model *candidate, struct lfm_error *error);
void lfm_injection_release(struct lfm_injection *injection);

/* Runs all windows from the first: the reference once, each of n candidates three times, step by step (steps.h), and fills the
 * injections. Memory: 6 values per token of a step, layer and channel, and the states of 1 + 3n models. The progress, which may be
 * NULL, counts tokens times these runs. Fails after Ctrl-C. Results are the same bits for any number of threads. */
enum lfm_status lfm_inject(struct lfm_injection *injections, size_t n, const struct lfm_model *reference,
                           struct lfm_windows *windows, struct lfm_progress *progress, struct lfm_error *error);

#endif
