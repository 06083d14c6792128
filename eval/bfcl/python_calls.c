/* Calls as models write them: see python_calls.h. */
#include "eval/bfcl/python_calls.h"

#include "eval/bfcl/python_syntax.h"

#include <string.h>

typedef struct lfm_py_value *value;

static const char *const mode_names[] = {"prompt", "lfm2", "openai"};

const char *lfm_call_mode_name(enum lfm_call_mode mode)
{
    return mode_names[mode];
}

bool lfm_call_mode_find(const char *name, enum lfm_call_mode *out)
{
    for (size_t i = 0; i < sizeof mode_names / sizeof *mode_names; i++)
        if (strcmp(name, mode_names[i]) == 0) {
            *out = (enum lfm_call_mode)i;
            return true;
        }
    return false;
}

/* --- resolve_ast_call, resolve_ast_by_type --- */

static enum lfm_status resolve(struct lfm_arena *arena, value *out, const struct lfm_node *node,
                               struct lfm_error *error);

static enum lfm_status refuse(struct lfm_error *error, const char *why)
{
    return lfm_fail(error, LFM_ERROR_FORMAT, "cannot decode: %s", why);
}

/* The dotted name of what is called; an object that is no name leaves nothing: "f()(a=1)" is a call of "". */
static enum lfm_status put_function_name(struct lfm_buffer *out, const struct lfm_node *function,
                                         struct lfm_error *error)
{
    if (function->kind == LFM_NODE_ATTRIBUTE) {
        LFM_TRY(put_function_name(out, function->items[0], error));
        if (out->length > 0) LFM_TRY(lfm_buffer_puts(out, ".", error));
    } else if (function->kind != LFM_NODE_NAME) {
        return LFM_OK;
    }
    return lfm_buffer_append(out, function->text.at, function->text.length, error);
}

static enum lfm_status function_name(struct lfm_arena *arena, value *out, const struct lfm_node *function,
                                     struct lfm_error *error)
{
    struct lfm_buffer name = {0};
    enum lfm_status status = put_function_name(&name, function, error);
    if (status == LFM_OK) status = lfm_py_new_str(arena, out, (struct lfm_span){name.data, name.length}, error);
    lfm_buffer_release(&name);
    return status;
}

static enum lfm_status keyword_name(struct lfm_arena *arena, value *out, const struct lfm_node *keyword,
                                    struct lfm_error *error)
{
    if (!keyword->text.at) return lfm_py_new(arena, out, LFM_PY_NONE, error);
    return lfm_py_new_str(arena, out, keyword->text, error);
}

typedef enum lfm_status (*resolver)(struct lfm_arena *arena, value *out, const struct lfm_node *node,
                                    struct lfm_error *error);

/* {parameter: value} of the keyword arguments; positional ones do not count. */
static enum lfm_status resolve_arguments(struct lfm_arena *arena, value *out, const struct lfm_node *call, resolver of,
                                         struct lfm_error *error)
{
    LFM_TRY(lfm_py_new(arena, out, LFM_PY_DICT, error));
    for (size_t i = 1; i < call->count; i++) {
        value key, argument;
        if (call->items[i]->kind != LFM_NODE_KEYWORD) continue;
        LFM_TRY(keyword_name(arena, &key, call->items[i], error));
        LFM_TRY(of(arena, &argument, call->items[i]->items[0], error));
        LFM_TRY(lfm_py_set(arena, *out, key, argument, error));
    }
    return LFM_OK;
}

static enum lfm_status resolve_call(struct lfm_arena *arena, value *out, const struct lfm_node *call,
                                    struct lfm_error *error)
{
    value name, arguments;
    LFM_TRY(function_name(arena, &name, call->items[0], error));
    LFM_TRY(resolve_arguments(arena, &arguments, call, resolve, error));
    LFM_TRY(lfm_py_new(arena, out, LFM_PY_DICT, error));
    return lfm_py_set(arena, *out, name, arguments, error);
}

