/* Where the error arises and how it grows on its way through the layers. */
#include "reports/figures.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof *(array))

/* A candidate's residual error by layer: from compare's layers, or from a trace's points named "residual". */
static void add_residual(struct lfm_plot *plot, const struct lfm_candidate *candidate)
{
    lfm_plot_series(plot, candidate->label, candidate->color);
    for (size_t i = 0; i < candidate->n_points; i++)
        if (strcmp(candidate->points[i].point, "residual") == 0)
            lfm_plot_point(plot, (double)candidate->points[i].layer, candidate->points[i].relative_l2, NAN);
    if (candidate->n_points > 0) return;
    for (size_t i = 0; i < candidate->n_layers; i++)
        lfm_plot_point(plot, (double)candidate->layers[i].layer, candidate->layers[i].relative_l2, NAN);
}

/* The attention layers, where the document names the operators. */
static size_t attention_layers(struct lfm_pool *pool, const struct lfm_document *document, const double **out)
{
    const struct lfm_candidate *first = &document->candidates[0];
    double *layers = lfm_pool_alloc(pool, first->n_layers, sizeof *layers);
    size_t count = 0;
    for (size_t i = 0; layers && i < first->n_layers; i++)
        if (strcmp(first->layers[i].operation, "attention") == 0) layers[count++] = (double)first->layers[i].layer;
    *out = layers;
    return count;
}

static void layer_table(struct lfm_content *content, const struct lfm_document *document, size_t n)
{
    static const struct lfm_column columns[] = {
        {"format", "Format", false},    {"layer", "Layer", true},           {"operator", "Operator", false},
        {"relative_l2", "Relative error", true}, {"cosine", "Cosine", true}, {"sqnr_db", "SQNR, dB", true},
        {"router_overlap", "Router overlap", true}, {"exact_set", "Same experts", true},
    };
    struct lfm_pool *pool = content->pool;
    struct lfm_table *table = lfm_table_new(pool, lfm_figure_id(pool, "layers", n),
                                            "Every format after every layer: residual stream and router.",
                                            &document->source, columns, COUNT(columns));
    for (size_t i = 0; i < document->n_candidates; i++)
        for (size_t l = 0; l < document->candidates[i].n_layers; l++) {
            const struct lfm_layer_shift *layer = &document->candidates[i].layers[l];
            lfm_table_mark(table, document->candidates[i].label, document->candidates[i].color);
            lfm_table_number(table, (double)layer->layer, LFM_NUMBER_COUNT);
            lfm_table_text(table, layer->operation);
            lfm_table_number(table, layer->relative_l2, LFM_NUMBER_PLAIN);
            lfm_table_number(table, layer->cosine, LFM_NUMBER_FIXED6);
            lfm_table_number(table, layer->sqnr_db, LFM_NUMBER_FIXED2);
            lfm_table_number(table, layer->router.present ? layer->router.overlap : NAN, LFM_NUMBER_PERCENT);
            lfm_table_number(table, layer->router.present ? layer->router.exact_set : NAN, LFM_NUMBER_PERCENT);
        }
    lfm_content_table(content, table, true);
}

/* "Q4_0's error grows from 0.021 after layer 0 to 0.088 after layer 7." for the series that ends highest. */
static const char *growth(struct lfm_pool *pool, const struct lfm_plot *plot)
{
    const struct lfm_series *worst = NULL;
    for (size_t s = 0; s < plot->n_series; s++) {
        const struct lfm_series *series = &plot->series[s];
        if (series->count < 2) continue;
        if (!worst ||
            plot->points[series->first + series->count - 1].y > plot->points[worst->first + worst->count - 1].y)
            worst = series;
    }
    if (!worst) return "";
    const struct lfm_point *from = &plot->points[worst->first], *to = from + worst->count - 1;
    return lfm_pool_printf(pool, " For %s it goes from %s after layer %.0f to %s after layer %.0f.", worst->label,
                           lfm_number_text(pool, from->y, LFM_NUMBER_PLAIN), from->x,
                           lfm_number_text(pool, to->y, LFM_NUMBER_PLAIN), to->x);
}

