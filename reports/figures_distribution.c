/* What a format does to the output distributions: KLD, perplexity, kinds of text. */
#include "reports/figures.h"

#include <math.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof *(array))

/* Calls `add` for each comparison of models, numbered from 1. */
static void for_each_compare(struct lfm_content *content, const struct lfm_documents *documents,
                             void (*add)(struct lfm_content *, const struct lfm_document *, size_t))
{
    size_t n = 0;
    for (size_t i = 0; i < documents->count; i++)
        if (documents->items[i].kind == LFM_DOCUMENT_COMPARE) add(content, &documents->items[i], ++n);
}

static const struct lfm_candidate *extreme(const struct lfm_document *document, bool largest)
{
    const struct lfm_candidate *found = NULL;
    for (size_t i = 0; i < document->n_candidates; i++) {
        const struct lfm_candidate *candidate = &document->candidates[i];
        if (isnan(candidate->kld_mean)) continue;
        if (!found || (largest ? candidate->kld_mean > found->kld_mean : candidate->kld_mean < found->kld_mean))
            found = candidate;
    }
    return found;
}

static void add_kld_bits(struct lfm_content *content, const struct lfm_document *document, size_t n)
{
    struct lfm_pool *pool = content->pool;
    struct lfm_plot *plot = lfm_plot_new(pool, lfm_figure_id(pool, "kld-bits", n), LFM_PLOT_SCATTER);
    if (!plot) return;
    plot->y_scale = LFM_SCALE_LOG;
    plot->x_title = "bits per weight";
    plot->y_title = "mean KLD, nats";
    plot->x_key = "bits_per_weight";
    plot->y_key = "kld_mean";
    for (size_t i = 0; i < document->n_candidates; i++) {
        const struct lfm_candidate *candidate = &document->candidates[i];
        lfm_plot_series(plot, candidate->label, candidate->color);
        lfm_plot_point(plot, candidate->bits_per_weight, candidate->kld_mean, candidate->kld_stderr);
    }
    lfm_content_figure(content, plot, &document->source, "KLD against bits per weight",
                       "Lower left is better: a smaller file at a smaller distance from the reference. Each step up "
                       "the axis is ten times the distance; bars are one standard error.");
}

void lfm_figure_kld_bits(struct lfm_content *content, const struct lfm_documents *documents)
{
    for_each_compare(content, documents, add_kld_bits);
}

static void percentiles(struct lfm_content *content, const struct lfm_document *document, size_t n)
{
    static const struct lfm_column columns[] = {
        {"format", "Format", false}, {"mean", "Mean", true},  {"median", "Median", true}, {"p90", "p90", true},
        {"p95", "p95", true},       {"p99", "p99", true},   {"p99_9", "p99.9", true},  {"max", "Largest", true},
        {"delta_p_rms", "RMS \xce\x94p", true}, {"top5_overlap", "Top-5 overlap", true},
    };
    struct lfm_pool *pool = content->pool;
    struct lfm_table *table =
        lfm_table_new(pool, lfm_figure_id(pool, "kld-percentiles", n),
                      "KLD in nats at the quantiles of all positions, the change of the true token's probability "
                      "(\xce\x94p), and the five likeliest tokens kept.", &document->source, columns, COUNT(columns));
    for (size_t i = 0; i < document->n_candidates; i++) {
        const struct lfm_candidate *candidate = &document->candidates[i];
        const double values[] = {candidate->kld_mean, candidate->kld_median, candidate->kld_p90,  candidate->kld_p95,
                                 candidate->kld_p99,  candidate->kld_p99_9,  candidate->kld_max};
        lfm_table_mark(table, candidate->label, candidate->color);
        for (size_t v = 0; v < COUNT(values); v++) lfm_table_number(table, values[v], LFM_NUMBER_PLAIN);
        lfm_table_number(table, candidate->delta_p_rms, LFM_NUMBER_PERCENT);
        lfm_table_number(table, candidate->top5_overlap, LFM_NUMBER_PERCENT);
    }
    lfm_content_table(content, table, false);
}

/* The flat beginning of a curve says nothing: it starts at its last point below 0.5 % of the positions. */
static size_t first_shown(const struct lfm_candidate *candidate)
{
    size_t first = 0;
    for (size_t i = 0; i < candidate->n_cumulative && candidate->cumulative[i][1] < 0.005; i++) first = i;
    return first;
}

