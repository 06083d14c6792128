/* The loss ledger: what changed routing and what arithmetic costs, over all, by label, by layer and by margin. */
#include "reports/figures.h"

#include <math.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof *(array))

/* The causes have colours of their own, whatever the candidate. */
static const char routing_color[] = "#2f7ed8", arithmetic_color[] = "#d0661a";

/* "16.3 %" */
static const char *share_text(struct lfm_pool *pool, struct lfm_measure share)
{
    return lfm_number_text(pool, share.value, LFM_NUMBER_SCORE);
}

static const char *whose(const struct lfm_account *account, size_t i)
{
    return i == 0 ? "reference" : account->label;
}

/* --- the whole loss --- */

static void cell_table(struct lfm_content *content, const struct lfm_document *document, size_t n)
{
    static const struct lfm_column columns[] = {
        {"weights", "Weights of", false},
        {"routing", "Experts chosen by", false},
        {"kld", "KLD, nats", true},
        {"perplexity", "Perplexity", true},
    };
    const struct lfm_account *account = &document->account;
    struct lfm_table *table = lfm_table_new(
        content->pool, lfm_figure_id(content->pool, "ledger-cells", n),
        lfm_pool_printf(content->pool, "The four runs: weights of either model under the routing of either. KLD is from the "
                                       "reference's own run; replayed: %s.",
                        account->replay),
        &document->source, columns, COUNT(columns));
    for (size_t w = 0; w < 2; w++)
        for (size_t r = 0; r < 2; r++) {
            lfm_table_text(table, whose(account, w));
            lfm_table_text(table, whose(account, r));
            if (account->kld[w][r].value == 0) lfm_table_number(table, 0, LFM_NUMBER_COUNT);
            else lfm_table_error(table, account->kld[w][r].value, account->kld[w][r].error, LFM_NUMBER_PLAIN);
            lfm_table_error(table, account->perplexity[w][r].value, account->perplexity[w][r].error, LFM_NUMBER_FIXED4);
        }
    lfm_content_table(content, table, false);
}

static const char *text_of(const struct lfm_split_loss *split)
{
    return split->label[0] ? split->label : "all text";
}

static void split_table(struct lfm_content *content, const struct lfm_document *document, size_t n)
{
    static const struct lfm_column columns[] = {
        {"text", "Text", false},
        {"loss", "Loss, nats", true},
        {"routing", "Routing", true},
        {"arithmetic", "Arithmetic", true},
        {"interaction", "Interaction", true},
        {"routing_share", "By routing", true},
    };
    struct lfm_table *table =
        lfm_table_new(content->pool, lfm_figure_id(content->pool, "ledger-split", n),
                      "The loss split between the two causes, with one standard error.", &document->source, columns,
                      COUNT(columns));
    for (size_t i = 0; i < document->account.n_splits; i++) {
        const struct lfm_split_loss *split = &document->account.splits[i];
        lfm_table_text(table, text_of(split));
        lfm_table_error(table, split->loss.value, split->loss.error, LFM_NUMBER_PLAIN);
        lfm_table_error(table, split->routing.value, split->routing.error, LFM_NUMBER_PLAIN);
        lfm_table_error(table, split->arithmetic.value, split->arithmetic.error, LFM_NUMBER_PLAIN);
        lfm_table_error(table, split->interaction.value, split->interaction.error, LFM_NUMBER_PLAIN);
        lfm_table_number(table, split->routing_share.value, LFM_NUMBER_SCORE);
    }
    lfm_content_table(content, table, false);
}

static struct lfm_plot *split_plot(struct lfm_pool *pool, const struct lfm_account *account, size_t n)
{
    struct lfm_plot *plot = lfm_plot_new(pool, lfm_figure_id(pool, "ledger", n), LFM_PLOT_DOTS);
    const char **rows = lfm_pool_alloc(pool, account->n_splits, sizeof *rows);
    if (!plot || !rows) return NULL;
    plot->x_title = "loss, nats";
    plot->x_key = "nats";
    plot->y_key = "text";
    plot->reference_line = 0;
    plot->rows = rows;
    for (; plot->n_rows < account->n_splits; plot->n_rows++) rows[plot->n_rows] = text_of(&account->splits[plot->n_rows]);
    lfm_plot_series(plot, "routing", routing_color);
    for (size_t i = 0; i < account->n_splits; i++)
        lfm_plot_point(plot, account->splits[i].routing.value, (double)i, account->splits[i].routing.error);
    lfm_plot_series(plot, "arithmetic", arithmetic_color);
    for (size_t i = 0; i < account->n_splits; i++)
        lfm_plot_point(plot, account->splits[i].arithmetic.value, (double)i, account->splits[i].arithmetic.error);
    return plot;
}

