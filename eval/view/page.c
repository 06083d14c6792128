/* The page's frame, style and script, put into the program's read-only data by the assembler as eval/text/tables.c does
 * it, and the page made of them. */
#include "eval/view/view.h"

#include "reference/base/file.h"
#include "reference/base/hash.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define EMBED(name, file)                          \
    __asm__(".section .rodata\n"                   \
            ".global lfm_view_" name "\n"          \
            ".global lfm_view_" name "_end\n"      \
            "lfm_view_" name ":\n"                 \
            ".incbin \"" file "\"\n"               \
            "lfm_view_" name "_end:\n"             \
            ".previous\n")

EMBED("frame", "eval/view/page.html");
EMBED("style", "eval/view/page.css");
EMBED("script", "eval/view/page.js");

extern const char lfm_view_frame[], lfm_view_frame_end[];
extern const char lfm_view_style[], lfm_view_style_end[];
extern const char lfm_view_script[], lfm_view_script_end[];

struct text {
    const char *at;
    size_t length;
};

static struct text between(const char *start, const char *end)
{
    return (struct text){start, (size_t)((uintptr_t)end - (uintptr_t)start)};
}

/* "'sha256-<digest in Base64>'", as a Content-Security-Policy names the one text that it lets through. */
static enum lfm_status put_digest(struct lfm_buffer *out, struct text text, struct lfm_error *error)
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

/* What the mark {{name}} of the frame stands for. */
static enum lfm_status fill_in(struct lfm_buffer *out, struct text name, const struct lfm_view *view,
                               struct lfm_error *error)
{
    const struct text style = between(lfm_view_style, lfm_view_style_end),
                      script = between(lfm_view_script, lfm_view_script_end);
    char mark[16];
    if (name.length >= sizeof mark) name.length = sizeof mark - 1;
    memcpy(mark, name.at, name.length);
    mark[name.length] = '\0';
    if (strcmp(mark, "style") == 0) return lfm_buffer_append(out, style.at, style.length, error);
    if (strcmp(mark, "script") == 0) return lfm_buffer_append(out, script.at, script.length, error);
    if (strcmp(mark, "style-digest") == 0) return put_digest(out, style, error);
    if (strcmp(mark, "script-digest") == 0) return put_digest(out, script, error);
    if (strcmp(mark, "data") == 0) return lfm_view_data(out, view, error);
    return lfm_fail(error, LFM_ERROR_FORMAT, "eval/view/page.html: nothing is known of {{%s}}", mark);
}

/* The next `pair` (two equal characters) in a text; its end when there is none. */
static const char *find_pair(const char *at, const char *end, char character)
{
    while (at + 1 < end && (at[0] != character || at[1] != character)) at++;
    return at + 1 < end ? at : end;
}

static enum lfm_status make_page(struct lfm_buffer *out, const struct lfm_view *view, struct lfm_error *error)
{
    const struct text frame = between(lfm_view_frame, lfm_view_frame_end);
    const char *at = frame.at, *end = frame.at + frame.length;
    while (at < end) {
        const char *mark = find_pair(at, end, '{');
        LFM_TRY(lfm_buffer_append(out, at, (size_t)(mark - at), error));
        if (mark == end) break;
        const char *close = find_pair(mark, end, '}');
        LFM_TRY(fill_in(out, between(mark + 2, close), view, error));
        at = close == end ? end : close + 2;
    }
    return LFM_OK;
}

enum lfm_status lfm_view_write(const struct lfm_view *view, const char *path, struct lfm_error *error)
{
    struct lfm_buffer page = {0};
    enum lfm_status status = make_page(&page, view, error);
    if (status == LFM_OK) status = lfm_write_file(path, page.data, page.length, error);
    lfm_buffer_release(&page);
    return status;
}
