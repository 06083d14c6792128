/* Agreement of two traces' routers: see routing_agreement.h. */
#include "quant/routing_agreement.h"

#include "quant/decisions.h"
#include "reference/base/memory.h"
#include "reference/base/progress.h"
#include "reference/model/ops.h"

#include <gsl/gsl_cdf.h>
#include <gsl/gsl_sort.h>
#include <gsl/gsl_statistics_double.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

const double lfm_margin_edges[LFM_MARGIN_BINS + 1] = {
    0, 1e-4, 3.1622776601683795e-4, 1e-3, 3.1622776601683795e-3, 1e-2, 3.1622776601683795e-2, 1e-1, INFINITY};

enum { ERRORS = sizeof(struct lfm_router_errors) / sizeof(double), NO_FLIP = 2 };

size_t lfm_margin_bin(double margin)
{
    size_t bin = 0;
    while (bin + 1 < LFM_MARGIN_BINS && margin >= lfm_margin_edges[bin + 1]) bin++;
    return bin;
}

/* Sums from which struct lfm_flips and figures follow. */
struct tally {
    struct lfm_router_sums sums;
    double flips, boundary, empirical, normal;
};

struct pass {
    const struct lfm_trace *reference, *candidate;
    size_t T, E, K;
    struct lfm_decisions pair[2];
    double *scores[2];         /* [E] of both, for one token */
    int32_t *recomputed;       /* [K] */
    double *margins, *moves;   /* [T] m and d */
    double *sorted;            /* [T] d ascending */
    double *values[ERRORS];    /* [T] what the standard errors are of */
    uint32_t *clusters;        /* [T] documents */
    uint8_t *flipped, *before; /* [T] in this layer, and in the one before (NO_FLIP: there was none) */
    uint8_t *left;             /* [T] in any layer so far */
    double squares;            /* sum of (s' - s)^2 */
    struct tally bins[LFM_MARGIN_BINS], all_bins[LFM_MARGIN_BINS], layer, all;
};

/* --- setting up --- */

static enum lfm_status read_clusters(struct pass *pass, struct lfm_agreement *out, struct lfm_error *error)
{
    int32_t *documents;
    LFM_TRY(LFM_ALLOC(&documents, pass->T, error));
    enum lfm_status status = lfm_trace_read_documents(pass->reference, 0, pass->T, documents, error);
    for (size_t t = 0; t < pass->T && status == LFM_OK; t++) {
        pass->clusters[t] = (uint32_t)documents[t];
        out->documents += t == 0 || documents[t] != documents[t - 1];
    }
    free(documents);
    return status;
}

static enum lfm_status start_pass(struct pass *pass, struct lfm_agreement *out, struct lfm_error *error)
{
    double **const columns[] = {&pass->margins, &pass->moves, &pass->sorted};
    for (size_t i = 0; i < 2; i++) {
        LFM_TRY(lfm_decisions_init(&pass->pair[i], pass->E, pass->K, error));
        LFM_TRY(LFM_ALLOC(&pass->scores[i], pass->E, error));
    }
    for (size_t i = 0; i < sizeof columns / sizeof *columns; i++) LFM_TRY(LFM_ALLOC(columns[i], pass->T, error));
    for (size_t i = 0; i < ERRORS; i++) LFM_TRY(LFM_ALLOC(&pass->values[i], pass->T, error));
    LFM_TRY(LFM_ALLOC(&pass->recomputed, pass->K, error));
    LFM_TRY(LFM_ALLOC(&pass->clusters, pass->T, error));
    LFM_TRY(LFM_ALLOC(&pass->flipped, pass->T, error));
    LFM_TRY(LFM_ALLOC(&pass->before, pass->T, error));
    LFM_TRY(LFM_ALLOC(&pass->left, pass->T, error));
    memset(pass->before, NO_FLIP, pass->T);
    return read_clusters(pass, out, error);
}

static void end_pass(struct pass *pass)
{
    for (size_t i = 0; i < 2; i++) {
        lfm_decisions_release(&pass->pair[i]);
        free(pass->scores[i]);
    }
    for (size_t i = 0; i < ERRORS; i++) free(pass->values[i]);
    free(pass->margins);
    free(pass->moves);
    free(pass->sorted);
    free(pass->recomputed);
    free(pass->clusters);
    free(pass->flipped);
    free(pass->before);
    free(pass->left);
}

/* --- one token --- */

/* The K-th and the (K+1)-th expert by score, the lower number first among equals. K is less than E. */
static void find_boundary(const double *scores, size_t E, size_t K, size_t *last, size_t *next)
{
    *last = *next = E;
    for (size_t e = 0; e < E; e++) {
        size_t rank = 0;
        for (size_t f = 0; f < E && rank <= K; f++)
            rank += scores[f] > scores[e] || (scores[f] == scores[e] && f < e);
        if (rank == K - 1) *last = e;
        if (rank == K) *next = e;
    }
}

