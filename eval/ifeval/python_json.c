/* The grammar that Python's json.loads accepts: see python_json.h. */
#include "eval/ifeval/python_json.h"

#include <string.h>

enum { MAX_DIGITS = 4300, MAX_DEPTH = 990 };

struct reader {
    const char *at, *end;
    unsigned depth;
};

static bool value(struct reader *r);

static void skip_space(struct reader *r)
{
    while (r->at < r->end && strchr(" \t\n\r", *r->at) && *r->at) r->at++;
}

static bool take(struct reader *r, char c)
{
    if (r->at == r->end || *r->at != c) return false;
    r->at++;
    return true;
}

static bool take_word(struct reader *r, const char *word)
{
    size_t n = strlen(word);
    if ((size_t)(r->end - r->at) < n || memcmp(r->at, word, n) != 0) return false;
    r->at += n;
    return true;
}

static size_t take_digits(struct reader *r)
{
    const char *start = r->at;
    while (r->at < r->end && *r->at >= '0' && *r->at <= '9') r->at++;
    return (size_t)(r->at - start);
}

static bool hexadecimal(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

static bool escape(struct reader *r)
{
    if (r->at == r->end) return false;
    char c = *r->at++;
    if (c != 'u') return c && strchr("\"\\/bfnrt", c);
    for (int i = 0; i < 4; i++, r->at++)
        if (r->at == r->end || !hexadecimal(*r->at)) return false;
    return true;
}

static bool string(struct reader *r)
{
    if (!take(r, '"')) return false;
    while (r->at < r->end) {
        unsigned char c = (unsigned char)*r->at++;
        if (c == '"') return true;
        if (c < 0x20) return false;
        if (c == '\\' && !escape(r)) return false;
    }
    return false;
}

/* A fraction or exponent belongs to the number only when it is whole: "1.x" is the number 1 with something behind it. */
static bool number(struct reader *r)
{
    take(r, '-');
    const char *start = r->at;
    size_t digits = take(r, '0') ? 1 : take_digits(r);
    bool whole = true;
    if (digits == 0) return false;
    const char *mark = r->at;
    if (take(r, '.') && take_digits(r) > 0)
        whole = false;
    else
        r->at = mark;
    mark = r->at;
    bool exponent = take(r, 'e') || take(r, 'E');
    if (exponent && !take(r, '+')) take(r, '-');
    if (exponent && take_digits(r) > 0)
        whole = false;
    else
        r->at = mark;
    return !whole || (size_t)(r->at - start) <= MAX_DIGITS;
}

static bool members(struct reader *r, char close, bool keyed)
{
    skip_space(r);
    if (take(r, close)) return true;
    for (;;) {
        if (keyed) {
            if (!string(r)) return false;
            skip_space(r);
            if (!take(r, ':')) return false;
            skip_space(r);
        }
        if (!value(r)) return false;
        skip_space(r);
        if (take(r, close)) return true;
        if (!take(r, ',')) return false;
        skip_space(r);
    }
}

static bool value(struct reader *r)
{
    if (r->at == r->end) return false;
    if (*r->at == '"') return string(r);
    if (*r->at == '{' || *r->at == '[') {
        bool keyed = *r->at++ == '{';
        if (++r->depth > MAX_DEPTH) return false;
        bool good = members(r, keyed ? '}' : ']', keyed);
        r->depth--;
        return good;
    }
    return take_word(r, "null") || take_word(r, "true") || take_word(r, "false") || take_word(r, "NaN") ||
           take_word(r, "Infinity") || take_word(r, "-Infinity") || number(r);
}

bool lfm_py_json_loads(struct lfm_span text)
{
    struct reader reader = {text.at, text.at + text.length, 0};
    if (lfm_span_starts_with(text, lfm_span_of("\xEF\xBB\xBF"))) return false;
    skip_space(&reader);
    if (!value(&reader)) return false;
    skip_space(&reader);
    return reader.at == reader.end;
}
