/* Experts under load, all of it: see load.h. */
#include "quant/load.h"

#include "reference/base/memory.h"
#include "reference/model/config.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
    LARGEST_DEFAULT_BATCH = 256,
    LARGEST_DEFAULT_DEVICES = 32,
    MOST_STEPS = 1 << 20,  /* resamples x steps */
    MOST_ROWS = 1 << 26    /* resamples x steps x batch */
};

/* --- where things are --- */

size_t lfm_load_metrics(const struct lfm_load *load)
{
    return 1 + load->n_factors + load->n_devices * LFM_PLACEMENTS;
}

size_t lfm_load_dropped(size_t factor)
{
    return 1 + factor;
}

size_t lfm_load_straggler(const struct lfm_load *load, size_t devices, enum lfm_placement placement)
{
    return 1 + load->n_factors + devices * LFM_PLACEMENTS + (size_t)placement;
}

struct lfm_load_figure *lfm_load_figure_of(const struct lfm_load *load, size_t row, size_t batch, size_t metric)
{
    return load->figures + (row * load->n_batches + batch) * lfm_load_metrics(load) + metric;
}

size_t lfm_load_worst(const struct lfm_load *load, size_t batch, size_t metric)
{
    size_t worst = 0;
    for (size_t l = 1; l < load->choices.n_layers; l++)
        if (lfm_load_figure_of(load, l, batch, metric)->mean > lfm_load_figure_of(load, worst, batch, metric)->mean)
            worst = l;
    return worst;
}

/* --- lists --- */

/* A copy of the list, or, when there is none, `first`, `first` * 2, ... up to the limit; `doubling` false: 1 by 1. */
static enum lfm_status take_sizes(size_t **out, size_t *n, const size_t *list, size_t n_list, size_t first, size_t last,
                                  bool doubling, struct lfm_error *error)
{
    LFM_TRY(LFM_ALLOC(out, n_list > 0 ? n_list : doubling ? 64 : last, error));
    if (n_list > 0) memcpy(*out, list, n_list * sizeof **out);
    *n = n_list;
    if (n_list > 0) return LFM_OK;
    for (size_t value = first; value <= last; value = doubling ? value * 2 : value + 1) (*out)[(*n)++] = value;
    return LFM_OK;
}

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

static size_t longest_document(const struct lfm_choices *choices)
{
    size_t longest = 0;
    for (size_t d = 0; d < choices->n_documents; d++)
        if (choices->starts[d + 1] - choices->starts[d] > longest)
            longest = choices->starts[d + 1] - choices->starts[d];
    return longest;
}

static enum lfm_status check_list(const size_t *list, size_t n, size_t most, const char *path, const char *what,
                                  const char *of, struct lfm_error *error)
{
    for (size_t i = 0; i < n; i++)
        if (list[i] == 0 || list[i] > most)
            return lfm_fail(error, LFM_ERROR_ARGUMENT, "'%s': %s %zu: between 1 and %zu is possible, %s", path, what,
                            list[i], most, of);
    return LFM_OK;
}

static enum lfm_status check_amount(const struct lfm_load *load, const struct lfm_load_options *options,
                                    struct lfm_error *error)
{
    size_t R = options->resamples, S = options->steps;
    if (R == 0 || S == 0 || R > MOST_STEPS || S > MOST_STEPS || R * S > MOST_STEPS)
        return lfm_fail(error, LFM_ERROR_ARGUMENT,
                        "%zu resamples of %zu steps: between 1 and %d steps in all are possible", R, S, MOST_STEPS);
    for (size_t i = 0; i < load->n_batches; i++)
        if (load->batches[i] > MOST_ROWS / (R * S))
            return lfm_fail(error, LFM_ERROR_LIMIT,
                            "%zu resamples of %zu steps of a batch of %zu: more than %d tokens; take fewer resamples "
                            "or steps", R, S, load->batches[i], MOST_ROWS);
    return LFM_OK;
}

static enum lfm_status take_lists(struct lfm_load *load, const struct lfm_load_options *options, const char *path,
                                  struct lfm_error *error)
{
    static const double factors[] = {1, 1.25, 1.5, 2};
    size_t T = load->choices.tokens, E = load->choices.experts;
    bool consecutive = options->draw == LFM_DRAW_CONSECUTIVE;
    size_t most = consecutive ? longest_document(&load->choices) : T;
    LFM_TRY(take_sizes(&load->batches, &load->n_batches, options->batches, options->n_batches, 1,
                       least(most, LARGEST_DEFAULT_BATCH), true, error));
    LFM_TRY(take_sizes(&load->devices, &load->n_devices, options->devices, options->n_devices, 2,
                       least(E, LARGEST_DEFAULT_DEVICES), true, error));
    LFM_TRY(take_sizes(&load->sizes, &load->n_sizes, options->sizes, options->n_sizes, 1, E, false, error));
    load->n_factors = options->n_factors > 0 ? options->n_factors : sizeof factors / sizeof factors[0];
    LFM_TRY(LFM_ALLOC(&load->factors, load->n_factors, error));
    memcpy(load->factors, options->n_factors > 0 ? options->factors : factors, load->n_factors * sizeof *load->factors);
    LFM_TRY(check_list(load->batches, load->n_batches, most, path, "a batch of",
                       consecutive ? "the tokens of the longest document" : "the tokens of the trace", error));
    LFM_TRY(check_list(load->devices, load->n_devices, E, path, "devices:", "as there are experts", error));
    LFM_TRY(check_list(load->sizes, load->n_sizes, E, path, "a cache of", "as there are experts", error));
    for (size_t f = 0; f < load->n_factors; f++)
        if (!(load->factors[f] > 0 && load->factors[f] <= 1e6))
            return lfm_fail(error, LFM_ERROR_ARGUMENT, "a capacity factor of %g: above 0 and at most 1e6 is possible",
                            load->factors[f]);
    return check_amount(load, options, error);
}

