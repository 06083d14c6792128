/* Expressions as text again, as CPython 3.11's ast.unparse writes them: see python_syntax.h. */
#include "eval/bfcl/python_syntax.h"

enum { MOST_LEVELS = 300 }; /* CPython's own recursion limit ends at about 330 */

/* _Precedence of CPython's Lib/ast.py, loosest first. */
enum precedence {
    NAMED,
    TUPLE,
    YIELD,
    TEST,
    OR,
    AND,
    NOT,
    COMPARE,
    BIT_OR,
    BIT_XOR,
    BIT_AND,
    SHIFT,
    SUM,
    TERM,
    FACTOR,
    POWER,
    AWAIT,
    ATOM
};

static const struct operation {
    const char *text;
    enum precedence precedence;
} operations[] = {
    [LFM_OP_OR] = {" or ", OR},          [LFM_OP_AND] = {" and ", AND},       [LFM_OP_NOT] = {"not ", NOT},
    [LFM_OP_BIT_OR] = {" | ", BIT_OR},   [LFM_OP_BIT_XOR] = {" ^ ", BIT_XOR}, [LFM_OP_BIT_AND] = {" & ", BIT_AND},
    [LFM_OP_LEFT] = {" << ", SHIFT},     [LFM_OP_RIGHT] = {" >> ", SHIFT},    [LFM_OP_ADD] = {" + ", SUM},
    [LFM_OP_SUBTRACT] = {" - ", SUM},    [LFM_OP_MULTIPLY] = {" * ", TERM},   [LFM_OP_MATRIX] = {" @ ", TERM},
    [LFM_OP_DIVIDE] = {" / ", TERM},     [LFM_OP_FLOOR] = {" // ", TERM},     [LFM_OP_MODULO] = {" % ", TERM},
    [LFM_OP_PLUS] = {"+", FACTOR},       [LFM_OP_MINUS] = {"-", FACTOR},      [LFM_OP_INVERT] = {"~", FACTOR},
    [LFM_OP_POWER] = {" ** ", POWER},
};

struct writer {
    struct lfm_buffer *out;
    struct lfm_error *error;
    int level;
};

static enum lfm_status write_node(struct writer *w, const struct lfm_node *node, enum precedence precedence);

static enum lfm_status put(struct writer *w, const char *text)
{
    return lfm_buffer_puts(w->out, text, w->error);
}

static enum lfm_status put_span(struct writer *w, struct lfm_span text)
{
    return lfm_buffer_append(w->out, text.at, text.length, w->error);
}

/* Children from..to, with a separator between them. */
static enum lfm_status write_items(struct writer *w, const struct lfm_node *node, size_t from, size_t to,
                                   const char *separator, enum precedence precedence)
{
    for (size_t i = from; i < to; i++) {
        if (i > from) LFM_TRY(put(w, separator));
        LFM_TRY(write_node(w, node->items[i], precedence));
    }
    return LFM_OK;
}

static enum lfm_status write_constant(struct writer *w, const struct lfm_node *node)
{
    const struct lfm_py_value *value = node->value;
    LFM_TRY(put_span(w, node->text));
    if (value->type != LFM_PY_FLOAT && value->type != LFM_PY_COMPLEX) return lfm_py_repr(w->out, value, w->error);
    if (value->real > 0x1.fffffffffffffp1023) return put(w, "1e309");
    if (value->imaginary > 0x1.fffffffffffffp1023) return put(w, "1e309j");
    return lfm_py_repr(w->out, value, w->error);
}

static enum lfm_status write_tuple_items(struct writer *w, const struct lfm_node *node)
{
    LFM_TRY(write_items(w, node, 0, node->count, ", ", TEST));
    return node->count == 1 ? put(w, ",") : LFM_OK;
}

static enum lfm_status write_attribute(struct writer *w, const struct lfm_node *node)
{
    const struct lfm_node *object = node->items[0];
    LFM_TRY(write_node(w, object, ATOM));
    bool integer = object->kind == LFM_NODE_CONSTANT &&
                   (object->value->type == LFM_PY_INT || object->value->type == LFM_PY_BOOL);
    LFM_TRY(put(w, integer ? " ." : "."));
    return put_span(w, node->text);
}

static enum lfm_status write_keyword(struct writer *w, const struct lfm_node *node)
{
    if (!node->text.at) {
        LFM_TRY(put(w, "**"));
    } else {
        LFM_TRY(put_span(w, node->text));
        LFM_TRY(put(w, "="));
    }
    return write_node(w, node->items[0], TEST);
}

/* Positional arguments come first, wherever they were written. */
static enum lfm_status write_call(struct writer *w, const struct lfm_node *node)
{
    const char *separator = "(";
    LFM_TRY(write_node(w, node->items[0], ATOM));
    for (int keywords = 0; keywords < 2; keywords++)
        for (size_t i = 1; i < node->count; i++) {
            if ((node->items[i]->kind == LFM_NODE_KEYWORD) != keywords) continue;
            LFM_TRY(put(w, separator));
            LFM_TRY(write_node(w, node->items[i], TEST));
            separator = ", ";
        }
    return put(w, node->count == 1 ? "()" : ")");
}

