/* What `routing` has found, as tables: see routing_report.h. */
#include "quant/command/router_report.h"
#include "quant/command/routing_report.h"
#include "quant/pieces.h"
#include "reference/base/memory.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

/* " 12.345", or " -" where there is no number. */
static void print_number(int width, int decimals, double value)
{
    if (isfinite(value))
        printf(" %*.*f", width, decimals, value);
    else
        printf(" %*s", width, "-");
}

static void print_percent(int width, int decimals, double share)
{
    print_number(width, decimals, 100 * share);
}

/* --- load --- */

static void print_balance(const struct lfm_balance *balance)
{
    print_number(8, 4, balance->entropy);
    print_number(7, 4, balance->entropy_normalized);
    print_number(9, 2, balance->effective);
    print_number(7, 4, balance->cv);
    print_number(7, 4, balance->gini);
    print_number(7, 4, balance->max_violation);
    print_number(7, 4, balance->jain);
    print_number(8, 4, balance->balancedness);
}

static void print_load(const struct lfm_routing_subject *subject)
{
    const struct lfm_routing *routing = &subject->routing;
    printf("load\n%6s %8s %7s %9s %7s %7s %7s %7s %8s %9s\n", "layer", "entropy", "/ln E", "effective", "cv", "gini",
           "maxvio", "jain", "balanced", "margin");
    for (size_t i = 0; i < routing->n_layers; i++) {
        printf("%6zu", routing->layers[i].layer);
        print_balance(&routing->layers[i].balance);
        print_number(9, 6, routing->layers[i].margin_median);
        printf("\n");
    }
    printf("chance");
    print_balance(&subject->chance.mean);
    printf("\n   +/-");
    print_balance(&subject->chance.deviation);
    printf("\nchance: mean and standard deviation of %zu even loads of so many tokens, %s\n", subject->chance.draws,
           subject->chance.normal ? "drawn from the normal limit" : "simulated");
}

/* --- structure --- */

/* Pairs that independence would have choose fewer tokens have a lift that says little: tables leave them out. */
static const double least_expected = 5;

/* The pairs of a layer by falling lift. */
struct ranked_pair {
    size_t a, b;
    double lift;
};

static int by_lift(const void *x, const void *y)
{
    const struct ranked_pair *p = x, *q = y;
    if (p->lift != q->lift) return p->lift > q->lift ? -1 : 1;
    return p->a != q->a ? (p->a > q->a) - (p->a < q->a) : (p->b > q->b) - (p->b < q->b);
}

static enum lfm_status rank_pairs(struct ranked_pair **out, size_t *n, const struct lfm_structure *structure,
                                  const struct lfm_structure_layer *layer, struct lfm_error *error)
{
    size_t E = structure->experts;
    *n = 0;
    LFM_TRY(LFM_ALLOC(out, E * E, error));
    for (size_t a = 0; a < E; a++)
        for (size_t b = a + 1; b < E; b++) {
            double lift = lfm_lift(structure, layer, a, b);
            double expected = (double)layer->together[a * E + a] * layer->together[b * E + b] / (double)structure->tokens;
            if (expected >= least_expected) (*out)[(*n)++] = (struct ranked_pair){a, b, lift};
        }
    qsort(*out, *n, sizeof **out, by_lift);
    return LFM_OK;
}

static void print_extreme(const struct ranked_pair *pairs, size_t n, size_t which)
{
    char text[64] = "-";
    if (n > 0) snprintf(text, sizeof text, "%.2f (%zu, %zu)", pairs[which].lift, pairs[which].a, pairs[which].b);
    printf(which == 0 ? "  %-14s" : "  %s", text);
}

