/* Answers in OpenAI's form: see endpoint_parts.h.
 *
 * Read as Python values, which keep 1 and 1.0 apart; so do the arguments of calls. */
#include "eval/backends/endpoint_parts.h"

#include "eval/bfcl/python_calls.h"
#include "reference/base/utf8.h"

#include <string.h>

enum { LONGEST_EXCERPT = 200 };

typedef const struct lfm_py_value *value;

static const char calls_open[] = "<|tool_call_start|>", calls_close[] = "<|tool_call_end|>";

/* --- looking things up: NULL when it is not there, or null --- */

static value get(value object, const char *key)
{
    value item = object && object->type == LFM_PY_DICT ? lfm_py_get_named(object, key) : NULL;
    return item && item->type != LFM_PY_NONE ? item : NULL;
}

static value get_text(value object, const char *key)
{
    value item = get(object, key);
    return item && item->type == LFM_PY_STR ? item : NULL;
}

static value get_list(value object, const char *key)
{
    value item = get(object, key);
    return item && item->type == LFM_PY_LIST && item->count > 0 ? item : NULL;
}

static size_t get_count(value object, const char *key)
{
    value item = get(object, key);
    return item && item->type == LFM_PY_INT && !item->digits && item->integer > 0 ? (size_t)item->integer : 0;
}

/* --- calls, as the family writes them --- */

/* Appends Python text so that no tag of a call can stand in it: tags inside strings are written with an escape. */
static enum lfm_status append_python(struct lfm_buffer *out, struct lfm_span python, struct lfm_error *error)
{
    static const char tag[] = "<|tool_call_";
    const char *at = python.at, *end = python.at + python.length;
    for (const char *found; at < end; at = found + 1) {
        found = strstr(at, tag);
        if (!found) return lfm_buffer_append(out, at, (size_t)(end - at), error);
        LFM_TRY(lfm_buffer_append(out, at, (size_t)(found - at), error));
        LFM_TRY(lfm_buffer_puts(out, "\\x3c", error));
    }
    return LFM_OK;
}

/* name=value, name=value */
static enum lfm_status append_arguments(struct lfm_buffer *out, value arguments, struct lfm_error *error)
{
    struct lfm_buffer python = {0};
    enum lfm_status status = lfm_buffer_append(&python, "", 0, error);
    for (size_t i = 0; status == LFM_OK && i + 1 < arguments->count; i += 2) {
        status = lfm_buffer_puts(&python, i > 0 ? ", " : "", error);
        if (status == LFM_OK) status = lfm_endpoint_clean(&python, arguments->items[i]->text, error);
        if (status == LFM_OK) status = lfm_buffer_puts(&python, "=", error);
        if (status == LFM_OK) status = lfm_py_repr(&python, arguments->items[i + 1], error);
    }
    if (status == LFM_OK) status = append_python(out, (struct lfm_span){python.data, python.length}, error);
    lfm_buffer_release(&python);
    return status;
}

/* Arguments that are no JSON object are handed on as they are: the call is malformed, which is for the suite to say. */
static enum lfm_status append_raw(struct lfm_buffer *out, struct lfm_span arguments, struct lfm_error *error)
{
    struct lfm_buffer clean = {0};
    enum lfm_status status = lfm_endpoint_clean(&clean, arguments, error);
    if (status == LFM_OK) status = append_python(out, (struct lfm_span){clean.data, clean.length}, error);
    lfm_buffer_release(&clean);
    return status;
}

/* The arguments as an object; NULL when they are none. No text at all stands for no arguments. */
static enum lfm_status read_arguments(struct lfm_arena *arena, value function, value *out, struct lfm_error *error)
{
    struct lfm_py_value *parsed;
    value given = *out = get(function, "arguments");
    if (!given || given->type != LFM_PY_STR || lfm_py_is_blank(given->text)) {
        *out = given && given->type == LFM_PY_DICT ? given : NULL;
        return LFM_OK;
    }
    enum lfm_status status = lfm_py_json_value(arena, &parsed, given->text, "arguments", error);
    *out = status == LFM_OK && parsed->type == LFM_PY_DICT ? parsed : NULL;
    return status == LFM_ERROR_FORMAT ? LFM_OK : status;
}

static enum lfm_status append_call(struct lfm_arena *arena, struct lfm_buffer *out, value call, struct lfm_error *error)
{
    value function = get(call, "function"), name = get_text(function, "name"), text = get_text(function, "arguments");
    value arguments;
    if (!name) return lfm_fail(error, LFM_ERROR_FORMAT, "a tool call without a function name");
    LFM_TRY(read_arguments(arena, function, &arguments, error));
    LFM_TRY(lfm_endpoint_clean(out, name->text, error));
    LFM_TRY(lfm_buffer_puts(out, "(", error));
    if (arguments) LFM_TRY(append_arguments(out, arguments, error));
    else if (text && !lfm_py_is_blank(text->text)) LFM_TRY(append_raw(out, text->text, error));
    return lfm_buffer_puts(out, ")", error);
}

