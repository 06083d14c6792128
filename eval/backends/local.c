/* The backend in this process: see local.h.
 *
 * Every step is one pass of the model over all sequences: one token of each that is decoding, and as much of the prompts
 * of those that joined as fits a piece. All of a prompt but its last token is prefill; the last token is decoded like
 * any other.
 *
 * Where an answer repeats what was there before (loops of small models, names from the prompt), the next tokens are guessed and
 * run along with the last one. Each token is still chosen from the logits of those before it, so guesses change no answer;
 * what was guessed wrong is forgotten. Results of a token are the same bits however many run together.
 *
 * What prompts have in common is computed once. The next turn of a dialogue goes on with the state that its last answer
 * left behind. Copies of states are kept at the end of every prompt and where prompts part (stops): a request that arrives
 * while another one computes what both begin with asks it to stop there, and waits. It only ever waits for older
 * requests, so that someone always goes on. A state is the same bits whoever computed it, so answers do not depend on any
 * of this. */
#include "eval/backends/local.h"

#include "eval/backends/guess.h"
#include "eval/backends/prefixes.h"

#include "reference/base/memory.h"
#include "reference/base/utf8.h"
#include "reference/model/chat.h"
#include "reference/model/forward.h"
#include "reference/model/state.h"
#include "reference/model/tokenizer.h"
#include "reference/trace/provenance.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum {
    PIECE = 512,       /* tokens of one step, about: the forward pass takes so many at a time */
    LEAST_PREFILL = 64, /* of them at least for prompts, however many sequences decode */
    LEAST_SHARED = 16, /* tokens in common that are worth a state */
    MOST_STOPS = 8,    /* of one sequence */
    LEAST_ROWS = 64    /* of logits that are computed together; more for larger batches */
};

enum phase { PHASE_FREE, PHASE_RUNNING, PHASE_FINISHED };

struct sequence {
    enum phase phase;
    size_t ticket;
    struct lfm_state *state;     /* kept for the next request, with the tokens it has seen */
    struct lfm_sampler *sampler;
    struct lfm_tokens tokens;    /* prompt, then what was generated; the first state->n_past have run */
    size_t n_prompt;
    size_t order;                /* of its arrival */
    bool started;                /* false: it may still wait for what another one computes */
    size_t n_reused;             /* tokens whose state was there already */
    size_t stops[MOST_STOPS];    /* where its state is to be kept on the way through the prompt, in any order */
    size_t n_stops;
    size_t trust;                /* how many tokens may be guessed next */
    size_t n_guesses;            /* in this step: they stand behind the tokens, uncounted */
    struct lfm_mark mark;        /* before them */
    size_t row;                  /* of hidden, then of gathered and logits: that of the last token; those of guesses follow */
    enum lfm_finish finish;
    struct lfm_error error;      /* of this request alone */
    double begun;
};

