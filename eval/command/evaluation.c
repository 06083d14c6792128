/* One model through every suite: see evaluation.h. */
#include "eval/command/evaluation.h"

#include "reference/base/file.h"
#include "reference/base/memory.h"

#include <stdlib.h>
#include <string.h>

void lfm_evaluation_result_release(struct lfm_evaluation_result *result)
{
    cJSON_Delete(result->summary);
    free(result->right);
    *result = (struct lfm_evaluation_result){0};
}

enum lfm_status lfm_job_directory(char **out, const struct lfm_evaluation *evaluation, const struct lfm_job *job,
                                  struct lfm_error *error)
{
    if (evaluation->n_jobs > 1) return lfm_join_path(out, evaluation->output, job->suite->name, error);
    return lfm_copy_string(out, evaluation->output, strlen(evaluation->output), error);
}

/* A run of one model and the runs of a comparison would overwrite each other's summary. */
static enum lfm_status refuse_other_kind(const char *directory, const struct lfm_eval_variant *variant,
                                         struct lfm_error *error)
{
    char *path;
    LFM_TRY(lfm_join_path(&path, directory, variant->directory ? "run.json" : "reference/run.json", error));
    bool there = lfm_file_exists(path);
    free(path);
    if (!there) return LFM_OK;
    return lfm_fail(error, LFM_ERROR_MISMATCH, "'%s' holds %s; choose another --output", directory,
                    variant->directory ? "a run without --against" : "runs that were made with --against");
}

static enum lfm_status run_directory(char **out, const struct lfm_evaluation *evaluation, const struct lfm_job *job,
                                     const struct lfm_eval_variant *variant, struct lfm_error *error)
{
    char *above;
    LFM_TRY(lfm_job_directory(&above, evaluation, job, error));
    enum lfm_status status = refuse_other_kind(above, variant, error);
    if (status != LFM_OK) {
        free(above);
        return status;
    }
    if (!variant->directory) {
        *out = above;
        return LFM_OK;
    }
    status = lfm_join_path(out, above, variant->directory, error);
    free(above);
    return status;
}

/* run.json */
static enum lfm_status describe(cJSON **out, const struct lfm_evaluation *evaluation, const struct lfm_job *job,
                                const struct lfm_eval_variant *variant, const cJSON *names,
                                const struct lfm_backend *backend, struct lfm_error *error)
{
    struct lfm_buffer repeats = {0};
    LFM_TRY(lfm_evaluation_repeats(&repeats, evaluation, job, &variant->arguments, error));
    cJSON *run = *out = lfm_json_document("run", evaluation->argc, evaluation->argv);
    cJSON_AddStringToObject(run, "repeats", repeats.data);
    lfm_buffer_release(&repeats);
    cJSON_AddStringToObject(run, "suite", job->suite->name);
    cJSON_AddStringToObject(run, "data", job->path);
    cJSON_AddStringToObject(run, "data_sha256", job->data_sha256);
    backend->describe(backend->context, run);
    cJSON_AddNumberToObject(run, "seed", (double)job->task.seed);
    cJSON_AddNumberToObject(run, "samples_per_item", (double)job->task.samples);
    lfm_selection_describe(run, &evaluation->selection);
    if (!variant->name) return LFM_OK;
    cJSON_AddStringToObject(run, "variant", variant->name);
    cJSON_AddItemToObject(run, "variants", cJSON_Duplicate(names, true));
    lfm_json_add_number(run, "margin", evaluation->margin);
    return LFM_OK;
}

static enum lfm_status take_results(const struct lfm_task *task, const cJSON *description, cJSON *const *table,
                                    struct lfm_evaluation_result *result, struct lfm_error *error)
{
    size_t n = task->n_items * task->samples;
    LFM_TRY(LFM_ALLOC(&result->right, n, error));
    for (size_t i = 0; i < n; i++) result->right[i] = lfm_sample_correct(table[i]);
    return lfm_run_summary(&result->summary, description, task, table, error);
}

static enum lfm_status run_task(const struct lfm_task *task, const char *directory, const struct lfm_backend *backend,
                                const cJSON *description, bool quiet, struct lfm_evaluation_result *result,
                                struct lfm_error *error)
{
    struct lfm_run run;
    struct lfm_progress progress;
    cJSON **table = NULL;
    LFM_TRY(lfm_run_open(&run, directory, description, error));
    lfm_progress_start(&progress, task->suite->name, "samples", 0, quiet);
    enum lfm_status status = lfm_task_run(task, backend, &run, &progress, &table, error);
    lfm_progress_finish(&progress);
    if (status == LFM_ERROR_STOPPED)
        lfm_set_error(error, status, "interrupted; the same command goes on with '%s'", directory);
    if (status == LFM_OK) status = take_results(task, description, table, result, error);
    if (status == LFM_OK) status = lfm_run_write_summary(directory, result->summary, error);
    free(table);
    lfm_run_close(&run);
    return status;
}

static enum lfm_status run_job(const struct lfm_evaluation *evaluation, const struct lfm_job *job,
                               const struct lfm_eval_variant *variant, const cJSON *names,
                               const struct lfm_engine *engine, struct lfm_evaluation_result *result,
                               struct lfm_error *error)
{
    char *directory;
    cJSON *description = NULL;
    LFM_TRY(run_directory(&directory, evaluation, job, variant, error));
    enum lfm_status status = describe(&description, evaluation, job, variant, names, &engine->backend, error);
    if (status == LFM_OK)
        status = run_task(&job->task, directory, &engine->backend, description, evaluation->common.quiet, result, error);
    cJSON_Delete(description);
    free(directory);
    return status;
}

enum lfm_status lfm_evaluate(const struct lfm_evaluation *evaluation, const struct lfm_eval_variant *variant,
                             const cJSON *names, struct lfm_evaluation_result *results, struct lfm_error *error)
{
    struct lfm_engine engine;
    for (size_t i = 0; i < evaluation->n_jobs; i++) results[i] = (struct lfm_evaluation_result){0};
    LFM_TRY(lfm_engine_open(&engine, evaluation, &variant->arguments, error));
    enum lfm_status status = LFM_OK;
    for (size_t i = 0; i < evaluation->n_jobs && status == LFM_OK; i++)
        status = run_job(evaluation, &evaluation->jobs[i], variant, names, &engine, &results[i], error);
    lfm_engine_close(&engine);
    return status;
}
