/* Pages in one file: see page.h. */
#include "reference/base/page.h"

#include "reference/base/file.h"
#include "reference/base/hash.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

struct lfm_span lfm_span_between(const char *start, const char *end)
{
    return (struct lfm_span){start, (size_t)((uintptr_t)end - (uintptr_t)start)};
}

/* --- text that is safe inside a script element --- */

/* What has to leave as an escape at `at`: "<", which begins everything that could end the element, and the separators
 * and marks of direction (U+2028 to U+202E, U+2066 to U+2069), which would reorder or break the page's source. Its
 * length in bytes, 0 for other text; the code point in *point. */
static size_t risky(const char *at, unsigned int *point)
{
    const unsigned char *byte = (const unsigned char *)at;
    *point = byte[0];
    if (byte[0] == '<') return 1;
    if (byte[0] != 0xe2 || (byte[1] != 0x80 && byte[1] != 0x81)) return 0;
    *point = 0x2000U + (byte[1] - 0x80U) * 0x40U + (byte[2] & 0x3fU);
    return (*point >= 0x2028 && *point <= 0x202e) || (*point >= 0x2066 && *point <= 0x2069) ? 3 : 0;
}

enum lfm_status lfm_page_put_json(struct lfm_buffer *out, const char *json, struct lfm_error *error)
{
    const char *start = json;
    unsigned int point;
    while (*json) {
        size_t length = risky(json, &point);
        if (length > 0) {
            LFM_TRY(lfm_buffer_append(out, start, (size_t)(json - start), error));
            LFM_TRY(lfm_buffer_printf(out, error, "\\u%04x", point));
            start = json + length;
        }
        json += length ? length : 1;
    }
    return lfm_buffer_append(out, start, (size_t)(json - start), error);
}

/* --- the page --- */

/* "'sha256-<digest in Base64>'", as a Content-Security-Policy names the one text that it lets through. */
static enum lfm_status put_digest(struct lfm_buffer *out, struct lfm_span text, struct lfm_error *error)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    enum { BYTES = 32, GROUPS = 11 }; /* the last group has two bytes */
    char hexadecimal[LFM_SHA256_TEXT], base64[4 * GROUPS + 1] = "";
    unsigned long byte[BYTES + 1] = {0};
    LFM_TRY(lfm_sha256(text.at, text.length, hexadecimal, error));
    for (size_t i = 0; i < BYTES; i++) {
        const char pair[] = {hexadecimal[2 * i], hexadecimal[2 * i + 1], '\0'};
        byte[i] = strtoul(pair, NULL, 16);
    }
    for (size_t i = 0; i < GROUPS; i++) {
        unsigned long bits = byte[3 * i] << 16 | byte[3 * i + 1] << 8 | byte[3 * i + 2];
        for (size_t k = 0; k < 4; k++) base64[4 * i + k] = digits[bits >> (18 - 6 * k) & 63];
    }
    base64[4 * GROUPS - 1] = '=';
    return lfm_buffer_printf(out, error, "'sha256-%s'", base64);
}

struct filling {
    const struct lfm_page *page;
    lfm_page_data data;
    const void *context;
};

/* What the mark {{name}} of the frame stands for. */
static enum lfm_status fill_in(struct lfm_buffer *out, struct lfm_span name, const struct filling *filling,
                               struct lfm_error *error)
{
    const struct lfm_page *page = filling->page;
    char mark[16];
    if (name.length >= sizeof mark) name.length = sizeof mark - 1;
    memcpy(mark, name.at, name.length);
    mark[name.length] = '\0';
    if (strcmp(mark, "style") == 0) return lfm_buffer_append(out, page->style.at, page->style.length, error);
    if (strcmp(mark, "script") == 0) return lfm_buffer_append(out, page->script.at, page->script.length, error);
    if (strcmp(mark, "style-digest") == 0) return put_digest(out, page->style, error);
    if (strcmp(mark, "script-digest") == 0) return put_digest(out, page->script, error);
    if (strcmp(mark, "data") == 0) return filling->data(out, filling->context, error);
    return lfm_fail(error, LFM_ERROR_FORMAT, "%s: nothing is known of {{%s}}", page->name, mark);
}

/* The next `pair` (two equal characters) in a text; its end when there is none. */
static const char *find_pair(const char *at, const char *end, char character)
{
    while (at + 1 < end && (at[0] != character || at[1] != character)) at++;
    return at + 1 < end ? at : end;
}

static enum lfm_status make_page(struct lfm_buffer *out, const struct filling *filling, struct lfm_error *error)
{
    const struct lfm_span frame = filling->page->frame;
    const char *at = frame.at, *end = frame.at + frame.length;
    while (at < end) {
        const char *mark = find_pair(at, end, '{');
        LFM_TRY(lfm_buffer_append(out, at, (size_t)(mark - at), error));
        if (mark == end) break;
        const char *close = find_pair(mark, end, '}');
        LFM_TRY(fill_in(out, lfm_span_between(mark + 2, close), filling, error));
        at = close == end ? end : close + 2;
    }
    return LFM_OK;
}

enum lfm_status lfm_page_write(const struct lfm_page *page, lfm_page_data data, const void *context, const char *path,
                               struct lfm_error *error)
{
    const struct filling filling = {page, data, context};
    struct lfm_buffer text = {0};
    enum lfm_status status = make_page(&text, &filling, error);
    if (status == LFM_OK) status = lfm_write_file(path, text.data, text.length, error);
    lfm_buffer_release(&text);
    return status;
}
