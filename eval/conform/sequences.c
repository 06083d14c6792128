/* Token sequences and near ties: see sequences.h. */
#include "eval/conform/sequences.h"

#include "eval/conform/checkpoint.h"
#include "eval/conform/pass.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const double lfm_pack_tie_margins[LFM_PACK_TIES] = {1e-3, 1e-4, 4e-5, 1e-7};

enum {
    CANDIDATES = 300,    /* sequences that are tried for one place */
    FIRST_ORDINARY = 14, /* ids below are special tokens */
    TIE_LENGTH = 3,
    ROBUST = 6,
    ROBUST_LENGTH = 4,
    LONG = 48,
    REPEATED = 12
};

/* Ids that the seed and the stream decide, special tokens excluded. */
static void draw(struct lfm_pack_sequence *sequence, const struct lfm_model *model, size_t n, uint64_t seed,
                 uint64_t stream)
{
    sequence->n = n;
    for (size_t i = 0; i < n; i++)
        sequence->ids[i] = (int32_t)(FIRST_ORDINARY + lfm_pack_hash(seed, stream, i) %
                                                          (model->config.vocab_size - FIRST_ORDINARY));
}

static struct lfm_pack_sequence *append(struct lfm_pack_sequences *sequences, const char *id, const char *about)
{
    struct lfm_pack_sequence *sequence = &sequences->items[sequences->count++];
    snprintf(sequence->id, sizeof sequence->id, "%s", id);
    sequence->about = about;
    return sequence;
}

/* --- ties --- */

/* The chosen expert with the smallest score, and the other with the largest. */
static void find_border(const struct lfm_pass *pass, const struct lfm_model *model, size_t l, size_t t, size_t *last,
                        size_t *next)
{
    const int32_t *selected = pass->selected + (l * pass->T + t) * pass->K;
    const float *logits = pass->router_logits + (l * pass->T + t) * pass->E, *bias = model->layers[l].expert_bias;
    double best = -INFINITY;
    *last = (size_t)selected[pass->K - 1];
    for (size_t e = 0; e < pass->E; e++) {
        double score = 1 / (1 + exp(-(double)logits[e])) + (double)bias[e];
        bool chosen = false;
        for (size_t k = 0; k < pass->K; k++) chosen = chosen || selected[k] == (int32_t)e;
        if (chosen || score <= best) continue;
        best = score;
        *next = e;
    }
}

/* Tries one sequence: true in *made when the margin came out as it should and nothing before it is near a tie. */
static enum lfm_status try_tie(const struct lfm_pack_sequence *sequence, struct lfm_model *model, size_t l, double margin,
                               bool *made, struct lfm_error *error)
{
    const double clear = 0.02;
    struct lfm_pass before, after = {0};
    size_t t = sequence->n - 1, last, next = 0;
    *made = false;
    enum lfm_status status = lfm_pass_run(&before, model, sequence->ids, sequence->n, sequence->n, error);
    if (status == LFM_OK && lfm_pass_upstream(&before, model, l, t) >= clear) {
        float *bias = model->layers[l].expert_bias;
        find_border(&before, model, l, t, &last, &next);
        float old = bias[next];
        bias[next] = (float)((double)old + lfm_pass_margin(&before, model, l, t) - margin);
        status = lfm_pass_run(&after, model, sequence->ids, sequence->n, sequence->n, error);
        double found = status == LFM_OK ? lfm_pass_margin(&after, model, l, t) : NAN;
        *made = fabs(found - margin) <= fmax(0.05 * margin, 2e-7);
        if (!*made) bias[next] = old;
    }
    lfm_pass_release(&before);
    lfm_pass_release(&after);
    return status;
}

enum lfm_status lfm_pack_make_ties(struct lfm_pack_sequences *sequences, struct lfm_model *model, float *biases,
                                   uint64_t seed, struct lfm_error *error)
{
    size_t E = model->config.num_experts, first = model->config.num_dense_layers;
    for (size_t i = 0; i < LFM_PACK_TIES; i++) {
        char id[24];
        bool made = false;
        size_t l = first + i;
        snprintf(id, sizeof id, "tie-%zu", l);
        struct lfm_pack_sequence *sequence =
            append(sequences, id, "its last token is a near tie of the router in the layer that the name says");
        for (uint64_t candidate = 0; !made && candidate < CANDIDATES; candidate++) {
            draw(sequence, model, TIE_LENGTH, seed, 2000 + 1000 * i + candidate);
            LFM_TRY(try_tie(sequence, model, l, lfm_pack_tie_margins[i], &made, error));
        }
        if (!made)
            return lfm_fail(error, LFM_ERROR_ARGUMENT, "no near tie in layer %zu for seed %llu: choose another --seed", l,
                            (unsigned long long)seed);
        memcpy(biases + l * E, model->layers[l].expert_bias, E * sizeof *biases);
    }
    return LFM_OK;
}

/* --- the others --- */

/* The smallest margin of the routers in all layers at all positions. */
static enum lfm_status smallest_margin(const struct lfm_pack_sequence *sequence, const struct lfm_model *model,
                                       double *margin, struct lfm_error *error)
{
    struct lfm_pass pass;
    enum lfm_status status = lfm_pass_run(&pass, model, sequence->ids, sequence->n, sequence->n, error);
    if (status == LFM_OK) *margin = lfm_pass_upstream(&pass, model, pass.L, pass.T - 1);
    lfm_pass_release(&pass);
    return status;
}

