/* Results of `ledger` as JSON and as tables: see ledger_report.h. */
#include "quant/command/ledger_report.h"

#include "reference/command/model_options.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* --- JSON --- */

/* "<key>" and "<key>_stderr". */
static void add_estimate(cJSON *object, const char *key, struct lfm_estimate estimate)
{
    char error_key[64];
    snprintf(error_key, sizeof error_key, "%s_stderr", key);
    lfm_json_add_number(object, key, estimate.mean);
    lfm_json_add_number(object, error_key, estimate.error);
}

static void add_cell(cJSON *cells, const char *key, const struct lfm_cell_figures *figures)
{
    cJSON *cell = cJSON_AddObjectToObject(cells, key);
    add_estimate(cell, "kld", figures->kld);
    add_estimate(cell, "perplexity", figures->perplexity);
    lfm_json_add_number(cell, "nll_mean", figures->nll.mean);
}

/* The split of the whole loss. */
static void add_split(cJSON *object, const struct lfm_split *split)
{
    add_estimate(object, "loss", split->loss);
    cJSON *phi = cJSON_AddObjectToObject(object, "phi");
    add_estimate(phi, "routing", split->routing);
    add_estimate(phi, "arithmetic", split->rest);
    cJSON *shares = cJSON_AddObjectToObject(object, "shares");
    lfm_json_add_number(shares, "routing", split->routing_share.mean);
    lfm_json_add_number(shares, "arithmetic", split->rest_share.mean);
    lfm_json_add_number(object, "shares_stderr", split->routing_share.error);
    add_estimate(object, "interaction", split->interaction);
}

static void add_part(cJSON *object, const struct lfm_ledger_part *part, const struct lfm_part_figures *figures)
{
    cJSON_AddNumberToObject(object, "decisions", (double)part->decisions);
    cJSON_AddNumberToObject(object, "changed", (double)part->changed);
    cJSON *cells = cJSON_AddObjectToObject(object, "cells");
    add_cell(cells, "ref_cand", &figures->ref_cand);
    add_cell(cells, "cand_ref", &figures->cand_ref);
    cJSON *phi = cJSON_AddObjectToObject(object, "phi");
    add_estimate(phi, "routing", figures->kld.routing);
    add_estimate(phi, "rest", figures->kld.rest);
    add_estimate(object, "share", figures->kld.routing_share);
    add_estimate(object, "interaction", figures->kld.interaction);
}

static const char *operator_name(const struct lfm_ledger_result *result, size_t layer)
{
    return result->reference->config.layer_types[layer] == LFM_CONV ? "conv" : "attention";
}

static size_t layers_with_experts(const struct lfm_ledger_result *result)
{
    return result->reference->config.num_hidden_layers - result->reference->config.num_dense_layers;
}

/* Parts that cover all decisions have a remainder. */
static void add_total(cJSON *document, const char *key, const struct lfm_parts_total *total, bool complete)
{
    cJSON *object = cJSON_AddObjectToObject(document, key);
    cJSON_AddNumberToObject(object, "parts", (double)total->n);
    add_estimate(object, "routing", total->routing);
    if (complete) add_estimate(object, "remainder", total->remainder);
}

static void add_parts(cJSON *document, const struct lfm_ledger_result *result)
{
    const struct lfm_ledger_figures *figures = result->figures;
    cJSON *layers = figures->layers.n > 0 ? cJSON_AddArrayToObject(document, "layers") : NULL;
    cJSON *margins = figures->margins.n > 0 ? cJSON_AddArrayToObject(document, "margins") : NULL;
    for (size_t i = 1; i < result->ledger->n_parts; i++) {
        const struct lfm_ledger_part *part = &result->ledger->parts[i];
        cJSON *object = cJSON_CreateObject();
        if (part->kind == LFM_LEDGER_LAYER) {
            cJSON_AddNumberToObject(object, "layer", (double)part->layer);
            cJSON_AddStringToObject(object, "operator", operator_name(result, part->layer));
        } else {
            cJSON_AddNumberToObject(object, "low", part->low);
            lfm_json_add_number(object, "high", part->high);
        }
        add_part(object, part, &figures->parts[i]);
        cJSON_AddItemToArray(part->kind == LFM_LEDGER_LAYER ? layers : margins, object);
    }
    if (layers) add_total(document, "layers_total", &figures->layers, figures->layers.n == layers_with_experts(result));
    if (margins) add_total(document, "margins_total", &figures->margins, true);
}

