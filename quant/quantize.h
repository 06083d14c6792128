/* Writing a model in another number format: a plan of all tensors first, then the file, tensor by tensor.
 *
 * Every matrix becomes the wanted type; norms, routers, their biases and conv kernels are kept (as F32 in GGUF, as
 * stored in a Hugging Face directory). Where that cannot be, the plan says so: as a fallback (another type for one
 * tensor) or as a warning (a model that other programs will run wrongly). Nothing is silent: the caller prints both. */
#ifndef LFM_QUANT_QUANTIZE_H
#define LFM_QUANT_QUANTIZE_H

#include "reference/base/json.h"
#include "reference/base/progress.h"
#include "reference/model/model.h"
#include "reference/model/names.h"

#include <stdbool.h>
#include <stddef.h>

/* The order of the rows of q_proj and k_proj within a head: as stored, or between the two rotations of config.h. */
enum lfm_row_order { LFM_ROWS_AS_STORED, LFM_ROWS_HALVES_TO_NEIGHBOURS, LFM_ROWS_NEIGHBOURS_TO_HALVES };

/* One tensor of the file to be written: all rows of one or several (stacked) matrices, a vector, or the scales of the
 * tensor before it. */
struct lfm_planned_tensor {
    char name[128];
    const struct lfm_format *format;
    size_t n_dimensions, shape[LFM_MAX_DIMENSIONS];
    size_t bytes;
    const struct lfm_matrix *matrices; /* borrowed from the model; number e of a stack lies e * stride bytes on */
    size_t stride, matrix_rows;
    const float *values;               /* instead of matrices: rows of `columns` floats; NULL for scales */
    bool scales;                       /* holds the scales of the tensor before it */
    size_t rows, columns;              /* as one matrix */
    enum lfm_row_order order;
    size_t head_dim;
};

struct lfm_notes {
    char **items; /* owned */
    size_t count, capacity;
};

struct lfm_quantization {
    const struct lfm_model *model; /* borrowed */
    enum lfm_container container;
    const struct lfm_format *format;
    enum lfm_scale scale;
    struct lfm_planned_tensor *tensors;
    size_t count, capacity;
    size_t bytes;                /* of tensor data */
    size_t elements;             /* of all tensors but scales */
    struct lfm_notes fallbacks;  /* "blk.3.ffn_down.weight: f16 (rows of 40 are no multiple of 32)" */
    struct lfm_notes warnings;   /* one sentence each */
    struct lfm_notes unquantized; /* Hugging Face module names that stay as they are in an FP8 directory */
};

struct lfm_quantization_options {
    const struct lfm_format *format;
    enum lfm_scale scale;      /* of formats with scaled_max */
    enum lfm_container container;
    bool quantize_embedding;   /* FP8 directories: the embedding and the head too */
};

/* Plans the file. The model must have been opened without quantizing it. Fails when the container has no type for the
 * format, when the format has no encoder, and on models that the container cannot hold. */
enum lfm_status lfm_quantization_plan(struct lfm_quantization **out, const struct lfm_model *model,
                                      const struct lfm_quantization_options *options, struct lfm_error *error);
void lfm_quantization_free(struct lfm_quantization *quantization); /* NULL is fine */

/* Writes the GGUF file, or the directory with config.json, model.safetensors and the tokenizer's files. Until all is
 * written it is called <path>.partial. An existing file is replaced; an existing directory must be empty. Fails when
 * `path` is a file of the model itself, on weights that are not finite, and when interrupted; nothing is left then. */
enum lfm_status lfm_quantization_write(const struct lfm_quantization *quantization, const char *path,
                                       struct lfm_progress *progress, struct lfm_error *error);

/* What config.json of such a model says. The caller deletes. */
cJSON *lfm_make_config(const struct lfm_config *config);

/* Copies the tokenizer's and other small files that lie beside the weights in the directory `from`: those it has. */
enum lfm_status lfm_copy_companions(const char *from, const char *to, struct lfm_error *error);

#endif
