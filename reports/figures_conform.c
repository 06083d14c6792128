/* Conformance: what `conform` found of a runtime, check by check. */
#include "reports/figures.h"

#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof *(array))

/* Tables without a plot: agreement is yes or no. */
static void conform_table(struct lfm_content *content, const struct lfm_document *document, size_t n)
{
    static const struct lfm_column columns[] = {
        {"check", "Check", false},         {"required", "Required", true},   {"given", "Given", true},
        {"agree", "Agree", true},          {"not_required", "Not required", true}, {"worst", "Largest deviation", true},
        {"tolerance", "Tolerance", true},  {"verdict", "Verdict", false},    {"failure", "First that fails", false},
    };
    struct lfm_pool *pool = content->pool;
    const char *runtime = document->model[0] ? document->model : "a runtime that does not say its name";
    const char *caption = lfm_pool_printf(
        pool, "%s held against a conformance pack, class %s. Deviations are those of cases that the class requires; near ties "
              "of routers and what depends on them are counted beside.%s%s", runtime, document->arithmetic,
        document->diagnosis[0] ? " The routers follow another rule: " : "", document->diagnosis);
    struct lfm_table *table =
        lfm_table_new(pool, lfm_figure_id(pool, "conform", n), caption, &document->source, columns, COUNT(columns));
    for (size_t i = 0; i < document->n_checks; i++) {
        const struct lfm_agreement_check *check = &document->checks[i];
        if (strcmp(check->verdict, "not given") == 0) continue;
        lfm_table_text(table, check->name);
        lfm_table_number(table, check->required, LFM_NUMBER_COUNT);
        lfm_table_number(table, check->given, LFM_NUMBER_COUNT);
        lfm_table_number(table, check->agree, LFM_NUMBER_COUNT);
        lfm_table_number(table, check->not_required, LFM_NUMBER_COUNT);
        lfm_table_number(table, check->worst, LFM_NUMBER_PLAIN);
        lfm_table_number(table, check->tolerance, LFM_NUMBER_PLAIN);
        lfm_table_text(table, check->verdict);
        lfm_table_text(table, check->failure);
    }
    lfm_content_table(content, table, false);
}

void lfm_figure_conform(struct lfm_content *content, const struct lfm_documents *documents)
{
    size_t n = 0;
    for (size_t i = 0; i < documents->count; i++)
        if (documents->items[i].kind == LFM_DOCUMENT_CONFORM) conform_table(content, &documents->items[i], ++n);
}
