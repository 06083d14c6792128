/* Cleaning, escaping and number formatting: see text.h. */
#include "reports/text.h"

#include <ctype.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NO_BREAK_SPACE "\xc2\xa0"
#define EN_DASH "\xe2\x80\x93"
#define ELLIPSIS "\xe2\x80\xa6"
#define REPLACEMENT "\xef\xbf\xbd"
#define PLUS_MINUS " \xc2\xb1 "
#define TIMES_TEN "\xc3\x97"
#define APOSTROPHE "\xe2\x80\x99"
#define MINUS "\xe2\x88\x92"

void lfm_write(struct lfm_writer *writer, const char *format, ...)
{
    if (writer->status != LFM_OK) return;
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(NULL, 0, format, arguments);
    va_end(arguments);
    char small[512];
    char *text = length < (int)sizeof small ? small : malloc((size_t)length + 1);
    if (length < 0 || !text) {
        writer->status = lfm_fail(&writer->error, LFM_ERROR_MEMORY, "cannot format a text of the report");
        return;
    }
    va_start(arguments, format);
    vsnprintf(text, (size_t)length + 1, format, arguments);
    va_end(arguments);
    writer->status = lfm_buffer_append(&writer->buffer, text, (size_t)length, &writer->error);
    if (text != small) free(text);
}

static void append(struct lfm_writer *writer, const char *bytes, size_t length)
{
    if (writer->status == LFM_OK)
        writer->status = lfm_buffer_append(&writer->buffer, bytes, length, &writer->error);
}

static const char *html_entity(char c)
{
    switch (c) {
    case '&': return "&amp;";
    case '<': return "&lt;";
    case '>': return "&gt;";
    case '"': return "&quot;";
    case '\'': return "&#39;";
    default: return NULL;
    }
}

void lfm_write_html(struct lfm_writer *writer, const char *text)
{
    for (; *text; text++) {
        const char *entity = html_entity(*text);
        append(writer, entity ? entity : text, entity ? strlen(entity) : 1);
    }
}

void lfm_write_markdown(struct lfm_writer *writer, const char *text)
{
    for (; *text; text++) {
        if (*text == '<' || *text == '&')
            append(writer, html_entity(*text), strlen(html_entity(*text)));
        else {
            if (strchr("\\`*_[]|~#!", *text)) append(writer, "\\", 1);
            append(writer, text, 1);
        }
    }
}

void lfm_write_csv(struct lfm_writer *writer, const char *text)
{
    if (!strpbrk(text, ",\"\r\n")) {
        append(writer, text, strlen(text));
        return;
    }
    append(writer, "\"", 1);
    for (; *text; text++) {
        if (*text == '"') append(writer, "\"", 1);
        append(writer, text, 1);
    }
    append(writer, "\"", 1);
}

void lfm_write_gnuplot(struct lfm_writer *writer, const char *text)
{
    append(writer, "'", 1);
    for (; *text; text++) {
        bool quote = *text == '\'';
        append(writer, quote ? APOSTROPHE : (unsigned char)*text < ' ' ? " " : text, quote ? strlen(APOSTROPHE) : 1);
    }
    append(writer, "'", 1);
}

void lfm_write_number(struct lfm_writer *writer, double value)
{
    if (!isfinite(value)) return;
    char text[40];
    for (int digits = 15; digits <= 17; digits++) {
        snprintf(text, sizeof text, "%.*g", digits, value);
        if (strtod(text, NULL) == value) break;
    }
    append(writer, text, strlen(text));
}

/* Bytes of the UTF-8 sequence at `text`, its code point in *point; 0 when it is not one. */
static size_t decode(const unsigned char *text, uint32_t *point)
{
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    size_t length = text[0] < 0x80 ? 1 : text[0] >> 5 == 6 ? 2 : text[0] >> 4 == 14 ? 3 : text[0] >> 3 == 30 ? 4 : 0;
    if (length == 0) return 0;
    uint32_t value = length == 1 ? text[0] : text[0] & (0x7fU >> length);
    for (size_t i = 1; i < length; i++) {
        if (text[i] >> 6 != 2) return 0;
        value = value << 6 | (text[i] & 0x3f);
    }
    if (value < least[length] || value > 0x10ffff || (value >= 0xd800 && value <= 0xdfff)) return 0;
    *point = value;
    return length;
}

static bool is_harmless(uint32_t point)
{
    if (point < 0x20 || (point >= 0x7f && point < 0xa0)) return false;
    if (point == 0x2028 || point == 0x2029 || (point >= 0x202a && point <= 0x202e)) return false;
    return !(point >= 0x2066 && point <= 0x2069) && point != 0xfffe && point != 0xffff;
}

