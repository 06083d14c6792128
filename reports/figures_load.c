/* Experts under load: what `routing --load` made of a trace, for batches, devices and caches. */
#include "reports/figures.h"

#include <math.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof *(array))

/* Series that stand for no model have the colours of this page alone. */
static const char grey[] = "#7f868f", blue[] = "#2f7ed8", orange[] = "#d0661a", green[] = "#2a9a5c",
                  violet[] = "#9a63d3";

typedef void (*trace_function)(struct lfm_content *content, const struct lfm_document *document,
                               const struct lfm_under_load *load, size_t n);

static void for_each_trace(struct lfm_content *content, const struct lfm_documents *documents, trace_function add)
{
    size_t n = 0;
    for (size_t d = 0; d < documents->count; d++)
        for (size_t i = 0; i < documents->items[d].n_under_loads; i++)
            add(content, &documents->items[d], &documents->items[d].under_loads[i], ++n);
}

/* What the tokens of a step are, for captions. */
static const char *steps_of(struct lfm_pool *pool, const struct lfm_document *document)
{
    static const char *const words[][2] = {
        {"sequences", "tokens of as many sequences decoded together"},
        {"document", "tokens of as many sequences of one document"},
        {"tokens", "independent tokens"},
        {"consecutive", "consecutive tokens of one document"},
    };
    const char *text = "tokens";
    for (size_t i = 0; i < COUNT(words); i++)
        if (strcmp(document->draw, words[i][0]) == 0) text = words[i][1];
    return lfm_pool_printf(pool, "%s; bars are the 5 %% and 95 %% quantiles over %s runs of %s steps", text,
                           lfm_number_text(pool, document->resamples, LFM_NUMBER_COUNT),
                           lfm_number_text(pool, document->steps, LFM_NUMBER_COUNT));
}

/* Where the decisions come from, which is in the trace and not in the result file. */
static const char *data_of(struct lfm_pool *pool, const struct lfm_under_load *load)
{
    return lfm_pool_printf(pool, "Decisions: /layers/NN/router/selected of %s, %s tokens of %s documents.", load->file,
                           lfm_number_text(pool, load->tokens, LFM_NUMBER_COUNT),
                           lfm_number_text(pool, load->documents, LFM_NUMBER_COUNT));
}

/* --- batches --- */

static struct lfm_plot *batch_plot(struct lfm_pool *pool, const struct lfm_under_load *load, size_t n)
{
    struct lfm_plot *plot = lfm_plot_new(pool, lfm_figure_id(pool, "load-batches", n), LFM_PLOT_LINES);
    if (!plot) return NULL;
    plot->x_scale = LFM_SCALE_DOUBLING;
    plot->x_title = "tokens per step";
    plot->y_title = "distinct experts per layer";
    plot->x_key = "batch";
    plot->y_key = "distinct_experts";
    plot->intervals = true;
    lfm_plot_series(plot, "even routing", grey);
    for (size_t i = 0; i < load->n_batches; i++)
        lfm_plot_interval(plot, load->batches[i].batch, load->batches[i].uniform, NAN, NAN);
    lfm_plot_series(plot, "own load, independent", orange);
    for (size_t i = 0; i < load->n_batches; i++)
        lfm_plot_interval(plot, load->batches[i].batch, load->batches[i].own_load, NAN, NAN);
    lfm_plot_series(plot, "trace", blue);
    for (size_t i = 0; i < load->n_batches; i++) {
        const struct lfm_band *distinct = &load->batches[i].distinct;
        lfm_plot_interval(plot, load->batches[i].batch, distinct->mean, distinct->low, distinct->high);
    }
    return plot;
}

static void batch_table(struct lfm_content *content, const struct lfm_document *document,
                        const struct lfm_under_load *load, size_t n)
{
    static const struct lfm_column columns[] = {
        {"batch", "Tokens per step", true},
        {"distinct_experts", "Distinct experts", true},
        {"distinct_experts_uniform", "Even routing", true},
        {"distinct_experts_own_load", "Own load", true},
        {"worst_layer", "Most in layer", true},
        {"expert_bytes_per_token", "Experts read per token", true},
        {"bytes_per_token", "With all weights", true},
    };
    struct lfm_table *table = lfm_table_new(
        content->pool, lfm_figure_id(content->pool, "load-batch-rows", n),
        lfm_pool_printf(
            content->pool,
            "Distinct experts of a layer in a step of %s, and what a token then reads, at %s bits per weight.",
            load->label, lfm_number_text(content->pool, load->bits_per_weight, LFM_NUMBER_FIXED2)),
        &document->source, columns, COUNT(columns));
    for (size_t i = 0; i < load->n_batches; i++) {
        const struct lfm_load_batch *row = &load->batches[i];
        lfm_table_number(table, row->batch, LFM_NUMBER_COUNT);
        lfm_table_interval(table, row->distinct.mean, row->distinct.low, row->distinct.high, LFM_NUMBER_FIXED2);
        lfm_table_number(table, row->uniform, LFM_NUMBER_FIXED2);
        lfm_table_number(table, row->own_load, LFM_NUMBER_FIXED2);
        lfm_table_number(table, row->worst_layer, LFM_NUMBER_COUNT);
        lfm_table_number(table, row->expert_bytes_per_token, LFM_NUMBER_BYTES);
        lfm_table_number(table, row->bytes_per_token, LFM_NUMBER_BYTES);
    }
    lfm_content_table(content, table, true);
}

