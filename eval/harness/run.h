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
 * run the suite, data, model, weights, activations, cache type, sampling, seed and program version must be the same, and
 * the first difference is named. What a killed process left of a line at the end of the log is cut away. Fails when
 * another process holds the lock, on damaged lines, and on a log without run.json. On failure nothing is left open. */
enum lfm_status lfm_run_open(struct lfm_run *run, const char *directory, const cJSON *description,
                             struct lfm_error *error);

/* Appends a line to the log and waits until it is on disk. Takes the sample, on failure too. When the disk is full the log
 * keeps exactly the lines it had. */
enum lfm_status lfm_run_append(struct lfm_run *run, cJSON *sample, struct lfm_error *error);

/* Writes <directory>/summary.json, which appears whole or not at all. */
enum lfm_status lfm_run_write_summary(const char *directory, const cJSON *summary, struct lfm_error *error);

void lfm_run_close(struct lfm_run *run);

/* --- finished runs --- */

/* Reads a run and changes nothing: run.json into *description (the caller deletes), the whole lines of the log into
 * run->samples. Fails when a process is at work on it. lfm_run_close ends it; on failure nothing is left open. */
enum lfm_status lfm_run_read(struct lfm_run *run, cJSON **description, const char *directory, struct lfm_error *error);

/* Fails on a directory that holds a run already. */
enum lfm_status lfm_run_refuse_existing(const char *directory, struct lfm_error *error);
/* Writes a run at once, its n samples in this order. Fails on a directory that holds one already. */
enum lfm_status lfm_run_create(const char *directory, const cJSON *description, const cJSON *const *samples, size_t n,
                               const cJSON *summary, struct lfm_error *error);

/* Appends to *out the first thing in which two descriptions are not of one experiment, "seed 11, not 12" (a's value comes
 * first); nothing when they are. */
enum lfm_status lfm_run_difference(struct lfm_buffer *out, const cJSON *a, const cJSON *b, struct lfm_error *error);

#endif
