/* What a report says, before it is a page: headings, paragraphs, tables and figures in order. */
#ifndef LFM_REPORTS_CONTENT_H
#define LFM_REPORTS_CONTENT_H

#include "reports/document.h"
#include "reports/plot.h"

enum lfm_block_kind {
    LFM_BLOCK_HEADING,    /* text; id for links */
    LFM_BLOCK_LEAD,       /* the answer */
    LFM_BLOCK_PARAGRAPH,  /* text */
    LFM_BLOCK_DEFINITION, /* term and text */
    LFM_BLOCK_COMMAND,    /* text, a command line */
    LFM_BLOCK_TABLE,      /* table; folded when `folded` */
    LFM_BLOCK_FIGURE      /* plot, text (the caption), title (what a screen reader says) */
};

struct lfm_block {
    enum lfm_block_kind kind;
    const char *id, *term, *text;
    struct lfm_source source;
    struct lfm_table *table;
    struct lfm_plot *plot;
    const char *svg; /* of a figure once drawn, for the page; NULL: the figure was not drawn */
    bool folded;
};

struct lfm_content {
    struct lfm_pool *pool;
    const char *title;
    struct lfm_block *blocks;
    size_t n_blocks, capacity;
};

void lfm_content_heading(struct lfm_content *content, const char *id, const char *text);
void lfm_content_lead(struct lfm_content *content, const char *text);
void lfm_content_paragraph(struct lfm_content *content, const char *text);
void lfm_content_definition(struct lfm_content *content, const char *term, const char *text);
void lfm_content_command(struct lfm_content *content, const char *command);
/* A table without rows is left out. */
void lfm_content_table(struct lfm_content *content, struct lfm_table *table, bool folded);
/* A plot without points is left out. `title` names the figure, `caption` says what one sees. */
void lfm_content_figure(struct lfm_content *content, struct lfm_plot *plot, const struct lfm_source *source,
                        const char *title, const char *caption);

/* The page, complete in itself, and its Markdown twin. Both link data/ and plots/ beside them. */
void lfm_page_html(struct lfm_writer *out, const struct lfm_content *content);
void lfm_page_markdown(struct lfm_writer *out, const struct lfm_content *content);

#endif