static const char *split_caption(struct lfm_pool *pool, const struct lfm_account *account)
{
    const struct lfm_split_loss *all = &account->splits[0];
    return lfm_pool_printf(pool,
                           "Of the %s nats that %s loses, %s are experts chosen differently (routing) and %s experts "
                           "computed differently (arithmetic); %s of %s router decisions changed. Bars are one standard error.",
                           lfm_number_text(pool, all->loss.value, LFM_NUMBER_PLAIN), account->label,
                           share_text(pool, all->routing_share), share_text(pool, all->arithmetic_share),
                           lfm_number_text(pool, account->changed, LFM_NUMBER_COUNT),
                           lfm_number_text(pool, account->decisions, LFM_NUMBER_COUNT));
}

void lfm_figure_ledger(struct lfm_content *content, const struct lfm_documents *documents)
{
    size_t n = 0;
    for (size_t i = 0; i < documents->count; i++) {
        const struct lfm_document *document = &documents->items[i];
        if (document->kind != LFM_DOCUMENT_LEDGER) continue;
        struct lfm_plot *plot = split_plot(content->pool, &document->account, ++n);
        if (!plot) continue;
        lfm_content_figure(content, plot, &document->source,
                           lfm_pool_printf(content->pool, "What the loss of %s is made of", document->account.label),
                           split_caption(content->pool, &document->account));
        cell_table(content, document, n);
        split_table(content, document, n);
    }
}

/* --- by layer, by margin --- */

/* "3 conv", "0.01 to 0.03". */
static const char *entry_text(struct lfm_pool *pool, const struct lfm_ledger_entry *entry, bool layers)
{
    if (layers) return lfm_pool_printf(pool, "%zu %s", entry->layer, entry->operation);
    return isnan(entry->high) ? lfm_pool_printf(pool, "%g and more", entry->low)
                              : lfm_pool_printf(pool, "%g to %g", entry->low, entry->high);
}

static void entry_table(struct lfm_content *content, const struct lfm_document *document, const char *id, bool layers)
{
    static const struct lfm_column columns[2][7] = {
        {{"margin", "Margin", false}, {"decisions", "Decisions", true}, {"changed", "Changed", true}, {"adds", "Adds, nats", true},
         {"repairs", "Repairs, nats", true}, {"routing", "Routing, nats", true}, {"share", "Of the loss", true}},
        {{"layer", "Layer", false}, {"decisions", "Decisions", true}, {"changed", "Changed", true}, {"adds", "Adds, nats", true},
         {"repairs", "Repairs, nats", true}, {"routing", "Routing, nats", true}, {"share", "Of the loss", true}},
    };
    struct lfm_pool *pool = content->pool;
    const struct lfm_account *account = &document->account;
    const struct lfm_ledger_entry *entries = layers ? account->layers : account->margins;
    struct lfm_measure remainder = layers ? account->layers_remainder : account->margins_remainder;
    const char *left = isnan(remainder.value)
                           ? ""
                           : lfm_pool_printf(pool, " Beyond what each does alone, together they make %s nats of routing.",
                                             lfm_number_with_error(pool, remainder.value, remainder.error, LFM_NUMBER_PLAIN));
    struct lfm_table *table = lfm_table_new(
        pool, id,
        lfm_pool_printf(pool, "Adds: KLD of the reference with the candidate's choices there and nowhere else. Repairs: KLD that "
                              "goes when the candidate takes the reference's choices there. Routing: their mean.%s", left),
        &document->source, columns[layers], COUNT(columns[0]));
    for (size_t i = 0; i < (layers ? account->n_layers : account->n_margins); i++) {
        const struct lfm_ledger_entry *entry = &entries[i];
        lfm_table_text(table, entry_text(pool, entry, layers));
        lfm_table_number(table, entry->decisions, LFM_NUMBER_COUNT);
        lfm_table_number(table, entry->changed / entry->decisions, LFM_NUMBER_PERCENT);
        lfm_table_number(table, entry->ref_cand.value, LFM_NUMBER_PLAIN);
        lfm_table_number(table, account->kld[1][1].value - entry->cand_ref.value, LFM_NUMBER_PLAIN);
        lfm_table_error(table, entry->routing.value, entry->routing.error, LFM_NUMBER_PLAIN);
        lfm_table_number(table, entry->share.value, LFM_NUMBER_SCORE);
    }
    lfm_content_table(content, table, true);
}

