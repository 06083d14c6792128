/* The suites of an evaluation and their data. */
#include "eval/command/evaluation.h"
#include "eval/harness/data.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *lfm_suite_names(void)
{
    static char names[256];
    size_t used = 0;
    for (const struct lfm_suite *const *suite = lfm_suites; *suite; suite++)
        used += (size_t)snprintf(names + used, used < sizeof names ? sizeof names - used : 0, "%s%s",
                                 suite == lfm_suites ? "" : ", ", (*suite)->name);
    return names;
}

static const struct lfm_suite *find_suite(const char *name, size_t length)
{
    for (const struct lfm_suite *const *suite = lfm_suites; *suite; suite++)
        if (strlen((*suite)->name) == length && memcmp((*suite)->name, name, length) == 0) return *suite;
    return NULL;
}

static enum lfm_status add_job(struct lfm_evaluation *evaluation, const char *name, size_t length,
                               struct lfm_error *error)
{
    const struct lfm_suite *suite = find_suite(name, length);
    if (!suite)
        return lfm_fail(error, LFM_ERROR_ARGUMENT, "unknown suite '%.*s': expected %s", (int)length, name,
                        lfm_suite_names());
    for (size_t i = 0; i < evaluation->n_jobs; i++)
        if (evaluation->jobs[i].suite == suite)
            return lfm_fail(error, LFM_ERROR_ARGUMENT, "the suite '%s' is named twice", suite->name);
    if (evaluation->n_jobs == LFM_MOST_JOBS)
        return lfm_fail(error, LFM_ERROR_LIMIT, "at most %d suites at a time", LFM_MOST_JOBS);
    evaluation->jobs[evaluation->n_jobs++].suite = suite;
    return LFM_OK;
}

enum lfm_status lfm_jobs_name(struct lfm_evaluation *evaluation, struct lfm_error *error)
{
    for (const char *name = evaluation->suites; name; name = strchr(name, ',') ? strchr(name, ',') + 1 : NULL)
        LFM_TRY(add_job(evaluation, name, strcspn(name, ","), error));
    return LFM_OK;
}

enum lfm_status lfm_job_open(struct lfm_job *job, const char *given, bool several, struct lfm_error *error)
{
    const struct lfm_suite *suite = job->suite;
    LFM_TRY(lfm_data_locate(&job->path, suite, given, several, error));
    LFM_TRY(lfm_data_sha256(job->path, job->data_sha256, error));
    enum lfm_status status = suite->open(&job->data, job->path, error);
    if (status == LFM_OK) return LFM_OK;
    job->data = NULL;
    return lfm_fail_in(error, "not the data of %s", suite->name);
}

void lfm_job_close(struct lfm_job *job)
{
    lfm_task_release(&job->task);
    if (job->data) job->suite->close(job->data);
    free(job->path);
    *job = (struct lfm_job){0};
}

static enum lfm_status open_job(const struct lfm_evaluation *evaluation, struct lfm_job *job, struct lfm_error *error)
{
    LFM_TRY(lfm_job_open(job, evaluation->data, evaluation->n_jobs > 1, error));
    job->task = (struct lfm_task){
        .suite = job->suite,
        .data = job->data,
        .samples = evaluation->samples,
        .seed = evaluation->common.seed,
        .retry_failed = evaluation->retry_failed,
    };
    return lfm_task_select(&job->task, &evaluation->selection, error);
}

enum lfm_status lfm_jobs_open(struct lfm_evaluation *evaluation, struct lfm_error *error)
{
    for (size_t i = 0; i < evaluation->n_jobs; i++) LFM_TRY(open_job(evaluation, &evaluation->jobs[i], error));
    return LFM_OK;
}

void lfm_jobs_close(struct lfm_evaluation *evaluation)
{
    for (size_t i = 0; i < evaluation->n_jobs; i++) lfm_job_close(&evaluation->jobs[i]);
    evaluation->n_jobs = 0;
}
