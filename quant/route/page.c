/* The page of a route: its frame, style and script, which the assembler puts into the program, and its data. */
#include "quant/route/route.h"

#include "reference/base/page.h"

LFM_EMBED("route_frame", "quant/route/page.html");
LFM_EMBED("route_style", "quant/route/page.css");
LFM_EMBED("route_script", "quant/route/page.js");

extern const char lfm_route_frame[], lfm_route_frame_end[];
extern const char lfm_route_style[], lfm_route_style_end[];
extern const char lfm_route_script[], lfm_route_script_end[];

struct context {
    const struct lfm_trace *const *traces;
    size_t n;
    const struct lfm_tokenizer *tokenizer;
};

static enum lfm_status put_data(struct lfm_buffer *out, const void *context, struct lfm_error *error)
{
    const struct context *given = context;
    return lfm_route_data(out, given->traces, given->n, given->tokenizer, error);
}

enum lfm_status lfm_route_write(const struct lfm_trace *const *traces, size_t n, const struct lfm_tokenizer *tokenizer,
                                const char *path, struct lfm_error *error)
{
    const struct context context = {traces, n, tokenizer};
    const struct lfm_page page = {"quant/route/page.html", LFM_EMBEDDED(route_frame), LFM_EMBEDDED(route_style),
                                  LFM_EMBEDDED(route_script)};
    return lfm_page_write(&page, put_data, &context, path, error);
}
