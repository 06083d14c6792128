/* Whether an f-string is well-formed: see python_syntax.h. After fstring_find_literal and fstring_find_expr of CPython
 * 3.11's Parser/string_parser.c. */
#include "eval/bfcl/python_syntax.h"

#include <string.h>

enum { MOST_BRACKETS = 200 };

struct scanner {
    struct lfm_arena *arena;
    struct lfm_error *error;
    const char *at, *end;
    bool raw;
};

static enum lfm_status check_parts(struct scanner *s, int depth);

static enum lfm_status refuse(const struct scanner *s, const char *why)
{
    return lfm_fail(s->error, LFM_ERROR_FORMAT, "f-string: %s", why);
}

static char peek(const struct scanner *s, size_t ahead)
{
    return (size_t)(s->end - s->at) > ahead ? s->at[ahead] : '\0';
}

/* Text up to the next field, or in a format specification up to its end. */
static enum lfm_status skip_literal(struct scanner *s, int depth)
{
    const char *start = s->at;
    while (s->at < s->end) {
        if (*s->at == '\\' && !s->raw && s->at + 1 < s->end) {
            bool named = s->at[1] == 'N' && peek(s, 2) == '{';
            s->at += s->at[1] == '{' || s->at[1] == '}' ? 1 : 2;
            while (named && s->at < s->end && *s->at++ != '}') {}
            continue;
        }
        if (*s->at != '{' && *s->at != '}') {
            s->at++;
            continue;
        }
        if (depth > 0) break;
        if (peek(s, 1) == *s->at) {
            s->at += 2;
            continue;
        }
        if (*s->at == '}') return refuse(s, "a single '}'");
        break;
    }
    if (s->raw) return LFM_OK;
    return lfm_py_check_escapes((struct lfm_span){start, (size_t)(s->at - start)}, s->error);
}

/* Moves behind a string inside an expression. */
static enum lfm_status skip_string(struct scanner *s)
{
    char quote = *s->at;
    size_t quotes = peek(s, 1) == quote && peek(s, 2) == quote ? 3 : 1;
    for (s->at += quotes; s->at < s->end; s->at++) {
        if (*s->at == '\\') return refuse(s, "a backslash in an expression");
        if (*s->at != quote || (quotes == 3 && (peek(s, 1) != quote || peek(s, 2) != quote))) continue;
        s->at += quotes;
        return LFM_OK;
    }
    return refuse(s, "a string without end");
}

/* Whether the expression ends here, outside of brackets: at } ! : =, but not at != == <= >=. */
static bool ends_expression(struct scanner *s)
{
    char c = *s->at;
    if (strchr("!=<>", c) && peek(s, 1) == '=') {
        s->at++;
        return false;
    }
    return c == '}' || c == '!' || c == ':' || c == '=';
}

static enum lfm_status skip_expression(struct scanner *s)
{
    char open[MOST_BRACKETS];
    size_t depth = 0;
    for (; s->at < s->end; s->at++) {
        char c = *s->at;
        if (c == '\\' || c == '#') return refuse(s, "a backslash or # in an expression");
        if (c == '\'' || c == '"') {
            LFM_TRY(skip_string(s));
            s->at--;
        } else if (strchr("([{", c)) {
            if (depth == MOST_BRACKETS) return refuse(s, "too many nested brackets");
            open[depth++] = c;
        } else if (depth == 0 && strchr("!:}=<>", c)) {
            if (ends_expression(s)) return LFM_OK;
        } else if (strchr(")]}", c)) {
            char expected = c == ')' ? '(' : c == ']' ? '[' : '{';
            if (depth == 0 || open[--depth] != expected) return refuse(s, "a closing bracket that does not fit");
        }
    }
    return refuse(s, "expected '}'");
}

static enum lfm_status check_expression(struct scanner *s, struct lfm_span expression)
{
    struct lfm_buffer source = {0};
    struct lfm_node *node;
    enum lfm_status status = LFM_OK;
    if (lfm_py_strip_left(expression, " \t\n\f\r").length == 0) return refuse(s, "an empty expression");
    LFM_TRY_DONE(lfm_buffer_puts(&source, "(", s->error));
    LFM_TRY_DONE(lfm_buffer_append(&source, expression.at, expression.length, s->error));
    LFM_TRY_DONE(lfm_buffer_puts(&source, ")", s->error));
    status = lfm_py_parse(s->arena, &node, (struct lfm_span){source.data, source.length}, s->error);
done:
    lfm_buffer_release(&source);
    return status;
}

/* {expression =!r:specification}; s is behind the first bracket. */
static enum lfm_status check_field(struct scanner *s, int depth)
{
    const char *start = s->at;
    if (depth >= 2) return refuse(s, "expressions nested too deeply");
    LFM_TRY(skip_expression(s));
    LFM_TRY(check_expression(s, (struct lfm_span){start, (size_t)(s->at - start)}));
    if (peek(s, 0) == '=')
        for (s->at++; peek(s, 0) && strchr(" \t\n\f\r\v", peek(s, 0)); s->at++) {}
    if (peek(s, 0) == '!') {
        if (!peek(s, 1) || !strchr("sra", peek(s, 1))) return refuse(s, "a conversion other than s, r, a");
        s->at += 2;
    }
    if (peek(s, 0) == ':') {
        s->at++;
        LFM_TRY(check_parts(s, depth + 1));
    }
    if (peek(s, 0) != '}') return refuse(s, "expected '}'");
    s->at++;
    return LFM_OK;
}

/* Text and fields to the end, or in a format specification to its closing bracket. */
static enum lfm_status check_parts(struct scanner *s, int depth)
{
    for (;;) {
        LFM_TRY(skip_literal(s, depth));
        if (peek(s, 0) != '{') return LFM_OK;
        s->at++;
        LFM_TRY(check_field(s, depth));
    }
}

enum lfm_status lfm_py_check_format(struct lfm_arena *arena, struct lfm_span content, bool raw,
                                    struct lfm_error *error)
{
    struct scanner s = {arena, error, content.at, content.at + content.length, raw};
    return check_parts(&s, 0);
}