const char *lfm_clean_text(struct lfm_pool *pool, const char *text)
{
    size_t length = strlen(text), used = 0;
    char *clean = lfm_pool_alloc(pool, 3 * length + 1, 1);
    if (!clean) return "";
    for (const unsigned char *at = (const unsigned char *)text; *at;) {
        uint32_t point = 0;
        size_t bytes = decode(at, &point);
        bool blank = bytes == 1 && strchr("\t\r\n", *at);
        bool kept = bytes > 0 && is_harmless(point);
        const char *from = blank ? " " : kept ? (const char *)at : REPLACEMENT;
        size_t count = blank ? 1 : kept ? bytes : strlen(REPLACEMENT);
        memcpy(clean + used, from, count);
        used += count;
        at += bytes ? bytes : 1;
    }
    return clean;
}

size_t lfm_text_length(const char *text)
{
    size_t count = 0;
    for (; *text; text++) count += ((unsigned char)*text >> 6) != 2;
    return count;
}

const char *lfm_shorten(struct lfm_pool *pool, const char *text, size_t limit)
{
    if (lfm_text_length(text) <= limit) return text;
    size_t bytes = 0;
    for (size_t count = 0; text[bytes]; bytes++) {
        if (((unsigned char)text[bytes] >> 6) == 2) continue;
        if (++count == limit) break;
    }
    return lfm_pool_printf(pool, "%.*s" ELLIPSIS, (int)bytes, text);
}

const char *lfm_power_of_ten(struct lfm_pool *pool, int exponent)
{
    static const char *const digits[] = {"\xe2\x81\xb0", "\xc2\xb9",     "\xc2\xb2",     "\xc2\xb3",
                                         "\xe2\x81\xb4", "\xe2\x81\xb5", "\xe2\x81\xb6", "\xe2\x81\xb7",
                                         "\xe2\x81\xb8", "\xe2\x81\xb9"};
    char plain[16];
    snprintf(plain, sizeof plain, "%d", exponent);
    const char *text = "10";
    for (const char *at = plain; *at; at++)
        text = lfm_pool_printf(pool, "%s%s", text, *at == '-' ? "\xe2\x81\xbb" : digits[*at - '0']);
    return text;
}

static const char *fixed(struct lfm_pool *pool, double value, int decimals)
{
    char digits[400];
    snprintf(digits, sizeof digits, "%.*f", decimals, fabs(value));
    bool negative = value < 0 && strspn(digits, "0.") < strlen(digits);
    return lfm_pool_printf(pool, "%s%s", negative ? MINUS : "", digits);
}

/* floor(log10 |value|) of the value as it prints with three significant digits. */
static int exponent_of(double value)
{
    char digits[40];
    snprintf(digits, sizeof digits, "%.2e", value);
    return atoi(strchr(digits, 'e') + 1);
}

static const char *plain(struct lfm_pool *pool, double value)
{
    if (value == 0) return "0";
    int exponent = exponent_of(value);
    if (exponent >= -3 && exponent < 6) return fixed(pool, value, exponent < 2 ? 2 - exponent : 0);
    return lfm_pool_printf(pool, "%s" TIMES_TEN "%s", fixed(pool, value / pow(10, exponent), 2),
                           lfm_power_of_ten(pool, exponent));
}

/* Two decimals, more where two would claim a plain 0 or 100 that the value is not. */
static int percent_decimals(double percent)
{
    int decimals = 2;
    for (; decimals < 6; decimals++) {
        double unit = pow(10, -decimals);
        bool claims_zero = percent != 0 && fabs(percent) < unit / 2;
        bool claims_all = percent < 100 && percent > 100 - unit / 2;
        if (!claims_zero && !claims_all) break;
    }
    return decimals;
}

static const char *bytes_text(struct lfm_pool *pool, double bytes)
{
    static const char *const units[] = {"B", "kB", "MB", "GB", "TB", "PB"};
    size_t unit = 0;
    for (; bytes >= 999.5 && unit + 1 < sizeof units / sizeof units[0]; unit++) bytes /= 1000;
    int decimals = unit == 0 || bytes >= 99.95 ? 0 : bytes >= 9.995 ? 1 : 2;
    return lfm_pool_printf(pool, "%s" NO_BREAK_SPACE "%s", fixed(pool, bytes, decimals), units[unit]);
}

static const char *count_text(struct lfm_pool *pool, double value)
{
    char digits[400], grouped[600];
    snprintf(digits, sizeof digits, "%.0f", fabs(value));
    size_t length = strlen(digits), used = 0;
    for (size_t i = 0; i < length; i++) {
        if (i > 0 && (length - i) % 3 == 0) grouped[used++] = ',';
        grouped[used++] = digits[i];
    }
    grouped[used] = '\0';
    return lfm_pool_printf(pool, "%s%s", value < 0 ? MINUS : "", grouped);
}