static void add_growth(struct lfm_content *content, const struct lfm_document *document, size_t n)
{
    struct lfm_pool *pool = content->pool;
    struct lfm_plot *plot = lfm_plot_new(pool, lfm_figure_id(pool, "error-growth", n), LFM_PLOT_LINES);
    if (!plot) return;
    plot->y_scale = LFM_SCALE_LOG;
    plot->x_title = "layer";
    plot->y_title = "relative error of the residual";
    plot->x_key = "layer";
    plot->y_key = "relative_l2";
    plot->n_bands = attention_layers(pool, document, &plot->bands);
    for (size_t i = 0; i < document->n_candidates; i++) add_residual(plot, &document->candidates[i]);
    lfm_content_figure(content, plot, &document->source, "Error growth through the layers",
                       lfm_pool_printf(pool, "Relative L2 error of the residual stream after each layer.%s%s%s",
                                       growth(pool, plot), plot->n_bands ? " Attention layers are shaded." : "",
                                       document->kind == LFM_DOCUMENT_TRACES ? " From /layers/NN/residual of the traces." : ""));
    if (document->kind == LFM_DOCUMENT_COMPARE) layer_table(content, document, n);
}

/* Comparisons of models have the residual too; traces are used where no comparison has layers. */
void lfm_figure_error_growth(struct lfm_content *content, const struct lfm_documents *documents)
{
    size_t n = 0;
    for (size_t i = 0; i < documents->count; i++) {
        const struct lfm_document *document = &documents->items[i];
        if (document->kind == LFM_DOCUMENT_COMPARE && document->candidates[0].n_layers > 0)
            add_growth(content, document, ++n);
    }
    if (n > 0) return;
    for (size_t i = 0; i < documents->count; i++)
        if (documents->items[i].kind == LFM_DOCUMENT_TRACES) add_growth(content, &documents->items[i], ++n);
}

/* The place of a point in a layer's computation; points this list does not know follow it. */
static size_t rank_of(const char *point)
{
    static const char *const order[] = {"operator_norm", "B", "C", "x", "conv", "q", "k", "v", "attention", "operator",
                                        "ffn_norm", "router/logits", "router/weights", "feed_forward", "residual"};
    for (size_t i = 0; i < COUNT(order); i++)
        if (strcmp(order[i], point) == 0) return i;
    return COUNT(order);
}

static int by_rank(const void *left, const void *right)
{
    const char *a = *(const char *const *)left, *b = *(const char *const *)right;
    size_t rank_a = rank_of(a), rank_b = rank_of(b);
    if (rank_a != rank_b) return rank_a < rank_b ? -1 : 1;
    return strcmp(a, b);
}

static size_t point_names(const struct lfm_document *document, const char **names)
{
    size_t count = 0;
    for (size_t i = 0; i < document->n_candidates; i++)
        for (size_t p = 0; p < document->candidates[i].n_points; p++) {
            const char *name = document->candidates[i].points[p].point;
            size_t known = 0;
            while (known < count && strcmp(names[known], name) != 0) known++;
            if (known == count) names[count++] = name;
        }
    qsort(names, count, sizeof *names, by_rank);
    return count;
}

static int by_value(const void *left, const void *right)
{
    size_t a = *(const size_t *)left, b = *(const size_t *)right;
    return a < b ? -1 : a > b;
}

static size_t layer_numbers(const struct lfm_document *document, size_t *layers)
{
    size_t count = 0, kept = 0;
    for (size_t i = 0; i < document->n_candidates; i++)
        for (size_t p = 0; p < document->candidates[i].n_points; p++)
            layers[count++] = document->candidates[i].points[p].layer;
    qsort(layers, count, sizeof *layers, by_value);
    for (size_t i = 0; i < count; i++)
        if (kept == 0 || layers[kept - 1] != layers[i]) layers[kept++] = layers[i];
    return kept;
}

/* The axes that every candidate's map shares, and the range of its shades. */
struct map_axes {
    const char **points, **layer_names;
    size_t *layers;
    size_t n_points, n_layers;
    double low, high;
};

