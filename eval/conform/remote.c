/* The results of a server: see remote.h.
 *
 * Log-probabilities come in two forms: that of chat completions, which llama-server has for completions too
 * (logprobs.content[i] with top_logprobs, each with "id" where the server tells it), and that of OpenAI's completions
 * (logprobs.tokens and top_logprobs, texts as keys; vLLM writes "token_id:N" there when asked to). Texts without ids are
 * looked up in the pack's vocabulary. */
#include "eval/conform/remote.h"

#include "eval/backends/endpoint_post.h"
#include "eval/conform/results.h"
#include "reference/checkpoint/checkpoint.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct asking {
    struct lfm_pack *pack;
    const struct lfm_remote_options *options;
    struct lfm_poster *poster;
    struct lfm_tokenizer *tokenizer;
    struct lfm_progress *progress;
    size_t asked;
    bool plain; /* the server does not know return_tokens_as_token_ids */
    struct lfm_error *error;
};

static const cJSON *get(const cJSON *object, const char *key)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, key);
    return cJSON_IsNull(item) ? NULL : item;
}

static enum lfm_status post(struct asking *a, const char *path, bool at_root, const cJSON *body, cJSON **answer,
                            long *http_status)
{
    LFM_TRY(lfm_poster_post(a->poster, path, at_root, body, answer, http_status, a->error));
    lfm_progress_update(a->progress, (double)++a->asked);
    return LFM_OK;
}

/* Gives a case its result. */
static enum lfm_status give(struct asking *a, cJSON *row)
{
    enum lfm_status status = lfm_results_add(a->pack, row, lfm_poster_url(a->poster), a->error);
    if (status != LFM_OK) cJSON_Delete(row);
    return status;
}

/* --- tokens by their texts --- */

/* The id of the token with these bytes; -1 when there is none. */
static int32_t id_of(const struct lfm_tokenizer *tokenizer, const char *text, size_t length)
{
    size_t V = lfm_vocabulary_size(tokenizer);
    for (size_t id = 0; id < V; id++) {
        const char *bytes;
        size_t n;
        if (lfm_token_bytes(tokenizer, (int32_t)id, &bytes, &n, NULL) != LFM_OK) continue;
        if (n == length && memcmp(bytes, text, n) == 0) return (int32_t)id;
    }
    return -1;
}

static int32_t id_of_text(const struct lfm_tokenizer *tokenizer, const char *text)
{
    static const char prefix[] = "token_id:";
    if (strncmp(text, prefix, strlen(prefix)) == 0) return (int32_t)strtol(text + strlen(prefix), NULL, 10);
    return id_of(tokenizer, text, strlen(text));
}

/* {"id"?, "token", "bytes"?} */
static int32_t id_of_entry(const struct lfm_tokenizer *tokenizer, const cJSON *entry)
{
    const cJSON *id = get(entry, "id"), *bytes = get(entry, "bytes"), *token = get(entry, "token"), *byte;
    char text[512];
    size_t n = 0;
    if (cJSON_IsNumber(id)) return (int32_t)id->valuedouble;
    if (cJSON_IsString(token) && strncmp(token->valuestring, "token_id:", 9) == 0)
        return id_of_text(tokenizer, token->valuestring);
    if (cJSON_IsArray(bytes) && (size_t)cJSON_GetArraySize(bytes) <= sizeof text) {
        cJSON_ArrayForEach(byte, bytes) text[n++] = (char)(unsigned char)byte->valueint;
        return id_of(tokenizer, text, n);
    }
    return cJSON_IsString(token) ? id_of_text(tokenizer, token->valuestring) : -1;
}

/* --- continuations --- */

/* Appends [id, logarithm], unless the id could not be found. */
static void add_pair(cJSON *step, int32_t id, const cJSON *logprob)
{
    if (id < 0 || !cJSON_IsNumber(logprob)) return;
    double pair[2] = {(double)id, logprob->valuedouble};
    cJSON_AddItemToArray(step, cJSON_CreateDoubleArray(pair, 2));
}

static void read_content(const struct asking *a, const cJSON *content, cJSON *ids, cJSON *top)
{
    const cJSON *entry, *other;
    cJSON_ArrayForEach(entry, content)
    {
        cJSON *step = cJSON_CreateArray();
        cJSON_AddItemToArray(ids, cJSON_CreateNumber(id_of_entry(a->tokenizer, entry)));
        cJSON_ArrayForEach(other, get(entry, "top_logprobs"))
            add_pair(step, id_of_entry(a->tokenizer, other), get(other, "logprob"));
        cJSON_AddItemToArray(top, step);
    }
}

