/* Distances between two output distributions at one position, from their logits over the whole vocabulary.
 *
 * In double, by log-sum-exp, in nats, never clamped or truncated. Nothing is allocated. */
#ifndef LFM_QUANT_DISTANCE_H
#define LFM_QUANT_DISTANCE_H

#include <stddef.h>
#include <stdint.h>

enum { LFM_TOP = 5 };

/* What one row of logits comes down to; computed once however many others it is compared with. */
struct lfm_row_summary {
    double log_sum;       /* ln sum_v exp(logits[v]); not finite when the logits are not */
    int32_t top[LFM_TOP]; /* ids of the largest logits, best first, ties to the lower id; -1 beyond the vocabulary */
};

void lfm_summarize_row(struct lfm_row_summary *summary, const float *logits, size_t V);

/* -ln of the probability that a row gives to `id`. */
double lfm_row_nll(const struct lfm_row_summary *summary, const float *logits, int32_t id);

/* p is the reference, q the candidate. */
struct lfm_distance {
    double kld;                 /* sum_v p(v) (ln p(v) - ln q(v)) */
    double p_true, q_true;      /* probabilities of the true next id */
    double p_nll, q_nll;        /* -ln of them */
    double top1_agreement;      /* 1 when both put the same id first, else 0 */
    double top5_overlap;        /* |A and B| / 5 of the five likeliest ids (of all, when the vocabulary is smaller) */
};

void lfm_distance(struct lfm_distance *distance, const float *p_logits, const struct lfm_row_summary *p,
                  const float *q_logits, const struct lfm_row_summary *q, size_t V, int32_t true_id);

#endif
