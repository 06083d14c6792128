/* Conversations in OpenAI's form: see endpoint_parts.h.
 *
 * Suites write calls as the family does, inside the text. OpenAI's form has them as "tool_calls" with ids, and every tool
 * message names the call it answers. */
#include "eval/backends/endpoint_parts.h"

#include "eval/bfcl/python_calls.h"
#include "reference/base/utf8.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

static const char calls_open[] = "<|tool_call_start|>", calls_close[] = "<|tool_call_end|>";

/* No model has a longer context; servers count the repetition penalty's window in tokens. */
enum { WHOLE_CONTEXT = 1 << 20 };

enum lfm_status lfm_endpoint_clean(struct lfm_buffer *out, struct lfm_span text, struct lfm_error *error)
{
    size_t start = out->length;
    LFM_TRY(lfm_buffer_append(out, "", 0, error));
    if (text.length > 0) LFM_TRY(lfm_utf8_repair(out, text.at, text.length, error));
    for (size_t i = start; i < out->length; i++)
        if (out->data[i] == '\0') out->data[i] = '\1';
    return LFM_OK;
}

/* --- arguments: Python values to JSON --- */

static enum lfm_status to_json(cJSON **out, const struct lfm_py_value *value, struct lfm_error *error);

static enum lfm_status text_to_json(cJSON **out, struct lfm_span text, struct lfm_error *error)
{
    struct lfm_buffer clean = {0};
    enum lfm_status status = lfm_endpoint_clean(&clean, text, error);
    if (status == LFM_OK) *out = cJSON_CreateString(clean.data);
    lfm_buffer_release(&clean);
    return status;
}

/* repr() as it is, which JSON reads for numbers, or as a string. */
static enum lfm_status repr_to_json(cJSON **out, const struct lfm_py_value *value, bool bare, struct lfm_error *error)
{
    struct lfm_buffer repr = {0};
    enum lfm_status status = lfm_py_repr(&repr, value, error);
    if (status == LFM_OK) *out = bare ? cJSON_CreateRaw(repr.data) : cJSON_CreateString(repr.data);
    lfm_buffer_release(&repr);
    return status;
}

static enum lfm_status list_to_json(cJSON **out, const struct lfm_py_value *value, struct lfm_error *error)
{
    *out = cJSON_CreateArray();
    for (size_t i = 0; i < value->count; i++) {
        cJSON *item;
        enum lfm_status status = to_json(&item, value->items[i], error);
        cJSON_AddItemToArray(*out, item);
        LFM_TRY(status);
    }
    return LFM_OK;
}

/* Keys of other types than str are written as JSON writes their values, as json.dumps does. */
static enum lfm_status dict_to_json(cJSON **out, const struct lfm_py_value *value, struct lfm_error *error)
{
    *out = cJSON_CreateObject();
    for (size_t i = 0; i + 1 < value->count; i += 2) {
        cJSON *key = NULL, *item = NULL;
        enum lfm_status status = to_json(&key, value->items[i], error);
        if (status == LFM_OK) status = to_json(&item, value->items[i + 1], error);
        char *printed = cJSON_IsString(key) ? NULL : cJSON_PrintUnformatted(key);
        const char *name = cJSON_IsString(key) ? key->valuestring : printed;
        if (!name || !cJSON_AddItemToObject(*out, name, item)) cJSON_Delete(item);
        cJSON_free(printed);
        cJSON_Delete(key);
        LFM_TRY(status);
    }
    return LFM_OK;
}

/* *out is to be deleted by the caller, on failure too. */
static enum lfm_status to_json(cJSON **out, const struct lfm_py_value *value, struct lfm_error *error)
{
    *out = NULL;
    switch (value->type) {
    case LFM_PY_NONE: *out = cJSON_CreateNull(); return LFM_OK;
    case LFM_PY_BOOL: *out = cJSON_CreateBool(value->boolean); return LFM_OK;
    case LFM_PY_INT: return repr_to_json(out, value, true, error);
    case LFM_PY_FLOAT:
        if (isfinite(value->real)) return repr_to_json(out, value, true, error);
        *out = cJSON_CreateNull();
        return LFM_OK;
    case LFM_PY_STR: return text_to_json(out, value->text, error);
    case LFM_PY_LIST:
    case LFM_PY_TUPLE: return list_to_json(out, value, error);
    case LFM_PY_DICT: return dict_to_json(out, value, error);
    case LFM_PY_COMPLEX:
    case LFM_PY_BYTES: break;
    }
    return repr_to_json(out, value, false, error);
}

/* --- messages --- */

