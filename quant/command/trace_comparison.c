/* compare, when given traces: see trace_comparison.h. */
#include "quant/command/trace_comparison.h"

#include "quant/command/router_report.h"
#include "quant/trace_compare.h"
#include "reference/base/json.h"
#include "reference/base/memory.h"
#include "reference/trace/reader.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- JSON --- */

static cJSON *trace_json(const struct lfm_trace *trace)
{
    const struct lfm_trace_information *information = lfm_trace_information(trace);
    cJSON *object = cJSON_CreateObject();
    lfm_trace_describe(object, information);
    cJSON_AddStringToObject(object, "sha256", information->sha256);
    cJSON_AddBoolToObject(object, "complete", information->complete);
    lfm_json_add_number(object, "tokens_readable", (double)information->tokens);
    lfm_json_add_number(object, "tokens_planned", (double)information->planned);
    return object;
}

static void add_token(cJSON *object, const char *key, size_t token)
{
    lfm_json_add_number(object, key, token == LFM_NO_TOKEN ? NAN : (double)token);
}

static void add_outliers(cJSON *object, const char *key, const struct lfm_channel_outliers *outliers)
{
    cJSON *inside = cJSON_AddObjectToObject(object, key);
    lfm_json_add_number(inside, "median", outliers->median);
    lfm_json_add_number(inside, "count", (double)outliers->count);
    cJSON *channels = cJSON_AddArrayToObject(inside, "channels");
    for (size_t i = 0; i < outliers->n_listed; i++) {
        cJSON *channel = cJSON_CreateObject();
        lfm_json_add_number(channel, "channel", (double)outliers->listed[i].channel);
        lfm_json_add_number(channel, "rms", outliers->listed[i].rms);
        lfm_json_add_number(channel, "times_median", outliers->listed[i].times_median);
        cJSON_AddItemToArray(channels, channel);
    }
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
    lfm_json_add_number(object, "tokens_above", (double)row->token_errors.above);
    add_token(object, "first_token", row->token_errors.first);
    lfm_json_add_number(object, "first_value", row->token_errors.above > 0 ? row->token_errors.first_value : NAN);
    lfm_json_add_number(object, "max_token_error", row->token_errors.worst_value);
    add_token(object, "max_token", row->token_errors.worst);
    add_outliers(object, "error_outliers", &row->error_outliers);
    add_outliers(object, "magnitude_outliers", &row->magnitude_outliers);
    return object;
}

/* Where the traces part first; null when they do not. */
static void add_divergence(cJSON *object, const char *key, const struct lfm_divergence *first)
{
    if (!first->found) {
        cJSON_AddNullToObject(object, key);
        return;
    }
    cJSON *inside = cJSON_AddObjectToObject(object, key);
    lfm_json_add_number(inside, "layer", (double)first->layer);
    cJSON_AddStringToObject(inside, "point", lfm_point_name(first->point));
    lfm_json_add_number(inside, "token", (double)first->token);
    lfm_json_add_number(inside, "document", first->document);
    lfm_json_add_number(inside, "position", first->position);
    lfm_json_add_number(inside, "id", first->id);
    lfm_json_add_number(inside, "value", first->value);
}

static void add_missing(cJSON *object, const struct lfm_trace_comparison *comparison)
{
    cJSON *list = cJSON_AddArrayToObject(object, "missing");
    for (size_t i = 0; i < comparison->n_missing; i++) {
        cJSON *entry = cJSON_CreateObject();
        lfm_json_add_number(entry, "layer", (double)comparison->missing[i].layer);
        cJSON_AddStringToObject(entry, "point", lfm_point_name(comparison->missing[i].point));
        cJSON_AddStringToObject(entry, "only_in", comparison->missing[i].in_reference ? "reference" : "candidate");
        cJSON_AddItemToArray(list, entry);
    }
}

