/* Writing a trace: an observer whose announcements go to an HDF5 file. docs/trace-format.md describes the file.
 *
 * The file grows under its final name; what has been flushed stays readable when the run is killed. */
#ifndef LFM_TRACE_WRITER_H
#define LFM_TRACE_WRITER_H

#include "reference/base/error.h"
#include "reference/model/model.h"
#include "reference/model/observer.h"
#include "reference/model/state.h"
#include "reference/model/text.h"
#include "reference/trace/points.h"
#include "reference/trace/provenance.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct lfm_trace_options {
    struct lfm_selection selection; /* what is recorded: arrays and statistics alike */
    bool statistics_only;           /* no arrays below /layers */
    bool half; /* arrays below /layers as IEEE half; the router's and attention weights stay single */
    bool logits;                    /* /logits too */
};

struct lfm_trace_writer;

/* Fails unless a trace can be written to `path`: its directory exists and can be written to, and it is free, HDF5 or
 * empty. */
enum lfm_status lfm_trace_check_target(const char *path, struct lfm_error *error);

/* Bytes of the values that a run writes, before they are compressed: per token below /layers, and the logits. */
double lfm_trace_value_bytes(const struct lfm_config *config, const struct lfm_documents *documents,
                             const struct lfm_trace_options *options);

/* Creates the file, all groups and datasets, and flushes. An existing HDF5 file is replaced, any other existing file
 * is an error. The documents' names, labels and lengths are stored. Everything is borrowed until the writer is closed.
 * On failure no file is left. */
enum lfm_status lfm_trace_writer_open(struct lfm_trace_writer **out, const char *path, const struct lfm_model *model,
                                      const struct lfm_provenance *provenance, const struct lfm_documents *documents,
                                      const struct lfm_trace_options *options, struct lfm_error *error);

/* The observer to hand to lfm_forward. Its failures, Ctrl-C among them, end the forward pass. */
const struct lfm_observer *lfm_trace_writer_observer(const struct lfm_trace_writer *writer);

/* The state of the sequence that is run, whose keys attention weights are computed from; needed for these only.
 * Borrowed. */
void lfm_trace_writer_set_state(struct lfm_trace_writer *writer, const struct lfm_state *state);

/* Stores those of n tokens of a document that are wanted; the n start at `position` in it. To be called once for every
 * call of lfm_forward, before it: the announcements that follow are of these tokens. */
enum lfm_status lfm_trace_writer_add_tokens(struct lfm_trace_writer *writer, size_t document, size_t position,
                                            const int32_t *ids, size_t n, struct lfm_error *error);
/* Stores the logits[n, V] of the next n wanted tokens; only when options.logits is set. */
enum lfm_status lfm_trace_writer_add_logits(struct lfm_trace_writer *writer, const float *logits, size_t n,
                                            struct lfm_error *error);

/* To be called between calls of lfm_forward: checks that every dataset has as many rows as there are tokens, and brings
 * the file up to date on disk when whole chunks have been added since the last time. */
enum lfm_status lfm_trace_writer_flush(struct lfm_trace_writer *writer, struct lfm_error *error);

/* Writes what is left; `complete` becomes the file's attribute. An incomplete run's datasets are cut to the tokens that
 * all of them have. */
enum lfm_status lfm_trace_writer_finish(struct lfm_trace_writer *writer, bool complete, struct lfm_error *error);

/* Closes without writing what is still in memory, and frees. NULL is fine. */
void lfm_trace_writer_close(struct lfm_trace_writer *writer);

#endif
