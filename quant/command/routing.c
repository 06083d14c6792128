/* lfmscope routing: what the experts do, from traces. */
#include "quant/command/commands.h"
#include "quant/command/router_report.h"
#include "quant/command/routing_load.h"
#include "quant/routing.h"
#include "quant/trace_compare.h"
#include "reference/base/command.h"
#include "reference/base/memory.h"
#include "reference/trace/reader.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

/* One trace, and how it agrees with the first. */
struct subject {
    struct lfm_trace *trace;
    struct lfm_routing routing;
    struct lfm_router_difference *agreement; /* NULL for the first */
    size_t n_agreement;
};

static const struct lfm_trace_information *about(const struct subject *subject)
{
    return lfm_trace_information(subject->trace);
}

static enum lfm_status read_subjects(struct subject *subjects, const struct lfm_strings *files, struct lfm_error *error)
{
    for (size_t i = 0; i < files->count; i++) {
        struct subject *subject = &subjects[i];
        LFM_TRY(lfm_trace_open(&subject->trace, files->items[i], error));
        if (i > 0) LFM_TRY(lfm_traces_match(subjects[0].trace, subject->trace, error));
        LFM_TRY(lfm_routing_read(&subject->routing, subject->trace, error));
        if (i > 0)
            LFM_TRY(lfm_traces_compare_routers(&subject->agreement, &subject->n_agreement, subjects[0].trace,
                                               subject->trace, error));
    }
    return LFM_OK;
}

/* --- JSON --- */

static void add_array(cJSON *object, const char *key, const double *values, size_t n)
{
    cJSON *array = cJSON_AddArrayToObject(object, key);
    for (size_t i = 0; i < n; i++) cJSON_AddItemToArray(array, cJSON_CreateNumber(values[i]));
}

static cJSON *layer_json(const struct lfm_routing *routing, const struct lfm_routing_layer *layer)
{
    cJSON *object = cJSON_CreateObject();
    lfm_json_add_number(object, "layer", (double)layer->layer);
    lfm_json_add_number(object, "experts", (double)routing->experts);
    lfm_json_add_number(object, "top_k", (double)routing->experts_per_token);
    add_array(object, "load", layer->load, routing->experts);
    add_array(object, "mean_weight", layer->mean_weight, routing->experts);
    lfm_json_add_number(object, "entropy", layer->balance.entropy);
    lfm_json_add_number(object, "entropy_normalized", layer->balance.entropy_normalized);
    lfm_json_add_number(object, "effective_experts", layer->balance.effective);
    lfm_json_add_number(object, "cv", layer->balance.cv);
    lfm_json_add_number(object, "cv_noise", layer->cv_noise);
    lfm_json_add_number(object, "gini", layer->balance.gini);
    lfm_json_add_number(object, "max_violation", layer->balance.max_violation);
    lfm_json_add_number(object, "margin_median", layer->margin_median);
    return object;
}

static cJSON *trace_json(const struct subject *subject)
{
    const struct lfm_trace_information *information = about(subject);
    cJSON *object = cJSON_CreateObject(), *layers;
    cJSON_AddStringToObject(object, "file", information->path);
    cJSON_AddStringToObject(object, "name", information->model);
    cJSON_AddStringToObject(object, "weights", information->weights);
    lfm_json_add_number(object, "bits_per_weight", information->bits_per_weight);
    lfm_json_add_number(object, "tokens", (double)information->tokens);
    cJSON_AddBoolToObject(object, "complete", information->complete);
    layers = cJSON_AddArrayToObject(object, "layers");
    for (size_t i = 0; i < subject->routing.n_layers; i++)
        cJSON_AddItemToArray(layers, layer_json(&subject->routing, &subject->routing.layers[i]));
    return object;
}

static cJSON *pair_json(const struct subject *reference, const struct subject *candidate)
{
    cJSON *object = cJSON_CreateObject();
    cJSON_AddStringToObject(object, "reference", about(reference)->path);
    cJSON_AddStringToObject(object, "candidate", about(candidate)->path);
    lfm_add_router_rows(object, "layers", candidate->agreement, candidate->n_agreement);
    return object;
}