static enum lfm_status append_calls(struct lfm_arena *arena, struct lfm_buffer *out, value calls,
                                    struct lfm_error *error)
{
    if (!calls) return LFM_OK;
    LFM_TRY(lfm_buffer_printf(out, error, "%s[", calls_open));
    for (size_t i = 0; i < calls->count; i++) {
        if (i > 0) LFM_TRY(lfm_buffer_puts(out, ", ", error));
        LFM_TRY(append_call(arena, out, calls->items[i], error));
    }
    return lfm_buffer_printf(out, error, "]%s", calls_close);
}

/* --- the answer --- */

/* The parts of a message; spans without text are empty. */
struct answer {
    struct lfm_span reasoning;
    value calls;
    struct lfm_buffer content;
};

static enum lfm_status append_content(struct lfm_buffer *out, value content, struct lfm_error *error)
{
    if (content->type == LFM_PY_STR) return lfm_endpoint_clean(out, content->text, error);
    if (content->type != LFM_PY_LIST) return lfm_fail(error, LFM_ERROR_FORMAT, "its 'content' is not text");
    for (size_t i = 0; i < content->count; i++) {
        value text = get_text(content->items[i], "text");
        if (text) LFM_TRY(lfm_endpoint_clean(out, text->text, error));
    }
    return LFM_OK;
}

static enum lfm_status read_message(struct answer *answer, value message, struct lfm_error *error)
{
    value reasoning = get_text(message, "reasoning_content"), content = get(message, "content");
    if (!reasoning) reasoning = get_text(message, "reasoning");
    if (!content) content = get_text(message, "refusal");
    answer->calls = get_list(message, "tool_calls");
    if (reasoning) answer->reasoning = reasoning->text;
    if (!content && !answer->calls && answer->reasoning.length == 0)
        return lfm_fail(error, LFM_ERROR_FORMAT, "its message has neither content nor tool calls");
    LFM_TRY(lfm_buffer_append(&answer->content, "", 0, error));
    return content ? append_content(&answer->content, content, error) : LFM_OK;
}

/* Reasoning that came by itself stands before the answer as the family writes it; it stays open when nothing follows. */
static enum lfm_status write_raw(struct lfm_arena *arena, struct lfm_buffer *raw, const struct answer *answer,
                                 struct lfm_error *error)
{
    if (answer->reasoning.length > 0) {
        LFM_TRY(lfm_buffer_puts(raw, "<think>", error));
        LFM_TRY(lfm_endpoint_clean(raw, answer->reasoning, error));
        if (answer->calls || answer->content.length > 0) LFM_TRY(lfm_buffer_puts(raw, "</think>", error));
    }
    LFM_TRY(append_calls(arena, raw, answer->calls, error));
    return lfm_buffer_puts(raw, answer->content.data, error);
}

static enum lfm_status write_text(struct lfm_arena *arena, struct lfm_buffer *text, const struct answer *answer,
                                  struct lfm_error *error)
{
    LFM_TRY(append_calls(arena, text, answer->calls, error));
    return lfm_strip_reasoning(text, answer->content.data, error);
}

/* An answer that was cut off before the run's limit was cut off by the context. */
static enum lfm_status read_finish(struct lfm_completion *completion, value choice, size_t max_tokens,
                                   struct lfm_error *error)
{
    value reason = get_text(choice, "finish_reason");
    completion->finish = LFM_FINISH_STOP;
    if (!reason) return LFM_OK;
    if (lfm_py_is_str(reason, "content_filter"))
        return lfm_fail(error, LFM_ERROR_FORMAT, "the server withheld it (content_filter)");
    if (!lfm_py_is_str(reason, "length")) return LFM_OK;
    bool early = completion->generated_tokens > 0 && completion->generated_tokens < max_tokens;
    completion->finish = early ? LFM_FINISH_CONTEXT : LFM_FINISH_LENGTH;
    return LFM_OK;
}

static enum lfm_status check_utf8(struct lfm_span body, struct lfm_error *error)
{
    for (size_t i = 0; i < body.length;) {
        size_t broken, n = lfm_utf8_length(body.at + i, body.length - i, &broken);
        if (n == 0) return lfm_fail(error, LFM_ERROR_FORMAT, "it is not UTF-8 at byte %zu", i);
        i += n;
    }
    return LFM_OK;
}

static enum lfm_status read_document(struct lfm_arena *arena, struct lfm_py_value **document, struct lfm_span body,
                                     struct lfm_error *error)
{
    LFM_TRY(check_utf8(body, error));
    return lfm_py_json_value(arena, document, body, NULL, error);
}