static enum lfm_status add_labels(cJSON *document, const struct lfm_ledger_result *result, struct lfm_error *error)
{
    const struct lfm_positions *positions = &result->text->positions;
    if (positions->n_names == 0) return LFM_OK;
    cJSON *labels = cJSON_AddArrayToObject(document, "labels");
    for (size_t i = 0; i < positions->n_names; i++) {
        struct lfm_split split;
        LFM_TRY(lfm_split_label(&split, result->ledger, positions, (uint32_t)i, error));
        cJSON *label = cJSON_CreateObject();
        cJSON_AddItemToArray(labels, label);
        cJSON_AddStringToObject(label, "label", positions->names[i].name);
        cJSON_AddNumberToObject(label, "positions", (double)positions->names[i].positions);
        cJSON_AddNumberToObject(label, "documents", (double)positions->names[i].documents);
        add_split(label, &split);
    }
    return LFM_OK;
}

static void add_all(cJSON *document, const struct lfm_ledger_result *result)
{
    const struct lfm_ledger_figures *figures = result->figures;
    const struct lfm_part_figures *all = &figures->parts[0];
    cJSON *cells = cJSON_AddObjectToObject(document, "cells");
    add_cell(cells, "ref_ref", &figures->ref_ref);
    add_cell(cells, "ref_cand", &all->ref_cand);
    add_cell(cells, "cand_ref", &all->cand_ref);
    add_cell(cells, "cand_cand", &figures->cand_cand);
    add_split(document, &all->kld);
    add_split(cJSON_AddObjectToObject(document, "nll"), &all->nll);
}

enum lfm_status lfm_ledger_print_json(const struct lfm_ledger_result *result, int argc, char **argv,
                                      struct lfm_error *error)
{
    const struct lfm_ledger *ledger = result->ledger;
    cJSON *document = lfm_json_document("ledger", argc, argv);
    cJSON_AddNumberToObject(document, "positions", (double)ledger->positions);
    lfm_text_add_json(document, result->text);
    cJSON_AddNumberToObject(document, "tokens", (double)result->text->windows.n_tokens);
    cJSON_AddStringToObject(document, "replay", lfm_replay_name(ledger->mode));
    cJSON_AddNumberToObject(document, "decisions", (double)ledger->parts[0].decisions);
    cJSON_AddNumberToObject(document, "changed", (double)ledger->parts[0].changed);
    lfm_add_model(cJSON_AddObjectToObject(document, "reference"), result->reference->checkpoint->name, result->reference);
    cJSON *candidate = cJSON_AddObjectToObject(document, "candidate");
    lfm_add_model(candidate, result->name, result->candidate);
    add_all(document, result);
    add_parts(document, result);
    enum lfm_status status = add_labels(document, result, error);
    if (status == LFM_OK) return lfm_print_document(document, error);
    cJSON_Delete(document);
    return status;
}

/* --- tables --- */

/* A number in so many significant digits, or "-". */
static const char *show(char text[32], const char *format, double value)
{
    if (!isfinite(value)) return "-";
    snprintf(text, 32, format, value);
    return text;
}

static void print_model(const char *role, const char *name, struct lfm_model *model)
{
    printf("%s %s: %s, activations %s, cache %s, %.2f bits per weight\n", role, name, lfm_weights_name(model),
           lfm_activations_name(model->activations), model->kv->name, lfm_model_bits_per_weight(model));
}

static void print_header(const struct lfm_ledger_result *result)
{
    const struct lfm_ledger_part *all = &result->ledger->parts[0];
    print_model("reference", result->reference->checkpoint->name, result->reference);
    print_model("candidate", result->name, result->candidate);
    printf("%zu positions of %zu document%s, windows of %zu tokens, score %s\n", result->text->positions.count,
           result->text->windows.n_documents, result->text->windows.n_documents == 1 ? "" : "s",
           result->text->windows.options.context, lfm_text_score_name(result->text));
    lfm_text_print_left_out(result->text);
    printf("%zu of %zu router decisions changed (%.2f %%); replay: %s\n\n", all->changed, all->decisions,
           100 * (double)all->changed / (double)all->decisions, lfm_replay_name(result->ledger->mode));
}

static void print_cell(const struct lfm_cell_figures *cell)
{
    char kld[32], error[32], text[80];
    snprintf(text, sizeof text, "%s +- %s", show(kld, "%.3e", cell->kld.mean), show(error, "%.1e", cell->kld.error));
    printf("   %-21s %10.4f", text, cell->perplexity.mean);
}

static void print_cells(const struct lfm_ledger_figures *figures)
{
    printf("%-21s   %-32s   %s\n", "", "routing of the reference", "routing of the candidate");
    printf("%-21s   %-21s %10s   %-21s %10s\n", "", "KLD, nats", "perplexity", "KLD, nats", "perplexity");
    printf("%-21s", "weights of reference");
    print_cell(&figures->ref_ref);
    print_cell(&figures->parts[0].ref_cand);
    printf("\n%-21s", "weights of candidate");
    print_cell(&figures->parts[0].cand_ref);
    print_cell(&figures->cand_cand);
    printf("\n");
}

