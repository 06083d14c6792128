/* The results of `routing --load` as tables and as JSON. See routing_load_report.h. */
#include "quant/command/routing_load_report.h"

#include <math.h>
#include <stdio.h>

static const struct lfm_trace_information *about(const struct lfm_load_subject *subject)
{
    return lfm_trace_information(subject->trace);
}

/* --- bytes --- */

/* Weights are taken to have the trace's mean number of bits. */
static double bytes_of(const struct lfm_load_subject *subject, double parameters)
{
    return parameters * about(subject)->bits_per_weight / 8;
}

/* Of `layers` layers that read so many distinct experts each, for every token of the batch. */
static double expert_bytes(const struct lfm_load_subject *subject, double layers, double distinct, size_t batch)
{
    return bytes_of(subject, subject->load.parameters.expert) * layers * distinct / (double)batch;
}

/* NaN unless every layer with experts was recorded. */
static double all_bytes(const struct lfm_load_subject *subject, double distinct, size_t batch)
{
    const struct lfm_load_parameters *parameters = &subject->load.parameters;
    double layers = (double)subject->load.choices.n_layers;
    if (parameters->moe_layers != subject->load.choices.n_layers) return NAN;
    return expert_bytes(subject, layers, distinct, batch) +
           bytes_of(subject, parameters->shared / (double)batch + parameters->per_token);
}

/* Bytes that a cache of that hit rate loads for a token. */
static double moved_bytes(const struct lfm_load_subject *subject, double layers, double hit_rate)
{
    double requests = (double)subject->load.choices.per_token;
    return bytes_of(subject, subject->load.parameters.expert) * layers * requests * (1 - hit_rate);
}

/* --- where things are --- */

/* Row of the mean over layers, and of even routing. */
static size_t mean_row(const struct lfm_load *load)
{
    return load->choices.n_layers;
}

static size_t even_row(const struct lfm_load *load)
{
    return load->choices.n_layers + 1;
}

static double hit_rate(const struct lfm_load *load, size_t row, size_t size, enum lfm_cache_policy policy)
{
    return load->hit_rates[(row * load->n_sizes + size) * LFM_CACHE_POLICIES + policy];
}

static double coverage(const struct lfm_load *load, size_t row, size_t size, bool held_out)
{
    return load->coverage[(row * load->n_sizes + size) * 2 + held_out];
}

/* The layer in which LRU hits least. */
static size_t worst_cached(const struct lfm_load *load, size_t size)
{
    size_t worst = 0;
    for (size_t l = 1; l < load->choices.n_layers; l++)
        if (hit_rate(load, l, size, LFM_CACHE_LRU) < hit_rate(load, worst, size, LFM_CACHE_LRU)) worst = l;
    return worst;
}

/* --- tables --- */

static const char *megabytes(char text[24], double bytes)
{
    if (!isfinite(bytes)) snprintf(text, 24, "-");
    else snprintf(text, 24, "%.4g", bytes / 1e6);
    return text;
}

static void print_head(const struct lfm_load_subject *subject)
{
    const struct lfm_trace_information *information = about(subject);
    const struct lfm_load *load = &subject->load;
    const struct lfm_load_parameters *parameters = &load->parameters;
    char expert[24], shared[24];
    printf("%s: %s, weights %s (%.2f bits), %zu tokens of %zu document%s%s, %zu experts, %zu per token, %zu layer%s\n",
           information->path, information->model, information->weights, information->bits_per_weight,
           load->choices.tokens, load->choices.n_documents, load->choices.n_documents == 1 ? "" : "s",
           information->complete ? "" : " (incomplete: as far as it goes)", load->choices.experts,
           load->choices.per_token, load->choices.n_layers, load->choices.n_layers == 1 ? "" : "s");
    printf("at %.2f bits per weight an expert has %s MB, what every step reads besides experts %s MB; no keys, "
           "values or state\n",
           information->bits_per_weight, megabytes(expert, bytes_of(subject, parameters->expert)),
           megabytes(shared, bytes_of(subject, parameters->shared)));
    if (parameters->moe_layers > load->choices.n_layers)
        printf("%zu of %zu layers with experts were recorded: bytes of experts are theirs alone\n",
               load->choices.n_layers, parameters->moe_layers);
}

