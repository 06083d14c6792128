/* Results of `compare` as JSON and as tables: see compare_report.h. */
#include "quant/command/compare_report.h"

#include "quant/command/inject_report.h"
#include "quant/command/router_report.h"
#include "reference/command/model_options.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* --- JSON --- */

static void add_kld(cJSON *object, const struct lfm_compare_figures *figures)
{
    const struct lfm_distribution *distribution = &figures->kld_distribution;
    cJSON *kld = cJSON_AddObjectToObject(object, "kld");
    lfm_json_add_number(kld, "mean", figures->kld.mean);
    lfm_json_add_number(kld, "stderr", figures->kld.error);
    lfm_json_add_number(kld, "median", distribution->median);
    lfm_json_add_number(kld, "p90", distribution->p90);
    lfm_json_add_number(kld, "p95", distribution->p95);
    lfm_json_add_number(kld, "p99", distribution->p99);
    lfm_json_add_number(kld, "p99_9", distribution->p99_9);
    lfm_json_add_number(kld, "max", distribution->max);
    cJSON *bootstrap = cJSON_AddObjectToObject(object, "kld_bootstrap");
    lfm_json_add_number(bootstrap, "low", figures->kld_low);
    lfm_json_add_number(bootstrap, "high", figures->kld_high);
}

static void add_curve(cJSON *object, const struct lfm_distribution *distribution)
{
    cJSON *curve = cJSON_AddArrayToObject(object, "kld_cumulative");
    for (size_t i = 0; i < distribution->n_points; i++)
        cJSON_AddItemToArray(curve, cJSON_CreateDoubleArray(distribution->curve[i], 2));
}

static void add_router(cJSON *object, const struct lfm_router_figures *figures)
{
    if (isnan(figures->overlap)) return;
    lfm_add_router_figures(cJSON_AddObjectToObject(object, "router"), figures);
}

static void add_layers(cJSON *object, const struct lfm_comparison *comparison)
{
    const struct lfm_config *config = &comparison->model->config;
    if (!comparison->layers) return;
    cJSON *layers = cJSON_AddArrayToObject(object, "layers");
    for (size_t l = 0; l < config->num_hidden_layers; l++) {
        const struct lfm_layer_sums *sums = &comparison->layers[l];
        struct lfm_router_figures router = lfm_router_figures(&sums->router);
        cJSON *layer = cJSON_CreateObject();
        cJSON_AddNumberToObject(layer, "layer", (double)l);
        cJSON_AddStringToObject(layer, "operator", config->layer_types[l] == LFM_CONV ? "conv" : "attention");
        lfm_json_add_number(layer, "relative_l2", lfm_relative_l2(&sums->residual));
        lfm_json_add_number(layer, "cosine", lfm_cosine(&sums->residual));
        lfm_json_add_number(layer, "sqnr_db", lfm_sqnr_db(&sums->residual));
        add_router(layer, &router);
        cJSON_AddItemToArray(layers, layer);
    }
}

static enum lfm_status add_labels(cJSON *object, const struct lfm_compare_result *result,
                                  const struct lfm_comparison *comparison, struct lfm_error *error)
{
    const struct lfm_positions *positions = &result->text->positions;
    if (positions->n_names == 0) return LFM_OK;
    cJSON *labels = cJSON_AddArrayToObject(object, "labels");
    for (size_t i = 0; i < positions->n_names; i++) {
        struct lfm_label_figures figures;
        LFM_TRY(lfm_label_figures(&figures, comparison, result->reference_nll, positions, (uint32_t)i, error));
        cJSON *label = cJSON_CreateObject();
        cJSON_AddStringToObject(label, "label", positions->names[i].name);
        cJSON_AddNumberToObject(label, "positions", (double)positions->names[i].positions);
        cJSON_AddNumberToObject(label, "documents", (double)positions->names[i].documents);
        lfm_json_add_number(label, "kld_mean", figures.kld.mean);
        lfm_json_add_number(label, "kld_stderr", figures.kld.error);
        lfm_json_add_number(label, "perplexity", figures.perplexity);
        lfm_json_add_number(label, "reference_perplexity", figures.reference_perplexity);
        lfm_json_add_number(label, "perplexity_ratio", figures.ratio.mean);
        lfm_json_add_number(label, "perplexity_ratio_stderr", figures.ratio.error);
        lfm_json_add_number(label, "top1_agreement", figures.top1);
        cJSON_AddItemToArray(labels, label);
    }
    return LFM_OK;
}

