/* Router statistics: see routing.h. */
#include "quant/routing.h"

#include "reference/base/memory.h"
#include "reference/base/progress.h"

#include <gsl/gsl_sort.h>
#include <gsl/gsl_statistics_double.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum { SLAB = 256 }; /* tokens read at a time */

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

enum lfm_status lfm_balance(struct lfm_balance *out, const double *counts, size_t n, struct lfm_error *error)
{
    double *ascending;
    *out = (struct lfm_balance){NAN, NAN, NAN, NAN, NAN, NAN};
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
    }
    free(ascending);
    return LFM_OK;
}

/* One slab of a layer's decisions, and what is counted over all of them. */
struct pass {
    size_t E, K;
    float *logits, *weights, *bias; /* [SLAB,E], [SLAB,K], [E] */
    int32_t *selected;              /* [SLAB,K] */
    double *scores;                 /* [E] scratch */
    double *counts, *weight_sums;   /* [E] */
    double *margins;                /* [T] */
};

static enum lfm_status start_pass(struct pass *pass, const struct lfm_trace_information *information,
                                  struct lfm_error *error)
{
    size_t E = information->experts, K = information->experts_per_token;
    *pass = (struct pass){.E = E, .K = K};
    LFM_TRY(LFM_ALLOC(&pass->logits, SLAB * E, error));
    LFM_TRY(LFM_ALLOC(&pass->weights, SLAB * K, error));
    LFM_TRY(LFM_ALLOC(&pass->selected, SLAB * K, error));
    LFM_TRY(LFM_ALLOC(&pass->bias, E, error));
    LFM_TRY(LFM_ALLOC(&pass->scores, E, error));
    LFM_TRY(LFM_ALLOC(&pass->counts, E, error));
    LFM_TRY(LFM_ALLOC(&pass->weight_sums, E, error));
    return LFM_ALLOC(&pass->margins, information->tokens, error);
}

static void end_pass(struct pass *pass)
{
    free(pass->logits);
    free(pass->weights);
    free(pass->selected);
    free(pass->bias);
    free(pass->scores);
    free(pass->counts);
    free(pass->weight_sums);
    free(pass->margins);
}

/* K-th minus (K+1)-th largest of what the experts are chosen by. */
static double margin(struct pass *pass, const float *logits)
{
    for (size_t e = 0; e < pass->E; e++) pass->scores[e] = 1 / (1 + exp(-(double)logits[e])) + (double)pass->bias[e];
    gsl_sort(pass->scores, 1, pass->E);
    return pass->scores[pass->E - pass->K] - pass->scores[pass->E - pass->K - 1];
}

static enum lfm_status count_layer(struct pass *pass, const struct lfm_trace *trace, size_t layer,
                                   struct lfm_error *error)
{
    size_t T = lfm_trace_information(trace)->tokens;
    memset(pass->counts, 0, pass->E * sizeof *pass->counts);
    memset(pass->weight_sums, 0, pass->E * sizeof *pass->weight_sums);
    LFM_TRY(lfm_trace_read_expert_bias(trace, layer, pass->bias, error));
    for (size_t first = 0; first < T; first += SLAB) {
        size_t n = T - first < SLAB ? T - first : SLAB;
        if (lfm_interrupted()) return lfm_fail(error, LFM_ERROR_STOPPED, "interrupted while reading routers");
        LFM_TRY(lfm_trace_read(trace, layer, LFM_POINT_ROUTER_LOGITS, first, n, pass->logits, error));
        LFM_TRY(lfm_trace_read(trace, layer, LFM_POINT_ROUTER_WEIGHTS, first, n, pass->weights, error));
        LFM_TRY(lfm_trace_read_selected(trace, layer, first, n, pass->selected, error));
        for (size_t i = 0; i < n * pass->K; i++) {
            pass->counts[pass->selected[i]]++;
            pass->weight_sums[pass->selected[i]] += pass->weights[i];
        }
        for (size_t t = 0; t < n && pass->K < pass->E; t++)
            pass->margins[first + t] = margin(pass, pass->logits + t * pass->E);
    }
    return LFM_OK;
}

static enum lfm_status conclude(struct lfm_routing_layer *out, struct pass *pass, size_t layer, size_t T,
                                struct lfm_error *error)
{
    double choices = (double)T * (double)pass->K;
    out->layer = layer;
    LFM_TRY(LFM_ALLOC(&out->load, pass->E, error));
    LFM_TRY(LFM_ALLOC(&out->mean_weight, pass->E, error));
    for (size_t e = 0; e < pass->E; e++) {
        out->load[e] = pass->counts[e] / choices;
        out->mean_weight[e] = pass->counts[e] > 0 ? pass->weight_sums[e] / pass->counts[e] : 0;
    }
    out->cv_noise = sqrt((double)(pass->E - pass->K) / choices);
    out->margin_median = NAN;
    if (pass->K < pass->E) {
        gsl_sort(pass->margins, 1, T);
        out->margin_median = gsl_stats_median_from_sorted_data(pass->margins, 1, T);
    }
    return lfm_balance(&out->balance, pass->counts, pass->E, error);
}

enum lfm_status lfm_routing_read(struct lfm_routing *out, const struct lfm_trace *trace, struct lfm_error *error)
{
    const struct lfm_trace_information *information = lfm_trace_information(trace);
    struct pass pass = {.E = 0};
    enum lfm_status status;
    *out = (struct lfm_routing){.tokens = information->tokens, .experts = information->experts,
                                .experts_per_token = information->experts_per_token};
    if (information->tokens == 0) return lfm_fail(error, LFM_ERROR_ARGUMENT, "'%s' holds no tokens", information->path);
    LFM_TRY_DONE(LFM_ALLOC(&out->layers, information->layers, error));
    LFM_TRY_DONE(start_pass(&pass, information, error));
    for (size_t layer = 0; layer < information->layers; layer++) {
        if (!lfm_trace_has_router(trace, layer)) continue;
        LFM_TRY_DONE(count_layer(&pass, trace, layer, error));
        LFM_TRY_DONE(conclude(&out->layers[out->n_layers++], &pass, layer, information->tokens, error));
    }
    if (out->n_layers == 0)
        status = lfm_fail(error, LFM_ERROR_ARGUMENT, "'%s' has no router data%s", information->path,
                          information->experts > 0 ? ": trace with --points router, without --statistics-only"
                                                   : ": the model has no experts");

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
