/* A recursive descent parser of Python expressions: see python_syntax.h. After the Python Language Reference 3.11, 10.
 */
#include "eval/bfcl/python_syntax.h"

#include <stdlib.h>
#include <string.h>
#include <uninorm.h>

enum { MOST_LEVELS = 1000 };

struct parser {
    struct lfm_arena *arena;
    struct lfm_error *error;
    struct lfm_tokens tokens;
    size_t at;
    int level;
};

typedef struct lfm_node *node;
typedef enum lfm_status (*rule)(struct parser *p, node *out);

static enum lfm_status parse_expression(struct parser *p, node *out);
static enum lfm_status parse_named(struct parser *p, node *out);
static enum lfm_status parse_binary(struct parser *p, node *out, int level);
static enum lfm_status parse_unary(struct parser *p, node *out);
static enum lfm_status parse_disjunction(struct parser *p, node *out);

/* --- tokens --- */

static const struct lfm_token *token(const struct parser *p, size_t ahead)
{
    size_t last = p->tokens.count - 1;
    return &p->tokens.items[p->at + ahead < last ? p->at + ahead : last];
}

static enum lfm_status fail_here(const struct parser *p, const char *expected)
{
    const struct lfm_span *found = &token(p, 0)->text;
    size_t offset = (size_t)(found->at - p->tokens.items[0].text.at);
    if (found->length == 0) return lfm_fail(p->error, LFM_ERROR_FORMAT, "expected %s, found the end", expected);
    return lfm_fail(p->error, LFM_ERROR_FORMAT, "byte %zu: expected %s, found '%.*s'", offset, expected,
                    (int)(found->length < 40 ? found->length : 40), found->at);
}

static bool is_text(const struct parser *p, size_t ahead, enum lfm_token_kind kind, const char *text)
{
    return token(p, ahead)->kind == kind && lfm_span_equals(token(p, ahead)->text, lfm_span_of(text));
}

static bool is_op(const struct parser *p, const char *text)
{
    return is_text(p, 0, LFM_TOKEN_OPERATOR, text);
}

static bool is_word(const struct parser *p, const char *text)
{
    return is_text(p, 0, LFM_TOKEN_NAME, text);
}

static bool take_op(struct parser *p, const char *text)
{
    bool found = is_op(p, text);
    p->at += found;
    return found;
}

static bool take_word(struct parser *p, const char *text)
{
    bool found = is_word(p, text);
    p->at += found;
    return found;
}

static enum lfm_status expect_op(struct parser *p, const char *text)
{
    return take_op(p, text) ? LFM_OK : fail_here(p, text);
}

static bool is_keyword(struct lfm_span text)
{
    static const char *const keywords[] = {"False",  "None",   "True",    "and",      "as",       "assert", "async",
                                           "await",  "break",  "class",   "continue", "def",      "del",    "elif",
                                           "else",   "except", "finally", "for",      "from",     "global", "if",
                                           "import", "in",     "is",      "lambda",   "nonlocal", "not",    "or",
                                           "pass",   "raise",  "return",  "try",      "while",    "with",   "yield"};
    for (size_t i = 0; i < sizeof keywords / sizeof *keywords; i++)
        if (lfm_span_equals(text, lfm_span_of(keywords[i]))) return true;
    return false;
}

static bool is_name(const struct parser *p, size_t ahead)
{
    return token(p, ahead)->kind == LFM_TOKEN_NAME && !is_keyword(token(p, ahead)->text);
}

/* The name at hand, normalised to NFKC as Python does. */
static enum lfm_status take_name(struct parser *p, struct lfm_span *out)
{
    size_t length = 0;
    if (!is_name(p, 0)) return fail_here(p, "a name");
    struct lfm_span text = token(p, 0)->text;
    p->at++;
    uint8_t *normal = u8_normalize(UNINORM_NFKC, (const uint8_t *)text.at, text.length, NULL, &length);
    if (!normal) return lfm_fail(p->error, LFM_ERROR_MEMORY, "cannot normalise a name of %zu bytes", text.length);
    enum lfm_status status = lfm_arena_copy(p->arena, out, (struct lfm_span){(const char *)normal, length}, p->error);
    free(normal);
    return status;
}

