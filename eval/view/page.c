/* The page of samples: its frame, style and script, which the assembler puts into the program, and its data. */
#include "eval/view/view.h"

#include "reference/base/page.h"

LFM_EMBED("view_frame", "eval/view/page.html");
LFM_EMBED("view_style", "eval/view/page.css");
LFM_EMBED("view_script", "eval/view/page.js");

extern const char lfm_view_frame[], lfm_view_frame_end[];
extern const char lfm_view_style[], lfm_view_style_end[];
extern const char lfm_view_script[], lfm_view_script_end[];

static enum lfm_status put_data(struct lfm_buffer *out, const void *view, struct lfm_error *error)
{
    return lfm_view_data(out, view, error);
}

enum lfm_status lfm_view_write(const struct lfm_view *view, const char *path, struct lfm_error *error)
{
    const struct lfm_page page = {"eval/view/page.html", LFM_EMBEDDED(view_frame), LFM_EMBEDDED(view_style),
                                  LFM_EMBEDDED(view_script)};
    return lfm_page_write(&page, put_data, view, path, error);
}