static void read_texts(const struct asking *a, const cJSON *logprobs, cJSON *ids, cJSON *top)
{
    const cJSON *token, *entry, *step = get(logprobs, "top_logprobs");
    step = step ? step->child : NULL;
    cJSON_ArrayForEach(token, get(logprobs, "tokens"))
    {
        cJSON *pairs = cJSON_CreateArray();
        cJSON_AddItemToArray(
            ids, cJSON_CreateNumber(cJSON_IsString(token) ? id_of_text(a->tokenizer, token->valuestring) : -1));
        cJSON_ArrayForEach(entry, step) add_pair(pairs, id_of_text(a->tokenizer, entry->string), entry);
        cJSON_AddItemToArray(top, pairs);
        step = step ? step->next : NULL;
    }
}

static enum lfm_status read_continuation(struct asking *a, const cJSON *answer, const char *id)
{
    const cJSON *choice = cJSON_GetArrayItem(get(answer, "choices"), 0), *logprobs = get(choice, "logprobs");
    const cJSON *content = get(logprobs, "content");
    if (!cJSON_IsArray(content) && !cJSON_IsArray(get(logprobs, "tokens")))
        return lfm_fail(a->error, LFM_ERROR_FORMAT, "'%s' gives no log-probabilities with its completions",
                        lfm_poster_url(a->poster));
    cJSON *row = lfm_row_new(LFM_CONFORM_GREEDY, id);
    cJSON *ids = cJSON_AddArrayToObject(row, "ids"), *top = cJSON_AddArrayToObject(row, "top");
    if (cJSON_IsArray(content)) read_content(a, content, ids, top);
    else read_texts(a, logprobs, ids, top);
    return give(a, row);
}

static cJSON *make_request(const struct asking *a, const cJSON *row)
{
    cJSON *body = cJSON_CreateObject();
    if (a->options->model_name) cJSON_AddStringToObject(body, "model", a->options->model_name);
    cJSON_AddItemToObject(body, "prompt", cJSON_Duplicate(get(row, "prompt"), true));
    cJSON_AddNumberToObject(body, "max_tokens", cJSON_GetArraySize(get(row, "ids")));
    cJSON_AddNumberToObject(body, "temperature", 0);
    cJSON_AddNumberToObject(body, "logprobs", LFM_CONFORM_TOP);
    cJSON_AddFalseToObject(body, "stream");
    if (!a->plain) cJSON_AddTrueToObject(body, "return_tokens_as_token_ids");
    return body;
}

static enum lfm_status ask_continuation(struct asking *a, const struct lfm_conform_case *one)
{
    long http_status;
    cJSON *answer, *body = make_request(a, one->row);
    enum lfm_status status = post(a, "/completions", false, body, &answer, &http_status);
    cJSON_Delete(body);
    bool unknown = (http_status == 400 || http_status == 422) && strstr(a->error->message, "return_tokens_as_token_ids");
    if (status != LFM_OK && unknown && !a->plain) {
        a->plain = true;
        return ask_continuation(a, one);
    }
    if (status == LFM_OK) status = read_continuation(a, answer, one->id);
    cJSON_Delete(answer);
    return status;
}

/* --- texts --- */

static cJSON *make_text_request(const struct lfm_conform_case *one)
{
    cJSON *body = cJSON_CreateObject();
    bool special = cJSON_IsTrue(get(one->row, "add_special"));
    cJSON_AddItemToObject(body, "content", cJSON_Duplicate(get(one->row, "text"), true));
    cJSON_AddItemToObject(body, "prompt", cJSON_Duplicate(get(one->row, "text"), true));
    cJSON_AddBoolToObject(body, "add_special", special);
    cJSON_AddBoolToObject(body, "add_special_tokens", special);
    cJSON_AddBoolToObject(body, "parse_special", cJSON_IsTrue(get(one->row, "parse_special")));
    return body;
}

static enum lfm_status read_tokens(struct asking *a, const cJSON *answer, const char *id)
{
    const cJSON *tokens = get(answer, "tokens");
    cJSON *row = lfm_row_new(LFM_CONFORM_TOKENIZER, id);
    cJSON_AddItemToObject(row, "ids", tokens ? cJSON_Duplicate(tokens, true) : cJSON_CreateNull());
    return give(a, row);
}

static cJSON *make_chat_request(const struct lfm_conform_case *one)
{
    cJSON *body = cJSON_CreateObject(), *options;
    cJSON_AddItemToObject(body, "messages", cJSON_Duplicate(get(one->row, "messages"), true));
    const cJSON *tool, *tools = get(one->row, "tools");
    cJSON *list = tools ? cJSON_AddArrayToObject(body, "tools") : NULL;
    cJSON_ArrayForEach(tool, tools) cJSON_AddItemToArray(list, cJSON_Duplicate(tool, true));
    cJSON_AddBoolToObject(body, "add_generation_prompt", cJSON_IsTrue(get(one->row, "add_generation_prompt")));
    options = cJSON_AddObjectToObject(body, "chat_template_kwargs");
    cJSON_AddBoolToObject(options, "keep_past_thinking", cJSON_IsTrue(get(one->row, "keep_past_thinking")));
    return body;
}