static enum lfm_status add_candidate(cJSON *candidates, const struct lfm_compare_result *result, size_t c,
                                     struct lfm_error *error)
{
    const struct lfm_compare_figures *figures = &result->figures[c];
    cJSON *object = cJSON_CreateObject();
    cJSON_AddItemToArray(candidates, object);
    lfm_add_model(object, result->names[c], result->candidates[c]);
    lfm_json_add_number(object, "perplexity", figures->perplexity);
    lfm_json_add_number(object, "perplexity_ratio", figures->ratio.mean);
    lfm_json_add_number(object, "perplexity_ratio_stderr", figures->ratio.error);
    lfm_json_add_number(object, "nll_mean", figures->nll_mean);
    add_kld(object, figures);
    lfm_json_add_number(object, "top1_agreement", figures->top1.mean);
    lfm_json_add_number(object, "top1_agreement_stderr", figures->top1.error);
    lfm_json_add_number(object, "top5_overlap", figures->top5_overlap);
    cJSON *delta_p = cJSON_AddObjectToObject(object, "delta_p");
    lfm_json_add_number(delta_p, "mean", figures->delta_p_mean);
    lfm_json_add_number(delta_p, "rms", figures->delta_p_rms);
    add_router(object, &figures->router);
    add_layers(object, &result->comparisons[c]);
    if (result->injections) lfm_add_injection(object, &result->injections[c]);
    LFM_TRY(add_labels(object, result, &result->comparisons[c], error));
    add_curve(object, &figures->kld_distribution);
    return LFM_OK;
}

static struct lfm_estimate reference_nll(const struct lfm_compare_result *result)
{
    const struct lfm_positions *positions = &result->text->positions;
    return lfm_clustered_mean(result->reference_nll, positions->clusters, positions->count);
}

enum lfm_status lfm_compare_print_json(const struct lfm_compare_result *result, int argc, char **argv,
                                       struct lfm_error *error)
{
    struct lfm_estimate nll = reference_nll(result), perplexity = lfm_exponential(nll);
    cJSON *document = lfm_json_document("compare", argc, argv);
    cJSON_AddNumberToObject(document, "positions", (double)result->text->positions.count);
    lfm_text_add_json(document, result->text);
    cJSON_AddNumberToObject(document, "tokens", (double)result->text->windows.n_tokens);
    cJSON *reference = cJSON_AddObjectToObject(document, "reference");
    lfm_add_model(reference, result->reference->checkpoint->name, result->reference);
    lfm_json_add_number(reference, "perplexity", perplexity.mean);
    lfm_json_add_number(reference, "perplexity_stderr", perplexity.error);
    lfm_json_add_number(reference, "nll_mean", nll.mean);
    cJSON *candidates = cJSON_AddArrayToObject(document, "candidates");
    for (size_t c = 0; c < result->n; c++) {
        enum lfm_status status = add_candidate(candidates, result, c, error);
        if (status != LFM_OK) {
            cJSON_Delete(document);
            return status;
        }
    }
    return lfm_print_document(document, error);
}

/* --- tables --- */

/* A number in so many significant digits, or "-". */
static const char *show(char text[32], const char *format, double value)
{
    if (!isfinite(value)) return "-";
    snprintf(text, 32, format, value);
    return text;
}

static double mebibytes(struct lfm_model *model)
{
    return (double)lfm_model_bytes(model) / (1024.0 * 1024.0);
}