/* The first of the candidates with a margin of `enough`, or the one with the largest. */
static enum lfm_status find_clear(struct lfm_pack_sequence *sequence, const struct lfm_model *model, size_t n,
                                  double enough, uint64_t seed, uint64_t stream, struct lfm_error *error)
{
    uint64_t chosen = 0;
    double largest = -INFINITY;
    for (uint64_t candidate = 0; largest < enough && candidate < CANDIDATES; candidate++) {
        double margin;
        draw(sequence, model, n, seed, stream + candidate);
        LFM_TRY(smallest_margin(sequence, model, &margin, error));
        if (margin <= largest) continue;
        largest = margin;
        chosen = candidate;
    }
    draw(sequence, model, n, seed, stream + chosen);
    return LFM_OK;
}

static enum lfm_status take_text(struct lfm_pack_sequence *sequence, const struct lfm_model *model,
                                 const struct lfm_tokenizer *tokenizer, const cJSON *texts, struct lfm_error *error)
{
    double largest = -INFINITY;
    const cJSON *text;
    cJSON_ArrayForEach(text, texts)
    {
        struct lfm_pack_sequence candidate = *sequence;
        struct lfm_tokens tokens = {0};
        double margin = -INFINITY;
        enum lfm_status status =
            lfm_tokenize(tokenizer, text->valuestring, strlen(text->valuestring), true, false, &tokens, error);
        candidate.n = tokens.count < LFM_PACK_LONGEST ? tokens.count : LFM_PACK_LONGEST;
        if (status == LFM_OK) {
            memcpy(candidate.ids, tokens.ids, candidate.n * sizeof *tokens.ids);
            status = smallest_margin(&candidate, model, &margin, error);
        }
        lfm_tokens_release(&tokens);
        LFM_TRY(status);
        if (margin <= largest) continue;
        largest = margin;
        *sequence = candidate;
    }
    return LFM_OK;
}

/* How well a prompt serves: the smallest of its margins, of the routers and, as far as they are smaller by the same
 * measure, of the choices of tokens. Zero when the continuation has special tokens. */
static enum lfm_status judge_prompt(const struct lfm_pack_sequence *prompt, const struct lfm_model *model, double *worth,
                                    struct lfm_error *error)
{
    struct lfm_pack_sequence whole = *prompt;
    *worth = INFINITY;
    for (size_t i = 0; i < LFM_PACK_STEPS && *worth > 0; i++) {
        struct lfm_pass pass;
        enum lfm_status status = lfm_pass_run(&pass, model, whole.ids, whole.n, whole.n - 1, error);
        if (status == LFM_OK) {
            const float *logits = pass.logits + (pass.T - 1) * pass.V;
            size_t first = 0, second = 1;
            for (size_t v = 1; v < pass.V; v++) {
                if (logits[v] > logits[first]) second = first, first = v;
                else if (second == first || logits[v] > logits[second]) second = v;
            }
            *worth = fmin(*worth, lfm_pass_upstream(&pass, model, pass.L, pass.T - 1));
            *worth = fmin(*worth, 0.1 * (double)(logits[first] - logits[second]));
            if (first < FIRST_ORDINARY) *worth = 0;
            whole.ids[whole.n++] = (int32_t)first;
        }
        lfm_pass_release(&pass);
        LFM_TRY(status);
        if (*worth < 0.003) return LFM_OK; /* not worth going on */
    }
    return LFM_OK;
}

static enum lfm_status find_prompt(struct lfm_pack_sequence *prompt, const struct lfm_model *model, uint64_t seed,
                                   uint64_t stream, struct lfm_error *error)
{
    const double enough = 0.012;
    uint64_t chosen = 0;
    double largest = -INFINITY;
    for (uint64_t candidate = 0; largest < enough && candidate < CANDIDATES; candidate++) {
        double worth;
        draw(prompt, model, LFM_PACK_PROMPT, seed, stream + candidate);
        LFM_TRY(judge_prompt(prompt, model, &worth, error));
        if (worth <= largest) continue;
        largest = worth;
        chosen = candidate;
    }
    draw(prompt, model, LFM_PACK_PROMPT, seed, stream + chosen);
    return LFM_OK;
}

enum lfm_status lfm_pack_find_sequences(struct lfm_pack_sequences *sequences, const struct lfm_model *model,
                                        const struct lfm_tokenizer *tokenizer, const cJSON *texts, uint64_t seed,
                                        struct lfm_error *error)
{
    char id[24];
    struct lfm_pack_sequence *bos = append(sequences, "bos", "the token that begins every text, alone");
    bos->n = 1;
    bos->ids[0] = lfm_bos_id(tokenizer);
    for (size_t i = 0; i < ROBUST; i++) {
        snprintf(id, sizeof id, "robust-%zu", i);
        LFM_TRY(find_clear(append(sequences, id, "every decision of the routers is far from a tie"), model, ROBUST_LENGTH,
                           0.03, seed, 10000 + 1000 * i, error));
    }
    LFM_TRY(find_clear(append(sequences, "long", "random tokens"), model, LONG, 3e-4, seed, 20000, error));
    LFM_TRY(take_text(append(sequences, "text", "a sentence"), model, tokenizer, texts, error));
    struct lfm_pack_sequence *repeated = append(sequences, "repeated", "one token again and again: only positions differ");
    draw(repeated, model, REPEATED, seed, 30000);
    for (size_t i = 1; i < repeated->n; i++) repeated->ids[i] = repeated->ids[0];
    for (size_t i = 0; i < LFM_PACK_PROMPTS; i++) {
        struct lfm_pack_sequence *prompt = &sequences->prompts[i];
        snprintf(prompt->id, sizeof prompt->id, "greedy-%zu", i);
        LFM_TRY(find_prompt(prompt, model, seed, 40000 + 1000 * i, error));
    }
    return LFM_OK;
}
