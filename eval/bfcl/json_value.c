/* JSON as Python values: see python_calls.h. */
#include "eval/bfcl/python_calls.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_LEVELS = 900 };

struct reader {
    struct lfm_arena *arena;
    struct lfm_error *error;
    const char *name, *start, *at, *end;
    int level;
};

static enum lfm_status read_value(struct reader *r, struct lfm_py_value **out);

static enum lfm_status fail_at(const struct reader *r, const char *what)
{
    return lfm_fail(r->error, LFM_ERROR_FORMAT, "%s%snot valid JSON at byte %zu: %s", r->name ? r->name : "",
                    r->name ? ": " : "", (size_t)(r->at - r->start), what);
}

static void skip_space(struct reader *r)
{
    while (r->at < r->end && *r->at && strchr(" \t\n\r", *r->at)) r->at++;
}

static bool take(struct reader *r, const char *word)
{
    size_t length = strlen(word);
    if ((size_t)(r->end - r->at) < length || memcmp(r->at, word, length) != 0) return false;
    r->at += length;
    return true;
}

static bool read_hex(struct reader *r, uint32_t *out)
{
    *out = 0;
    if (r->end - r->at < 4) return false;
    for (int i = 0; i < 4; i++) {
        int digit = lfm_hex_digit(r->at[i]);
        if (digit < 0) return false;
        *out = *out << 4 | (uint32_t)digit;
    }
    r->at += 4;
    return true;
}

/* \uXXXX, with the second half of a surrogate pair when it follows; a lone surrogate becomes three bytes. */
static enum lfm_status read_unicode(struct reader *r, struct lfm_buffer *text)
{
    uint32_t point, low;
    if (!read_hex(r, &point)) return fail_at(r, "an escape of fewer than four digits");
    const char *after = r->at;
    if (point >= 0xD800 && point < 0xDC00 && take(r, "\\u")) {
        if (read_hex(r, &low) && low >= 0xDC00 && low < 0xE000)
            point = 0x10000 + ((point - 0xD800) << 10) + (low - 0xDC00);
        else
            r->at = after;
    }
    return lfm_py_put_point(text, point, r->error);
}

static enum lfm_status read_characters(struct reader *r, struct lfm_buffer *text)
{
    static const char letters[] = "\"\\/bfnrt", meanings[] = "\"\\/\b\f\n\r\t";
    LFM_TRY(lfm_buffer_append(text, "", 0, r->error));
    while (!take(r, "\"")) {
        const char *start = r->at;
        while (r->at < r->end && *r->at != '"' && *r->at != '\\' && (unsigned char)*r->at >= 0x20) r->at++;
        LFM_TRY(lfm_buffer_append(text, start, (size_t)(r->at - start), r->error));
        if (take(r, "\\u")) {
            LFM_TRY(read_unicode(r, text));
        } else if (take(r, "\\")) {
            const char *letter = r->at < r->end && *r->at ? strchr(letters, *r->at) : NULL;
            if (!letter) return fail_at(r, "an unknown escape");
            r->at++;
            LFM_TRY(lfm_buffer_append(text, &meanings[letter - letters], 1, r->error));
        } else if (r->at == r->end || *r->at != '"') {
            return fail_at(r, "a string without end, or a control character in it");
        }
    }
    return LFM_OK;
}

static enum lfm_status read_string(struct reader *r, struct lfm_py_value **out)
{
    struct lfm_buffer text = {0};
    enum lfm_status status = read_characters(r, &text);
    if (status == LFM_OK) status = lfm_py_new_str(r->arena, out, (struct lfm_span){text.data, text.length}, r->error);
    lfm_buffer_release(&text);
    return status;
}

static const char *skip_digits(const struct reader *r, const char *at)
{
    while (at < r->end && *at >= '0' && *at <= '9') at++;
    return at;
}