/* --- nodes --- */

static enum lfm_status new_node(struct parser *p, node *out, enum lfm_node_kind kind)
{
    LFM_TRY(lfm_arena_alloc(p->arena, (void **)out, sizeof **out, p->error));
    (*out)->kind = kind;
    return LFM_OK;
}

static enum lfm_status add(struct parser *p, node parent, node child)
{
    LFM_TRY(
        lfm_arena_grow(p->arena, (void **)&parent->items, &parent->capacity, parent->count, sizeof(node), p->error));
    parent->items[parent->count++] = child;
    return LFM_OK;
}

/* Parses a child by this rule and adds it. */
static enum lfm_status add_parsed(struct parser *p, node parent, rule parse)
{
    node child;
    LFM_TRY(parse(p, &child));
    return add(p, parent, child);
}

/* A new node whose first child is `first`. */
static enum lfm_status wrap(struct parser *p, node *out, enum lfm_node_kind kind, node first)
{
    LFM_TRY(new_node(p, out, kind));
    return add(p, *out, first);
}

static enum lfm_status enter(struct parser *p)
{
    if (++p->level <= MOST_LEVELS) return LFM_OK;
    return lfm_fail(p->error, LFM_ERROR_FORMAT, "an expression of more than %d levels", MOST_LEVELS);
}

/* --- comprehensions --- */

static bool at_for(const struct parser *p)
{
    return is_word(p, "for") || (is_word(p, "async") && is_text(p, 1, LFM_TOKEN_NAME, "for"));
}

static bool is_target(const struct lfm_node *target)
{
    if (target->kind == LFM_NODE_NAME || target->kind == LFM_NODE_ATTRIBUTE || target->kind == LFM_NODE_SUBSCRIPT)
        return true;
    if (target->kind != LFM_NODE_TUPLE && target->kind != LFM_NODE_LIST && target->kind != LFM_NODE_STARRED)
        return false;
    for (size_t i = 0; i < target->count; i++)
        if (!is_target(target->items[i])) return false;
    return true;
}

static enum lfm_status parse_bit_or(struct parser *p, node *out)
{
    return parse_binary(p, out, 0);
}

static enum lfm_status parse_star_target(struct parser *p, node *out)
{
    if (!take_op(p, "*")) return parse_bit_or(p, out);
    LFM_TRY(new_node(p, out, LFM_NODE_STARRED));
    return add_parsed(p, *out, parse_bit_or);
}

static enum lfm_status parse_targets(struct parser *p, node *out)
{
    LFM_TRY(parse_star_target(p, out));
    if (is_op(p, ",")) {
        LFM_TRY(wrap(p, out, LFM_NODE_TUPLE, *out));
        while (take_op(p, ",") && !is_word(p, "in")) LFM_TRY(add_parsed(p, *out, parse_star_target));
    }
    return is_target(*out) ? LFM_OK : fail_here(p, "a target that can be assigned to before this");
}

static enum lfm_status parse_for(struct parser *p, node *out)
{
    node target;
    bool is_async = take_word(p, "async");
    p->at++;
    LFM_TRY(parse_targets(p, &target));
    LFM_TRY(wrap(p, out, LFM_NODE_FOR, target));
    (*out)->text = lfm_span_of(is_async ? "async for" : "for");
    if (!take_word(p, "in")) return fail_here(p, "in");
    LFM_TRY(add_parsed(p, *out, parse_disjunction));
    while (take_word(p, "if")) LFM_TRY(add_parsed(p, *out, parse_disjunction));
    return LFM_OK;
}

