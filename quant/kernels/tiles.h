/* FP32 products. The including file defines
 *     WIDTH, vector                 floats in a register, and its type
 *     load_vector, store_vector     from and to memory, unaligned
 *     KEEP_IN_REGISTER(v)           keeps the compiler from loading v again for every product it is in
 *     multiply_add(sum, a, b)       sum + a * b, rounded once
 *     sum_vectors                   the sum of 16 lanes as kernels.h says
 *     sum_lanes                     the same of several, from memory to memory
 *     FORMAT_group, FORMAT_kept     see stored.h
 * and gets `multiply` and, by stored.h, FORMAT_decode and FORMAT_multiply. */
#include "reference/model/fetch.h"
#include "reference/model/kernels.h"
#include "reference/model/lanes.h"

#include <assert.h>
#include <stdbool.h>
#include <string.h>

enum { VECTORS = LFM_LANES / WIDTH }; /* of one sum */

/* --- decoded weights ---
 *
 * A tile keeps its partial sums in registers: 3 rows and 2 tokens, which need 5 loads for 6 products; where a register holds a
 * whole sum 8 rows and 3 tokens, 11 loads for 24. What it reads should come from the first-level cache: columns are taken in
 * runs, and in each run a block of tokens stays there while the rows pass; between runs the partial sums wait in memory. The
 * order of each sum is that of the columns all the same. */

enum {
    TILE_ROWS = VECTORS == 1 ? 8 : 3,
    TILE_TOKENS = VECTORS == 1 ? 3 : 2,
    BLOCK_ROWS = VECTORS == 1 ? 32 : 24, /* partial sums that wait: BLOCK_ROWS x BLOCK_TOKENS x 64 bytes */
    BLOCK_TOKENS = VECTORS == 1 ? 12 : 8,
    RUN = 512,                           /* columns; a block of tokens and a tile of rows fit the first-level cache */
};

struct sums {
    float lanes[BLOCK_ROWS][BLOCK_TOKENS][LFM_LANES];
};

/* Adds `columns` columns to the sums of some rows and tokens, the first of which are `row` and `token` in the block; with
 * `begin` they are the first columns. */
static inline __attribute__((always_inline)) void add_tile(struct sums *sums, bool begin, size_t row, size_t token,
                                                          const float *w, size_t rows, const float *x, size_t tokens,
                                                          size_t n, size_t columns)
{
    vector sum[TILE_ROWS][TILE_TOKENS][VECTORS];
    for (size_t r = 0; r < rows; r++)
        for (size_t t = 0; t < tokens; t++)
            for (size_t v = 0; v < VECTORS; v++)
                sum[r][t][v] = begin ? (vector){0} : load_vector(sums->lanes[row + r][token + t] + v * WIDTH);
    for (size_t i = 0; i < columns; i += LFM_LANES)
        for (size_t v = 0; v < VECTORS; v++) {
            vector x_i[TILE_TOKENS];
            for (size_t t = 0; t < tokens; t++) x_i[t] = load_vector(x + t * n + i + v * WIDTH);
            for (size_t r = 0; r < rows; r++) {
                vector w_i = load_vector(w + r * n + i + v * WIDTH);
                KEEP_IN_REGISTER(w_i);
                for (size_t t = 0; t < tokens; t++) sum[r][t][v] = multiply_add(sum[r][t][v], w_i, x_i[t]);
            }
        }
    for (size_t r = 0; r < rows; r++)
        for (size_t t = 0; t < tokens; t++)
            for (size_t v = 0; v < VECTORS; v++) store_vector(sums->lanes[row + r][token + t] + v * WIDTH, sum[r][t][v]);
}

/* Adds columns to the sums of some rows and all tokens. */
static inline __attribute__((always_inline)) void add_rows(struct sums *sums, bool begin, size_t row, const float *w,
                                                          size_t rows, const float *x, size_t tokens, size_t n,
                                                          size_t columns)
{
    size_t t = 0;
    for (; t + TILE_TOKENS <= tokens; t += TILE_TOKENS)
        add_tile(sums, begin, row, t, w, rows, x + t * n, TILE_TOKENS, n, columns);
    if (tokens - t == 1) add_tile(sums, begin, row, t, w, rows, x + t * n, 1, n, columns);
    if (TILE_TOKENS > 2 && tokens - t == 2) add_tile(sums, begin, row, t, w, rows, x + t * n, 2, n, columns);
}

/* Adds one run of columns to the sums of some rows, the first of which is `row` in the block, and all tokens. */
static void add_run(struct sums *sums, bool begin, size_t row, const float *w, size_t rows, const float *x, size_t tokens,
                    size_t n, size_t columns)
{
    size_t r = 0;
    for (; r + TILE_ROWS <= rows; r += TILE_ROWS)
        add_rows(sums, begin, row + r, w + r * n, TILE_ROWS, x, tokens, n, columns);
    for (; r < rows; r++) add_rows(sums, begin, row + r, w + r * n, 1, x, tokens, n, columns);
}

static void write_sums(float *y, size_t y_stride, const struct sums *sums, size_t rows, size_t tokens)
{
    for (size_t t = 0; t < tokens; t++) sum_lanes(y + t * y_stride, sums->lanes[0][t], BLOCK_TOKENS * LFM_LANES, rows);
}

static size_t at_most(size_t n, size_t most)
{
    return n < most ? n : most;
}

