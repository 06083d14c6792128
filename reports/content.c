/* The order of what a report says: see content.h. */
#include "reports/content.h"

static void add(struct lfm_content *content, struct lfm_block block)
{
    struct lfm_block *blocks =
        lfm_pool_grow(content->pool, content->blocks, &content->capacity, content->n_blocks + 1, sizeof *blocks);
    if (!blocks) return;
    content->blocks = blocks;
    content->blocks[content->n_blocks++] = block;
}

void lfm_content_heading(struct lfm_content *content, const char *id, const char *text)
{
    add(content, (struct lfm_block){.kind = LFM_BLOCK_HEADING, .id = id, .text = text});
}

void lfm_content_lead(struct lfm_content *content, const char *text)
{
    add(content, (struct lfm_block){.kind = LFM_BLOCK_LEAD, .text = text});
}

void lfm_content_paragraph(struct lfm_content *content, const char *text)
{
    add(content, (struct lfm_block){.kind = LFM_BLOCK_PARAGRAPH, .text = text});
}

void lfm_content_definition(struct lfm_content *content, const char *term, const char *text)
{
    add(content, (struct lfm_block){.kind = LFM_BLOCK_DEFINITION, .term = term, .text = text});
}

void lfm_content_command(struct lfm_content *content, const char *command)
{
    add(content, (struct lfm_block){.kind = LFM_BLOCK_COMMAND, .text = command});
}

void lfm_content_table(struct lfm_content *content, struct lfm_table *table, bool folded)
{
    if (!table || table->n_cells == 0) return;
    add(content, (struct lfm_block){.kind = LFM_BLOCK_TABLE, .id = table->id, .text = table->caption,
                                    .source = table->source, .table = table, .folded = folded});
}

void lfm_content_figure(struct lfm_content *content, struct lfm_plot *plot, const struct lfm_source *source,
                        const char *title, const char *caption)
{
    if (!lfm_plot_has_data(plot)) return;
    add(content, (struct lfm_block){.kind = LFM_BLOCK_FIGURE, .id = plot->id, .term = title, .text = caption,
                                    .source = *source, .plot = plot});
}