static bool map_axes(struct lfm_pool *pool, const struct lfm_document *document, struct map_axes *axes)
{
    size_t most = 0;
    for (size_t i = 0; i < document->n_candidates; i++) most += document->candidates[i].n_points;
    *axes = (struct map_axes){.points = lfm_pool_alloc(pool, most, sizeof *axes->points),
                              .layer_names = lfm_pool_alloc(pool, most, sizeof *axes->layer_names),
                              .layers = lfm_pool_alloc(pool, most, sizeof *axes->layers),
                              .low = NAN, .high = NAN};
    if (!axes->points || !axes->layer_names || !axes->layers) return false;
    axes->n_points = point_names(document, axes->points);
    axes->n_layers = layer_numbers(document, axes->layers);
    for (size_t i = 0; i < axes->n_layers; i++) axes->layer_names[i] = lfm_pool_printf(pool, "%zu", axes->layers[i]);
    for (size_t i = 0; i < document->n_candidates; i++)
        for (size_t p = 0; p < document->candidates[i].n_points; p++) {
            double value = document->candidates[i].points[p].relative_l2;
            if (!(value > 0)) continue;
            if (!(value >= axes->low)) axes->low = value;
            if (!(value <= axes->high)) axes->high = value;
        }
    return true;
}

static const struct lfm_point_shift *largest(const struct lfm_candidate *candidate)
{
    const struct lfm_point_shift *found = NULL;
    for (size_t p = 0; p < candidate->n_points; p++)
        if (!isnan(candidate->points[p].relative_l2) &&
            (!found || candidate->points[p].relative_l2 > found->relative_l2))
            found = &candidate->points[p];
    return found;
}

static const char *trace_name(const struct lfm_candidate *candidate)
{
    return candidate->file[0] ? candidate->file : candidate->label;
}

static void add_map(struct lfm_content *content, const struct lfm_document *document,
                    const struct lfm_candidate *candidate, const struct map_axes *axes, size_t n)
{
    struct lfm_pool *pool = content->pool;
    struct lfm_plot *plot = lfm_plot_new(pool, lfm_figure_id(pool, "error-points", n), LFM_PLOT_HEAT);
    const struct lfm_point_shift *worst = largest(candidate);
    if (!plot || !worst) return;
    plot->value_scale = LFM_SCALE_LOG;
    plot->x_title = "layer";
    plot->x_key = "layer";
    plot->y_key = "point";
    plot->value_key = "relative_l2";
    plot->rows = axes->points;
    plot->columns = axes->layer_names;
    plot->n_rows = axes->n_points;
    plot->n_columns = axes->n_layers;
    plot->value_low = axes->low;
    plot->value_high = axes->high;
    for (size_t p = 0; p < candidate->n_points; p++) {
        const struct lfm_point_shift *point = &candidate->points[p];
        size_t row = 0;
        while (row < axes->n_points && strcmp(axes->points[row], point->point) != 0) row++;
        const size_t *layer = bsearch(&point->layer, axes->layers, axes->n_layers, sizeof *axes->layers, by_value);
        lfm_plot_cell(plot, row, (size_t)(layer - axes->layers), point->relative_l2);
    }
    const char *title = lfm_pool_printf(pool, "Error at every point of every layer, %s", candidate->label);
    const char *error = lfm_number_text(pool, worst->relative_l2, LFM_NUMBER_PLAIN);
    const char *caption =
        lfm_pool_printf(pool, "Relative L2 error of what each module puts out, in the order of the computation. The "
                              "largest is %s, at %s of layer %zu. Shades are the same for all formats, in powers of "
                              "ten. From /layers/NN/<point> of %s and %s.", error, worst->point, worst->layer,
                        trace_name(&document->reference), trace_name(candidate));
    lfm_content_figure(content, plot, &document->source, title, caption);
}

void lfm_figure_error_points(struct lfm_content *content, const struct lfm_documents *documents)
{
    size_t n = 0;
    for (size_t i = 0; i < documents->count; i++) {
        const struct lfm_document *document = &documents->items[i];
        struct map_axes axes;
        if (document->kind != LFM_DOCUMENT_TRACES || !map_axes(content->pool, document, &axes)) continue;
        for (size_t c = 0; c < document->n_candidates; c++)
            if (document->candidates[c].n_points > 0) add_map(content, document, &document->candidates[c], &axes, ++n);
    }
}