/* The rest of a comprehension whose element (or key and value) lies in `parent` already. */
static enum lfm_status finish_comprehension(struct parser *p, node parent, const char *open)
{
    if (parent->items[0] && parent->items[0]->kind == LFM_NODE_STARRED)
        return fail_here(p, "no * before a comprehension");
    parent->kind = LFM_NODE_COMPREHENSION;
    parent->text = lfm_span_of(open);
    while (at_for(p)) LFM_TRY(add_parsed(p, parent, parse_for));
    return LFM_OK;
}

/* --- atoms --- */

static enum lfm_status parse_star_named(struct parser *p, node *out)
{
    return is_op(p, "*") ? parse_star_target(p, out) : parse_named(p, out);
}

/* Elements up to the closing bracket, which is taken: [..] or {..}, or a tuple's rest. */
static enum lfm_status parse_elements(struct parser *p, node parent, const char *close)
{
    while (!take_op(p, close)) {
        LFM_TRY(add_parsed(p, parent, parse_star_named));
        if (!is_op(p, close)) LFM_TRY(expect_op(p, ","));
    }
    return LFM_OK;
}

static enum lfm_status parse_list(struct parser *p, node *out)
{
    LFM_TRY(new_node(p, out, LFM_NODE_LIST));
    if (take_op(p, "]")) return LFM_OK;
    LFM_TRY(add_parsed(p, *out, parse_star_named));
    if (at_for(p)) {
        LFM_TRY(finish_comprehension(p, *out, "["));
        return expect_op(p, "]");
    }
    if (!is_op(p, "]")) LFM_TRY(expect_op(p, ","));
    return parse_elements(p, *out, "]");
}

/* star_expressions: with commas a tuple */
static enum lfm_status parse_star_expressions(struct parser *p, node *out)
{
    node first;
    LFM_TRY(is_op(p, "*") ? parse_star_target(p, &first) : parse_expression(p, &first));
    *out = first;
    if (!is_op(p, ",")) return LFM_OK;
    LFM_TRY(wrap(p, out, LFM_NODE_TUPLE, first));
    while (take_op(p, ",") && !is_op(p, ")") && !is_op(p, "]") && token(p, 0)->kind != LFM_TOKEN_END)
        LFM_TRY(add_parsed(p, *out, is_op(p, "*") ? parse_star_target : parse_expression));
    return LFM_OK;
}

static enum lfm_status parse_yield(struct parser *p, node *out)
{
    p->at++;
    LFM_TRY(new_node(p, out, LFM_NODE_YIELD));
    bool from = take_word(p, "from");
    (*out)->text = lfm_span_of(from ? "yield from" : "yield");
    if (!from && is_op(p, ")")) return LFM_OK;
    return add_parsed(p, *out, from ? parse_expression : parse_star_expressions);
}

/* (...): a group, a tuple, a generator */
static enum lfm_status parse_parenthesis(struct parser *p, node *out)
{
    node first;
    LFM_TRY(new_node(p, out, LFM_NODE_TUPLE));
    if (take_op(p, ")")) return LFM_OK;
    if (is_word(p, "yield")) {
        LFM_TRY(parse_yield(p, out));
        return expect_op(p, ")");
    }
    LFM_TRY(parse_star_named(p, &first));
    LFM_TRY(add(p, *out, first));
    if (at_for(p)) {
        LFM_TRY(finish_comprehension(p, *out, "("));
        return expect_op(p, ")");
    }
    if (take_op(p, ",")) return parse_elements(p, *out, ")");
    if (first->kind == LFM_NODE_STARRED) return fail_here(p, "a comma");
    *out = first;
    return expect_op(p, ")");
}

static enum lfm_status parse_value(struct parser *p, node dict)
{
    LFM_TRY(expect_op(p, ":"));
    return add_parsed(p, dict, parse_expression);
}