/* The entry with the largest part of the routing; NULL when none has any. */
static const struct lfm_ledger_entry *largest(const struct lfm_ledger_entry *entries, size_t n)
{
    const struct lfm_ledger_entry *best = NULL;
    for (size_t i = 0; i < n; i++)
        if (entries[i].routing.value > (best ? best->routing.value : 0)) best = &entries[i];
    return best;
}

/* One row for each entry: what its routing costs. */
static struct lfm_plot *entry_plot(struct lfm_pool *pool, const struct lfm_account *account, const char *id, bool layers)
{
    const struct lfm_ledger_entry *entries = layers ? account->layers : account->margins;
    size_t n = layers ? account->n_layers : account->n_margins;
    struct lfm_plot *plot = lfm_plot_new(pool, id, LFM_PLOT_DOTS);
    const char **rows = lfm_pool_alloc(pool, n, sizeof *rows);
    if (!plot || !rows) return NULL;
    plot->x_title = "loss by its routing, nats";
    plot->x_key = "routing_nats";
    plot->y_key = layers ? "layer" : "margin";
    plot->reference_line = 0;
    plot->rows = rows;
    lfm_plot_series(plot, account->label, account->color);
    for (size_t i = 0; i < n; i++) {
        rows[plot->n_rows++] = entry_text(pool, &entries[i], layers);
        lfm_plot_point(plot, entries[i].routing.value, (double)i, entries[i].routing.error);
    }
    return plot;
}

static void layer_figure(struct lfm_content *content, const struct lfm_document *document, size_t n)
{
    struct lfm_pool *pool = content->pool;
    const struct lfm_account *account = &document->account;
    const struct lfm_ledger_entry *most = largest(account->layers, account->n_layers);
    struct lfm_plot *plot = entry_plot(pool, account, lfm_figure_id(pool, "ledger-layers", n), true);
    if (!plot) return;
    const char *top = most ? lfm_pool_printf(pool, " Layer %zu has the largest part, %s of the whole loss.", most->layer,
                                             share_text(pool, most->share))
                           : "";
    lfm_content_figure(content, plot, &document->source,
                       lfm_pool_printf(pool, "Changed routing of %s by layer", account->label),
                       lfm_pool_printf(pool, "What the changed choices of one layer cost, all other choices being replayed.%s "
                                             "Bars are one standard error.", top));
    entry_table(content, document, lfm_figure_id(pool, "ledger-layers-table", n), true);
}

void lfm_figure_ledger_layers(struct lfm_content *content, const struct lfm_documents *documents)
{
    size_t n = 0;
    for (size_t i = 0; i < documents->count; i++)
        if (documents->items[i].account.n_layers > 0) layer_figure(content, &documents->items[i], ++n);
}

static void margin_figure(struct lfm_content *content, const struct lfm_document *document, size_t n)
{
    struct lfm_pool *pool = content->pool;
    const struct lfm_account *account = &document->account;
    const struct lfm_ledger_entry *most = largest(account->margins, account->n_margins);
    struct lfm_plot *plot = entry_plot(pool, account, lfm_figure_id(pool, "ledger-margins", n), false);
    if (!plot) return;
    const char *top = most ? lfm_pool_printf(pool, " Decisions with a margin of %s make the largest part, %s of the whole loss.",
                                             entry_text(pool, most, false), share_text(pool, most->share))
                           : "";
    lfm_content_figure(content, plot, &document->source,
                       lfm_pool_printf(pool, "Changed routing of %s by margin", account->label),
                       lfm_pool_printf(pool, "What changed choices cost by how narrowly the reference made them: the gap between "
                                             "the last expert chosen and the first that is not.%s Bars are one standard error.",
                                       top));
    entry_table(content, document, lfm_figure_id(pool, "ledger-margins-table", n), false);
}

void lfm_figure_ledger_margins(struct lfm_content *content, const struct lfm_documents *documents)
{
    size_t n = 0;
    for (size_t i = 0; i < documents->count; i++)
        if (documents->items[i].account.n_margins > 0) margin_figure(content, &documents->items[i], ++n);
}
