/* What a gate found: a sentence and a table on top of the page. */
#include "reports/figures.h"

#include <math.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof *(array))

static const char *plural(size_t n)
{
    return n == 1 ? "" : "s";
}

static void change_sentence(struct lfm_content *content, const struct lfm_gate *gate)
{
    size_t changed = 0;
    for (size_t i = 0; i < gate->n_checks; i++) changed += gate->checks[i].value != gate->checks[i].baseline;
    lfm_content_lead(content, lfm_pool_printf(content->pool, "Of %zu figure%s that the baseline has too, %zu changed.",
                                              gate->n_checks, plural(gate->n_checks), changed));
}

/* "kld of demo-model: Q4_0 is 0.00302, limit 0.00285", with all digits where these would look the same; "score of ifeval,
 * demo-model: Q4_0 is gone" */
static const char *failure_text(struct lfm_pool *pool, const struct lfm_gate_check *check)
{
    const char *metric = check->metric, *subject = check->subject;
    if (strcmp(check->verdict, "fails") != 0) return lfm_pool_printf(pool, "%s of %s is %s", metric, subject, check->verdict);
    const char *value = lfm_number_text(pool, check->value, LFM_NUMBER_PLAIN);
    const char *limit = lfm_number_text(pool, check->limit, LFM_NUMBER_PLAIN);
    if (strcmp(value, limit) == 0) {
        value = lfm_pool_printf(pool, "%.17g", check->value);
        limit = lfm_pool_printf(pool, "%.17g", check->limit);
    }
    return lfm_pool_printf(pool, "%s of %s is %s, limit %s", metric, subject, value, limit);
}

static void gate_sentence(struct lfm_content *content, const struct lfm_gate *gate)
{
    struct lfm_pool *pool = content->pool;
    const char *failed = "";
    size_t named = 0;
    for (size_t i = 0; i < gate->n_checks && named < 3; i++) {
        const struct lfm_gate_check *check = &gate->checks[i];
        if (!check->fails) continue;
        failed = lfm_pool_printf(pool, "%s%s%s", failed, named ? "; " : "", failure_text(pool, check));
        named++;
    }
    if (gate->n_failed == 0)
        lfm_content_lead(content, lfm_pool_printf(pool, "The gate holds: %zu check%s of %zu rule%s.", gate->n_judged,
                                                  plural(gate->n_judged), gate->n_rules, plural(gate->n_rules)));
    else
        lfm_content_lead(content, lfm_pool_printf(pool, "The gate does not hold: %zu of %zu check%s of %zu rule%s fail%s: %s%s.",
                                                  gate->n_failed, gate->n_judged, plural(gate->n_judged), gate->n_rules,
                                                  plural(gate->n_rules), gate->n_failed == 1 ? "s" : "", failed,
                                                  gate->n_failed > named ? "; ..." : ""));
}

void lfm_gate_block(struct lfm_content *content, const struct lfm_gate *gate)
{
    static const struct lfm_column columns[] = {
        {"subject", "Result", false}, {"figure", "Figure", false}, {"baseline", "Baseline", true}, {"now", "Now", true},
        {"change", "Change", true},   {"rule", "Rule", false},     {"limit", "Limit", true},       {"verdict", "Verdict", false},
    };
    struct lfm_pool *pool = content->pool;
    const struct lfm_source source = {gate->n_checks ? gate->checks[0].file : "", ""};
    const char *caption = gate->n_rules == 0
                              ? "Figures beside those of the baseline."
                              : "Figures under the rules of the gate. New results have no counterpart in the baseline and are not "
                                "judged; gone are those that only the baseline has; figures of other numbers of positions or "
                                "items are not comparable.";
    if (gate->n_rules > 0) gate_sentence(content, gate);
    else change_sentence(content, gate);
    struct lfm_table *table = lfm_table_new(pool, "gate", caption, &source, columns, COUNT(columns));
    for (size_t i = 0; i < gate->n_checks; i++) {
        const struct lfm_gate_check *check = &gate->checks[i];
        lfm_table_text(table, check->subject);
        lfm_table_text(table, check->metric);
        lfm_table_number(table, check->baseline, LFM_NUMBER_PLAIN);
        lfm_table_number(table, check->value, LFM_NUMBER_PLAIN);
        lfm_table_number(table, check->value - check->baseline, LFM_NUMBER_PLAIN);
        lfm_table_text(table, check->rule ? check->rule : "");
        lfm_table_number(table, check->limit, LFM_NUMBER_PLAIN);
        lfm_table_text(table, check->verdict);
    }
    lfm_content_table(content, table, false);
}