enum lfm_status lfm_endpoint_read(struct lfm_completion *completion, struct lfm_span body, size_t max_tokens,
                                  struct lfm_error *error)
{
    struct lfm_arena arena = {0};
    struct lfm_py_value *document;
    struct answer answer = {{"", 0}, NULL, {0}};
    enum lfm_status status;
    LFM_TRY_DONE(read_document(&arena, &document, body, error));
    value choices = get_list(document, "choices"), message = choices ? get(choices->items[0], "message") : NULL;
    value usage = get(document, "usage");
    if (!choices) LFM_TRY_DONE(lfm_fail(error, LFM_ERROR_FORMAT, "it has no 'choices'"));
    if (!message) LFM_TRY_DONE(lfm_fail(error, LFM_ERROR_FORMAT, "its first choice has no 'message'"));
    completion->prompt_tokens = get_count(usage, "prompt_tokens");
    completion->generated_tokens = get_count(usage, "completion_tokens");
    completion->reused_tokens = get_count(get(usage, "prompt_tokens_details"), "cached_tokens");
    LFM_TRY_DONE(read_finish(completion, choices->items[0], max_tokens, error));
    LFM_TRY_DONE(read_message(&answer, message, error));
    LFM_TRY_DONE(write_raw(&arena, &completion->raw, &answer, error));
    status = write_text(&arena, &completion->text, &answer, error);
done:
    lfm_buffer_release(&answer.content);
    lfm_arena_release(&arena);
    return status;
}

/* --- refusals --- */

/* {"error": {"message"}}, {"error": "..."}, {"message"}, {"detail"}: OpenAI's form, and what else is seen. */
static value find_message(value document)
{
    value error = get(document, "error"), message = get_text(error, "message");
    if (!message) message = get_text(document, "error");
    if (!message) message = get_text(document, "message");
    return message ? message : get_text(document, "detail");
}

/* One line: controls (C0, DEL, C1, the line and paragraph separators, marks that turn the direction of writing) become
 * "?". */
static bool is_printable(unsigned point)
{
    if (point < 0x20 || (point >= 0x7F && point < 0xA0)) return false;
    return !(point >= 0x2028 && point <= 0x202E) && !(point >= 0x2066 && point <= 0x2069);
}

static enum lfm_status append_line(struct lfm_buffer *out, struct lfm_span text, struct lfm_error *error)
{
    struct lfm_buffer clean = {0};
    size_t length = text.length < 4 * LONGEST_EXCERPT ? text.length : 4 * LONGEST_EXCERPT, at = 0;
    enum lfm_status status = lfm_endpoint_clean(&clean, (struct lfm_span){text.at, length}, error);
    while (status == LFM_OK && at < clean.length && at < LONGEST_EXCERPT) {
        size_t broken, n = lfm_utf8_length(clean.data + at, clean.length - at, &broken);
        bool printable = is_printable(lfm_utf8_code_point(clean.data + at, n));
        status = printable ? lfm_buffer_append(out, clean.data + at, n, error) : lfm_buffer_puts(out, "?", error);
        at += n;
    }
    if (status == LFM_OK && (at < clean.length || length < text.length)) status = lfm_buffer_puts(out, "...", error);
    lfm_buffer_release(&clean);
    return status;
}

enum lfm_status lfm_endpoint_excerpt(struct lfm_buffer *out, struct lfm_span body, struct lfm_error *error)
{
    struct lfm_arena arena = {0};
    struct lfm_py_value *document;
    struct lfm_error ignored;
    struct lfm_span shown = body;
    enum lfm_status status = read_document(&arena, &document, body, &ignored);
    while (shown.length > 0 && strchr(" \t\r\n", *shown.at)) shown.at++, shown.length--;
    if (status == LFM_OK && find_message(document)) shown = find_message(document)->text;
    status = status == LFM_ERROR_MEMORY ? status : append_line(out, shown, error);
    lfm_arena_release(&arena);
    return status;
}

static bool says_one_of(const char *text, const char *const *phrases, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (strstr(text, phrases[i])) return true;
    return false;
}

/* llama-server; vLLM and OpenAI; llama-cpp-python; SGLang. */
bool lfm_endpoint_says_context_full(const char *refusal)
{
    static const char *const phrases[] = {"exceed_context_size_error", "context_length_exceeded",
                                          "maximum context length",    "exceeds the available context size",
                                          "exceed context window",     "longer than the model's context length"};
    return says_one_of(refusal, phrases, sizeof phrases / sizeof *phrases);
}

/* llama-server. */
bool lfm_endpoint_says_unparsed(const char *refusal)
{
    static const char *const phrases[] = {"The model produced output that does not match"};
    return says_one_of(refusal, phrases, sizeof phrases / sizeof *phrases);
}
