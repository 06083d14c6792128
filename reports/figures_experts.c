/* What the routers' choices go by, and what a format does to them: load against chance, experts chosen together, domains,
 * flips by margin, and where paths part. */
#include "reports/figures.h"

#include <math.h>

#define COUNT(array) (sizeof(array) / sizeof *(array))

enum { MOST_EXPERTS = 64, SMALL_MAP = 16 };
static const char expected[] = "#5b7f93"; /* the colour of what is no measurement */

/* The first routing document, if its first trace has layers. */
static const struct lfm_document *routing_of(const struct lfm_documents *documents)
{
    const struct lfm_document *document = lfm_documents_first(documents, LFM_DOCUMENT_ROUTING);
    return document && document->loads[0].n_layers > 0 ? document : NULL;
}

/* True when a map can have a column for each. */
static bool fits_a_map(double experts)
{
    return experts >= 1 && experts <= MOST_EXPERTS;
}

/* Where the numbers lie in the traces. */
#define FROM_CHOICES " From /layers/NN/router/selected of the traces."
#define FROM_SCORES " From /layers/NN/router of the traces: logits, expert_bias, selected."

/* --- load --- */

void lfm_figure_load_chance(struct lfm_content *content, const struct lfm_documents *documents)
{
    const struct lfm_document *document = routing_of(documents);
    struct lfm_plot *plot = document ? lfm_plot_new(content->pool, "load-chance", LFM_PLOT_LINES) : NULL;
    if (!plot || isnan(document->loads[0].layers[0].chance_cv)) return;
    plot->x_title = "layer";
    plot->y_title = "variation of the load";
    plot->x_key = "layer";
    plot->y_key = "cv";
    for (size_t i = 0; i < document->n_loads; i++) {
        const struct lfm_load *load = &document->loads[i];
        lfm_plot_series(plot, load->label, load->color);
        for (size_t l = 0; l < load->n_layers; l++)
            lfm_plot_point(plot, (double)load->layers[l].layer, load->layers[l].cv, NAN);
    }
    lfm_plot_series(plot, "by chance", expected);
    for (size_t l = 0; l < document->loads[0].n_layers; l++)
        lfm_plot_point(plot, (double)document->loads[0].layers[l].layer, document->loads[0].layers[l].chance_cv, NAN);
    lfm_content_figure(content, plot, &document->source, "Load against chance",
                       lfm_pool_printf(content->pool,
                                       "Coefficient of variation of the experts' counts, and what it would be for %s tokens "
                                       "that choose their experts evenly at random: only what lies above that is a "
                                       "preference of the router." FROM_CHOICES,
                                       lfm_number_text(content->pool, document->loads[0].tokens, LFM_NUMBER_COUNT)));
}

/* --- pairs --- */

static const char **numbers(struct lfm_pool *pool, size_t n)
{
    const char **names = lfm_pool_alloc(pool, n, sizeof *names);
    for (size_t i = 0; names && i < n; i++) names[i] = lfm_pool_printf(pool, "%zu", i);
    return names;
}

/* Of the diagonal and the lower triangle the same cells: a map is easier to read along a row. */
static void lift_map(struct lfm_plot *plot, const struct lfm_load_layer *layer, double chance)
{
    for (size_t i = 0; i < layer->n_lifts; i++) {
        const struct lfm_expert_pair *pair = &layer->lifts[i];
        if (!(pair->a >= 0 && pair->a < (double)plot->n_rows && pair->b >= 0 && pair->b < (double)plot->n_rows)) continue;
        if (isnan(pair->lift)) continue;
        lfm_plot_cell(plot, (size_t)pair->a, (size_t)pair->b, pair->lift / chance);
        lfm_plot_cell(plot, (size_t)pair->b, (size_t)pair->a, pair->lift / chance);
    }
}

