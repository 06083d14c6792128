/* The routers: which decisions stay, who is busy, how even the load is. */
#include "reports/figures.h"

#include <math.h>

#define COUNT(array) (sizeof(array) / sizeof *(array))

static bool has_routers(const struct lfm_layer_shift *layers, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (layers[i].router.present && !isnan(layers[i].router.overlap)) return true;
    return false;
}

static void overlap_series(struct lfm_plot *plot, const char *label, const char *color,
                           const struct lfm_layer_shift *layers, size_t count)
{
    if (!has_routers(layers, count)) return;
    lfm_plot_series(plot, label, color);
    for (size_t i = 0; i < count; i++)
        if (layers[i].router.present)
            lfm_plot_point(plot, (double)layers[i].layer, 100 * layers[i].router.overlap, NAN);
}

static const struct lfm_document *with_routers(const struct lfm_documents *documents)
{
    for (size_t d = 0; d < documents->count; d++) {
        const struct lfm_document *document = &documents->items[d];
        for (size_t i = 0; i < document->n_candidates; i++)
            if (has_routers(document->candidates[i].layers, document->candidates[i].n_layers)) return document;
    }
    for (size_t d = 0; d < documents->count; d++)
        for (size_t i = 0; i < documents->items[d].n_pairs; i++)
            if (has_routers(documents->items[d].pairs[i].layers, documents->items[d].pairs[i].n_layers))
                return &documents->items[d];
    return NULL;
}

static const char *lowest(struct lfm_pool *pool, const struct lfm_plot *plot)
{
    const struct lfm_point *found = NULL;
    const char *label = "";
    for (size_t s = 0; s < plot->n_series; s++)
        for (size_t i = 0; i < plot->series[s].count; i++) {
            const struct lfm_point *point = &plot->points[plot->series[s].first + i];
            if (found && point->y >= found->y) continue;
            found = point;
            label = plot->series[s].label;
        }
    if (!found) return "";
    return lfm_pool_printf(pool, " The lowest agreement is %s, for %s in layer %.0f.",
                           lfm_number_text(pool, found->y / 100, LFM_NUMBER_PERCENT), label, found->x);
}

static void shift_row(struct lfm_table *table, const char *label, const char *color,
                      const struct lfm_layer_shift *layer)
{
    if (!layer->router.present) return;
    lfm_table_mark(table, label, color);
    lfm_table_number(table, (double)layer->layer, LFM_NUMBER_COUNT);
    lfm_table_number(table, layer->router.overlap, LFM_NUMBER_PERCENT);
    lfm_table_number(table, layer->router.shared, LFM_NUMBER_PERCENT);
    lfm_table_number(table, layer->router.exact_set, LFM_NUMBER_PERCENT);
    lfm_table_number(table, layer->router.gate_kl, LFM_NUMBER_PLAIN);
    lfm_table_number(table, layer->router.mass_moved, LFM_NUMBER_PERCENT);
}

static void router_table(struct lfm_content *content, const struct lfm_document *document)
{
    static const struct lfm_column columns[] = {
        {"format", "Format", false},        {"layer", "Layer", true},
        {"overlap", "Overlap", true},       {"shared", "Experts kept", true},
        {"exact_set", "Same set", true},    {"gate_kl", "Gate KL, nats", true},
        {"mass_moved", "Mass moved", true},
    };
    struct lfm_table *table = lfm_table_new(content->pool, "routers", "Every router against the reference's.",
                                            &document->source, columns, COUNT(columns));
    for (size_t i = 0; i < document->n_candidates; i++)
        for (size_t l = 0; l < document->candidates[i].n_layers; l++)
            shift_row(table, document->candidates[i].label, document->candidates[i].color,
                      &document->candidates[i].layers[l]);
    for (size_t i = 0; i < document->n_pairs; i++)
        for (size_t l = 0; l < document->pairs[i].n_layers; l++)
            shift_row(table, document->pairs[i].label, document->pairs[i].color, &document->pairs[i].layers[l]);
    lfm_content_table(content, table, true);
}

void lfm_figure_router_overlap(struct lfm_content *content, const struct lfm_documents *documents)
{
    struct lfm_pool *pool = content->pool;
    const struct lfm_document *document = with_routers(documents);
    struct lfm_plot *plot = document ? lfm_plot_new(pool, "router-overlap", LFM_PLOT_LINES) : NULL;
    if (!plot) return;
    plot->x_title = "layer";
    plot->y_title = "router overlap, %";
    plot->x_key = "layer";
    plot->y_key = "overlap_percent";
    plot->y_most = 100;
    for (size_t i = 0; i < document->n_candidates; i++)
        overlap_series(plot, document->candidates[i].label, document->candidates[i].color,
                       document->candidates[i].layers, document->candidates[i].n_layers);
    for (size_t i = 0; i < document->n_pairs; i++)
        overlap_series(plot, document->pairs[i].label, document->pairs[i].color, document->pairs[i].layers,
                       document->pairs[i].n_layers);
    lfm_content_figure(content, plot, &document->source, "Router agreement by layer",
                       lfm_pool_printf(pool,
                                       "How far the experts chosen for a token are those the reference chooses: the "
                                       "experts in both sets over the experts in either.%s",
                                       lowest(pool, plot)));
    router_table(content, document);
}

static size_t most_experts(const struct lfm_load *load)
{
    size_t most = 0;
    for (size_t i = 0; i < load->n_layers; i++)
        if (load->layers[i].n_load > most) most = load->layers[i].n_load;
    return most;
}