static enum lfm_status print_structure_row(const struct lfm_structure *structure,
                                           const struct lfm_structure_layer *layer, struct lfm_error *error)
{
    struct ranked_pair *pairs;
    size_t n;
    LFM_TRY(rank_pairs(&pairs, &n, structure, layer, error));
    printf("%6zu", layer->layer);
    print_percent(7, 2, layer->next_token.overlap);
    print_percent(7, 2, layer->next_token.loaded);
    print_number(10, 4, layer->next_layer_information.corrected);
    print_number(8, 4, layer->domain.information.corrected);
    print_number(8, 4, layer->domain.information.plugin - layer->domain.shuffled_mean);
    print_number(8, 4, layer->token.information.corrected);
    print_number(8, 4, layer->token.information.plugin - layer->token.shuffled_mean);
    print_extreme(pairs, n, 0);
    print_extreme(pairs, n, n > 0 ? n - 1 : 0);
    printf("\n");
    free(pairs);
    return LFM_OK;
}

static enum lfm_status print_structure(const struct lfm_structure *structure, struct lfm_error *error)
{
    printf("\nstructure: percent of a token's experts that the next token has too; mutual information of expert and ..., in "
           "nats\n");
    printf("%6s %7s %7s %10s %8s %8s %8s %8s  %-14s  %s\n", "layer", "next", "chance", "next layer", "domain", "excess",
           "token", "excess", "highest lift", "lowest lift");
    for (size_t i = 0; i < structure->n_layers; i++)
        LFM_TRY(print_structure_row(structure, &structure->layers[i], error));
    printf("chance: with this load, without memory; information less Miller and Madow's bias; excess: over shuffled labels "
           "and ids\nlift of a pair by chance, with even loads: %.3f; pairs with fewer than %.0f tokens expected are left "
           "out\n", structure->lift_even, least_expected);
    return LFM_OK;
}

/* --- on request --- */

static void print_experts(const struct lfm_routing *routing)
{
    printf("\nload, in percent of the choices\nlayer");
    for (size_t e = 0; e < routing->experts; e++) printf(" %5zu", e);
    printf("\n");
    for (size_t i = 0; i < routing->n_layers; i++) {
        printf("%5zu", routing->layers[i].layer);
        for (size_t e = 0; e < routing->experts; e++) printf(" %5.2f", 100 * routing->layers[i].load[e]);
        printf("\n");
    }
}

static enum lfm_status print_pairs(const struct lfm_structure *structure, size_t most, struct lfm_error *error)
{
    printf("\nexperts chosen together: the pairs of highest lift\n%5s %5s %5s %8s %7s %8s %8s\n", "layer", "a", "b",
           "tokens", "lift", "P(b|a) %", "P(a|b) %");
    for (size_t i = 0; i < structure->n_layers; i++) {
        const struct lfm_structure_layer *layer = &structure->layers[i];
        struct ranked_pair *pairs;
        size_t n;
        LFM_TRY(rank_pairs(&pairs, &n, structure, layer, error));
        for (size_t p = 0; p < n && p < most; p++) {
            size_t a = pairs[p].a, b = pairs[p].b;
            printf("%5zu %5zu %5zu %8u %7.3f %8.2f %8.2f\n", layer->layer, a, b,
                   (unsigned)layer->together[a * structure->experts + b], pairs[p].lift,
                   100 * lfm_given(structure, layer, b, a), 100 * lfm_given(structure, layer, a, b));
        }
        free(pairs);
    }
    return LFM_OK;
}

/* Text in quotes, on one line. */
static enum lfm_status print_quoted(const struct lfm_buffer *text, struct lfm_error *error)
{
    cJSON *string = cJSON_CreateString(text->data ? text->data : "");
    char *quoted = string ? cJSON_PrintUnformatted(string) : NULL;
    cJSON_Delete(string);
    if (!quoted) return lfm_fail(error, LFM_ERROR_MEMORY, "out of memory for a text");
    printf("%s", quoted);
    cJSON_free(quoted);
    return LFM_OK;
}

