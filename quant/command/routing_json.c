/* What `routing` has found, as JSON: see routing_report.h. */
#include "quant/command/router_report.h"
#include "quant/command/routing_report.h"
#include "quant/pieces.h"
#include "reference/base/utf8.h"

#include <math.h>
#include <string.h>

static void add_array(cJSON *object, const char *key, const double *values, size_t n)
{
    cJSON *array = cJSON_AddArrayToObject(object, key);
    for (size_t i = 0; i < n; i++) cJSON_AddItemToArray(array, cJSON_CreateNumber(values[i]));
}

static void add_shares(cJSON *object, const char *key, const uint32_t *counts, size_t n, double of)
{
    cJSON *array = cJSON_AddArrayToObject(object, key);
    for (size_t i = 0; i < n; i++) cJSON_AddItemToArray(array, cJSON_CreateNumber(counts[i] / of));
}

/* --- load --- */

static void add_balance(cJSON *object, const struct lfm_balance *balance)
{
    lfm_json_add_number(object, "entropy", balance->entropy);
    lfm_json_add_number(object, "entropy_normalized", balance->entropy_normalized);
    lfm_json_add_number(object, "effective_experts", balance->effective);
    lfm_json_add_number(object, "cv", balance->cv);
    lfm_json_add_number(object, "gini", balance->gini);
    lfm_json_add_number(object, "max_violation", balance->max_violation);
    lfm_json_add_number(object, "jain", balance->jain);
    lfm_json_add_number(object, "balancedness", balance->balancedness);
}

static struct lfm_balance excess_of(const struct lfm_balance *balance, const struct lfm_balance *chance)
{
    return (struct lfm_balance){
        .entropy = balance->entropy - chance->entropy,
        .entropy_normalized = balance->entropy_normalized - chance->entropy_normalized,
        .effective = balance->effective - chance->effective,
        .cv = balance->cv - chance->cv,
        .gini = balance->gini - chance->gini,
        .max_violation = balance->max_violation - chance->max_violation,
        .jain = balance->jain - chance->jain,
        .balancedness = balance->balancedness - chance->balancedness,
    };
}

static void add_load(cJSON *object, const struct lfm_routing_subject *subject, const struct lfm_routing_layer *layer)
{
    const struct lfm_routing *routing = &subject->routing;
    struct lfm_balance excess = excess_of(&layer->balance, &subject->chance.mean);
    lfm_json_add_number(object, "layer", (double)layer->layer);
    lfm_json_add_number(object, "experts", (double)routing->experts);
    lfm_json_add_number(object, "top_k", (double)routing->experts_per_token);
    add_array(object, "load", layer->load, routing->experts);
    add_array(object, "mean_weight", layer->mean_weight, routing->experts);
    add_balance(object, &layer->balance);
    lfm_json_add_number(object, "cv_noise", layer->cv_noise);
    lfm_json_add_number(object, "margin_median", layer->margin_median);
    add_balance(cJSON_AddObjectToObject(object, "chance"), &subject->chance.mean);
    add_balance(cJSON_AddObjectToObject(object, "chance_deviation"), &subject->chance.deviation);
    add_balance(cJSON_AddObjectToObject(object, "excess"), &excess);
}

/* --- structure --- */

static void add_pairs(cJSON *object, const struct lfm_structure *structure, const struct lfm_structure_layer *layer)
{
    cJSON *pairs = cJSON_AddArrayToObject(object, "coactivation");
    size_t E = structure->experts;
    for (size_t a = 0; a < E; a++)
        for (size_t b = a + 1; b < E; b++) {
            cJSON *pair = cJSON_CreateObject();
            lfm_json_add_number(pair, "a", (double)a);
            lfm_json_add_number(pair, "b", (double)b);
            lfm_json_add_number(pair, "tokens", layer->together[a * E + b]);
            lfm_json_add_number(pair, "lift", lfm_lift(structure, layer, a, b));
            lfm_json_add_number(pair, "p_b_given_a", lfm_given(structure, layer, b, a));
            lfm_json_add_number(pair, "p_a_given_b", lfm_given(structure, layer, a, b));
            cJSON_AddItemToArray(pairs, pair);
        }
}

