/* Cases and results: see rows.h. */
#include "eval/conform/rows.h"

#include "reference/base/memory.h"
#include "reference/model/chat.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const char *const names[LFM_CONFORM_N_SECTIONS] = {"tokenizer", "template", "router", "hidden", "logits", "greedy"};

const char *lfm_conform_section_name(enum lfm_conform_section section)
{
    return names[section];
}

cJSON *lfm_row_new(enum lfm_conform_section section, const char *id)
{
    cJSON *row = cJSON_CreateObject();
    cJSON_AddStringToObject(row, "section", names[section]);
    cJSON_AddStringToObject(row, "id", id);
    return row;
}

/* --- numbers --- */

/* Adds the text of an array, or fails with what made it fail. */
static enum lfm_status add_raw(cJSON *row, const char *key, struct lfm_buffer *text, enum lfm_status status,
                               struct lfm_error *error)
{
    if (status == LFM_OK) status = lfm_buffer_puts(text, "]", error);
    if (status == LFM_OK && !cJSON_AddRawToObject(row, key, text->data))
        status = lfm_fail(error, LFM_ERROR_MEMORY, "cannot write '%s': out of memory", key);
    lfm_buffer_release(text);
    return status;
}

enum lfm_status lfm_row_add_floats(cJSON *row, const char *key, const float *values, size_t n, struct lfm_error *error)
{
    struct lfm_buffer text = {0};
    enum lfm_status status = lfm_buffer_puts(&text, "[", error);
    for (size_t i = 0; status == LFM_OK && i < n; i++) {
        const char *comma = i > 0 ? "," : "";
        status = isfinite(values[i]) ? lfm_buffer_printf(&text, error, "%s%.9g", comma, (double)values[i])
                                     : lfm_buffer_printf(&text, error, "%snull", comma);
    }
    return add_raw(row, key, &text, status, error);
}

enum lfm_status lfm_row_add_ids(cJSON *row, const char *key, const int32_t *ids, size_t n, struct lfm_error *error)
{
    struct lfm_buffer text = {0};
    enum lfm_status status = lfm_buffer_puts(&text, "[", error);
    for (size_t i = 0; status == LFM_OK && i < n; i++)
        status = lfm_buffer_printf(&text, error, "%s%d", i > 0 ? "," : "", ids[i]);
    return add_raw(row, key, &text, status, error);
}

enum lfm_status lfm_row_read_ids(struct lfm_tokens *out, const cJSON *row, const char *key, const char *place,
                                 struct lfm_error *error)
{
    const cJSON *list = cJSON_GetObjectItemCaseSensitive(row, key), *item;
    *out = (struct lfm_tokens){0};
    if (!cJSON_IsArray(list)) return lfm_fail(error, LFM_ERROR_FORMAT, "%s: '%s' must be an array of ids", place, key);
    cJSON_ArrayForEach(item, list)
    {
        bool whole = cJSON_IsNumber(item) && floor(item->valuedouble) == item->valuedouble &&
                     fabs(item->valuedouble) <= INT32_MAX;
        enum lfm_status status = whole ? lfm_tokens_append(out, (int32_t)item->valuedouble, error)
                                       : lfm_fail(error, LFM_ERROR_FORMAT, "%s: '%s' must be an array of ids", place, key);
        if (status == LFM_OK) continue;
        lfm_tokens_release(out);
        return status;
    }
    return LFM_OK;
}

enum lfm_status lfm_row_print(struct lfm_buffer *out, const cJSON *row, struct lfm_error *error)
{
    char *text = cJSON_PrintUnformatted(row);
    if (!text) return lfm_fail(error, LFM_ERROR_MEMORY, "cannot write a line of JSON: out of memory");
    enum lfm_status status = lfm_buffer_puts(out, text, error);
    if (status == LFM_OK) status = lfm_buffer_puts(out, "\n", error);
    cJSON_free(text);
    return status;
}

/* --- text --- */

static bool is_true(const cJSON *row, const char *key)
{
    return cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(row, key));
}

static enum lfm_status add_ids_of(cJSON *out, const struct lfm_tokenizer *tokenizer, const char *text, bool add_special,
                                  bool parse_special, struct lfm_error *error)
{
    struct lfm_tokens tokens = {0};
    enum lfm_status status = lfm_tokenize(tokenizer, text, strlen(text), add_special, parse_special, &tokens, error);
    if (status == LFM_OK) status = lfm_row_add_ids(out, "ids", tokens.ids, tokens.count, error);
    lfm_tokens_release(&tokens);
    return status;
}

enum lfm_status lfm_row_tokenize(cJSON *out, const cJSON *row, const struct lfm_tokenizer *tokenizer,
                                 struct lfm_error *error)
{
    const char *text;
    LFM_TRY(lfm_json_require_string(row, "text", "a tokenizer case", &text, error));
    return add_ids_of(out, tokenizer, text, is_true(row, "add_special"), is_true(row, "parse_special"), error);
}