/* The rest of a dict of which `dict` holds the first key, or nothing. A key of ** is NULL. */
static enum lfm_status parse_dict(struct parser *p, node dict)
{
    dict->kind = LFM_NODE_DICT;
    if (dict->count == 1) {
        LFM_TRY(parse_value(p, dict));
        if (at_for(p)) LFM_TRY(finish_comprehension(p, dict, "{"));
        if (!is_op(p, "}")) LFM_TRY(expect_op(p, ","));
    }
    while (dict->kind == LFM_NODE_DICT && !is_op(p, "}")) {
        if (take_op(p, "**")) {
            LFM_TRY(add(p, dict, NULL));
            LFM_TRY(add_parsed(p, dict, parse_bit_or));
        } else {
            LFM_TRY(add_parsed(p, dict, parse_expression));
            LFM_TRY(parse_value(p, dict));
        }
        if (!is_op(p, "}")) LFM_TRY(expect_op(p, ","));
    }
    return expect_op(p, "}");
}

/* {...}: a set or a dict */
static enum lfm_status parse_brace(struct parser *p, node *out)
{
    LFM_TRY(new_node(p, out, LFM_NODE_SET));
    if (is_op(p, "}") || is_op(p, "**")) return parse_dict(p, *out);
    bool named = is_text(p, 1, LFM_TOKEN_OPERATOR, ":=");
    LFM_TRY(add_parsed(p, *out, parse_star_named));
    if (is_op(p, ":") && !named && (*out)->items[0]->kind != LFM_NODE_STARRED) return parse_dict(p, *out);
    if (at_for(p)) {
        LFM_TRY(finish_comprehension(p, *out, "{"));
        return expect_op(p, "}");
    }
    if (!is_op(p, "}")) LFM_TRY(expect_op(p, ","));
    return parse_elements(p, *out, "}");
}

/* Strings that stand side by side are one. */
static enum lfm_status parse_strings(struct parser *p, node *out)
{
    struct lfm_buffer text = {0};
    enum lfm_status status = LFM_OK;
    struct lfm_span first = token(p, 0)->text;
    enum lfm_py_type type = LFM_PY_NONE;
    bool any_format = false;
    LFM_TRY(new_node(p, out, LFM_NODE_CONSTANT));
    for (; status == LFM_OK && token(p, 0)->kind == LFM_TOKEN_STRING; p->at++) {
        struct lfm_py_value *piece;
        bool is_format;
        struct lfm_span last = token(p, 0)->text;
        (*out)->text = (struct lfm_span){first.at, (size_t)(last.at + last.length - first.at)};
        LFM_TRY_DONE(lfm_py_string(p->arena, &piece, &is_format, last, p->error));
        any_format |= is_format;
        enum lfm_py_type piece_type = piece ? piece->type : LFM_PY_STR;
        if (type != LFM_PY_NONE && type != piece_type)
            LFM_TRY_DONE(lfm_fail(p->error, LFM_ERROR_FORMAT, "cannot mix bytes and nonbytes literals"));
        type = piece_type;
        if (piece) LFM_TRY_DONE(lfm_buffer_append(&text, piece->text.at, piece->text.length, p->error));
    }
    if (any_format) {
        (*out)->kind = LFM_NODE_FORMAT;
        goto done;
    }
    (*out)->text = lfm_span_of(*first.at == 'u' ? "u" : "");
    LFM_TRY_DONE(lfm_py_new(p->arena, &(*out)->value, type, p->error));
    LFM_TRY_DONE(lfm_arena_copy(p->arena, &(*out)->value->text, (struct lfm_span){text.data, text.length}, p->error));
done:
    lfm_buffer_release(&text);
    return status;
}

static enum lfm_status parse_word(struct parser *p, node *out)
{
    bool is_true = is_word(p, "True");
    if (!is_true && !is_word(p, "False") && !is_word(p, "None")) {
        LFM_TRY(new_node(p, out, LFM_NODE_NAME));
        return take_name(p, &(*out)->text);
    }
    LFM_TRY(new_node(p, out, LFM_NODE_CONSTANT));
    LFM_TRY(lfm_py_new(p->arena, &(*out)->value, is_word(p, "None") ? LFM_PY_NONE : LFM_PY_BOOL, p->error));
    (*out)->value->boolean = is_true;
    (*out)->value->integer = is_true;
    p->at++;
    return LFM_OK;
}

