/* Experts under load: what the routing decisions of a trace mean for batches, devices and caches.
 *
 * Tokens of a trace stand in for the tokens that a server decodes. Letters: T tokens, E experts, K experts per token, B
 * sequences decoded together, C experts held by a cache. docs/load.md has every definition and formula. */
#ifndef LFM_QUANT_LOAD_H
#define LFM_QUANT_LOAD_H

#include "reference/base/error.h"
#include "reference/base/json.h"
#include "reference/base/progress.h"
#include "reference/trace/reader.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* --- the decisions: load_choices.c --- */

struct lfm_choices {
    size_t tokens, experts, per_token; /* T, E, K */
    size_t n_layers;
    size_t *layers;     /* [n_layers] their numbers in the model */
    uint16_t *selected; /* [n_layers, T, K] in the order of the trace, best first */
    uint32_t *counts;   /* [n_layers, E] tokens that chose the expert */
    size_t n_documents; /* a document with gaps between its positions counts as several */
    size_t *starts;     /* [n_documents + 1] their first rows, then T */
};

/* Reads what every recorded layer chose. Fails without tokens or `router/selected`, for dense models, and when a token
 * chose an expert twice. */
enum lfm_status lfm_choices_read(struct lfm_choices *out, const struct lfm_trace *trace, struct lfm_error *error);
void lfm_choices_release(struct lfm_choices *choices);
/* [T, K] of the i-th recorded layer. */
const uint16_t *lfm_choices_of(const struct lfm_choices *choices, size_t i);

/* --- which tokens meet in a step: load_draw.c --- */

enum lfm_draw {
    LFM_DRAW_SEQUENCES,  /* B sequences, each playing documents token by token */
    LFM_DRAW_DOCUMENT,   /* B sequences, all playing one document: requests of one kind */
    LFM_DRAW_TOKENS,     /* B tokens, each independent of all others */
    LFM_DRAW_CONSECUTIVE /* B neighbours of one document, as in prefill or the check of a draft */
};
enum { LFM_DRAWS = 4 };
/* "sequences", "document", "tokens", "consecutive". */
const char *lfm_draw_name(enum lfm_draw draw);

/* Fills rows[resamples, steps, batch] with rows of the trace, by GSL's mt19937 from `seed`; the same for every batch
 * size. For LFM_DRAW_CONSECUTIVE a document of at least `batch` tokens must exist. */
enum lfm_status lfm_draw_rows(uint32_t *rows, const struct lfm_choices *choices, enum lfm_draw draw, size_t batch,
                              size_t resamples, size_t steps, uint64_t seed, struct lfm_error *error);

/* --- experts on devices: load_placement.c --- */

enum lfm_placement {
    LFM_PLACE_CONTIGUOUS,  /* blocks of neighbouring experts; the first E mod R devices hold one more */
    LFM_PLACE_ROUND_ROBIN, /* expert e on device e mod R */
    LFM_PLACE_BALANCED     /* longest processing time first: by falling load, each to the least loaded device that holds
                            * fewer than ceil(E/R); ties to the lower expert and the lower device */
};
enum { LFM_PLACEMENTS = 3 };
/* "contiguous", "round_robin", "balanced". */
const char *lfm_placement_name(enum lfm_placement placement);

/* device_of[E], for 1 <= devices <= E; counts[E] is used by LFM_PLACE_BALANCED alone. */
void lfm_place_experts(uint16_t *device_of, enum lfm_placement placement, const uint32_t *counts, size_t experts,
                       size_t devices);

/* Busiest device over the mean of all: max_d n_d / (sum n_d / devices), n_d being the choices that fall on device d of
 * counts[experts]. `scratch` holds `devices`. */
double lfm_straggler(const uint32_t *counts, const uint16_t *device_of, size_t experts, size_t devices,
                     uint64_t *scratch);

/* Choices that an expert takes in a step at a capacity factor: ceil(factor * B * K / E), where a whole number that the factor's
 * binary digits miss by less than 1e-12 of it is that number (1.1 * 100 * 3 / 10 is 33). */
double lfm_capacity(double factor, size_t batch, size_t per_token, size_t experts);
/* Share of the choices in counts[experts] beyond the capacity of their expert. */
double lfm_dropped(const uint32_t *counts, size_t experts, double capacity);

/* --- caches of experts: load_cache.c --- */

enum lfm_cache_policy { LFM_CACHE_LRU, LFM_CACHE_LFU, LFM_CACHE_STATIC, LFM_CACHE_BELADY };
enum { LFM_CACHE_POLICIES = 4 };
/* "lru", "lfu", "static", "belady". */
const char *lfm_cache_name(enum lfm_cache_policy policy);

