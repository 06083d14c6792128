/* eval --against: the reference and its variants, see evaluation.h. */
#include "eval/command/evaluation.h"
#include "eval/harness/paired.h"
#include "reference/base/file.h"
#include "reference/base/memory.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The reference first, then the variants, in the order of the command line. */
struct comparison {
    const struct lfm_evaluation *evaluation;
    char *names; /* owned: the list, its commas turned into ends of strings */
    struct lfm_variant variants[1 + LFM_MOST_VARIANTS];
    size_t n; /* with the reference */
};

/* Unknown types and types named twice fail before anything runs. */
static enum lfm_status add_name(struct comparison *comparison, const char *name, struct lfm_error *error)
{
    const struct lfm_model_arguments arguments = {name, comparison->evaluation->weights.scale};
    struct lfm_model_options options;
    LFM_TRY(lfm_model_options_parse(&options, &arguments, error));
    for (size_t i = 1; i < comparison->n; i++)
        if (strcmp(comparison->variants[i].name, name) == 0)
            return lfm_fail(error, LFM_ERROR_ARGUMENT, "--against names '%s' twice", name);
    if (comparison->n > LFM_MOST_VARIANTS)
        return lfm_fail(error, LFM_ERROR_LIMIT, "--against takes at most %d types", LFM_MOST_VARIANTS);
    comparison->variants[comparison->n++].name = name;
    return LFM_OK;
}

static enum lfm_status read_names(struct comparison *comparison, struct lfm_error *error)
{
    const char *list = comparison->evaluation->against;
    LFM_TRY(lfm_copy_string(&comparison->names, list, strlen(list), error));
    comparison->variants[comparison->n++].name = "reference";
    for (char *name = comparison->names, *comma; name; name = comma ? comma + 1 : NULL) {
        comma = strchr(name, ',');
        if (comma) *comma = '\0';
        LFM_TRY(add_name(comparison, name, error));
    }
    return LFM_OK;
}

static enum lfm_status run_variant(const struct comparison *comparison, size_t index, struct lfm_variant *variant,
                                   struct lfm_error *error)
{
    const struct lfm_evaluation *evaluation = comparison->evaluation;
    struct lfm_evaluation_result result;
    char *directory;
    LFM_TRY(lfm_join_path(&directory, evaluation->output, variant->name, error));
    enum lfm_status status =
        lfm_evaluate(evaluation, directory, index == 0 ? evaluation->weights.weights : variant->name, &result, error);
    free(directory);
    if (status != LFM_OK) return status;
    variant->right = result.right;
    variant->bits_per_weight = result.bits_per_weight;
    result.right = NULL;
    lfm_evaluation_result_release(&result);
    return LFM_OK;
}

static cJSON *describe(const struct comparison *comparison)
{
    const struct lfm_evaluation *evaluation = comparison->evaluation;
    const struct lfm_variant *variants = comparison->variants + 1;
    struct lfm_paired paired[LFM_MOST_VARIANTS];
    cJSON *document = lfm_json_document("eval-against", evaluation->argc, evaluation->argv);
    cJSON_AddStringToObject(document, "suite", evaluation->task.suite->name);
    cJSON_AddNumberToObject(document, "items", (double)evaluation->task.n_items);
    lfm_json_add_number(document, "margin", evaluation->margin);
    lfm_compare_variants(paired, comparison->variants[0].right, variants, comparison->n - 1,
                         evaluation->task.n_items, evaluation->margin);
    lfm_add_variants(document, &evaluation->task, &comparison->variants[0], variants, paired, comparison->n - 1);
    return document;
}

static enum lfm_status write_document(const struct comparison *comparison, const cJSON *document,
                                      struct lfm_error *error)
{
    struct lfm_buffer text = {0};
    char *path;
    LFM_TRY(lfm_join_path(&path, comparison->evaluation->output, "summary.json", error));
    enum lfm_status status = lfm_json_print(&text, document, error);
    if (status == LFM_OK) status = lfm_write_file(path, text.data, text.length, error);
    lfm_buffer_release(&text);
    free(path);
    return status;
}

enum lfm_status lfm_evaluate_against(const struct lfm_evaluation *evaluation, cJSON **document,
                                     struct lfm_error *error)
{
    struct comparison comparison = {.evaluation = evaluation};
    *document = NULL;
    enum lfm_status status = read_names(&comparison, error);
    for (size_t i = 0; i < comparison.n && status == LFM_OK; i++)
        status = run_variant(&comparison, i, &comparison.variants[i], error);
    if (status == LFM_OK) {
        *document = describe(&comparison);
        status = write_document(&comparison, *document, error);
    }
    for (size_t i = 0; i < comparison.n; i++) free(comparison.variants[i].right);
    free(comparison.names);
    if (status == LFM_OK) return LFM_OK;
    cJSON_Delete(*document);
    *document = NULL;
    return status;
}

/* --- the table --- */

static double number(const cJSON *object, const char *key)
{
    const cJSON *member = cJSON_GetObjectItemCaseSensitive(object, key);
    return cJSON_IsNumber(member) ? member->valuedouble : NAN;
}

static const cJSON *member_of(const cJSON *object, const char *key)
{
    return cJSON_GetObjectItemCaseSensitive(object, key);
}

static void print_score(const cJSON *run)
{
    const cJSON *correct = member_of(run, "correct");
    printf("%-10s %6.2f %7.2f  [%5.1f, %5.1f]", member_of(run, "name")->valuestring, number(run, "bits_per_weight"),
           100 * number(correct, "accuracy"), 100 * number(correct, "low"), 100 * number(correct, "high"));
}

static void print_variant(const cJSON *variant)
{
    const cJSON *difference = member_of(variant, "difference"), *equivalence = member_of(variant, "equivalence");
    const char *verdict = member_of(equivalence, "verdict")->valuestring;
    print_score(variant);
    printf(" %4d %4d  %+6.1f  [%+5.1f, %+5.1f]  %6.4f %6.4f %6.4f  %s", cJSON_GetArraySize(member_of(variant, "lost")),
           cJSON_GetArraySize(member_of(variant, "gained")), 100 * number(difference, "value"),
           100 * number(difference, "low"), 100 * number(difference, "high"), number(variant, "mcnemar_exact"),
           number(variant, "mcnemar_mid_p"), number(variant, "holm"), verdict);
    double needed = number(equivalence, "items_needed");
    if (strcmp(verdict, "UNDECIDED") == 0 && isfinite(needed)) printf(", about %.0f more items", needed);
    printf("\n");
}

void lfm_print_comparison(const cJSON *comparison)
{
    printf("%s, %.0f items: right %% with 95 %% Wilson interval, flips against the reference, difference with 95 %% "
           "Newcombe\ninterval, McNemar's p (exact, mid-p, exact adjusted by Holm), equivalence within %.1f points\n\n",
           member_of(comparison, "suite")->valuestring, number(comparison, "items"), 100 * number(comparison, "margin"));
    printf("%-10s %6s %7s  %-14s %4s %4s  %6s  %-14s  %6s %6s %6s  %s\n", "weights", "bits", "right", "", "lost", "won",
           "diff", "", "p", "mid-p", "Holm", "verdict");
    print_score(member_of(comparison, "reference"));
    printf("\n");
    const cJSON *variants = member_of(comparison, "variants");
    for (const cJSON *variant = variants->child; variant; variant = variant->next) print_variant(variant);
}
