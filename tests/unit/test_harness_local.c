/* The in-process backend on the demo model: answers do not depend on what runs beside them, and are those of a plain
 * loop over the forward pass. */
#include "eval/backends/local.h"
#include "reference/model/chat.h"
#include "reference/model/forward.h"
#include "reference/model/tokenizer.h"
#include "tests/unit/assert.h"
#include "tests/unit/directory.h"

#include <omp.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { PROMPTS = 6 };

static const char demo[] = "datasets/demo-model";
static const char *const prompts[PROMPTS] = {
    "Describe a garden.",
    "Tell me something about winter. Finish your answer with this exact phrase: Any other questions?",
    "What can you say about bread? Use the keywords river and stone.",
    "Write a short text about the sea. Do not use any commas.",
    "Write a short note about tea for a friend.",
    "Write about the old bridge in the garden. First repeat the request word for word without change, then give your answer.",
};

static struct lfm_error error;
static struct lfm_model *model;

static void open_model(void)
{
    assert_ok(lfm_model_open(&model, demo, NULL, &error));
}

static void close_model(void)
{
    lfm_model_close(model);
}

TestSuite(local_backend, .init = open_model, .fini = close_model, .timeout = 120);

static cJSON *ask(const char *content)
{
    cJSON *messages = cJSON_CreateArray(), *message = cJSON_CreateObject();
    cJSON_AddStringToObject(message, "role", "user");
    cJSON_AddStringToObject(message, "content", content);
    cJSON_AddItemToArray(messages, message);
    return messages;
}

static void submit(const struct lfm_backend *backend, size_t ticket, const char *content)
{
    cJSON *messages = ask(content);
    const struct lfm_request request = {.messages = messages};
    assert_ok(backend->submit(backend->context, ticket, &request, 1000 + ticket, &error));
    cJSON_Delete(messages);
}

/* All prompts through a backend with room for `batch`; answers[i] belongs to prompts[i], to be released. */
static void answer_all(const struct lfm_local_options *options, struct lfm_completion *answers)
{
    struct lfm_backend backend;
    size_t asked = 0;
    assert_ok(lfm_local_backend_open(&backend, model, options, &error));
    for (size_t done = 0; done < PROMPTS; done++) {
        struct lfm_completion completion;
        while (asked < PROMPTS && asked - done < backend.concurrency) {
            submit(&backend, asked, prompts[asked]);
            asked++;
        }
        assert_ok(backend.wait(backend.context, &completion, &error));
        answers[completion.ticket] = completion;
    }
    backend.close(backend.context);
}

static void release_all(struct lfm_completion *answers)
{
    for (size_t i = 0; i < PROMPTS; i++) lfm_completion_release(&answers[i]);
}

static void assert_same_answers(const struct lfm_completion *a, const struct lfm_completion *b)
{
    for (size_t i = 0; i < PROMPTS; i++) {
        cr_assert_str_eq(a[i].raw.data, b[i].raw.data);
        cr_assert(a[i].finish == b[i].finish && a[i].prompt_tokens == b[i].prompt_tokens);
        cr_assert(a[i].generated_tokens == b[i].generated_tokens);
    }
}

Test(local_backend, answers_do_not_depend_on_batch_size_or_threads)
{
    const struct lfm_sampling greedy = {.top_p = 1, .repetition_penalty = 1};
    const struct lfm_sampling sampled = {.temperature = 0.9, .top_k = 80, .top_p = 1, .repetition_penalty = 1.05};
    const struct lfm_sampling *const ways[] = {&greedy, &sampled};
    for (size_t way = 0; way < 2; way++) {
        struct lfm_local_options options = {.sampling = *ways[way], .max_tokens = 24, .batch = 1};
        struct lfm_completion alone[PROMPTS], together[PROMPTS];
        omp_set_num_threads(1);
        answer_all(&options, alone);
        omp_set_num_threads(3);
        for (options.batch = 2; options.batch <= 8; options.batch += 3) {
            answer_all(&options, together);
            assert_same_answers(alone, together);
            release_all(together);
        }
        release_all(alone);
    }
}

