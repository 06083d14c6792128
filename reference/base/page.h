/* Pages that need nothing else: a frame whose marks are filled in with a style, a script and data, all of it in one file.
 *
 * The frame is HTML with the marks {{style}}, {{script}}, {{style-digest}}, {{script-digest}} (for a
 * Content-Security-Policy that lets just these two through) and {{data}}, which stands in a
 * <script type="application/json"> block that browsers do not execute. */
#ifndef LFM_BASE_PAGE_H
#define LFM_BASE_PAGE_H

#include "reference/base/buffer.h"
#include "reference/base/error.h"

#include <stddef.h>

/* Bytes that belong to somebody else. */
struct lfm_span {
    const char *at;
    size_t length;
};

struct lfm_page {
    const char *name; /* of the frame's file, for messages */
    struct lfm_span frame, style, script;
};

/* Appends the data's JSON, in which nothing may end or open an HTML element: see lfm_page_put_json. */
typedef enum lfm_status (*lfm_page_data)(struct lfm_buffer *out, const void *context, struct lfm_error *error);

/* Makes the page and writes it as `path`, whole or not at all. */
enum lfm_status lfm_page_write(const struct lfm_page *page, lfm_page_data data, const void *context, const char *path,
                               struct lfm_error *error);

/* Appends JSON with "<" and the marks of direction as escapes: these stand only in its strings, where an escape says the
 * same. */
enum lfm_status lfm_page_put_json(struct lfm_buffer *out, const char *json, struct lfm_error *error);

/* LFM_EMBED("frame", "room/page.html"): puts the file into the program's read-only data, between lfm_frame and
 * lfm_frame_end, which the user declares as `extern const char lfm_frame[], lfm_frame_end[]` and makes a span of with
 * LFM_EMBEDDED(frame). Paths are from the top of the project; the Makefile has to name the file. */
#define LFM_EMBED(name, file)              \
    __asm__(".section .rodata\n"           \
            ".global lfm_" name "\n"       \
            ".global lfm_" name "_end\n"   \
            "lfm_" name ":\n"              \
            ".incbin \"" file "\"\n"       \
            "lfm_" name "_end:\n"          \
            ".previous\n")
#define LFM_EMBEDDED(name) lfm_span_between(lfm_##name, lfm_##name##_end)
struct lfm_span lfm_span_between(const char *start, const char *end);

#endif
