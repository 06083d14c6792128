/* Writing logits: one HDF5 file with a row per token, under its name only when it is complete. */
#ifndef LFM_TRACE_LOGITS_WRITER_H
#define LFM_TRACE_LOGITS_WRITER_H

#include "reference/base/error.h"
#include "reference/model/model.h"
#include "reference/trace/provenance.h"

#include <stddef.h>
#include <stdint.h>

struct lfm_logits_writer;

/* Writes beside `path`, which must be free or HDF5. `n_tokens` are to come. Everything is borrowed until the writer is closed. */
enum lfm_status lfm_logits_writer_open(struct lfm_logits_writer **out, const char *path, const struct lfm_model *model,
                                       const struct lfm_provenance *provenance, size_t n_tokens,
                                       struct lfm_error *error);
enum lfm_status lfm_logits_writer_add_tokens(struct lfm_logits_writer *writer, size_t document, size_t position,
                                             const int32_t *ids, size_t n, struct lfm_error *error);
enum lfm_status lfm_logits_writer_add_logits(struct lfm_logits_writer *writer, const float *logits, size_t n,
                                             struct lfm_error *error);
/* Completes the file and gives it its name. */
enum lfm_status lfm_logits_writer_commit(struct lfm_logits_writer *writer, struct lfm_error *error);
/* Closes and frees; removes a file that was not committed. NULL is fine. */
void lfm_logits_writer_close(struct lfm_logits_writer *writer);

#endif
