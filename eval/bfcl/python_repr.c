/* repr() of Python values: see python_value.h. */
#include "eval/bfcl/python_value.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unictype.h>

/* The shortest digits that read back the same, written as Python does: an exponent below 1e-4 and from 1e16 on. */
static enum lfm_status put_double(struct lfm_buffer *out, double number, bool point_zero, struct lfm_error *error)
{
    char text[64];
    int precision = 0;
    if (isnan(number)) return lfm_buffer_puts(out, "nan", error);
    if (isinf(number)) return lfm_buffer_puts(out, number > 0 ? "inf" : "-inf", error);
    do snprintf(text, sizeof text, "%.*e", precision, number);
    while (strtod(text, NULL) != number && ++precision < 17);
    int exponent = atoi(strchr(text, 'e') + 1);
    if (exponent < -4 || exponent >= 16) {
        *strchr(text, 'e') = '\0';
        return lfm_buffer_printf(out, error, "%se%c%02d", text, exponent < 0 ? '-' : '+', abs(exponent));
    }
    int decimals = precision > exponent ? precision - exponent : 0;
    return lfm_buffer_printf(out, error, "%.*f%s", decimals, number, decimals == 0 && point_zero ? ".0" : "");
}

static enum lfm_status put_complex(struct lfm_buffer *out, const struct lfm_py_value *value, struct lfm_error *error)
{
    bool alone = value->real == 0 && !signbit(value->real);
    if (!alone) {
        LFM_TRY(lfm_buffer_puts(out, "(", error));
        LFM_TRY(put_double(out, value->real, false, error));
        if (!signbit(value->imaginary)) LFM_TRY(lfm_buffer_puts(out, "+", error));
    }
    LFM_TRY(put_double(out, value->imaginary, false, error));
    return lfm_buffer_puts(out, alone ? "j" : "j)", error);
}

/* str.isprintable() of one code point. */
static bool is_printable(uint32_t point)
{
    if (point < 0x80) return point >= 0x20 && point != 0x7F;
    return !uc_is_general_category_withtable(point, UC_CATEGORY_MASK_C | UC_CATEGORY_MASK_Z);
}

static enum lfm_status put_point(struct lfm_buffer *out, uint32_t point, const char *bytes, size_t length, char quote,
                                 bool is_bytes, struct lfm_error *error)
{
    if (point == '\n') return lfm_buffer_puts(out, "\\n", error);
    if (point == '\r') return lfm_buffer_puts(out, "\\r", error);
    if (point == '\t') return lfm_buffer_puts(out, "\\t", error);
    if (point == '\\' || point == (uint32_t)quote) LFM_TRY(lfm_buffer_puts(out, "\\", error));
    if (is_bytes ? point >= 0x20 && point < 0x7F : is_printable(point))
        return lfm_buffer_append(out, bytes, length, error);
    if (point < 0x100) return lfm_buffer_printf(out, error, "\\x%02x", (unsigned)point);
    if (point < 0x10000) return lfm_buffer_printf(out, error, "\\u%04x", (unsigned)point);
    return lfm_buffer_printf(out, error, "\\U%08x", (unsigned)point);
}

/* The code point at *at; lone surrogates are three bytes ED A0..BF 80..BF. */
static uint32_t next_point(const char **at, const char *end)
{
    const unsigned char *c = (const unsigned char *)*at;
    if (end - *at < 3 || c[0] != 0xED || c[1] < 0xA0) return lfm_next_point(at, end);
    *at += 3;
    return 0xD000u | (c[1] & 0x3Fu) << 6 | (c[2] & 0x3Fu);
}

static enum lfm_status put_text(struct lfm_buffer *out, struct lfm_span text, bool is_bytes, struct lfm_error *error)
{
    bool single = text.length && memchr(text.at, '\'', text.length);
    bool both = single && memchr(text.at, '"', text.length);
    char quote = single && !both ? '"' : '\'';
    LFM_TRY(lfm_buffer_append(out, &quote, 1, error));
    for (const char *at = text.at, *end = text.at + text.length; at < end;) {
        const char *start = at;
        uint32_t point = is_bytes ? (unsigned char)*at++ : next_point(&at, end);
        LFM_TRY(put_point(out, point, start, (size_t)(at - start), quote, is_bytes, error));
    }
    return lfm_buffer_append(out, &quote, 1, error);
}

static enum lfm_status put_items(struct lfm_buffer *out, const struct lfm_py_value *value, char open, char close,
                                 struct lfm_error *error)
{
    LFM_TRY(lfm_buffer_append(out, &open, 1, error));
    for (size_t i = 0; i < value->count; i++) {
        bool after_key = value->type == LFM_PY_DICT && i % 2 == 1;
        if (i > 0) LFM_TRY(lfm_buffer_puts(out, after_key ? ": " : ", ", error));
        LFM_TRY(lfm_py_repr(out, value->items[i], error));
    }
    if (value->type == LFM_PY_TUPLE && value->count == 1) LFM_TRY(lfm_buffer_puts(out, ",", error));
    return lfm_buffer_append(out, &close, 1, error);
}

enum lfm_status lfm_py_repr(struct lfm_buffer *out, const struct lfm_py_value *value, struct lfm_error *error)
{
    switch (value->type) {
    case LFM_PY_NONE: return lfm_buffer_puts(out, "None", error);
    case LFM_PY_BOOL: return lfm_buffer_puts(out, value->boolean ? "True" : "False", error);
    case LFM_PY_INT:
        if (value->digits) return lfm_buffer_puts(out, value->digits, error);
        return lfm_buffer_printf(out, error, "%" PRId64, value->integer);
    case LFM_PY_FLOAT: return put_double(out, value->real, true, error);
    case LFM_PY_COMPLEX: return put_complex(out, value, error);
    case LFM_PY_STR: return put_text(out, value->text, false, error);
    case LFM_PY_BYTES:
        LFM_TRY(lfm_buffer_puts(out, "b", error));
        return put_text(out, value->text, true, error);
    case LFM_PY_LIST: return put_items(out, value, '[', ']', error);
    case LFM_PY_TUPLE: return put_items(out, value, '(', ')', error);
    case LFM_PY_DICT: return put_items(out, value, '{', '}', error);
    }
    return LFM_OK;
}