/* Points that read 0 have no sign. */
static const char *points(struct lfm_pool *pool, double value)
{
    const char *text = fixed(pool, 100 * value, 1);
    return value > 0 && strcmp(text, "0.0") != 0 ? lfm_pool_printf(pool, "+%s", text) : text;
}

const char *lfm_number_text(struct lfm_pool *pool, double value, enum lfm_number_style style)
{
    if (!isfinite(value)) return EN_DASH;
    switch (style) {
    case LFM_NUMBER_PLAIN: return plain(pool, value);
    case LFM_NUMBER_FIXED2: return fixed(pool, value, 2);
    case LFM_NUMBER_FIXED4: return fixed(pool, value, 4);
    case LFM_NUMBER_FIXED6: return fixed(pool, value, 6);
    case LFM_NUMBER_BYTES: return bytes_text(pool, value);
    case LFM_NUMBER_COUNT: return count_text(pool, value);
    case LFM_NUMBER_SCORE: return lfm_pool_printf(pool, "%s" NO_BREAK_SPACE "%%", fixed(pool, 100 * value, 1));
    case LFM_NUMBER_POINTS: return points(pool, value);
    case LFM_NUMBER_PERCENT:
        return lfm_pool_printf(pool, "%s" NO_BREAK_SPACE "%%", fixed(pool, 100 * value, percent_decimals(100 * value)));
    }
    return EN_DASH;
}

const char *lfm_number_with_interval(struct lfm_pool *pool, double value, double low, double high,
                                     enum lfm_number_style style)
{
    const char *text = lfm_number_text(pool, value, style);
    if (!isfinite(value) || !isfinite(low) || !isfinite(high)) return text;
    if (style == LFM_NUMBER_SCORE)
        return lfm_pool_printf(pool, "%s [%s, %s]", text, fixed(pool, 100 * low, 1), fixed(pool, 100 * high, 1));
    return lfm_pool_printf(pool, "%s [%s, %s]", text, lfm_number_text(pool, low, style),
                           lfm_number_text(pool, high, style));
}

/* Decimals that show two significant digits of the error. */
static int decimals_for(double error)
{
    if (!(error > 0)) return 4;
    double decimals = 1 - floor(log10(error));
    return decimals < 0 ? 0 : decimals > 9 ? 9 : (int)decimals;
}

const char *lfm_number_with_error(struct lfm_pool *pool, double value, double error, enum lfm_number_style style)
{
    if (!isfinite(value) || !isfinite(error) || error < 0) return lfm_number_text(pool, value, style);
    double scale = style == LFM_NUMBER_PERCENT ? 100 : 1;
    const char *unit = style == LFM_NUMBER_PERCENT ? NO_BREAK_SPACE "%" : "";
    int exponent = value == 0 ? 0 : exponent_of(value);
    if (style == LFM_NUMBER_PLAIN && value != 0 && (exponent < -3 || exponent >= 6)) {
        double power = pow(10, exponent);
        int decimals = decimals_for(error / power);
        return lfm_pool_printf(pool, "(%s" PLUS_MINUS "%s)" TIMES_TEN "%s", fixed(pool, value / power, decimals),
                               fixed(pool, error / power, decimals), lfm_power_of_ten(pool, exponent));
    }
    int decimals = decimals_for(scale * error);
    return lfm_pool_printf(pool, "%s" PLUS_MINUS "%s%s", fixed(pool, scale * value, decimals),
                           fixed(pool, scale * error, decimals), unit);
}

const char *lfm_format_title(struct lfm_pool *pool, const char *weights)
{
    size_t length = strlen(weights);
    bool format = strspn(weights, "abcdefghijklmnopqrstuvwxyz0123456789_") == length && strpbrk(weights, "0123456789");
    if (!format) return weights;
    char *title = lfm_pool_alloc(pool, length + 1, 1);
    if (!title) return "";
    for (size_t i = 0; i < length; i++) title[i] = (char)toupper((unsigned char)weights[i]);
    if (strncmp(title, "FP8_", 4) == 0) title[3] = ' ';
    return title;
}

const char *lfm_variant_title(struct lfm_pool *pool, const char *variant)
{
    const char *title = "";
    for (const char *part = variant; *part;) {
        size_t length = strcspn(part, "/");
        title = lfm_pool_printf(pool, "%s%s%s", title, part > variant ? "/" : "",
                                lfm_format_title(pool, lfm_pool_printf(pool, "%.*s", (int)length, part)));
        part += length + (part[length] != '\0');
    }
    return title;
}
