/* Python's str methods: see python_text.h. */
#include "eval/text/python_text.h"

#include <stdlib.h>
#include <string.h>
#include <unicase.h>
#include <unictype.h>
#include <unistr.h>

struct lfm_span lfm_span_of(const char *text)
{
    return (struct lfm_span){text, strlen(text)};
}

bool lfm_span_equals(struct lfm_span a, struct lfm_span b)
{
    return a.length == b.length && (a.length == 0 || memcmp(a.at, b.at, a.length) == 0);
}

bool lfm_span_starts_with(struct lfm_span text, struct lfm_span prefix)
{
    return prefix.length == 0 || (text.length >= prefix.length && memcmp(text.at, prefix.at, prefix.length) == 0);
}

bool lfm_span_ends_with(struct lfm_span text, struct lfm_span suffix)
{
    return suffix.length == 0 ||
           (text.length >= suffix.length && memcmp(text.at + text.length - suffix.length, suffix.at, suffix.length) == 0);
}

bool lfm_span_contains(struct lfm_span text, struct lfm_span part)
{
    if (part.length == 0) return true;
    for (size_t i = 0; i + part.length <= text.length; i++) {
        const char *first = memchr(text.at + i, part.at[0], text.length - part.length - i + 1);
        if (!first) return false;
        if (memcmp(first, part.at, part.length) == 0) return true;
        i = (size_t)(first - text.at);
    }
    return false;
}

uint32_t lfm_next_point(const char **at, const char *end)
{
    ucs4_t point = 0;
    int used = u8_mbtoucr(&point, (const uint8_t *)*at, (size_t)(end - *at));
    *at += used > 0 ? used : 1;
    return used > 0 ? point : 0xFFFD;
}

size_t lfm_count_points(struct lfm_span text)
{
    size_t n = 0;
    for (size_t i = 0; i < text.length; i++) n += ((unsigned char)text.at[i] & 0xC0) != 0x80;
    return n;
}

bool lfm_py_is_space(uint32_t point)
{
    if (point < 0x80) return (point >= 0x09 && point <= 0x0D) || (point >= 0x1C && point <= 0x20);
    return point == 0x85 || point == 0xA0 || point == 0x1680 || (point >= 0x2000 && point <= 0x200A) ||
           point == 0x2028 || point == 0x2029 || point == 0x202F || point == 0x205F || point == 0x3000;
}

static bool belongs(uint32_t point, const char *characters)
{
    if (!characters) return lfm_py_is_space(point);
    return point < 0x80 && point != 0 && strchr(characters, (int)point) != NULL;
}

struct lfm_span lfm_py_strip_left(struct lfm_span text, const char *characters)
{
    const char *end = text.at + text.length;
    while (text.length > 0) {
        const char *next = text.at;
        if (!belongs(lfm_next_point(&next, end), characters)) break;
        text.length -= (size_t)(next - text.at);
        text.at = next;
    }
    return text;
}

struct lfm_span lfm_py_strip_right(struct lfm_span text, const char *characters)
{
    while (text.length > 0) {
        size_t last = text.length - 1;
        while (last > 0 && ((unsigned char)text.at[last] & 0xC0) == 0x80) last--;
        const char *at = text.at + last;
        if (!belongs(lfm_next_point(&at, text.at + text.length), characters)) break;
        text.length = last;
    }
    return text;
}

struct lfm_span lfm_py_strip(struct lfm_span text)
{
    return lfm_py_strip_right(lfm_py_strip_left(text, NULL), NULL);
}

bool lfm_py_is_blank(struct lfm_span text)
{
    return lfm_py_strip_left(text, NULL).length == 0;
}

bool lfm_py_next_word(struct lfm_span *rest, struct lfm_span *word)
{
    *rest = lfm_py_strip_left(*rest, NULL);
    if (rest->length == 0) return false;
    const char *end = rest->at + rest->length, *at = rest->at;
    while (at < end) {
        const char *next = at;
        if (lfm_py_is_space(lfm_next_point(&next, end))) break;
        at = next;
    }
    *word = (struct lfm_span){rest->at, (size_t)(at - rest->at)};
    *rest = (struct lfm_span){at, (size_t)(end - at)};
    return true;
}