static enum lfm_status read_number(struct reader *r, struct lfm_py_value **out)
{
    bool negative = take(r, "-"), is_float = false;
    struct lfm_span number = {NULL, 0};
    const char *start = r->at, *whole = skip_digits(r, start), *end = whole;
    if (whole > start && *start == '0') end = whole = start + 1;
    if (whole == start) return fail_at(r, "expected a value");
    if (end < r->end && *end == '.' && skip_digits(r, end + 1) > end + 1) end = skip_digits(r, end + 1);
    if (end < r->end && (*end | 0x20) == 'e') {
        const char *digits = end + 1;
        digits += digits < r->end && (*digits == '+' || *digits == '-');
        if (skip_digits(r, digits) > digits) end = skip_digits(r, digits);
    }
    is_float = end > whole;
    r->at = end;
    if (!is_float)
        return lfm_py_new_int_digits(r->arena, out, (struct lfm_span){start, (size_t)(end - start)}, 10, negative,
                                     r->error);
    LFM_TRY(lfm_arena_copy(r->arena, &number, (struct lfm_span){start, (size_t)(end - start)}, r->error));
    LFM_TRY(lfm_py_new(r->arena, out, LFM_PY_FLOAT, r->error));
    (*out)->real = negative ? -strtod(number.at, NULL) : strtod(number.at, NULL);
    return LFM_OK;
}

static enum lfm_status read_list(struct reader *r, struct lfm_py_value **out)
{
    LFM_TRY(lfm_py_new(r->arena, out, LFM_PY_LIST, r->error));
    skip_space(r);
    if (take(r, "]")) return LFM_OK;
    for (;;) {
        struct lfm_py_value *item;
        LFM_TRY(read_value(r, &item));
        LFM_TRY(lfm_py_append(r->arena, *out, item, r->error));
        skip_space(r);
        if (take(r, "]")) return LFM_OK;
        if (!take(r, ",")) return fail_at(r, "expected ',' or ']'");
    }
}

static enum lfm_status read_dict(struct reader *r, struct lfm_py_value **out)
{
    LFM_TRY(lfm_py_new(r->arena, out, LFM_PY_DICT, r->error));
    skip_space(r);
    if (take(r, "}")) return LFM_OK;
    for (;;) {
        struct lfm_py_value *key, *item;
        skip_space(r);
        if (!take(r, "\"")) return fail_at(r, "expected a key");
        LFM_TRY(read_string(r, &key));
        skip_space(r);
        if (!take(r, ":")) return fail_at(r, "expected ':'");
        LFM_TRY(read_value(r, &item));
        LFM_TRY(lfm_py_set(r->arena, *out, key, item, r->error));
        skip_space(r);
        if (take(r, "}")) return LFM_OK;
        if (!take(r, ",")) return fail_at(r, "expected ',' or '}'");
    }
}

static enum lfm_status read_word(struct reader *r, struct lfm_py_value **out)
{
    static const struct {
        const char *text;
        enum lfm_py_type type;
        bool boolean;
        double real;
    } words[] = {{"null", LFM_PY_NONE, false, 0},       {"true", LFM_PY_BOOL, true, 0},
                 {"false", LFM_PY_BOOL, false, 0},      {"NaN", LFM_PY_FLOAT, false, NAN},
                 {"Infinity", LFM_PY_FLOAT, false, INFINITY}, {"-Infinity", LFM_PY_FLOAT, false, -INFINITY}};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        if (!take(r, words[i].text)) continue;
        LFM_TRY(lfm_py_new(r->arena, out, words[i].type, r->error));
        (*out)->boolean = words[i].boolean;
        (*out)->integer = words[i].boolean;
        (*out)->real = words[i].real;
        return LFM_OK;
    }
    return read_number(r, out);
}

static enum lfm_status read_value(struct reader *r, struct lfm_py_value **out)
{
    skip_space(r);
    if (take(r, "\"")) return read_string(r, out);
    if (r->at == r->end || (*r->at != '[' && *r->at != '{')) return read_word(r, out);
    if (++r->level > MOST_LEVELS) return fail_at(r, "too many levels");
    LFM_TRY(take(r, "[") ? read_list(r, out) : (r->at++, read_dict(r, out)));
    r->level--;
    return LFM_OK;
}

enum lfm_status lfm_py_json_value(struct lfm_arena *arena, struct lfm_py_value **out, struct lfm_span text,
                                  const char *name, struct lfm_error *error)
{
    struct reader r = {arena, error, name, text.at, text.at, text.at + text.length, 0};
    LFM_TRY(read_value(&r, out));
    skip_space(&r);
    return r.at == r.end ? LFM_OK : fail_at(&r, "text behind the value");
}
