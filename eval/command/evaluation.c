/* One run of `eval`: see evaluation.h. */
#include "eval/command/evaluation.h"

#include "eval/backends/local.h"
#include "reference/base/memory.h"
#include "reference/model/model.h"

#include <stdlib.h>

void lfm_evaluation_result_release(struct lfm_evaluation_result *result)
{
    cJSON_Delete(result->summary);
    free(result->right);
    *result = (struct lfm_evaluation_result){0};
}

static enum lfm_status open_model(const struct lfm_evaluation *evaluation, const char *weights,
                                  struct lfm_model **model, struct lfm_error *error)
{
    const struct lfm_model_arguments arguments = {weights, evaluation->weights.scale};
    struct lfm_model_options options;
    struct lfm_progress progress;
    LFM_TRY(lfm_model_options_parse(&options, &arguments, error));
    lfm_progress_start(&progress, weights ? "quantizing" : "loading", "matrices", 0, evaluation->common.quiet);
    options.progress = &progress;
    enum lfm_status status = lfm_model_open(model, evaluation->model, &options, error);
    lfm_progress_finish(&progress);
    return status;
}

static enum lfm_status open_backend(const struct lfm_evaluation *evaluation, const char *weights,
                                    const struct lfm_model *model, struct lfm_backend *backend, struct lfm_error *error)
{
    struct lfm_progress progress;
    const struct lfm_local_options options = {
        .sampling = evaluation->sampling,
        .max_tokens = evaluation->max_tokens,
        .batch = evaluation->batch,
        .scale = weights ? evaluation->weights.scale : NULL,
        .date = evaluation->date,
        .progress = &progress,
    };
    lfm_progress_start(&progress, "hashing", "bytes", 0, evaluation->common.quiet);
    enum lfm_status status = lfm_local_backend_open(backend, model, &options, error);
    lfm_progress_finish(&progress);
    return status;
}

static void add_selection(cJSON *document, const struct lfm_evaluation *evaluation)
{
    if (evaluation->ids) cJSON_AddStringToObject(document, "ids", evaluation->ids);
    if (evaluation->exclude) cJSON_AddStringToObject(document, "excluded", evaluation->exclude);
    if (evaluation->limit) cJSON_AddNumberToObject(document, "limit", (double)evaluation->limit);
}

static cJSON *describe(const struct lfm_evaluation *evaluation, const struct lfm_backend *backend)
{
    cJSON *run = lfm_json_document("run", evaluation->argc, evaluation->argv);
    cJSON_AddStringToObject(run, "suite", evaluation->task.suite->name);
    cJSON_AddStringToObject(run, "data_sha256", evaluation->data_sha256);
    backend->describe(backend->context, run);
    cJSON_AddNumberToObject(run, "seed", (double)evaluation->task.seed);
    cJSON_AddNumberToObject(run, "samples_per_item", (double)evaluation->task.samples);
    add_selection(run, evaluation);
    return run;
}

static void copy_member(cJSON *to, const cJSON *from, const char *key)
{
    cJSON_AddItemToObject(to, key, cJSON_Duplicate(cJSON_GetObjectItemCaseSensitive(from, key), true));
}

static enum lfm_status summarise(const struct lfm_evaluation *evaluation, const cJSON *description, cJSON *const *table,
                                 struct lfm_evaluation_result *result, struct lfm_error *error)
{
    size_t n = evaluation->task.n_items * evaluation->task.samples;
    cJSON *summary = result->summary = lfm_json_document("eval", evaluation->argc, evaluation->argv);
    copy_member(summary, description, "suite");
    copy_member(summary, description, "model");
    copy_member(summary, description, "weights");
    copy_member(summary, description, "bits_per_weight");
    add_selection(summary, evaluation);
    LFM_TRY(LFM_ALLOC(&result->right, n, error));
    for (size_t i = 0; i < n; i++) result->right[i] = lfm_sample_correct(table[i]);
    return lfm_task_summarise(&evaluation->task, table, summary, error);
}

static enum lfm_status run(const struct lfm_evaluation *evaluation, const char *directory,
                           const struct lfm_backend *backend, const cJSON *description,
                           struct lfm_evaluation_result *result, struct lfm_error *error)
{
    const struct lfm_task *task = &evaluation->task;
    struct lfm_run directory_run;
    struct lfm_progress progress;
    cJSON **table = NULL;
    LFM_TRY(lfm_run_open(&directory_run, directory, description, error));
    lfm_progress_start(&progress, task->suite->name, "samples", 0, evaluation->common.quiet);
    enum lfm_status status = lfm_task_run(task, backend, &directory_run, &progress, &table, error);
    lfm_progress_finish(&progress);
    if (status == LFM_ERROR_STOPPED)
        lfm_set_error(error, status, "interrupted; the same command goes on with '%s'", directory);
    if (status == LFM_OK) status = summarise(evaluation, description, table, result, error);
    if (status == LFM_OK) status = lfm_run_write_summary(&directory_run, result->summary, error);
    free(table);
    lfm_run_close(&directory_run);
    return status;
}

enum lfm_status lfm_evaluate(const struct lfm_evaluation *evaluation, const char *directory, const char *weights,
                             struct lfm_evaluation_result *result, struct lfm_error *error)
{
    struct lfm_model *model = NULL;
    struct lfm_backend backend = {0};
    *result = (struct lfm_evaluation_result){0};
    enum lfm_status status = open_model(evaluation, weights, &model, error);
    if (status == LFM_OK) status = open_backend(evaluation, weights, model, &backend, error);
    if (status == LFM_OK) {
        cJSON *description = describe(evaluation, &backend);
        result->bits_per_weight = lfm_model_bits_per_weight(model);
        status = run(evaluation, directory, &backend, description, result, error);
        cJSON_Delete(description);
        backend.close(backend.context);
    }
    lfm_model_close(model);
    if (status != LFM_OK) lfm_evaluation_result_release(result);
    return status;
}
