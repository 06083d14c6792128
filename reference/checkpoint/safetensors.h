/* safetensors files: a streaming writer (reading goes through checkpoint.h).
 *
 *   header length u64 | JSON {"name": {"dtype", "shape", "data_offsets": [begin, end]}, "__metadata__": {}} | data
 *
 * Source: the safetensors format description (huggingface/safetensors). */
#ifndef LFM_CHECKPOINT_SAFETENSORS_H
#define LFM_CHECKPOINT_SAFETENSORS_H

#include "reference/base/error.h"
#include "reference/checkpoint/format.h"

#include <stddef.h>

/* Same order of calls as the GGUF writer: open, add_tensor..., begin, write_data..., commit, close. The format allows
 * no padding, so a tensor is aligned only as far as the bytes before it allow: where sizes are odd, add wide types
 * first. */
struct lfm_safetensors_writer;

enum lfm_status lfm_safetensors_writer_open(struct lfm_safetensors_writer **out, const char *path,
                                            struct lfm_error *error);
enum lfm_status lfm_safetensors_add_tensor(struct lfm_safetensors_writer *writer, const char *name,
                                           const struct lfm_format *format, size_t n_dimensions, const size_t *shape,
                                           struct lfm_error *error);
enum lfm_status lfm_safetensors_begin(struct lfm_safetensors_writer *writer, struct lfm_error *error);
enum lfm_status lfm_safetensors_write_data(struct lfm_safetensors_writer *writer, const void *bytes, size_t length,
                                           struct lfm_error *error);
enum lfm_status lfm_safetensors_commit(struct lfm_safetensors_writer *writer, struct lfm_error *error);
void lfm_safetensors_writer_close(struct lfm_safetensors_writer *writer); /* NULL is fine */

#endif
