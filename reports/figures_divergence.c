/* Whose error it is: what modules get wrong by themselves and what they inherit; where traces part, and in which channels. */
#include "reports/figures.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof *(array))

/* --- injected and inherited --- */

/* A line through one figure of one module of every layer. Its colours are no format's: a plot shows one format. */
struct line {
    const char *module, *label, *color;
    bool in_all;
};

static const struct line lines[] = {
    {"operator", "operator, own", "#5b7f93", false},
    {"operator", "operator, in all", "#6a78d6", true},
    {"feed_forward", "feed-forward, own", "#6f8424", false},
    {"feed_forward", "feed-forward, in all", "#b0583f", true},
};

static void add_line(struct lfm_plot *plot, const struct lfm_candidate *candidate, const struct line *line)
{
    lfm_plot_series(plot, line->label, line->color);
    for (size_t i = 0; i < candidate->n_modules; i++) {
        const struct lfm_module_error *error = &candidate->modules[i];
        if (strcmp(error->module, line->module) == 0)
            lfm_plot_point(plot, (double)error->layer, line->in_all ? error->total : error->injected, NAN);
    }
}

/* The module that inherits most of its error; NULL when none has any. */
static const struct lfm_module_error *most_inherited(const struct lfm_candidate *candidate)
{
    const struct lfm_module_error *found = NULL;
    for (size_t i = 0; i < candidate->n_modules; i++) {
        const struct lfm_module_error *error = &candidate->modules[i];
        if (strcmp(error->module, "layer") == 0 || isnan(error->inherited) || !(error->total > 0)) continue;
        if (!found || error->inherited > found->inherited) found = error;
    }
    return found;
}

static double largest_rerouting(const struct lfm_candidate *candidate, bool in_all)
{
    double largest = NAN;
    for (size_t i = 0; i < candidate->n_modules; i++) {
        const struct lfm_module_error *error = &candidate->modules[i];
        double moved = 1 - (in_all ? error->same_total : error->same_injected);
        if (!isnan(moved) && !(moved <= largest)) largest = moved;
    }
    return largest;
}

static size_t attention_layers(struct lfm_pool *pool, const struct lfm_candidate *candidate, const double **out)
{
    double *layers = lfm_pool_alloc(pool, candidate->n_modules, sizeof *layers);
    size_t count = 0;
    for (size_t i = 0; layers && i < candidate->n_modules; i++)
        if (strcmp(candidate->modules[i].kind, "attention") == 0) layers[count++] = (double)candidate->modules[i].layer;
    *out = layers;
    return count;
}

static const char *injected_caption(struct lfm_pool *pool, const struct lfm_candidate *candidate)
{
    const struct lfm_module_error *most = most_inherited(candidate);
    const char *example = "", *routing = "";
    double own = largest_rerouting(candidate, false), all = largest_rerouting(candidate, true);
    if (most)
        example = lfm_pool_printf(pool, " The %s of layer %zu inherits most: %s of its own, %s in all.",
                                  strcmp(most->module, "operator") == 0 ? "operator" : "feed-forward", most->layer,
                                  lfm_number_text(pool, most->injected, LFM_NUMBER_PLAIN),
                                  lfm_number_text(pool, most->total, LFM_NUMBER_PLAIN));
    if (own == 0 && !isnan(all))
        routing = lfm_pool_printf(pool, " On the reference\xe2\x80\x99s input no router chooses other experts; in the "
                                  "candidate\xe2\x80\x99s own run a layer\xe2\x80\x99s router does for up to %s of the tokens.",
                                  lfm_number_text(pool, all, LFM_NUMBER_PERCENT));
    else if (!isnan(own) && !isnan(all))
        routing = lfm_pool_printf(pool, " On the reference\xe2\x80\x99s input a layer\xe2\x80\x99s router chooses other experts "
                                  "for at most %s of the tokens, in the candidate\xe2\x80\x99s own run for up to %s.",
                                  lfm_number_text(pool, own, LFM_NUMBER_PERCENT),
                                  lfm_number_text(pool, all, LFM_NUMBER_PERCENT));
    return lfm_pool_printf(pool, "Relative L2 error of what each module puts out when it is given the reference\xe2\x80\x99s input "
                           "(own), and in the candidate\xe2\x80\x99s own run (in all).%s%s Attention layers are shaded.", example,
                           routing);
}