static void add_batches(struct lfm_content *content, const struct lfm_document *document,
                        const struct lfm_under_load *load, size_t n)
{
    struct lfm_pool *pool = content->pool;
    struct lfm_plot *plot = batch_plot(pool, load, n);
    if (!lfm_plot_has_data(plot)) return;
    lfm_content_figure(
        content, plot, &document->source, lfm_pool_printf(pool, "Distinct experts by batch size, %s", load->label),
        lfm_pool_printf(pool,
                        "How many of the %s experts of a layer a step reads, mean over layers: %s. Even routing would "
                        "read E (1 - (1 - K/E)^B), and independent tokens with each layer's own load the other curve, "
                        "which the trace's hides where both are the same. %s",
                        lfm_number_text(pool, load->experts, LFM_NUMBER_COUNT), steps_of(pool, document),
                        data_of(pool, load)));
    batch_table(content, document, load, n);
}

void lfm_figure_load_batches(struct lfm_content *content, const struct lfm_documents *documents)
{
    for_each_trace(content, documents, add_batches);
}

/* --- devices --- */

static double largest_batch(const struct lfm_under_load *load)
{
    double largest = NAN;
    for (size_t i = 0; i < load->n_placements; i++)
        if (!(load->placements[i].batch <= largest)) largest = load->placements[i].batch;
    return largest;
}

static const char *placement_title(const char *placement)
{
    if (strcmp(placement, "contiguous") == 0) return "blocks of neighbours";
    if (strcmp(placement, "round_robin") == 0) return "round robin";
    return strcmp(placement, "balanced") == 0 ? "balanced by load" : placement;
}

/* Rows of the plot: numbers of devices, in the order in which they first appear. */
static size_t row_of(struct lfm_plot *plot, const char *name)
{
    size_t row = 0;
    while (row < plot->n_rows && strcmp(plot->rows[row], name) != 0) row++;
    if (row == plot->n_rows) plot->rows[plot->n_rows++] = name;
    return row;
}

static const char *devices_of(struct lfm_pool *pool, const struct lfm_load_placement *row)
{
    return lfm_pool_printf(pool, "%s devices", lfm_number_text(pool, row->devices, LFM_NUMBER_COUNT));
}

/* `placement` NULL: what even routing gives, which every row has. */
static void device_series(struct lfm_plot *plot, struct lfm_pool *pool, const struct lfm_under_load *load,
                          const char *placement, const char *color)
{
    double batch = largest_batch(load);
    lfm_plot_series(plot, placement ? placement_title(placement) : "even routing", color);
    for (size_t i = 0; i < load->n_placements; i++) {
        const struct lfm_load_placement *row = &load->placements[i];
        const char *wanted = placement ? placement : "contiguous";
        if (row->batch != batch || strcmp(row->placement, wanted) != 0) continue;
        double y = (double)row_of(plot, devices_of(pool, row));
        if (placement) lfm_plot_interval(plot, row->straggler.mean, y, row->straggler.low, row->straggler.high);
        else lfm_plot_interval(plot, row->even, y, NAN, NAN);
    }
}

static struct lfm_plot *device_plot(struct lfm_pool *pool, const struct lfm_under_load *load, size_t n)
{
    struct lfm_plot *plot = lfm_plot_new(pool, lfm_figure_id(pool, "load-devices", n), LFM_PLOT_DOTS);
    const char **rows = lfm_pool_alloc(pool, load->n_placements, sizeof *rows);
    if (!plot || !rows) return NULL;
    plot->x_title = "straggler factor";
    plot->x_key = "straggler";
    plot->y_key = "devices";
    plot->intervals = true;
    plot->rows = rows;
    plot->reference_line = 1;
    device_series(plot, pool, load, "contiguous", orange);
    device_series(plot, pool, load, "round_robin", green);
    device_series(plot, pool, load, "balanced", blue);
    device_series(plot, pool, load, NULL, grey);
    return plot;
}

