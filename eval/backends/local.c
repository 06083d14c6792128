/* The backend in this process: see local.h.
 *
 * Every step is one pass of the model over all sequences: one token of each that is decoding, and as much of the prompts
 * of those that joined as fits a piece. All of a prompt but its last token is prefill; the last token is decoded like
 * any other. */
#include "eval/backends/local.h"

#include "reference/base/memory.h"
#include "reference/model/chat.h"
#include "reference/model/forward.h"
#include "reference/model/state.h"
#include "reference/model/tokenizer.h"
#include "reference/model/utf8.h"
#include "reference/trace/provenance.h"

#include <stdlib.h>

enum { PREFILL = 512 }; /* tokens of prompts in one step */

enum phase { PHASE_FREE, PHASE_RUNNING, PHASE_FINISHED };

struct sequence {
    enum phase phase;
    size_t ticket;
    struct lfm_state *state;     /* kept for the next request */
    struct lfm_sampler *sampler;
    struct lfm_tokens tokens;    /* prompt, then what was generated; the first state->n_past have run */
    size_t n_prompt;
    enum lfm_finish finish;
    struct lfm_error error;      /* of this request alone */
    double started;
};

struct local {
    const struct lfm_model *model;
    struct lfm_local_options options;
    struct lfm_tokenizer *tokenizer;
    const char *bos;
    struct lfm_provenance provenance;
    struct sequence *sequences; /* [batch] */
    struct lfm_sequence *step;  /* [batch] what the next pass runs */
    size_t *decoding;           /* [batch] which sequences row i of hidden and logits belongs to */
    float *hidden, *logits;     /* [batch,D], [batch,V] */
};

/* --- requests --- */

static enum lfm_status tokenize(const struct local *local, const struct lfm_request *request,
                                struct lfm_tokens *tokens, struct lfm_error *error)
{
    struct lfm_buffer text = {0};
    const struct lfm_chat_options chat = {
        .add_generation_prompt = true, .date = local->options.date, .bos_token = local->bos};
    enum lfm_status status = lfm_chat_render(&text, lfm_chat_template(local->tokenizer), request->messages,
                                             request->tools, &chat, error);
    if (status == LFM_OK)
        status = lfm_tokenize(local->tokenizer, text.data, text.length, false, true, tokens, error);
    lfm_buffer_release(&text);
    return status;
}

static void end(struct sequence *sequence, enum lfm_finish finish)
{
    sequence->phase = PHASE_FINISHED;
    sequence->finish = finish;
}

static enum lfm_status submit(void *context, size_t ticket, const struct lfm_request *request, uint64_t seed,
                              struct lfm_error *error)
{
    struct local *local = context;
    struct sequence *sequence = local->sequences;
    struct lfm_sampling sampling = local->options.sampling;
    while (sequence < local->sequences + local->options.batch && sequence->phase != PHASE_FREE) sequence++;
    if (sequence == local->sequences + local->options.batch)
        return lfm_fail(error, LFM_ERROR_LIMIT, "more than %zu requests at a time", local->options.batch);
    sampling.seed = seed;
    sequence->ticket = ticket;
    sequence->error = (struct lfm_error){0};
    sequence->started = lfm_seconds();
    if (!sequence->state) LFM_TRY(lfm_state_new(&sequence->state, local->model, error));
    LFM_TRY(lfm_sampler_new(&sequence->sampler, &sampling, local->model->config.vocab_size, error));
    sequence->phase = PHASE_RUNNING;

    enum lfm_status status = tokenize(local, request, &sequence->tokens, &sequence->error);
    sequence->n_prompt = sequence->tokens.count;
    if (status != LFM_OK)
        end(sequence, LFM_FINISH_ERROR);
    else if (sequence->n_prompt > local->model->config.max_position_embeddings)
        end(sequence, LFM_FINISH_CONTEXT);
    return LFM_OK;
}

/* --- steps --- */

/* Lists what the next pass runs. Returns the number of sequences; *n_decoding of them yield logits. */
static size_t plan(struct local *local, size_t *n_decoding)
{
    size_t D = local->model->config.hidden_size, room = PREFILL, n = 0;
    *n_decoding = 0;
    for (size_t i = 0; i < local->options.batch; i++) {
        const struct sequence *sequence = &local->sequences[i];
        if (sequence->phase != PHASE_RUNNING) continue;
        size_t past = sequence->state->n_past, left = sequence->tokens.count - past;
        struct lfm_sequence *run = &local->step[n];
        *run = (struct lfm_sequence){sequence->state, sequence->tokens.ids + past, 1, NULL};
        if (left == 1) {
            run->hidden = local->hidden + *n_decoding * D;
            local->decoding[(*n_decoding)++] = i;
        } else if (room > 0) {
            run->n_tokens = left - 1 < room ? left - 1 : room;
            room -= run->n_tokens;
        } else {
            continue;
        }
        n++;
    }
    return n;
}

