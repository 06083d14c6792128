/* Rules that figures must keep: see gate.h. */
#include "reports/gate.h"

#include "reports/read.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* A figure of a result file: whose, of what, and from how many positions or items. */
struct figure {
    const char *subject, *metric, *file;
    enum lfm_document_kind kind;
    double value, n;
};

struct figures {
    struct lfm_pool *pool;
    struct figure *items;
    size_t count, capacity;
};

/* Which way is worse. */
static const struct metric {
    const char *name;
    bool more_is_worse;
} metrics[] = {
    {"kld", true}, {"kld_p99", true}, {"perplexity_ratio", true}, {"top1_agreement", false}, {"router_overlap", false},
    {"score", false}, {"bytes_per_token", true}, {0},
};

struct rule {
    const char *text;
    const struct metric *metric;
    bool relative, percent; /* to the baseline's figure; in per cent of it */
    double amount;          /* to the worse side where relative */
};

const char *lfm_gate_metrics(struct lfm_pool *pool)
{
    const char *text = "";
    for (const struct metric *metric = metrics; metric->name; metric++)
        text = lfm_pool_printf(pool, "%s%s%s", text, metric == metrics ? "" : ", ", metric->name);
    return text;
}

/* --- the figures of result files --- */

static void add_figure(struct figures *figures, const struct lfm_document *document, const char *subject, const char *metric,
                       double value, double n)
{
    if (isnan(value)) return;
    struct figure *items =
        lfm_pool_grow(figures->pool, figures->items, &figures->capacity, figures->count + 1, sizeof *items);
    if (!items) return;
    figures->items = items;
    items[figures->count++] = (struct figure){subject, metric, document->source.file, document->kind, value, n};
}

static void add_comparison(struct figures *figures, const struct lfm_document *document)
{
    for (size_t i = 0; i < document->n_candidates; i++) {
        const struct lfm_candidate *candidate = &document->candidates[i];
        const char *model = lfm_base_name(document->reference.name);
        const char *subject = lfm_pool_printf(figures->pool, "%s: %s", model, candidate->label);
        const struct lfm_shift *router = &candidate->router;
        double n = document->positions;
        add_figure(figures, document, subject, "kld", candidate->kld_mean, n);
        add_figure(figures, document, subject, "kld_p99", candidate->kld_p99, n);
        add_figure(figures, document, subject, "perplexity_ratio", candidate->perplexity_ratio, n);
        add_figure(figures, document, subject, "top1_agreement", candidate->top1_agreement, n);
        add_figure(figures, document, subject, "router_overlap", router->present ? router->overlap : (double)NAN, n);
    }
}

static void add_tasks(struct figures *figures, const struct lfm_document *document)
{
    for (size_t i = 0; i < document->n_runs; i++) {
        const struct lfm_task_run *run = &document->runs[i];
        const char *subject =
            lfm_pool_printf(figures->pool, "%s, %s: %s", document->suite, document->model, run->label);
        add_figure(figures, document, subject, "score", run->correct.accuracy, run->correct.n);
    }
}

static void add_speeds(struct figures *figures, const struct lfm_document *document)
{
    for (size_t i = 0; i < document->n_speeds; i++) {
        const struct lfm_speed *speed = &document->speeds[i];
        const char *subject = lfm_pool_printf(figures->pool, "%s: %s, batch %.0f, context %.0f", document->model, speed->label,
                                              speed->batch, speed->context);
        add_figure(figures, document, subject, "bytes_per_token", speed->bytes_per_token, speed->batch);
    }
}

static void collect(struct figures *figures, const struct lfm_documents *documents)
{
    for (size_t i = 0; documents && i < documents->count; i++) {
        const struct lfm_document *document = &documents->items[i];
        if (document->kind == LFM_DOCUMENT_COMPARE) add_comparison(figures, document);
        if (document->kind == LFM_DOCUMENT_TASKS) add_tasks(figures, document);
        if (document->kind == LFM_DOCUMENT_BENCH) add_speeds(figures, document);
    }
}

static bool same_figure(const struct figure *a, const struct figure *b)
{
    return a->kind == b->kind && strcmp(a->metric, b->metric) == 0 && strcmp(a->subject, b->subject) == 0;
}

/* The figure of `others` that figures->items[at] goes with: of several that are alike the first with the first, and so on. */
static const struct figure *counterpart(const struct figures *figures, size_t at, const struct figures *others)
{
    const struct figure *figure = &figures->items[at];
    size_t before = 0;
    for (size_t i = 0; i < at; i++) before += same_figure(&figures->items[i], figure);
    for (size_t i = 0; i < others->count; i++)
        if (same_figure(&others->items[i], figure) && before-- == 0) return &others->items[i];
    return NULL;
}

/* --- rules --- */

static enum lfm_status read_rule(struct rule *rule, struct lfm_pool *pool, const char *text, struct lfm_error *error)
{
    const char *equals = strchr(text, '=');
    size_t length = equals ? (size_t)(equals - text) : strlen(text);
    *rule = (struct rule){.text = text};
    for (const struct metric *metric = metrics; metric->name; metric++)
        if (strlen(metric->name) == length && memcmp(metric->name, text, length) == 0) rule->metric = metric;
    if (!equals || !rule->metric)
        return lfm_fail(error, LFM_ERROR_ARGUMENT, "cannot read the rule '%s': expected METRIC=LIMIT with one of %s", text,
                        lfm_gate_metrics(pool));
    char *end;
    char sign = equals[1], worse = rule->metric->more_is_worse ? '+' : '-';
    errno = 0;
    rule->amount = strtod(equals + 1, &end);
    rule->relative = sign == '+' || sign == '-';
    rule->percent = *end == '%';
    if (errno || end == equals + 1 || end[rule->percent] || !isfinite(rule->amount) || (rule->percent && !rule->relative))
        return lfm_fail(error, LFM_ERROR_ARGUMENT, "cannot read the limit of '%s': expected a number, %cNUMBER or %cNUMBER%%",
                        text, worse, worse);
    if (rule->relative && sign != worse)
        return lfm_fail(error, LFM_ERROR_ARGUMENT, "'%s' asks for an improvement: %s is worse when it %s; use '%c'", text,
                        rule->metric->name, worse == '+' ? "rises" : "falls", worse);
    return LFM_OK;
}

