/* The answer a page opens with: sentences made from the numbers, then the table of formats. */
#include "reports/figures.h"

#include <math.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof *(array))

/* The words for a mean KLD; "How to read this" states the bounds. */
static const char *verdict(double kld)
{
    return kld < 1e-4 ? "changes almost nothing" : kld < 1e-2 ? "changes little" : kld < 1e-1 ? "changes noticeably"
                                                                                              : "changes a lot";
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

static const char *top_choice(struct lfm_pool *pool, const struct lfm_candidate *candidate)
{
    if (isnan(candidate->top1_agreement)) return "";
    if (candidate->top1_agreement == 1) return "every position keeps its top token";
    return lfm_pool_printf(pool, "%s of positions get another top token",
                           lfm_number_text(pool, 1 - candidate->top1_agreement, LFM_NUMBER_PERCENT));
}

static const char *perplexity_change(struct lfm_pool *pool, const struct lfm_candidate *candidate)
{
    double change = candidate->perplexity_ratio - 1;
    if (isnan(change)) return "";
    const char *doubt = fabs(change) <= 2 * candidate->perplexity_ratio_stderr ? " (less than two standard errors)"
                                                                               : "";
    if (change == 0) return "perplexity does not change";
    return lfm_pool_printf(pool, "perplexity %s by %s%s", change > 0 ? "rises" : "falls",
                           lfm_number_text(pool, fabs(change), LFM_NUMBER_PERCENT), doubt);
}

static const char *routing_kept(struct lfm_pool *pool, const struct lfm_shift *router)
{
    if (!router->present) return "";
    if (!isnan(router->shared))
        return lfm_pool_printf(pool, "%s of the routers\xe2\x80\x99 choices stay",
                               lfm_number_text(pool, router->shared, LFM_NUMBER_PERCENT));
    if (isnan(router->overlap)) return "";
    return lfm_pool_printf(pool, "the routers\xe2\x80\x99 choices overlap by %s",
                           lfm_number_text(pool, router->overlap, LFM_NUMBER_PERCENT));
}

/* "a, b, and c" of the parts that say something. */
static const char *joined(struct lfm_pool *pool, const char *const *parts, size_t count)
{
    const char *kept[8], *text = "";
    size_t n = 0;
    for (size_t i = 0; i < count && n < COUNT(kept); i++)
        if (parts[i][0]) kept[n++] = parts[i];
    for (size_t i = 0; i < n; i++)
        text = lfm_pool_printf(pool, "%s%s%s", text,
                               i == 0      ? ""
                               : i + 1 < n ? ", "
                               : n > 2     ? ", and "
                                           : " and ",
                               kept[i]);
    return text;
}

static const char *short_sentence(struct lfm_pool *pool, const struct lfm_candidate *candidate)
{
    const char *kld = lfm_number_text(pool, candidate->kld_mean, LFM_NUMBER_PLAIN);
    const char *kept = isnan(candidate->top1_agreement)
                           ? ""
                           : lfm_pool_printf(pool, ", and %s of positions keep their top token",
                                             lfm_number_text(pool, candidate->top1_agreement, LFM_NUMBER_PERCENT));
    return lfm_pool_printf(pool, "%s %s: its mean KLD is %s nats%s.", candidate->label, verdict(candidate->kld_mean),
                           kld, kept);
}

static const char *full_sentence(struct lfm_pool *pool, const struct lfm_candidate *candidate)
{
    const char *kld = lfm_number_text(pool, candidate->kld_mean, LFM_NUMBER_PLAIN);
    const char *parts[] = {lfm_pool_printf(pool, "it costs %s nats", kld), top_choice(pool, candidate),
                           perplexity_change(pool, candidate), routing_kept(pool, &candidate->router)};
    return lfm_pool_printf(pool, "%s %s: %s.", candidate->label, verdict(candidate->kld_mean),
                           joined(pool, parts, COUNT(parts)));
}

/* Names and KLD of the candidates that the sentences do not mention, where these are few. */
static const char *others(struct lfm_pool *pool, const struct lfm_document *document, const struct lfm_candidate *best,
                          const struct lfm_candidate *worst)
{
    const char *parts[3] = {"", "", ""};
    size_t count = 0;
    for (size_t i = 0; i < document->n_candidates; i++) {
        const struct lfm_candidate *candidate = &document->candidates[i];
        if (candidate == best || candidate == worst || isnan(candidate->kld_mean)) continue;
        if (count < COUNT(parts))
            parts[count] = lfm_pool_printf(pool, "%s with %s nats", candidate->label,
                                           lfm_number_text(pool, candidate->kld_mean, LFM_NUMBER_PLAIN));
        count++;
    }
    if (count == 0) return "";
    if (count > COUNT(parts))
        return lfm_pool_printf(pool, " Between them: %zu other formats, in the table below.", count);
    return lfm_pool_printf(pool, " Between them: %s.", joined(pool, parts, COUNT(parts)));
}

static const char *measured_on(struct lfm_pool *pool, const struct lfm_document *document)
{
    const char *text = "Measured";
    if (!isnan(document->positions))
        text = lfm_pool_printf(pool, "%s on %s positions", text,
                               lfm_number_text(pool, document->positions, LFM_NUMBER_COUNT));
    if (!isnan(document->documents))
        text = lfm_pool_printf(pool, "%s of %s document%s", text,
                               lfm_number_text(pool, document->documents, LFM_NUMBER_COUNT),
                               document->documents == 1 ? "" : "s");
    const char *name = document->reference.name[0] ? document->reference.name : "the reference";
    const char *variant = document->reference.variant, *title = lfm_variant_title(pool, variant);
    text = lfm_pool_printf(pool, "%s against %s", text, name);
    if (!variant[0]) return lfm_pool_printf(pool, "%s computed in FP32.", text);
    if (strchr(variant, '/')) return lfm_pool_printf(pool, "%s run as %s.", text, title);
    return lfm_pool_printf(pool, "%s computed in FP32 from its %s weights.", text, title);
}

static void compare_sentences(struct lfm_content *content, const struct lfm_document *document)
{
    struct lfm_pool *pool = content->pool;
    const struct lfm_candidate *best = extreme(document, false), *worst = extreme(document, true);
    if (!best) return;
    const char *text = full_sentence(pool, worst);
    if (worst != best) text = lfm_pool_printf(pool, "%s %s", short_sentence(pool, best), text);
    lfm_content_lead(content, text);
    lfm_content_lead(content,
                     lfm_pool_printf(pool, "%s%s", measured_on(pool, document), others(pool, document, best, worst)));
}

static void reference_row(struct lfm_table *table, struct lfm_pool *pool, const struct lfm_candidate *reference)
{
    lfm_table_mark(table,
                   lfm_pool_printf(pool, "%s (reference)", reference->variant[0] ? reference->label : reference->name),
                   reference->color);
    lfm_table_number(table, reference->bits_per_weight, LFM_NUMBER_FIXED2);
    lfm_table_number(table, reference->bytes, LFM_NUMBER_BYTES);
    for (int i = 0; i < 5; i++) lfm_table_text(table, "");
}

static void candidate_row(struct lfm_table *table, const struct lfm_candidate *candidate)
{
    lfm_table_mark(table, candidate->label, candidate->color);
    lfm_table_number(table, candidate->bits_per_weight, LFM_NUMBER_FIXED2);
    lfm_table_number(table, candidate->bytes, LFM_NUMBER_BYTES);
    lfm_table_error(table, candidate->perplexity_ratio, candidate->perplexity_ratio_stderr, LFM_NUMBER_FIXED4);
    lfm_table_error(table, candidate->kld_mean, candidate->kld_stderr, LFM_NUMBER_PLAIN);
    lfm_table_number(table, candidate->kld_p99, LFM_NUMBER_PLAIN);
    lfm_table_number(table, candidate->top1_agreement, LFM_NUMBER_PERCENT);
    lfm_table_number(table, candidate->router.overlap, LFM_NUMBER_PERCENT);
}

static const char *fallbacks(struct lfm_pool *pool, const struct lfm_document *document)
{
    const char *text = "";
    for (size_t i = 0; i < document->n_candidates; i++) {
        const struct lfm_candidate *candidate = &document->candidates[i];
        if (!(candidate->fallback_matrices > 0)) continue;
        text = lfm_pool_printf(
            pool, "%s %s keeps %s matri%s in another format, whose rows are no multiple of its block.", text,
            candidate->label, lfm_number_text(pool, candidate->fallback_matrices, LFM_NUMBER_COUNT),
            candidate->fallback_matrices == 1 ? "x" : "ces");
    }
    return text;
}

static void format_table(struct lfm_content *content, const struct lfm_document *document, size_t n)
{
    static const struct lfm_column columns[] = {
        {"format", "Format", false},
        {"bits_per_weight", "Bits per weight", true},
        {"bytes", "Size", true},
        {"perplexity_ratio", "Perplexity ratio", true},
        {"kld_mean", "KLD mean, nats", true},
        {"kld_p99", "KLD p99", true},
        {"top1_agreement", "Top-1 agreement", true},
        {"router_overlap", "Router overlap", true},
    };
    struct lfm_pool *pool = content->pool;
    const char *caption = lfm_pool_printf(
        pool, "Formats against the reference, whose perplexity is %s; \xc2\xb1 is one standard error%s%s.%s",
        lfm_number_with_error(pool, document->reference.perplexity, document->reference.perplexity_stderr,
                              LFM_NUMBER_PLAIN),
        document->errors_by[0] ? ", clustered by " : "", document->errors_by, fallbacks(pool, document));
    struct lfm_table *table = lfm_table_new(pool, lfm_figure_id(pool, "formats", n), caption, &document->source,
                                            columns, COUNT(columns));
    reference_row(table, pool, &document->reference);
    for (size_t i = 0; i < document->n_candidates; i++) candidate_row(table, &document->candidates[i]);
    lfm_content_table(content, table, false);
}

static void trace_sentence(struct lfm_content *content, const struct lfm_document *document)
{
    const struct lfm_candidate *worst_candidate = NULL;
    const struct lfm_point_shift *worst = NULL;
    for (size_t i = 0; i < document->n_candidates; i++)
        for (size_t p = 0; p < document->candidates[i].n_points; p++) {
            const struct lfm_point_shift *point = &document->candidates[i].points[p];
            if (isnan(point->relative_l2) || (worst && point->relative_l2 <= worst->relative_l2)) continue;
            worst = point;
            worst_candidate = &document->candidates[i];
        }
    if (!worst) return;
    lfm_content_lead(content, lfm_pool_printf(content->pool,
                                              "The largest relative error in the traces is %s: %s, layer %zu, "
                                              "at %s.",
                                              lfm_number_text(content->pool, worst->relative_l2, LFM_NUMBER_PLAIN),
                                              worst_candidate->label, worst->layer, worst->point));
}

static void routing_sentence(struct lfm_content *content, const struct lfm_document *document)
{
    const struct lfm_load *load = &document->loads[0];
    const struct lfm_load_layer *found = NULL;
    double share = -1;
    size_t expert = 0;
    for (size_t l = 0; l < load->n_layers; l++)
        for (size_t e = 0; e < load->layers[l].n_load; e++) {
            double times = load->layers[l].load[e] * (double)load->layers[l].n_load;
            if (times <= share) continue;
            share = times;
            expert = e;
            found = &load->layers[l];
        }
    if (!found) return;
    lfm_content_lead(content, lfm_pool_printf(content->pool,
                                              "The busiest expert of %s, number %zu of layer %zu, is chosen "
                                              "%s times as often as an even load would have it.",
                                              load->label, expert, found->layer,
                                              lfm_number_text(content->pool, share, LFM_NUMBER_FIXED2)));
}

/* What flips in one format over all suites. */
struct flips {
    const char *label;
    double lost, gained;
};

static size_t count_flips(const struct lfm_documents *documents, struct flips *flips, size_t most)
{
    size_t count = 0;
    for (size_t d = 0; d < documents->count; d++)
        for (size_t r = 1; r < documents->items[d].n_runs; r++) {
            const struct lfm_task_run *run = &documents->items[d].runs[r];
            size_t at = 0;
            while (at < count && strcmp(flips[at].label, run->label) != 0) at++;
            if (at == most || isnan(run->lost) || isnan(run->gained)) continue;
            if (at == count) flips[count++] = (struct flips){.label = run->label};
            flips[at].lost += run->lost;
            flips[at].gained += run->gained;
        }
    return count;
}

static const char *flip_text(struct lfm_pool *pool, const struct flips *flips)
{
    if (flips->lost == 0 && flips->gained == 0) return lfm_pool_printf(pool, "%s none", flips->label);
    return lfm_pool_printf(pool, "%s %.0f to wrong and %.0f to right", flips->label, flips->lost, flips->gained);
}

static void task_sentence(struct lfm_content *content, const struct lfm_documents *documents)
{
    struct lfm_pool *pool = content->pool;
    struct flips flips[6];
    const char *parts[6] = {"", "", "", "", "", ""}, *suites[6] = {"", "", "", "", "", ""};
    double items = 0;
    size_t n_suites = 0, n = count_flips(documents, flips, COUNT(flips));
    for (size_t d = 0; d < documents->count; d++) {
        if (documents->items[d].n_runs < 2) continue;
        if (n_suites < COUNT(suites)) suites[n_suites++] = lfm_suite_title(documents->items[d].suite);
        items += documents->items[d].items;
    }
    for (size_t i = 0; i < n; i++) parts[i] = flip_text(pool, &flips[i]);
    if (n == 0 || isnan(items)) return;
    lfm_content_lead(content,
                     lfm_pool_printf(pool, "Of the answers to %s tasks (%s), these flip: %s.",
                                     lfm_number_text(pool, items, LFM_NUMBER_COUNT), joined(pool, suites, n_suites),
                                     joined(pool, parts, n)));
}

void lfm_answer(struct lfm_content *content, const struct lfm_documents *documents)
{
    size_t n = 0;
    for (size_t i = 0; i < documents->count; i++) {
        const struct lfm_document *document = &documents->items[i];
        if (document->kind != LFM_DOCUMENT_COMPARE) continue;
        compare_sentences(content, document);
        if (n == 0) task_sentence(content, documents);
        format_table(content, document, ++n);
    }
    if (n > 0) return;
    task_sentence(content, documents);
    for (size_t i = 0; i < documents->count; i++) {
        if (documents->items[i].kind == LFM_DOCUMENT_TRACES) trace_sentence(content, &documents->items[i]);
        if (documents->items[i].kind == LFM_DOCUMENT_ROUTING) routing_sentence(content, &documents->items[i]);
    }
}