static enum lfm_status take(const struct local *local, struct sequence *sequence, const float *logits)
{
    int32_t token;
    LFM_TRY(lfm_sample(sequence->sampler, logits, sequence->tokens.ids, sequence->tokens.count, &token,
                       &sequence->error));
    LFM_TRY(lfm_tokens_append(&sequence->tokens, token, &sequence->error));
    if (lfm_ends_generation(local->tokenizer, token))
        end(sequence, LFM_FINISH_STOP);
    else if (sequence->tokens.count - sequence->n_prompt >= local->options.max_tokens)
        end(sequence, LFM_FINISH_LENGTH);
    else if (sequence->tokens.count >= local->model->config.max_position_embeddings)
        end(sequence, LFM_FINISH_CONTEXT);
    return LFM_OK;
}

static enum lfm_status step(struct local *local, struct lfm_error *error)
{
    size_t V = local->model->config.vocab_size, n_decoding, n = plan(local, &n_decoding);
    if (n == 0) return lfm_fail(error, LFM_ERROR_ARGUMENT, "no request is under way");
    LFM_TRY(lfm_forward_batch(local->model, local->step, n, NULL, error));
    if (n_decoding == 0) return LFM_OK;
    LFM_TRY(lfm_logits(local->model, local->hidden, n_decoding, local->logits, error));
#pragma omp parallel for schedule(dynamic, 1)
    for (size_t i = 0; i < n_decoding; i++)
        if (take(local, &local->sequences[local->decoding[i]], local->logits + i * V) != LFM_OK)
            end(&local->sequences[local->decoding[i]], LFM_FINISH_ERROR);
    return LFM_OK;
}

/* --- answers --- */

/* All that was generated but the end of the turn, as valid UTF-8; zero bytes become U+0001. */
static enum lfm_status spell(const struct local *local, const struct sequence *sequence, struct lfm_buffer *raw,
                             struct lfm_error *error)
{
    struct lfm_buffer bytes = {0};
    size_t count = sequence->tokens.count - sequence->n_prompt - (sequence->finish == LFM_FINISH_STOP);
    enum lfm_status status = lfm_detokenize(local->tokenizer, sequence->tokens.ids + sequence->n_prompt, count, true,
                                            &bytes, error);
    if (status == LFM_OK) status = lfm_utf8_repair(raw, bytes.data, bytes.length, error);
    if (status == LFM_OK) status = lfm_buffer_append(raw, "", 0, error);
    for (size_t i = 0; i < raw->length; i++)
        if (raw->data[i] == '\0') raw->data[i] = '\1';
    lfm_buffer_release(&bytes);
    return status;
}

static enum lfm_status deliver(const struct local *local, struct sequence *sequence, struct lfm_completion *completion,
                               struct lfm_error *error)
{
    *completion = (struct lfm_completion){
        .ticket = sequence->ticket,
        .finish = sequence->finish,
        .error = sequence->error,
        .prompt_tokens = sequence->n_prompt,
        .generated_tokens = sequence->tokens.count - sequence->n_prompt,
        .seconds = lfm_seconds() - sequence->started,
    };
    LFM_TRY(spell(local, sequence, &completion->raw, error));
    const char *said = sequence->finish == LFM_FINISH_ERROR ? "" : completion->raw.data;
    LFM_TRY(lfm_strip_reasoning(&completion->text, said, error));
    lfm_sampler_free(sequence->sampler);
    lfm_state_clear(sequence->state);
    sequence->sampler = NULL;
    sequence->tokens.count = 0;
    sequence->phase = PHASE_FREE;
    return LFM_OK;
}

static enum lfm_status wait_for_one(void *context, struct lfm_completion *completion, struct lfm_error *error)
{
    struct local *local = context;
    for (;;) {
        for (size_t i = 0; i < local->options.batch; i++)
            if (local->sequences[i].phase == PHASE_FINISHED)
                return deliver(local, &local->sequences[i], completion, error);
        if (lfm_interrupted()) return lfm_fail(error, LFM_ERROR_STOPPED, "interrupted");
        LFM_TRY(step(local, error));
    }
}

/* --- the backend --- */