static void print_batches(const struct lfm_load_subject *subject, const struct lfm_load_options *options)
{
    static const char *const what[LFM_DRAWS] = {"B sequences decoded together", "B sequences of one document",
                                                "B independent tokens", "B consecutive tokens of one document"};
    const struct lfm_load *load = &subject->load;
    size_t row = mean_row(load);
    printf("\ndistinct experts of a layer in a step: %s; %zu resamples of %zu step%s, seed %llu\n\n",
           what[options->draw], options->resamples, options->steps, options->steps == 1 ? "" : "s",
           (unsigned long long)options->seed);
    printf("%5s %8s %-15s %8s %9s %15s  %10s %-17s %10s\n", "B", "experts", "(5-95 %)", "uniform", "own load",
           "most (layer)", "MB/token", "(5-95 %)", "with rest");
    for (size_t b = 0; b < load->n_batches; b++) {
        const struct lfm_load_figure *figure = lfm_load_figure_of(load, row, b, 0);
        size_t B = load->batches[b], worst = lfm_load_worst(load, b, 0);
        double layers = (double)load->choices.n_layers;
        char range[40], most[40], bytes[24], low[24], high[24], bytes_range[64], all[24];
        snprintf(range, sizeof range, "(%.2f-%.2f)", figure->low, figure->high);
        snprintf(most, sizeof most, "%.2f (%zu)", lfm_load_figure_of(load, worst, b, 0)->mean,
                 load->choices.layers[worst]);
        snprintf(bytes_range, sizeof bytes_range, "(%s-%s)",
                 megabytes(low, expert_bytes(subject, layers, figure->low, B)),
                 megabytes(high, expert_bytes(subject, layers, figure->high, B)));
        printf("%5zu %8.3f %-15s %8.3f %9.3f %15s  %10s %-17s %10s\n", B, figure->mean, range,
               lfm_distinct_uniform(load->choices.experts, load->choices.per_token, B),
               load->own_load[row * load->n_batches + b], most,
               megabytes(bytes, expert_bytes(subject, layers, figure->mean, B)), bytes_range,
               megabytes(all, all_bytes(subject, figure->mean, B)));
    }
}

/* The head of a table with one column for each batch size; the last columns are of the largest. */
static size_t print_batch_columns(const struct lfm_load *load)
{
    size_t last = 0;
    for (size_t b = 0; b < load->n_batches; b++) {
        if (load->batches[b] > load->batches[last]) last = b;
        printf(" %6zu", load->batches[b]);
    }
    return last;
}

static void print_stragglers(const struct lfm_load *load)
{
    if (load->n_devices == 0) return;
    printf("\nexperts on devices: straggler factor (busiest device over the mean of all) by tokens per step; "
           "'even' is even routing\n\n%7s %-11s",
           "devices", "placement");
    size_t last = print_batch_columns(load);
    printf("  %7s %16s\n", "p95", "worst (layer)");
    for (size_t d = 0; d < load->n_devices; d++)
        for (size_t p = 0; p <= LFM_PLACEMENTS; p++) {
            bool even = p == LFM_PLACEMENTS;
            size_t metric = lfm_load_straggler(load, d, even ? LFM_PLACE_CONTIGUOUS : (enum lfm_placement)p);
            printf("%7zu %-11s", load->devices[d], even ? "even" : lfm_placement_name((enum lfm_placement)p));
            for (size_t b = 0; b < load->n_batches; b++)
                printf(" %6.3f", lfm_load_figure_of(load, even ? even_row(load) : mean_row(load), b, metric)->mean);
            if (even) {
                printf("\n");
                continue;
            }
            size_t worst = lfm_load_worst(load, last, metric);
            printf("  %7.3f %10.3f (%zu)\n", lfm_load_figure_of(load, mean_row(load), last, metric)->p95,
                   lfm_load_figure_of(load, worst, last, metric)->mean, load->choices.layers[worst]);
        }
    printf("p95 over steps, of the mean over layers, and the worst layer: %zu tokens per step\n", load->batches[last]);
}