/* The load is drawn as a multiple of the even share, so that 1 is what perfect balance would give. */
static struct lfm_plot *load_plot(struct lfm_pool *pool, const struct lfm_load *load)
{
    struct lfm_plot *plot = lfm_plot_new(pool, "expert-load", LFM_PLOT_HEAT);
    size_t experts = most_experts(load);
    const char **rows = lfm_pool_alloc(pool, load->n_layers, sizeof *rows);
    const char **columns = lfm_pool_alloc(pool, experts, sizeof *columns);
    if (!plot || !rows || !columns || experts > 1024) return NULL;
    plot->value_scale = LFM_SCALE_EVEN;
    plot->x_title = "expert";
    plot->y_title = "layer";
    plot->x_key = "expert";
    plot->y_key = "layer";
    plot->value_key = "times_even_share";
    plot->rows = rows;
    plot->columns = columns;
    plot->n_rows = load->n_layers;
    plot->n_columns = experts;
    for (size_t e = 0; e < experts; e++) columns[e] = lfm_pool_printf(pool, "%zu", e);
    for (size_t l = 0; l < load->n_layers; l++) {
        const struct lfm_load_layer *layer = &load->layers[l];
        rows[l] = lfm_pool_printf(pool, "%zu", layer->layer);
        for (size_t e = 0; e < layer->n_load; e++) lfm_plot_cell(plot, l, e, layer->load[e] * (double)layer->n_load);
    }
    return plot;
}

static const char *load_caption(struct lfm_pool *pool, const struct lfm_load *load, const struct lfm_plot *plot)
{
    const struct lfm_point *most = &plot->points[0];
    for (size_t i = 1; i < plot->n_points; i++)
        if (plot->points[i].value > most->value) most = &plot->points[i];
    return lfm_pool_printf(pool,
                           "How often the routers of %s choose each expert, as a multiple of the even share: 1 is "
                           "perfect balance. The busiest is expert %.0f of layer %s, with %s times its share.",
                           load->label, most->x, plot->rows[(size_t)most->y],
                           lfm_number_text(pool, most->value, LFM_NUMBER_FIXED2));
}

static void load_table(struct lfm_content *content, const struct lfm_document *document)
{
    static const struct lfm_column columns[] = {
        {"model", "Model", false},          {"layer", "Layer", true},
        {"experts", "Experts", true},       {"top_k", "Chosen", true},
        {"effective_experts", "Effective experts", true}, {"entropy_normalized", "Evenness", true},
        {"cv", "CV", true},                 {"gini", "Gini", true},
        {"max_violation", "Busiest over even", true}, {"margin_median", "Median margin", true},
    };
    struct lfm_table *table = lfm_table_new(content->pool, "load", "Every router's load.", &document->source, columns,
                                            COUNT(columns));
    for (size_t i = 0; i < document->n_loads; i++)
        for (size_t l = 0; l < document->loads[i].n_layers; l++) {
            const struct lfm_load_layer *layer = &document->loads[i].layers[l];
            lfm_table_mark(table, document->loads[i].label, document->loads[i].color);
            lfm_table_number(table, (double)layer->layer, LFM_NUMBER_COUNT);
            lfm_table_number(table, layer->experts, LFM_NUMBER_COUNT);
            lfm_table_number(table, layer->top_k, LFM_NUMBER_COUNT);
            lfm_table_number(table, layer->effective_experts, LFM_NUMBER_FIXED2);
            lfm_table_number(table, layer->entropy_normalized, LFM_NUMBER_FIXED4);
            lfm_table_number(table, layer->cv, LFM_NUMBER_FIXED4);
            lfm_table_number(table, layer->gini, LFM_NUMBER_FIXED4);
            lfm_table_number(table, layer->max_violation, LFM_NUMBER_FIXED4);
            lfm_table_number(table, layer->margin_median, LFM_NUMBER_PLAIN);
        }
    lfm_content_table(content, table, true);
}

void lfm_figure_expert_load(struct lfm_content *content, const struct lfm_documents *documents)
{
    const struct lfm_document *document = lfm_documents_first(documents, LFM_DOCUMENT_ROUTING);
    if (!document) return;
    struct lfm_plot *plot = load_plot(content->pool, &document->loads[0]);
    if (lfm_plot_has_data(plot))
        lfm_content_figure(content, plot, &document->source, "Load of every expert",
                           load_caption(content->pool, &document->loads[0], plot));
    load_table(content, document);
}

void lfm_figure_load_entropy(struct lfm_content *content, const struct lfm_documents *documents)
{
    const struct lfm_document *document = lfm_documents_first(documents, LFM_DOCUMENT_ROUTING);
    struct lfm_plot *plot = document ? lfm_plot_new(content->pool, "load-entropy", LFM_PLOT_LINES) : NULL;
    if (!plot) return;
    plot->x_title = "layer";
    plot->y_title = "evenness of the load";
    plot->x_key = "layer";
    plot->y_key = "entropy_normalized";
    plot->y_most = 1;
    for (size_t i = 0; i < document->n_loads; i++) {
        const struct lfm_load *load = &document->loads[i];
        lfm_plot_series(plot, load->label, load->color);
        for (size_t l = 0; l < load->n_layers; l++)
            lfm_plot_point(plot, (double)load->layers[l].layer, load->layers[l].entropy_normalized, NAN);
    }
    lfm_content_figure(content, plot, &document->source, "Evenness of the load",
                       "Entropy of the experts' shares over its largest possible value: 1 when all experts of a layer "
                       "are equally busy, 0 when one does everything.");
}
