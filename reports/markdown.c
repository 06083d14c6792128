/* The Markdown twin of the page, for CI logs and terminals: declared in content.h. */
#include "reports/content.h"

#include <string.h>

static void escaped(struct lfm_writer *out, const char *before, const char *text, const char *after)
{
    lfm_write(out, "%s", before);
    lfm_write_markdown(out, text);
    lfm_write(out, "%s", after);
}

/* A code span whose fence is longer than any run of backticks inside. */
static void code_span(struct lfm_writer *out, const char *text)
{
    size_t longest = 0, run = 0;
    for (const char *at = text; *at; at++) {
        run = *at == '`' ? run + 1 : 0;
        if (run > longest) longest = run;
    }
    for (size_t i = 0; i <= longest; i++) lfm_write(out, "`");
    lfm_write(out, longest ? " %s " : "%s", text);
    for (size_t i = 0; i <= longest; i++) lfm_write(out, "`");
}

static void source_line(struct lfm_writer *out, const struct lfm_block *block)
{
    lfm_write(out, "Source: ");
    code_span(out, block->source.file);
    if (block->source.command[0]) {
        lfm_write(out, ", written by ");
        code_span(out, block->source.command);
    }
    lfm_write(out, ". Data: [%s.csv](data/%s.csv).\n\n", block->id, block->id);
}

static void figure(struct lfm_writer *out, const struct lfm_block *block)
{
    if (!block->svg) return;
    escaped(out, "**", block->term, ".** ");
    escaped(out, "", block->text, "\n\n");
    escaped(out, "![", block->term, "]");
    lfm_write(out, "(plots/%s.svg)\n\n", block->id);
    source_line(out, block);
}

static void block_markdown(struct lfm_writer *out, const struct lfm_block *block)
{
    switch (block->kind) {
    case LFM_BLOCK_HEADING: escaped(out, "## ", block->text, "\n\n"); return;
    case LFM_BLOCK_LEAD: escaped(out, "", block->text, "\n\n"); return;
    case LFM_BLOCK_PARAGRAPH: escaped(out, "", block->text, "\n\n"); return;
    case LFM_BLOCK_COMMAND:
        code_span(out, block->text);
        lfm_write(out, "\n\n");
        return;
    case LFM_BLOCK_DEFINITION:
        escaped(out, "**", block->term, "**: ");
        escaped(out, "", block->text, "\n\n");
        return;
    case LFM_BLOCK_TABLE:
        escaped(out, "", block->text, "\n\n");
        lfm_table_markdown(out, block->table);
        lfm_write(out, "\n");
        source_line(out, block);
        return;
    case LFM_BLOCK_FIGURE: figure(out, block); return;
    }
}

void lfm_page_markdown(struct lfm_writer *out, const struct lfm_content *content)
{
    escaped(out, "# ", content->title, "\n\n");
    for (size_t i = 0; i < content->n_blocks; i++) block_markdown(out, &content->blocks[i]);
}