static void describe(const void *context, cJSON *run)
{
    const struct local *local = context;
    const struct lfm_sampling *sampling = &local->options.sampling;
    const struct lfm_provenance *provenance = &local->provenance;
    cJSON_AddStringToObject(run, "created", provenance->created);
    cJSON_AddStringToObject(run, "model", provenance->model);
    cJSON_AddStringToObject(run, "model_sha256", provenance->sha256);
    cJSON_AddStringToObject(run, "weights", provenance->weights);
    if (local->options.scale) cJSON_AddStringToObject(run, "scale", local->options.scale);
    if (local->options.date) cJSON_AddStringToObject(run, "date", local->options.date);
    lfm_json_add_number(run, "bits_per_weight", provenance->bits_per_weight);
    lfm_json_add_number(run, "fallback_matrices", (double)local->model->fallback_matrices);
    cJSON *json = cJSON_AddObjectToObject(run, "sampling");
    lfm_json_add_number(json, "temperature", sampling->temperature);
    lfm_json_add_number(json, "top_k", (double)sampling->top_k);
    lfm_json_add_number(json, "top_p", sampling->top_p);
    lfm_json_add_number(json, "min_p", sampling->min_p);
    lfm_json_add_number(json, "repetition_penalty", sampling->repetition_penalty);
    lfm_json_add_number(run, "max_tokens", (double)local->options.max_tokens);
    lfm_json_add_number(run, "batch", (double)local->options.batch);
    json = cJSON_AddObjectToObject(run, "machine");
    cJSON_AddStringToObject(json, "cpu", provenance->cpu);
    lfm_json_add_number(json, "threads", (double)provenance->threads);
}

static void close_local(void *context)
{
    struct local *local = context;
    for (size_t i = 0; local->sequences && i < local->options.batch; i++) {
        lfm_state_free(local->sequences[i].state);
        lfm_sampler_free(local->sequences[i].sampler);
        lfm_tokens_release(&local->sequences[i].tokens);
    }
    lfm_provenance_release(&local->provenance);
    free(local->sequences);
    free(local->step);
    free(local->decoding);
    free(local->hidden);
    free(local->logits);
    lfm_tokenizer_free(local->tokenizer);
    free(local);
}

/* A template this program cannot render fails here rather than in every sample. */
static enum lfm_status try_template(const struct local *local, struct lfm_error *error)
{
    struct lfm_tokens tokens = {0};
    if (!lfm_chat_template(local->tokenizer))
        return lfm_fail(error, LFM_ERROR_ARGUMENT, "the model has no chat template: it cannot answer messages");
    cJSON *messages = cJSON_Parse("[{\"role\": \"user\", \"content\": \"Hello.\"}]");
    const struct lfm_request request = {.messages = messages};
    enum lfm_status status = tokenize(local, &request, &tokens, error);
    cJSON_Delete(messages);
    lfm_tokens_release(&tokens);
    return status;
}

static enum lfm_status open_local(struct local *local, struct lfm_error *error)
{
    const struct lfm_config *config = &local->model->config;
    size_t batch = local->options.batch, length;
    LFM_TRY(lfm_tokenizer_open(&local->tokenizer, local->model->checkpoint, error));
    if (lfm_bos_id(local->tokenizer) >= 0)
        LFM_TRY(lfm_token_bytes(local->tokenizer, lfm_bos_id(local->tokenizer), &local->bos, &length, error));
    LFM_TRY(try_template(local, error));
    LFM_TRY(LFM_ALLOC(&local->sequences, batch, error));
    LFM_TRY(LFM_ALLOC(&local->step, batch, error));
    LFM_TRY(LFM_ALLOC(&local->decoding, batch, error));
    LFM_TRY(LFM_ALLOC(&local->hidden, batch * config->hidden_size, error));
    LFM_TRY(LFM_ALLOC(&local->logits, batch * config->vocab_size, error));
    return lfm_provenance_collect(&local->provenance, local->model, local->tokenizer, 0, local->options.progress, error);
}

enum lfm_status lfm_local_backend_open(struct lfm_backend *out, const struct lfm_model *model,
                                       const struct lfm_local_options *options, struct lfm_error *error)
{
    struct local *local;
    LFM_TRY(LFM_ALLOC(&local, 1, error));
    local->model = model;
    local->options = *options;
    enum lfm_status status = open_local(local, error);
    if (status != LFM_OK) {
        close_local(local);
        return status;
    }
    *out = (struct lfm_backend){local, options->batch, submit, wait_for_one, describe, close_local};
    return LFM_OK;
}