/* Of the T*K requests selected[T, K] of one layer, how many find their expert in a cache: hits[E], of a cache of `size`
 * experts, which starts empty, at size - 1. A token asks for its K experts at once; then the cache keeps `size` of what
 * it held and what was asked for: the latest (LRU, of one token's the later in `selected`), the token's own and then
 * the most often requested so far (LFU, ties to the later), those that the whole of `selected` requests most often, never
 * others (static, ties to the lower expert), those whose next request comes first (Belady, which no policy beats). */
enum lfm_status lfm_cache_hits(uint64_t *hits, enum lfm_cache_policy policy, const uint16_t *selected, size_t tokens,
                               size_t per_token, size_t experts, struct lfm_error *error);

/* Share of the requests of tokens from .. T-1 that go to the `size` experts which tokens 0 .. fitted-1 request most. */
enum lfm_status lfm_cache_coverage(double *share, const uint16_t *selected, size_t tokens, size_t per_token,
                                   size_t experts, size_t size, size_t fitted, size_t from, struct lfm_error *error);

/* --- what is read: load_bytes.c --- */

/* Weights that a decoding step reads, counted as bench_bytes.c does, by a configuration; NaN where it does not say. */
struct lfm_load_parameters {
    double expert;     /* of one expert: 3 * moe_intermediate_size * hidden_size */
    double shared;     /* of every step: operators, norms, dense feed-forwards, routers, head */
    double per_token;  /* of every token: its row of the embedding */
    size_t moe_layers; /* of the model; 0 where the configuration does not say */
};
struct lfm_load_parameters lfm_load_parameters(const cJSON *config);

/* --- all of it: load.c, load_batch.c --- */

struct lfm_load_options {
    const size_t *batches, *devices, *sizes; /* lists with 0 entries stand for the defaults */
    const double *factors;                   /* of capacity */
    size_t n_batches, n_devices, n_sizes, n_factors;
    enum lfm_draw draw;
    size_t resamples, steps;
    uint64_t seed;
};

/* One quantity, over the steps of all resamples. */
struct lfm_load_figure {
    double mean;
    double low, high; /* 5 % and 95 % quantiles, over resamples, of a resample's mean over its steps */
    double p95;       /* 95 % quantile over all steps */
};

/* Quantities of a step, in the order in which they are kept: distinct experts, the share dropped at each capacity
 * factor, the straggler factor for each number of devices and placement. Rows: the recorded layers, their mean (step by
 * step), then even routing, where each token chooses K experts by chance. */
struct lfm_load {
    struct lfm_choices choices;
    struct lfm_load_parameters parameters;
    size_t *batches, *devices, *sizes; /* as used */
    double *factors;
    size_t n_batches, n_devices, n_sizes, n_factors;
    struct lfm_load_figure *figures; /* [n_layers + 2, n_batches, metrics]: lfm_load_figure_of */
    double *own_load;                /* [n_layers + 1, n_batches] distinct experts by the load; last: mean */
    uint16_t *device_of;             /* [n_layers, n_devices, LFM_PLACEMENTS, E] */
    double *hit_rates;               /* [n_layers + 1, n_sizes, LFM_CACHE_POLICIES]; last: mean */
    double *coverage;                /* [n_layers + 1, n_sizes, 2]: of the whole trace by its hottest experts; of the
                                      * second half of the tokens by the hottest of the first */
};

size_t lfm_load_metrics(const struct lfm_load *load);
size_t lfm_load_dropped(size_t factor);
size_t lfm_load_straggler(const struct lfm_load *load, size_t devices, enum lfm_placement placement);
struct lfm_load_figure *lfm_load_figure_of(const struct lfm_load *load, size_t row, size_t batch, size_t metric);
/* The recorded layer with the largest mean of a metric, the first of equals. */
size_t lfm_load_worst(const struct lfm_load *load, size_t batch, size_t metric);

/* E (1 - (1 - K/E)^B): distinct experts of B tokens that choose evenly. */
double lfm_distinct_uniform(size_t experts, size_t per_token, size_t batch);
/* sum_e (1 - (1 - counts_e/T)^B): of B independent tokens with the layer's own load. */
double lfm_distinct_own_load(const uint32_t *counts, size_t experts, size_t tokens, size_t batch);

/* Runs everything on a trace. The result is the same for any number of threads. Fails when a list asks for more than
 * the trace has: a batch for more tokens, devices or a cache for more experts. The progress, which may be NULL, counts
 * layers times batch sizes. */
enum lfm_status lfm_load_run(struct lfm_load *out, const struct lfm_trace *trace,
                             const struct lfm_load_options *options, struct lfm_progress *progress,
                             struct lfm_error *error);
void lfm_load_release(struct lfm_load *load);

/* The part of lfm_load_run that fills figures, own_load and device_of. For load.c alone. */
enum lfm_status lfm_load_batches(struct lfm_load *load, const struct lfm_load_options *options, double *done,
                                 struct lfm_progress *progress, struct lfm_error *error);

#endif