static enum lfm_status parse_atom(struct parser *p, node *out)
{
    const struct lfm_token *here = token(p, 0);
    if (here->kind == LFM_TOKEN_NAME) return parse_word(p, out);
    if (here->kind == LFM_TOKEN_STRING) return parse_strings(p, out);
    if (here->kind == LFM_TOKEN_NUMBER) {
        LFM_TRY(new_node(p, out, LFM_NODE_CONSTANT));
        p->at++;
        return lfm_py_number(p->arena, &(*out)->value, here->text, p->error);
    }
    if (take_op(p, "[")) return parse_list(p, out);
    if (take_op(p, "(")) return parse_parenthesis(p, out);
    if (take_op(p, "{")) return parse_brace(p, out);
    if (take_op(p, "...")) return new_node(p, out, LFM_NODE_ELLIPSIS);
    return fail_here(p, "an expression");
}

/* --- calls, subscripts --- */

static enum lfm_status parse_keyword(struct parser *p, node *out)
{
    LFM_TRY(new_node(p, out, LFM_NODE_KEYWORD));
    if (!take_op(p, "**")) {
        LFM_TRY(take_name(p, &(*out)->text));
        p->at++; /* the = */
    }
    return add_parsed(p, *out, parse_expression);
}

static enum lfm_status parse_positional(struct parser *p, node call, bool *alone)
{
    node argument;
    LFM_TRY(parse_named(p, &argument));
    *alone = at_for(p);
    if (*alone) {
        LFM_TRY(wrap(p, &argument, LFM_NODE_COMPREHENSION, argument));
        LFM_TRY(finish_comprehension(p, argument, "("));
    }
    return add(p, call, argument);
}

static enum lfm_status parse_starred(struct parser *p, node *out)
{
    p->at++;
    LFM_TRY(new_node(p, out, LFM_NODE_STARRED));
    return add_parsed(p, *out, parse_expression);
}

/* (...) of a call. After the first keyword no positional argument may come, after ** no *. */
static enum lfm_status parse_arguments(struct parser *p, node call)
{
    bool keyword = false, mapping = false, alone = false;
    while (!is_op(p, ")")) {
        if (is_op(p, "**") || (is_name(p, 0) && is_text(p, 1, LFM_TOKEN_OPERATOR, "="))) {
            mapping |= is_op(p, "**");
            keyword = true;
            LFM_TRY(add_parsed(p, call, parse_keyword));
        } else if (is_op(p, "*") && !mapping) {
            LFM_TRY(add_parsed(p, call, parse_starred));
        } else if (keyword) {
            return fail_here(p, "a keyword argument");
        } else {
            LFM_TRY(parse_positional(p, call, &alone));
        }
        if (alone && (call->count > 2 || !is_op(p, ")"))) return fail_here(p, "a generator in parentheses");
        if (!is_op(p, ")")) LFM_TRY(expect_op(p, ","));
    }
    return expect_op(p, ")");
}

static enum lfm_status parse_slice(struct parser *p, node *out)
{
    node parts[3] = {NULL, NULL, NULL};
    size_t part = 0;
    if (is_op(p, "*")) return parse_starred(p, out);
    if (!is_op(p, ":")) {
        bool named = is_text(p, 1, LFM_TOKEN_OPERATOR, ":=");
        LFM_TRY(parse_named(p, &parts[0]));
        if (!is_op(p, ":") || named) {
            *out = parts[0];
            return LFM_OK;
        }
    }
    while (part < 2 && take_op(p, ":")) {
        part++;
        if (!is_op(p, ":") && !is_op(p, "]") && !is_op(p, ",")) LFM_TRY(parse_expression(p, &parts[part]));
    }
    LFM_TRY(new_node(p, out, LFM_NODE_SLICE));
    for (size_t i = 0; i < 3; i++) LFM_TRY(add(p, *out, parts[i]));
    return LFM_OK;
}

