/* A RUN directory: what was asked (run.json), what came back (samples.jsonl), what it amounts to (summary.json).
 *
 * A run can be killed at any moment and goes on from its last whole sample. docs/running-evaluations.md describes the
 * files. */
#ifndef LFM_EVAL_HARNESS_RUN_H
#define LFM_EVAL_HARNESS_RUN_H

#include "reference/base/error.h"
#include "reference/base/json.h"

#include <stddef.h>
#include <sys/types.h>

struct lfm_run {
    char *directory;
    char *log_path;
    int lock, log;   /* descriptors */
    off_t length;    /* bytes of the log that are known to be whole lines */
    cJSON **samples; /* owned: the lines of the log, then those appended */
    size_t count, capacity;
};

/* Makes or reopens a run and holds its lock until it is closed. `description` is what run.json is to say; of an existing
 * run the suite, data, model, weights, sampling, seed and program version must be the same, and the first difference is
 * named. What a killed process left of a line at the end of the log is cut away. Fails when another process holds the
 * lock, on damaged lines, and on a log without run.json. On failure nothing is left open. */
enum lfm_status lfm_run_open(struct lfm_run *run, const char *directory, const cJSON *description,
                             struct lfm_error *error);

/* Appends a line to the log and waits until it is on disk. Takes the sample, on failure too. When the disk is full the log
 * keeps exactly the lines it had. */
enum lfm_status lfm_run_append(struct lfm_run *run, cJSON *sample, struct lfm_error *error);

/* Writes summary.json, which appears whole or not at all. */
enum lfm_status lfm_run_write_summary(const struct lfm_run *run, const cJSON *summary, struct lfm_error *error);

void lfm_run_close(struct lfm_run *run);

#endif