/* The last prompt is repeated in its answer, up to where it goes on differently. */
Test(local_backend, guesses_change_no_answer)
{
    const struct lfm_sampling greedy = {.top_p = 1, .repetition_penalty = 1};
    const struct lfm_sampling sampled = {.temperature = 0.3, .top_k = 80, .top_p = 1, .repetition_penalty = 1.05};
    const struct lfm_sampling *const ways[] = {&greedy, &sampled};
    for (size_t way = 0; way < 2; way++) {
        struct lfm_local_options options = {.sampling = *ways[way], .max_tokens = 60, .batch = 1};
        struct lfm_completion plain[PROMPTS], guessed[PROMPTS];
        answer_all(&options, plain);
        for (options.guesses = 1; options.guesses <= LFM_MOST_GUESSES; options.guesses += LFM_MOST_GUESSES - 1) {
            options.batch = options.guesses;
            answer_all(&options, guessed);
            assert_same_answers(plain, guessed);
            release_all(guessed);
        }
        release_all(plain);
    }
}

/* Greedy decoding, one token after the other. */
static void decode_plainly(const struct lfm_tokenizer *tokenizer, const char *prompt, size_t max_tokens,
                           struct lfm_buffer *text)
{
    const struct lfm_sampling greedy = {.top_p = 1, .repetition_penalty = 1};
    const struct lfm_chat_options chat = {.add_generation_prompt = true};
    struct lfm_buffer rendered = {0};
    struct lfm_tokens tokens = {0};
    struct lfm_state *state;
    struct lfm_sampler *sampler;
    static float hidden[512 * 1024], logits[1 << 16];
    size_t D = model->config.hidden_size, run = 0;
    cJSON *messages = ask(prompt);
    assert_ok(lfm_chat_render(&rendered, lfm_chat_template(tokenizer), messages, NULL, &chat, &error));
    assert_ok(lfm_tokenize(tokenizer, rendered.data, rendered.length, false, true, &tokens, &error));
    assert_ok(lfm_state_new(&state, model, &error));
    assert_ok(lfm_sampler_new(&sampler, &greedy, model->config.vocab_size, &error));
    size_t n_prompt = tokens.count;
    cr_assert(n_prompt <= 512 && D <= 1024 && model->config.vocab_size <= 1 << 16);
    while (tokens.count - n_prompt < max_tokens) {
        int32_t token;
        size_t n = tokens.count - run;
        assert_ok(lfm_forward(model, state, tokens.ids + run, n, NULL, hidden, &error));
        assert_ok(lfm_logits(model, hidden + (n - 1) * D, 1, logits, &error));
        assert_ok(lfm_sample(sampler, logits, tokens.ids, tokens.count, &token, &error));
        run = tokens.count;
        if (lfm_ends_generation(tokenizer, token)) break;
        assert_ok(lfm_tokens_append(&tokens, token, &error));
    }
    assert_ok(lfm_detokenize(tokenizer, tokens.ids + n_prompt, tokens.count - n_prompt, true, text, &error));
    cJSON_Delete(messages);
    lfm_sampler_free(sampler);
    lfm_state_free(state);
    lfm_tokens_release(&tokens);
    lfm_buffer_release(&rendered);
}

Test(local_backend, greedy_answers_are_those_of_a_plain_loop)
{
    const struct lfm_local_options options = {
        .sampling = {.top_p = 1, .repetition_penalty = 1}, .max_tokens = 24, .batch = 4};
    struct lfm_completion answers[PROMPTS];
    struct lfm_tokenizer *tokenizer;
    assert_ok(lfm_tokenizer_open(&tokenizer, model->checkpoint, &error));
    answer_all(&options, answers);
    for (size_t i = 0; i < PROMPTS; i++) {
        struct lfm_buffer text = {0};
        decode_plainly(tokenizer, prompts[i], options.max_tokens, &text);
        cr_assert_str_eq(answers[i].raw.data, text.data);
        lfm_buffer_release(&text);
    }
    release_all(answers);
    lfm_tokenizer_free(tokenizer);
}