static enum lfm_status parse_index(struct parser *p, node *out)
{
    node index;
    LFM_TRY(parse_slice(p, &index));
    if (index->kind == LFM_NODE_STARRED || is_op(p, ",")) {
        LFM_TRY(wrap(p, &index, LFM_NODE_TUPLE, index));
        while (take_op(p, ",") && !is_op(p, "]")) LFM_TRY(add_parsed(p, index, parse_slice));
    }
    LFM_TRY(wrap(p, out, LFM_NODE_SUBSCRIPT, *out));
    LFM_TRY(add(p, *out, index));
    return expect_op(p, "]");
}

/* Calls, subscripts and attributes make a chain that is as deep as it is long. */
static enum lfm_status parse_primary(struct parser *p, node *out)
{
    int level = p->level;
    LFM_TRY(parse_atom(p, out));
    for (;;) {
        LFM_TRY(enter(p));
        if (take_op(p, ".")) {
            LFM_TRY(wrap(p, out, LFM_NODE_ATTRIBUTE, *out));
            LFM_TRY(take_name(p, &(*out)->text));
        } else if (take_op(p, "(")) {
            LFM_TRY(wrap(p, out, LFM_NODE_CALL, *out));
            LFM_TRY(parse_arguments(p, *out));
        } else if (take_op(p, "[")) {
            LFM_TRY(parse_index(p, out));
        } else {
            p->level = level;
            return LFM_OK;
        }
    }
}

/* --- operators --- */

static enum lfm_status parse_power(struct parser *p, node *out)
{
    if (take_word(p, "await")) {
        LFM_TRY(new_node(p, out, LFM_NODE_AWAIT));
        LFM_TRY(add_parsed(p, *out, parse_primary));
    } else {
        LFM_TRY(parse_primary(p, out));
    }
    if (!take_op(p, "**")) return LFM_OK;
    LFM_TRY(wrap(p, out, LFM_NODE_BINARY, *out));
    (*out)->operation = LFM_OP_POWER;
    return add_parsed(p, *out, parse_unary);
}

static enum lfm_status parse_unary(struct parser *p, node *out)
{
    enum lfm_operation operation = is_op(p, "+") ? LFM_OP_PLUS : is_op(p, "-") ? LFM_OP_MINUS : LFM_OP_INVERT;
    LFM_TRY(enter(p));
    if (operation == LFM_OP_INVERT && !is_op(p, "~")) {
        LFM_TRY(parse_power(p, out));
    } else {
        p->at++;
        LFM_TRY(new_node(p, out, LFM_NODE_UNARY));
        (*out)->operation = operation;
        LFM_TRY(add_parsed(p, *out, parse_unary));
    }
    p->level--;
    return LFM_OK;
}

static const struct binary {
    const char *text;
    int level;
    enum lfm_operation operation;
} binaries[] = {{"|", 0, LFM_OP_BIT_OR}, {"^", 1, LFM_OP_BIT_XOR}, {"&", 2, LFM_OP_BIT_AND},  {"<<", 3, LFM_OP_LEFT},
                {">>", 3, LFM_OP_RIGHT}, {"+", 4, LFM_OP_ADD},     {"-", 4, LFM_OP_SUBTRACT}, {"*", 5, LFM_OP_MULTIPLY},
                {"@", 5, LFM_OP_MATRIX}, {"/", 5, LFM_OP_DIVIDE},  {"//", 5, LFM_OP_FLOOR},   {"%", 5, LFM_OP_MODULO}};

static const struct binary *binary_at(const struct parser *p, int level)
{
    for (size_t i = 0; i < sizeof binaries / sizeof *binaries; i++)
        if (binaries[i].level == level && is_op(p, binaries[i].text)) return &binaries[i];
    return NULL;
}

