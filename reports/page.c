/* The HTML page: declared in content.h. One file, nothing loaded from elsewhere, no scripts. */
#include "reports/content.h"
#include "reports/style.h"

#include "reference/base/version.h"

static void tagged(struct lfm_writer *out, const char *before, const char *text, const char *after)
{
    lfm_write(out, "%s", before);
    lfm_write_html(out, text);
    lfm_write(out, "%s", after);
}

/* File, command, and the data behind it. */
static void source_line(struct lfm_writer *out, const struct lfm_block *block)
{
    tagged(out, "<p class=\"source\">Source: <code>", block->source.file, "</code>");
    if (block->source.command[0]) tagged(out, ", written by <code>", block->source.command, "</code>");
    lfm_write(out, ". Data: <a href=\"data/%s.csv\">%s.csv</a>", block->id, block->id);
    if (block->kind == LFM_BLOCK_FIGURE)
        lfm_write(out, "; drawn by <a href=\"plots/%s.gp\">%s.gp</a>", block->id, block->id);
    lfm_write(out, ".</p>\n");
}

static void scroll(struct lfm_writer *out, const char *label)
{
    tagged(out, "<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"", label, "\">\n");
}

static void table(struct lfm_writer *out, const struct lfm_block *block)
{
    if (block->folded) tagged(out, "<details>\n<summary>", block->text, "</summary>\n<figure>\n");
    else tagged(out, "<figure>\n<figcaption>", block->text, "</figcaption>\n");
    scroll(out, block->text);
    lfm_table_html(out, block->table);
    lfm_write(out, "</div>\n");
    source_line(out, block);
    lfm_write(out, block->folded ? "</figure>\n</details>\n" : "</figure>\n");
}

static void figure(struct lfm_writer *out, const struct lfm_block *block)
{
    if (!block->svg) return;
    tagged(out, "<figure>\n<figcaption><b>", block->term, ".</b> ");
    lfm_write_html(out, block->text);
    lfm_write(out, "</figcaption>\n");
    scroll(out, block->term);
    lfm_write(out, "%s", block->svg);
    lfm_write(out, "</div>\n");
    source_line(out, block);
    lfm_write(out, "</figure>\n");
}

static void block_html(struct lfm_writer *out, const struct lfm_block *block)
{
    switch (block->kind) {
    case LFM_BLOCK_HEADING:
        lfm_write(out, "<h2 id=\"%s\">", block->id);
        tagged(out, "", block->text, "</h2>\n");
        return;
    case LFM_BLOCK_LEAD: tagged(out, "<p class=\"lead\">", block->text, "</p>\n"); return;
    case LFM_BLOCK_PARAGRAPH: tagged(out, "<p>", block->text, "</p>\n"); return;
    case LFM_BLOCK_COMMAND: tagged(out, "<pre><code>", block->text, "</code></pre>\n"); return;
    case LFM_BLOCK_DEFINITION:
        tagged(out, "<dt>", block->term, "</dt>");
        tagged(out, "<dd>", block->text, "</dd>\n");
        return;
    case LFM_BLOCK_TABLE: table(out, block); return;
    case LFM_BLOCK_FIGURE: figure(out, block); return;
    }
}

static void contents(struct lfm_writer *out, const struct lfm_content *content)
{
    lfm_write(out, "<nav aria-label=\"Sections\">");
    for (size_t i = 0; i < content->n_blocks; i++) {
        const struct lfm_block *block = &content->blocks[i];
        if (block->kind != LFM_BLOCK_HEADING) continue;
        lfm_write(out, "<a href=\"#%s\">", block->id);
        tagged(out, "", block->text, "</a>\n");
    }
    lfm_write(out, "</nav>\n");
}

/* Links to the sections stand after the answer: before the second heading's section would be too late to help. */
static size_t end_of_answer(const struct lfm_content *content)
{
    for (size_t i = 0; i < content->n_blocks; i++)
        if (content->blocks[i].kind == LFM_BLOCK_HEADING) return i;
    return content->n_blocks;
}

void lfm_page_html(struct lfm_writer *out, const struct lfm_content *content)
{
    lfm_write(out, "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
                   "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n");
    lfm_write(out, "<meta name=\"generator\" content=\"lfmscope %s\">\n", LFM_VERSION);
    lfm_write(out, "<meta name=\"color-scheme\" content=\"light dark\">\n");
    tagged(out, "<title>", content->title, "</title>\n<style>\n");
    lfm_write(out, "%s</style>\n</head>\n<body>\n<main>\n", lfm_page_style);
    tagged(out, "<h1>", content->title, "</h1>\n");
    size_t answer = end_of_answer(content);
    bool in_list = false;
    for (size_t i = 0; i < content->n_blocks; i++) {
        const struct lfm_block *block = &content->blocks[i];
        if (i == answer) contents(out, content);
        bool definition = block->kind == LFM_BLOCK_DEFINITION;
        if (definition != in_list) lfm_write(out, definition ? "<dl>\n" : "</dl>\n");
        in_list = definition;
        block_html(out, block);
    }
    if (in_list) lfm_write(out, "</dl>\n");
    lfm_write(out, "</main>\n</body>\n</html>\n");
}