static void print_entry(const char *name, struct lfm_estimate nats, struct lfm_estimate share)
{
    char error[32], percent[32], percent_error[32];
    printf("%-21s %11.3e %8s %9s %7s\n", name, nats.mean, show(error, "%.1e", nats.error),
           show(percent, "%.1f %%", 100 * share.mean), show(percent_error, "%.1f", 100 * share.error));
}

static void print_split(const struct lfm_split *split)
{
    const struct lfm_estimate none = {NAN, NAN};
    printf("\n%-21s %11s %8s %9s %7s\n", "loss", "nats", "+-", "share", "+-");
    print_entry("routing", split->routing, split->routing_share);
    print_entry("arithmetic", split->rest, split->rest_share);
    print_entry("together", split->loss, (struct lfm_estimate){split->loss.mean == 0 ? NAN : 1, NAN});
    print_entry("interaction", split->interaction, none);
}

static void print_part_name(const struct lfm_ledger_result *result, const struct lfm_ledger_part *part)
{
    char name[64];
    if (part->kind == LFM_LEDGER_LAYER)
        snprintf(name, sizeof name, "%3zu %s", part->layer, operator_name(result, part->layer));
    else if (isfinite(part->high))
        snprintf(name, sizeof name, "%g to %g", part->low, part->high);
    else
        snprintf(name, sizeof name, "%g and more", part->low);
    printf("%-21s", name);
}

static void print_total(const char *name, struct lfm_estimate nats)
{
    char error[32];
    printf("%-21s %10s %8s %11s %11s %11.3e %8s\n", name, "", "", "", "", nats.mean, show(error, "%.1e", nats.error));
}

/* The layers, or the bins. */
static void print_parts(const struct lfm_ledger_result *result, enum lfm_ledger_kind kind, const char *title,
                        const struct lfm_parts_total *total, bool complete)
{
    if (total->n == 0) return;
    double loss = result->figures->parts[0].kld.loss.mean;
    printf("\n%-21s %10s %8s %11s %11s %11s %8s %9s\n", title, "decisions", "changed", "adds", "repairs", "routing", "+-",
           "share");
    for (size_t i = 0; i < result->ledger->n_parts; i++) {
        const struct lfm_ledger_part *part = &result->ledger->parts[i];
        const struct lfm_part_figures *figures = &result->figures->parts[i];
        char changed[32], error[32], share[32];
        if (part->kind != kind) continue;
        print_part_name(result, part);
        printf(" %10zu %8s %11.3e %11.3e %11.3e %8s %9s\n", part->decisions,
               show(changed, "%.2f %%", 100 * (double)part->changed / (double)part->decisions), figures->ref_cand.kld.mean,
               loss - figures->cand_ref.kld.mean, figures->kld.routing.mean,
               show(error, "%.1e", figures->kld.routing.error), show(share, "%.1f %%", 100 * figures->kld.routing_share.mean));
    }
    print_total("sum", total->routing);
    if (complete) print_total("remainder", total->remainder);
}

static enum lfm_status print_labels(const struct lfm_ledger_result *result, struct lfm_error *error)
{
    const struct lfm_positions *positions = &result->text->positions;
    if (positions->n_names == 0) return LFM_OK;
    printf("\n%-21s %10s %11s %11s %11s %9s %7s\n", "label", "positions", "loss", "routing", "arithmetic", "routing", "+-");
    for (size_t i = 0; i < positions->n_names; i++) {
        struct lfm_split split;
        char share[32], share_error[32];
        LFM_TRY(lfm_split_label(&split, result->ledger, positions, (uint32_t)i, error));
        char shown[LFM_SHOWN];
        printf("%-21s %10zu %11.3e %11.3e %11.3e %9s %7s\n", lfm_show(shown, positions->names[i].name), positions->names[i].positions,
               split.loss.mean, split.routing.mean, split.rest.mean, show(share, "%.1f %%", 100 * split.routing_share.mean),
               show(share_error, "%.1f", 100 * split.routing_share.error));
    }
    return LFM_OK;
}

enum lfm_status lfm_ledger_print_tables(const struct lfm_ledger_result *result, struct lfm_error *error)
{
    const struct lfm_ledger_figures *figures = result->figures;
    print_header(result);
    print_cells(figures);
    print_split(&figures->parts[0].kld);
    print_parts(result, LFM_LEDGER_LAYER, "layer", &figures->layers, figures->layers.n == layers_with_experts(result));
    print_parts(result, LFM_LEDGER_MARGIN, "margin", &figures->margins, true);
    if (figures->layers.n + figures->margins.n > 0)
        printf("\nadds: KLD of the reference with the candidate's choices there; repairs: KLD that goes when the candidate takes\n"
               "the reference's choices there; routing: the mean of both\n");
    return print_labels(result, error);
}
