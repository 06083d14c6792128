/* Products with stored rows that are decoded in registers: what the sets share. The including file defines
 *     vector         a register of floats, and store_vector, unaligned
 *     stored_tile    some rows with up to four tokens; with every 32 columns it asks for as much of the rows that
 *                    follow, if they adjoin
 *     STORED_TILE_ROWS(tokens)   how many rows that is, for a number of tokens
 *     multiply_decoded   rows with up to LFM_MOST_DIRECT tokens
 *     FORMAT_group   for every format: decodes 32 elements; for those with blocks of 256 FORMAT_kept, see blocks.h
 * and gets FORMAT_decode and FORMAT_multiply. */
#include "quant/kernels/blocks.h"
#include "reference/model/kernels.h"

#include <stdbool.h>

static inline __attribute__((always_inline)) void decode_row(struct blocks format, float *x, const uint8_t *row, size_t n)
{
    struct kept kept;
    for (const float *end = x + n; x < end; row += format.bytes)
        for (size_t g = 0; g < format.columns / 32; g++, x += 32) {
            vector w[32 * sizeof(float) / sizeof(vector)];
            format.group(w, row, g, &kept);
            for (size_t k = 0; k < sizeof w / sizeof *w; k++) store_vector(x + k * (sizeof *w / sizeof *x), w[k]);
        }
}

/* While a few rows pass side by side, the processor does not see the next coming: they are asked for. Rows that are apart are
 * keys in attention, near already. */
static inline __attribute__((always_inline)) void multiply_stored(struct blocks format, float *y, size_t y_stride,
                                                                  const uint8_t *rows, size_t row_bytes, size_t n_rows,
                                                                  const float *x, size_t tokens, size_t n)
{
    const size_t together = STORED_TILE_ROWS(tokens);
    const bool adjoining = row_bytes <= n / format.columns * format.bytes;
    size_t r = 0;
    for (; r + together <= n_rows; r += together)
        stored_tile(format, adjoining, y + r, y_stride, rows + r * row_bytes, row_bytes, together, x, tokens, n);
    for (; r < n_rows; r++) stored_tile(format, adjoining, y + r, y_stride, rows + r * row_bytes, row_bytes, 1, x, tokens, n);
}

#define KEPT_ROWS(format, columns, bytes)                                                                                   \
    static void format##_decode(float *x, const void *row, size_t n)                                                        \
    {                                                                                                                       \
        decode_row((struct blocks){format##_kept, columns, bytes}, x, row, n);                                              \
    }                                                                                                                       \
    static void format##_multiply(float *y, size_t y_stride, const void *rows, size_t row_bytes, size_t n_rows,             \
                                  const float *x, size_t T, size_t n)                                                       \
    {                                                                                                                       \
        const struct blocks blocks = {format##_kept, columns, bytes};                                                       \
        switch (T) {                                                                                                        \
        case 1: multiply_stored(blocks, y, y_stride, rows, row_bytes, n_rows, x, 1, n); break;                              \
        case 2: multiply_stored(blocks, y, y_stride, rows, row_bytes, n_rows, x, 2, n); break;                              \
        case 3: multiply_stored(blocks, y, y_stride, rows, row_bytes, n_rows, x, 3, n); break;                              \
        case 4: multiply_stored(blocks, y, y_stride, rows, row_bytes, n_rows, x, 4, n); break;                              \
        default: multiply_decoded(blocks, format##_decode, y, y_stride, rows, row_bytes, n_rows, x, T, n); break;           \
        }                                                                                                                   \
    }
#define STORED_ROWS(format, bytes)                                                                                          \
    static inline __attribute__((always_inline)) void format##_kept(vector *w, const uint8_t *block, size_t g,              \
                                                                    struct kept *kept)                                      \
    {                                                                                                                       \
        (void)g;                                                                                                            \
        (void)kept;                                                                                                         \
        format##_group(w, block);                                                                                           \
    }                                                                                                                       \
    KEPT_ROWS(format, 32, bytes)
STORED_ROWS(f32, 128)
STORED_ROWS(f16, 64)
STORED_ROWS(bf16, 64)
STORED_ROWS(q8_0, 34)
STORED_ROWS(q4_0, 18)
STORED_ROWS(q4_1, 20)
STORED_ROWS(q5_0, 22)
STORED_ROWS(q5_1, 24)
KEPT_ROWS(q4_k, 256, 144)
KEPT_ROWS(q5_k, 256, 176)
KEPT_ROWS(q6_k, 256, 210)
STORED_ROWS(fp8_e4m3, 32)
STORED_ROWS(fp8_e5m2, 32)