bool lfm_py_next_piece(struct lfm_span *rest, const char *separator, bool *more, struct lfm_span *piece)
{
    if (!*more) return false;
    size_t length = strlen(separator);
    for (size_t i = 0; i + length <= rest->length; i++) {
        if (memcmp(rest->at + i, separator, length) != 0) continue;
        *piece = (struct lfm_span){rest->at, i};
        *rest = (struct lfm_span){rest->at + i + length, rest->length - i - length};
        return true;
    }
    *piece = *rest;
    *more = false;
    return true;
}

/* The code point before *at, which moves back; *at > start. */
static uint32_t previous_point(const char **at, const char *start)
{
    const char *end = *at;
    do --*at;
    while (*at > start && ((unsigned char)**at & 0xC0) == 0x80);
    const char *next = *at;
    return lfm_next_point(&next, end);
}

/* Whether the capital sigma between `before` and `after` ends its word: a character with case is before it and none after
 * it, those that are ignored (a full stop, an apostrophe) aside. u8_tolower does not look past a full stop; Python does. */
static bool is_final_sigma(struct lfm_span text, const char *before, const char *after)
{
    const char *end = text.at + text.length;
    uint32_t point = 0;
    while (before > text.at && uc_is_property_case_ignorable(point = previous_point(&before, text.at))) point = 0;
    if (!uc_is_property_cased(point)) return false;
    for (point = 0; after < end && uc_is_property_case_ignorable(point = lfm_next_point(&after, end));) point = 0;
    return !uc_is_property_cased(point);
}

static enum lfm_status lower_without_sigma(struct lfm_buffer *out, struct lfm_span text, struct lfm_error *error)
{
    size_t length = 0;
    if (text.length == 0) return LFM_OK;
    uint8_t *lower = u8_tolower((const uint8_t *)text.at, text.length, NULL, NULL, NULL, &length);
    if (!lower) return lfm_fail(error, LFM_ERROR_MEMORY, "cannot lower-case %zu bytes of text", text.length);
    enum lfm_status status = lfm_buffer_append(out, lower, length, error);
    free(lower);
    return status;
}

static bool is_ascii(struct lfm_span text)
{
    for (size_t i = 0; i < text.length; i++)
        if ((unsigned char)text.at[i] >= 0x80) return false;
    return true;
}

static enum lfm_status lower_ascii(struct lfm_buffer *out, struct lfm_span text, struct lfm_error *error)
{
    size_t start = out->length;
    LFM_TRY(lfm_buffer_append(out, text.at, text.length, error));
    for (char *c = out->data + start; c < out->data + out->length; c++)
        if (*c >= 'A' && *c <= 'Z') *c += 'a' - 'A';
    return LFM_OK;
}

enum lfm_status lfm_py_lower(struct lfm_buffer *out, struct lfm_span text, struct lfm_error *error)
{
    static const char sigma[] = "Σ", small[] = "σ", final[] = "ς";
    struct lfm_span rest = text, piece;
    bool more = true;
    LFM_TRY(lfm_buffer_append(out, "", 0, error));
    if (is_ascii(text)) return lower_ascii(out, text, error);
    while (lfm_py_next_piece(&rest, sigma, &more, &piece)) {
        LFM_TRY(lower_without_sigma(out, piece, error));
        if (more) LFM_TRY(lfm_buffer_puts(out, is_final_sigma(text, piece.at + piece.length, rest.at) ? final : small, error));
    }
    return LFM_OK;
}

/* Whether a case is there and the other (and title case) is not. */
static bool only_case(struct lfm_span text, bool upper)
{
    bool cased = false;
    for (const char *at = text.at, *end = text.at + text.length; at < end;) {
        ucs4_t point = lfm_next_point(&at, end);
        bool is_upper = uc_is_property_uppercase(point), is_lower = uc_is_property_lowercase(point);
        if ((upper ? is_lower : is_upper) || uc_is_general_category(point, UC_TITLECASE_LETTER)) return false;
        cased = cased || (upper ? is_upper : is_lower);
    }
    return cased;
}

bool lfm_py_is_upper(struct lfm_span text)
{
    return only_case(text, true);
}

bool lfm_py_is_lower(struct lfm_span text)
{
    return only_case(text, false);
}
