/* The loop of an evaluation: samples of a suite through a backend into a run. */
#ifndef LFM_EVAL_HARNESS_RUNNER_H
#define LFM_EVAL_HARNESS_RUNNER_H

#include "eval/harness/backend.h"
#include "eval/harness/run.h"
#include "eval/harness/suite.h"
#include "eval/harness/verdicts.h"
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

/* Which items of a data set: all, or those of the comma-separated `ids`; without those of `exclude`; the first `limit` of
 * what is left (0: all); of these, shard s of n takes the items s, s + n, s + 2n, ... counted from 1. */
struct lfm_selection {
    const char *ids, *exclude; /* may be NULL; borrowed */
    size_t limit;
    size_t shard, shards;      /* 0 of 0: everything */
};

/* Chooses the items of the task. Unknown ids and an empty choice are errors; a shard may be empty when there are fewer
 * items than shards. */
enum lfm_status lfm_task_select(struct lfm_task *task, const struct lfm_selection *selection, struct lfm_error *error);
void lfm_task_release(struct lfm_task *task);

/* Reads "i/n", 1 <= i <= n. False when the text says anything else. */
bool lfm_shard_parse(struct lfm_selection *selection, const char *text);

/* "ids", "excluded", "limit" and "shard" {"index", "of"}, as run.json has them; a summary has the first three. */
void lfm_selection_describe(cJSON *object, const struct lfm_selection *selection);
/* The other way; strings are borrowed from the object. */
void lfm_selection_read(struct lfm_selection *selection, const cJSON *object);

/* Runs what the run does not have yet. On success table[i * samples + s] is sample s of the i-th chosen item, borrowed
 * from the run; the caller frees the table. Which samples are under way together and in which order they end has no
 * influence on them. `progress` (may be NULL) counts the samples that are left; its total is set here, and its label is
 * given the running score. Fails on interruption and when the backend as a whole fails; the run keeps what was
 * finished. */
enum lfm_status lfm_task_run(const struct lfm_task *task, const struct lfm_backend *backend, struct lfm_run *run,
                             struct lfm_progress *progress, cJSON ***table, struct lfm_error *error);

/* Puts the lines of a log in their places: table[i * samples + s], NULL where one is missing. A sample stands there
 * once; lines that failed may be followed by another. Samples of other items are passed over. `name` is what messages
 * call the log. */
enum lfm_status lfm_task_place(const struct lfm_task *task, cJSON *const *lines, size_t n_lines, const char *name,
                               cJSON **table, struct lfm_error *error);

/* Adds the figures of a finished table to `summary`: counts, "correct" with its interval, with several samples per item
 * pass@k and pass^k, how the samples ended, and what the suite adds. Equal verdicts give equal summaries. */
enum lfm_status lfm_task_summarise(const struct lfm_task *task, cJSON *const *table, cJSON *summary,
                                   struct lfm_error *error);

/* summary.json as a whole: who and what, from the run's description (run.json), and these figures. It says nothing that
 * depends on when, where or in how many pieces the run was made. The caller deletes *summary. */
enum lfm_status lfm_run_summary(cJSON **summary, const cJSON *description, const struct lfm_task *task,
                                cJSON *const *table, struct lfm_error *error);

/* The verdict of a sample; whether it ended in an error. */
bool lfm_sample_correct(const cJSON *sample);
bool lfm_sample_failed(const cJSON *sample);
/* Whether two samples of one item are the same answer: all members but those that depend on the circumstances, "seconds"
 * and "prompt_tokens_reused". */
bool lfm_sample_same(const cJSON *a, const cJSON *b);

/* Adds "name": {"accuracy", "right", "n", "low", "high"}, a rate with Wilson's 95 % interval. */
void lfm_add_rate(cJSON *object, const char *name, size_t right, size_t n);
/* The same for verdicts that come in clusters, with lfm_add_clusters. The interval is Wilson's, as if all verdicts were
 * independent. */
void lfm_add_clustered_rate(cJSON *object, const char *name, const struct lfm_clusters *clusters);
/* Adds "stderr", the clustered standard error (null for fewer than two clusters), and "clusters" to a rate; nothing where no
 * cluster has more than one verdict. */
void lfm_add_clusters(cJSON *rate, const struct lfm_clusters *clusters);

#endif