static void placement_table(struct lfm_content *content, const struct lfm_document *document,
                            const struct lfm_under_load *load, size_t n)
{
    static const struct lfm_column columns[] = {
        {"devices", "Devices", true},         {"placement", "Placement", false},
        {"batch", "Tokens per step", true},   {"straggler", "Straggler factor", true},
        {"straggler_p95", "95 % of steps below", true}, {"straggler_even", "Even routing", true},
        {"worst_layer", "Worst layer", true}, {"worst_layer_value", "There", true},
    };
    struct lfm_table *table = lfm_table_new(
        content->pool, lfm_figure_id(content->pool, "load-placements", n),
        lfm_pool_printf(content->pool, "Straggler factors of %s: the busiest device over the mean of all.",
                        load->label),
        &document->source, columns, COUNT(columns));
    for (size_t i = 0; i < load->n_placements; i++) {
        const struct lfm_load_placement *row = &load->placements[i];
        lfm_table_number(table, row->devices, LFM_NUMBER_COUNT);
        lfm_table_text(table, placement_title(row->placement));
        lfm_table_number(table, row->batch, LFM_NUMBER_COUNT);
        lfm_table_interval(table, row->straggler.mean, row->straggler.low, row->straggler.high, LFM_NUMBER_FIXED2);
        lfm_table_number(table, row->p95, LFM_NUMBER_FIXED2);
        lfm_table_number(table, row->even, LFM_NUMBER_FIXED2);
        lfm_table_number(table, row->worst_layer, LFM_NUMBER_COUNT);
        lfm_table_number(table, row->worst, LFM_NUMBER_FIXED2);
    }
    lfm_content_table(content, table, true);
}

static void drop_table(struct lfm_content *content, const struct lfm_document *document,
                       const struct lfm_under_load *load, size_t n)
{
    static const struct lfm_column columns[] = {
        {"capacity_factor", "Capacity factor", true}, {"batch", "Tokens per step", true},
        {"capacity", "Choices per expert", true},     {"dropped", "Dropped", true},
        {"dropped_even", "Even routing", true},       {"worst_layer", "Worst layer", true},
        {"worst_layer_value", "There", true},
    };
    struct lfm_table *table = lfm_table_new(
        content->pool, lfm_figure_id(content->pool, "load-dropped", n),
        lfm_pool_printf(content->pool, "Choices of %s beyond what an expert takes in a step.", load->label),
        &document->source, columns, COUNT(columns));
    for (size_t i = 0; i < load->n_drops; i++) {
        const struct lfm_load_drop *row = &load->drops[i];
        lfm_table_number(table, row->factor, LFM_NUMBER_FIXED2);
        lfm_table_number(table, row->batch, LFM_NUMBER_COUNT);
        lfm_table_number(table, row->capacity, LFM_NUMBER_COUNT);
        lfm_table_interval(table, row->dropped.mean, row->dropped.low, row->dropped.high, LFM_NUMBER_PERCENT);
        lfm_table_number(table, row->even, LFM_NUMBER_PERCENT);
        lfm_table_number(table, row->worst_layer, LFM_NUMBER_COUNT);
        lfm_table_number(table, row->worst, LFM_NUMBER_PERCENT);
    }
    lfm_content_table(content, table, true);
}

static void add_devices(struct lfm_content *content, const struct lfm_document *document,
                        const struct lfm_under_load *load, size_t n)
{
    struct lfm_pool *pool = content->pool;
    struct lfm_plot *plot = device_plot(pool, load, n);
    if (lfm_plot_has_data(plot))
        lfm_content_figure(
            content, plot, &document->source, lfm_pool_printf(pool, "Straggler factor by devices, %s", load->label),
            lfm_pool_printf(
                pool,
                "Choices that fall on the busiest of the devices that share the experts of a layer, over the "
                "mean of all, at %s tokens per step, mean over layers: %s. 1 is an even load; even routing "
                "is above it as far as chance is. Balanced placement is fitted on the same trace. %s",
                lfm_number_text(pool, largest_batch(load), LFM_NUMBER_COUNT), steps_of(pool, document),
                data_of(pool, load)));
    placement_table(content, document, load, n);
    drop_table(content, document, load, n);
}

void lfm_figure_load_devices(struct lfm_content *content, const struct lfm_documents *documents)
{
    for_each_trace(content, documents, add_devices);
}