/* Left-associative operators from this level of precedence on; each one more makes the tree deeper. */
static enum lfm_status parse_binary(struct parser *p, node *out, int level)
{
    const struct binary *operator;
    int entered = p->level;
    if (level > 5) return parse_unary(p, out);
    LFM_TRY(parse_binary(p, out, level + 1));
    while ((operator = binary_at(p, level)) != NULL) {
        node right;
        LFM_TRY(enter(p));
        p->at++;
        LFM_TRY(wrap(p, out, LFM_NODE_BINARY, *out));
        (*out)->operation = operator->operation;
        LFM_TRY(parse_binary(p, &right, level + 1));
        LFM_TRY(add(p, *out, right));
    }
    p->level = entered;
    return LFM_OK;
}

/* The comparison at hand, taken; NULL when there is none. */
static const char *take_comparison(struct parser *p)
{
    static const char *const operators[] = {"==", "!=", "<=", ">=", "<", ">"};
    for (size_t i = 0; i < sizeof operators / sizeof *operators; i++)
        if (take_op(p, operators[i])) return operators[i];
    if (take_word(p, "in")) return "in";
    if (take_word(p, "is")) return take_word(p, "not") ? "is not" : "is";
    if (is_word(p, "not") && is_text(p, 1, LFM_TOKEN_NAME, "in")) {
        p->at += 2;
        return "not in";
    }
    return NULL;
}

static enum lfm_status parse_comparison(struct parser *p, node *out)
{
    const char *text;
    LFM_TRY(parse_bit_or(p, out));
    if ((text = take_comparison(p)) == NULL) return LFM_OK;
    LFM_TRY(wrap(p, out, LFM_NODE_COMPARE, *out));
    for (; text; text = take_comparison(p)) {
        node operator;
        LFM_TRY(new_node(p, &operator, LFM_NODE_OPERATOR));
        operator->text = lfm_span_of(text);
        LFM_TRY(add(p, *out, operator));
        LFM_TRY(add_parsed(p, *out, parse_bit_or));
    }
    return LFM_OK;
}

static enum lfm_status parse_inversion(struct parser *p, node *out)
{
    if (!take_word(p, "not")) return parse_comparison(p, out);
    LFM_TRY(enter(p));
    LFM_TRY(new_node(p, out, LFM_NODE_UNARY));
    (*out)->operation = LFM_OP_NOT;
    LFM_TRY(add_parsed(p, *out, parse_inversion));
    p->level--;
    return LFM_OK;
}

static enum lfm_status parse_boolean(struct parser *p, node *out, const char *word, enum lfm_operation operation,
                                     rule parse)
{
    LFM_TRY(parse(p, out));
    if (!is_word(p, word)) return LFM_OK;
    LFM_TRY(wrap(p, out, LFM_NODE_BOOLEAN, *out));
    (*out)->operation = operation;
    while (take_word(p, word)) LFM_TRY(add_parsed(p, *out, parse));
    return LFM_OK;
}

static enum lfm_status parse_conjunction(struct parser *p, node *out)
{
    return parse_boolean(p, out, "and", LFM_OP_AND, parse_inversion);
}

static enum lfm_status parse_disjunction(struct parser *p, node *out)
{
    return parse_boolean(p, out, "or", LFM_OP_OR, parse_conjunction);
}

/* --- lambda, conditions, := --- */

struct parameters {
    bool default_seen, star_seen, bare_star, slash_seen, done;
    size_t count;
};

static enum lfm_status parse_parameter(struct parser *p, node *out, struct parameters *seen)
{
    const char *prefix = take_op(p, "**") ? "**" : take_op(p, "*") ? "*" : take_op(p, "/") ? "/" : "";
    struct lfm_span name = lfm_span_of("");
    LFM_TRY(new_node(p, out, LFM_NODE_PARAMETER));
    if (seen->done) return fail_here(p, "no parameter after **");
    if (prefix[0] == '/' && (seen->slash_seen || seen->star_seen || seen->count == 0))
        return fail_here(p, "a parameter");
    if (prefix[0] == '*' && !prefix[1] && seen->star_seen) return fail_here(p, "one * only");
    if (prefix[0] != '/' && (strcmp(prefix, "*") != 0 || is_name(p, 0))) LFM_TRY(take_name(p, &name));
    if (seen->bare_star && prefix[0]) return fail_here(p, "a name after *");
    seen->bare_star = strcmp(prefix, "*") == 0 && name.length == 0;
    seen->slash_seen |= prefix[0] == '/';
    seen->star_seen |= strcmp(prefix, "*") == 0;
    seen->done = strcmp(prefix, "**") == 0;
    seen->count++;