/* Margin and movement at the boundary; scores that are no numbers have neither. */
static void measure_margin(struct pass *pass, size_t i, size_t t)
{
    double *s = pass->scores[0], *moved = pass->scores[1];
    size_t a, b;
    lfm_decision_scores(s, &pass->pair[0], i);
    lfm_decision_scores(moved, &pass->pair[1], i);
    for (size_t e = 0; e < pass->E; e++) pass->squares += (moved[e] - s[e]) * (moved[e] - s[e]);
    pass->margins[t] = pass->moves[t] = NAN;
    if (pass->K == pass->E) return;
    find_boundary(s, pass->E, pass->K, &a, &b);
    if (a == pass->E || b == pass->E) return;
    pass->margins[t] = s[a] - s[b];
    pass->moves[t] = (moved[b] - s[b]) - (moved[a] - s[a]);
}

/* True when logits and bias lead to the set that the trace has. */
static bool is_explained(struct pass *pass, const struct lfm_decisions *decisions, size_t i)
{
    const struct lfm_router_decision decision = lfm_decision(decisions, i);
    lfm_select_experts(pass->recomputed, decision.logits, decisions->bias, 1, pass->E, pass->K);
    return lfm_common_experts(pass->recomputed, decision.selected, pass->K) == pass->K;
}

static void measure_token(struct pass *pass, struct lfm_agreement_layer *layer, size_t i, size_t t)
{
    struct lfm_router_sums sums = {0};
    const struct lfm_router_decision p = lfm_decision(&pass->pair[0], i), q = lfm_decision(&pass->pair[1], i);
    lfm_router_add(&sums, &p, &q, pass->E, pass->K);
    lfm_router_merge(&pass->layer.sums, &sums);
    const double values[ERRORS] = {sums.overlap, sums.shared, sums.exact_set, sums.top1, sums.gate_kl, sums.mass_moved};
    for (size_t k = 0; k < ERRORS; k++) pass->values[k][t] = values[k];
    pass->flipped[t] = sums.exact_set == 0;
    measure_margin(pass, i, t);
    if (!isnan(pass->margins[t])) lfm_router_merge(&pass->bins[lfm_margin_bin(pass->margins[t])].sums, &sums);
    layer->unexplained_reference += !is_explained(pass, &pass->pair[0], i);
    layer->unexplained_candidate += !is_explained(pass, &pass->pair[1], i);
}

/* --- what follows for the layer --- */

/* How many of n ascending values are above the limit. */
static size_t above(const double *ascending, size_t n, double limit)
{
    size_t low = 0, high = n;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (ascending[middle] > limit)
            high = middle;
        else
            low = middle + 1;
    }
    return n - low;
}

/* P(d > margin) for the normal distribution; certain where nothing varies. */
static double normal_above(double margin, double mean, double deviation)
{
    return deviation > 0 ? gsl_cdf_ugaussian_Q((margin - mean) / deviation) : mean > margin;
}

static void predict(struct pass *pass, struct lfm_agreement_layer *layer)
{
    size_t n = 0;
    for (size_t t = 0; t < pass->T; t++)
        if (!isnan(pass->margins[t]) && !isnan(pass->moves[t])) pass->sorted[n++] = pass->moves[t];
    layer->perturbation_mean = n > 0 ? gsl_stats_mean(pass->sorted, 1, n) : NAN;
    layer->perturbation_deviation =
        n > 1 ? gsl_stats_sd_m(pass->sorted, 1, n, layer->perturbation_mean) : n > 0 ? 0 : NAN;
    gsl_sort(pass->sorted, 1, n);
    for (size_t t = 0; t < pass->T; t++) {
        double m = pass->margins[t];
        if (isnan(m)) continue;
        struct tally *bin = &pass->bins[lfm_margin_bin(m)];
        bin->flips += pass->flipped[t];
        bin->boundary += pass->moves[t] > m;
        bin->empirical += (double)above(pass->sorted, n, m) / (double)n;
        bin->normal += normal_above(m, layer->perturbation_mean, layer->perturbation_deviation);
    }
}

static void add_tally(struct tally *sum, const struct tally *more)
{
    lfm_router_merge(&sum->sums, &more->sums);
    sum->flips += more->flips;
    sum->boundary += more->boundary;
    sum->empirical += more->empirical;
    sum->normal += more->normal;
}

/* Without a margin (K = E) nothing flips at a boundary, and nothing is predicted. */
static struct lfm_flips rates(const struct tally *tally, bool margins)
{
    double n = (double)tally->sums.tokens;
    return (struct lfm_flips){
        .tokens = tally->sums.tokens,
        .observed = tally->flips / n,
        .boundary = margins ? tally->boundary / n : NAN,
        .predicted_empirical = margins ? tally->empirical / n : NAN,
        .predicted_normal = margins ? tally->normal / n : NAN,
    };
}

static void conclude_bins(struct lfm_margin_bin *out, const struct tally *bins)
{
    for (size_t i = 0; i < LFM_MARGIN_BINS; i++)
        out[i] = (struct lfm_margin_bin){lfm_router_figures(&bins[i].sums), rates(&bins[i], true)};
}