/* Ids are "call00001", "call00002", ...: nine letters and digits, which is what the pickiest servers take. */
struct converter {
    cJSON *messages; /* what was converted so far */
    bool calls_as_text;
    size_t last_id;  /* the last that was given away */
    size_t next_id;  /* of the first call without an answer; last_id + 1 when there is none */
    struct lfm_error *error;
};

static void add_id(cJSON *object, const char *key, size_t id)
{
    char text[32];
    snprintf(text, sizeof text, "call%05zu", id);
    cJSON_AddStringToObject(object, key, text);
}

/* {"id", "type", "function": {"name", "arguments"}}; the arguments are JSON in a string. Takes `arguments`. */
static cJSON *make_call(struct converter *c, const char *name, cJSON *arguments)
{
    cJSON *call = cJSON_CreateObject(), *function;
    char *text = cJSON_PrintUnformatted(arguments);
    add_id(call, "id", ++c->last_id);
    cJSON_AddStringToObject(call, "type", "function");
    function = cJSON_AddObjectToObject(call, "function");
    cJSON_AddStringToObject(function, "name", name);
    cJSON_AddStringToObject(function, "arguments", text ? text : "{}");
    cJSON_free(text);
    cJSON_Delete(arguments);
    return call;
}

static enum lfm_status convert_calls(struct converter *c, cJSON *out, const struct lfm_py_value *calls)
{
    for (size_t i = 0; i < calls->count; i++) {
        cJSON *name = NULL, *arguments = NULL;
        enum lfm_status status = to_json(&name, lfm_py_get_named(calls->items[i], "name"), c->error);
        if (status == LFM_OK) status = to_json(&arguments, lfm_py_get_named(calls->items[i], "arguments"), c->error);
        if (status == LFM_OK)
            cJSON_AddItemToArray(out, make_call(c, cJSON_IsString(name) ? name->valuestring : "", arguments));
        else
            cJSON_Delete(arguments);
        cJSON_Delete(name);
        LFM_TRY(status);
    }
    return LFM_OK;
}

/* Appends the text without its blocks of calls. */
static enum lfm_status append_text(struct lfm_buffer *out, const char *text, struct lfm_error *error)
{
    for (;;) {
        const char *open = strstr(text, calls_open), *close = open ? strstr(open, calls_close) : NULL;
        if (!close) return lfm_buffer_puts(out, text, error);
        LFM_TRY(lfm_buffer_append(out, text, (size_t)(open - text), error));
        text = close + strlen(calls_close);
    }
}

static bool is_blank(const char *text)
{
    return text[strspn(text, " \t\r\n")] == '\0';
}

/* An answer whose text has calls. What cannot be read as a call stays text. */
static enum lfm_status convert_answer(struct converter *c, cJSON *message, const char *content)
{
    struct lfm_arena arena = {0};
    struct lfm_py_value *calls;
    struct lfm_buffer text = {0};
    enum lfm_status status;
    c->next_id = c->last_id + 1;
    LFM_TRY_DONE(lfm_lfm2_tool_calls(&arena, &calls, lfm_span_of(content), c->error));
    if (calls->count == 0) goto done;
    LFM_TRY_DONE(append_text(&text, content, c->error));
    cJSON_ReplaceItemInObjectCaseSensitive(message, "content",
                                           is_blank(text.data) ? cJSON_CreateNull() : cJSON_CreateString(text.data));
    status = convert_calls(c, cJSON_AddArrayToObject(message, "tool_calls"), calls);
done:
    lfm_buffer_release(&text);
    lfm_arena_release(&arena);
    return status;
}

/* "tool_calls" as chat templates take them, without ids and with arguments as objects. */
static void complete_calls(struct converter *c, cJSON *message)
{
    cJSON *calls = cJSON_CreateArray(), *call;
    c->next_id = c->last_id + 1;
    cJSON_ArrayForEach(call, cJSON_GetObjectItemCaseSensitive(message, "tool_calls"))
    {
        cJSON *function = cJSON_GetObjectItemCaseSensitive(call, "function");
        const char *name = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(function, "name"));
        cJSON *arguments = cJSON_GetObjectItemCaseSensitive(function, "arguments");
        const char *text = cJSON_GetStringValue(arguments);
        cJSON_AddItemToArray(calls, make_call(c, name ? name : "", text ? cJSON_CreateRaw(text)
                                                                        : cJSON_Duplicate(arguments, true)));
    }
    cJSON_ReplaceItemInObjectCaseSensitive(message, "tool_calls", calls);
}