static void add_cumulative(struct lfm_content *content, const struct lfm_document *document, size_t n)
{
    struct lfm_pool *pool = content->pool;
    struct lfm_plot *plot = lfm_plot_new(pool, lfm_figure_id(pool, "kld-cumulative", n), LFM_PLOT_LINES);
    if (!plot) return;
    plot->x_scale = LFM_SCALE_LOG;
    plot->x_title = "KLD of a position, nats";
    plot->y_title = "positions with at most this, %";
    plot->x_key = "kld";
    plot->y_key = "positions_percent";
    plot->y_most = 100;
    for (size_t i = 0; i < document->n_candidates; i++) {
        const struct lfm_candidate *candidate = &document->candidates[i];
        lfm_plot_series(plot, candidate->label, candidate->color);
        for (size_t p = first_shown(candidate); p < candidate->n_cumulative; p++)
            lfm_plot_point(plot, candidate->cumulative[p][0], 100 * candidate->cumulative[p][1], NAN);
    }
    lfm_content_figure(content, plot, &document->source, "Distribution of the KLD",
                       "The share of positions whose KLD is at most the value below. A curve further left is closer to "
                       "the reference; a long way from its middle to its top right end means that few tokens carry "
                       "most of the loss.");
    percentiles(content, document, n);
}

void lfm_figure_kld_cumulative(struct lfm_content *content, const struct lfm_documents *documents)
{
    for_each_compare(content, documents, add_cumulative);
}

static const char *ratio_caption(struct lfm_pool *pool, const struct lfm_document *document)
{
    size_t clear = 0, known = 0;
    for (size_t i = 0; i < document->n_candidates; i++) {
        double change = document->candidates[i].perplexity_ratio - 1;
        double error = document->candidates[i].perplexity_ratio_stderr;
        if (isnan(change) || isnan(error)) continue;
        known++;
        clear += fabs(change) > 2 * error;
    }
    const char *seen = known == 0      ? ""
                       : clear == 0    ? " None of the changes is larger than two standard errors."
                       : clear < known ? " Not every change is larger than two standard errors: the others may be "
                                         "chance."
                                       : " Every change is larger than two standard errors.";
    return lfm_pool_printf(pool,
                           "Perplexity relative to the reference on the same tokens, in per cent; the rule marks no "
                           "change, bars are one standard error.%s",
                           seen);
}

static void add_ratio(struct lfm_content *content, const struct lfm_document *document, size_t n)
{
    struct lfm_pool *pool = content->pool;
    struct lfm_plot *plot = lfm_plot_new(pool, lfm_figure_id(pool, "perplexity-ratio", n), LFM_PLOT_DOTS);
    const char **rows = lfm_pool_alloc(pool, document->n_candidates, sizeof *rows);
    if (!plot || !rows) return;
    plot->x_title = "change of perplexity, %";
    plot->x_key = "perplexity_change_percent";
    plot->y_key = "format";
    plot->reference_line = 0;
    plot->rows = rows;
    plot->n_rows = document->n_candidates;
    for (size_t i = 0; i < document->n_candidates; i++) {
        const struct lfm_candidate *candidate = &document->candidates[i];
        rows[i] = candidate->label;
        lfm_plot_series(plot, candidate->label, candidate->color);
        lfm_plot_point(plot, 100 * (candidate->perplexity_ratio - 1), (double)i,
                       100 * candidate->perplexity_ratio_stderr);
    }
    plot->one_per_row = true;
    lfm_content_figure(content, plot, &document->source, "Change of perplexity", ratio_caption(pool, document));
}

void lfm_figure_perplexity_ratio(struct lfm_content *content, const struct lfm_documents *documents)
{
    for_each_compare(content, documents, add_ratio);
}

/* The kinds of text, in the order of their first appearance. */
static size_t collect_domains(const struct lfm_document *document, const char **names)
{
    size_t count = 0;
    for (size_t i = 0; i < document->n_candidates; i++)
        for (size_t d = 0; d < document->candidates[i].n_domains; d++) {
            const char *label = document->candidates[i].domains[d].label;
            size_t known = 0;
            while (known < count && strcmp(names[known], label) != 0) known++;
            if (known == count) names[count++] = label;
        }
    return count;
}

