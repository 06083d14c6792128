/* Structure of routing: see routing_structure.h. */
#include "quant/routing_structure.h"

#include "quant/agreement.h"
#include "quant/corpus.h"
#include "quant/decisions.h"
#include "reference/base/memory.h"

#include <gsl/gsl_randist.h>
#include <gsl/gsl_rng.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* What the layers are read with. */
struct pass {
    const struct lfm_trace *trace;
    struct lfm_structure *out;
    const struct lfm_corpus *corpus;
    size_t T, E, K;
    int32_t *selected, *next;   /* [T,K] of this layer and of the next one with a router */
    uint32_t *by_token;         /* [distinct tokens, E] */
    uint32_t *by_document;      /* [documents, E] */
    uint32_t *by_domain;        /* [labels, E] scratch */
    uint32_t *by_next;          /* [E, E] scratch */
    int32_t *shuffled_domains;  /* [labelled documents] */
    uint32_t *shuffled_tokens;  /* [T] */
    gsl_rng *rng;
};

static enum lfm_status start_pass(struct pass *pass, const struct lfm_trace *trace, struct lfm_structure *out,
                                  struct lfm_error *error)
{
    size_t T = out->tokens, E = out->experts, K = out->experts_per_token;
    *pass = (struct pass){.trace = trace, .out = out, .T = T, .E = E, .K = K};
    LFM_TRY(lfm_corpus_read(&out->corpus, trace, error));
    const struct lfm_corpus *corpus = pass->corpus = &out->corpus;
    LFM_TRY(LFM_ALLOC(&pass->selected, T * K, error));
    LFM_TRY(LFM_ALLOC(&pass->next, T * K, error));
    LFM_TRY(LFM_ALLOC(&pass->by_token, corpus->distinct * E, error));
    LFM_TRY(LFM_ALLOC(&pass->by_document, corpus->documents * E, error));
    LFM_TRY(LFM_ALLOC(&pass->by_domain, corpus->n_labels * E, error));
    LFM_TRY(LFM_ALLOC(&pass->by_next, E * E, error));
    LFM_TRY(LFM_ALLOC(&pass->shuffled_domains, corpus->documents, error));
    LFM_TRY(LFM_ALLOC(&pass->shuffled_tokens, T, error));
    pass->rng = gsl_rng_alloc(gsl_rng_mt19937);
    if (!pass->rng) return lfm_fail(error, LFM_ERROR_MEMORY, "out of memory for random numbers");
    gsl_rng_set(pass->rng, out->options.seed);
    return LFM_OK;
}

static void end_pass(struct pass *pass)
{
    free(pass->selected);
    free(pass->next);
    free(pass->by_token);
    free(pass->by_document);
    free(pass->by_domain);
    free(pass->by_next);
    free(pass->shuffled_domains);
    free(pass->shuffled_tokens);
    if (pass->rng) gsl_rng_free(pass->rng);
}

/* --- pairs of experts --- */

static void count_together(const struct pass *pass, uint32_t *together)
{
    for (size_t t = 0; t < pass->T; t++) {
        const int32_t *set = pass->selected + t * pass->K;
        for (size_t i = 0; i < pass->K; i++)
            for (size_t j = 0; j < pass->K; j++) together[(size_t)set[i] * pass->E + (size_t)set[j]]++;
    }
}

double lfm_lift(const struct lfm_structure *structure, const struct lfm_structure_layer *layer, size_t a, size_t b)
{
    size_t E = structure->experts;
    double n_a = layer->together[a * E + a], n_b = layer->together[b * E + b];
    return n_a > 0 && n_b > 0 ? layer->together[a * E + b] * (double)structure->tokens / (n_a * n_b) : NAN;
}

double lfm_given(const struct lfm_structure *structure, const struct lfm_structure_layer *layer, size_t b, size_t a)
{
    size_t E = structure->experts;
    double n_a = layer->together[a * E + a];
    return n_a > 0 ? layer->together[a * E + b] / n_a : NAN;
}

/* --- domains --- */

