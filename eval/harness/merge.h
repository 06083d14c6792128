/* Several runs of one experiment as one: shards, or runs over other items. */
#ifndef LFM_EVAL_HARNESS_MERGE_H
#define LFM_EVAL_HARNESS_MERGE_H

#include "eval/harness/run.h"
#include "eval/harness/runner.h"

#include <stdbool.h>
#include <stddef.h>

struct lfm_merge {
    struct lfm_run *runs;      /* owned: [n] */
    cJSON **descriptions;      /* owned: their run.json */
    size_t n;
    /* what lfm_merge_join makes of them */
    struct lfm_task task;      /* the items that are whole, in the order of the data set */
    cJSON **table;             /* owned array: as lfm_task_run leaves it */
    const cJSON **lines;       /* owned array: the merged log, ordered by item and sample */
    size_t n_lines;
    cJSON *description;        /* owned: run.json of the merged run, without "command" */
};

/* Reads the runs. Fails, naming what differs, when they are not of one suite, data, model, sampling, seed, program version
 * and number of samples per item. lfm_merge_release ends it, on failure too. */
enum lfm_status lfm_merge_read(struct lfm_merge *merge, const char *const *directories, size_t n,
                               struct lfm_error *error);

/* Joins the runs over the open data of their suite. What the runs were asked for, taken together and without their shards,
 * has to be there; what is not is named, shard by shard. `partial` leaves items out that are not whole. Fails when two
 * runs have different answers to a sample; equal ones, and failed ones beside one that succeeded, are fine. */
enum lfm_status lfm_merge_join(struct lfm_merge *merge, const struct lfm_suite *suite, const void *data, bool partial,
                               struct lfm_error *error);

void lfm_merge_release(struct lfm_merge *merge);

#endif
