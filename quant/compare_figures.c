/* From values per position to figures: see compare_figures.h. */
#include "quant/compare_figures.h"

#include "reference/base/memory.h"

#include <gsl/gsl_statistics_double.h>
#include <math.h>
#include <stdlib.h>

/* exp(mean(nll - reference_nll)), the differences formed in scratch[n]. */
static struct lfm_estimate perplexity_ratio(const double *nll, const double *reference_nll, const uint32_t *clusters,
                                            size_t n, double *scratch)
{
    for (size_t i = 0; i < n; i++) scratch[i] = nll[i] - reference_nll[i];
    return lfm_exponential(lfm_clustered_mean(scratch, clusters, n));
}

static double root_mean_square(const double *values, size_t n)
{
    return sqrt(gsl_stats_tss_m(values, 1, n, 0) / (double)n);
}

static struct lfm_router_figures all_routers(const struct lfm_comparison *comparison)
{
    struct lfm_router_sums sums = {0};
    for (size_t l = 0; comparison->layers && l < comparison->model->config.num_hidden_layers; l++)
        lfm_router_merge(&sums, &comparison->layers[l].router);
    return lfm_router_figures(&sums);
}

enum lfm_status lfm_compare_figures(struct lfm_compare_figures *figures, const struct lfm_comparison *comparison,
                                    const double *reference_nll, const struct lfm_positions *positions, uint64_t seed,
                                    struct lfm_error *error)
{
    size_t n = positions->count;
    const uint32_t *clusters = positions->clusters;
    double *scratch;
    LFM_TRY(LFM_ALLOC(&scratch, n, error));
    *figures = (struct lfm_compare_figures){
        .nll_mean = gsl_stats_mean(comparison->nll, 1, n),
        .ratio = perplexity_ratio(comparison->nll, reference_nll, clusters, n, scratch),
        .kld = lfm_clustered_mean(comparison->kld, clusters, n),
        .top1 = lfm_clustered_mean(comparison->top1, clusters, n),
        .top5_overlap = gsl_stats_mean(comparison->top5, 1, n),
        .delta_p_mean = gsl_stats_mean(comparison->delta_p, 1, n),
        .delta_p_rms = root_mean_square(comparison->delta_p, n),
        .router = all_routers(comparison),
    };
    figures->perplexity = exp(figures->nll_mean);
    free(scratch);
    LFM_TRY(lfm_distribution(&figures->kld_distribution, comparison->kld, n, error));
    return lfm_bootstrap_mean(&figures->kld_low, &figures->kld_high, comparison->kld, clusters, n, seed, error);
}

enum lfm_status lfm_label_figures(struct lfm_label_figures *figures, const struct lfm_comparison *comparison,
                                  const double *reference_nll, const struct lfm_positions *positions, uint32_t label,
                                  struct lfm_error *error)
{
    uint32_t *clusters = NULL;
    double *values = NULL, *reference = NULL, *scratch = NULL;
    enum lfm_status status;
    LFM_TRY_DONE(LFM_ALLOC(&clusters, positions->count, error));
    LFM_TRY_DONE(LFM_ALLOC(&values, positions->count, error));
    LFM_TRY_DONE(LFM_ALLOC(&reference, positions->count, error));
    LFM_TRY_DONE(LFM_ALLOC(&scratch, positions->count, error));

    size_t n = lfm_positions_select(positions, label, comparison->kld, values, clusters);
    figures->kld = lfm_clustered_mean(values, clusters, n);
    lfm_positions_select(positions, label, comparison->top1, values, clusters);
    figures->top1 = gsl_stats_mean(values, 1, n);
    lfm_positions_select(positions, label, reference_nll, reference, clusters);
    lfm_positions_select(positions, label, comparison->nll, values, clusters);
    figures->reference_perplexity = exp(gsl_stats_mean(reference, 1, n));
    figures->perplexity = exp(gsl_stats_mean(values, 1, n));
    figures->ratio = perplexity_ratio(values, reference, clusters, n, scratch);

done:
    free(clusters);
    free(values);
    free(reference);
    free(scratch);
    return status;
}
