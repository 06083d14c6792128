/* How far two runs of the same tokens are apart inside the model: vectors at one observation point, and decisions of
 * one router. Running sums, so that neither run needs to be kept. docs/metrics.md has the formulas in words. */
#ifndef LFM_QUANT_AGREEMENT_H
#define LFM_QUANT_AGREEMENT_H

#include <stddef.h>
#include <stdint.h>

/* Sums over all tokens and channels; x is the reference, y the candidate. Starts as zeros. */
struct lfm_vector_sums {
    double xx, yy, xy, difference; /* x^2, y^2, x*y, (x - y)^2 */
};
void lfm_vector_add(struct lfm_vector_sums *sums, const float *x, const float *y, size_t n);

/* sqrt(sum (x-y)^2 / sum x^2): 0 for equal vectors, also when both are zero. */
double lfm_relative_l2(const struct lfm_vector_sums *sums);
/* sum xy / sqrt(sum x^2 sum y^2); 1 for equal vectors, NaN when just one is zero. */
double lfm_cosine(const struct lfm_vector_sums *sums);
/* 10 log10(sum x^2 / sum (x-y)^2), infinite for equal vectors. */
double lfm_sqnr_db(const struct lfm_vector_sums *sums);

/* Sums over tokens of what lfm_router_figures divides by `tokens`. Starts as zeros. */
struct lfm_router_sums {
    size_t tokens;
    double overlap, shared, exact_set, top1, gate_kl, mass_moved;
};

/* One token's decision: gate logits [E], chosen experts [K] without repeats, their mixing weights [K]. */
struct lfm_router_decision {
    const float *logits;
    const int32_t *selected;
    const float *weights;
};
void lfm_router_add(struct lfm_router_sums *sums, const struct lfm_router_decision *reference,
                    const struct lfm_router_decision *candidate, size_t E, size_t K);
/* Experts in both of two sets of K without repeats. */
size_t lfm_common_experts(const int32_t *a, const int32_t *b, size_t K);
/* Adds the sums of one layer to those of several. */
void lfm_router_merge(struct lfm_router_sums *sums, const struct lfm_router_sums *more);

/* Means over the tokens; NaN without tokens. */
struct lfm_router_figures {
    double overlap;    /* Jaccard: |A and B| / |A or B| of the chosen sets */
    double shared;     /* |A and B| / K */
    double exact_set;  /* share of tokens whose sets are equal */
    double top1;       /* share of tokens whose first expert, the one with the highest score, is the same */
    double gate_kl;    /* KL(p || q) in nats, p and q the sigmoids of the gate logits divided by their sum over all E */
    double mass_moved; /* half the sum over experts of |w - v|, mixing weights divided by their sum: 0 to 1 */
    double weight_l1;  /* that sum itself, 0 to 2: twice mass_moved */
};
struct lfm_router_figures lfm_router_figures(const struct lfm_router_sums *sums);

#endif