static enum lfm_status write_subscript(struct writer *w, const struct lfm_node *node)
{
    const struct lfm_node *index = node->items[1];
    LFM_TRY(write_node(w, node->items[0], ATOM));
    LFM_TRY(put(w, "["));
    LFM_TRY(index->kind == LFM_NODE_TUPLE && index->count > 0 ? write_tuple_items(w, index)
                                                              : write_node(w, index, TEST));
    return put(w, "]");
}

static enum lfm_status write_slice(struct writer *w, const struct lfm_node *node)
{
    if (node->items[0]) LFM_TRY(write_node(w, node->items[0], TEST));
    LFM_TRY(put(w, ":"));
    if (node->items[1]) LFM_TRY(write_node(w, node->items[1], TEST));
    if (!node->items[2]) return LFM_OK;
    LFM_TRY(put(w, ":"));
    return write_node(w, node->items[2], TEST);
}

static enum lfm_status write_binary(struct writer *w, const struct lfm_node *node)
{
    enum precedence own = operations[node->operation].precedence;
    bool from_right = node->operation == LFM_OP_POWER;
    LFM_TRY(write_node(w, node->items[0], from_right ? own + 1 : own));
    LFM_TRY(put(w, operations[node->operation].text));
    return write_node(w, node->items[1], from_right ? own : own + 1);
}

/* CPython raises the precedence by one with every operand. */
static enum lfm_status write_boolean(struct writer *w, const struct lfm_node *node)
{
    enum precedence precedence = operations[node->operation].precedence;
    for (size_t i = 0; i < node->count; i++) {
        if (i > 0) LFM_TRY(put(w, operations[node->operation].text));
        if (precedence < ATOM) precedence++;
        LFM_TRY(write_node(w, node->items[i], precedence));
    }
    return LFM_OK;
}

static enum lfm_status write_comparison(struct writer *w, const struct lfm_node *node)
{
    LFM_TRY(write_node(w, node->items[0], COMPARE + 1));
    for (size_t i = 1; i + 1 < node->count; i += 2) {
        LFM_TRY(put(w, " "));
        LFM_TRY(put_span(w, node->items[i]->text));
        LFM_TRY(put(w, " "));
        LFM_TRY(write_node(w, node->items[i + 1], COMPARE + 1));
    }
    return LFM_OK;
}

static enum lfm_status write_conditional(struct writer *w, const struct lfm_node *node)
{
    LFM_TRY(write_node(w, node->items[0], TEST + 1));
    LFM_TRY(put(w, " if "));
    LFM_TRY(write_node(w, node->items[1], TEST + 1));
    LFM_TRY(put(w, " else "));
    return write_node(w, node->items[2], TEST);
}

static enum lfm_status write_dict(struct writer *w, const struct lfm_node *node)
{
    LFM_TRY(put(w, "{"));
    for (size_t i = 0; i + 1 < node->count; i += 2) {
        const struct lfm_node *key = node->items[i];
        if (i > 0) LFM_TRY(put(w, ", "));
        if (key) LFM_TRY(write_node(w, key, TEST));
        LFM_TRY(put(w, key ? ": " : "**"));
        LFM_TRY(write_node(w, node->items[i + 1], key ? TEST : BIT_OR));
    }
    return put(w, "}");
}

static enum lfm_status write_comprehension(struct writer *w, const struct lfm_node *node)
{
    char open = *node->text.at;
    LFM_TRY(put_span(w, node->text));
    LFM_TRY(write_node(w, node->items[0], TEST));
    for (size_t i = 1; i < node->count; i++) {
        if (node->items[i]->kind != LFM_NODE_FOR) LFM_TRY(put(w, ": "));
        LFM_TRY(write_node(w, node->items[i], TEST));
    }
    return put(w, open == '(' ? ")" : open == '[' ? "]" : "}");
}

static enum lfm_status write_for(struct writer *w, const struct lfm_node *node)
{
    LFM_TRY(put(w, " "));
    LFM_TRY(put_span(w, node->text));
    LFM_TRY(put(w, " "));
    LFM_TRY(write_node(w, node->items[0], TUPLE));
    LFM_TRY(put(w, " in "));
    return write_items(w, node, 1, node->count, " if ", TEST + 1);
}

static enum lfm_status write_parameter(struct writer *w, const struct lfm_node *node)
{
    LFM_TRY(put_span(w, node->text));
    if (node->count == 0) return LFM_OK;
    LFM_TRY(put(w, "="));
    return write_node(w, node->items[0], TEST);
}

