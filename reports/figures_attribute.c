/* Where a loss comes from: what `attribute` measured, part by part. */
#include "reports/figures.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof *(array))

enum { MOST_DRAWN = 24, MOST_LISTED = 60 };

typedef const struct lfm_part_loss *part;

static int by_loss(const void *a, const void *b)
{
    part x = *(const part *)a, y = *(const part *)b;
    if (x->kld.value != y->kld.value) return x->kld.value < y->kld.value ? 1 : -1;
    return x < y ? -1 : x > y;
}

/* The parts, those that cost most first; layers in their order. */
static part *ordered(struct lfm_pool *pool, const struct lfm_attributed *attributed)
{
    part *parts = lfm_pool_alloc(pool, attributed->n_parts, sizeof *parts);
    for (size_t i = 0; parts && i < attributed->n_parts; i++) parts[i] = &attributed->parts[i];
    if (parts && strcmp(attributed->by, "layer") != 0) qsort(parts, attributed->n_parts, sizeof *parts, by_loss);
    return parts;
}

static struct lfm_plot *part_plot(struct lfm_pool *pool, const struct lfm_attributed *attributed, const part *parts, size_t n)
{
    struct lfm_plot *plot = lfm_plot_new(pool, lfm_figure_id(pool, "attribute", n), LFM_PLOT_DOTS);
    size_t drawn = attributed->n_parts < MOST_DRAWN ? attributed->n_parts : MOST_DRAWN;
    const char **rows = lfm_pool_alloc(pool, drawn, sizeof *rows);
    if (!plot || !rows) return NULL;
    plot->x_title = "mean KLD, nats";
    plot->x_key = "kld_mean";
    plot->y_key = "part";
    plot->rows = rows;
    plot->n_rows = drawn;
    lfm_plot_series(plot, attributed->label, attributed->color);
    for (size_t i = 0; i < drawn; i++) {
        rows[i] = lfm_shorten(pool, parts[i]->name, 34);
        lfm_plot_point(plot, parts[i]->kld.value, (double)i, parts[i]->kld.error);
    }
    return plot;
}

static void part_row(struct lfm_table *table, part row, const char *name)
{
    lfm_table_text(table, name);
    lfm_table_number(table, row->parameters, LFM_NUMBER_COUNT);
    lfm_table_number(table, row->bytes_saved, LFM_NUMBER_BYTES);
    lfm_table_error(table, row->kld.value, row->kld.error, LFM_NUMBER_PLAIN);
    lfm_table_number(table, row->share, LFM_NUMBER_PERCENT);
    lfm_table_number(table, row->kld_per_mib, LFM_NUMBER_PLAIN);
    lfm_table_number(table, row->top1_agreement, LFM_NUMBER_PERCENT);
}

static void part_table(struct lfm_content *content, const struct lfm_document *document, const part *parts, size_t n)
{
    static const struct lfm_column columns[] = {
        {"part", "Part", false},      {"parameters", "Parameters", true}, {"bytes_saved", "Saves", true},
        {"kld", "KLD mean, nats", true}, {"share", "Of the sum", true},   {"kld_per_mib", "KLD per MiB", true},
        {"top1_agreement", "Top-1 agreement", true},
    };
    struct lfm_pool *pool = content->pool;
    const struct lfm_attributed *attributed = &document->attributed;
    const char *left_out = attributed->n_parts > MOST_LISTED
                               ? lfm_pool_printf(pool, " %zu more parts are in the result file.", attributed->n_parts - MOST_LISTED)
                               : "";
    const char *caption = lfm_pool_printf(
        pool, "%s with one part at a time in %s, by %s; \xc2\xb1 is one standard error. The parts add up to %s nats, all of "
              "them together cost %s.%s", document->model, attributed->label, attributed->by,
        lfm_number_text(pool, attributed->parts_kld, LFM_NUMBER_PLAIN),
        lfm_number_text(pool, attributed->whole.kld.value, LFM_NUMBER_PLAIN), left_out);
    struct lfm_table *table =
        lfm_table_new(pool, lfm_figure_id(pool, "attribute-parts", n), caption, &document->source, columns, COUNT(columns));
    for (size_t i = 0; i < attributed->n_parts && i < MOST_LISTED; i++) part_row(table, parts[i], parts[i]->name);
    part_row(table, &attributed->whole, "whole");
    lfm_content_table(content, table, false);
}

static const char *caption_of(struct lfm_pool *pool, const struct lfm_attributed *attributed, part costliest)
{
    const char *most = attributed->n_parts > MOST_DRAWN
                           ? lfm_pool_printf(pool, " Of %zu parts the %d that cost most are drawn.", attributed->n_parts, MOST_DRAWN)
                           : "";
    return lfm_pool_printf(pool,
                           "What %s costs where one part of the matrices alone is in it and all others are as stored, with one "
                           "standard error. Most comes from %s: %s of the sum of the parts.%s",
                           attributed->label, costliest->name,
                           lfm_number_text(pool, costliest->share, LFM_NUMBER_PERCENT), most);
}

static part costliest_of(const struct lfm_attributed *attributed)
{
    part found = &attributed->parts[0];
    for (size_t i = 1; i < attributed->n_parts; i++)
        if (attributed->parts[i].kld.value > found->kld.value) found = &attributed->parts[i];
    return found;
}

void lfm_figure_attribute(struct lfm_content *content, const struct lfm_documents *documents)
{
    size_t n = 0;
    for (size_t i = 0; i < documents->count; i++) {
        const struct lfm_document *document = &documents->items[i];
        if (document->kind != LFM_DOCUMENT_ATTRIBUTION) continue;
        const struct lfm_attributed *attributed = &document->attributed;
        const part *parts = ordered(content->pool, attributed);
        struct lfm_plot *plot = parts ? part_plot(content->pool, attributed, parts, ++n) : NULL;
        if (!plot) continue;
        lfm_content_figure(content, plot, &document->source,
                           lfm_pool_printf(content->pool, "Where the loss of %s comes from, by %s", attributed->label, attributed->by),
                           caption_of(content->pool, attributed, costliest_of(attributed)));
        part_table(content, document, parts, n);
    }
}