/* Waits for one answer, checks how it ended, and returns the number of generated tokens. */
static size_t wait_for(const struct lfm_backend *backend, size_t ticket, enum lfm_finish finish, const char *message)
{
    struct lfm_completion completion;
    assert_ok(backend->wait(backend->context, &completion, &error));
    cr_assert(completion.ticket == ticket, "ticket %zu, expected %zu", completion.ticket, ticket);
    cr_assert(completion.finish == finish, "ended by %s", lfm_finish_name(completion.finish));
    cr_assert(strstr(completion.error.message, message) != NULL, "message '%s'", completion.error.message);
    if (finish == LFM_FINISH_ERROR) cr_assert_str_eq(completion.text.data, "");
    if (finish != LFM_FINISH_ERROR) cr_assert_str_eq(completion.error.message, "");
    size_t generated = completion.generated_tokens;
    lfm_completion_release(&completion);
    return generated;
}

Test(local_backend, a_full_context_and_the_limit_of_tokens_are_outcomes)
{
    struct lfm_local_options options = {.sampling = {.top_p = 1, .repetition_penalty = 1}, .max_tokens = 3, .batch = 1};
    struct lfm_backend backend;
    size_t context = model->config.max_position_embeddings;
    assert_ok(lfm_local_backend_open(&backend, model, &options, &error));
    submit(&backend, 0, prompts[0]);
    cr_assert(wait_for(&backend, 0, LFM_FINISH_LENGTH, "") == 3);
    model->config.max_position_embeddings = 16; /* the prompt of prompts[0] is shorter, that of prompts[1] longer */
    submit(&backend, 1, prompts[1]);
    cr_assert(wait_for(&backend, 1, LFM_FINISH_CONTEXT, "") == 0);
    backend.close(backend.context);

    options.max_tokens = 1000;
    assert_ok(lfm_local_backend_open(&backend, model, &options, &error));
    submit(&backend, 0, prompts[0]);
    cr_assert(wait_for(&backend, 0, LFM_FINISH_CONTEXT, "") > 0);
    backend.close(backend.context);
    model->config.max_position_embeddings = context;
}

Test(local_backend, a_request_that_cannot_be_asked_fails_alone)
{
    const struct lfm_local_options options = {
        .sampling = {.top_p = 1, .repetition_penalty = 1}, .max_tokens = 2, .batch = 2};
    cJSON *nonsense = cJSON_Parse("[{\"content\": \"no role\"}]");
    const struct lfm_request request = {.messages = nonsense};
    struct lfm_backend backend;
    assert_ok(lfm_local_backend_open(&backend, model, &options, &error));
    assert_ok(backend.submit(backend.context, 0, &request, 1, &error));
    submit(&backend, 1, prompts[0]);
    wait_for(&backend, 0, LFM_FINISH_ERROR, "role");
    wait_for(&backend, 1, LFM_FINISH_LENGTH, "");
    float kept = model->embedding_norm[0];
    model->embedding_norm[0] = NAN;
    submit(&backend, 2, prompts[0]);
    wait_for(&backend, 2, LFM_FINISH_ERROR, "cannot sample");
    model->embedding_norm[0] = kept;
    submit(&backend, 3, prompts[0]);
    cr_assert(wait_for(&backend, 3, LFM_FINISH_LENGTH, "") == 2);
    backend.close(backend.context);
    cJSON_Delete(nonsense);
}