/* Whatever the operator, the operand's negative: +5 is -5, not True is -1. */
static enum lfm_status resolve_unary(struct lfm_arena *arena, value *out, const struct lfm_node *node,
                                     struct lfm_error *error)
{
    if (node->items[0]->kind != LFM_NODE_CONSTANT) return refuse(error, "a sign before what is no literal");
    struct lfm_node minus = *node;
    minus.operation = LFM_OP_MINUS;
    return lfm_py_evaluate(arena, out, &minus, error);
}

static enum lfm_status resolve_items(struct lfm_arena *arena, value *out, const struct lfm_node *node, resolver of,
                                     struct lfm_error *error)
{
    LFM_TRY(lfm_py_new(arena, out, node->kind == LFM_NODE_LIST ? LFM_PY_LIST : LFM_PY_TUPLE, error));
    for (size_t i = 0; i < node->count; i++) {
        value item;
        LFM_TRY(of(arena, &item, node->items[i], error));
        LFM_TRY(lfm_py_append(arena, *out, item, error));
    }
    return LFM_OK;
}

static enum lfm_status resolve_dict(struct lfm_arena *arena, value *out, const struct lfm_node *node, resolver of,
                                    struct lfm_error *error)
{
    LFM_TRY(lfm_py_new(arena, out, LFM_PY_DICT, error));
    for (size_t i = 0; i + 1 < node->count; i += 2) {
        value key, item;
        if (!node->items[i]) return refuse(error, "** in a dict");
        LFM_TRY(of(arena, &key, node->items[i], error));
        LFM_TRY(of(arena, &item, node->items[i + 1], error));
        LFM_TRY(lfm_py_set(arena, *out, key, item, error));
    }
    return LFM_OK;
}

static enum lfm_status put_subscript(struct lfm_buffer *out, const struct lfm_node *node, struct lfm_error *error)
{
    LFM_TRY(lfm_py_unparse(out, node->items[0], error));
    LFM_TRY(lfm_buffer_puts(out, "[", error));
    LFM_TRY(lfm_py_unparse(out, node->items[1], error));
    return lfm_buffer_puts(out, "]", error);
}

/* The source text of a call without keywords, or of a subscript. */
static enum lfm_status resolve_source(struct lfm_arena *arena, value *out, const struct lfm_node *node,
                                      struct lfm_error *error)
{
    struct lfm_buffer text = {0};
    enum lfm_status status = node->kind == LFM_NODE_SUBSCRIPT ? put_subscript(&text, node, error)
                                                              : lfm_py_unparse(&text, node, error);
    if (status == LFM_OK) status = lfm_py_new_str(arena, out, (struct lfm_span){text.data, text.length}, error);
    lfm_buffer_release(&text);
    return status;
}

static bool has_keywords(const struct lfm_node *call)
{
    for (size_t i = 1; i < call->count; i++)
        if (call->items[i]->kind == LFM_NODE_KEYWORD) return true;
    return false;
}

static enum lfm_status resolve(struct lfm_arena *arena, value *out, const struct lfm_node *node,
                               struct lfm_error *error)
{
    switch (node->kind) {
    case LFM_NODE_CONSTANT: *out = node->value; return LFM_OK;
    case LFM_NODE_ELLIPSIS: return lfm_py_new_str(arena, out, lfm_span_of("..."), error);
    case LFM_NODE_NAME: return lfm_py_new_str(arena, out, node->text, error);
    case LFM_NODE_UNARY: return resolve_unary(arena, out, node, error);
    case LFM_NODE_BINARY: return lfm_py_evaluate(arena, out, node, error);
    case LFM_NODE_LIST:
    case LFM_NODE_TUPLE: return resolve_items(arena, out, node, resolve, error);
    case LFM_NODE_DICT: return resolve_dict(arena, out, node, resolve, error);
    case LFM_NODE_CALL:
        return has_keywords(node) ? resolve_call(arena, out, node, error) : resolve_source(arena, out, node, error);
    case LFM_NODE_SUBSCRIPT: return resolve_source(arena, out, node, error);
    default: return refuse(error, "an argument that is no literal, name, call or subscript");
    }
}