/* A tool message answers the first call that has no answer yet. */
static void refer_to_call(struct converter *c, cJSON *message)
{
    if (c->next_id > c->last_id) c->last_id = c->next_id;
    add_id(message, "tool_call_id", c->next_id++);
}

static enum lfm_status convert_message(struct converter *c, const cJSON *original)
{
    cJSON *message = cJSON_Duplicate(original, true);
    cJSON_AddItemToArray(c->messages, message);
    const char *role = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(message, "role"));
    const char *content = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(message, "content"));
    if (!role) return LFM_OK;
    if (strcmp(role, "tool") == 0) {
        cJSON_DeleteItemFromObjectCaseSensitive(message, "tool_call_id");
        refer_to_call(c, message);
    } else if (strcmp(role, "assistant") == 0 && cJSON_GetObjectItemCaseSensitive(message, "tool_calls")) {
        complete_calls(c, message);
    } else if (strcmp(role, "assistant") == 0 && !c->calls_as_text && content && strstr(content, calls_open)) {
        return convert_answer(c, message, content);
    }
    return LFM_OK;
}

/* --- the request --- */

static const char *const parameter_names[LFM_N_ENDPOINT_PARAMETERS] = {
    [LFM_PARAMETER_MAX_TOKENS] = "max_tokens",
    [LFM_PARAMETER_SEED] = "seed",
    [LFM_PARAMETER_TOP_P] = "top_p",
    [LFM_PARAMETER_TOP_K] = "top_k",
    [LFM_PARAMETER_MIN_P] = "min_p",
    [LFM_PARAMETER_REPEAT_PENALTY] = "repeat_penalty",
    [LFM_PARAMETER_REPETITION_PENALTY] = "repetition_penalty",
    [LFM_PARAMETER_REPEAT_LAST_N] = "repeat_last_n",
    [LFM_PARAMETER_PARALLEL_TOOL_CALLS] = "parallel_tool_calls",
    [LFM_PARAMETER_SKIP_SPECIAL_TOKENS] = "skip_special_tokens",
};

static void put(cJSON *body, enum lfm_endpoint_parameter parameter, double value)
{
    cJSON_AddNumberToObject(body, parameter_names[parameter], value);
}

/* Servers have defaults of their own, so what is off is said too. Greedy decoding looks at the repetition penalty alone.
 * Seeds have 31 bits: what every server takes. */
static void add_sampling(cJSON *body, const struct lfm_sampling *sampling, uint64_t seed)
{
    put(body, LFM_PARAMETER_SEED, (double)(seed & INT32_MAX));
    cJSON_AddNumberToObject(body, "temperature", sampling->temperature);
    if (sampling->temperature > 0) {
        put(body, LFM_PARAMETER_TOP_P, sampling->top_p);
        put(body, LFM_PARAMETER_TOP_K, (double)sampling->top_k);
        put(body, LFM_PARAMETER_MIN_P, sampling->min_p);
    }
    put(body, LFM_PARAMETER_REPEAT_PENALTY, sampling->repetition_penalty);
    put(body, LFM_PARAMETER_REPETITION_PENALTY, sampling->repetition_penalty);
    if (sampling->repetition_penalty != 1) put(body, LFM_PARAMETER_REPEAT_LAST_N, WHOLE_CONTEXT);
}

/* Tools are {"type": "function", "function": schema}; a bare schema is put into one. A server that is not to look for
 * calls hands the text on as it is, if it is also told to keep special tokens (a parameter of vLLM and SGLang). */
static void add_tools(cJSON *body, const cJSON *tools, bool calls_as_text)
{
    const cJSON *tool;
    cJSON *list = cJSON_AddArrayToObject(body, "tools");
    cJSON_ArrayForEach(tool, tools)
    {
        cJSON *copy = cJSON_Duplicate(tool, true), *outer = copy;
        if (!cJSON_IsObject(cJSON_GetObjectItemCaseSensitive(tool, "function"))) {
            outer = cJSON_CreateObject();
            cJSON_AddStringToObject(outer, "type", "function");
            cJSON_AddItemToObject(outer, "function", copy);
        }
        cJSON_AddItemToArray(list, outer);
    }
    if (calls_as_text) {
        cJSON_AddStringToObject(body, "tool_choice", "none");
        cJSON_AddFalseToObject(body, parameter_names[LFM_PARAMETER_SKIP_SPECIAL_TOKENS]);
    } else {
        cJSON_AddTrueToObject(body, parameter_names[LFM_PARAMETER_PARALLEL_TOOL_CALLS]);
    }
}