/* --- caches --- */

static struct lfm_plot *cache_plot(struct lfm_pool *pool, const struct lfm_under_load *load, size_t n)
{
    struct lfm_plot *plot = lfm_plot_new(pool, lfm_figure_id(pool, "load-caches", n), LFM_PLOT_LINES);
    if (!plot) return NULL;
    plot->x_title = "experts per layer in the cache";
    plot->y_title = "hit rate, %";
    plot->x_key = "size";
    plot->y_key = "hit_rate_percent";
    plot->y_most = 100;
    lfm_plot_series(plot, "Belady's optimum", grey);
    for (size_t i = 0; i < load->n_caches; i++)
        lfm_plot_point(plot, load->caches[i].size, 100 * load->caches[i].belady, NAN);
    lfm_plot_series(plot, "hottest, fitted here", violet);
    for (size_t i = 0; i < load->n_caches; i++)
        lfm_plot_point(plot, load->caches[i].size, 100 * load->caches[i].hottest, NAN);
    lfm_plot_series(plot, "LFU", orange);
    for (size_t i = 0; i < load->n_caches; i++)
        lfm_plot_point(plot, load->caches[i].size, 100 * load->caches[i].lfu, NAN);
    lfm_plot_series(plot, "LRU", blue);
    for (size_t i = 0; i < load->n_caches; i++)
        lfm_plot_point(plot, load->caches[i].size, 100 * load->caches[i].lru, NAN);
    return plot;
}

static void cache_table(struct lfm_content *content, const struct lfm_document *document,
                        const struct lfm_under_load *load, size_t n)
{
    static const struct lfm_column columns[] = {
        {"size", "Experts per layer", true},    {"lru", "LRU", true},
        {"lfu", "LFU", true},                   {"static", "Hottest", true},
        {"belady", "Belady", true},             {"coverage_held_out", "Hottest of the other half", true},
        {"lru_bytes", "Loaded per token, LRU", true}, {"lfu_bytes", "LFU", true},
        {"static_bytes", "Hottest", true},      {"belady_bytes", "Belady", true},
        {"worst_layer", "Worst layer, LRU", true}, {"worst_layer_value", "There", true},
    };
    struct lfm_table *table = lfm_table_new(
        content->pool, lfm_figure_id(content->pool, "load-cache-rows", n),
        lfm_pool_printf(content->pool, "Hit rates of expert caches over %s, and what is loaded for a token.",
                        load->label),
        &document->source, columns, COUNT(columns));
    for (size_t i = 0; i < load->n_caches; i++) {
        const struct lfm_load_cache *row = &load->caches[i];
        const double rates[] = {row->lru, row->lfu, row->hottest, row->belady, row->coverage_held_out};
        const double bytes[] = {row->lru_bytes, row->lfu_bytes, row->hottest_bytes, row->belady_bytes};
        lfm_table_number(table, row->size, LFM_NUMBER_COUNT);
        for (size_t j = 0; j < COUNT(rates); j++) lfm_table_number(table, rates[j], LFM_NUMBER_PERCENT);
        for (size_t j = 0; j < COUNT(bytes); j++) lfm_table_number(table, bytes[j], LFM_NUMBER_BYTES);
        lfm_table_number(table, row->worst_layer, LFM_NUMBER_COUNT);
        lfm_table_number(table, row->worst, LFM_NUMBER_PERCENT);
    }
    lfm_content_table(content, table, true);
}

static void add_caches(struct lfm_content *content, const struct lfm_document *document,
                       const struct lfm_under_load *load, size_t n)
{
    struct lfm_pool *pool = content->pool;
    struct lfm_plot *plot = cache_plot(pool, load, n);
    if (!lfm_plot_has_data(plot)) return;
    lfm_content_figure(
        content, plot, &document->source, lfm_pool_printf(pool, "Hit rate by cache size, %s", load->label),
        lfm_pool_printf(
            pool,
            "Of the %s experts that a token asks for in a layer, how many a cache of so many of the layer's %s "
            "holds, token by token, mean over layers. No policy can be above Belady's, which knows the future; "
            "the hottest are those of the same trace. %s",
            lfm_number_text(pool, load->top_k, LFM_NUMBER_COUNT),
            lfm_number_text(pool, load->experts, LFM_NUMBER_COUNT), data_of(pool, load)));
    cache_table(content, document, load, n);
}

void lfm_figure_load_caches(struct lfm_content *content, const struct lfm_documents *documents)
{
    for_each_trace(content, documents, add_caches);
}