/* ast_parse */
static enum lfm_status decode_python(struct lfm_arena *arena, value *calls, struct lfm_span source,
                                     struct lfm_error *error)
{
    struct lfm_node *body;
    source = lfm_py_strip_right(lfm_py_strip_left(lfm_py_strip(source), "'"), "'");
    LFM_TRY(lfm_py_parse(arena, &body, source, error));
    LFM_TRY(lfm_py_new(arena, calls, LFM_PY_LIST, error));
    bool single = body->kind == LFM_NODE_CALL;
    if (!single && body->kind != LFM_NODE_LIST && body->kind != LFM_NODE_TUPLE && body->kind != LFM_NODE_SET)
        return refuse(error, "not a list of calls");
    for (size_t i = 0; i < (single ? 1 : body->count); i++) {
        const struct lfm_node *element = single ? body : body->items[i];
        value call;
        if (element->kind != LFM_NODE_CALL) return refuse(error, "an element that is no call");
        LFM_TRY(resolve_call(arena, &call, element, error));
        LFM_TRY(lfm_py_append(arena, *calls, call, error));
    }
    return LFM_OK;
}

/* default_decode_ast_prompting */
static enum lfm_status decode_prompt(struct lfm_arena *arena, value *calls, struct lfm_span response,
                                     struct lfm_error *error)
{
    struct lfm_buffer text = {0};
    enum lfm_status status = LFM_OK;
    response = lfm_py_strip_right(lfm_py_strip_left(response, "`\n "), "`\n ");
    if (!lfm_span_starts_with(response, lfm_span_of("["))) LFM_TRY_DONE(lfm_buffer_puts(&text, "[", error));
    LFM_TRY_DONE(lfm_buffer_append(&text, response.at, response.length, error));
    if (text.data[text.length - 1] != ']') LFM_TRY_DONE(lfm_buffer_puts(&text, "]", error));
    status = decode_python(arena, calls, (struct lfm_span){text.data, text.length}, error);
done:
    lfm_buffer_release(&text);
    return status;
}

/* --- LFM2 --- */

static const char think_open[] = "<think>", think_close[] = "</think>";
static const char calls_open[] = "<|tool_call_start|>", calls_close[] = "<|tool_call_end|>";

/* What lies between the first `open` and the next `close`, what stands before, and what after. */
static bool find_pair(struct lfm_span text, const char *open, const char *close, struct lfm_span *before,
                      struct lfm_span *inner, struct lfm_span *after)
{
    struct lfm_span rest = text;
    bool more = true;
    lfm_py_next_piece(&rest, open, &more, before);
    if (!more) return false;
    lfm_py_next_piece(&rest, close, &more, inner);
    *after = rest;
    return more;
}

enum lfm_status lfm_split_lfm2(struct lfm_arena *arena, struct lfm_lfm2_response *out, struct lfm_span response,
                               struct lfm_error *error)
{
    struct lfm_span before, inner, after, rest = response;
    struct lfm_buffer visible = {0};
    enum lfm_status status = LFM_OK;
    bool both = lfm_span_contains(response, lfm_span_of(think_open)) &&
                lfm_span_contains(response, lfm_span_of(think_close));
    *out = (struct lfm_lfm2_response){.reasoning = lfm_span_of(""), .visible = response};
    if (both) {
        bool found = find_pair(response, think_open, think_close, &before, &inner, &after);
        if (found) out->reasoning = lfm_py_strip(inner);
        for (; find_pair(rest, think_open, think_close, &before, &inner, &after); rest = after)
            LFM_TRY_DONE(lfm_buffer_append(&visible, before.at, before.length, error));
        LFM_TRY_DONE(lfm_buffer_append(&visible, rest.at, rest.length, error));
        LFM_TRY_DONE(lfm_arena_copy(arena, &out->visible, (struct lfm_span){visible.data, visible.length}, error));
        out->visible = lfm_py_strip_left(out->visible, "\n");
    }
    out->calls = out->visible;
    if (find_pair(out->visible, calls_open, calls_close, &before, &inner, &after)) out->calls = lfm_py_strip(inner);
done:
    lfm_buffer_release(&visible);
    return status;
}