/* The domains' counts, when document d belongs to domain_of[d]. */
static void sum_domains(const struct pass *pass, const int32_t *domain_of, uint32_t *counts)
{
    memset(counts, 0, pass->corpus->n_labels * pass->E * sizeof *counts);
    for (size_t d = 0; d < pass->corpus->documents; d++)
        for (size_t e = 0; e < pass->E && domain_of[d] >= 0; e++)
            counts[(size_t)domain_of[d] * pass->E + e] += pass->by_document[d * pass->E + e];
}

/* Hands the labels out anew among the documents that have one. */
static void shuffle_domains(const struct pass *pass, int32_t *domain_of)
{
    const struct lfm_corpus *corpus = pass->corpus;
    size_t n = 0;
    for (size_t d = 0; d < corpus->documents; d++)
        if (corpus->document_domain[d] >= 0) domain_of[n++] = corpus->document_domain[d];
    gsl_ran_shuffle(pass->rng, domain_of, n, sizeof *domain_of);
    for (size_t d = corpus->documents; d-- > 0;)
        domain_of[d] = corpus->document_domain[d] >= 0 ? domain_of[--n] : -1;
}

static void add_shuffled(struct lfm_dependence *out, double plugin, size_t of)
{
    if (isnan(out->shuffled_mean)) *out = (struct lfm_dependence){out->information, 0, plugin};
    out->shuffled_mean += plugin / (double)of;
    out->shuffled_max = fmax(out->shuffled_max, plugin);
}

static void measure_domains(const struct pass *pass, struct lfm_structure_layer *layer)
{
    const struct lfm_corpus *corpus = pass->corpus;
    memset(pass->by_document, 0, corpus->documents * pass->E * sizeof *pass->by_document);
    for (size_t i = 0; i < pass->T * pass->K; i++)
        pass->by_document[(size_t)corpus->document_of[i / pass->K] * pass->E + (size_t)pass->selected[i]]++;
    sum_domains(pass, corpus->document_domain, layer->domains);
    layer->domain = (struct lfm_dependence){lfm_mutual_information(layer->domains, corpus->n_labels, pass->E), NAN, NAN};
    for (size_t i = 0; i < LFM_DOMAIN_SHUFFLES && corpus->n_labels > 1; i++) {
        shuffle_domains(pass, pass->shuffled_domains);
        sum_domains(pass, pass->shuffled_domains, pass->by_domain);
        add_shuffled(&layer->domain, lfm_mutual_information(pass->by_domain, corpus->n_labels, pass->E).plugin,
                     LFM_DOMAIN_SHUFFLES);
    }
}

/* Cosine between the domains, each a vector of N_{e,D} / N_D over all experts of all layers (arXiv 2508.01625, eq. 4). */
static void compare_domains(struct lfm_structure *out)
{
    size_t n = out->corpus.n_labels, E = out->experts;
    for (size_t a = 0; a < n; a++)
        for (size_t b = 0; b < n; b++) {
            double ab = 0, aa = 0, bb = 0;
            for (size_t l = 0; l < out->n_layers; l++)
                for (size_t e = 0; e < E; e++) {
                    double x = out->layers[l].domains[a * E + e] / (double)out->corpus.label_tokens[a];
                    double y = out->layers[l].domains[b * E + e] / (double)out->corpus.label_tokens[b];
                    ab += x * y;
                    aa += x * x;
                    bb += y * y;
                }
            out->similarity[a * n + b] = a == b ? 1 : ab / sqrt(aa * bb);
        }
}

/* --- tokens --- */

static void count_tokens(const struct pass *pass, const uint32_t *token_of)
{
    memset(pass->by_token, 0, pass->corpus->distinct * pass->E * sizeof *pass->by_token);
    for (size_t i = 0; i < pass->T * pass->K; i++)
        pass->by_token[token_of[i / pass->K] * pass->E + (size_t)pass->selected[i]]++;
}

/* True when a is more of a specialist than b: a larger share, then more occurrences, then the lower id. */
static int before(const struct lfm_token_choice *a, const struct lfm_token_choice *b)
{
    uint64_t x = (uint64_t)a->chosen * b->count, y = (uint64_t)b->chosen * a->count;
    if (x != y) return x > y;
    if (a->count != b->count) return a->count > b->count;
    return a->id < b->id;
}