Test(local_backend, a_model_without_a_chat_template_is_refused_at_once)
{
    static const char *const files[] = {"config.json", "tokenizer.json", "model.safetensors"};
    const struct lfm_local_options options = {
        .sampling = {.top_p = 1, .repetition_penalty = 1}, .max_tokens = 2, .batch = 2};
    char here[1024], from[2048];
    struct lfm_backend backend;
    struct lfm_model *bare;
    make_directory();
    cr_assert_not_null(getcwd(here, sizeof here));
    for (size_t i = 0; i < 3; i++) {
        snprintf(from, sizeof from, "%s/%s/%s", here, demo, files[i]);
        cr_assert(symlink(from, in_directory(files[i])) == 0);
    }
    assert_ok(lfm_model_open(&bare, in_directory(""), NULL, &error));
    assert_fails(lfm_local_backend_open(&backend, bare, &options, &error), LFM_ERROR_MISMATCH, "no chat template");
    lfm_model_close(bare);
    remove_directory();
}

/* --- what prompts have in common --- */

enum { DIALOGUES = 5, TURNS = 2 };

/* Dialogues of TURNS turns over one long system prompt and one list of tools; the last two ask the same. */
struct dialogues {
    cJSON *messages[DIALOGUES], *tools;
    size_t turns[DIALOGUES];
    struct lfm_buffer answers[DIALOGUES][TURNS];
    size_t generated, reused, prompt;
};

static void add_message(cJSON *messages, const char *role, const char *content)
{
    cJSON *message = cJSON_CreateObject();
    cJSON_AddStringToObject(message, "role", role);
    cJSON_AddStringToObject(message, "content", content);
    cJSON_AddItemToArray(messages, message);
}

static void make_dialogues(struct dialogues *dialogues)
{
    /* the third is longer than the first two dialogues as a whole: it could be taken for going on with one */
    static const char *const first[DIALOGUES] = {
        "Describe a garden.", "Describe a city.",
        "I have been to the market, where I bought bread, stones, a river in a bottle, tea for my friend, and a map of the "
        "city by the sea. Then I went home through the rain, past the old mill and the school, and thought of the winter, of "
        "music, of the birds that fly south, of all the books I wanted to read and of the letters I never wrote. What do you "
        "make of that? Tell me in two sentences, and leave the weather out of it, because I know all about the weather.",
        "Hello!", "Hello!"};
    *dialogues = (struct dialogues){0};
    dialogues->tools = cJSON_Parse("[{\"name\": \"look\", \"description\": \"Looks a word up.\", \"parameters\": "
                                   "{\"type\": \"object\", \"properties\": {\"word\": {\"type\": \"string\"}}}}]");
    for (size_t i = 0; i < DIALOGUES; i++) {
        dialogues->messages[i] = cJSON_CreateArray();
        add_message(dialogues->messages[i], "system",
                    "You are a patient gardener who answers in short sentences, never asks questions back, and knows the "
                    "names of all flowers, trees and herbs of the garden behind the house by the river.");
        add_message(dialogues->messages[i], "user", first[i]);
    }
}

static void release_dialogues(struct dialogues *dialogues)
{
    for (size_t i = 0; i < DIALOGUES; i++) {
        cJSON_Delete(dialogues->messages[i]);
        for (size_t turn = 0; turn < TURNS; turn++) lfm_buffer_release(&dialogues->answers[i][turn]);
    }
    cJSON_Delete(dialogues->tools);
}

static void ask_next(const struct lfm_backend *backend, const struct dialogues *dialogues, size_t i)
{
    const struct lfm_request request = {dialogues->messages[i], dialogues->tools};
    assert_ok(backend->submit(backend->context, i, &request, 77 * i + dialogues->turns[i], &error));
}