static void print_dropped(const struct lfm_load *load)
{
    printf("\nchoices dropped, %%, when an expert takes at most ceil(factor * B * K / E) of a step\n\n%7s %-11s",
           "factor", "routing");
    size_t last = print_batch_columns(load);
    printf("  %7s %16s\n", "p95", "worst (layer)");
    for (size_t f = 0; f < load->n_factors; f++) {
        size_t metric = lfm_load_dropped(f), worst = lfm_load_worst(load, last, metric);
        printf("%7.4g %-11s", load->factors[f], "trace");
        for (size_t b = 0; b < load->n_batches; b++)
            printf(" %6.2f", 100 * lfm_load_figure_of(load, mean_row(load), b, metric)->mean);
        printf("  %7.2f %10.2f (%zu)\n%7.4g %-11s", 100 * lfm_load_figure_of(load, mean_row(load), last, metric)->p95,
               100 * lfm_load_figure_of(load, worst, last, metric)->mean, load->choices.layers[worst], load->factors[f],
               "even");
        for (size_t b = 0; b < load->n_batches; b++)
            printf(" %6.2f", 100 * lfm_load_figure_of(load, even_row(load), b, metric)->mean);
        printf("\n");
    }
}

static void print_caches(const struct lfm_load_subject *subject)
{
    const struct lfm_load *load = &subject->load;
    size_t row = mean_row(load);
    double layers = (double)load->choices.n_layers;
    printf("\ncaches of so many experts per layer, token by token: hits, %%, and MB loaded per token; "
           "'hottest' of the first half on the second\n\n%5s %7s %7s %7s %7s %8s  %9s %9s %9s %9s %16s\n",
           "size", "lru", "lfu", "static", "belady", "hottest", "MB lru", "MB lfu", "MB static", "MB belady",
           "worst lru (layer)");
    for (size_t s = 0; s < load->n_sizes; s++) {
        size_t worst = worst_cached(load, s);
        printf("%5zu", load->sizes[s]);
        for (int p = 0; p < LFM_CACHE_POLICIES; p++)
            printf(" %7.2f", 100 * hit_rate(load, row, s, (enum lfm_cache_policy)p));
        printf(" %8.2f ", 100 * coverage(load, row, s, true));
        for (int p = 0; p < LFM_CACHE_POLICIES; p++) {
            char text[24];
            printf(" %9s",
                   megabytes(text, moved_bytes(subject, layers, hit_rate(load, row, s, (enum lfm_cache_policy)p))));
        }
        printf(" %10.2f (%zu)\n", 100 * hit_rate(load, worst, s, LFM_CACHE_LRU), load->choices.layers[worst]);
    }
}

void lfm_load_print(const struct lfm_load_subject *subject, const struct lfm_load_options *options)
{
    print_head(subject);
    print_batches(subject, options);
    print_stragglers(&subject->load);
    print_dropped(&subject->load);
    print_caches(subject);
}

/* --- JSON --- */

/* "<key>", "<key>_low", "<key>_high", "<key>_p95". */
static void add_figure(cJSON *object, const char *key, const struct lfm_load_figure *figure, double unit)
{
    char name[64];
    lfm_json_add_number(object, key, figure->mean * unit);
    snprintf(name, sizeof name, "%s_low", key);
    lfm_json_add_number(object, name, figure->low * unit);
    snprintf(name, sizeof name, "%s_high", key);
    lfm_json_add_number(object, name, figure->high * unit);
    snprintf(name, sizeof name, "%s_p95", key);
    lfm_json_add_number(object, name, figure->p95 * unit);
}

/* The layer in which a metric is largest; for rows over all layers. */
static void add_worst(cJSON *object, const struct lfm_load *load, size_t row, size_t batch, size_t metric)
{
    if (row != mean_row(load)) return;
    size_t worst = lfm_load_worst(load, batch, metric);
    lfm_json_add_number(object, "worst_layer", (double)load->choices.layers[worst]);
    lfm_json_add_number(object, "worst_layer_value", lfm_load_figure_of(load, worst, batch, metric)->mean);
}

static cJSON *batch_json(const struct lfm_load_subject *subject, size_t row, size_t b)
{
    const struct lfm_load *load = &subject->load;
    const struct lfm_load_figure *distinct = lfm_load_figure_of(load, row, b, 0);
    size_t B = load->batches[b];
    double layers = row == mean_row(load) ? (double)load->choices.n_layers : 1;
    double uniform = lfm_distinct_uniform(load->choices.experts, load->choices.per_token, B);
    cJSON *object = cJSON_CreateObject();
    lfm_json_add_number(object, "batch", (double)B);
    add_figure(object, "distinct_experts", distinct, 1);
    lfm_json_add_number(object, "distinct_experts_uniform", uniform);
    lfm_json_add_number(object, "distinct_experts_own_load", load->own_load[row * load->n_batches + b]);
    add_figure(object, "expert_bytes_per_token", distinct, expert_bytes(subject, layers, 1, B));
    lfm_json_add_number(object, "expert_bytes_per_token_uniform", expert_bytes(subject, layers, uniform, B));
    if (row == mean_row(load)) lfm_json_add_number(object, "bytes_per_token", all_bytes(subject, distinct->mean, B));
    add_worst(object, load, row, b, 0);
    return object;
}