void lfm_figure_coactivation(struct lfm_content *content, const struct lfm_documents *documents)
{
    struct lfm_pool *pool = content->pool;
    const struct lfm_document *document = routing_of(documents);
    const struct lfm_load *load = document ? &document->loads[0] : NULL;
    if (!load || load->layers[0].n_lifts == 0 || !fits_a_map(load->layers[0].experts)) return;
    struct lfm_plot *plot = lfm_plot_new(pool, "coactivation", LFM_PLOT_HEAT);
    size_t experts = (size_t)load->layers[0].experts, most = experts <= SMALL_MAP ? 4 : 2;
    size_t maps = load->n_layers < most ? load->n_layers : most;
    const char **names = numbers(pool, experts);
    if (!plot || !names) return;
    plot->value_scale = LFM_SCALE_EVEN;
    plot->x_title = "expert";
    plot->y_title = "expert";
    plot->x_key = "b";
    plot->y_key = "a";
    plot->value_key = "times_chance";
    plot->rows = plot->columns = names;
    plot->n_rows = plot->n_columns = experts;
    for (size_t m = 0; m < maps; m++) {
        const struct lfm_load_layer *layer = &load->layers[maps > 1 ? m * (load->n_layers - 1) / (maps - 1) : 0];
        lfm_plot_series(plot, lfm_pool_printf(pool, "layer %zu", layer->layer), load->color);
        lift_map(plot, layer, load->chance_lift);
    }
    lfm_content_figure(content, plot, &document->source, "Experts chosen together",
                       lfm_pool_printf(pool,
                                       "How much more often than by chance two experts of %s are chosen for the same token: "
                                       "P(ab) / (P(a) P(b)), divided by the %s that evenly drawn sets would have. %s" FROM_CHOICES,
                                       load->label, lfm_number_text(pool, load->chance_lift, LFM_NUMBER_PLAIN),
                                       maps < load->n_layers ? "Some layers, from the first with experts to the last." : ""));
}

/* --- domains and tokens --- */

void lfm_figure_specialisation(struct lfm_content *content, const struct lfm_documents *documents)
{
    struct lfm_pool *pool = content->pool;
    const struct lfm_document *document = routing_of(documents);
    const struct lfm_load *load = document ? &document->loads[0] : NULL;
    struct lfm_plot *plot = load ? lfm_plot_new(pool, "specialisation", LFM_PLOT_LINES) : NULL;
    if (!plot) return;
    plot->x_title = "layer";
    plot->y_title = "mutual information, nats";
    plot->x_key = "layer";
    plot->y_key = "excess_nats";
    lfm_plot_series(plot, "expert and input token", "#2f7ed8");
    for (size_t l = 0; l < load->n_layers; l++)
        lfm_plot_point(plot, (double)load->layers[l].layer, load->layers[l].token_excess, NAN);
    lfm_plot_series(plot, "expert and domain", "#d6455a");
    for (size_t l = 0; l < load->n_layers; l++)
        lfm_plot_point(plot, (double)load->layers[l].layer, load->layers[l].domain_excess, NAN);
    if (!lfm_plot_has_data(plot)) return;
    lfm_content_figure(content, plot, &document->source, "What the experts go by",
                       lfm_pool_printf(pool,
                                       "What a choice of %s says about the token and about the domain it was made for, "
                                       "less what remains when tokens and labels are shuffled." FROM_CHOICES,
                                       load->label));
}

static const struct lfm_load_layer *most_specialised(const struct lfm_load *load)
{
    const struct lfm_load_layer *found = NULL;
    for (size_t l = 0; l < load->n_layers; l++)
        if (load->layers[l].n_domains > 0 && !isnan(load->layers[l].domain_excess) &&
            (!found || load->layers[l].domain_excess > found->domain_excess))
            found = &load->layers[l];
    return found;
}

