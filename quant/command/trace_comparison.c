/* compare, when given traces: see trace_comparison.h. */
#include "quant/command/trace_comparison.h"

#include "quant/command/router_report.h"
#include "quant/trace_compare.h"
#include "reference/base/json.h"
#include "reference/trace/reader.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

/* --- JSON --- */

static cJSON *trace_json(const struct lfm_trace *trace)
{
    const struct lfm_trace_information *information = lfm_trace_information(trace);
    cJSON *object = cJSON_CreateObject();
    cJSON_AddStringToObject(object, "file", information->path);
    cJSON_AddStringToObject(object, "name", information->model);
    cJSON_AddStringToObject(object, "weights", information->weights);
    lfm_json_add_number(object, "bits_per_weight", information->bits_per_weight);
    cJSON_AddStringToObject(object, "sha256", information->sha256);
    cJSON_AddBoolToObject(object, "complete", information->complete);
    return object;
}

static cJSON *point_json(const struct lfm_point_difference *row)
{
    cJSON *object = cJSON_CreateObject();
    lfm_json_add_number(object, "layer", (double)row->layer);
    cJSON_AddStringToObject(object, "point", lfm_point_name(row->point));
    lfm_json_add_number(object, "relative_l2", row->relative_l2);
    lfm_json_add_number(object, "cosine", row->cosine);
    lfm_json_add_number(object, "sqnr_db", row->sqnr_db);
    lfm_json_add_number(object, "cka", row->cka);
    lfm_json_add_number(object, "max_channel_error", row->max_channel_error);
    lfm_json_add_number(object, "max_channel", (double)row->max_channel);
    return object;
}

static void add_candidate(cJSON *candidates, const struct lfm_trace *trace,
                          const struct lfm_trace_comparison *comparison)
{
    cJSON *object = trace_json(trace);
    lfm_json_add_number(object, "tokens", (double)comparison->tokens);
    cJSON *points = cJSON_AddArrayToObject(object, "points");
    for (size_t i = 0; i < comparison->n_points; i++) cJSON_AddItemToArray(points, point_json(&comparison->points[i]));
    lfm_add_router_rows(object, "routers", comparison->routers, comparison->n_routers);
    cJSON_AddItemToArray(candidates, object);
}

/* --- table --- */

static void print_number(double value, int width, const char *format)
{
    if (isfinite(value))
        printf(format, width, value);
    else
        printf(" %*s", width, "-");
}

static void print_table(const struct lfm_trace *reference, const struct lfm_trace *candidate,
                        const struct lfm_trace_comparison *comparison)
{
    const struct lfm_trace_information *x = lfm_trace_information(reference), *y = lfm_trace_information(candidate);
    printf("%s (weights %s, %.2f bits) against %s (weights %s, %.2f bits), %zu tokens\n\n", y->path, y->weights,
           y->bits_per_weight, x->path, x->weights, x->bits_per_weight, comparison->tokens);
    printf("%5s %-14s %11s %11s %9s %9s  %s\n", "layer", "point", "relative L2", "cosine", "SQNR dB", "CKA",
           "largest channel error");
    for (size_t i = 0; i < comparison->n_points; i++) {
        const struct lfm_point_difference *row = &comparison->points[i];
        printf("%5zu %-14s", row->layer, lfm_point_name(row->point));
        print_number(row->relative_l2, 11, " %*.3e");
        print_number(row->cosine, 11, " %*.8f");
        print_number(row->sqnr_db, 9, " %*.2f");
        print_number(row->cka, 9, " %*.6f");
        print_number(row->max_channel_error, 11, " %*.3e");
        printf(" (%zu)\n", row->max_channel);
    }
    if (comparison->n_routers == 0) return;
    printf("\n");
    lfm_print_router_rows(comparison->routers, comparison->n_routers);
}

static enum lfm_status compare_with_progress(struct lfm_trace_comparison *comparison, const struct lfm_trace *reference,
                                             const struct lfm_trace *candidate, bool quiet, struct lfm_error *error)
{
    struct lfm_progress progress;
    LFM_TRY(lfm_traces_match(reference, candidate, error));
    lfm_progress_start(&progress, "comparing", "points", (double)lfm_traces_points(reference, candidate), quiet);
    enum lfm_status status = lfm_traces_compare(comparison, reference, candidate, &progress, error);
    lfm_progress_finish(&progress);
    return status;
}

/* Opens one candidate, compares it, and adds it to the JSON or prints its table. */
static enum lfm_status run_candidate(const struct lfm_trace *reference, const char *file, bool first, bool quiet,
                                     cJSON *candidates, struct lfm_error *error)
{
    struct lfm_trace *candidate = NULL;
    struct lfm_trace_comparison comparison = {0};
    enum lfm_status status = lfm_trace_open(&candidate, file, error);
    if (status == LFM_OK) status = compare_with_progress(&comparison, reference, candidate, quiet, error);
    if (status == LFM_OK && candidates) add_candidate(candidates, candidate, &comparison);
    if (status == LFM_OK && !candidates) {
        if (!first) printf("\n");
        print_table(reference, candidate, &comparison);
    }
    lfm_trace_comparison_release(&comparison);
    lfm_trace_close(candidate);
    return status;
}

int lfm_run_trace_comparison(const struct lfm_common *common, const struct lfm_strings *files, int argc, char **argv)
{
    struct lfm_error error;
    struct lfm_trace *reference = NULL;
    cJSON *document = NULL, *candidates = NULL;
    lfm_catch_interrupts();
    enum lfm_status status = lfm_trace_open(&reference, files->items[0], &error);
    if (status == LFM_OK && common->json) {
        document = lfm_json_document("trace-compare", argc, argv);
        cJSON_AddItemToObject(document, "reference", trace_json(reference));
        lfm_json_add_number(document, "tokens", (double)lfm_trace_information(reference)->tokens);
        candidates = cJSON_AddArrayToObject(document, "candidates");
    }
    for (size_t i = 1; i < files->count && status == LFM_OK; i++)
        status = run_candidate(reference, files->items[i], i == 1, common->quiet, candidates, &error);
    if (status == LFM_OK && document)
        status = lfm_print_document(document, &error);
    else
        cJSON_Delete(document);
    lfm_trace_close(reference);
    return lfm_report_status(status, &error);
}