static void add_stragglers(cJSON *array, const struct lfm_load *load, size_t row)
{
    for (size_t d = 0; d < load->n_devices; d++)
        for (int p = 0; p < LFM_PLACEMENTS; p++)
            for (size_t b = 0; b < load->n_batches; b++) {
                size_t metric = lfm_load_straggler(load, d, (enum lfm_placement)p);
                cJSON *object = cJSON_CreateObject();
                cJSON_AddItemToArray(array, object);
                lfm_json_add_number(object, "devices", (double)load->devices[d]);
                cJSON_AddStringToObject(object, "placement", lfm_placement_name((enum lfm_placement)p));
                lfm_json_add_number(object, "batch", (double)load->batches[b]);
                add_figure(object, "straggler", lfm_load_figure_of(load, row, b, metric), 1);
                lfm_json_add_number(object, "straggler_even",
                                    lfm_load_figure_of(load, even_row(load), b,
                                                       lfm_load_straggler(load, d, LFM_PLACE_CONTIGUOUS))->mean);
                add_worst(object, load, row, b, metric);
            }
}

static void add_dropped(cJSON *array, const struct lfm_load *load, size_t row)
{
    for (size_t f = 0; f < load->n_factors; f++)
        for (size_t b = 0; b < load->n_batches; b++) {
            size_t metric = lfm_load_dropped(f);
            cJSON *object = cJSON_CreateObject();
            cJSON_AddItemToArray(array, object);
            lfm_json_add_number(object, "capacity_factor", load->factors[f]);
            lfm_json_add_number(object, "batch", (double)load->batches[b]);
            lfm_json_add_number(object, "capacity", lfm_capacity(load->factors[f], load->batches[b],
                                                                 load->choices.per_token, load->choices.experts));
            add_figure(object, "dropped", lfm_load_figure_of(load, row, b, metric), 1);
            lfm_json_add_number(object, "dropped_even", lfm_load_figure_of(load, even_row(load), b, metric)->mean);
            add_worst(object, load, row, b, metric);
        }
}

static cJSON *cache_json(const struct lfm_load_subject *subject, size_t row, size_t size)
{
    const struct lfm_load *load = &subject->load;
    double layers = row == mean_row(load) ? (double)load->choices.n_layers : 1;
    cJSON *object = cJSON_CreateObject();
    lfm_json_add_number(object, "size", (double)load->sizes[size]);
    cJSON *rates = cJSON_AddObjectToObject(object, "hit_rate"),
          *bytes = cJSON_AddObjectToObject(object, "bytes_per_token");
    for (int p = 0; p < LFM_CACHE_POLICIES; p++) {
        double rate = hit_rate(load, row, size, (enum lfm_cache_policy)p);
        lfm_json_add_number(rates, lfm_cache_name((enum lfm_cache_policy)p), rate);
        lfm_json_add_number(bytes, lfm_cache_name((enum lfm_cache_policy)p), moved_bytes(subject, layers, rate));
    }
    lfm_json_add_number(object, "coverage", coverage(load, row, size, false));
    lfm_json_add_number(object, "coverage_held_out", coverage(load, row, size, true));
    if (row != mean_row(load)) return object;
    size_t worst = worst_cached(load, size);
    lfm_json_add_number(object, "worst_layer", (double)load->choices.layers[worst]);
    lfm_json_add_number(object, "worst_layer_value", hit_rate(load, worst, size, LFM_CACHE_LRU));
    return object;
}