    char *text;
    size_t before = strlen(prefix);
    LFM_TRY(lfm_arena_alloc(p->arena, (void **)&text, before + name.length + 1, p->error));
    memcpy(text, prefix, before);
    memcpy(text + before, name.at, name.length);
    (*out)->text = (struct lfm_span){text, before + name.length};
    bool has_default = before == 0 && take_op(p, "=");
    if (before == 0 && !seen->star_seen && seen->default_seen && !has_default) return fail_here(p, "a default");
    seen->default_seen |= has_default;
    return has_default ? add_parsed(p, *out, parse_expression) : LFM_OK;
}

static enum lfm_status parse_lambda(struct parser *p, node *out)
{
    struct parameters seen = {0};
    LFM_TRY(new_node(p, out, LFM_NODE_LAMBDA));
    while (!is_op(p, ":")) {
        node parameter;
        LFM_TRY(parse_parameter(p, &parameter, &seen));
        LFM_TRY(add(p, *out, parameter));
        if (!is_op(p, ":")) LFM_TRY(expect_op(p, ","));
    }
    if (seen.bare_star) return fail_here(p, "a name after *");
    LFM_TRY(expect_op(p, ":"));
    return add_parsed(p, *out, parse_expression);
}

static enum lfm_status parse_conditional(struct parser *p, node *out)
{
    node value;
    if (take_word(p, "lambda")) return parse_lambda(p, out);
    LFM_TRY(parse_disjunction(p, &value));
    *out = value;
    if (!take_word(p, "if")) return LFM_OK;
    LFM_TRY(wrap(p, out, LFM_NODE_CONDITIONAL, value));
    LFM_TRY(add_parsed(p, *out, parse_disjunction));
    if (!take_word(p, "else")) return fail_here(p, "else");
    return add_parsed(p, *out, parse_expression);
}

static enum lfm_status parse_expression(struct parser *p, node *out)
{
    LFM_TRY(enter(p));
    LFM_TRY(parse_conditional(p, out));
    p->level--;
    return LFM_OK;
}

static enum lfm_status parse_named(struct parser *p, node *out)
{
    if (!is_name(p, 0) || !is_text(p, 1, LFM_TOKEN_OPERATOR, ":=")) return parse_expression(p, out);
    node name;
    LFM_TRY(parse_word(p, &name));
    p->at++;
    LFM_TRY(wrap(p, out, LFM_NODE_NAMED, name));
    return add_parsed(p, *out, parse_expression);
}

enum lfm_status lfm_py_parse(struct lfm_arena *arena, struct lfm_node **out, struct lfm_span source,
                             struct lfm_error *error)
{
    struct parser p = {.arena = arena, .error = error};
    LFM_TRY(lfm_py_tokenize(arena, &p.tokens, source, error));
    LFM_TRY(parse_expression(&p, out));
    if (is_op(&p, ",")) {
        LFM_TRY(wrap(&p, out, LFM_NODE_TUPLE, *out));
        while (take_op(&p, ",") && token(&p, 0)->kind != LFM_TOKEN_NEWLINE && token(&p, 0)->kind != LFM_TOKEN_END)
            LFM_TRY(add_parsed(&p, *out, parse_expression));
    }
    while (token(&p, 0)->kind == LFM_TOKEN_NEWLINE) p.at++;
    return token(&p, 0)->kind == LFM_TOKEN_END ? LFM_OK : fail_here(&p, "the end");
}
