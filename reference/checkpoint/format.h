/* Number formats: how the elements of a tensor are stored.
 *
 * The type of the table is declared here and the table is filled in quant/formats.c: one number format is one file
 * there and one row in the table. A row of a matrix is cut into consecutive blocks along its columns; a block never
 * crosses a row. */
#ifndef LFM_CHECKPOINT_FORMAT_H
#define LFM_CHECKPOINT_FORMAT_H

#include "reference/base/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct lfm_format {
    const char *name;              /* "q8_0": what users type and result files state */
    size_t block_size;             /* elements per block, 1 for plain types */
    size_t block_bytes;            /* bytes per block */
    int gguf_type;                 /* the type number in GGUF files (ggml's enum), -1 where GGUF has none */
    const char *safetensors_dtype; /* "BF16", "F8_E4M3"; NULL where safetensors has none */
    float scaled_max;              /* > 0: a format without its own scales (FP8). Elements are multiplied by scales stored
                                    * beside the tensor, chosen so that the largest magnitude becomes scaled_max */

    /* Encodes n elements (a multiple of block_size) into n/block_size blocks, and back. Formats that are only read
     * have no encoder (NULL). Encoders take finite input; range, rounding and ties are stated in the format's file. */
    void (*encode_row)(void *blocks, const float *x, size_t n);
    void (*decode_row)(float *x, const void *blocks, size_t n);

    /* Formats whose elements are small integers under a scale (group > 0): w = scale * (code - zero) + minimum, scale and
     * minimum shared by `group` elements (16 or 32). unpack_row writes codes[n], scales[n/group] and, when the format
     * has them, minima[n/group] (else the pointer is not used). */
    size_t group;
    int zero;
    bool has_minima;
    void (*unpack_row)(uint8_t *codes, float *scales, float *minima, const void *blocks, size_t n);
};

/* All formats; the last row has name NULL. Defined in quant/formats.c. */
extern const struct lfm_format lfm_formats[];

/* The row of that name (case is ignored), GGUF type number or safetensors dtype; NULL when there is none. */
const struct lfm_format *lfm_format_by_name(const char *name);
const struct lfm_format *lfm_format_by_gguf_type(uint32_t type);
const struct lfm_format *lfm_format_by_dtype(const char *dtype);

/* Bytes of a row of n elements; fails when n is no multiple of the block or the size overflows. */
enum lfm_status lfm_format_row_bytes(const struct lfm_format *format, size_t n, size_t *bytes, struct lfm_error *error);

/* Bits per element, scales inside the blocks included: 8.5 for q8_0. */
double lfm_format_bits(const struct lfm_format *format);

/* "f32, f16, bf16, ..." for messages: the names of all formats, or of those with an encoder. */
const char *lfm_format_names(void);
const char *lfm_format_encodable_names(void);

#endif