/* Keeps the `most` first tokens of an expert, in order. */
static void list_token(struct lfm_token_choice *list, size_t most, struct lfm_token_choice choice)
{
    size_t place = most;
    while (place > 0 && (list[place - 1].count == 0 || before(&choice, &list[place - 1]))) place--;
    if (place == most) return;
    memmove(&list[place + 1], &list[place], (most - place - 1) * sizeof *list);
    list[place] = choice;
}

static void list_tokens(const struct pass *pass, struct lfm_structure_layer *layer)
{
    const struct lfm_corpus *corpus = pass->corpus;
    const struct lfm_structure_options *options = &pass->out->options;
    for (size_t x = 0; x < corpus->distinct && options->tokens > 0; x++)
        for (size_t e = 0; e < pass->E; e++) {
            uint32_t chosen = pass->by_token[x * pass->E + e];
            if (chosen == 0 || corpus->counts[x] < options->min_count) continue;
            list_token(layer->tokens + e * options->tokens, options->tokens,
                       (struct lfm_token_choice){corpus->ids[x], corpus->counts[x], chosen});
        }
}

static void measure_tokens(const struct pass *pass, struct lfm_structure_layer *layer)
{
    const struct lfm_corpus *corpus = pass->corpus;
    count_tokens(pass, corpus->token_of);
    layer->token = (struct lfm_dependence){lfm_mutual_information(pass->by_token, corpus->distinct, pass->E), NAN, NAN};
    list_tokens(pass, layer);
    memcpy(pass->shuffled_tokens, corpus->token_of, pass->T * sizeof *pass->shuffled_tokens);
    for (size_t i = 0; i < LFM_TOKEN_SHUFFLES; i++) {
        gsl_ran_shuffle(pass->rng, pass->shuffled_tokens, pass->T, sizeof *pass->shuffled_tokens);
        count_tokens(pass, pass->shuffled_tokens);
        add_shuffled(&layer->token, lfm_mutual_information(pass->by_token, corpus->distinct, pass->E).plugin,
                     LFM_TOKEN_SHUFFLES);
    }
}

/* --- neighbours --- */

static struct lfm_persistence persistence(const struct pass *pass, size_t pairs, size_t common, double expected)
{
    double K = (double)pass->K;
    return (struct lfm_persistence){.pairs = pairs,
                                    .overlap = pairs > 0 ? (double)common / ((double)pairs * K) : NAN,
                                    .even = K / (double)pass->E,
                                    .loaded = expected / K};
}

/* sum_e P(e) P(e), P being the share of tokens that chose the expert. */
static void measure_next_token(const struct pass *pass, struct lfm_structure_layer *layer)
{
    const struct lfm_corpus *corpus = pass->corpus;
    size_t pairs = 0, common = 0;
    double expected = 0;
    for (size_t t = 0; t + 1 < pass->T; t++) {
        if (!lfm_corpus_adjacent(corpus, t)) continue;
        const int32_t *set = pass->selected + t * pass->K;
        common += lfm_common_experts(set, set + pass->K, pass->K);
        pairs++;
    }
    for (size_t e = 0; e < pass->E; e++) {
        double share = layer->together[e * pass->E + e] / (double)pass->T;
        expected += share * share;
    }
    layer->next_token = persistence(pass, pairs, common, expected);
}

static void measure_next_layer(const struct pass *pass, struct lfm_structure_layer *layer)
{
    size_t common = 0, E = pass->E, K = pass->K;
    double expected = 0;
    memset(pass->by_next, 0, E * E * sizeof *pass->by_next);
    for (size_t t = 0; t < pass->T; t++) {
        const int32_t *here = pass->selected + t * K, *there = pass->next + t * K;
        common += lfm_common_experts(here, there, K);
        for (size_t i = 0; i < K * K; i++) pass->by_next[(size_t)here[i / K] * E + (size_t)there[i % K]]++;
    }
    /* Every choice here meets K there: a row's sum is K times its expert's count, and so is a column's. */
    for (size_t e = 0; e < E; e++) {
        double here = 0, there = 0;
        for (size_t f = 0; f < E; f++) {
            here += pass->by_next[e * E + f];
            there += pass->by_next[f * E + e];
        }
        expected += here * there / pow((double)K * (double)pass->T, 2);
    }
    layer->next_layer = persistence(pass, pass->T, common, expected);
    layer->next_layer_information = lfm_mutual_information(pass->by_next, E, E);
}

