/* Loads by chance: see routing_chance.h. */
#include "quant/routing_chance.h"

#include "reference/base/memory.h"
#include "reference/base/progress.h"

#include <gsl/gsl_randist.h>
#include <gsl/gsl_rng.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { FIGURES = sizeof(struct lfm_balance) / sizeof(double) };

/* Counts of T tokens: the first K of a partial shuffle (Fisher and Yates) are a set of K, all sets equally likely. */
static void draw_choices(double *counts, size_t *experts, size_t T, size_t E, size_t K, const gsl_rng *rng)
{
    memset(counts, 0, E * sizeof *counts);
    for (size_t e = 0; e < E; e++) experts[e] = e;
    for (size_t t = 0; t < T; t++)
        for (size_t k = 0; k < K; k++) {
            size_t other = k + gsl_rng_uniform_int(rng, E - k), chosen = experts[other];
            experts[other] = experts[k];
            experts[k] = chosen;
            counts[chosen]++;
        }
}

/* Counts with mean T K / E, variance T K (E - K) / E^2 and correlation -1 / (E - 1): independent normal variables less
 * their mean have that correlation, and the variance (E - 1) / E. */
static void draw_normal(double *counts, size_t T, size_t E, size_t K, const gsl_rng *rng)
{
    double even = (double)T * (double)K / (double)E, mean = 0;
    double scale = E > 1 ? sqrt(even * (double)(E - K) / (double)(E - 1)) : 0;
    for (size_t e = 0; e < E; e++) mean += counts[e] = gsl_ran_gaussian_ziggurat(rng, 1);
    mean /= (double)E;
    for (size_t e = 0; e < E; e++) counts[e] = fmax(even + scale * (counts[e] - mean), 0);
}

/* Adds a draw to running means and sums of squared deviations (Welford). */
static void add_draw(double *mean, double *squares, const struct lfm_balance *balance, size_t n)
{
    double values[FIGURES];
    memcpy(values, balance, sizeof values);
    for (size_t i = 0; i < FIGURES; i++) {
        double difference = values[i] - mean[i];
        mean[i] += difference / (double)n;
        squares[i] += difference * (values[i] - mean[i]);
    }
}

enum lfm_status lfm_chance(struct lfm_chance *out, size_t T, size_t E, size_t K, uint64_t seed, struct lfm_error *error)
{
    double mean[FIGURES] = {0}, squares[FIGURES] = {0}, *counts = NULL;
    size_t *experts = NULL;
    gsl_rng *rng = gsl_rng_alloc(gsl_rng_mt19937);
    enum lfm_status status;
    *out = (struct lfm_chance){.draws = LFM_CHANCE_DRAWS, .normal = T > LFM_CHANCE_MOST_CHOICES / K};
    if (!rng) return lfm_fail(error, LFM_ERROR_MEMORY, "out of memory for random numbers");
    gsl_rng_set(rng, seed);
    LFM_TRY_DONE(LFM_ALLOC(&counts, E, error));
    LFM_TRY_DONE(LFM_ALLOC(&experts, E, error));
    for (size_t i = 1; i <= LFM_CHANCE_DRAWS; i++) {
        struct lfm_balance balance;
        if (lfm_interrupted()) LFM_TRY_DONE(lfm_fail(error, LFM_ERROR_STOPPED, "interrupted while simulating loads"));
        if (out->normal)
            draw_normal(counts, T, E, K, rng);
        else
            draw_choices(counts, experts, T, E, K, rng);
        LFM_TRY_DONE(lfm_balance(&balance, counts, E, error));
        add_draw(mean, squares, &balance, i);
    }
    for (size_t i = 0; i < FIGURES; i++) squares[i] = sqrt(squares[i] / (LFM_CHANCE_DRAWS - 1));
    memcpy(&out->mean, mean, sizeof mean);
    memcpy(&out->deviation, squares, sizeof squares);

done:
    free(counts);
    free(experts);
    gsl_rng_free(rng);
    return status;
}
