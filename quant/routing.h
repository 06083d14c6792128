/* What the routers of a trace do: how evenly they load their experts, and how close their decisions are. */
#ifndef LFM_QUANT_ROUTING_H
#define LFM_QUANT_ROUTING_H

#include "reference/base/error.h"
#include "reference/trace/reader.h"

#include <stddef.h>

/* How evenly n counts are spread; f = counts / their sum. Everything is 0 for an even load, but entropy (ln n),
 * effective (n), entropy_normalized, jain and balancedness (1); NaN when all counts are 0. All members are doubles. */
struct lfm_balance {
    double entropy;            /* H = -sum f ln f, in nats, 0 ln 0 = 0 */
    double entropy_normalized; /* H / ln n; 1 when n is 1 */
    double effective;          /* e^H: experts that, evenly loaded, would have this entropy */
    double cv;                 /* standard deviation over the n counts / mean */
    double gini;               /* sum_i (2i - n - 1) c_(i) / (n sum c), counts ascending, i from 1 */
    double max_violation;      /* (largest - mean) / mean */
    double jain;               /* (sum c)^2 / (n sum c^2) = 1 / (1 + cv^2) */
    double balancedness;       /* mean / largest = 1 / (1 + max_violation) */
};

/* Fails when memory is short. counts[n] are not negative, n is at least 1. */
enum lfm_status lfm_balance(struct lfm_balance *out, const double *counts, size_t n, struct lfm_error *error);

struct lfm_routing_layer {
    size_t layer;
    double *load;        /* [E] share of the tokens' choices that went to each expert; sums to 1 */
    double *mean_weight; /* [E] mean mixing weight where the expert was chosen; 0 where it never was */
    struct lfm_balance balance;
    /* the cv that even routing would show by chance: sqrt((E - K) / (T K)), of counts that are binomial(T, K/E) */
    double cv_noise;
    /* median over tokens of the K-th minus the (K+1)-th largest of sigmoid(logits) + expert bias: how much a score has
     * to move for the set of experts to change. NaN when K = E. */
    double margin_median;
};

struct lfm_routing {
    size_t tokens, experts, experts_per_token;
    struct lfm_routing_layer *layers; /* MoE layers of the trace, in order */
    size_t n_layers;
};

/* Reads the routers of a trace, some tokens at a time; memory is one double per token. Fails when it has none. */
enum lfm_status lfm_routing_read(struct lfm_routing *out, const struct lfm_trace *trace, struct lfm_error *error);
void lfm_routing_release(struct lfm_routing *routing);

#endif