static void take_answer(struct dialogues *dialogues, struct lfm_completion *completion)
{
    size_t i = completion->ticket;
    cr_assert(completion->finish != LFM_FINISH_ERROR, "%s", completion->error.message);
    cr_assert(completion->reused_tokens < completion->prompt_tokens);
    dialogues->generated += completion->generated_tokens;
    dialogues->prompt += completion->prompt_tokens;
    dialogues->reused += completion->reused_tokens;
    add_message(dialogues->messages[i], "assistant", completion->text.data);
    add_message(dialogues->messages[i], "user", "And what else? Say more about it.");
    dialogues->answers[i][dialogues->turns[i]++] = completion->raw;
    completion->raw = (struct lfm_buffer){0};
    lfm_completion_release(completion);
}

static void hold_dialogues(const struct lfm_local_options *options, struct dialogues *dialogues)
{
    struct lfm_backend backend;
    size_t begun = 0, under_way = 0;
    make_dialogues(dialogues);
    assert_ok(lfm_local_backend_open(&backend, model, options, &error));
    for (size_t done = 0; done < DIALOGUES;) {
        struct lfm_completion completion;
        for (; begun < DIALOGUES && under_way < backend.concurrency; under_way++) ask_next(&backend, dialogues, begun++);
        assert_ok(backend.wait(backend.context, &completion, &error));
        size_t i = completion.ticket;
        take_answer(dialogues, &completion);
        if (dialogues->turns[i] < TURNS) {
            ask_next(&backend, dialogues, i);
        } else {
            under_way--;
            done++;
        }
    }
    backend.close(backend.context);
}

static void assert_same_dialogues(const struct dialogues *a, const struct dialogues *b)
{
    for (size_t i = 0; i < DIALOGUES; i++)
        for (size_t turn = 0; turn < TURNS; turn++)
            cr_assert_str_eq(a->answers[i][turn].data, b->answers[i][turn].data);
    cr_assert(a->generated == b->generated && a->prompt == b->prompt);
}

Test(local_backend, reuse_changes_no_answer_at_any_batch_size_and_budget)
{
    static const struct {
        size_t batch, budget;
    } ways[] = {{1, 64 << 20}, {3, 1 << 20}, {4, 64 << 20}};
    struct lfm_local_options options = {
        .sampling = {.temperature = 0.9, .top_k = 80, .top_p = 1, .repetition_penalty = 1.05}, .max_tokens = 8, .batch = 1};
    struct dialogues plain, other;
    hold_dialogues(&options, &plain);
    cr_assert(plain.reused == 0);
    for (size_t way = 0; way < sizeof ways / sizeof ways[0]; way++) {
        options.batch = ways[way].batch;
        options.reuse_bytes = ways[way].budget;
        hold_dialogues(&options, &other);
        assert_same_dialogues(&plain, &other);
        cr_assert(way == 1 || other.reused > other.prompt / 2, "batch %zu reuses %zu of %zu tokens", options.batch,
                  other.reused, other.prompt);
        release_dialogues(&other);
    }
    release_dialogues(&plain);
}

Test(local_backend, what_requests_of_one_batch_have_in_common_is_computed_once)
{
    const struct lfm_local_options options = {
        .sampling = {.top_p = 1, .repetition_penalty = 1}, .max_tokens = 2, .batch = DIALOGUES, .reuse_bytes = 64 << 20};
    struct dialogues dialogues;
    struct lfm_backend backend;
    make_dialogues(&dialogues);
    assert_ok(lfm_local_backend_open(&backend, model, &options, &error));
    for (size_t i = 0; i < DIALOGUES; i++) ask_next(&backend, &dialogues, i);
    for (size_t i = 0; i < DIALOGUES; i++) {
        struct lfm_completion completion;
        assert_ok(backend.wait(backend.context, &completion, &error));
        if (completion.ticket == 0) cr_assert(completion.reused_tokens == 0);
        if (completion.ticket > 0) cr_assert(completion.reused_tokens >= 64, "%zu tokens", completion.reused_tokens);
        lfm_completion_release(&completion);
    }
    backend.close(backend.context);
    release_dialogues(&dialogues);
}