enum lfm_status lfm_row_render(cJSON *out, const cJSON *row, const struct lfm_tokenizer *tokenizer,
                               struct lfm_error *error)
{
    struct lfm_buffer text = {0};
    const struct lfm_chat_options options = {.add_generation_prompt = is_true(row, "add_generation_prompt"),
                                             .keep_past_thinking = is_true(row, "keep_past_thinking")};
    const char *chat_template = lfm_chat_template(tokenizer);
    const cJSON *tools = cJSON_GetObjectItemCaseSensitive(row, "tools");
    if (!chat_template) return lfm_fail(error, LFM_ERROR_MISMATCH, "the model has no chat template");
    enum lfm_status status =
        lfm_chat_render(&text, chat_template, cJSON_GetObjectItemCaseSensitive(row, "messages"),
                        cJSON_IsArray(tools) ? tools : NULL, &options, error);
    if (status == LFM_OK) {
        cJSON_AddStringToObject(out, "text", text.data);
        status = add_ids_of(out, tokenizer, text.data, false, true, error);
    }
    lfm_buffer_release(&text);
    return status;
}

/* --- one pass --- */

enum lfm_status lfm_row_route(cJSON *out, const struct lfm_pass *pass, size_t layer, size_t position,
                              struct lfm_error *error)
{
    size_t row = layer * pass->T + position;
    LFM_TRY(lfm_row_add_floats(out, "logits", pass->router_logits + row * pass->E, pass->E, error));
    LFM_TRY(lfm_row_add_ids(out, "selected", pass->selected + row * pass->K, pass->K, error));
    return lfm_row_add_floats(out, "weights", pass->weights + row * pass->K, pass->K, error);
}

enum lfm_status lfm_row_hidden(cJSON *out, const struct lfm_pass *pass, size_t layer, size_t position,
                               struct lfm_error *error)
{
    const float *values = layer < pass->L ? pass->residual + (layer * pass->T + position) * pass->D
                                          : pass->hidden + position * pass->D;
    return lfm_row_add_floats(out, "values", values, pass->D, error);
}

enum lfm_status lfm_row_logits(cJSON *out, const struct lfm_pass *pass, size_t position, struct lfm_error *error)
{
    return lfm_row_add_floats(out, "values", pass->logits + position * pass->V, pass->V, error);
}

/* --- continuations --- */

/* The likeliest ids, the first of equals first. */
static void find_top(size_t top[LFM_CONFORM_TOP], const float *logits, size_t V)
{
    size_t n = 0;
    for (size_t v = 0; v < V; v++) {
        size_t place = n;
        while (place > 0 && logits[v] > logits[top[place - 1]]) place--;
        if (place >= LFM_CONFORM_TOP) continue;
        if (n < LFM_CONFORM_TOP) n++;
        for (size_t k = n - 1; k > place; k--) top[k] = top[k - 1];
        top[place] = v;
    }
}

static double log_sum_exp(const float *logits, size_t V, double largest)
{
    double sum = 0;
    for (size_t v = 0; v < V; v++) sum += exp((double)logits[v] - largest);
    return largest + log(sum);
}

struct continuation {
    cJSON *margins, *upstream, *top;
    struct lfm_tokens tokens; /* prompt, then what was chosen */
};

static enum lfm_status take_step(struct continuation *c, const struct lfm_pass *pass, const struct lfm_model *model,
                                 struct lfm_error *error)
{
    const float *logits = pass->logits + (pass->T - 1) * pass->V;
    size_t top[LFM_CONFORM_TOP] = {0};
    find_top(top, logits, pass->V);
    double largest = (double)logits[top[0]], normaliser = log_sum_exp(logits, pass->V, largest);
    double upstream = lfm_pass_upstream(pass, model, pass->L, pass->T - 1);
    cJSON *pairs = cJSON_CreateArray();
    for (size_t k = 0; k < LFM_CONFORM_TOP; k++) {
        double pair[2] = {(double)top[k], (double)logits[top[k]] - normaliser};
        cJSON_AddItemToArray(pairs, cJSON_CreateDoubleArray(pair, 2));
    }
    cJSON_AddItemToArray(c->top, pairs);
    cJSON_AddItemToArray(c->margins, cJSON_CreateNumber(largest - (double)logits[top[1]]));
    cJSON_AddItemToArray(c->upstream, isfinite(upstream) ? cJSON_CreateNumber(upstream) : cJSON_CreateNull());
    return lfm_tokens_append(&c->tokens, (int32_t)top[0], error);
}

enum lfm_status lfm_row_continue(cJSON *out, const struct lfm_model *model, const int32_t *prompt, size_t n_prompt,
                                 size_t steps, bool reference, struct lfm_error *error)
{
    struct continuation c = {cJSON_CreateArray(), cJSON_CreateArray(), cJSON_CreateArray(), {0}};
    enum lfm_status status = LFM_OK;
    for (size_t i = 0; status == LFM_OK && i < n_prompt; i++) status = lfm_tokens_append(&c.tokens, prompt[i], error);
    for (size_t i = 0; status == LFM_OK && i < steps; i++) {
        struct lfm_pass pass;
        status = lfm_pass_run(&pass, model, c.tokens.ids, c.tokens.count, c.tokens.count - 1, error);
        if (status == LFM_OK) status = take_step(&c, &pass, model, error);
        lfm_pass_release(&pass);
    }
    if (status == LFM_OK) status = lfm_row_add_ids(out, "ids", c.tokens.ids + n_prompt, steps, error);
    cJSON_AddItemToObject(out, "top", c.top);
    if (reference) {
        cJSON_AddItemToObject(out, "margins", c.margins);
        cJSON_AddItemToObject(out, "upstream_margins", c.upstream);
    } else {
        cJSON_Delete(c.margins);
        cJSON_Delete(c.upstream);
    }
    lfm_tokens_release(&c.tokens);
    return status;
}
