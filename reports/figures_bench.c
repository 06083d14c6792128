/* Speed: what `bench` measured, as rates with their ranges and as a share of the machine's bandwidth. */
#include "reports/figures.h"

#include <math.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof *(array))

/* "8 at once", "1 after 2,048": short, as the names beside a plot must be. */
static const char *setting_of(struct lfm_pool *pool, const struct lfm_speed *speed)
{
    const char *batch = lfm_number_text(pool, speed->batch, LFM_NUMBER_COUNT);
    if (speed->context > 0)
        return lfm_pool_printf(pool, "%s after %s", batch, lfm_number_text(pool, speed->context, LFM_NUMBER_COUNT));
    return speed->batch == 1 ? "1 alone" : lfm_pool_printf(pool, "%s at once", batch);
}

/* Rows of the plot: the settings, in the order in which they first appear. */
static size_t row_of(struct lfm_plot *plot, const char *setting)
{
    size_t row = 0;
    while (row < plot->n_rows && strcmp(plot->rows[row], setting) != 0) row++;
    if (row == plot->n_rows) plot->rows[plot->n_rows++] = setting;
    return row;
}

static bool first_of_label(const struct lfm_document *document, size_t i)
{
    for (size_t j = 0; j < i; j++)
        if (strcmp(document->speeds[j].label, document->speeds[i].label) == 0) return false;
    return true;
}

static struct lfm_plot *speed_plot(struct lfm_pool *pool, const struct lfm_document *document, size_t n)
{
    struct lfm_plot *plot = lfm_plot_new(pool, lfm_figure_id(pool, "bench", n), LFM_PLOT_DOTS);
    const char **rows = lfm_pool_alloc(pool, document->n_speeds, sizeof *rows);
    if (!plot || !rows) return NULL;
    plot->x_title = "decoded tokens per second";
    plot->x_key = "decode_tps";
    plot->y_key = "setting";
    plot->intervals = true;
    plot->rows = rows;
    for (size_t i = 0; i < document->n_speeds; i++) {
        if (!first_of_label(document, i)) continue;
        lfm_plot_series(plot, document->speeds[i].label, document->speeds[i].color);
        for (size_t j = i; j < document->n_speeds; j++) {
            const struct lfm_speed *speed = &document->speeds[j];
            if (strcmp(speed->label, document->speeds[i].label) != 0) continue;
            lfm_plot_interval(plot, speed->decode.median, (double)row_of(plot, setting_of(pool, speed)),
                              speed->decode.low, speed->decode.high);
        }
    }
    return plot;
}

static void speed_table(struct lfm_content *content, const struct lfm_document *document, size_t n)
{
    static const struct lfm_column columns[] = {
        {"format", "Weights", false},          {"activations", "Activations", false},
        {"kv", "Cache", false},                {"context", "Context", true},
        {"batch", "Batch", true},              {"prefill_tps", "Prefill, tokens/s", true},
        {"decode_tps", "Decode, tokens/s", true}, {"bytes_per_token", "Read per token", true},
        {"bandwidth_share", "Of the bandwidth", true}, {"distinct_experts", "Experts per layer", true},
    };
    struct lfm_pool *pool = content->pool;
    struct lfm_table *table = lfm_table_new(
        pool, lfm_figure_id(pool, "bench-rows", n),
        "Medians of the repeats, their ranges in brackets; what decoding one token must read, and the rate at which it "
        "reads as a share of what a plain loop reads on the same machine.", &document->source, columns, COUNT(columns));
    for (size_t i = 0; i < document->n_speeds; i++) {
        const struct lfm_speed *speed = &document->speeds[i];
        lfm_table_mark(table, lfm_format_title(pool, speed->format), speed->color);
        lfm_table_text(table, speed->activations);
        lfm_table_text(table, speed->kv);
        lfm_table_number(table, speed->context, LFM_NUMBER_COUNT);
        lfm_table_number(table, speed->batch, LFM_NUMBER_COUNT);
        lfm_table_interval(table, speed->prefill.median, speed->prefill.low, speed->prefill.high, LFM_NUMBER_PLAIN);
        lfm_table_interval(table, speed->decode.median, speed->decode.low, speed->decode.high, LFM_NUMBER_PLAIN);
        lfm_table_number(table, speed->bytes_per_token, LFM_NUMBER_BYTES);
        lfm_table_number(table, speed->bandwidth_share, LFM_NUMBER_SCORE);
        lfm_table_number(table, speed->distinct_experts, LFM_NUMBER_PLAIN);
    }
    lfm_content_table(content, table, false);
}

static const char *caption_of(struct lfm_pool *pool, const struct lfm_document *document)
{
    const char *cpu = document->cpu[0] ? lfm_pool_printf(pool, " (%s)", document->cpu) : "";
    const char *bandwidth =
        isnan(document->bandwidth.median)
            ? ""
            : lfm_pool_printf(pool, " The machine%s reads memory at %s a second.", cpu,
                              lfm_number_text(pool, document->bandwidth.median, LFM_NUMBER_BYTES));
    return lfm_pool_printf(pool,
                           "How many tokens a second come out, all sequences taken together, of so many sequences at once "
                           "after so many tokens: medians, with bars from the slowest to the fastest of %s repeats on %s "
                           "threads.%s%s",
                           lfm_number_text(pool, document->repeats, LFM_NUMBER_COUNT),
                           lfm_number_text(pool, document->threads, LFM_NUMBER_COUNT), bandwidth,
                           strchr(document->speeds[0].label, '/') ? " Names are weights/activations/cache." : "");
}

void lfm_figure_bench(struct lfm_content *content, const struct lfm_documents *documents)
{
    size_t n = 0;
    for (size_t i = 0; i < documents->count; i++) {
        const struct lfm_document *document = &documents->items[i];
        struct lfm_plot *plot =
            document->kind == LFM_DOCUMENT_BENCH ? speed_plot(content->pool, document, ++n) : NULL;
        if (!plot) continue;
        const char *title = document->model[0] ? lfm_pool_printf(content->pool, "Speed of %s", document->model) : "Speed";
        lfm_content_figure(content, plot, &document->source, title, caption_of(content->pool, document));
        speed_table(content, document, n);
    }
}