static enum lfm_status write_lambda(struct writer *w, const struct lfm_node *node)
{
    LFM_TRY(put(w, node->count > 1 ? "lambda " : "lambda"));
    LFM_TRY(write_items(w, node, 0, node->count - 1, ", ", TEST));
    LFM_TRY(put(w, ": "));
    return write_node(w, node->items[node->count - 1], TEST);
}

static enum lfm_status write_prefixed(struct writer *w, const char *prefix, const struct lfm_node *node,
                                      enum precedence precedence)
{
    LFM_TRY(put(w, prefix));
    return node->count > 0 ? write_node(w, node->items[0], precedence) : LFM_OK;
}

static enum lfm_status write_yield(struct writer *w, const struct lfm_node *node)
{
    LFM_TRY(put_span(w, node->text));
    return write_prefixed(w, node->count > 0 ? " " : "", node, ATOM);
}

static enum precedence precedence_of(const struct lfm_node *node)
{
    switch (node->kind) {
    case LFM_NODE_UNARY:
    case LFM_NODE_BINARY:
    case LFM_NODE_BOOLEAN: return operations[node->operation].precedence;
    case LFM_NODE_COMPARE: return COMPARE;
    case LFM_NODE_CONDITIONAL:
    case LFM_NODE_LAMBDA: return TEST;
    case LFM_NODE_TUPLE: return node->count == 0 ? NAMED : TUPLE;
    case LFM_NODE_NAMED: return NAMED;
    case LFM_NODE_YIELD: return YIELD;
    case LFM_NODE_AWAIT: return AWAIT;
    default: return ATOM;
    }
}

static enum lfm_status write_bare(struct writer *w, const struct lfm_node *node)
{
    switch (node->kind) {
    case LFM_NODE_CONSTANT: return write_constant(w, node);
    case LFM_NODE_ELLIPSIS: return put(w, "...");
    case LFM_NODE_NAME:
    case LFM_NODE_FORMAT:
    case LFM_NODE_OPERATOR: return put_span(w, node->text);
    case LFM_NODE_ATTRIBUTE: return write_attribute(w, node);
    case LFM_NODE_CALL: return write_call(w, node);
    case LFM_NODE_KEYWORD: return write_keyword(w, node);
    case LFM_NODE_SUBSCRIPT: return write_subscript(w, node);
    case LFM_NODE_SLICE: return write_slice(w, node);
    case LFM_NODE_UNARY:
        return write_prefixed(w, operations[node->operation].text, node, operations[node->operation].precedence);
    case LFM_NODE_BINARY: return write_binary(w, node);
    case LFM_NODE_BOOLEAN: return write_boolean(w, node);
    case LFM_NODE_COMPARE: return write_comparison(w, node);
    case LFM_NODE_CONDITIONAL: return write_conditional(w, node);
    case LFM_NODE_LIST:
        LFM_TRY(put(w, "["));
        LFM_TRY(write_items(w, node, 0, node->count, ", ", TEST));
        return put(w, "]");
    case LFM_NODE_TUPLE: return write_tuple_items(w, node);
    case LFM_NODE_SET:
        LFM_TRY(put(w, "{"));
        LFM_TRY(write_items(w, node, 0, node->count, ", ", TEST));
        return put(w, "}");
    case LFM_NODE_DICT: return write_dict(w, node);
    case LFM_NODE_COMPREHENSION: return write_comprehension(w, node);
    case LFM_NODE_FOR: return write_for(w, node);
    case LFM_NODE_STARRED: return write_prefixed(w, "*", node, BIT_OR);
    case LFM_NODE_LAMBDA: return write_lambda(w, node);
    case LFM_NODE_PARAMETER: return write_parameter(w, node);
    case LFM_NODE_NAMED:
        LFM_TRY(write_node(w, node->items[0], ATOM));
        LFM_TRY(put(w, " := "));
        return write_node(w, node->items[1], ATOM);
    case LFM_NODE_YIELD: return write_yield(w, node);
    case LFM_NODE_AWAIT: return write_prefixed(w, "await ", node, ATOM);
    }
    return LFM_OK;
}

/* In parentheses where the node binds more loosely than its place asks for. */
static enum lfm_status write_node(struct writer *w, const struct lfm_node *node, enum precedence precedence)
{
    if (++w->level > MOST_LEVELS)
        return lfm_fail(w->error, LFM_ERROR_FORMAT, "an expression of more than %d levels", MOST_LEVELS);
    bool parentheses = precedence > precedence_of(node);
    if (parentheses) LFM_TRY(put(w, "("));
    LFM_TRY(write_bare(w, node));
    if (parentheses) LFM_TRY(put(w, ")"));
    w->level--;
    return LFM_OK;
}

enum lfm_status lfm_py_unparse(struct lfm_buffer *out, const struct lfm_node *node, struct lfm_error *error)
{
    struct writer w = {.out = out, .error = error};
    return write_node(&w, node, TEST);
}