enum lfm_status lfm_endpoint_request(cJSON **body, const struct lfm_endpoint_options *options,
                                     const struct lfm_request *request, uint64_t seed, struct lfm_error *error)
{
    const cJSON *message;
    cJSON *out = *body = cJSON_CreateObject();
    struct converter converter = {.next_id = 1, .calls_as_text = options->calls_as_text, .error = error};
    if (options->model_name) cJSON_AddStringToObject(out, "model", options->model_name);
    converter.messages = cJSON_AddArrayToObject(out, "messages");
    cJSON_ArrayForEach(message, request->messages)
    {
        enum lfm_status status = convert_message(&converter, message);
        if (status == LFM_OK) continue;
        cJSON_Delete(out);
        *body = NULL;
        return status;
    }
    if (cJSON_GetArraySize(request->tools) > 0) add_tools(out, request->tools, options->calls_as_text);
    put(out, LFM_PARAMETER_MAX_TOKENS, (double)options->max_tokens);
    add_sampling(out, &options->sampling, seed);
    cJSON_AddFalseToObject(out, "stream");
    return LFM_OK;
}

/* --- refusals --- */

/* Whether the text has the word, not as part of a longer name. */
static bool names(const char *text, const char *word)
{
    size_t length = strlen(word);
    for (const char *at = strstr(text, word); at; at = strstr(at + 1, word)) {
        bool starts = at == text || (!isalnum((unsigned char)at[-1]) && at[-1] != '_');
        if (starts && !isalnum((unsigned char)at[length]) && at[length] != '_') return true;
    }
    return false;
}

static const cJSON *parameter_of(const cJSON *body, enum lfm_endpoint_parameter parameter)
{
    return cJSON_GetObjectItemCaseSensitive(body, parameter_names[parameter]);
}

static bool has_value(const cJSON *body, enum lfm_endpoint_parameter parameter, double value)
{
    const cJSON *item = parameter_of(body, parameter);
    return cJSON_IsNumber(item) && item->valuedouble == value;
}

/* `gone` are those that are left out already. */
static bool can_do_without(const cJSON *body, enum lfm_endpoint_parameter parameter, unsigned gone,
                           const char *refusal)
{
    const cJSON *temperature = cJSON_GetObjectItemCaseSensitive(body, "temperature");
    switch (parameter) {
    case LFM_PARAMETER_MAX_TOKENS: return names(refusal, "max_completion_tokens");
    case LFM_PARAMETER_SEED: return temperature && temperature->valuedouble == 0;
    case LFM_PARAMETER_TOP_P: return has_value(body, parameter, 1);
    case LFM_PARAMETER_TOP_K:
    case LFM_PARAMETER_MIN_P: return has_value(body, parameter, 0);
    case LFM_PARAMETER_REPEAT_PENALTY:
        return has_value(body, parameter, 1) || parameter_of(body, LFM_PARAMETER_REPETITION_PENALTY);
    case LFM_PARAMETER_REPETITION_PENALTY:
        return has_value(body, parameter, 1) || (parameter_of(body, LFM_PARAMETER_REPEAT_PENALTY) &&
                                                 !(gone & 1u << LFM_PARAMETER_REPEAT_PENALTY));
    case LFM_PARAMETER_REPEAT_LAST_N:
    case LFM_PARAMETER_PARALLEL_TOOL_CALLS:
    case LFM_PARAMETER_SKIP_SPECIAL_TOKENS: return true;
    case LFM_N_ENDPOINT_PARAMETERS: break;
    }
    return false;
}

unsigned lfm_endpoint_dispensable(const cJSON *body, const char *refusal)
{
    unsigned found = 0;
    for (unsigned i = 0; i < LFM_N_ENDPOINT_PARAMETERS; i++) {
        enum lfm_endpoint_parameter parameter = (enum lfm_endpoint_parameter)i;
        if (!parameter_of(body, parameter) || !names(refusal, parameter_names[i])) continue;
        if (can_do_without(body, parameter, found, refusal)) found |= 1u << i;
    }
    return found;
}

void lfm_endpoint_leave_out(cJSON *body, unsigned parameters)
{
    for (unsigned i = 0; i < LFM_N_ENDPOINT_PARAMETERS; i++) {
        if (!(parameters & 1u << i)) continue;
        cJSON *item = cJSON_DetachItemFromObjectCaseSensitive(body, parameter_names[i]);
        if (item && i == LFM_PARAMETER_MAX_TOKENS)
            cJSON_AddNumberToObject(body, "max_completion_tokens", item->valuedouble);
        cJSON_Delete(item);
    }
}
