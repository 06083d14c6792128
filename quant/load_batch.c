/* Batches of tokens, step by step: see load.h.
 *
 * The rows of all steps are drawn first, by one generator; the threads then share the steps out. So nothing depends on
 * their number. */
#include "quant/load.h"

#include "reference/base/memory.h"
#include "reference/model/config.h"

#include <gsl/gsl_rng.h>
#include <gsl/gsl_sort.h>
#include <gsl/gsl_statistics_double.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* The draws of one batch size, and the quantities of one layer at a time. */
struct simulation {
    struct lfm_load *load;
    size_t batch, resamples, n_steps; /* B; steps of all resamples */
    size_t metrics;
    uint32_t *rows;                   /* [n_steps, B] */
    uint16_t *even;                   /* [n_steps, B, K]: what even routing chooses */
    double *values, *sums;            /* [metrics, n_steps]: of a layer, of all layers so far */
    double *means;                    /* [metrics, resamples] scratch */
};

double lfm_distinct_uniform(size_t experts, size_t per_token, size_t batch)
{
    double E = (double)experts;
    return E * (1 - pow(1 - (double)per_token / E, (double)batch));
}

double lfm_distinct_own_load(const uint32_t *counts, size_t experts, size_t tokens, size_t batch)
{
    double sum = 0;
    for (size_t e = 0; e < experts; e++) sum += 1 - pow(1 - (double)counts[e] / (double)tokens, (double)batch);
    return sum;
}

/* --- one step --- */

/* counts[E] of what the tokens of a step choose. With `rows` NULL they stand one after the other. */
static void count_step(uint32_t *counts, const uint16_t *selected, const uint32_t *rows, size_t batch, size_t K,
                       size_t E)
{
    memset(counts, 0, E * sizeof *counts);
    for (size_t b = 0; b < batch; b++) {
        const uint16_t *chosen = selected + (rows ? rows[b] : b) * K;
        for (size_t k = 0; k < K; k++) counts[chosen[k]]++;
    }
}

static const uint16_t *devices_of(const struct lfm_load *load, size_t layer, size_t d, size_t placement)
{
    return load->device_of + ((layer * load->n_devices + d) * LFM_PLACEMENTS + placement) * load->choices.experts;
}

/* values[metrics], `stride` apart. */
static void measure_step(const struct simulation *simulation, size_t layer, const uint32_t *counts, double *values,
                         size_t stride)
{
    const struct lfm_load *load = simulation->load;
    size_t E = load->choices.experts, distinct = 0;
    uint64_t scratch[LFM_MAX_EXPERTS];
    for (size_t e = 0; e < E; e++) distinct += counts[e] > 0;
    values[0] = (double)distinct;
    for (size_t f = 0; f < load->n_factors; f++) {
        double capacity = lfm_capacity(load->factors[f], simulation->batch, load->choices.per_token, E);
        values[lfm_load_dropped(f) * stride] = lfm_dropped(counts, E, capacity);
    }
    for (size_t d = 0; d < load->n_devices; d++)
        for (size_t p = 0; p < LFM_PLACEMENTS; p++)
            values[lfm_load_straggler(load, d, (enum lfm_placement)p) * stride] =
                lfm_straggler(counts, devices_of(load, layer, d, p), E, load->devices[d], scratch);
}

/* Even routing stands in the row behind the layers' mean, and on the devices of the first layer. */
static void measure_layer(struct simulation *simulation, size_t layer, bool even)
{
    const struct lfm_choices *choices = &simulation->load->choices;
    const uint16_t *selected = even ? NULL : lfm_choices_of(choices, layer);
    size_t K = choices->per_token, B = simulation->batch;
#pragma omp parallel for schedule(static)
    for (size_t i = 0; i < simulation->n_steps; i++) {
        uint32_t counts[LFM_MAX_EXPERTS];
        if (even) count_step(counts, simulation->even + i * B * K, NULL, B, K, choices->experts);
        else count_step(counts, selected, simulation->rows + i * B, B, K, choices->experts);
        measure_step(simulation, even ? 0 : layer, counts, simulation->values + i, simulation->n_steps);
    }
}

/* --- over all steps --- */

/* Sorts values[n_steps]. */
static struct lfm_load_figure conclude(double *values, double *means, size_t n_steps, size_t resamples)
{
    size_t steps = n_steps / resamples;
    for (size_t r = 0; r < resamples; r++) means[r] = gsl_stats_mean(values + r * steps, 1, steps);
    struct lfm_load_figure figure = {.mean = gsl_stats_mean(means, 1, resamples)};
    gsl_sort(means, 1, resamples);
    gsl_sort(values, 1, n_steps);
    figure.low = gsl_stats_quantile_from_sorted_data(means, 1, resamples, 0.05);
    figure.high = gsl_stats_quantile_from_sorted_data(means, 1, resamples, 0.95);
    figure.p95 = gsl_stats_quantile_from_sorted_data(values, 1, n_steps, 0.95);
    return figure;
}