static double limit_of(const struct rule *rule, double baseline)
{
    if (!rule->relative) return rule->amount;
    return baseline + (rule->percent ? fabs(baseline) * rule->amount / 100 : rule->amount);
}

/* --- checks --- */

static void add_check(struct lfm_gate *gate, struct lfm_pool *pool, struct lfm_gate_check check)
{
    struct lfm_gate_check *checks =
        lfm_pool_grow(pool, gate->checks, &gate->capacity, gate->n_checks + 1, sizeof *checks);
    if (!checks) return;
    gate->checks = checks;
    checks[gate->n_checks++] = check;
    gate->n_failed += check.fails;
}

static void judge(struct lfm_gate_check *check, const struct rule *rule, const struct figure *now, const struct figure *before)
{
    if (!rule->relative || before) check->limit = limit_of(rule, check->baseline);
    if (rule->relative && !before) {
        check->verdict = "new";
        return;
    }
    bool comparable = !rule->relative || now->n == before->n || (isnan(now->n) && isnan(before->n));
    bool holds = rule->metric->more_is_worse ? check->value <= check->limit : check->value >= check->limit;
    check->fails = !comparable || !holds;
    check->verdict = !comparable ? "not comparable" : holds ? "holds" : "fails";
}

/* Every figure of the rule's metric; then those of the baseline that are there no more. Returns how many were judged. */
static size_t apply(struct lfm_gate *gate, const struct rule *rule, const struct figures *now, const struct figures *before)
{
    size_t judged = 0;
    for (size_t i = 0; i < now->count; i++) {
        const struct figure *figure = &now->items[i], *other = counterpart(now, i, before);
        if (strcmp(figure->metric, rule->metric->name) != 0) continue;
        struct lfm_gate_check check = {rule->text, figure->metric, figure->subject, figure->file,
                                       other ? other->value : (double)NAN, figure->value, (double)NAN, "", false};
        judge(&check, rule, figure, other);
        judged += strcmp(check.verdict, "new") != 0;
        add_check(gate, now->pool, check);
    }
    for (size_t i = 0; i < before->count; i++) {
        const struct figure *figure = &before->items[i];
        if (strcmp(figure->metric, rule->metric->name) != 0 || counterpart(before, i, now)) continue;
        add_check(gate, now->pool, (struct lfm_gate_check){rule->text, figure->metric, figure->subject, figure->file,
                                                           figure->value, (double)NAN, (double)NAN, "gone", true});
        judged++;
    }
    return judged;
}

static enum lfm_status apply_list(struct lfm_gate *gate, const char *list, const struct figures *now,
                                  const struct figures *before, struct lfm_error *error)
{
    if (!*list) return lfm_fail(error, LFM_ERROR_ARGUMENT, "there is no rule in ''");
    for (size_t length; *list; list += length + (list[length] == ',')) {
        length = strcspn(list, ",");
        struct rule rule;
        const char *text = lfm_pool_printf(now->pool, "%.*s", (int)length, list);
        LFM_TRY(read_rule(&rule, now->pool, text, error));
        if (rule.relative && !gate->against)
            return lfm_fail(error, LFM_ERROR_ARGUMENT, "the rule '%s' wants an earlier report: give its results by --baseline",
                            text);
        size_t judged = apply(gate, &rule, now, before);
        if (judged == 0)
            return lfm_fail(error, LFM_ERROR_MISMATCH, "the rule '%s' judges nothing: no result has this figure%s", text,
                            rule.relative ? " and a counterpart in the baseline" : "");
        gate->n_judged += judged;
        gate->n_rules++;
    }
    return LFM_OK;
}

/* Without rules: what there is on both sides. */
static void show(struct lfm_gate *gate, const struct figures *now, const struct figures *before)
{
    for (size_t i = 0; i < now->count; i++) {
        const struct figure *figure = &now->items[i], *other = counterpart(now, i, before);
        if (other)
            add_check(gate, now->pool, (struct lfm_gate_check){NULL, figure->metric, figure->subject, figure->file,
                                                               other->value, figure->value, (double)NAN, "", false});
    }
}

enum lfm_status lfm_gate_judge(struct lfm_gate *gate, struct lfm_pool *pool, const struct lfm_documents *now,
                               const struct lfm_documents *baseline, const char *const *rules, size_t n_rules,
                               struct lfm_error *error)
{
    struct figures current = {.pool = pool}, before = {.pool = pool};
    *gate = (struct lfm_gate){.against = baseline != NULL};
    collect(&current, now);
    collect(&before, baseline);
    for (size_t i = 0; i < n_rules; i++) LFM_TRY(apply_list(gate, rules[i], &current, &before, error));
    if (n_rules == 0) show(gate, &current, &before);
    return lfm_pool_check(pool, error);
}
