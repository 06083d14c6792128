/* Distances between output distributions: see distance.h. */
#include "quant/distance.h"

#include <math.h>

/* Inserts v among the n best so far; equal logits stay behind the lower ids that came before. */
static void insert(int32_t *top, size_t n, const float *logits, size_t v)
{
    size_t i = n < LFM_TOP ? n : LFM_TOP - 1;
    for (; i > 0 && logits[v] > logits[top[i - 1]]; i--) top[i] = top[i - 1];
    top[i] = (int32_t)v;
}

static void find_top(int32_t top[LFM_TOP], const float *logits, size_t V)
{
    for (size_t i = 0; i < LFM_TOP; i++) top[i] = -1;
    size_t v = 0;
    for (; v < V && v < LFM_TOP; v++) insert(top, v, logits, v);
    for (; v < V; v++)
        if (logits[v] > logits[top[LFM_TOP - 1]]) insert(top, LFM_TOP, logits, v);
}

void lfm_summarize_row(struct lfm_row_summary *summary, const float *logits, size_t V)
{
    find_top(summary->top, logits, V);
    double largest = logits[summary->top[0]], sum = 0;
    for (size_t v = 0; v < V; v++) sum += exp((double)logits[v] - largest);
    summary->log_sum = largest + log(sum);
}

double lfm_row_nll(const struct lfm_row_summary *summary, const float *logits, int32_t id)
{
    return summary->log_sum - (double)logits[id];
}

static double divergence(const float *p_logits, double p_log_sum, const float *q_logits, double q_log_sum, size_t V)
{
    double kld = 0;
    for (size_t v = 0; v < V; v++) {
        double log_p = (double)p_logits[v] - p_log_sum, log_q = (double)q_logits[v] - q_log_sum;
        double p = exp(log_p);
        if (p > 0) kld += p * (log_p - log_q);
    }
    return kld;
}

static double overlap(const int32_t a[LFM_TOP], const int32_t b[LFM_TOP])
{
    size_t size = 0, common = 0;
    for (size_t i = 0; i < LFM_TOP && a[i] >= 0; i++, size++)
        for (size_t j = 0; j < LFM_TOP; j++) common += a[i] == b[j];
    return (double)common / (double)size;
}

void lfm_distance(struct lfm_distance *distance, const float *p_logits, const struct lfm_row_summary *p,
                  const float *q_logits, const struct lfm_row_summary *q, size_t V, int32_t true_id)
{
    double p_nll = lfm_row_nll(p, p_logits, true_id), q_nll = lfm_row_nll(q, q_logits, true_id);
    *distance = (struct lfm_distance){
        .kld = divergence(p_logits, p->log_sum, q_logits, q->log_sum, V),
        .p_true = exp(-p_nll),
        .q_true = exp(-q_nll),
        .p_nll = p_nll,
        .q_nll = q_nll,
        .top1_agreement = p->top[0] == q->top[0],
        .top5_overlap = overlap(p->top, q->top),
    };
}