static size_t index_of(const char *const *names, size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(names[i], name) == 0) return i;
    return count;
}

static void domain_table(struct lfm_content *content, const struct lfm_document *document, size_t n)
{
    static const struct lfm_column columns[] = {
        {"label", "Kind of text", false},  {"format", "Format", false},
        {"positions", "Positions", true},  {"kld_mean", "KLD mean, nats", true},
        {"perplexity", "Perplexity", true}, {"perplexity_ratio", "Ratio", true},
        {"top1_agreement", "Top-1 agreement", true},
    };
    struct lfm_pool *pool = content->pool;
    struct lfm_table *table = lfm_table_new(pool, lfm_figure_id(pool, "domains", n),
                                            "Every format on every kind of text.", &document->source, columns,
                                            COUNT(columns));
    for (size_t i = 0; i < document->n_candidates; i++)
        for (size_t d = 0; d < document->candidates[i].n_domains; d++) {
            const struct lfm_domain *domain = &document->candidates[i].domains[d];
            lfm_table_text(table, domain->label);
            lfm_table_mark(table, document->candidates[i].label, document->candidates[i].color);
            lfm_table_number(table, domain->positions, LFM_NUMBER_COUNT);
            lfm_table_error(table, domain->kld_mean, domain->kld_stderr, LFM_NUMBER_PLAIN);
            lfm_table_number(table, domain->perplexity, LFM_NUMBER_PLAIN);
            lfm_table_number(table, domain->perplexity_ratio, LFM_NUMBER_FIXED4);
            lfm_table_number(table, domain->top1_agreement, LFM_NUMBER_PERCENT);
        }
    lfm_content_table(content, table, true);
}

static const char *domain_caption(struct lfm_pool *pool, const struct lfm_document *document)
{
    const struct lfm_candidate *worst = extreme(document, true);
    const struct lfm_domain *most = NULL, *least = NULL;
    for (size_t d = 0; worst && d < worst->n_domains; d++) {
        const struct lfm_domain *domain = &worst->domains[d];
        if (!(domain->kld_mean > 0)) continue;
        if (!most || domain->kld_mean > most->kld_mean) most = domain;
        if (!least || domain->kld_mean < least->kld_mean) least = domain;
    }
    const char *what = "Mean KLD on each kind of text, as the documents are labelled; bars are one standard error.";
    if (!most || most == least) return what;
    return lfm_pool_printf(pool, "%s %s loses most on %s, %s times what it loses on %s.", what, worst->label,
                           most->label, lfm_number_text(pool, most->kld_mean / least->kld_mean, LFM_NUMBER_PLAIN),
                           least->label);
}

static void add_domains(struct lfm_content *content, const struct lfm_document *document, size_t n)
{
    struct lfm_pool *pool = content->pool;
    size_t most = 0;
    for (size_t i = 0; i < document->n_candidates; i++) most += document->candidates[i].n_domains;
    struct lfm_plot *plot = lfm_plot_new(pool, lfm_figure_id(pool, "kld-domain", n), LFM_PLOT_DOTS);
    const char **rows = lfm_pool_alloc(pool, most, sizeof *rows);
    if (!plot || !rows) return;
    plot->x_scale = LFM_SCALE_LOG;
    plot->x_title = "mean KLD, nats";
    plot->x_key = "kld_mean";
    plot->y_key = "label";
    plot->rows = rows;
    plot->n_rows = collect_domains(document, rows);
    for (size_t i = 0; i < document->n_candidates; i++) {
        const struct lfm_candidate *candidate = &document->candidates[i];
        lfm_plot_series(plot, candidate->label, candidate->color);
        for (size_t d = 0; d < candidate->n_domains; d++)
            lfm_plot_point(plot, candidate->domains[d].kld_mean,
                           (double)index_of(rows, plot->n_rows, candidate->domains[d].label),
                           candidate->domains[d].kld_stderr);
    }
    lfm_content_figure(content, plot, &document->source, "KLD by kind of text", domain_caption(pool, document));
    domain_table(content, document, n);
}

void lfm_figure_domains(struct lfm_content *content, const struct lfm_documents *documents)
{
    for_each_compare(content, documents, add_domains);
}