static enum lfm_status print_domains(const struct lfm_structure *structure, struct lfm_error *error)
{
    printf("\ntokens of each domain that chose the expert, in percent; by chance %.2f\n",
           100.0 * (double)structure->experts_per_token / (double)structure->experts);
    for (size_t d = 0; d < structure->corpus.n_labels; d++) {
        struct lfm_buffer label = {0};
        enum lfm_status status = lfm_routing_put_label(&label, structure, d, error);
        if (status == LFM_OK) status = print_quoted(&label, error);
        lfm_buffer_release(&label);
        LFM_TRY(status);
        printf(": %zu tokens of %zu documents\nlayer", structure->corpus.label_tokens[d],
               structure->corpus.label_documents[d]);
        for (size_t e = 0; e < structure->experts; e++) printf(" %5zu", e);
        printf("\n");
        for (size_t i = 0; i < structure->n_layers; i++) {
            const uint32_t *counts = structure->layers[i].domains + d * structure->experts;
            printf("%5zu", structure->layers[i].layer);
            for (size_t e = 0; e < structure->experts; e++)
                print_percent(5, 1, counts[e] / (double)structure->corpus.label_tokens[d]);
            printf("\n");
        }
    }
    if (structure->corpus.n_labels == 0) printf("no document has a label\n");
    return LFM_OK;
}

static enum lfm_status print_tokens(const struct lfm_structure *structure, const struct lfm_routing_view *view,
                                    struct lfm_error *error)
{
    size_t most = structure->options.tokens, shown = view->tokens < most ? view->tokens : most;
    printf("\ntokens that choose an expert most: chosen/occurrences, of those that occur %zu times or more\n"
           "%5s %6s\n", structure->options.min_count, "layer", "expert");
    for (size_t i = 0; i < structure->n_layers; i++)
        for (size_t e = 0; e < structure->experts; e++) {
            const struct lfm_token_choice *list = structure->layers[i].tokens + e * most;
            printf("%5zu %6zu ", structure->layers[i].layer, e);
            for (size_t k = 0; k < shown && list[k].count > 0; k++) {
                struct lfm_buffer text = {0};
                enum lfm_status status = lfm_piece_text(&text, view->tokenizer, list[k].id, error);
                printf(" ");
                if (status == LFM_OK) status = print_quoted(&text, error);
                lfm_buffer_release(&text);
                LFM_TRY(status);
                printf(" %u/%u", (unsigned)list[k].chosen, (unsigned)list[k].count);
            }
            printf("\n");
        }
    return LFM_OK;
}

enum lfm_status lfm_routing_print_trace(const struct lfm_routing_subject *subject, const struct lfm_routing_view *view,
                                        struct lfm_error *error)
{
    const struct lfm_trace_information *information = lfm_trace_information(subject->trace);
    const struct lfm_structure *structure = &subject->structure;
    printf("%s: %s, weights %s (%.2f bits), %zu tokens of %zu documents%s, %zu experts, %zu per token\n\n",
           information->path, information->model, information->weights, information->bits_per_weight,
           information->tokens, information->documents, information->complete ? "" : " (incomplete)",
           structure->experts, structure->experts_per_token);
    print_load(subject);
    LFM_TRY(print_structure(structure, error));
    if (view->experts) print_experts(&subject->routing);
    if (view->pairs > 0) LFM_TRY(print_pairs(structure, view->pairs, error));
    if (view->domains) LFM_TRY(print_domains(structure, error));
    if (view->tokens > 0) LFM_TRY(print_tokens(structure, view, error));
    return LFM_OK;
}

/* --- two traces --- */

static void print_agreement_row(const struct lfm_router_figures *figures, const struct lfm_flips *flips)
{
    print_percent(8, 3, figures->overlap);
    print_percent(8, 3, figures->shared);
    print_percent(9, 3, figures->exact_set);
    print_percent(8, 3, figures->top1);
    printf(" %10.3e %10.3e", figures->gate_kl, figures->weight_l1);
    print_percent(8, 2, flips->observed);
    print_percent(8, 2, flips->predicted_empirical);
    print_percent(8, 2, flips->predicted_normal);
}

