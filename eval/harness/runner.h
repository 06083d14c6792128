/* The loop of an evaluation: samples of a suite through a backend into a run. */
#ifndef LFM_EVAL_HARNESS_RUNNER_H
#define LFM_EVAL_HARNESS_RUNNER_H

#include "eval/harness/backend.h"
#include "eval/harness/run.h"
#include "eval/harness/suite.h"
#include "reference/base/progress.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What is to be run: items of an open data set, and how often each. */
struct lfm_task {
    const struct lfm_suite *suite;
    const void *data;    /* as suite->open made it */
    size_t *items;       /* owned: chosen items, in the order of the data set */
    size_t n_items;
    size_t samples;      /* per item */
    uint64_t seed;
    bool retry_failed;   /* samples that ended in an error are run again */
};

/* Chooses items: all, or those of the comma-separated `ids`; without those of `exclude`; the first `limit` of what is
 * left (0: all). Either list may be NULL. Unknown ids and an empty choice are errors. */
enum lfm_status lfm_task_select(struct lfm_task *task, const char *ids, const char *exclude, size_t limit,
                                struct lfm_error *error);
void lfm_task_release(struct lfm_task *task);

/* Runs what the run does not have yet. On success table[i * samples + s] is sample s of the i-th chosen item, borrowed
 * from the run; the caller frees the table. Which samples are under way together and in which order they end has no
 * influence on them. `progress` (may be NULL) counts the samples that are left; its total is set here, and its label is
 * given the running score. Fails on interruption and when the backend as a whole fails; the run keeps what was
 * finished. */
enum lfm_status lfm_task_run(const struct lfm_task *task, const struct lfm_backend *backend, struct lfm_run *run,
                             struct lfm_progress *progress, cJSON ***table, struct lfm_error *error);

/* Adds the figures of a finished table to `summary`: counts, "correct" with its interval, with several samples per item
 * pass@k and pass^k, how the samples ended, and what the suite adds. Equal verdicts give equal summaries. */
enum lfm_status lfm_task_summarise(const struct lfm_task *task, cJSON *const *table, cJSON *summary,
                                   struct lfm_error *error);

/* The verdict of a sample. */
bool lfm_sample_correct(const cJSON *sample);

/* Adds "name": {"accuracy", "right", "n", "low", "high"}, a rate with Wilson's 95 % interval. */
void lfm_add_rate(cJSON *object, const char *name, size_t right, size_t n);

#endif