/* What a layer and the mean over layers have in common. */
static void add_row(cJSON *object, const struct lfm_load_subject *subject, size_t row)
{
    const struct lfm_load *load = &subject->load;
    cJSON *batches = cJSON_AddArrayToObject(object, "batches");
    for (size_t b = 0; b < load->n_batches; b++) cJSON_AddItemToArray(batches, batch_json(subject, row, b));
    add_stragglers(cJSON_AddArrayToObject(object, "placements"), load, row);
    add_dropped(cJSON_AddArrayToObject(object, "dropped"), load, row);
    cJSON *caches = cJSON_AddArrayToObject(object, "caches");
    for (size_t s = 0; s < load->n_sizes; s++) cJSON_AddItemToArray(caches, cache_json(subject, row, s));
}

/* Which device holds each expert when the load is balanced; the other placements follow from their names. */
static void add_balanced(cJSON *object, const struct lfm_load *load, size_t layer)
{
    cJSON *list = cJSON_AddArrayToObject(object, "balanced");
    size_t E = load->choices.experts;
    for (size_t d = 0; d < load->n_devices; d++) {
        const uint16_t *device_of =
            load->device_of + ((layer * load->n_devices + d) * LFM_PLACEMENTS + LFM_PLACE_BALANCED) * E;
        cJSON *item = cJSON_CreateObject(), *devices;
        cJSON_AddItemToArray(list, item);
        lfm_json_add_number(item, "devices", (double)load->devices[d]);
        devices = cJSON_AddArrayToObject(item, "device_of_expert");
        for (size_t e = 0; e < E; e++) cJSON_AddItemToArray(devices, cJSON_CreateNumber(device_of[e]));
    }
}

static cJSON *layer_json(const struct lfm_load_subject *subject, size_t layer)
{
    const struct lfm_choices *choices = &subject->load.choices;
    cJSON *object = cJSON_CreateObject(), *load;
    lfm_json_add_number(object, "layer", (double)choices->layers[layer]);
    load = cJSON_AddArrayToObject(object, "load");
    for (size_t e = 0; e < choices->experts; e++)
        cJSON_AddItemToArray(load, cJSON_CreateNumber((double)choices->counts[layer * choices->experts + e] /
                                                      (double)(choices->tokens * choices->per_token)));
    add_row(object, subject, layer);
    add_balanced(object, &subject->load, layer);
    return object;
}

static cJSON *trace_json(const struct lfm_load_subject *subject)
{
    const struct lfm_trace_information *information = about(subject);
    const struct lfm_load *load = &subject->load;
    cJSON *object = cJSON_CreateObject(), *layers;
    lfm_trace_describe(object, information);
    lfm_json_add_number(object, "tokens", (double)load->choices.tokens);
    lfm_json_add_number(object, "documents", (double)load->choices.n_documents);
    cJSON_AddBoolToObject(object, "complete", information->complete);
    lfm_json_add_number(object, "experts", (double)load->choices.experts);
    lfm_json_add_number(object, "top_k", (double)load->choices.per_token);
    lfm_json_add_number(object, "layers_recorded", (double)load->choices.n_layers);
    lfm_json_add_number(object, "layers_with_experts",
                        load->parameters.moe_layers > 0 ? (double)load->parameters.moe_layers : NAN);
    lfm_json_add_number(object, "expert_parameters", load->parameters.expert);
    lfm_json_add_number(object, "expert_bytes", bytes_of(subject, load->parameters.expert));
    lfm_json_add_number(object, "shared_parameters", load->parameters.shared);
    lfm_json_add_number(object, "shared_bytes", bytes_of(subject, load->parameters.shared));
    add_row(object, subject, mean_row(load));
    layers = cJSON_AddArrayToObject(object, "layers");
    for (size_t l = 0; l < load->choices.n_layers; l++) cJSON_AddItemToArray(layers, layer_json(subject, l));
    return object;
}

cJSON *lfm_load_document(const struct lfm_load_subject *subjects, size_t n, const struct lfm_load_options *options,
                         int argc, char **argv)
{
    cJSON *document = lfm_json_document("routing-load", argc, argv), *traces;
    if (!document) return NULL;
    cJSON_AddStringToObject(document, "draw", lfm_draw_name(options->draw));
    lfm_json_add_number(document, "resamples", (double)options->resamples);
    lfm_json_add_number(document, "steps", (double)options->steps);
    lfm_json_add_number(document, "seed", (double)options->seed);
    traces = cJSON_AddArrayToObject(document, "traces");
    for (size_t i = 0; i < n; i++) cJSON_AddItemToArray(traces, trace_json(&subjects[i]));
    return document;
}