/* A server takes BOS off the rendering when it puts one in front of the tokens. */
static enum lfm_status read_rendering(struct asking *a, const cJSON *answer, const char *id)
{
    const char *text = cJSON_GetStringValue(get(answer, "prompt")), *bos;
    struct lfm_buffer whole = {0};
    size_t length = 0;
    if (!text)
        return lfm_fail(a->error, LFM_ERROR_FORMAT, "'%s' gives no rendering with /apply-template",
                        lfm_poster_url(a->poster));
    LFM_TRY(lfm_token_bytes(a->tokenizer, lfm_bos_id(a->tokenizer), &bos, &length, a->error));
    enum lfm_status status = lfm_buffer_append(&whole, bos, strncmp(text, bos, length) == 0 ? 0 : length, a->error);
    if (status == LFM_OK) status = lfm_buffer_puts(&whole, text, a->error);
    if (status == LFM_OK) {
        cJSON *row = lfm_row_new(LFM_CONFORM_TEMPLATE, id);
        cJSON_AddStringToObject(row, "text", whole.data);
        status = give(a, row);
    }
    lfm_buffer_release(&whole);
    return status;
}

/* A case that the server refuses has no result; a server that does not know the path has none for the section. */
static enum lfm_status ask_texts(struct asking *a, enum lfm_conform_section section, const char *path,
                                 cJSON *(*make)(const struct lfm_conform_case *),
                                 enum lfm_status (*read)(struct asking *, const cJSON *, const char *))
{
    const struct lfm_conform_cases *cases = &a->pack->sections[section];
    for (size_t i = 0; i < cases->count; i++) {
        long http_status;
        cJSON *answer, *body = make(&cases->items[i]);
        enum lfm_status status = post(a, path, true, body, &answer, &http_status);
        cJSON_Delete(body);
        if (status == LFM_OK) status = read(a, answer, cases->items[i].id);
        cJSON_Delete(answer);
        if (http_status == 404 || http_status == 405 || http_status == 501) return LFM_OK;
        if (status != LFM_OK && http_status != 400 && http_status != 422 && http_status != 500) return status;
        if (status != LFM_OK && http_status == 200) return status;
    }
    return LFM_OK;
}

/* --- all of it --- */

static enum lfm_status open_tokenizer(struct asking *a)
{
    struct lfm_checkpoint *checkpoint = NULL;
    char *path;
    LFM_TRY(lfm_join_path(&path, a->pack->path, "model", a->error));
    enum lfm_status status = lfm_checkpoint_open(&checkpoint, path, a->error);
    if (status == LFM_OK) status = lfm_tokenizer_open(&a->tokenizer, checkpoint, a->error);
    lfm_checkpoint_close(checkpoint);
    free(path);
    return status;
}

static enum lfm_status describe(struct asking *a)
{
    cJSON *about = cJSON_CreateObject();
    cJSON_AddStringToObject(about, "section", "about");
    cJSON_AddStringToObject(about, "runtime", lfm_poster_url(a->poster));
    if (a->options->model_name) cJSON_AddStringToObject(about, "model", a->options->model_name);
    return give(a, about);
}

static enum lfm_status ask_all(struct asking *a)
{
    const struct lfm_conform_cases *greedy = &a->pack->sections[LFM_CONFORM_GREEDY];
    LFM_TRY(open_tokenizer(a));
    LFM_TRY(describe(a));
    for (size_t i = 0; i < greedy->count; i++) LFM_TRY(ask_continuation(a, &greedy->items[i]));
    LFM_TRY(ask_texts(a, LFM_CONFORM_TOKENIZER, "/tokenize", make_text_request, read_tokens));
    return ask_texts(a, LFM_CONFORM_TEMPLATE, "/apply-template", make_chat_request, read_rendering);
}

enum lfm_status lfm_results_ask(struct lfm_pack *pack, const struct lfm_remote_options *options,
                                struct lfm_progress *progress, struct lfm_error *error)
{
    struct asking a = {.pack = pack, .options = options, .progress = progress, .error = error};
    LFM_TRY(lfm_poster_open(&a.poster, options->url, options->key, options->timeout_seconds, error));
    enum lfm_status status = ask_all(&a);
    lfm_tokenizer_free(a.tokenizer);
    lfm_poster_close(a.poster);
    return status;
}