static void module_table(struct lfm_content *content, const struct lfm_document *document, size_t n)
{
    static const struct lfm_column columns[] = {
        {"format", "Format", false},    {"layer", "Layer", true},          {"module", "Module", false},
        {"injected", "Own", true},      {"inherited", "Inherited", true},  {"propagated", "Propagated", true},
        {"total", "In all", true},      {"rerouted", "Rerouted", true},    {"rerouted_in_all", "in all", true},
    };
    struct lfm_pool *pool = content->pool;
    struct lfm_table *table = lfm_table_new(
        pool, lfm_figure_id(pool, "injected-modules", n),
        "Every module: its error on the reference\xe2\x80\x99s input, the rest of its error in the candidate\xe2\x80\x99s run, and "
        "what it makes of the error in its input; the share of tokens that its router sends to other experts, on the "
        "reference\xe2\x80\x99s input and in the candidate\xe2\x80\x99s run.",
        &document->source, columns, COUNT(columns));
    for (size_t c = 0; c < document->n_candidates; c++)
        for (size_t i = 0; i < document->candidates[c].n_modules; i++) {
            const struct lfm_module_error *error = &document->candidates[c].modules[i];
            lfm_table_mark(table, document->candidates[c].label, document->candidates[c].color);
            lfm_table_number(table, (double)error->layer, LFM_NUMBER_COUNT);
            lfm_table_text(table, error->kind[0] ? lfm_pool_printf(pool, "%s (%s)", error->module, error->kind) : error->module);
            lfm_table_number(table, error->injected, LFM_NUMBER_PLAIN);
            lfm_table_number(table, error->inherited, LFM_NUMBER_PLAIN);
            lfm_table_number(table, error->propagated, LFM_NUMBER_PLAIN);
            lfm_table_number(table, error->total, LFM_NUMBER_PLAIN);
            lfm_table_number(table, 1 - error->same_injected, LFM_NUMBER_PERCENT);
            lfm_table_number(table, 1 - error->same_total, LFM_NUMBER_PERCENT);
        }
    lfm_content_table(content, table, true);
}

static bool add_injected(struct lfm_content *content, const struct lfm_document *document,
                         const struct lfm_candidate *candidate, size_t n)
{
    struct lfm_pool *pool = content->pool;
    struct lfm_plot *plot = lfm_plot_new(pool, lfm_figure_id(pool, "injected", n), LFM_PLOT_LINES);
    if (!plot) return false;
    plot->y_scale = LFM_SCALE_LOG;
    plot->x_title = "layer";
    plot->y_title = "relative error of the output";
    plot->x_key = "layer";
    plot->y_key = "relative_l2";
    plot->n_bands = attention_layers(pool, candidate, &plot->bands);
    for (size_t i = 0; i < COUNT(lines); i++) add_line(plot, candidate, &lines[i]);
    lfm_content_figure(content, plot, &document->source,
                       lfm_pool_printf(pool, "Own and inherited errors, %s", candidate->label),
                       injected_caption(pool, candidate));
    return lfm_plot_has_data(plot);
}

void lfm_figure_injected(struct lfm_content *content, const struct lfm_documents *documents)
{
    size_t n = 0, tables = 0;
    for (size_t i = 0; i < documents->count; i++) {
        const struct lfm_document *document = &documents->items[i];
        bool any = false;
        for (size_t c = 0; c < document->n_candidates; c++) {
            if (document->candidates[c].n_modules == 0) continue;
            n += add_injected(content, document, &document->candidates[c], n + 1);
            any = true;
        }
        if (any) module_table(content, document, ++tables);
    }
}

/* --- where traces part --- */

static void parting_row(struct lfm_table *table, struct lfm_pool *pool, const struct lfm_candidate *candidate,
                        const char *order, const struct lfm_parting *parting)
{
    lfm_table_mark(table, candidate->label, candidate->color);
    lfm_table_text(table, order);
    if (!parting->present) {
        lfm_table_text(table, "none above");
        for (size_t i = 0; i < 5; i++) lfm_table_number(table, NAN, LFM_NUMBER_COUNT);
        lfm_table_text(table, candidate->file);
        return;
    }
    lfm_table_text(table, lfm_pool_printf(pool, "/layers/%02zu/%s", parting->layer, parting->point));
    lfm_table_number(table, parting->token, LFM_NUMBER_COUNT);
    lfm_table_number(table, parting->document, LFM_NUMBER_COUNT);
    lfm_table_number(table, parting->position, LFM_NUMBER_COUNT);
    lfm_table_number(table, parting->id, LFM_NUMBER_COUNT);
    lfm_table_number(table, parting->value, LFM_NUMBER_PLAIN);
    lfm_table_text(table, candidate->file);
}

static void add_partings(struct lfm_content *content, const struct lfm_document *document, size_t n)
{
    static const struct lfm_column columns[] = {
        {"format", "Format", false},    {"order", "First by", false},      {"dataset", "Dataset", false},
        {"token", "Token", true},       {"document", "Document", true},    {"position", "Position", true},
        {"id", "Id", true},             {"value", "Relative error", true}, {"file", "Trace", false},
    };
    struct lfm_pool *pool = content->pool;
    const char *caption = lfm_pool_printf(pool, "The first token whose vector has a relative L2 error above %g: in the order of the "
                                          "computation (layer, point, token) and in the order of the text.",
                                          document->tolerance);
    struct lfm_table *table =
        lfm_table_new(pool, lfm_figure_id(pool, "first-above", n), caption, &document->source, columns, COUNT(columns));
    for (size_t c = 0; c < document->n_candidates; c++) {
        const struct lfm_candidate *candidate = &document->candidates[c];
        parting_row(table, pool, candidate, "layer", &candidate->first);
        if (candidate->first.present) parting_row(table, pool, candidate, "token", &candidate->first_in_text);
    }
    lfm_content_table(content, table, false);
}