static cJSON *add_information(cJSON *object, const char *key, const struct lfm_mutual_information *information)
{
    cJSON *figures = cJSON_AddObjectToObject(object, key);
    lfm_json_add_number(figures, "plugin", information->plugin);
    lfm_json_add_number(figures, "corrected", information->corrected);
    lfm_json_add_number(figures, "observations", information->observations);
    lfm_json_add_number(figures, "occupied_rows", (double)information->occupied_rows);
    lfm_json_add_number(figures, "occupied_columns", (double)information->occupied_columns);
    lfm_json_add_number(figures, "occupied_cells", (double)information->occupied_cells);
    lfm_json_add_number(figures, "entropy_rows", information->entropy_rows);
    lfm_json_add_number(figures, "entropy_columns", information->entropy_columns);
    return figures;
}

static void add_dependence(cJSON *object, const char *key, const struct lfm_dependence *dependence)
{
    cJSON *figures = add_information(object, key, &dependence->information);
    lfm_json_add_number(figures, "shuffled_mean", dependence->shuffled_mean);
    lfm_json_add_number(figures, "shuffled_max", dependence->shuffled_max);
    lfm_json_add_number(figures, "excess", dependence->information.plugin - dependence->shuffled_mean);
}

static void add_persistence(cJSON *object, const char *key, const struct lfm_persistence *persistence)
{
    cJSON *figures = cJSON_AddObjectToObject(object, key);
    lfm_json_add_number(figures, "pairs", (double)persistence->pairs);
    lfm_json_add_number(figures, "overlap", persistence->overlap);
    lfm_json_add_number(figures, "chance", persistence->even);
    lfm_json_add_number(figures, "chance_load", persistence->loaded);
}

enum lfm_status lfm_routing_put_label(struct lfm_buffer *out, const struct lfm_structure *structure, size_t label,
                                      struct lfm_error *error)
{
    const char *text = structure->corpus.labels[label];
    return lfm_utf8_repair(out, text, strlen(text), error);
}

static enum lfm_status add_label(cJSON *object, const struct lfm_structure *structure, size_t label,
                                 struct lfm_error *error)
{
    struct lfm_buffer text = {0};
    enum lfm_status status = lfm_routing_put_label(&text, structure, label, error);
    if (status == LFM_OK) cJSON_AddStringToObject(object, "label", text.data ? text.data : "");
    lfm_buffer_release(&text);
    return status;
}

static enum lfm_status add_domains(cJSON *object, const struct lfm_structure *structure,
                                   const struct lfm_structure_layer *layer, struct lfm_error *error)
{
    cJSON *domains = cJSON_AddArrayToObject(object, "domains");
    for (size_t d = 0; d < structure->corpus.n_labels; d++) {
        cJSON *domain = cJSON_CreateObject();
        cJSON_AddItemToArray(domains, domain);
        LFM_TRY(add_label(domain, structure, d, error));
        add_shares(domain, "share", layer->domains + d * structure->experts, structure->experts,
                   (double)structure->corpus.label_tokens[d]);
    }
    return LFM_OK;
}

static enum lfm_status add_token(cJSON *list, const struct lfm_token_choice *choice,
                                 const struct lfm_tokenizer *tokenizer, struct lfm_error *error)
{
    cJSON *token = cJSON_CreateObject();
    struct lfm_buffer text = {0};
    cJSON_AddItemToArray(list, token);
    lfm_json_add_number(token, "id", choice->id);
    enum lfm_status status = tokenizer ? lfm_piece_text(&text, tokenizer, choice->id, error) : LFM_OK;
    if (tokenizer && status == LFM_OK) cJSON_AddStringToObject(token, "text", text.data ? text.data : "");
    lfm_buffer_release(&text);
    lfm_json_add_number(token, "count", choice->count);
    lfm_json_add_number(token, "chosen", choice->chosen);
    lfm_json_add_number(token, "share", (double)choice->chosen / choice->count);
    return status;
}

static enum lfm_status add_tokens(cJSON *object, const struct lfm_structure *structure,
                                  const struct lfm_structure_layer *layer, const struct lfm_tokenizer *tokenizer,
                                  struct lfm_error *error)
{
    cJSON *experts = cJSON_AddArrayToObject(object, "tokens");
    size_t most = structure->options.tokens;
    for (size_t e = 0; e < structure->experts && most > 0; e++) {
        cJSON *expert = cJSON_CreateObject();
        cJSON_AddItemToArray(experts, expert);
        lfm_json_add_number(expert, "expert", (double)e);
        cJSON *list = cJSON_AddArrayToObject(expert, "tokens");
        for (size_t i = 0; i < most && layer->tokens[e * most + i].count > 0; i++)
            LFM_TRY(add_token(list, &layer->tokens[e * most + i], tokenizer, error));
    }
    return LFM_OK;
}