static enum lfm_status print_json(const struct subject *subjects, size_t n, int argc, char **argv,
                                  struct lfm_error *error)
{
    cJSON *document = lfm_json_document("routing", argc, argv);
    cJSON *traces = cJSON_AddArrayToObject(document, "traces"), *pairs = cJSON_AddArrayToObject(document, "pairs");
    for (size_t i = 0; i < n; i++) cJSON_AddItemToArray(traces, trace_json(&subjects[i]));
    for (size_t i = 1; i < n; i++) cJSON_AddItemToArray(pairs, pair_json(&subjects[0], &subjects[i]));
    return lfm_print_document(document, error);
}

/* --- tables --- */

static void print_trace(const struct subject *subject)
{
    const struct lfm_trace_information *information = about(subject);
    const struct lfm_routing *routing = &subject->routing;
    printf("%s: %s, weights %s (%.2f bits), %zu tokens%s, %zu experts, %zu per token\n\n", information->path,
           information->model, information->weights, information->bits_per_weight, information->tokens,
           information->complete ? "" : " (incomplete)", routing->experts, routing->experts_per_token);
    printf("%5s %8s %6s %9s %7s %7s %7s %7s %9s\n", "layer", "entropy", "/ln E", "effective", "cv", "chance", "gini",
           "maxvio", "margin");
    for (size_t i = 0; i < routing->n_layers; i++) {
        const struct lfm_routing_layer *layer = &routing->layers[i];
        printf("%5zu %8.4f %6.3f %9.2f %7.4f %7.4f %7.4f %7.4f %9.6f\n", layer->layer, layer->balance.entropy,
               layer->balance.entropy_normalized, layer->balance.effective, layer->balance.cv, layer->cv_noise,
               layer->balance.gini, layer->balance.max_violation, layer->margin_median);
    }
    printf("\nload, in percent of the choices\nlayer");
    for (size_t e = 0; e < routing->experts; e++) printf(" %5zu", e);
    printf("\n");
    for (size_t i = 0; i < routing->n_layers; i++) {
        printf("%5zu", routing->layers[i].layer);
        for (size_t e = 0; e < routing->experts; e++) printf(" %5.2f", 100 * routing->layers[i].load[e]);
        printf("\n");
    }
}

static void print_agreement(const struct subject *reference, const struct subject *candidate)
{
    printf("\n%s against %s\n\n", about(candidate)->path, about(reference)->path);
    lfm_print_router_rows(candidate->agreement, candidate->n_agreement);
}

int lfm_command_routing(int argc, char **argv)
{
    struct lfm_routing_load_request load = LFM_ROUTING_LOAD_DEFAULTS;
    const struct lfm_option table[] = {LFM_ROUTING_LOAD_OPTIONS(load), {0}};
    const struct lfm_usage usage = {
        .name = "routing",
        .arguments = "T.h5...",
        .summary = "How traces load their experts, and how the routers of further traces agree with the first.",
        .notes =
            "Traces are made with 'lfmscope trace' and must be of the same text. docs/metrics.md has the formulas. With\n"
            "--load each trace is taken for itself: docs/load.md.",
        .options = table,
        .min_arguments = 1,
        .max_arguments = 64,
    };
    struct lfm_common common;
    struct lfm_strings files;
    int exit_code;
    if (!lfm_parse_arguments(&usage, argc, argv, &common, &files, &exit_code)) return exit_code;
    if (lfm_routing_load_asked(&load)) return lfm_routing_load(&usage, &load, &common, &files, argc, argv);

    lfm_catch_interrupts();
    struct lfm_error error;
    struct subject *subjects = NULL;
    enum lfm_status status = LFM_ALLOC(&subjects, files.count, &error);
    if (status == LFM_OK) status = read_subjects(subjects, &files, &error);
    if (status == LFM_OK && common.json) {
        status = print_json(subjects, files.count, argc, argv, &error);
    } else if (status == LFM_OK) {
        for (size_t i = 0; i < files.count; i++) {
            if (i > 0) printf("\n");
            print_trace(&subjects[i]);
        }
        for (size_t i = 1; i < files.count; i++) print_agreement(&subjects[0], &subjects[i]);
    }
    exit_code = lfm_report_status(status, &error);

    for (size_t i = 0; subjects && i < files.count; i++) {
        free(subjects[i].agreement);
        lfm_routing_release(&subjects[i].routing);
        lfm_trace_close(subjects[i].trace);
    }
    free(subjects);
    lfm_strings_release(&files);
    return exit_code;
}
