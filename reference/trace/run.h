/* Traces: runs documents through a model and writes what happens to a file. */
#ifndef LFM_TRACE_RUN_H
#define LFM_TRACE_RUN_H

#include "reference/base/error.h"
#include "reference/base/progress.h"
#include "reference/model/model.h"
#include "reference/model/text.h"
#include "reference/trace/provenance.h"
#include "reference/trace/writer.h"

#include <stdbool.h>
#include <stddef.h>

/* Fails unless the model can run every document: its context is long enough and its vocabulary has the ids. `can_cut`
 * makes the message name --context as the remedy. */
enum lfm_status lfm_check_documents(const struct lfm_model *model, const struct lfm_documents *documents, bool can_cut,
                                    struct lfm_error *error);

/* Shortens documents to their first `context` tokens; 0 leaves all as they are. Returns how many were cut. */
size_t lfm_cut_documents(struct lfm_documents *documents, size_t context);

/* Each document is one sequence, from an empty state. The progress, which may be NULL, counts tokens. After Ctrl-C, and
 * when the model fails, the file holds what was run so far, marked incomplete. A file that could not be written in
 * a readable state is removed. */
enum lfm_status lfm_trace_run(const char *path, const struct lfm_model *model, const struct lfm_documents *documents,
                              const struct lfm_trace_options *options, const struct lfm_provenance *provenance,
                              struct lfm_progress *progress, struct lfm_error *error);

/* Writes /logits [T,V], /tokens [T], /document [T] and /position [T] of the documents to a new file, which appears
 * under its name when it is complete. */
enum lfm_status lfm_logits_run(const char *path, const struct lfm_model *model, const struct lfm_documents *documents,
                               const struct lfm_provenance *provenance, struct lfm_progress *progress,
                               struct lfm_error *error);

#endif
