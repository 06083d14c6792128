/* The tokens of a Python expression: see python_syntax.h. After CPython 3.11's Parser/tokenizer.c. */
#include "eval/bfcl/python_syntax.h"

#include <string.h>
#include <unictype.h>
#include <unistr.h>

enum { MOST_BRACKETS = 200 };

struct scanner {
    const char *start, *at, *end;
    char brackets[MOST_BRACKETS];
    size_t depth;
    struct lfm_arena *arena;
    struct lfm_tokens *out;
    struct lfm_error *error;
};

static enum lfm_status fail_at(const struct scanner *s, const char *what)
{
    return lfm_fail(s->error, LFM_ERROR_FORMAT, "byte %zu: %s", (size_t)(s->at - s->start), what);
}

static enum lfm_status emit(struct scanner *s, enum lfm_token_kind kind, const char *start)
{
    LFM_TRY(lfm_arena_grow(s->arena, (void **)&s->out->items, &s->out->capacity, s->out->count, sizeof *s->out->items,
                           s->error));
    s->out->items[s->out->count++] = (struct lfm_token){kind, {start, (size_t)(s->at - start)}};
    return LFM_OK;
}

static char peek(const struct scanner *s, size_t ahead)
{
    return (size_t)(s->end - s->at) > ahead ? s->at[ahead] : '\0';
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* Any byte beyond ASCII passes here; scan_name looks at the characters. */
static bool starts_name(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || (unsigned char)c >= 0x80;
}

static enum lfm_status scan_name(struct scanner *s)
{
    const char *start = s->at;
    while (s->at < s->end && (starts_name(*s->at) || is_digit(*s->at))) {
        const char *next = s->at;
        ucs4_t point = lfm_next_point(&next, s->end);
        bool fits = point < 0x80 ||
                    (s->at == start ? uc_is_property_xid_start(point) : uc_is_property_xid_continue(point));
        if (!fits) return fail_at(s, "a character that no name can have");
        s->at = next;
    }
    return emit(s, LFM_TOKEN_NAME, start);
}

/* Digits of a base with single underscores between them; at least one. */
static enum lfm_status skip_digits(struct scanner *s, int base)
{
    for (;;) {
        const char *start = s->at;
        for (; s->at < s->end; s->at++) {
            char c = *s->at;
            if (base == 16 ? !(is_digit(c) || ((c | 0x20) >= 'a' && (c | 0x20) <= 'f')) : !(c >= '0' && c < '0' + base))
                break;
        }
        if (s->at == start) return fail_at(s, "expected a digit");
        if (peek(s, 0) != '_') return LFM_OK;
        s->at++;
    }
}

/* What may stand right after a number: "1if x else 2" is allowed, "1x" is not. */
static enum lfm_status end_number(struct scanner *s)
{
    static const char *const keywords[] = {"and", "else", "for", "if", "in", "is", "or", "not"};
    size_t left = (size_t)(s->end - s->at);
    for (size_t i = 0; i < sizeof keywords / sizeof *keywords; i++)
        if (left >= strlen(keywords[i]) && memcmp(s->at, keywords[i], strlen(keywords[i])) == 0) return LFM_OK;
    return starts_name(peek(s, 0)) || is_digit(peek(s, 0)) ? fail_at(s, "not a number") : LFM_OK;
}

static enum lfm_status scan_fraction(struct scanner *s, bool *is_float)
{
    if (peek(s, 0) == '.') {
        *is_float = true;
        s->at++;
        if (is_digit(peek(s, 0))) LFM_TRY(skip_digits(s, 10));
    }
    bool sign = peek(s, 1) == '+' || peek(s, 1) == '-';
    if ((peek(s, 0) | 0x20) == 'e' && is_digit(peek(s, sign ? 2 : 1))) {
        *is_float = true;
        s->at += sign ? 2 : 1;
        LFM_TRY(skip_digits(s, 10));
    }
    if ((peek(s, 0) | 0x20) == 'j') {
        *is_float = true;
        s->at++;
    }
    return LFM_OK;
}

static enum lfm_status scan_number(struct scanner *s)
{
    const char *start = s->at;
    char letter = (char)(peek(s, 1) | 0x20);
    int base = *s->at != '0' ? 10 : letter == 'x' ? 16 : letter == 'o' ? 8 : letter == 'b' ? 2 : 10;
    if (base != 10) {
        s->at += peek(s, 2) == '_' ? 3 : 2;
        LFM_TRY(skip_digits(s, base));
    } else {
        bool is_float = false, nonzero = false;
        if (*s->at != '.') LFM_TRY(skip_digits(s, 10));
        for (const char *c = start; c < s->at; c++) nonzero |= *c != '0' && *c != '_';
        bool leading_zero = *start == '0' && nonzero;
        LFM_TRY(scan_fraction(s, &is_float));
        if (leading_zero && !is_float) return fail_at(s, "leading zeros in an integer");
    }
    LFM_TRY(end_number(s));
    return emit(s, LFM_TOKEN_NUMBER, start);
}

/* The length of a string prefix (0 to 2) when a quote follows it, -1 otherwise. */
static int string_prefix(const struct scanner *s)
{
    static const char *const prefixes[] = {"", "r", "u", "b", "f", "rb", "br", "rf", "fr"};
    for (size_t i = 0; i < sizeof prefixes / sizeof *prefixes; i++) {
        size_t length = strlen(prefixes[i]), same = 0;
        while (same < length && (peek(s, same) | 0x20) == prefixes[i][same]) same++;
        if (same == length && (peek(s, length) == '\'' || peek(s, length) == '"')) return (int)length;
    }
    return -1;
}

static enum lfm_status scan_string(struct scanner *s, int prefix)
{
    const char *start = s->at;
    s->at += prefix;
    char quote = *s->at;
    size_t quotes = peek(s, 1) == quote && peek(s, 2) == quote ? 3 : 1, run = 0;
    for (s->at += quotes; run < quotes; s->at++) {
        if (s->at == s->end || (quotes == 1 && *s->at == '\n')) return fail_at(s, "a string without end");
        run = *s->at == quote ? run + 1 : 0;
        if (*s->at == '\\' && ++s->at == s->end) return fail_at(s, "a string without end");
    }
    return emit(s, LFM_TOKEN_STRING, start);
}

static enum lfm_status track_bracket(struct scanner *s, char c)
{
    if (strchr("([{", c)) {
        if (s->depth == MOST_BRACKETS) return fail_at(s, "too many nested brackets");
        s->brackets[s->depth++] = c;
        return LFM_OK;
    }
    char open = c == ')' ? '(' : c == ']' ? '[' : '{';
    if (s->depth == 0 || s->brackets[s->depth - 1] != open) return fail_at(s, "a closing bracket that does not fit");
    s->depth--;
    return LFM_OK;
}

static enum lfm_status scan_operator(struct scanner *s)
{
    static const char *const operators[] = {"...", "**=", "//=", ">>=", "<<=", "!=", "<=", ">=", "==", "->", ":=", "**",
                                            "//",  "<<",  ">>",  "+=",  "-=",  "*=", "/=", "%=", "&=", "|=", "^=", "@=",
                                            "+",   "-",   "*",   "/",   "%",   "@",  "&",  "|",  "^",  "~",  "<",  ">",
                                            "(",   ")",   "[",   "]",   "{",   "}",  ",",  ":",  ".",  "=",  ";"};
    const char *start = s->at;
    for (size_t i = 0; i < sizeof operators / sizeof *operators; i++) {
        size_t length = strlen(operators[i]);
        if ((size_t)(s->end - s->at) < length || memcmp(s->at, operators[i], length) != 0) continue;
        if (strchr("()[]{}", *s->at)) LFM_TRY(track_bracket(s, *s->at));
        s->at += length;
        return emit(s, LFM_TOKEN_OPERATOR, start);
    }
    return fail_at(s, "a character that Python's grammar does not have");
}

static enum lfm_status scan_token(struct scanner *s)
{
    char c = *s->at;
    int prefix = string_prefix(s);
    if (c == '\n') {
        s->at++;
        return s->depth > 0 ? LFM_OK : emit(s, LFM_TOKEN_NEWLINE, s->at - 1);
    }
    if (c == ' ' || c == '\t' || c == '\f') {
        s->at++;
        return LFM_OK;
    }
    if (c == '\\') {
        if (peek(s, 1) != '\n') return fail_at(s, "a backslash before something else than the end of the line");
        s->at += 2;
        return LFM_OK;
    }
    if (c == '#') {
        while (s->at < s->end && *s->at != '\n') s->at++;
        return LFM_OK;
    }
    if (prefix >= 0) return scan_string(s, prefix);
    if (starts_name(c)) return scan_name(s);
    if (is_digit(c) || (c == '.' && is_digit(peek(s, 1)))) return scan_number(s);
    return scan_operator(s);
}

/* A copy with \r\n and \r as \n. */
static enum lfm_status universal_newlines(struct lfm_arena *arena, struct lfm_span *out, struct lfm_span source,
                                          struct lfm_error *error)
{
    char *text;
    size_t length = 0;
    if (source.length > 0 &&
        (u8_check((const uint8_t *)source.at, source.length) || memchr(source.at, '\0', source.length)))
        return lfm_fail(error, LFM_ERROR_FORMAT, "text with zero bytes, or not UTF-8");
    LFM_TRY(lfm_arena_alloc(arena, (void **)&text, source.length + 1, error));
    for (size_t i = 0; i < source.length; i++) {
        if (source.at[i] == '\n' && i > 0 && source.at[i - 1] == '\r') continue;
        text[length++] = source.at[i] == '\r' ? '\n' : source.at[i];
    }
    *out = (struct lfm_span){text, length};
    return LFM_OK;
}

enum lfm_status lfm_py_tokenize(struct lfm_arena *arena, struct lfm_tokens *out, struct lfm_span source,
                                struct lfm_error *error)
{
    struct lfm_span text = {0};
    LFM_TRY(universal_newlines(arena, &text, source, error));
    struct scanner s = {
        .start = text.at, .at = text.at, .end = text.at + text.length, .arena = arena, .out = out, .error = error};
    while (s.at < s.end) LFM_TRY(scan_token(&s));
    if (s.depth > 0) return fail_at(&s, "a bracket is not closed");
    return emit(&s, LFM_TOKEN_END, s.at);
}
