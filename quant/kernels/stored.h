/* Products with stored rows that are decoded in registers: what the sets share. The including file defines
 *     vector         a register of floats
 *     decode_row     all of a row to memory, by a function of the type decode_group
 *     stored_tile    some rows with up to LFM_MOST_DIRECT tokens; with every 32 columns it asks for `ahead` bytes of each of
 *                    the rows that follow
 *     STORED_TILE_ROWS(tokens)   how many rows that is, for a number of tokens
 *     FORMAT_group   for every format: decodes 32 elements of a row from element i on; for those with blocks of 256
 *                    FORMAT_kept, which is given them in order and keeps what the groups of a block share
 * and gets FORMAT_decode and FORMAT_multiply. */
#include "reference/model/kernels.h"

/* `bytes` is what 32 elements take. While a few rows pass side by side, the processor does not see the next coming: they are
 * asked for. Rows that are apart are keys in attention, near already. */
static inline __attribute__((always_inline)) void multiply_stored(decode_group *group, size_t bytes, float *y, size_t y_stride,
                                                                  const uint8_t *rows, size_t row_bytes, size_t n_rows,
                                                                  const float *x, size_t tokens, size_t n)
{
    const size_t together = STORED_TILE_ROWS(tokens), ahead = row_bytes <= n / 32 * bytes ? bytes : 0;
    size_t r = 0;
    for (; r + together <= n_rows; r += together)
        stored_tile(group, ahead, y + r, y_stride, rows + r * row_bytes, row_bytes, together, x, tokens, n);
    for (; r < n_rows; r++) stored_tile(group, ahead, y + r, y_stride, rows + r * row_bytes, row_bytes, 1, x, tokens, n);
}

#define KEPT_ROWS(format, bytes)                                                                                            \
    static void format##_decode(float *x, const void *row, size_t n)                                                        \
    {                                                                                                                       \
        decode_row(format##_kept, x, row, n);                                                                               \
    }                                                                                                                       \
    static void format##_multiply(float *y, size_t y_stride, const void *rows, size_t row_bytes, size_t n_rows,             \
                                  const float *x, size_t T, size_t n)                                                       \
    {                                                                                                                       \
        switch (T) {                                                                                                        \
        case 1: multiply_stored(format##_kept, bytes, y, y_stride, rows, row_bytes, n_rows, x, 1, n); break;                \
        case 2: multiply_stored(format##_kept, bytes, y, y_stride, rows, row_bytes, n_rows, x, 2, n); break;                \
        case 3: multiply_stored(format##_kept, bytes, y, y_stride, rows, row_bytes, n_rows, x, 3, n); break;                \
        default: multiply_stored(format##_kept, bytes, y, y_stride, rows, row_bytes, n_rows, x, LFM_MOST_DIRECT, n); break; \
        }                                                                                                                   \
    }
#define STORED_ROWS(format, bytes)                                                                           \
    static inline __attribute__((always_inline)) void format##_kept(vector *w, const uint8_t *row, size_t i, \
                                                                    struct kept *kept)                       \
    {                                                                                                        \
        (void)kept;                                                                                          \
        format##_group(w, row, i);                                                                           \
    }                                                                                                        \
    KEPT_ROWS(format, bytes)
STORED_ROWS(f32, 128)
STORED_ROWS(f16, 64)
STORED_ROWS(bf16, 64)
STORED_ROWS(q8_0, 34)
STORED_ROWS(q4_0, 18)
STORED_ROWS(q4_1, 20)
STORED_ROWS(q5_0, 22)
STORED_ROWS(q5_1, 24)
KEPT_ROWS(q4_k, 18)
KEPT_ROWS(q5_k, 22)
KEPT_ROWS(q6_k, 27)
STORED_ROWS(fp8_e4m3, 32)
STORED_ROWS(fp8_e5m2, 32)