void lfm_figure_domain_experts(struct lfm_content *content, const struct lfm_documents *documents)
{
    struct lfm_pool *pool = content->pool;
    const struct lfm_document *document = routing_of(documents);
    const struct lfm_load *load = document ? &document->loads[0] : NULL;
    const struct lfm_load_layer *layer = load ? most_specialised(load) : NULL;
    if (!layer || !fits_a_map(layer->experts) || !(load->chance_share > 0)) return;
    struct lfm_plot *plot = lfm_plot_new(pool, "domain-experts", LFM_PLOT_HEAT);
    const char **rows = lfm_pool_alloc(pool, layer->n_domains, sizeof *rows);
    if (!plot || !rows) return;
    plot->value_scale = LFM_SCALE_EVEN;
    plot->x_title = "expert";
    plot->y_title = "";
    plot->x_key = "expert";
    plot->y_key = "label";
    plot->value_key = "times_even_share";
    plot->rows = rows;
    plot->n_rows = layer->n_domains;
    plot->n_columns = (size_t)layer->experts;
    plot->columns = numbers(pool, plot->n_columns);
    if (!plot->columns) return;
    for (size_t d = 0; d < layer->n_domains; d++) {
        rows[d] = layer->domains[d].label;
        for (size_t e = 0; e < layer->domains[d].n && e < plot->n_columns; e++)
            lfm_plot_cell(plot, d, e, layer->domains[d].shares[e] / load->chance_share);
    }
    lfm_content_figure(content, plot, &document->source,
                       lfm_pool_printf(pool, "Domains and experts, layer %zu", layer->layer),
                       lfm_pool_printf(pool,
                                       "How often tokens of a domain choose each expert of %s, as a multiple of the even "
                                       "share, in the layer where domains matter most." FROM_CHOICES, load->label));
}

/* --- flips --- */

static bool has_bins(const struct lfm_document *document)
{
    for (size_t i = 0; document && i < document->n_pairs; i++)
        if (document->pairs[i].n_bins > 0) return true;
    return false;
}

/* The middle of a bin on a log axis; the bins at the ends are taken to be half a decade wide. */
static double middle_of(const struct lfm_flip_bin *bin)
{
    if (!(bin->from > 0)) return bin->to / pow(10, 0.25);
    return isnan(bin->to) ? bin->from * pow(10, 0.25) : sqrt(bin->from * bin->to);
}

static void flip_table(struct lfm_content *content, const struct lfm_document *document)
{
    static const struct lfm_column columns[] = {
        {"format", "Format", false},       {"from", "Margin from", true},
        {"to", "to", true},                {"tokens", "Choices", true},
        {"observed", "Flips", true},       {"predicted_empirical", "Predicted, as seen", true},
        {"predicted_normal", "Predicted, normal", true}, {"shared", "Experts kept", true},
        {"weight_l1", "Weight L1", true},
    };
    struct lfm_table *table = lfm_table_new(
        content->pool, "flips",
        "Choices by the reference's margin, all layers: how many flip, and how many should by their margins and how much scores "
        "move.", &document->source, columns, COUNT(columns));
    for (size_t i = 0; i < document->n_pairs; i++)
        for (size_t b = 0; b < document->pairs[i].n_bins; b++) {
            const struct lfm_flip_bin *bin = &document->pairs[i].bins[b];
            lfm_table_mark(table, document->pairs[i].label, document->pairs[i].color);
            lfm_table_number(table, bin->from, LFM_NUMBER_PLAIN);
            lfm_table_number(table, bin->to, LFM_NUMBER_PLAIN);
            lfm_table_number(table, bin->tokens, LFM_NUMBER_COUNT);
            lfm_table_number(table, bin->observed, LFM_NUMBER_PERCENT);
            lfm_table_number(table, bin->predicted_empirical, LFM_NUMBER_PERCENT);
            lfm_table_number(table, bin->predicted_normal, LFM_NUMBER_PERCENT);
            lfm_table_number(table, bin->shared, LFM_NUMBER_PERCENT);
            lfm_table_number(table, bin->weight_l1, LFM_NUMBER_PLAIN);
        }
    lfm_content_table(content, table, true);
}