/* Documents that were made before tolerances were have nothing to show. */
void lfm_figure_first_above(struct lfm_content *content, const struct lfm_documents *documents)
{
    size_t n = 0;
    for (size_t i = 0; i < documents->count; i++)
        if (documents->items[i].kind == LFM_DOCUMENT_TRACES && !isnan(documents->items[i].tolerance))
            add_partings(content, &documents->items[i], ++n);
}

/* --- channels --- */

enum { OUTLIERS_SHOWN = 6 }; /* of each format and kind */

static int by_times_median(const void *left, const void *right)
{
    double a = ((const struct lfm_outlier *)left)->times_median, b = ((const struct lfm_outlier *)right)->times_median;
    if (isnan(a) || isnan(b)) return (int)isnan(b) - (int)isnan(a); /* infinite ones are null in the file */
    return a > b ? -1 : a < b;
}

static void outlier_rows(struct lfm_table *table, struct lfm_pool *pool, const struct lfm_candidate *candidate,
                         bool of_error)
{
    struct lfm_outlier *sorted = lfm_pool_alloc(pool, candidate->n_outliers, sizeof *sorted);
    size_t n = 0;
    for (size_t i = 0; sorted && i < candidate->n_outliers; i++)
        if (candidate->outliers[i].of_error == of_error) sorted[n++] = candidate->outliers[i];
    if (n > 0) qsort(sorted, n, sizeof *sorted, by_times_median);
    for (size_t i = 0; i < n && i < OUTLIERS_SHOWN; i++) {
        lfm_table_mark(table, candidate->label, candidate->color);
        lfm_table_text(table, of_error ? "error" : "reference");
        lfm_table_text(table, lfm_pool_printf(pool, "/layers/%02zu/%s", sorted[i].layer, sorted[i].point));
        lfm_table_number(table, sorted[i].channel, LFM_NUMBER_COUNT);
        lfm_table_number(table, sorted[i].rms, LFM_NUMBER_PLAIN);
        lfm_table_number(table, sorted[i].times_median, LFM_NUMBER_PLAIN);
        lfm_table_text(table, candidate->file);
    }
}

static const char *outlier_counts(struct lfm_pool *pool, const struct lfm_document *document)
{
    const char *counts = "";
    for (size_t c = 0; c < document->n_candidates; c++)
        counts = lfm_pool_printf(pool, "%s%s %s for %s", counts, c ? "," : "",
                                 lfm_number_text(pool, document->candidates[c].error_outliers, LFM_NUMBER_COUNT),
                                 document->candidates[c].label);
    return counts;
}

static void add_outliers(struct lfm_content *content, const struct lfm_document *document, size_t n)
{
    static const struct lfm_column columns[] = {
        {"format", "Format", false}, {"of", "RMS of the", false}, {"dataset", "Dataset", false}, {"channel", "Channel", true},
        {"rms", "RMS", true}, {"times_median", "Times the median", true}, {"file", "Trace", false},
    };
    struct lfm_pool *pool = content->pool;
    const char *caption = lfm_pool_printf(
        pool, "Channels that stand out most: their RMS over the tokens, of the error and of the reference\xe2\x80\x99s values, against "
        "the median of all channels at that point. Channels whose error is over %g times the median, at all points:%s.",
        document->outlier_multiple, outlier_counts(pool, document));
    struct lfm_table *table =
        lfm_table_new(pool, lfm_figure_id(pool, "channel-outliers", n), caption, &document->source, columns, COUNT(columns));
    for (size_t c = 0; c < document->n_candidates; c++) outlier_rows(table, pool, &document->candidates[c], true);
    /* The reference is one: its channels are the same beside every candidate. */
    if (document->n_candidates > 0) {
        struct lfm_candidate reference = document->candidates[0];
        reference.label = document->reference.label;
        reference.color = document->reference.color;
        reference.file = document->reference.file;
        outlier_rows(table, pool, &reference, false);
    }
    lfm_content_table(content, table, true);
}

void lfm_figure_channel_outliers(struct lfm_content *content, const struct lfm_documents *documents)
{
    size_t n = 0;
    for (size_t i = 0; i < documents->count; i++)
        if (documents->items[i].kind == LFM_DOCUMENT_TRACES && !isnan(documents->items[i].outlier_multiple))
            add_outliers(content, &documents->items[i], ++n);
}