/* Where paths part: the first flip of each token, and flips after flips. */
static void follow_paths(struct pass *pass, struct lfm_agreement_layer *layer)
{
    double flips[2] = {0, 0}, tokens[2] = {0, 0}; /* after agreement, after a flip */
    for (size_t t = 0; t < pass->T; t++) {
        if (pass->before[t] != NO_FLIP) {
            flips[pass->before[t]] += pass->flipped[t];
            tokens[pass->before[t]]++;
        }
        if (pass->flipped[t] && !pass->left[t]) {
            layer->first++;
            pass->left[t] = 1;
        }
        pass->before[t] = pass->flipped[t];
    }
    layer->after_agreement = flips[0] / tokens[0];
    layer->after_flip = flips[1] / tokens[1];
}

static void conclude_layer(struct pass *pass, struct lfm_agreement_layer *layer)
{
    double errors[ERRORS];
    predict(pass, layer);
    for (size_t i = 0; i < LFM_MARGIN_BINS; i++) {
        pass->layer.boundary += pass->bins[i].boundary;
        pass->layer.empirical += pass->bins[i].empirical;
        pass->layer.normal += pass->bins[i].normal;
        add_tally(&pass->all_bins[i], &pass->bins[i]);
    }
    for (size_t t = 0; t < pass->T; t++) pass->layer.flips += pass->flipped[t];
    add_tally(&pass->all, &pass->layer);
    layer->figures = lfm_router_figures(&pass->layer.sums);
    layer->flips = rates(&pass->layer, pass->K < pass->E);
    conclude_bins(layer->bins, pass->bins);
    for (size_t k = 0; k < ERRORS; k++)
        errors[k] = lfm_clustered_mean(pass->values[k], pass->clusters, pass->T).error;
    memcpy(&layer->errors, errors, sizeof errors);
    layer->score_deviation = sqrt(pass->squares / ((double)pass->T * (double)pass->E));
    follow_paths(pass, layer);
}

static enum lfm_status compare_layer(struct pass *pass, struct lfm_agreement_layer *layer, struct lfm_error *error)
{
    const struct lfm_trace *const traces[2] = {pass->reference, pass->candidate};
    memset(pass->bins, 0, sizeof pass->bins);
    pass->layer = (struct tally){.flips = 0};
    pass->squares = 0;
    for (size_t i = 0; i < 2; i++) LFM_TRY(lfm_decisions_begin(&pass->pair[i], traces[i], layer->layer, error));
    for (size_t first = 0; first < pass->T; first += LFM_DECISIONS_AT_ONCE) {
        size_t n = pass->T - first < LFM_DECISIONS_AT_ONCE ? pass->T - first : LFM_DECISIONS_AT_ONCE;
        if (lfm_interrupted()) return lfm_fail(error, LFM_ERROR_STOPPED, "interrupted while comparing routers");
        for (size_t i = 0; i < 2; i++)
            LFM_TRY(lfm_decisions_read(&pass->pair[i], traces[i], layer->layer, first, n, error));
        for (size_t i = 0; i < n; i++) measure_token(pass, layer, i, first + i);
    }
    conclude_layer(pass, layer);
    return LFM_OK;
}

enum lfm_status lfm_agreement_read(struct lfm_agreement *out, const struct lfm_trace *reference,
                                   const struct lfm_trace *candidate, size_t tokens, struct lfm_error *error)
{
    const struct lfm_trace_information *information = lfm_trace_information(reference);
    struct pass pass = {.reference = reference, .candidate = candidate, .T = tokens, .E = information->experts,
                        .K = information->experts_per_token};
    enum lfm_status status;
    *out = (struct lfm_agreement){.tokens = tokens, .experts = pass.E, .experts_per_token = pass.K};
    LFM_TRY_DONE(LFM_ALLOC(&out->layers, information->layers, error));
    LFM_TRY_DONE(start_pass(&pass, out, error));
    for (size_t layer = 0; layer < information->layers; layer++) {
        if (!lfm_trace_has_router(reference, layer) || !lfm_trace_has_router(candidate, layer)) continue;
        out->layers[out->n_layers].layer = layer;
        LFM_TRY_DONE(compare_layer(&pass, &out->layers[out->n_layers++], error));
    }
    if (out->n_layers == 0)
        LFM_TRY_DONE(lfm_fail(error, LFM_ERROR_MISMATCH, "'%s' and '%s' have no router in common", information->path,
                              lfm_trace_information(candidate)->path));
    for (size_t t = 0; t < tokens; t++) out->never += !pass.left[t];
    out->figures = lfm_router_figures(&pass.all.sums);
    out->flips = rates(&pass.all, pass.K < pass.E);
    conclude_bins(out->bins, pass.all_bins);

done:
    end_pass(&pass);
    if (status != LFM_OK) lfm_agreement_release(out);
    return status;
}

void lfm_agreement_release(struct lfm_agreement *agreement)
{
    free(agreement->layers);
    *agreement = (struct lfm_agreement){0};
}