static void print_agreement(const struct lfm_agreement *agreement)
{
    printf("%5s %8s %8s %9s %8s %10s %10s %8s %8s %8s %8s\n", "layer", "overlap", "shared", "exact set", "top-1",
           "gate KL", "weight L1", "flips", "as seen", "normal", "first");
    for (size_t i = 0; i < agreement->n_layers; i++) {
        const struct lfm_agreement_layer *layer = &agreement->layers[i];
        printf("%5zu", layer->layer);
        print_agreement_row(&layer->figures, &layer->flips);
        print_percent(8, 2, (double)layer->first / (double)agreement->tokens);
        printf("\n");
    }
    printf("%5s", "all");
    print_agreement_row(&agreement->figures, &agreement->flips);
    printf("\nfirst: where tokens leave the reference's experts first; %.2f %% of them never do\n"
           "as seen, normal: from margins alone, scores moving as they were seen to, or normally with that spread\n",
           100 * (double)agreement->never / (double)agreement->tokens);
}

static void print_bins(const struct lfm_margin_bin *bins)
{
    printf("%21s %9s %8s %10s %8s %8s %8s %8s\n", "margin", "tokens", "shared", "weight L1", "flips", "boundary",
           "as seen", "normal");
    for (size_t i = 0; i < LFM_MARGIN_BINS; i++) {
        const struct lfm_margin_bin *bin = &bins[i];
        if (bin->flips.tokens == 0) continue;
        printf("%8.5f to ", lfm_margin_edges[i]);
        if (isfinite(lfm_margin_edges[i + 1]))
            printf("%9.5f", lfm_margin_edges[i + 1]);
        else
            printf("%9s", "more");
        printf(" %9zu", bin->flips.tokens);
        print_percent(8, 3, bin->figures.shared);
        printf(" %10.3e", bin->figures.weight_l1);
        print_percent(8, 2, bin->flips.observed);
        print_percent(8, 2, bin->flips.boundary);
        print_percent(8, 2, bin->flips.predicted_empirical);
        print_percent(8, 2, bin->flips.predicted_normal);
        printf("\n");
    }
}

static void print_contradictions(const struct lfm_agreement *agreement)
{
    size_t count = 0;
    for (size_t i = 0; i < agreement->n_layers; i++)
        count += agreement->layers[i].unexplained_reference + agreement->layers[i].unexplained_candidate;
    if (count > 0)
        printf("warning: %zu of the chosen sets do not follow from the logits and biases beside them\n", count);
}

void lfm_routing_print_pair(const struct lfm_routing_subject *reference, const struct lfm_routing_subject *candidate,
                            const struct lfm_routing_view *view)
{
    const struct lfm_agreement *agreement = &candidate->agreement;
    const struct lfm_trace_information *x = lfm_trace_information(reference->trace),
                                       *y = lfm_trace_information(candidate->trace);
    printf("\n%s against %s: %zu tokens%s; flips: sets that differ, in percent of tokens, and as predicted\n\n", y->path, x->path,
           agreement->tokens, x->tokens == y->tokens ? "" : ", those that both have");
    print_agreement(agreement);
    if (agreement->experts == agreement->experts_per_token) return;
    printf("\nby the reference's margin, all layers; boundary: the first expert left out came before the last one "
           "taken\n");
    print_bins(agreement->bins);
    for (size_t i = 0; i < agreement->n_layers && view->margins; i++) {
        printf("\nlayer %zu: scores move by %.2e, against each other at the boundary by %.2e\n",
               agreement->layers[i].layer, agreement->layers[i].score_deviation,
               agreement->layers[i].perturbation_deviation);
        print_bins(agreement->layers[i].bins);
    }
    print_contradictions(agreement);
}