static int name_width(const struct lfm_compare_result *result)
{
    size_t width = strlen("candidate");
    for (size_t c = 0; c < result->n; c++)
        if (strlen(result->names[c]) > width) width = strlen(result->names[c]);
    return width < 60 ? (int)width : 60;
}

static void print_reference(const struct lfm_compare_result *result)
{
    char text[32];
    struct lfm_estimate perplexity = lfm_exponential(reference_nll(result));
    printf("reference %s: %s, activations %s, cache %s, %.2f bits per weight, %.2f MiB, perplexity %.4f +- %s\n",
           result->reference->checkpoint->name, lfm_weights_name(result->reference),
           lfm_activations_name(result->reference->activations), result->reference->kv->name,
           lfm_model_bits_per_weight(result->reference), mebibytes(result->reference), perplexity.mean,
           show(text, "%.4f", perplexity.error));
    printf("%zu positions of %zu document%s, windows of %zu tokens, score %s\n", result->text->positions.count,
           result->text->windows.n_documents, result->text->windows.n_documents == 1 ? "" : "s",
           result->text->windows.options.context, lfm_text_score_name(result->text));
    lfm_text_print_left_out(result->text);
    printf("\n");
}

static void print_candidate(const struct lfm_compare_result *result, size_t c, int width)
{
    char error[32], kld_error[32], overlap[32];
    const struct lfm_compare_figures *figures = &result->figures[c];
    printf("%-*s %5.2f %8.2f %10.4f %8.5f %7s  %8.2e %8s %8.2e %8.2e %8.2e %7.4f %7s\n", width, result->names[c],
           lfm_model_bits_per_weight(result->candidates[c]), mebibytes(result->candidates[c]), figures->perplexity,
           figures->ratio.mean, show(error, "%.5f", figures->ratio.error), figures->kld.mean,
           show(kld_error, "%.2e", figures->kld.error), figures->kld_distribution.median, figures->kld_distribution.p99,
           figures->kld_distribution.max, figures->top1.mean, show(overlap, "%.4f", figures->router.overlap));
}

static int label_width(const char *name)
{
    size_t length = strlen(name);
    return length < 10 ? 10 : (int)length;
}

static enum lfm_status print_labels(const struct lfm_compare_result *result, struct lfm_error *error)
{
    const struct lfm_positions *positions = &result->text->positions;
    printf("\nmean KLD by label\n%-16s %9s %9s", "label", "documents", "positions");
    for (size_t c = 0; c < result->n; c++) printf(" %*s", label_width(result->names[c]), result->names[c]);
    printf("\n");
    for (size_t i = 0; i < positions->n_names; i++) {
        const struct lfm_position_label *label = &positions->names[i];
        char shown[LFM_SHOWN];
        printf("%-16s %9zu %9zu", lfm_show(shown, label->name), label->documents, label->positions);
        for (size_t c = 0; c < result->n; c++) {
            struct lfm_label_figures figures;
            LFM_TRY(lfm_label_figures(&figures, &result->comparisons[c], result->reference_nll, positions, (uint32_t)i,
                                      error));
            printf(" %*.2e", label_width(result->names[c]), figures.kld.mean);
        }
        printf("\n");
    }
    return LFM_OK;
}

enum lfm_status lfm_compare_print_tables(const struct lfm_compare_result *result, struct lfm_error *error)
{
    int width = name_width(result);
    print_reference(result);
    printf("%-*s %5s %8s %10s %8s %7s  %8s %8s %8s %8s %8s %7s %7s\n", width, "candidate", "bits", "MiB", "perplexity",
           "ratio", "+-", "KLD mean", "+-", "median", "p99", "max", "top-1", "router");
    for (size_t c = 0; c < result->n; c++) print_candidate(result, c, width);
    if (result->text->positions.n_names > 0) LFM_TRY(print_labels(result, error));
    for (size_t c = 0; result->injections && c < result->n; c++)
        lfm_print_injection(result->names[c], &result->injections[c]);
    return LFM_OK;
}
