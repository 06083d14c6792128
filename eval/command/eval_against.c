/* eval --against: the reference and its variants, see evaluation.h. */
#include "eval/command/evaluation.h"
#include "reference/base/file.h"
#include "reference/base/memory.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* The reference first, then the variants, in the order of the command line. */
struct comparison {
    const struct lfm_evaluation *evaluation;
    struct lfm_eval_variant variants[1 + LFM_MOST_VARIANTS];
    size_t n;                              /* with the reference */
    cJSON *names;                          /* owned */
    struct lfm_evaluation_result *results; /* owned: [n, n_jobs] */
};

static void release(struct comparison *comparison)
{
    for (size_t i = 0; i < comparison->n; i++) {
        free(comparison->variants[i].name);
        free(comparison->variants[i].directory);
    }
    for (size_t i = 0; comparison->results && i < comparison->n * comparison->evaluation->n_jobs; i++)
        lfm_evaluation_result_release(&comparison->results[i]);
    free(comparison->results);
    cJSON_Delete(comparison->names);
}

/* --- the names --- */

/* A directory of the variant's name, in which "/" cannot stand. */
static enum lfm_status set_name(struct lfm_eval_variant *variant, const char *name, size_t length,
                                struct lfm_error *error)
{
    LFM_TRY(lfm_copy_string(&variant->name, name, length, error));
    LFM_TRY(lfm_copy_string(&variant->directory, name, length, error));
    for (char *slash = variant->directory; (slash = strchr(slash, '/')) != NULL;) *slash = '+';
    return LFM_OK;
}

/* Unknown types and variants named twice fail before anything runs. */
static enum lfm_status add_variant(struct comparison *comparison, const char *name, size_t length,
                                   struct lfm_error *error)
{
    if (comparison->n > LFM_MOST_VARIANTS)
        return lfm_fail(error, LFM_ERROR_LIMIT, "--against takes at most %d variants", LFM_MOST_VARIANTS);
    struct lfm_eval_variant *variant = &comparison->variants[comparison->n++];
    LFM_TRY(set_name(variant, name, length, error));
    cJSON_AddItemToArray(comparison->names, cJSON_CreateString(variant->name));
    for (size_t i = 1; i + 1 < comparison->n; i++)
        if (strcmp(comparison->variants[i].name, variant->name) == 0)
            return lfm_fail(error, LFM_ERROR_ARGUMENT, "--against names '%s' twice", variant->name);
    return lfm_model_variant_parse(&variant->arguments, variant->name, &comparison->evaluation->weights, error);
}

static enum lfm_status name_variants(struct comparison *comparison, struct lfm_error *error)
{
    static const char reference[] = "reference";
    comparison->names = cJSON_CreateArray();
    comparison->n = 1;
    comparison->variants[0].arguments = comparison->evaluation->weights;
    LFM_TRY(set_name(&comparison->variants[0], reference, sizeof reference - 1, error));
    cJSON_AddItemToArray(comparison->names, cJSON_CreateString(reference));
    const char *list = comparison->evaluation->against;
    for (const char *name = list; name; name = strchr(name, ',') ? strchr(name, ',') + 1 : NULL)
        LFM_TRY(add_variant(comparison, name, strcspn(name, ","), error));
    return LFM_OK;
}

/* --- the comparison --- */

static const char *text_of(const cJSON *object, const char *key)
{
    return cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(object, key));
}

struct lfm_variant lfm_variant_of(const char *name, const cJSON *summary, bool *right)
{
    const cJSON *bits = cJSON_GetObjectItemCaseSensitive(summary, "bits_per_weight");
    return (struct lfm_variant){
        .name = name,
        .weights = text_of(summary, "weights"),
        .activations = text_of(summary, "activations"),
        .kv = text_of(summary, "kv"),
        .bits_per_weight = cJSON_IsNumber(bits) ? bits->valuedouble : NAN,
        .finish = cJSON_GetObjectItemCaseSensitive(summary, "finish"),
        .generated_tokens = cJSON_GetObjectItemCaseSensitive(summary, "generated_tokens"),
        .right = right,
    };
}