static void add_candidate(cJSON *candidates, const struct lfm_trace *trace,
                          const struct lfm_trace_comparison *comparison)
{
    cJSON *object = trace_json(trace);
    lfm_json_add_number(object, "tokens", (double)comparison->tokens);
    add_divergence(object, "first", &comparison->first);
    add_divergence(object, "first_in_text", &comparison->first_in_text);
    add_missing(object, comparison);
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

static void print_points(const struct lfm_trace_comparison *comparison)
{
    printf("%5s %-14s %11s %11s %9s %9s  %-21s %8s %7s\n", "layer", "point", "relative L2", "cosine", "SQNR dB", "CKA",
           "largest channel error", "above", "first");
    for (size_t i = 0; i < comparison->n_points; i++) {
        const struct lfm_point_difference *row = &comparison->points[i];
        char channel[32];
        snprintf(channel, sizeof channel, " (%zu)", row->max_channel);
        printf("%5zu %-14s", row->layer, lfm_point_name(row->point));
        print_number(row->relative_l2, 11, " %*.3e");
        print_number(row->cosine, 11, " %*.8f");
        print_number(row->sqnr_db, 9, " %*.2f");
        print_number(row->cka, 9, " %*.6f");
        print_number(row->max_channel_error, 11, " %*.3e");
        printf("%-11s %8zu", channel, row->token_errors.above);
        if (row->token_errors.above > 0) printf(" %7zu\n", row->token_errors.first);
        else printf(" %7s\n", "-");
    }
}

static void print_divergence(const char *what, const struct lfm_divergence *first)
{
    printf("%s: layer %zu, %s, token %zu (position %d of document %d, id %d): ", what, first->layer,
           lfm_point_name(first->point), first->token, (int)first->position, (int)first->document, (int)first->id);
    if (isfinite(first->value)) printf("%.3e\n", first->value);
    else printf("not finite\n");
}

static void print_first(const struct lfm_trace_comparison *comparison)
{
    if (comparison->n_points == 0) return;
    printf("\n");
    if (!comparison->first.found) {
        printf("no token is above the tolerance of %g at any point\n", comparison->options.tolerance);
        return;
    }
    printf("tokens whose relative L2 error is above the tolerance of %g:\n", comparison->options.tolerance);
    print_divergence("the first by layer, point and token", &comparison->first);
    print_divergence("the first in the text", &comparison->first_in_text);
}

/* "residual (layers 0, 1), q (layer 2)" of what one side lacks. */
static void print_missing(const struct lfm_trace_comparison *comparison, bool in_reference)
{
    bool any = false;
    for (int p = 0; p < LFM_POINT_COUNT; p++) {
        bool started = false;
        for (size_t i = 0; i < comparison->n_missing; i++) {
            const struct lfm_missing_point *missing = &comparison->missing[i];
            if (missing->point != (enum lfm_point)p || missing->in_reference != in_reference) continue;
            if (!any) printf("\nonly in the %s, not compared:", in_reference ? "reference" : "candidate");
            if (!started) printf("%s %s (layer %zu", any ? "," : "", lfm_point_name(missing->point), missing->layer);
            else printf(", %zu", missing->layer);
            any = started = true;
        }
        if (started) printf(")");
    }
    if (any) printf("\n");
}

struct ranked {
    const struct lfm_point_difference *row;
    const struct lfm_channel_outlier *outlier;
};

static int by_times_median(const void *left, const void *right)
{
    double a = ((const struct ranked *)left)->outlier->times_median;
    double b = ((const struct ranked *)right)->outlier->times_median;
    return a > b ? -1 : a < b;
}

enum { OUTLIERS_SHOWN = 8 };

/* The channels that stand out most, over all points. */
static enum lfm_status print_outliers(const struct lfm_trace_comparison *comparison, bool errors, struct lfm_error *error)
{
    struct ranked *ranked;
    size_t n = 0, all = 0;
    LFM_TRY(LFM_ALLOC(&ranked, comparison->n_points * LFM_OUTLIERS_LISTED, error));
    for (size_t i = 0; i < comparison->n_points; i++) {
        const struct lfm_point_difference *row = &comparison->points[i];
        const struct lfm_channel_outliers *outliers = errors ? &row->error_outliers : &row->magnitude_outliers;
        all += outliers->count;
        for (size_t j = 0; j < outliers->n_listed; j++) ranked[n++] = (struct ranked){row, &outliers->listed[j]};
    }
    qsort(ranked, n, sizeof *ranked, by_times_median);
    printf("\n%zu channels with more than %g times their point's median RMS of the %s%s\n", all,
           comparison->options.outliers, errors ? "error" : "reference", n > 0 ? "; the largest:" : "");
    if (n > 0) printf("%5s %-14s %7s %11s %12s\n", "layer", "point", "channel", "RMS", "times median");
    for (size_t i = 0; i < n && i < OUTLIERS_SHOWN; i++) {
        const struct ranked *entry = &ranked[i];
        printf("%5zu %-14s %7zu", entry->row->layer, lfm_point_name(entry->row->point), entry->outlier->channel);
        print_number(entry->outlier->rms, 11, " %*.3e");
        print_number(entry->outlier->times_median, 12, " %*.2f");
        printf("\n");
    }
    free(ranked);
    return LFM_OK;
}

static void print_identity(const struct lfm_trace_information *trace)
{
    printf("%s (weights %s", trace->path, trace->weights);
    if (trace->activations && strcmp(trace->activations, "f32") != 0) printf(", activations %s", trace->activations);
    if (trace->kv && strcmp(trace->kv, "f32") != 0) printf(", kv %s", trace->kv);
    printf(", %.2f bits)", trace->bits_per_weight);
}

static enum lfm_status print_table(const struct lfm_trace *reference, const struct lfm_trace *candidate,
                                   const struct lfm_trace_comparison *comparison, struct lfm_error *error)
{
    const struct lfm_trace_information *x = lfm_trace_information(reference), *y = lfm_trace_information(candidate);
    print_identity(y);
    printf(" against ");
    print_identity(x);
    printf(", %zu tokens\n\n", comparison->tokens);
    if (comparison->n_points > 0) print_points(comparison);
    print_first(comparison);
    print_missing(comparison, true);
    print_missing(comparison, false);
    if (comparison->n_points > 0) {
        LFM_TRY(print_outliers(comparison, true, error));
        LFM_TRY(print_outliers(comparison, false, error));
    }
    if (comparison->n_routers == 0) return LFM_OK;
    printf("\n");
    lfm_print_router_rows(comparison->routers, comparison->n_routers);
    return LFM_OK;
}

/* --- running --- */

/* An incomplete trace is compared as far as it goes, which is not passed over in silence. */
static void tell_incomplete(const struct lfm_trace *trace, size_t tokens)
{
    const struct lfm_trace_information *information = lfm_trace_information(trace);
    if (!information->complete)
        fprintf(stderr, "lfmscope: '%s' is incomplete: %zu of %zu tokens are readable, %zu are compared\n",
                information->path, information->tokens, information->planned, tokens);
}

static enum lfm_status compare_with_progress(struct lfm_trace_comparison *comparison, const struct lfm_trace *reference,
                                             const struct lfm_trace *candidate,
                                             const struct lfm_trace_compare_options *options, bool quiet,
                                             struct lfm_error *error)
{
    struct lfm_progress progress;
    size_t tokens;
    LFM_TRY(lfm_traces_overlap(&tokens, reference, candidate, error));
    if (!quiet) {
        tell_incomplete(reference, tokens);
        tell_incomplete(candidate, tokens);
    }
    lfm_progress_start(&progress, "comparing", "points", (double)lfm_traces_points(reference, candidate), quiet);
    enum lfm_status status = lfm_traces_compare(comparison, reference, candidate, options, &progress, error);
    lfm_progress_finish(&progress);
    return status;
}

/* Opens one candidate, compares it, and adds it to the JSON or prints its table. */
static enum lfm_status run_candidate(const struct lfm_trace *reference, const char *file, bool first,
                                     const struct lfm_trace_compare_options *options, bool quiet, cJSON *candidates,
                                     struct lfm_error *error)
{
    struct lfm_trace *candidate = NULL;
    struct lfm_trace_comparison comparison = {0};
    enum lfm_status status = lfm_trace_open(&candidate, file, error);
    if (status == LFM_OK) status = compare_with_progress(&comparison, reference, candidate, options, quiet, error);
    if (status == LFM_OK && candidates) add_candidate(candidates, candidate, &comparison);
    if (status == LFM_OK && !candidates) {
        if (!first) printf("\n");
        status = print_table(reference, candidate, &comparison, error);
    }
    lfm_trace_comparison_release(&comparison);
    lfm_trace_close(candidate);
    return status;
}

int lfm_run_trace_comparison(const struct lfm_common *common, const struct lfm_strings *files,
                             const struct lfm_trace_compare_options *options, int argc, char **argv)
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
        lfm_json_add_number(document, "tolerance", options->tolerance);
        lfm_json_add_number(document, "outlier_multiple", options->outliers);
        candidates = cJSON_AddArrayToObject(document, "candidates");
    }
    for (size_t i = 1; i < files->count && status == LFM_OK; i++)
        status = run_candidate(reference, files->items[i], i == 1, options, common->quiet, candidates, &error);
    if (status == LFM_OK && document)
        status = lfm_print_document(document, &error);
    else
        cJSON_Delete(document);
    lfm_trace_close(reference);
    return lfm_report_status(status, &error);
}