static void multiply_block(float *y, size_t y_stride, const float *w, size_t rows, const float *x, size_t tokens, size_t n)
{
    struct sums sums;
    for (size_t first = 0; first < n; first += RUN)
        add_run(&sums, first == 0, 0, w + first, rows, x + first, tokens, n, at_most(n - first, RUN));
    write_sums(y, y_stride, &sums, rows, tokens);
}

static void multiply(float *y, size_t y_stride, const float *w, size_t n_rows, const float *x, size_t T, size_t n)
{
    for (size_t t = 0; t < T; t += BLOCK_TOKENS)
        for (size_t r = 0; r < n_rows; r += BLOCK_ROWS)
            multiply_block(y + t * y_stride + r, y_stride, w + r * n, at_most(n_rows - r, BLOCK_ROWS), x + t * n,
                           at_most(T - t, BLOCK_TOKENS), n);
}

/* --- stored weights ---
 *
 * For one to MOST_IN_REGISTERS tokens they are multiplied as they are decoded; for some more by way of the first-level cache. */

enum {
    GROUP_VECTORS = GROUP / WIDTH,
    MOST_IN_REGISTERS = 4,
    RUN_STRIDE = RUN + LFM_LANES, /* rows a multiple of 4 KB apart would want the same lines of the cache */
};
static_assert((int)LFM_MOST_DIRECT <= (int)BLOCK_TOKENS, "whose sums wait");
static_assert(RUN % 256 == 0, "whole blocks of every format");

typedef void decode_elements(float *x, const void *row, size_t n);

/* Adds one run of columns of some stored rows to the sums of a block. */
static void add_stored_run(struct sums *sums, bool begin, struct blocks format, decode_elements *decode, const uint8_t *at,
                           size_t row_bytes, size_t rows, const float *x, size_t tokens, size_t columns)
{
    float w[TILE_ROWS * RUN_STRIDE];
    for (size_t r = 0, count; r < rows; r += count) {
        count = at_most(rows - r, TILE_ROWS);
        for (size_t k = 0; k < count; k++) {
            lfm_fetch(at + (r + k + TILE_ROWS) * row_bytes, columns / format.columns * format.bytes);
            decode(w + k * RUN_STRIDE, at + (r + k) * row_bytes, columns);
        }
        add_run(sums, begin, r, w, count, x, tokens, RUN_STRIDE, columns);
    }
}

/* As FORMAT_multiply, for up to BLOCK_TOKENS tokens. */
static void multiply_decoded(struct blocks format, decode_elements *decode, float *y, size_t y_stride, const uint8_t *rows,
                             size_t row_bytes, size_t n_rows, const float *x, size_t tokens, size_t n)
{
    struct sums sums;
    float some[BLOCK_TOKENS * RUN_STRIDE];
    for (size_t r = 0; r < n_rows; r += BLOCK_ROWS) {
        size_t count = at_most(n_rows - r, BLOCK_ROWS);
        for (size_t first = 0; first < n; first += RUN) {
            const uint8_t *at = rows + r * row_bytes + first / format.columns * format.bytes;
            size_t columns = at_most(n - first, RUN);
            for (size_t t = 0; t < tokens; t++) memcpy(some + t * RUN_STRIDE, x + t * n + first, columns * sizeof *x);
            add_stored_run(&sums, first == 0, format, decode, at, row_bytes, count, some, tokens, columns);
        }
        write_sums(y + r, y_stride, &sums, count, tokens);
    }
}

/* Rows that are decoded side by side, so that there are enough sums to add to while one addition is under way. */
#define STORED_TILE_ROWS(tokens) (VECTORS == 1 || (tokens) == 1 ? 4 : (tokens) == 2 ? 2 : 1)

static inline __attribute__((always_inline)) void stored_tile(struct blocks format, bool adjoining, float *y, size_t y_stride,
                                                             const uint8_t *first, size_t row_bytes, size_t rows,
                                                             const float *x, size_t tokens, size_t n)
{
    vector sum[STORED_TILE_ROWS(1)][MOST_IN_REGISTERS][VECTORS];
    struct kept kept[STORED_TILE_ROWS(1)];
    for (size_t r = 0; r < rows; r++)
        for (size_t t = 0; t < tokens; t++)
            for (size_t v = 0; v < VECTORS; v++) sum[r][t][v] = (vector){0};
    const size_t ahead = rows * format.bytes * GROUP / format.columns; /* what a group of 32 columns asks for */
    const uint8_t *next = first + rows * row_bytes;
    for (size_t b = 0; b < n / format.columns; b++)
#pragma GCC unroll 8 /* groups of a block: each has code of its own */
        for (size_t g = 0; g < format.columns / GROUP; g++) {
            const float *x_g = x + b * format.columns + g * GROUP;
            lfm_fetch(next, ahead);
            next += adjoining ? ahead : 0;
#pragma GCC unroll 4 /* what keeps the sums in registers */
            for (size_t r = 0; r < rows; r++) {
                vector w[GROUP_VECTORS];
                format.group(w, first + r * row_bytes + b * format.bytes, g, &kept[r]);
                for (size_t k = 0; k < GROUP_VECTORS; k++)
                    for (size_t t = 0; t < tokens; t++)
                        sum[r][t][k % VECTORS] =
                            multiply_add(sum[r][t][k % VECTORS], w[k], load_vector(x_g + t * n + k * WIDTH));
            }
        }
    for (size_t r = 0; r < rows; r++)
        for (size_t t = 0; t < tokens; t++) y[t * y_stride + r] = sum_vectors(sum[r][t]);
}

#include "quant/kernels/stored.h"
