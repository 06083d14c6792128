/* Router statistics: see routing.h. */
#include "quant/routing.h"

#include "quant/decisions.h"
#include "reference/base/memory.h"
#include "reference/base/progress.h"

#include <gsl/gsl_sort.h>
#include <gsl/gsl_statistics_double.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static double gini(const double *ascending, size_t n, double sum)
{
    double weighted = 0;
    for (size_t i = 0; i < n; i++) weighted += (2.0 * (double)(i + 1) - (double)n - 1) * ascending[i];
    return weighted / ((double)n * sum);
}

static double entropy(const double *counts, size_t n, double sum)
{
    double h = 0;
    for (size_t i = 0; i < n; i++)
        if (counts[i] > 0) h -= counts[i] / sum * log(counts[i] / sum);
    return h;
}

static double jain(const double *counts, size_t n, double sum)
{
    double squares = 0;
    for (size_t i = 0; i < n; i++) squares += counts[i] * counts[i];
    return sum * sum / ((double)n * squares);
}

enum lfm_status lfm_balance(struct lfm_balance *out, const double *counts, size_t n, struct lfm_error *error)
{
    double *ascending;
    *out = (struct lfm_balance){NAN, NAN, NAN, NAN, NAN, NAN, NAN, NAN};
    LFM_TRY(LFM_ALLOC(&ascending, n, error));
    memcpy(ascending, counts, n * sizeof *counts);
    gsl_sort(ascending, 1, n);
    double mean = gsl_stats_mean(counts, 1, n), sum = mean * (double)n;
    if (sum > 0) {
        out->entropy = entropy(counts, n, sum);
        out->entropy_normalized = n > 1 ? out->entropy / log((double)n) : 1;
        out->effective = exp(out->entropy);
        out->cv = gsl_stats_sd_with_fixed_mean(counts, 1, n, mean) / mean;
        out->gini = gini(ascending, n, sum);
        out->max_violation = (ascending[n - 1] - mean) / mean;
        out->jain = jain(counts, n, sum);
        out->balancedness = mean / ascending[n - 1];
    }
    free(ascending);
    return LFM_OK;
}

/* One router's decisions, and what is counted over all of them. */
struct pass {
    struct lfm_decisions decisions;
    double *scores;               /* [E] scratch */
    double *counts, *weight_sums; /* [E] */
    double *margins;              /* [T] */
};

static enum lfm_status start_pass(struct pass *pass, const struct lfm_trace_information *information,
                                  struct lfm_error *error)
{
    size_t E = information->experts;
    *pass = (struct pass){.scores = NULL};
    LFM_TRY(lfm_decisions_init(&pass->decisions, E, information->experts_per_token, error));
    LFM_TRY(LFM_ALLOC(&pass->scores, E, error));
    LFM_TRY(LFM_ALLOC(&pass->counts, E, error));
    LFM_TRY(LFM_ALLOC(&pass->weight_sums, E, error));
    return LFM_ALLOC(&pass->margins, information->tokens, error);
}

static void end_pass(struct pass *pass)
{
    lfm_decisions_release(&pass->decisions);
    free(pass->scores);
    free(pass->counts);
    free(pass->weight_sums);
    free(pass->margins);
}

static double margin(struct pass *pass, size_t t)
{
    const struct lfm_decisions *decisions = &pass->decisions;
    size_t E = decisions->E;
    return lfm_router_margin(decisions->logits + t * E, decisions->bias, pass->scores, E, decisions->K);
}

static enum lfm_status count_layer(struct pass *pass, const struct lfm_trace *trace, size_t layer,
                                   struct lfm_error *error)
{
    const struct lfm_decisions *decisions = &pass->decisions;
    size_t T = lfm_trace_information(trace)->tokens, E = decisions->E, K = decisions->K;
    memset(pass->counts, 0, E * sizeof *pass->counts);
    memset(pass->weight_sums, 0, E * sizeof *pass->weight_sums);
    LFM_TRY(lfm_decisions_begin(&pass->decisions, trace, layer, error));
    for (size_t first = 0; first < T; first += LFM_DECISIONS_AT_ONCE) {
        size_t n = T - first < LFM_DECISIONS_AT_ONCE ? T - first : LFM_DECISIONS_AT_ONCE;
        if (lfm_interrupted()) return lfm_fail(error, LFM_ERROR_STOPPED, "interrupted while reading routers");
        LFM_TRY(lfm_decisions_read(&pass->decisions, trace, layer, first, n, error));
        for (size_t i = 0; i < n * K; i++) {
            pass->counts[decisions->selected[i]]++;
            pass->weight_sums[decisions->selected[i]] += decisions->weights[i];
        }
        for (size_t t = 0; t < n && K < E; t++) pass->margins[first + t] = margin(pass, t);
    }
    return LFM_OK;
}

static enum lfm_status conclude(struct lfm_routing_layer *out, struct pass *pass, size_t layer, size_t T,
                                struct lfm_error *error)
{
    size_t E = pass->decisions.E, K = pass->decisions.K;
    double choices = (double)T * (double)K;
    out->layer = layer;
    LFM_TRY(LFM_ALLOC(&out->load, E, error));
    LFM_TRY(LFM_ALLOC(&out->mean_weight, E, error));
    for (size_t e = 0; e < E; e++) {
        out->load[e] = pass->counts[e] / choices;
        out->mean_weight[e] = pass->counts[e] > 0 ? pass->weight_sums[e] / pass->counts[e] : 0;
    }
    out->cv_noise = sqrt((double)(E - K) / choices);
    out->margin_median = NAN;
    if (K < E) {
        gsl_sort(pass->margins, 1, T);
        out->margin_median = gsl_stats_median_from_sorted_data(pass->margins, 1, T);
    }
    return lfm_balance(&out->balance, pass->counts, E, error);
}

enum lfm_status lfm_routing_read(struct lfm_routing *out, const struct lfm_trace *trace, struct lfm_error *error)
{
    const struct lfm_trace_information *information = lfm_trace_information(trace);
    struct pass pass = {.scores = NULL};
    enum lfm_status status;
    *out = (struct lfm_routing){.tokens = information->tokens, .experts = information->experts,
                                .experts_per_token = information->experts_per_token};
    LFM_TRY(lfm_require_routers(trace, error));
    LFM_TRY_DONE(LFM_ALLOC(&out->layers, information->layers, error));
    LFM_TRY_DONE(start_pass(&pass, information, error));
    for (size_t layer = 0; layer < information->layers; layer++) {
        if (!lfm_trace_has_router(trace, layer)) continue;
        LFM_TRY_DONE(count_layer(&pass, trace, layer, error));
        LFM_TRY_DONE(conclude(&out->layers[out->n_layers++], &pass, layer, information->tokens, error));
    }

done:
    end_pass(&pass);
    if (status != LFM_OK) lfm_routing_release(out);
    return status;
}

void lfm_routing_release(struct lfm_routing *routing)
{
    for (size_t i = 0; i < routing->n_layers; i++) {
        free(routing->layers[i].load);
        free(routing->layers[i].mean_weight);
    }
    free(routing->layers);
    *routing = (struct lfm_routing){0};
}