void lfm_figure_flips_margin(struct lfm_content *content, const struct lfm_documents *documents)
{
    const struct lfm_document *document = routing_of(documents);
    struct lfm_plot *plot = has_bins(document) ? lfm_plot_new(content->pool, "flips-margin", LFM_PLOT_LINES) : NULL;
    if (!plot) return;
    plot->x_scale = LFM_SCALE_LOG;
    plot->x_title = "margin of the reference";
    plot->y_title = "choices that flip, %";
    plot->x_key = "margin";
    plot->y_key = "flips_percent";
    for (size_t i = 0; i < document->n_pairs; i++) {
        lfm_plot_series(plot, document->pairs[i].label, document->pairs[i].color);
        for (size_t b = 0; b < document->pairs[i].n_bins; b++)
            lfm_plot_point(plot, middle_of(&document->pairs[i].bins[b]), 100 * document->pairs[i].bins[b].observed, NAN);
    }
    lfm_content_figure(content, plot, &document->source, "Flips by margin",
                       "The share of choices whose set of experts is not the reference's, by how close the reference's choice "
                       "was: the score of the last expert taken less that of the first left out. Half decades; the ends take "
                       "in all beyond." FROM_SCORES);
    flip_table(content, document);
}

void lfm_figure_flips_predicted(struct lfm_content *content, const struct lfm_documents *documents)
{
    const struct lfm_document *document = routing_of(documents);
    struct lfm_plot *plot = has_bins(document) ? lfm_plot_new(content->pool, "flips-predicted", LFM_PLOT_LINES) : NULL;
    double least = 1, most = 0;
    if (!plot) return;
    plot->x_scale = plot->y_scale = LFM_SCALE_LOG;
    plot->x_title = "share of flips predicted from margins";
    plot->y_title = "share observed";
    plot->x_key = "predicted";
    plot->y_key = "observed";
    for (size_t i = 0; i < document->n_pairs; i++) {
        lfm_plot_series(plot, document->pairs[i].label, document->pairs[i].color);
        for (size_t b = 0; b < document->pairs[i].n_bins; b++) {
            const struct lfm_flip_bin *bin = &document->pairs[i].bins[b];
            lfm_plot_point(plot, bin->predicted_empirical, bin->observed, NAN);
            if (!(bin->predicted_empirical > 0 && bin->observed > 0)) continue;
            least = fmin(least, bin->predicted_empirical);
            most = fmax(most, bin->predicted_empirical);
        }
    }
    lfm_plot_series(plot, "as predicted", expected);
    lfm_plot_point(plot, least, least, NAN);
    lfm_plot_point(plot, most, most, NAN);
    if (most == 0) return;
    lfm_content_figure(content, plot, &document->source, "Flips as margins predict them",
                       "Each point is a bin of margins. The prediction takes the movement of scores for independent of the "
                       "margin and looks at the last expert taken and the first left out alone; what lies above the line "
                       "came about otherwise." FROM_SCORES);
}

void lfm_figure_first_divergence(struct lfm_content *content, const struct lfm_documents *documents)
{
    struct lfm_pool *pool = content->pool;
    const struct lfm_document *document = routing_of(documents);
    struct lfm_plot *plot = document ? lfm_plot_new(pool, "first-divergence", LFM_PLOT_LINES) : NULL;
    const char *never = "";
    if (!plot) return;
    plot->x_title = "layer";
    plot->y_title = "tokens that diverge here first, %";
    plot->x_key = "layer";
    plot->y_key = "first_percent";
    for (size_t i = 0; i < document->n_pairs; i++) {
        const struct lfm_pair *pair = &document->pairs[i];
        if (pair->n_firsts == 0) continue;
        lfm_plot_series(plot, pair->label, pair->color);
        for (size_t l = 0; l < pair->n_firsts; l++)
            lfm_plot_point(plot, pair->firsts[l].layer, 100 * pair->firsts[l].share, NAN);
        never = lfm_pool_printf(pool, "%s%s %s of %s", never, never[0] ? "," : "",
                                lfm_number_text(pool, pair->never_share, LFM_NUMBER_PERCENT), pair->label);
    }
    if (!lfm_plot_has_data(plot)) return;
    lfm_content_figure(content, plot, &document->source, "Where tokens leave the reference's path",
                       lfm_pool_printf(pool, "The first layer in which a token's experts are not the reference's. Never "
                                             "leaving it:%s." FROM_CHOICES, never));
}