struct local {
    const struct lfm_model *model;
    struct lfm_local_options options;
    struct lfm_tokenizer *tokenizer;
    const char *bos;
    struct lfm_provenance provenance;
    struct sequence *sequences; /* [batch] */
    struct lfm_sequence *step;  /* [batch] what the next pass runs */
    size_t *stepping;           /* [batch] which sequence step[i] belongs to */
    size_t *decoding;           /* [batch] which of them yield logits */
    struct lfm_prefixes *prefixes; /* NULL: nothing is reused */
    size_t arrivals;
    size_t most_run, most_rows;
    float *hidden;              /* [batch,most_run,D] of sequences that decode */
    float *gathered, *logits;   /* [most_rows,D], [most_rows,V] */
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

/* --- what prompts have in common --- */

/* A sequence that computes its prompt, or will. */
static bool in_prompt(const struct sequence *sequence)
{
    return sequence->phase == PHASE_RUNNING && sequence->state->n_past + 1 < sequence->n_prompt;
}

/* Tokens that two prompts begin with, the last one of either left out: it has to be decoded. */
static size_t shared_prompt(const struct sequence *a, const struct sequence *b)
{
    return lfm_common_prefix(a->tokens.ids, a->n_prompt - 1, b->tokens.ids, b->n_prompt - 1);
}

static bool has_stop(const struct sequence *sequence, size_t stop)
{
    for (size_t i = 0; i < sequence->n_stops; i++)
        if (sequence->stops[i] == stop) return true;
    return false;
}

static void add_stop(struct sequence *sequence, size_t stop)
{
    if (sequence->n_stops < MOST_STOPS && !has_stop(sequence, stop)) sequence->stops[sequence->n_stops++] = stop;
}

/* The longest beginning of this prompt that an older sequence is going to keep. */
static size_t promised(const struct local *local, const struct sequence *sequence)
{
    size_t most = 0;
    for (size_t i = 0; i < local->options.batch; i++) {
        const struct sequence *other = &local->sequences[i];
        if (!in_prompt(other) || other->order >= sequence->order) continue;
        size_t shared = shared_prompt(sequence, other);
        for (size_t k = 0; k < other->n_stops; k++)
            if (other->stops[k] > other->state->n_past && other->stops[k] <= shared && other->stops[k] > most)
                most = other->stops[k];
    }
    return most;
}

static size_t stored(const struct local *local, const struct sequence *sequence)
{
    const struct lfm_state *state = lfm_prefixes_find(local->prefixes, sequence->tokens.ids, sequence->n_prompt - 1);
    return state ? state->n_past : 0;
}

/* Asks for stops where the new prompt parts from others: of the older sequence that is still before that point, or of
 * itself, when that point was passed without keeping the state. */
static void plan_stops(const struct local *local, struct sequence *sequence)
{
    struct sequence *ahead = NULL;
    size_t have = promised(local, sequence), kept = stored(local, sequence), most = 0;
    if (sequence->n_reused > have) have = sequence->n_reused;
    size_t passed = lfm_prefixes_shared(local->prefixes, sequence->tokens.ids, sequence->n_prompt - 1);
    if (kept > have) have = kept;
    for (size_t i = 0; i < local->options.batch; i++) {
        struct sequence *other = &local->sequences[i];
        if (!in_prompt(other) || other == sequence) continue;
        size_t shared = shared_prompt(sequence, other);
        if (other->state->n_past >= shared) {
            if (shared > passed) passed = shared;
        } else if (shared > most) {
            most = shared;
            ahead = other;
        }
    }
    if (ahead && most >= have + LEAST_SHARED) {
        add_stop(ahead, most);
        have = most;
    }
    if (passed >= have + LEAST_SHARED) add_stop(sequence, passed);
}

/* Takes over the state of what was computed before. False when an older sequence is about to have more of it. */
static bool start(struct local *local, struct sequence *sequence)
{
    if (sequence->started) return true;
    size_t n = stored(local, sequence), more = promised(local, sequence);
    if (more > n && more > sequence->n_reused) return false;
    sequence->started = true;
    if (n <= sequence->n_reused) return true;
    const struct lfm_state *state = lfm_prefixes_find(local->prefixes, sequence->tokens.ids, sequence->n_prompt - 1);
    sequence->n_reused = n;
    if (lfm_state_copy(sequence->state, state, NULL) == LFM_OK) return true;
    lfm_state_clear(sequence->state);
    sequence->n_reused = 0;
    return true;
}

/* Keeps the state of a sequence that has come to a stop or to the end of its prompt. */
static void keep_state(struct local *local, const struct sequence *sequence)
{
    size_t n = sequence->state->n_past;
    if (!local->prefixes || n < LEAST_SHARED || n > sequence->n_prompt) return;
    if (n + 1 == sequence->n_prompt || has_stop(sequence, n))
        lfm_prefixes_keep(local->prefixes, sequence->tokens.ids, sequence->state);
}

/* --- requests that arrive --- */

/* How much of a prompt a free sequence has in its state: the turns of a dialogue before this one, or nothing. */
static size_t warm(const struct sequence *sequence, const struct lfm_tokens *prompt)
{
    size_t n = sequence->state ? sequence->state->n_past : 0;
    return lfm_common_prefix(sequence->tokens.ids, n, prompt->ids, prompt->count ? prompt->count - 1 : 0) == n ? n : 0;
}

/* The free sequence whose state goes furthest; NULL when all are taken. */
static struct sequence *free_sequence(struct local *local, const struct lfm_tokens *prompt)
{
    struct sequence *best = NULL;
    for (size_t i = 0; i < local->options.batch; i++) {
        struct sequence *sequence = &local->sequences[i];
        if (sequence->phase != PHASE_FREE) continue;
        if (!best || warm(sequence, prompt) > warm(best, prompt)) best = sequence;
    }
    return best;
}

/* Puts a request into a free sequence, which takes over the tokens. */
static enum lfm_status seat(struct local *local, struct sequence *sequence, struct lfm_tokens *prompt, uint64_t seed,
                            struct lfm_error *error)
{
    struct lfm_sampling sampling = local->options.sampling;
    size_t n = warm(sequence, prompt);
    sampling.seed = seed;
    if (!sequence->state) LFM_TRY(lfm_state_new(&sequence->state, local->model, error));
    LFM_TRY(lfm_sampler_new(&sequence->sampler, &sampling, local->model->config.vocab_size, error));
    if (n == 0) lfm_state_clear(sequence->state);
    lfm_tokens_release(&sequence->tokens);
    sequence->tokens = *prompt;
    sequence->n_prompt = prompt->count;
    *prompt = (struct lfm_tokens){0};
    sequence->n_reused = n;
    sequence->n_stops = 0;
    sequence->trust = 1;
    sequence->started = !local->prefixes;
    sequence->order = local->arrivals++;
    sequence->phase = PHASE_RUNNING;
    return LFM_OK;
}

static enum lfm_status submit(void *context, size_t ticket, const struct lfm_request *request, uint64_t seed,
                              struct lfm_error *error)
{
    struct local *local = context;
    struct lfm_tokens prompt = {0};
    struct lfm_error why = {0};
    double begun = lfm_seconds();
    enum lfm_status status = tokenize(local, request, &prompt, &why);
    if (status == LFM_OK && prompt.count == 0) status = lfm_fail(&why, LFM_ERROR_ARGUMENT, "the prompt is empty");
    struct sequence *sequence = free_sequence(local, &prompt);
    enum lfm_status seated = sequence ? seat(local, sequence, &prompt, seed, error)
                                      : lfm_fail(error, LFM_ERROR_LIMIT, "more than %zu requests at a time",
                                                 local->options.batch);
    lfm_tokens_release(&prompt);
    LFM_TRY(seated);
    sequence->ticket = ticket;
    sequence->error = why;
    sequence->begun = begun;
    if (status != LFM_OK)
        end(sequence, LFM_FINISH_ERROR);
    else if (sequence->n_prompt > local->model->config.max_position_embeddings)
        end(sequence, LFM_FINISH_CONTEXT);
    else if (local->prefixes)
        plan_stops(local, sequence);
    return LFM_OK;
}

/* --- steps --- */

/* How many tokens of its prompt a sequence runs next: up to its next stop, and to the token that is decoded. */
static size_t prefill(const struct sequence *sequence, size_t room)
{
    size_t past = sequence->state->n_past, n = sequence->tokens.count - past - 1;
    if (n > room) n = room;
    for (size_t i = 0; i < sequence->n_stops; i++)
        if (sequence->stops[i] > past && sequence->stops[i] - past < n) n = sequence->stops[i] - past;
    return n;
}

/* Whether all of the prompt but its last token has run. */
static bool in_answer(const struct sequence *sequence)
{
    return sequence->phase == PHASE_RUNNING && sequence->state->n_past + 1 >= sequence->n_prompt;
}

static size_t count_decoding(const struct local *local)
{
    size_t n = 0;
    for (size_t i = 0; i < local->options.batch; i++) n += in_answer(&local->sequences[i]);
    return n;
}

/* Puts guesses behind the tokens. Without memory for them there are none. */
static void guess(const struct local *local, struct sequence *sequence)
{
    struct lfm_tokens *tokens = &sequence->tokens;
    size_t left = local->options.max_tokens - (tokens->count - sequence->n_prompt) - 1; /* after the next token */
    size_t room = local->model->config.max_position_embeddings - tokens->count, most = local->options.guesses;
    int32_t guesses[LFM_MOST_GUESSES];
    if (most > sequence->trust) most = sequence->trust;
    if (most > left) most = left;
    if (most > room) most = room;
    sequence->n_guesses = 0;
    if (sequence->state->n_past + 1 < tokens->count) return; /* what was right beside a wrong guess runs again first */
    size_t n = lfm_guess(guesses, most, tokens->ids, tokens->count), count = tokens->count;
    if (n == 0 || lfm_mark_set(&sequence->mark, sequence->state, NULL) != LFM_OK) return;
    while (sequence->n_guesses < n && lfm_tokens_append(tokens, guesses[sequence->n_guesses], NULL) == LFM_OK)
        sequence->n_guesses++;
    tokens->count = count;
}

/* Lists what the next pass runs. Returns the number of sequences; *n_decoding of them yield logits. */
static size_t plan(struct local *local, size_t *n_decoding)
{
    size_t D = local->model->config.hidden_size, decoding = count_decoding(local), n = 0;
    size_t room = decoding + LEAST_PREFILL < PIECE ? PIECE - decoding : LEAST_PREFILL;
    *n_decoding = 0;
    for (size_t i = 0; i < local->options.batch; i++) {
        struct sequence *sequence = &local->sequences[i];
        if (sequence->phase != PHASE_RUNNING || !start(local, sequence)) continue;
        struct lfm_sequence *run = &local->step[n];
        *run = (struct lfm_sequence){.state = sequence->state};
        if (in_answer(sequence)) {
            guess(local, sequence);
            run->n_tokens = sequence->tokens.count + sequence->n_guesses - sequence->state->n_past;
            run->hidden = local->hidden + *n_decoding * local->most_run * D;
            sequence->row = *n_decoding * local->most_run + run->n_tokens - 1 - sequence->n_guesses;
            local->decoding[(*n_decoding)++] = i;
        } else if (room > 0) {
            run->n_tokens = prefill(sequence, room);
            room -= run->n_tokens;
        } else {
            continue;
        }
        run->tokens = sequence->tokens.ids + sequence->state->n_past;
        local->stepping[n++] = i;
    }
    return n;
}

/* Takes the next token, and more as long as they were guessed; logits are those of the last token and of the guesses. */
static enum lfm_status take(const struct local *local, struct sequence *sequence, const float *logits)
{
    struct lfm_tokens *tokens = &sequence->tokens;
    size_t right = 0;
    for (bool guessed = true; guessed && sequence->phase == PHASE_RUNNING; logits += local->model->config.vocab_size) {
        int32_t token;
        LFM_TRY(lfm_sample(sequence->sampler, logits, tokens->ids, tokens->count, &token, &sequence->error));
        guessed = right < sequence->n_guesses && tokens->ids[tokens->count] == token;
        right += guessed;
        LFM_TRY(lfm_tokens_append(tokens, token, &sequence->error));
        if (lfm_ends_generation(local->tokenizer, token))
            end(sequence, LFM_FINISH_STOP);
        else if (tokens->count - sequence->n_prompt >= local->options.max_tokens)
            end(sequence, LFM_FINISH_LENGTH);
        else if (tokens->count >= local->model->config.max_position_embeddings)
            end(sequence, LFM_FINISH_CONTEXT);
    }
    sequence->trust = right < sequence->n_guesses ? 1 : 2 * sequence->n_guesses + 1;
    lfm_state_go_back(sequence->state, &sequence->mark, tokens->count - 1);
    return LFM_OK;
}

/* Collects what logits are needed of, for as many sequences from number `first` on as there are rows for; returns the number
 * of the first one left out. */
static size_t gather(struct local *local, size_t first, size_t n_decoding, size_t *rows)
{
    size_t D = local->model->config.hidden_size, i = first;
    for (*rows = 0; i < n_decoding; i++) {
        struct sequence *sequence = &local->sequences[local->decoding[i]];
        size_t needed = sequence->n_guesses + 1;
        if (*rows + needed > local->most_rows) break;
        memcpy(local->gathered + *rows * D, local->hidden + sequence->row * D, needed * D * sizeof(float));
        sequence->row = *rows;
        *rows += needed;
    }
    return i;
}

static enum lfm_status decode(struct local *local, size_t n_decoding, struct lfm_error *error)
{
    size_t V = local->model->config.vocab_size;
    for (size_t first = 0, rows; first < n_decoding;) {
        size_t last = gather(local, first, n_decoding, &rows);
        LFM_TRY(lfm_logits(local->model, local->gathered, rows, local->logits, error));
#pragma omp parallel for schedule(dynamic, 1)
        for (size_t i = first; i < last; i++) {
            struct sequence *sequence = &local->sequences[local->decoding[i]];
            if (take(local, sequence, local->logits + sequence->row * V) != LFM_OK) end(sequence, LFM_FINISH_ERROR);
        }
        first = last;
    }
    return LFM_OK;
}

static enum lfm_status step(struct local *local, struct lfm_error *error)
{
    size_t n_decoding, n = plan(local, &n_decoding);
    if (n == 0) return lfm_fail(error, LFM_ERROR_ARGUMENT, "no request is under way");
    LFM_TRY(lfm_forward_batch(local->model, local->step, n, NULL, error));
    for (size_t i = 0; i < n; i++) keep_state(local, &local->sequences[local->stepping[i]]);
    return decode(local, n_decoding, error);
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

static enum lfm_status deliver(struct local *local, struct sequence *sequence, struct lfm_completion *completion,
                               struct lfm_error *error)
{
    *completion = (struct lfm_completion){
        .ticket = sequence->ticket,
        .finish = sequence->finish,
        .error = sequence->error,
        .prompt_tokens = sequence->n_prompt,
        .generated_tokens = sequence->tokens.count - sequence->n_prompt,
        .reused_tokens = sequence->n_reused,
        .seconds = lfm_seconds() - sequence->begun,
    };
    LFM_TRY(spell(local, sequence, &completion->raw, error));
    const char *said = sequence->finish == LFM_FINISH_ERROR ? "" : completion->raw.data;
    LFM_TRY(lfm_strip_reasoning(&completion->text, said, error));
    lfm_sampler_free(sequence->sampler);
    sequence->sampler = NULL;
    sequence->phase = PHASE_FREE;
    if (!local->prefixes || sequence->finish == LFM_FINISH_ERROR) lfm_state_clear(sequence->state);
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
    cJSON_AddStringToObject(run, "activations", provenance->activations);
    cJSON_AddStringToObject(run, "kv", provenance->kv);
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
        lfm_mark_release(&local->sequences[i].mark);
    }
    lfm_provenance_release(&local->provenance);
    lfm_prefixes_free(local->prefixes);
    free(local->sequences);
    free(local->step);
    free(local->stepping);
    free(local->decoding);
    free(local->hidden);
    free(local->gathered);
    free(local->logits);
    lfm_tokenizer_free(local->tokenizer);
    free(local);
}

/* A template this program cannot render fails here rather than in every sample. */
static enum lfm_status try_template(const struct local *local, struct lfm_error *error)
{
    struct lfm_tokens tokens = {0};
    if (!lfm_chat_template(local->tokenizer))
        return lfm_fail(error, LFM_ERROR_MISMATCH, "the model has no chat template: it cannot answer messages");
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
    LFM_TRY(LFM_ALLOC(&local->stepping, batch, error));
    LFM_TRY(LFM_ALLOC(&local->decoding, batch, error));
    if (local->options.reuse_bytes)
        LFM_TRY(lfm_prefixes_new(&local->prefixes, local->model, local->options.reuse_bytes, error));
    local->most_run = local->options.guesses + 1;
    local->most_rows = local->options.guesses > 0 && batch < LEAST_ROWS ? LEAST_ROWS : batch;
    LFM_TRY(LFM_ALLOC(&local->hidden, batch * local->most_run * config->hidden_size, error));
    LFM_TRY(LFM_ALLOC(&local->gathered, local->most_rows * config->hidden_size, error));
    LFM_TRY(LFM_ALLOC(&local->logits, local->most_rows * config->vocab_size, error));
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
