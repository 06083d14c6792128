/* How the routers of two runs of one text differ, beyond means: by the reference's margin, against what the movement of
 * the scores predicts, and where a token first leaves the reference's path. docs/routing.md has the formulas in words.
 *
 * Scores s are sigmoid(logits) + expert bias, what experts are chosen by; s of the reference, s' of the candidate. The
 * margin m of a token is the K-th minus the (K+1)-th largest score of the reference, a and b these two experts (the lower
 * number first among equals). A flip is a token whose set of experts is not the reference's. */
#ifndef LFM_QUANT_ROUTING_AGREEMENT_H
#define LFM_QUANT_ROUTING_AGREEMENT_H

#include "quant/agreement.h"
#include "quant/statistics.h"
#include "reference/base/error.h"
#include "reference/trace/reader.h"

#include <stddef.h>
#include <stdint.h>

enum { LFM_MARGIN_BINS = 8 };

/* Bin i holds the margins from lfm_margin_edges[i] up to, without, lfm_margin_edges[i + 1]: 0, 1e-4, then half decades up
 * to 0.1, infinity. Fixed, so that layers, traces and models can be set side by side. */
extern const double lfm_margin_edges[LFM_MARGIN_BINS + 1];

/* Rates of flips; NaN without tokens. */
struct lfm_flips {
    size_t tokens;
    double observed;  /* share of tokens whose set differs */
    double boundary;  /* share where b came before a: d = (s'_b - s_b) - (s'_a - s_a) exceeds m */
    /* Mean over the tokens of P(d > m), d being independent of m and distributed as in the whole layer: as the d that were
     * seen, or normally with their mean and standard deviation. */
    double predicted_empirical, predicted_normal;
};

struct lfm_margin_bin {
    struct lfm_router_figures figures;
    struct lfm_flips flips;
};

/* Means over tokens with their standard errors, clustered by document. */
struct lfm_router_errors {
    double overlap, shared, exact_set, top1, gate_kl, mass_moved;
};

struct lfm_agreement_layer {
    size_t layer;
    struct lfm_router_figures figures;
    struct lfm_router_errors errors; /* NaN with fewer than two documents */
    struct lfm_flips flips;
    struct lfm_margin_bin bins[LFM_MARGIN_BINS];
    double perturbation_mean, perturbation_deviation; /* of d over tokens */
    double score_deviation; /* root mean square of s' - s over tokens and experts */
    /* Tokens whose set, computed anew from logits and bias as the model does, is not the one in the trace: 0 unless the
     * files contradict themselves. */
    size_t unexplained_reference, unexplained_candidate;
    size_t first;           /* tokens that had flipped in no earlier layer and do here */
    double after_flip;      /* share of flips among the tokens that flipped in the layer before, NaN for none */
    double after_agreement; /* the same among those that did not */
};

struct lfm_agreement {
    size_t tokens;    /* compared: those that both traces have */
    size_t experts, experts_per_token, documents;
    struct lfm_agreement_layer *layers; /* those of which both traces have the router */
    size_t n_layers;
    size_t never;     /* tokens that flipped in no layer */
    /* Over all layers and tokens. */
    struct lfm_router_figures figures;
    struct lfm_flips flips;
    struct lfm_margin_bin bins[LFM_MARGIN_BINS];
};

/* Compares traces of one text (lfm_traces_overlap), reading both some tokens at a time; memory is some ten numbers per
 * token. With K = E there are no margins: no bins are filled and nothing is predicted. */
enum lfm_status lfm_agreement_read(struct lfm_agreement *out, const struct lfm_trace *reference,
                                   const struct lfm_trace *candidate, size_t tokens, struct lfm_error *error);
void lfm_agreement_release(struct lfm_agreement *agreement);

/* The bin of a margin, which is not negative. */
size_t lfm_margin_bin(double margin);

#endif
