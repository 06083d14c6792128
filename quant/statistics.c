/* Statistics: see statistics.h. */
#include "quant/statistics.h"

#include "reference/base/memory.h"

#include <gsl/gsl_rng.h>
#include <gsl/gsl_sort.h>
#include <gsl/gsl_statistics_double.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* One past the last value of the cluster that begins at `start`. */
static size_t cluster_end(const uint32_t *clusters, size_t start, size_t n)
{
    size_t end = start;
    while (end < n && clusters[end] == clusters[start]) end++;
    return end;
}

struct lfm_estimate lfm_clustered_mean(const double *values, const uint32_t *clusters, size_t n)
{
    if (n == 0) return (struct lfm_estimate){NAN, NAN};
    double mean = gsl_stats_mean(values, 1, n), squares = 0;
    size_t G = 0;
    for (size_t start = 0, end; start < n; start = end, G++) {
        double sum = 0;
        end = cluster_end(clusters, start, n);
        for (size_t t = start; t < end; t++) sum += values[t] - mean;
        squares += sum * sum;
    }
    if (G < 2) return (struct lfm_estimate){mean, NAN};
    return (struct lfm_estimate){mean, sqrt((double)G / (double)(G - 1) * squares) / (double)n};
}

struct lfm_estimate lfm_exponential(struct lfm_estimate logarithm)
{
    double value = exp(logarithm.mean);
    return (struct lfm_estimate){value, value * logarithm.error};
}

/* sorted[n], ascending. */
static void draw_curve(struct lfm_distribution *out, const double *sorted, size_t n)
{
    size_t first = 0, below = 0;
    while (first < n && !(sorted[first] > 0)) first++;
    out->n_points = first == n || sorted[first] == sorted[n - 1] ? 1 : LFM_CURVE_POINTS;
    double low = first < n ? log(sorted[first]) : 0, high = first < n ? log(sorted[n - 1]) : 0;
    for (size_t i = 0; i < out->n_points; i++) {
        double value = exp(low + (high - low) * (double)i / (LFM_CURVE_POINTS - 1));
        if (i == 0 && first < n) value = sorted[first];
        if (i == out->n_points - 1) value = sorted[n - 1];
        while (below < n && sorted[below] <= value) below++;
        out->curve[i][0] = value;
        out->curve[i][1] = (double)below / (double)n;
    }
}

enum lfm_status lfm_distribution(struct lfm_distribution *out, const double *values, size_t n, struct lfm_error *error)
{
    double *sorted;
    LFM_TRY(LFM_ALLOC(&sorted, n, error));
    memcpy(sorted, values, n * sizeof *sorted);
    gsl_sort(sorted, 1, n);
    *out = (struct lfm_distribution){
        .median = gsl_stats_median_from_sorted_data(sorted, 1, n),
        .p90 = gsl_stats_quantile_from_sorted_data(sorted, 1, n, 0.9),
        .p95 = gsl_stats_quantile_from_sorted_data(sorted, 1, n, 0.95),
        .p99 = gsl_stats_quantile_from_sorted_data(sorted, 1, n, 0.99),
        .p99_9 = gsl_stats_quantile_from_sorted_data(sorted, 1, n, 0.999),
        .max = sorted[n - 1],
    };
    draw_curve(out, sorted, n);
    free(sorted);
    return LFM_OK;
}

struct cluster {
    double sum;
    size_t count;
};

static size_t sum_clusters(struct cluster *out, const double *values, const uint32_t *clusters, size_t n)
{
    size_t G = 0;
    for (size_t start = 0, end; start < n; start = end, G++) {
        end = cluster_end(clusters, start, n);
        out[G] = (struct cluster){0, end - start};
        for (size_t t = start; t < end; t++) out[G].sum += values[t];
    }
    return G;
}

static double resampled_mean(const struct cluster *clusters, size_t G, gsl_rng *random)
{
    double sum = 0;
    size_t count = 0;
    for (size_t i = 0; i < G; i++) {
        const struct cluster *cluster = &clusters[gsl_rng_uniform_int(random, (unsigned long)G)];
        sum += cluster->sum;
        count += cluster->count;
    }
    return sum / (double)count;
}

enum lfm_status lfm_bootstrap_mean(double *low, double *high, const double *values, const uint32_t *clusters, size_t n,
                                   uint64_t seed, struct lfm_error *error)
{
    *low = *high = NAN;
    if (n == 0 || cluster_end(clusters, 0, n) == n) return LFM_OK;

    struct cluster *sums;
    double means[LFM_RESAMPLES];
    LFM_TRY(LFM_ALLOC(&sums, n, error));
    gsl_rng *random = gsl_rng_alloc(gsl_rng_mt19937);
    if (!random) {
        free(sums);
        return lfm_fail(error, LFM_ERROR_MEMORY, "cannot start a random number generator: out of memory");
    }
    gsl_rng_set(random, (unsigned long)seed);
    size_t G = sum_clusters(sums, values, clusters, n);
    for (size_t i = 0; i < LFM_RESAMPLES; i++) means[i] = resampled_mean(sums, G, random);
    gsl_sort(means, 1, LFM_RESAMPLES);
    *low = gsl_stats_quantile_from_sorted_data(means, 1, LFM_RESAMPLES, 0.025);
    *high = gsl_stats_quantile_from_sorted_data(means, 1, LFM_RESAMPLES, 0.975);
    gsl_rng_free(random);
    free(sums);
    return LFM_OK;
}