static enum lfm_status make_room(struct lfm_load *load, struct lfm_error *error)
{
    size_t L = load->choices.n_layers, E = load->choices.experts;
    LFM_TRY(LFM_ALLOC(&load->figures, (L + 2) * load->n_batches * lfm_load_metrics(load), error));
    LFM_TRY(LFM_ALLOC(&load->own_load, (L + 1) * load->n_batches, error));
    LFM_TRY(LFM_ALLOC(&load->device_of, L * load->n_devices * LFM_PLACEMENTS * E, error));
    LFM_TRY(LFM_ALLOC(&load->hit_rates, (L + 1) * load->n_sizes * LFM_CACHE_POLICIES, error));
    return LFM_ALLOC(&load->coverage, (L + 1) * load->n_sizes * 2, error);
}

/* --- caches --- */

static enum lfm_status cover(const struct lfm_load *load, size_t layer, size_t size, struct lfm_error *error)
{
    const struct lfm_choices *choices = &load->choices;
    const uint16_t *selected = lfm_choices_of(choices, layer);
    size_t T = choices->tokens, half = T / 2;
    double *coverage = load->coverage + (layer * load->n_sizes + size) * 2;
    LFM_TRY(lfm_cache_coverage(&coverage[0], selected, T, choices->per_token, choices->experts, load->sizes[size], T, 0,
                               error));
    coverage[1] = NAN; /* one token has no second half */
    if (half == 0) return LFM_OK;
    return lfm_cache_coverage(&coverage[1], selected, T, choices->per_token, choices->experts, load->sizes[size], half,
                              half, error);
}

static enum lfm_status fill_policy(const struct lfm_load *load, size_t layer, enum lfm_cache_policy policy,
                                   struct lfm_error *error)
{
    const struct lfm_choices *choices = &load->choices;
    uint64_t hits[LFM_MAX_EXPERTS];
    LFM_TRY(lfm_cache_hits(hits, policy, lfm_choices_of(choices, layer), choices->tokens, choices->per_token,
                           choices->experts, error));
    for (size_t size = 0; size < load->n_sizes; size++) {
        load->hit_rates[(layer * load->n_sizes + size) * LFM_CACHE_POLICIES + policy] =
            (double)hits[load->sizes[size] - 1] / (double)(choices->tokens * choices->per_token);
        if (policy == LFM_CACHE_STATIC) LFM_TRY(cover(load, layer, size, error));
    }
    return LFM_OK;
}

/* Every policy of every layer. */
static enum lfm_status fill_layers(const struct lfm_load *load, struct lfm_error *error)
{
    size_t jobs = load->choices.n_layers * LFM_CACHE_POLICIES;
    enum lfm_status status = LFM_OK;
#pragma omp parallel for schedule(dynamic)
    for (size_t j = 0; j < jobs; j++) {
        struct lfm_error failure;
        enum lfm_status found =
            lfm_interrupted() ? lfm_fail(&failure, LFM_ERROR_STOPPED, "interrupted between layers")
                              : fill_policy(load, j / LFM_CACHE_POLICIES,
                                            (enum lfm_cache_policy)(j % LFM_CACHE_POLICIES), &failure);
#pragma omp critical(lfm_load_failure)
        if (found != LFM_OK && status == LFM_OK) {
            status = found;
            if (error) *error = failure;
        }
    }
    return status;
}

static void add_means(double *values, size_t layers, size_t n)
{
    for (size_t l = 0; l < layers; l++)
        for (size_t i = 0; i < n; i++) values[layers * n + i] += values[l * n + i] / (double)layers;
}

static enum lfm_status fill_caches(struct lfm_load *load, struct lfm_error *error)
{
    size_t L = load->choices.n_layers;
    LFM_TRY(fill_layers(load, error));
    add_means(load->hit_rates, L, load->n_sizes * LFM_CACHE_POLICIES);
    add_means(load->coverage, L, load->n_sizes * 2);
    return LFM_OK;
}

/* --- all of it --- */

enum lfm_status lfm_load_run(struct lfm_load *out, const struct lfm_trace *trace,
                             const struct lfm_load_options *options, struct lfm_progress *progress,
                             struct lfm_error *error)
{
    const struct lfm_trace_information *information = lfm_trace_information(trace);
    enum lfm_status status;
    double done = 0;
    *out = (struct lfm_load){.parameters = lfm_load_parameters(information->config)};
    LFM_TRY_DONE(lfm_choices_read(&out->choices, trace, error));
    LFM_TRY_DONE(take_lists(out, options, information->path, error));
    LFM_TRY_DONE(make_room(out, error));
    if (progress) progress->total = (double)(out->choices.n_layers * (out->n_batches));
    LFM_TRY_DONE(lfm_load_batches(out, options, &done, progress, error));
    status = fill_caches(out, error);

done:
    if (status != LFM_OK) lfm_load_release(out);
    return status;
}

void lfm_load_release(struct lfm_load *load)
{
    lfm_choices_release(&load->choices);
    free(load->batches);
    free(load->devices);
    free(load->sizes);
    free(load->factors);
    free(load->figures);
    free(load->own_load);
    free(load->device_of);
    free(load->hit_rates);
    free(load->coverage);
    *load = (struct lfm_load){0};
}
