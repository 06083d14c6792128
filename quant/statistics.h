/* Statistics of values per position: means with errors that respect documents, quantiles, bootstrap intervals.
 *
 * Positions of one text depend on each other, so errors treat a cluster (a document) as the unit. Values come in the
 * order of the text: clusters[i] says which cluster value i belongs to and never decreases. By GSL; docs/metrics.md
 * states the formulas and their sources. */
#ifndef LFM_QUANT_STATISTICS_H
#define LFM_QUANT_STATISTICS_H

#include "reference/base/error.h"

#include <stddef.h>
#include <stdint.h>

struct lfm_estimate {
    double mean;
    double error; /* standard error of the mean; NaN when there are fewer than two clusters */
};

/* Mean of n values, NaN for none, with SE^2 = G/(G-1) sum_g (sum_{t in g} (d_t - mean))^2 / n^2 over G clusters. */
struct lfm_estimate lfm_clustered_mean(const double *values, const uint32_t *clusters, size_t n);

/* exp of an estimate, its error by the delta method: {exp(mean), exp(mean) * error}. Turns a mean NLL into a perplexity
 * and a mean difference of NLLs into a ratio of perplexities. */
struct lfm_estimate lfm_exponential(struct lfm_estimate logarithm);

enum { LFM_CURVE_POINTS = 100 };

struct lfm_distribution {
    double median, p90, p95, p99, p99_9, max;
    /* The cumulative distribution at values that are equally spaced on a log scale from the smallest positive value to
     * the largest: curve[i] = {value, share of values <= it}. One point when no value is positive. */
    double curve[LFM_CURVE_POINTS][2];
    size_t n_points;
};

/* Quantiles interpolate linearly between order statistics, as GSL and numpy do by default. n is at least 1. */
enum lfm_status lfm_distribution(struct lfm_distribution *out, const double *values, size_t n, struct lfm_error *error);

enum { LFM_RESAMPLES = 1000 };

/* 95 % percentile interval of the mean: LFM_RESAMPLES times, as many clusters are drawn with replacement as there are
 * (GSL's mt19937, from `seed`), and the mean of their values is taken. NaN when there are fewer than two clusters. */
enum lfm_status lfm_bootstrap_mean(double *low, double *high, const double *values, const uint32_t *clusters, size_t n,
                                   uint64_t seed, struct lfm_error *error);

#endif
