/* The values of number and string tokens: see python_syntax.h. After the Python Language Reference 3.11, 2.4. */
#include "eval/bfcl/python_syntax.h"

#include <stdlib.h>
#include <string.h>
#include <uniname.h>

static enum lfm_status new_float(struct lfm_arena *arena, struct lfm_py_value **out, const char *digits,
                                 struct lfm_error *error)
{
    char *end;
    double number = strtod(digits, &end);
    bool imaginary = *end != '\0';
    LFM_TRY(lfm_py_new(arena, out, imaginary ? LFM_PY_COMPLEX : LFM_PY_FLOAT, error));
    *(imaginary ? &(*out)->imaginary : &(*out)->real) = number;
    return LFM_OK;
}

enum lfm_status lfm_py_number(struct lfm_arena *arena, struct lfm_py_value **out, struct lfm_span token,
                              struct lfm_error *error)
{
    char *digits;
    size_t length = 0;
    LFM_TRY(lfm_arena_alloc(arena, (void **)&digits, token.length + 1, error));
    for (size_t i = 0; i < token.length; i++)
        if (token.at[i] != '_') digits[length++] = token.at[i];
    char letter = length > 1 && digits[0] == '0' ? (char)(digits[1] | 0x20) : '\0';
    int base = letter == 'x' ? 16 : letter == 'o' ? 8 : letter == 'b' ? 2 : 10;
    if (base == 10 && strpbrk(digits, ".eEjJ")) return new_float(arena, out, digits, error);
    size_t skip = base == 10 ? 0 : 2;
    return lfm_py_new_int_digits(arena, out, (struct lfm_span){digits + skip, length - skip}, base, false, error);
}

/* Exactly n hexadecimal digits at *at. */
static enum lfm_status read_hex(const char **at, const char *end, int n, uint32_t *out, struct lfm_error *error)
{
    *out = 0;
    for (int i = 0; i < n; i++, (*at)++) {
        if (*at == end || lfm_hex_digit(**at) < 0)
            return lfm_fail(error, LFM_ERROR_FORMAT, "an escape of fewer than %d hexadecimal digits", n);
        *out = *out << 4 | (uint32_t)lfm_hex_digit(**at);
    }
    return LFM_OK;
}

static enum lfm_status read_name(const char **at, const char *end, uint32_t *out, struct lfm_error *error)
{
    char name[256];
    const char *close = *at < end && **at == '{' ? memchr(*at, '}', (size_t)(end - *at)) : NULL;
    size_t length = close ? (size_t)(close - *at) - 1 : 0;
    if (length == 0 || length >= sizeof name) return lfm_fail(error, LFM_ERROR_FORMAT, "\\N without a character name");
    memcpy(name, *at + 1, length);
    name[length] = '\0';
    *out = unicode_name_character(name);
    if (*out == UNINAME_INVALID) return lfm_fail(error, LFM_ERROR_FORMAT, "\\N with an unknown character name");
    *at = close + 1;
    return LFM_OK;
}

static uint32_t read_octal(const char **at, const char *end)
{
    uint32_t point = 0;
    for (int i = 0; i < 3 && *at < end && **at >= '0' && **at <= '7'; i++, (*at)++)
        point = point << 3 | (uint32_t)(**at - '0');
    return point;
}

/* One escape; *at is behind the backslash. */
static enum lfm_status put_escape(struct lfm_buffer *out, const char **at, const char *end, bool is_bytes,
                                  struct lfm_error *error)
{
    static const char letters[] = "\\'\"abfnrtv", meanings[] = "\\'\"\a\b\f\n\r\t\v";
    uint32_t point = 0;
    char c = **at;
    const char *letter = c ? strchr(letters, c) : NULL;
    if (letter) {
        (*at)++;
        return lfm_buffer_append(out, &meanings[letter - letters], 1, error);
    }
    if (c == '\n') {
        (*at)++;
        return LFM_OK;
    }
    if (c >= '0' && c <= '7') {
        point = read_octal(at, end);
    } else if (c == 'x' || (!is_bytes && (c == 'u' || c == 'U'))) {
        (*at)++;
        LFM_TRY(read_hex(at, end, c == 'x' ? 2 : c == 'u' ? 4 : 8, &point, error));
    } else if (!is_bytes && c == 'N') {
        (*at)++;
        LFM_TRY(read_name(at, end, &point, error));
    } else {
        return lfm_buffer_puts(out, "\\", error);
    }
    if (!is_bytes) return lfm_py_put_point(out, point, error);
    char byte = (char)(unsigned char)point;
    return lfm_buffer_append(out, &byte, 1, error);
}

static enum lfm_status put_content(struct lfm_buffer *out, struct lfm_span content, bool raw, bool is_bytes,
                                   struct lfm_error *error)
{
    LFM_TRY(lfm_buffer_append(out, "", 0, error));
    for (const char *at = content.at, *end = content.at + content.length; at < end;) {
        if (is_bytes && (unsigned char)*at >= 0x80)
            return lfm_fail(error, LFM_ERROR_FORMAT, "bytes can only contain ASCII characters");
        if (*at == '\\' && !raw && at + 1 < end) {
            at++;
            LFM_TRY(put_escape(out, &at, end, is_bytes, error));
            continue;
        }
        LFM_TRY(lfm_buffer_append(out, at++, 1, error));
    }
    return LFM_OK;
}

enum lfm_status lfm_py_check_escapes(struct lfm_span content, struct lfm_error *error)
{
    struct lfm_buffer text = {0};
    enum lfm_status status = put_content(&text, content, false, false, error);
    lfm_buffer_release(&text);
    return status;
}

enum lfm_status lfm_py_string(struct lfm_arena *arena, struct lfm_py_value **out, bool *is_format,
                              struct lfm_span token, struct lfm_error *error)
{
    bool raw = false, is_bytes = false;
    size_t prefix = 0;
    *is_format = false;
    for (; token.at[prefix] != '\'' && token.at[prefix] != '"'; prefix++) {
        char letter = (char)(token.at[prefix] | 0x20);
        raw |= letter == 'r';
        is_bytes |= letter == 'b';
        *is_format |= letter == 'f';
    }
    size_t length = token.length - prefix;
    const char *open = token.at + prefix;
    size_t quotes = length >= 6 && open[1] == open[0] && open[2] == open[0] ? 3 : 1;
    struct lfm_span content = {open + quotes, length - 2 * quotes};
    *out = NULL;
    if (*is_format) return lfm_py_check_format(arena, content, raw, error);
    struct lfm_buffer text = {0};
    enum lfm_status status = put_content(&text, content, raw, is_bytes, error);
    if (status == LFM_OK) status = lfm_py_new(arena, out, is_bytes ? LFM_PY_BYTES : LFM_PY_STR, error);
    if (status == LFM_OK)
        status = lfm_arena_copy(arena, &(*out)->text, (struct lfm_span){text.data, text.length}, error);
    lfm_buffer_release(&text);
    return status;
}