/* Figures of a row from values[metrics, n_steps], which get sorted. */
static void conclude_row(struct simulation *simulation, size_t row, size_t batch, double *values)
{
    size_t n = simulation->n_steps, R = simulation->resamples;
#pragma omp parallel for schedule(dynamic)
    for (size_t m = 0; m < simulation->metrics; m++)
        *lfm_load_figure_of(simulation->load, row, batch, m) =
            conclude(values + m * n, simulation->means + m * R, n, R);
}

/* --- one batch size --- */

/* K of E experts for every token, each set as likely as any other: the start of a shuffle. */
static enum lfm_status draw_even(struct simulation *simulation, uint64_t seed, struct lfm_error *error)
{
    size_t E = simulation->load->choices.experts, K = simulation->load->choices.per_token;
    uint16_t order[LFM_MAX_EXPERTS];
    gsl_rng *random = gsl_rng_alloc(gsl_rng_mt19937);
    if (!random) return lfm_fail(error, LFM_ERROR_MEMORY, "out of memory for random numbers");
    gsl_rng_set(random, (unsigned long)seed);
    for (size_t e = 0; e < E; e++) order[e] = (uint16_t)e;
    for (size_t i = 0; i < simulation->n_steps * simulation->batch; i++)
        for (size_t k = 0; k < K; k++) {
            size_t other = k + gsl_rng_uniform_int(random, (unsigned long)(E - k));
            uint16_t chosen = order[other];
            order[other] = order[k];
            order[k] = chosen;
            simulation->even[i * K + k] = chosen;
        }
    gsl_rng_free(random);
    return LFM_OK;
}

static enum lfm_status start(struct simulation *simulation, struct lfm_load *load, size_t batch,
                             const struct lfm_load_options *options, struct lfm_error *error)
{
    *simulation = (struct simulation){
        .load = load,
        .batch = load->batches[batch],
        .resamples = options->resamples,
        .n_steps = options->resamples * options->steps,
        .metrics = lfm_load_metrics(load),
    };
    size_t tokens = simulation->n_steps * simulation->batch, values = simulation->metrics * simulation->n_steps;
    LFM_TRY(LFM_ALLOC(&simulation->rows, tokens, error));
    LFM_TRY(LFM_ALLOC(&simulation->even, tokens * load->choices.per_token, error));
    LFM_TRY(LFM_ALLOC(&simulation->values, values, error));
    LFM_TRY(LFM_ALLOC(&simulation->sums, values, error));
    LFM_TRY(LFM_ALLOC(&simulation->means, simulation->metrics * options->resamples, error));
    LFM_TRY(lfm_draw_rows(simulation->rows, &load->choices, options->draw, simulation->batch, options->resamples,
                          options->steps, options->seed, error));
    return draw_even(simulation, options->seed, error);
}

static void end(struct simulation *simulation)
{
    free(simulation->rows);
    free(simulation->even);
    free(simulation->values);
    free(simulation->sums);
    free(simulation->means);
}

static enum lfm_status simulate(struct lfm_load *load, size_t batch, const struct lfm_load_options *options,
                                double *done, struct lfm_progress *progress, struct lfm_error *error)
{
    struct simulation simulation;
    size_t L = load->choices.n_layers;
    enum lfm_status status;
    LFM_TRY_DONE(start(&simulation, load, batch, options, error));
    size_t values = simulation.metrics * simulation.n_steps;
    for (size_t layer = 0; layer < L; layer++) {
        if (lfm_interrupted()) LFM_TRY_DONE(lfm_fail(error, LFM_ERROR_STOPPED, "interrupted between layers"));
        measure_layer(&simulation, layer, false);
        for (size_t i = 0; i < values; i++) simulation.sums[i] += simulation.values[i] / (double)L;
        conclude_row(&simulation, layer, batch, simulation.values);
        lfm_progress_update(progress, ++*done);
    }
    conclude_row(&simulation, L, batch, simulation.sums);
    measure_layer(&simulation, 0, true);
    conclude_row(&simulation, L + 1, batch, simulation.values);

done:
    end(&simulation);
    return status;
}

static void predict(struct lfm_load *load)
{
    const struct lfm_choices *choices = &load->choices;
    size_t L = choices->n_layers;
    for (size_t b = 0; b < load->n_batches; b++)
        for (size_t l = 0; l < L; l++) {
            double *own = &load->own_load[l * load->n_batches + b];
            *own = lfm_distinct_own_load(choices->counts + l * choices->experts, choices->experts, choices->tokens,
                                         load->batches[b]);
            load->own_load[L * load->n_batches + b] += *own / (double)L;
        }
}

enum lfm_status lfm_load_batches(struct lfm_load *load, const struct lfm_load_options *options, double *done,
                                 struct lfm_progress *progress, struct lfm_error *error)
{
    const struct lfm_choices *choices = &load->choices;
    for (size_t l = 0; l < choices->n_layers; l++)
        for (size_t d = 0; d < load->n_devices; d++)
            for (size_t p = 0; p < LFM_PLACEMENTS; p++)
                lfm_place_experts((uint16_t *)devices_of(load, l, d, p), (enum lfm_placement)p,
                                  choices->counts + l * choices->experts, choices->experts, load->devices[d]);
    predict(load);
    for (size_t b = 0; b < load->n_batches; b++) LFM_TRY(simulate(load, b, options, done, progress, error));
    return LFM_OK;
}
