/* Distances inside the model: see agreement.h. */
#include "quant/agreement.h"

#include <math.h>

void lfm_vector_add(struct lfm_vector_sums *sums, const float *x, const float *y, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        double a = x[i], b = y[i];
        sums->xx += a * a;
        sums->yy += b * b;
        sums->xy += a * b;
        sums->difference += (a - b) * (a - b);
    }
}

double lfm_relative_l2(const struct lfm_vector_sums *sums)
{
    return sums->difference == 0 ? 0 : sqrt(sums->difference / sums->xx);
}

double lfm_cosine(const struct lfm_vector_sums *sums)
{
    return sums->difference == 0 ? 1 : sums->xy / sqrt(sums->xx * sums->yy);
}

double lfm_sqnr_db(const struct lfm_vector_sums *sums)
{
    return sums->difference == 0 ? INFINITY : 10 * log10(sums->xx / sums->difference);
}

static double sigmoid(double x)
{
    return 1 / (1 + exp(-x));
}

/* ln sigmoid(x), without overflow. */
static double log_sigmoid(double x)
{
    return x < 0 ? x - log1p(exp(x)) : -log1p(exp(-x));
}

static double gate_kl(const float *reference, const float *candidate, size_t E)
{
    double p_sum = 0, q_sum = 0, kl = 0;
    for (size_t e = 0; e < E; e++) {
        p_sum += sigmoid(reference[e]);
        q_sum += sigmoid(candidate[e]);
    }
    double shift = log(q_sum) - log(p_sum);
    for (size_t e = 0; e < E; e++) {
        double p = sigmoid(reference[e]) / p_sum;
        if (p > 0) kl += p * (log_sigmoid(reference[e]) - log_sigmoid(candidate[e]) + shift);
    }
    return kl;
}

/* The mixing weight of an expert divided by the sum over the chosen ones, 0 when it was not chosen. */
static double share_of(int32_t expert, const struct lfm_router_decision *decision, double sum, size_t K)
{
    for (size_t k = 0; k < K; k++)
        if (decision->selected[k] == expert) return decision->weights[k] / sum;
    return 0;
}

static double weight_sum(const struct lfm_router_decision *decision, size_t K)
{
    double sum = 0;
    for (size_t k = 0; k < K; k++) sum += decision->weights[k];
    return sum;
}

/* Mass flows out of experts as much as it flows in, so what the reference's experts lose is all that moved. */
static double mass_moved(const struct lfm_router_decision *reference, const struct lfm_router_decision *candidate,
                         size_t K)
{
    double w_sum = weight_sum(reference, K), v_sum = weight_sum(candidate, K), lost = 0;
    for (size_t k = 0; k < K; k++) {
        double change = reference->weights[k] / w_sum - share_of(reference->selected[k], candidate, v_sum, K);
        if (change > 0) lost += change;
    }
    return lost;
}

size_t lfm_common_experts(const int32_t *a, const int32_t *b, size_t K)
{
    size_t common = 0;
    for (size_t i = 0; i < K; i++)
        for (size_t j = 0; j < K; j++) common += a[i] == b[j];
    return common;
}

void lfm_router_add(struct lfm_router_sums *sums, const struct lfm_router_decision *reference,
                    const struct lfm_router_decision *candidate, size_t E, size_t K)
{
    size_t common = lfm_common_experts(reference->selected, candidate->selected, K);
    sums->tokens++;
    sums->overlap += (double)common / (double)(2 * K - common);
    sums->shared += (double)common / (double)K;
    sums->exact_set += common == K;
    sums->top1 += reference->selected[0] == candidate->selected[0];
    sums->gate_kl += gate_kl(reference->logits, candidate->logits, E);
    sums->mass_moved += mass_moved(reference, candidate, K);
}

void lfm_router_merge(struct lfm_router_sums *sums, const struct lfm_router_sums *more)
{
    sums->tokens += more->tokens;
    sums->overlap += more->overlap;
    sums->shared += more->shared;
    sums->exact_set += more->exact_set;
    sums->top1 += more->top1;
    sums->gate_kl += more->gate_kl;
    sums->mass_moved += more->mass_moved;
}

struct lfm_router_figures lfm_router_figures(const struct lfm_router_sums *sums)
{
    double n = (double)sums->tokens;
    return (struct lfm_router_figures){
        .overlap = sums->overlap / n,
        .shared = sums->shared / n,
        .exact_set = sums->exact_set / n,
        .top1 = sums->top1 / n,
        .gate_kl = sums->gate_kl / n,
        .mass_moved = sums->mass_moved / n,
        .weight_l1 = 2 * sums->mass_moved / n,
    };
}
