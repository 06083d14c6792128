/* What the readers of the two containers share with checkpoint.c. Private to this room. */
#ifndef LFM_CHECKPOINT_READER_H
#define LFM_CHECKPOINT_READER_H

#include "reference/base/error.h"
#include "reference/base/file.h"
#include "reference/checkpoint/checkpoint.h"

#include <stddef.h>
#include <stdint.h>

enum { LFM_MAX_NAME = 1023 }; /* bytes of a tensor's name */

struct lfm_checkpoint_files {
    struct lfm_mapping *mappings; /* in the order of their index */
    size_t n_mappings, mapping_capacity;
    size_t tensor_capacity;
    char **strings;               /* names of tensors and of unknown types */
    size_t n_strings, string_capacity;
    const struct lfm_tensor **by_name; /* sorted; lfm_checkpoint_find searches it */
};

/* An empty checkpoint for `path`; release with lfm_checkpoint_close. */
enum lfm_status lfm_checkpoint_new(struct lfm_checkpoint **out, const char *path, struct lfm_error *error);
/* Maps a file and keeps it open with the checkpoint; *out borrows it. */
enum lfm_status lfm_checkpoint_map(struct lfm_checkpoint *checkpoint, const char *path, struct lfm_mapping *out,
                                   struct lfm_error *error);
/* Appends a copy of *tensor. Its strings must live as long as the checkpoint: lfm_checkpoint_keep sees to that. */
enum lfm_status lfm_checkpoint_add(struct lfm_checkpoint *checkpoint, const struct lfm_tensor *tensor,
                                   struct lfm_error *error);
enum lfm_status lfm_checkpoint_keep(struct lfm_checkpoint *checkpoint, const char **out, const char *text,
                                    size_t length, struct lfm_error *error);
/* Sorts the tensors by name; two of one name are an error. */
enum lfm_status lfm_checkpoint_index(struct lfm_checkpoint *checkpoint, struct lfm_error *error);

/* Fails for text that would break a one-line message: control characters, zero bytes. `what` is what it names. */
enum lfm_status lfm_check_text(const char *what, const char *text, size_t length, struct lfm_error *error);
/* Sets tensor->bytes from format and shape; fails on overflow and on rows that are no multiple of the block. Without
 * a format only the number of elements is checked. */
enum lfm_status lfm_tensor_measure(struct lfm_tensor *tensor, struct lfm_error *error);
/* Pointers to the tensors from `first` on, in the order of their data, empty ones first; the caller frees. */
enum lfm_status lfm_tensors_by_position(struct lfm_tensor ***out, const struct lfm_checkpoint *checkpoint, size_t first,
                                        struct lfm_error *error);
/* "[3,4]" */
#define LFM_SHAPE_TEXT 96
void lfm_shape_text(char text[LFM_SHAPE_TEXT], size_t n_dimensions, const size_t *shape);

/* One file's tensors and (GGUF) metadata. The file stays the caller's. */
enum lfm_status lfm_gguf_read_file(struct lfm_checkpoint *checkpoint, struct lfm_gguf **out,
                                   const struct lfm_mapping *file, struct lfm_error *error);
enum lfm_status lfm_safetensors_read_file(struct lfm_checkpoint *checkpoint, const struct lfm_mapping *file,
                                          struct lfm_error *error);
/* All files of the checkpoint at checkpoint->path, indexed. */
enum lfm_status lfm_gguf_read_set(struct lfm_checkpoint *checkpoint, struct lfm_error *error);
enum lfm_status lfm_safetensors_read_directory(struct lfm_checkpoint *checkpoint, struct lfm_error *error);
void lfm_gguf_free(struct lfm_gguf *gguf); /* NULL is fine */

#endif