/* The command that repeats the reference, with the variants. */
static enum lfm_status add_command(cJSON *document, const cJSON *reference, const struct lfm_variant *variants, size_t n,
                                   double margin, struct lfm_error *error)
{
    struct lfm_buffer command = {0};
    const char *repeats = text_of(reference, "command");
    enum lfm_status status = lfm_buffer_printf(&command, error, "%s --against ", repeats ? repeats : "lfmscope eval");
    for (size_t i = 1; i < n && status == LFM_OK; i++)
        status = lfm_buffer_printf(&command, error, "%s%s", i > 1 ? "," : "", variants[i].name);
    if (status == LFM_OK && margin != LFM_MARGIN) {
        status = lfm_buffer_puts(&command, " --margin ", error);
        if (status == LFM_OK) status = lfm_buffer_put_double(&command, margin, error);
    }
    if (status == LFM_OK) cJSON_AddStringToObject(document, "command", command.data);
    lfm_buffer_release(&command);
    return status;
}

enum lfm_status lfm_comparison(cJSON **out, const struct lfm_task *task, const struct lfm_variant *variants, size_t n,
                               double margin, const cJSON *reference, struct lfm_error *error)
{
    static const char *const shared[] = {"version", "suite", "model", "ids", "limit", "excluded"};
    struct lfm_paired paired[LFM_MOST_VARIANTS];
    cJSON *document = *out = cJSON_CreateObject();
    cJSON_AddStringToObject(document, "schema", "lfmscope-eval-against");
    for (size_t i = 0; i < sizeof shared / sizeof shared[0]; i++) {
        const cJSON *member = cJSON_GetObjectItemCaseSensitive(reference, shared[i]);
        if (member) cJSON_AddItemToObject(document, shared[i], cJSON_Duplicate(member, true));
        if (i == 0) LFM_TRY(add_command(document, reference, variants, n, margin, error));
    }
    cJSON_AddNumberToObject(document, "items", (double)task->n_items);
    lfm_json_add_number(document, "margin", margin);
    lfm_compare_variants(paired, variants[0].right, variants + 1, n - 1, task->n_items, margin);
    lfm_add_variants(document, task, &variants[0], variants + 1, paired, n - 1);
    return LFM_OK;
}

static enum lfm_status compare(const struct comparison *comparison, size_t job, cJSON **out, struct lfm_error *error)
{
    const struct lfm_evaluation *evaluation = comparison->evaluation;
    struct lfm_variant variants[1 + LFM_MOST_VARIANTS];
    char *directory;
    for (size_t i = 0; i < comparison->n; i++) {
        const struct lfm_evaluation_result *result = &comparison->results[i * evaluation->n_jobs + job];
        variants[i] = lfm_variant_of(comparison->variants[i].name, result->summary, result->right);
    }
    LFM_TRY(lfm_comparison(out, &evaluation->jobs[job].task, variants, comparison->n, evaluation->margin,
                           comparison->results[job].summary, error));
    LFM_TRY(lfm_job_directory(&directory, evaluation, &evaluation->jobs[job], error));
    enum lfm_status status = lfm_run_write_summary(directory, *out, error);
    free(directory);
    return status;
}

enum lfm_status lfm_evaluate_against(const struct lfm_evaluation *evaluation, cJSON **documents, struct lfm_error *error)
{
    struct comparison comparison = {.evaluation = evaluation};
    enum lfm_status status = name_variants(&comparison, error);
    if (status == LFM_OK) status = LFM_ALLOC(&comparison.results, comparison.n * evaluation->n_jobs, error);
    for (size_t i = 0; i < comparison.n && status == LFM_OK; i++)
        status = lfm_evaluate(evaluation, &comparison.variants[i], comparison.names,
                              comparison.results + i * evaluation->n_jobs, error);
    for (size_t i = 0; i < evaluation->n_jobs && status == LFM_OK; i++)
        status = compare(&comparison, i, &documents[i], error);
    release(&comparison);
    return status;
}