static enum lfm_status add_structure(cJSON *object, const struct lfm_structure *structure,
                                     const struct lfm_structure_layer *layer, const struct lfm_tokenizer *tokenizer,
                                     struct lfm_error *error)
{
    cJSON *persistence = cJSON_AddObjectToObject(object, "persistence");
    add_persistence(persistence, "next_token", &layer->next_token);
    if (layer->next_layer.pairs > 0) add_persistence(persistence, "next_layer", &layer->next_layer);
    cJSON *information = cJSON_AddObjectToObject(object, "mutual_information");
    add_dependence(information, "domain", &layer->domain);
    add_dependence(information, "token", &layer->token);
    if (layer->next_layer.pairs > 0) add_information(information, "next_layer", &layer->next_layer_information);
    add_pairs(object, structure, layer);
    LFM_TRY(add_domains(object, structure, layer, error));
    return add_tokens(object, structure, layer, tokenizer, error);
}

/* --- a trace --- */

static enum lfm_status add_labels(cJSON *object, const struct lfm_structure *structure, struct lfm_error *error)
{
    cJSON *labels = cJSON_AddArrayToObject(object, "labels");
    size_t n = structure->corpus.n_labels;
    for (size_t d = 0; d < n; d++) {
        cJSON *label = cJSON_CreateObject();
        cJSON_AddItemToArray(labels, label);
        LFM_TRY(add_label(label, structure, d, error));
        lfm_json_add_number(label, "tokens", (double)structure->corpus.label_tokens[d]);
        lfm_json_add_number(label, "documents", (double)structure->corpus.label_documents[d]);
        add_array(label, "similarity", structure->similarity + d * n, n);
    }
    return LFM_OK;
}

static void describe_trace(cJSON *object, const struct lfm_routing_subject *subject)
{
    const struct lfm_trace_information *information = lfm_trace_information(subject->trace);
    const struct lfm_structure *structure = &subject->structure;
    lfm_trace_describe(object, information);
    lfm_json_add_number(object, "tokens", (double)information->tokens);
    cJSON_AddBoolToObject(object, "complete", information->complete);
    lfm_json_add_number(object, "documents", (double)information->documents);
    lfm_json_add_number(object, "distinct_tokens", (double)structure->corpus.distinct);
    cJSON *chance = cJSON_AddObjectToObject(object, "chance");
    cJSON_AddStringToObject(chance, "method", subject->chance.normal ? "normal" : "simulation");
    lfm_json_add_number(chance, "draws", (double)subject->chance.draws);
    lfm_json_add_number(chance, "seed", (double)structure->options.seed);
    lfm_json_add_number(chance, "lift", structure->lift_even);
    lfm_json_add_number(chance, "share",
                        (double)structure->experts_per_token / (double)structure->experts);
}

enum lfm_status lfm_routing_trace_json(cJSON **out, const struct lfm_routing_subject *subject,
                                       const struct lfm_routing_view *view, struct lfm_error *error)
{
    const struct lfm_structure *structure = &subject->structure;
    cJSON *object = *out = cJSON_CreateObject();
    describe_trace(object, subject);
    LFM_TRY(add_labels(object, structure, error));
    cJSON *layers = cJSON_AddArrayToObject(object, "layers");
    for (size_t i = 0; i < subject->routing.n_layers; i++) {
        cJSON *layer = cJSON_CreateObject();
        cJSON_AddItemToArray(layers, layer);
        add_load(layer, subject, &subject->routing.layers[i]);
        LFM_TRY(add_structure(layer, structure, &structure->layers[i], view->tokenizer, error));
    }
    return LFM_OK;
}

/* --- two traces --- */

static void add_flips(cJSON *object, const struct lfm_flips *flips)
{
    cJSON *rates = cJSON_AddObjectToObject(object, "flips");
    lfm_json_add_number(rates, "observed", flips->observed);
    lfm_json_add_number(rates, "boundary", flips->boundary);
    lfm_json_add_number(rates, "predicted_empirical", flips->predicted_empirical);
    lfm_json_add_number(rates, "predicted_normal", flips->predicted_normal);
}

