/* The model: configuration and weights, as views into the checkpoint. MODEL.md has the equations. */
#ifndef LFM_MODEL_MODEL_H
#define LFM_MODEL_MODEL_H

#include "reference/base/error.h"
#include "reference/base/progress.h"
#include "reference/checkpoint/checkpoint.h"
#include "reference/checkpoint/encode.h"
#include "reference/checkpoint/format.h"
#include "reference/model/activations.h"
#include "reference/model/config.h"

#include <stddef.h>

/* W[rows, columns], row-major, in any number format. */
struct lfm_matrix {
    const struct lfm_format *format;
    size_t rows, columns;
    const void *data;         /* rows of row_bytes each; inside the mapping, or owned by the model */
    size_t row_bytes;
    const float *scales;      /* formats with scaled_max: [ceil(rows/scale_rows), ceil(columns/scale_columns)], else NULL */
    size_t scale_rows, scale_columns; /* what one scale covers: {rows, columns}, {1, columns} or {128, 128} */
};

/* Decodes rows first .. first + n_rows - 1 into x[n_rows, columns], whose rows lie x_stride floats apart. */
void lfm_matrix_decode_rows(const struct lfm_matrix *matrix, size_t first, size_t n_rows, float *x, size_t x_stride);
/* Bytes of the stored elements and their scales. */
size_t lfm_matrix_bytes(const struct lfm_matrix *matrix);

/* w2 . (silu(w1 . u) * (w3 . u)) */
struct lfm_ffn {
    struct lfm_matrix w1, w3; /* [F,D] */
    struct lfm_matrix w2;     /* [D,F] */
};

struct lfm_layer {
    enum lfm_operator operator_type;
    float *operator_norm; /* [D] */
    float *ffn_norm;      /* [D] */
    /* short convolution */
    struct lfm_matrix in_proj;       /* [3D,D]: rows of B, then C, then x */
    float *conv;                     /* [D,L], last tap is the current token */
    struct lfm_matrix conv_out_proj; /* [D,D] */
    /* attention */
    struct lfm_matrix q_proj;        /* [H*A,D] */
    struct lfm_matrix k_proj, v_proj; /* [G*A,D] */
    struct lfm_matrix out_proj;      /* [D,H*A] */
    float *q_layernorm, *k_layernorm; /* [A]; NULL for llama */
    /* feed-forward */
    struct lfm_ffn dense;        /* dense layers */
    struct lfm_matrix gate;      /* [E,D], the router, in its stored type */
    float *expert_bias;          /* [E]; NULL when the model has none */
    struct lfm_ffn *experts;     /* [E] */
};

struct lfm_model {
    struct lfm_checkpoint *checkpoint;
    struct lfm_config config;
    struct lfm_matrix embed_tokens; /* [V,D] */
    struct lfm_matrix lm_head;      /* [V,D]; the same view as embed_tokens when tied */
    float *embedding_norm;          /* [D], the final norm */
    struct lfm_layer *layers;
    const char *weights;            /* "stored", or the format every matrix was quantized to in memory */
    enum lfm_activations activations; /* inputs of every matrix product but the router's */
    const struct lfm_format *kv;    /* how keys and values are kept: f32, f16, q8_0 or fp8_e4m3 */
    size_t fallback_matrices;       /* matrices that kept their stored format because a row is no multiple of the block */
    struct lfm_model_memory *memory; /* private: what the model owns besides the mapping */
    struct lfm_pool *passes;         /* private: room for intermediate results, which forward passes use again */
};

struct lfm_model_options {
    const struct lfm_format *weights; /* quantize every matrix to this format in memory; NULL keeps the stored types.
                                       * Embedding and head included; norms, router, its bias and the conv kernel stay */
    enum lfm_scale scale;             /* LFM_SCALE_CHANNEL is the command line's default */
    bool (*only)(const void *context, const char *name); /* the matrices to quantize, by Hugging Face names; NULL: all */
    const void *only_context;
    enum lfm_activations activations;
    const struct lfm_format *kv;      /* NULL: f32 */
    struct lfm_progress *progress;    /* may be NULL */
};

/* Opens the checkpoint, checks every tensor's shape against the configuration, and quantizes when asked.
 * `options` may be NULL. On failure nothing is left open. */
enum lfm_status lfm_model_open(struct lfm_model **out, const char *path, const struct lfm_model_options *options,
                               struct lfm_error *error);
void lfm_model_close(struct lfm_model *model); /* NULL is fine */

/* Visits every matrix of the model (each expert's too), in the order of the forward pass; lm_head only when untied. */
enum lfm_status lfm_model_each_matrix(struct lfm_model *model,
                                      enum lfm_status (*visit)(void *context, const char *name, struct lfm_matrix *matrix,
                                                               struct lfm_error *error),
                                      void *context, struct lfm_error *error);

/* What results call the weights: the format that most elements of the model's matrices are held in, "bf16", or what they
 * were quantized to in memory. */
const char *lfm_weights_name(const struct lfm_model *model);

/* Parameters: all, and those that one token uses (chosen experts only; a tied embedding counts once). */
size_t lfm_model_parameters(const struct lfm_model *model);
size_t lfm_model_active_parameters(const struct lfm_model *model);
/* Bytes of all weights as they stand now, and bits per parameter of it. */
size_t lfm_model_bytes(const struct lfm_model *model);
double lfm_model_bits_per_weight(const struct lfm_model *model);

#endif