/* --- all of it --- */

static enum lfm_status measure_layer(struct pass *pass, bool has_next, struct lfm_structure_layer *layer,
                                     struct lfm_error *error)
{
    const struct lfm_structure *out = pass->out;
    LFM_TRY(LFM_ALLOC(&layer->together, pass->E * pass->E, error));
    LFM_TRY(LFM_ALLOC(&layer->domains, out->corpus.n_labels * pass->E, error));
    LFM_TRY(LFM_ALLOC(&layer->tokens, pass->E * out->options.tokens, error));
    count_together(pass, layer->together);
    measure_domains(pass, layer);
    measure_tokens(pass, layer);
    measure_next_token(pass, layer);
    layer->next_layer = persistence(pass, 0, 0, NAN);
    layer->next_layer_information = lfm_mutual_information(NULL, 0, 0);
    if (has_next) measure_next_layer(pass, layer);
    return LFM_OK;
}

static size_t next_router(const struct lfm_trace *trace, size_t layer)
{
    size_t layers = lfm_trace_information(trace)->layers;
    while (layer < layers && !lfm_trace_has_router(trace, layer)) layer++;
    return layer;
}

static enum lfm_status measure_layers(struct pass *pass, struct lfm_progress *progress, struct lfm_error *error)
{
    const struct lfm_trace *trace = pass->trace;
    struct lfm_structure *out = pass->out;
    size_t layers = lfm_trace_information(trace)->layers, layer = next_router(trace, 0);
    LFM_TRY(lfm_trace_read_selected(trace, layer, 0, pass->T, pass->selected, error));
    while (layer < layers) {
        size_t next = next_router(trace, layer + 1);
        if (lfm_interrupted()) return lfm_fail(error, LFM_ERROR_STOPPED, "interrupted while counting choices");
        if (next < layers) LFM_TRY(lfm_trace_read_selected(trace, next, 0, pass->T, pass->next, error));
        out->layers[out->n_layers].layer = layer;
        LFM_TRY(measure_layer(pass, next < layers, &out->layers[out->n_layers++], error));
        int32_t *read = pass->next;
        pass->next = pass->selected;
        pass->selected = read;
        layer = next;
        lfm_progress_update(progress, (double)out->n_layers);
    }
    return LFM_OK;
}

enum lfm_status lfm_structure_read(struct lfm_structure *out, const struct lfm_trace *trace,
                                   const struct lfm_structure_options *options, struct lfm_progress *progress,
                                   struct lfm_error *error)
{
    const struct lfm_trace_information *information = lfm_trace_information(trace);
    struct pass pass = {.trace = NULL};
    double E = (double)information->experts, K = (double)information->experts_per_token;
    enum lfm_status status;
    *out = (struct lfm_structure){.tokens = information->tokens, .experts = information->experts,
                                  .experts_per_token = information->experts_per_token, .options = *options,
                                  .lift_even = E > 1 ? E * (K - 1) / (K * (E - 1)) : NAN};
    LFM_TRY(lfm_require_routers(trace, error));
    LFM_TRY_DONE(LFM_ALLOC(&out->layers, information->layers, error));
    LFM_TRY_DONE(start_pass(&pass, trace, out, error));
    if (out->options.tokens > out->corpus.distinct) out->options.tokens = out->corpus.distinct;
    LFM_TRY_DONE(measure_layers(&pass, progress, error));
    LFM_TRY_DONE(LFM_ALLOC(&out->similarity, out->corpus.n_labels * out->corpus.n_labels, error));
    compare_domains(out);

done:
    end_pass(&pass);
    if (status != LFM_OK) lfm_structure_release(out);
    return status;
}

void lfm_structure_release(struct lfm_structure *structure)
{
    for (size_t i = 0; i < structure->n_layers; i++) {
        free(structure->layers[i].together);
        free(structure->layers[i].domains);
        free(structure->layers[i].tokens);
    }
    lfm_corpus_release(&structure->corpus);
    free(structure->similarity);
    free(structure->layers);
    *structure = (struct lfm_structure){0};
}