static enum lfm_status decode_lfm2(struct lfm_arena *arena, value *calls, struct lfm_span response,
                                   struct lfm_error *error)
{
    struct lfm_lfm2_response parts;
    LFM_TRY(lfm_split_lfm2(arena, &parts, response, error));
    enum lfm_status status = decode_prompt(arena, calls, parts.calls, error);
    return status == LFM_ERROR_FORMAT ? lfm_py_new(arena, calls, LFM_PY_LIST, error) : status;
}

static enum lfm_status resolve_literal(struct lfm_arena *arena, value *out, const struct lfm_node *node,
                                       struct lfm_error *error)
{
    switch (node->kind) {
    case LFM_NODE_CONSTANT: *out = node->value; return LFM_OK;
    case LFM_NODE_ELLIPSIS:
    case LFM_NODE_NAME: return resolve(arena, out, node, error);
    case LFM_NODE_UNARY:
        if (node->operation != LFM_OP_MINUS) return refuse(error, "a sign other than minus");
        return resolve_unary(arena, out, node, error);
    case LFM_NODE_LIST:
    case LFM_NODE_TUPLE: return resolve_items(arena, out, node, resolve_literal, error);
    case LFM_NODE_DICT: return resolve_dict(arena, out, node, resolve_literal, error);
    default: return refuse(error, "an argument that is no literal");
    }
}

static enum lfm_status record_call(struct lfm_arena *arena, value *out, const struct lfm_node *node,
                                   struct lfm_error *error)
{
    value key, name, arguments;
    if (node->kind != LFM_NODE_CALL) return refuse(error, "an element that is no call");
    LFM_TRY(function_name(arena, &name, node->items[0], error));
    if (name->text.length == 0) return refuse(error, "a call of what is no name");
    LFM_TRY(resolve_arguments(arena, &arguments, node, resolve_literal, error));
    LFM_TRY(lfm_py_new(arena, out, LFM_PY_DICT, error));
    LFM_TRY(lfm_py_new_str(arena, &key, lfm_span_of("name"), error));
    LFM_TRY(lfm_py_set(arena, *out, key, name, error));
    LFM_TRY(lfm_py_new_str(arena, &key, lfm_span_of("arguments"), error));
    return lfm_py_set(arena, *out, key, arguments, error);
}

/* The calls of one block, whose text has its brackets. */
static enum lfm_status record_block(struct lfm_arena *arena, value calls, struct lfm_span block,
                                    struct lfm_error *error)
{
    struct lfm_node *body;
    enum lfm_status status = lfm_py_parse(arena, &body, block, error);
    if (status == LFM_ERROR_FORMAT || (status == LFM_OK && body->kind != LFM_NODE_LIST)) return LFM_OK;
    LFM_TRY(status);
    for (size_t i = 0; i < body->count; i++) {
        value call;
        status = record_call(arena, &call, body->items[i], error);
        if (status == LFM_OK) status = lfm_py_append(arena, calls, call, error);
        if (status != LFM_OK && status != LFM_ERROR_FORMAT) return status;
    }
    return LFM_OK;
}

/* The first block [...] between call tags, brackets included; *rest moves behind it. The block ends at the first close
 * tag with a bracket before it, as a regular expression would have it. */
