/* JSON values as Python writes them: see python_text.h. */
#define PCRE2_CODE_UNIT_WIDTH 8

#include "reference/model/python_text.h"

#include "reference/base/utf8.h"

#include <math.h>
#include <pcre2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* How one of the two notations writes scalars. */
struct notation {
    const char *null_text, *true_text, *false_text, *infinity;
    enum lfm_status (*append_string)(struct lfm_buffer *out, const char *text, struct lfm_error *error);
};

/* The digits of repr(float): the fewest that read back the same. Python writes exponents outside -4 .. 15. Numbers beyond
 * the range of a double are infinite. */
static enum lfm_status append_number(struct lfm_buffer *out, double value, const struct notation *notation,
                                     struct lfm_error *error)
{
    char digits[40];
    if (isinf(value)) return lfm_buffer_printf(out, error, "%s%s", value < 0 ? "-" : "", notation->infinity);
    if (floor(value) == value && fabs(value) < 9223372036854775808.0)
        return lfm_buffer_printf(out, error, "%.0f", value == 0 ? 0.0 : value);
    int precision = 0;
    do snprintf(digits, sizeof digits, "%.*e", precision, value);
    while (strtod(digits, NULL) != value && ++precision <= 16);
    int exponent = atoi(strchr(digits, 'e') + 1);
    if (exponent < -4 || exponent > 15) return lfm_buffer_puts(out, digits, error);
    int decimals = precision - exponent;
    return lfm_buffer_printf(out, error, "%.*f", decimals > 1 ? decimals : 1, value);
}

static enum lfm_status append_json_string(struct lfm_buffer *out, const char *text, struct lfm_error *error)
{
    static const char escapes[] = "\"\"\\\\\nn\rr\tt\bb\ff"; /* pairs: character, letter after the backslash */
    LFM_TRY(lfm_buffer_puts(out, "\"", error));
    for (; *text; text++) {
        const char *pair = NULL;
        for (const char *p = escapes; *p; p += 2)
            if (*p == *text) pair = p;
        if (pair)
            LFM_TRY(lfm_buffer_printf(out, error, "\\%c", pair[1]));
        else if ((unsigned char)*text < 0x20)
            LFM_TRY(lfm_buffer_printf(out, error, "\\u%04x", (unsigned)*text));
        else
            LFM_TRY(lfm_buffer_append(out, text, 1, error));
    }
    return lfm_buffer_puts(out, "\"", error);
}

static enum lfm_status append_value(struct lfm_buffer *out, const cJSON *value, const struct notation *notation,
                                    struct lfm_error *error)
{
    if (cJSON_IsString(value)) return notation->append_string(out, value->valuestring, error);
    if (cJSON_IsNumber(value)) return append_number(out, value->valuedouble, notation, error);
    if (cJSON_IsRaw(value)) return lfm_buffer_puts(out, value->valuestring, error);
    if (cJSON_IsBool(value))
        return lfm_buffer_puts(out, cJSON_IsTrue(value) ? notation->true_text : notation->false_text, error);
    if (!cJSON_IsArray(value) && !cJSON_IsObject(value)) return lfm_buffer_puts(out, notation->null_text, error);
    bool object = cJSON_IsObject(value);
    LFM_TRY(lfm_buffer_puts(out, object ? "{" : "[", error));
    for (const cJSON *item = value->child; item; item = item->next) {
        if (item != value->child) LFM_TRY(lfm_buffer_puts(out, ", ", error));
        if (object) {
            LFM_TRY(notation->append_string(out, item->string, error));
            LFM_TRY(lfm_buffer_puts(out, ": ", error));
        }
        LFM_TRY(append_value(out, item, notation, error));
    }
    return lfm_buffer_puts(out, object ? "}" : "]", error);
}

enum lfm_status lfm_python_json(struct lfm_buffer *out, const cJSON *value, struct lfm_error *error)
{
    static const struct notation json = {"null", "true", "false", "Infinity", append_json_string};
    return append_value(out, value, &json, error);
}

/* repr() escapes what is not printable: Unicode's categories C and Z, the space aside. */
static bool is_printable(const pcre2_code *code, pcre2_match_data *data, const char *character, size_t length)
{
    return pcre2_match(code, (PCRE2_SPTR)character, length, 0, PCRE2_NO_UTF_CHECK, data, NULL) < 0;
}

static enum lfm_status append_ascii(struct lfm_buffer *out, char c, char quote, struct lfm_error *error)
{
    if (c == quote || c == '\\') return lfm_buffer_printf(out, error, "\\%c", c);
    if (c == '\n') return lfm_buffer_puts(out, "\\n", error);
    if (c == '\r') return lfm_buffer_puts(out, "\\r", error);
    if (c == '\t') return lfm_buffer_puts(out, "\\t", error);
    if (c < 0x20 || c == 0x7F) return lfm_buffer_printf(out, error, "\\x%02x", (unsigned)c);
    return lfm_buffer_append(out, &c, 1, error);
}

static enum lfm_status append_repr(struct lfm_buffer *out, const char *text, struct lfm_error *error)
{
    char quote = strchr(text, '\'') && !strchr(text, '"') ? '"' : '\'';
    int code_error;
    PCRE2_SIZE offset;
    pcre2_code *code =
        pcre2_compile((PCRE2_SPTR) "[\\p{C}\\p{Z}]", PCRE2_ZERO_TERMINATED, PCRE2_UTF, &code_error, &offset, NULL);
    pcre2_match_data *data = pcre2_match_data_create(1, NULL);
    enum lfm_status status = LFM_OK;
    if (!code || !data) {
        status = lfm_fail(error, LFM_ERROR_MEMORY, "cannot write a string: out of memory");
        goto done;
    }
    LFM_TRY_DONE(lfm_buffer_append(out, &quote, 1, error));
    for (size_t i = 0, length = strlen(text), n; i < length; i += n) {
        size_t broken = 1;
        n = lfm_utf8_length(text + i, length - i, &broken);
        if (n == 0) n = broken;
        if (n == 1) {
            LFM_TRY_DONE(append_ascii(out, text[i], quote, error));
        } else if (is_printable(code, data, text + i, n)) {
            LFM_TRY_DONE(lfm_buffer_append(out, text + i, n, error));
        } else {
            unsigned point = lfm_utf8_code_point(text + i, n);
            const char *format = point < 0x100 ? "\\x%02x" : point < 0x10000 ? "\\u%04x" : "\\U%08x";
            char escaped[16];
            snprintf(escaped, sizeof escaped, format, point);
            LFM_TRY_DONE(lfm_buffer_puts(out, escaped, error));
        }
    }
    LFM_TRY_DONE(lfm_buffer_append(out, &quote, 1, error));
done:
    pcre2_code_free(code);
    pcre2_match_data_free(data);
    return status;
}

enum lfm_status lfm_python_str(struct lfm_buffer *out, const cJSON *value, struct lfm_error *error)
{
    static const struct notation python = {"None", "True", "False", "inf", append_repr};
    if (cJSON_IsString(value)) return lfm_buffer_puts(out, value->valuestring, error);
    return append_value(out, value, &python, error);
}