static void add_bins(cJSON *object, const struct lfm_margin_bin *bins)
{
    cJSON *array = cJSON_AddArrayToObject(object, "margin_bins");
    for (size_t i = 0; i < LFM_MARGIN_BINS; i++) {
        cJSON *bin = cJSON_CreateObject();
        lfm_json_add_number(bin, "from", lfm_margin_edges[i]);
        lfm_json_add_number(bin, "to", lfm_margin_edges[i + 1]);
        lfm_json_add_number(bin, "tokens", (double)bins[i].flips.tokens);
        lfm_add_router_figures(bin, &bins[i].figures);
        add_flips(bin, &bins[i].flips);
        cJSON_AddItemToArray(array, bin);
    }
}

static void add_errors(cJSON *object, const struct lfm_router_errors *errors)
{
    cJSON *figures = cJSON_AddObjectToObject(object, "stderr");
    lfm_json_add_number(figures, "overlap", errors->overlap);
    lfm_json_add_number(figures, "shared", errors->shared);
    lfm_json_add_number(figures, "exact_set", errors->exact_set);
    lfm_json_add_number(figures, "top1", errors->top1);
    lfm_json_add_number(figures, "gate_kl", errors->gate_kl);
    lfm_json_add_number(figures, "mass_moved", errors->mass_moved);
    lfm_json_add_number(figures, "weight_l1", 2 * errors->mass_moved);
}

static cJSON *agreement_layer_json(const struct lfm_agreement_layer *layer)
{
    cJSON *object = cJSON_CreateObject();
    lfm_json_add_number(object, "layer", (double)layer->layer);
    lfm_add_router_figures(object, &layer->figures);
    add_errors(object, &layer->errors);
    add_flips(object, &layer->flips);
    lfm_json_add_number(object, "perturbation_mean", layer->perturbation_mean);
    lfm_json_add_number(object, "perturbation_deviation", layer->perturbation_deviation);
    lfm_json_add_number(object, "score_deviation", layer->score_deviation);
    lfm_json_add_number(object, "unexplained_reference", (double)layer->unexplained_reference);
    lfm_json_add_number(object, "unexplained_candidate", (double)layer->unexplained_candidate);
    lfm_json_add_number(object, "flips_after_flip", layer->after_flip);
    lfm_json_add_number(object, "flips_after_agreement", layer->after_agreement);
    add_bins(object, layer->bins);
    return object;
}

static void add_first_divergence(cJSON *object, const struct lfm_agreement *agreement)
{
    cJSON *divergence = cJSON_AddObjectToObject(object, "first_divergence");
    cJSON *layers = cJSON_AddArrayToObject(divergence, "layers");
    double T = (double)agreement->tokens, left = T;
    for (size_t i = 0; i < agreement->n_layers; i++) {
        double first = (double)agreement->layers[i].first;
        cJSON *layer = cJSON_CreateObject();
        lfm_json_add_number(layer, "layer", (double)agreement->layers[i].layer);
        lfm_json_add_number(layer, "tokens", first);
        lfm_json_add_number(layer, "share", first / T);
        lfm_json_add_number(layer, "hazard", first / left);
        cJSON_AddItemToArray(layers, layer);
        left -= first;
    }
    lfm_json_add_number(divergence, "never", (double)agreement->never);
    lfm_json_add_number(divergence, "never_share", (double)agreement->never / T);
}

cJSON *lfm_routing_pair_json(const struct lfm_routing_subject *reference, const struct lfm_routing_subject *candidate)
{
    const struct lfm_agreement *agreement = &candidate->agreement;
    cJSON *object = cJSON_CreateObject();
    cJSON_AddStringToObject(object, "reference", lfm_trace_information(reference->trace)->path);
    cJSON_AddStringToObject(object, "candidate", lfm_trace_information(candidate->trace)->path);
    lfm_json_add_number(object, "tokens", (double)agreement->tokens);
    lfm_json_add_number(object, "documents", (double)agreement->documents);
    cJSON *layers = cJSON_AddArrayToObject(object, "layers");
    for (size_t i = 0; i < agreement->n_layers; i++)
        cJSON_AddItemToArray(layers, agreement_layer_json(&agreement->layers[i]));
    cJSON *all = cJSON_AddObjectToObject(object, "all");
    lfm_add_router_figures(all, &agreement->figures);
    add_flips(all, &agreement->flips);
    add_bins(all, agreement->bins);
    add_first_divergence(object, agreement);
    return object;
}