static bool next_block(struct lfm_span *rest, struct lfm_span *block)
{
    struct lfm_span before;
    bool more = true;
    for (;;) {
        lfm_py_next_piece(rest, calls_open, &more, &before);
        if (!more) return false;
        const char *start = lfm_py_strip_left(*rest, NULL).at;
        if (start == rest->at + rest->length || *start != '[') continue;
        while (more) {
            struct lfm_span piece;
            lfm_py_next_piece(rest, calls_close, &more, &piece);
            if (!more) return false;
            *block = lfm_py_strip_right((struct lfm_span){start, (size_t)(piece.at + piece.length - start)}, NULL);
            if (block->length > 1 && block->at[block->length - 1] == ']') return true;
        }
    }
}

enum lfm_status lfm_lfm2_tool_calls(struct lfm_arena *arena, struct lfm_py_value **calls, struct lfm_span visible,
                                    struct lfm_error *error)
{
    struct lfm_span block;
    LFM_TRY(lfm_py_new(arena, calls, LFM_PY_LIST, error));
    while (next_block(&visible, &block)) LFM_TRY(record_block(arena, *calls, block, error));
    return LFM_OK;
}

/* --- tool_calls of OpenAI's chat completions --- */

static enum lfm_status decode_arguments(struct lfm_arena *arena, const struct lfm_py_value **out,
                                        const struct lfm_py_value *arguments, struct lfm_error *error)
{
    value parsed;
    *out = arguments;
    if (arguments->type != LFM_PY_STR) return LFM_OK;
    LFM_TRY(lfm_py_json_value(arena, &parsed, arguments->text, "arguments", error));
    *out = parsed;
    return LFM_OK;
}

static enum lfm_status decode_tool_call(struct lfm_arena *arena, value *out, const struct lfm_py_value *item,
                                        struct lfm_error *error)
{
    const struct lfm_py_value *function = item, *name, *arguments;
    if (item->type != LFM_PY_DICT) return refuse(error, "a tool call that is no object");
    if (lfm_py_get_named(item, "function")) function = lfm_py_get_named(item, "function");
    if (function->type != LFM_PY_DICT || function->count == 0) return refuse(error, "a tool call without a name");
    name = lfm_py_get_named(function, "name");
    arguments = lfm_py_get_named(function, "arguments");
    if (!name || name->type != LFM_PY_STR || !arguments) {
        name = function->items[0];
        arguments = function->items[1];
    }
    LFM_TRY(decode_arguments(arena, &arguments, arguments, error));
    LFM_TRY(lfm_py_new(arena, out, LFM_PY_DICT, error));
    return lfm_py_set(arena, *out, name, arguments, error);
}

static enum lfm_status decode_openai(struct lfm_arena *arena, value *calls, struct lfm_span response,
                                     struct lfm_error *error)
{
    value document;
    LFM_TRY(lfm_py_json_value(arena, &document, response, "tool calls", error));
    const struct lfm_py_value *list = document;
    if (list->type == LFM_PY_DICT && lfm_py_get_named(list, "tool_calls")) list = lfm_py_get_named(list, "tool_calls");
    if (list->type != LFM_PY_LIST) return refuse(error, "not a list of tool calls");
    LFM_TRY(lfm_py_new(arena, calls, LFM_PY_LIST, error));
    for (size_t i = 0; i < list->count; i++) {
        value call;
        LFM_TRY(decode_tool_call(arena, &call, list->items[i], error));
        LFM_TRY(lfm_py_append(arena, *calls, call, error));
    }
    return LFM_OK;
}

enum lfm_status lfm_decode_calls(struct lfm_arena *arena, struct lfm_py_value **calls, enum lfm_call_mode mode,
                                 struct lfm_span response, struct lfm_error *error)
{
    if (mode == LFM_CALLS_LFM2) return decode_lfm2(arena, calls, response, error);
    if (mode == LFM_CALLS_OPENAI) return decode_openai(arena, calls, response, error);
    return decode_prompt(arena, calls, response, error);
}
