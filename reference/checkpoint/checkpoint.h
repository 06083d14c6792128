/* A checkpoint: named, shape-checked views into memory-mapped files.
 *
 * Opens a Hugging Face directory (config.json, one or several *.safetensors) or a GGUF file (the first of a split set
 * will do). Nothing is converted or copied: a tensor is a pointer into the mapping. Every length, count and offset
 * that a file states is checked against the file before use. */
#ifndef LFM_CHECKPOINT_CHECKPOINT_H
#define LFM_CHECKPOINT_CHECKPOINT_H

#include "reference/base/error.h"
#include "reference/base/file.h"
#include "reference/base/hash.h"
#include "reference/base/json.h"
#include "reference/base/progress.h"
#include "reference/checkpoint/format.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { LFM_MAX_DIMENSIONS = 4 };

/* A view of one stored tensor. Shapes are row-major, outermost first, as in PyTorch: a matrix is [rows, columns],
 * whatever order the file uses (GGUF stores the innermost dimension first). */
struct lfm_tensor {
    const char *name;                 /* as in the file; owned by the checkpoint */
    const struct lfm_format *format;  /* NULL for a type that lfmscope does not read; type_name tells */
    const char *type_name;            /* "BF16" as in safetensors, "q8_0", or "ggml type 99" */
    size_t n_dimensions;
    size_t shape[LFM_MAX_DIMENSIONS];
    const void *data;                 /* inside the mapping; may be unaligned */
    size_t bytes;                     /* of a GGUF tensor without format: up to the next tensor, or the end */
    const char *file;                 /* path of the file that holds it */
};

enum lfm_container { LFM_HUGGING_FACE, LFM_GGUF };

struct lfm_gguf; /* metadata of a GGUF file: gguf.h */

struct lfm_checkpoint {
    enum lfm_container container;
    char *path;                 /* as given, owned */
    char *name;                 /* last part of the path without .gguf: what reports call the model */
    struct lfm_tensor *tensors; /* in file order; files in the order of their index */
    size_t n_tensors;
    size_t bytes;               /* sum over tensors */
    cJSON *config;              /* config.json (Hugging Face), else NULL */
    struct lfm_gguf *gguf;      /* metadata (GGUF), else NULL */
    struct lfm_checkpoint_files *files; /* private: mappings and the name index */
};

/* Opens `path`. On failure nothing is left open and *out is NULL. */
enum lfm_status lfm_checkpoint_open(struct lfm_checkpoint **out, const char *path, struct lfm_error *error);
void lfm_checkpoint_close(struct lfm_checkpoint *checkpoint); /* NULL is fine */

/* The tensor of that name (printf-style), or NULL. */
const struct lfm_tensor *lfm_checkpoint_find(const struct lfm_checkpoint *checkpoint, const char *name_format, ...)
    __attribute__((format(printf, 2, 3)));

/* Fails unless the tensor has exactly this shape; the message names file, tensor, expected and found. */
enum lfm_status lfm_tensor_expect_shape(const struct lfm_tensor *tensor, size_t n_dimensions, const size_t *shape,
                                        struct lfm_error *error);

/* Decodes the whole tensor into n floats (n its element count) at `out`. Scales that lie beside it (FP8) are the
 * caller's to apply. Fails for a type that lfmscope does not read. */
enum lfm_status lfm_tensor_decode(const struct lfm_tensor *tensor, float *out, size_t n, struct lfm_error *error);

/* lfm_mapping_advise for bytes inside any of the files; other bytes are left alone. */
void lfm_checkpoint_advise(const struct lfm_checkpoint *checkpoint, const void *data, size_t bytes,
                           enum lfm_advice advice);

/* Number of elements. */
size_t lfm_tensor_elements(const struct lfm_tensor *tensor);

/* SHA-256 over the contents of the model's files, each preceded by its name without directory and a zero byte, in
 * the order of the names: config.json, tokenizer.json (where there is one) and the *.safetensors that were opened of a
 * directory, or the *.gguf of a set. Progress counts bytes. */
enum lfm_status lfm_checkpoint_sha256(const struct lfm_checkpoint *checkpoint, char text[LFM_SHA256_TEXT],
                                      struct lfm_progress *progress, struct lfm_error *error);

#endif
