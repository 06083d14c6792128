/* Integer products on panels: what the sets share.
 *
 * LANES rows at a time are interleaved, so that a register holds four neighbouring codes of each row, and one instruction or
 * two multiply them with four bytes of the activations. A chunk of columns is prepared in the first-level cache and multiplied
 * with all tokens. Few tokens do not pay for storing one: codes are then multiplied in registers, and where interleaving is slow
 * rows as they are, the sums of each row added across the register. The including file defines
 *     LANES, CHUNK                      rows and columns of a panel
 *     MOST_UNSTORED(block)              tokens that do not pay for a panel, for blocks of so many columns: 0 to PANEL_TOKENS
 *     lane_floats, lane_integers        vectors of one number per row
 *     to_all, to_floats                 a float in every lane; integers as floats
 *     multiply_add(sum, a, b)           sum + a * b, rounded once
 *     subtract_product(a, b, c)         a - b * c of whole numbers, exact
 *     struct panel                      with scales and minima of each group of the format
 *     ZERO(format)                      what multiply_group leaves to be subtracted from each code
 *     multiply_group                    sum((code - zero + ZERO) * q) over a group of columns: part `part` of place p
 *     FORMAT_fill                       for every format: group g of 32 columns of the rows into place p of the panel, groups
 *                                       of a block in order, the first of them at a multiple of 8
 * and has included traits.h and stored.h; it gets the table `formats`. */
#include "reference/model/fetch.h"
#include "reference/model/kernels.h"

enum { PANEL_TOKENS = 4 }; /* that share the loads of a panel */

/* Adds the group of 32 columns at place p of the panel, group g of the rows, to the sums of some tokens, the first of them
 * `token`. */
static inline __attribute__((always_inline)) void multiply_columns(struct traits format, lane_floats *sum,
                                                                  const struct panel *panel, size_t p, size_t g,
                                                                  const struct lfm_q8_rows *x, size_t token, size_t tokens)
{
    const size_t parts = LFM_Q8_BLOCK / format.group;
    const int8_t *q = x->codes + token * x->n + g * LFM_Q8_BLOCK;
    const float *d = x->scales + token * (x->n / LFM_Q8_BLOCK) + g;
    const float *s = (parts == 1 ? x->sums : x->half_sums) + token * (x->n / format.group) + g * parts;
    for (size_t part = 0; part < parts; part++)
#pragma GCC unroll 4
        for (size_t t = 0; t < tokens; t++) {
            lane_floats d_t = to_all(d[t * (x->n / LFM_Q8_BLOCK)]), s_t = to_all(s[t * (x->n / format.group) + part]);
            lane_floats product = to_floats(multiply_group(format, panel, p, part, q + t * x->n + part * format.group));
            if (ZERO(format) != 0) product = subtract_product(product, s_t, to_all((float)ZERO(format)));
            sum[t] = multiply_add(sum[t], panel->scales[p * parts + part] * d_t, product);
            if (format.has_minima) sum[t] = multiply_add(sum[t], panel->minima[p] * d_t, s_t);
        }
}

/* Adds the groups first .. first + groups - 1 of 32 columns, which the panel holds, to the sums of some tokens. */
static inline __attribute__((always_inline)) void multiply_panel(struct traits format, float *sums, const struct panel *panel,
                                                                size_t first, size_t groups, const struct lfm_q8_rows *x,
                                                                size_t token, size_t tokens)
{
    lane_floats sum[PANEL_TOKENS];
    for (size_t t = 0; t < tokens; t++) memcpy(&sum[t], sums + t * LANES, sizeof sum[t]);
    for (size_t g = 0; g < groups; g++)
        multiply_columns(format, sum, panel, g, first + g, x, token, tokens);
    for (size_t t = 0; t < tokens; t++) memcpy(sums + t * LANES, &sum[t], sizeof sum[t]);
}

/* Fills place p with group g, and asks for as much of the rows that follow. */
static inline __attribute__((always_inline)) void fill_place(struct traits format, struct panel *panel, size_t p,
                                                            const uint8_t *rows, size_t row_bytes, size_t g, size_t n)
{
    size_t bytes = LANES * row_bytes / (n / LFM_Q8_BLOCK); /* of 32 columns */
    lfm_fetch(rows + LANES * row_bytes + g * bytes, bytes);
    format.fill(panel, p, rows, row_bytes, g, is_interleaved(format));
}

/* LANES rows with format.tokens tokens. The panel is one block and goes no further than here, so that the compiler, to which
 * its places are known, keeps what it can in registers. */
static inline __attribute__((always_inline)) void multiply_rows_unstored(struct traits format, float *sums, const uint8_t *rows,
                                                                        size_t row_bytes, const struct lfm_q8_rows *x)
{
    const size_t n = x->n, groups = format.block / LFM_Q8_BLOCK;
    lane_floats sum[PANEL_TOKENS];
    for (size_t t = 0; t < format.tokens; t++) sum[t] = (lane_floats){0};
    for (size_t block = 0; block < n / format.block; block++) {
        struct panel panel;
#pragma GCC unroll 8
        for (size_t p = 0; p < groups; p++) {
            size_t g = block * groups + p;
            fill_place(format, &panel, p, rows, row_bytes, g, n);
            multiply_columns(format, sum, &panel, p, g, x, 0, format.tokens);
        }
    }
    for (size_t t = 0; t < format.tokens; t++) memcpy(sums + t * LANES, &sum[t], sizeof sum[t]);
}

/* LANES rows with all tokens; sums[T,LANES]. */
static inline __attribute__((always_inline)) void multiply_rows_q8(struct traits format, float *sums, struct panel *panel,
                                                                  const uint8_t *rows, size_t row_bytes,
                                                                  const struct lfm_q8_rows *x)
{
    const size_t most_groups = CHUNK / LFM_Q8_BLOCK, n = x->n;
    memset(sums, 0, x->T * LANES * sizeof *sums);
    for (size_t first = 0; first < n / LFM_Q8_BLOCK; first += most_groups) {
        size_t left = n / LFM_Q8_BLOCK - first, groups = left < most_groups ? left : most_groups, t = 0;
        for (size_t g = 0; g < groups; g++) fill_place(format, panel, g, rows, row_bytes, first + g, n);
        for (; t + PANEL_TOKENS <= x->T; t += PANEL_TOKENS)
            multiply_panel(format, sums + t * LANES, panel, first, groups, x, t, PANEL_TOKENS);
        for (; t < x->T; t++) multiply_panel(format, sums + t * LANES, panel, first, groups, x, t, 1);
    }
}

static inline __attribute__((always_inline)) void multiply_q8(struct traits format, const char *name, float *y,
                                                             size_t y_stride, const uint8_t *rows, size_t row_bytes,
                                                             size_t n_rows, const struct lfm_q8_rows *x, void *scratch)
{
    struct panel *panel = scratch;
    float *sums = (float *)(panel + 1);
    size_t r = 0;
    for (; r + LANES <= n_rows; r += LANES) {
        if (format.tokens > 0)
            multiply_rows_unstored(format, sums, rows + r * row_bytes, row_bytes, x);
        else
            multiply_rows_q8(format, sums, panel, rows + r * row_bytes, row_bytes, x);
        for (size_t t = 0; t < x->T; t++) memcpy(y + t * y_stride + r, sums + t * LANES, LANES * sizeof *y);
    }
    if (r < n_rows)
        lfm_plain_multiply_q8(y + r, y_stride, lfm_format_by_name(name), rows + r * row_bytes, row_bytes, n_rows - r, x,
                              scratch);
}

/* Format, columns of a block, columns under one scale, largest code, zero, whether there are minima. */
#define INTEGER_ROWS(format, block, group, most, zero, has_minima)                                                      \
    static void format##_multiply_q8(float *y, size_t y_stride, const void *rows, size_t row_bytes, size_t n_rows,      \
                                     const struct lfm_q8_rows *x, void *scratch)                                        \
    {                                                                                                                   \
        INTEGER_CASE(x->T == 1 && MOST_UNSTORED(block) >= 1, format, block, group, most, zero, has_minima, 1)           \
        INTEGER_CASE(x->T == 2 && MOST_UNSTORED(block) >= 2, format, block, group, most, zero, has_minima, 2)           \
        INTEGER_CASE(x->T == 3 && MOST_UNSTORED(block) >= 3, format, block, group, most, zero, has_minima, 3)           \
        INTEGER_CASE(x->T == 4 && MOST_UNSTORED(block) >= 4, format, block, group, most, zero, has_minima, 4)           \
        INTEGER_CASE(true, format, block, group, most, zero, has_minima, 0)                                             \
    }
#define INTEGER_CASE(condition, format, block, group, most, zero, has_minima, tokens)                                   \
    if (condition) {                                                                                                    \
        multiply_q8((struct traits){format##_fill, block, group, most, zero, has_minima, tokens}, #format,              \
                    y, y_stride, rows, row_bytes, n_rows, x, scratch);                                                  \
        return;                                                                                                         \
    }
INTEGER_ROWS(q8_0, 32, 32, 255, 128, false)
INTEGER_ROWS(q4_0, 32, 32, 15, 8, false)
INTEGER_ROWS(q4_1, 32, 32, 15, 0, true)
INTEGER_ROWS(q4_k, 256, 32, 15, 0, true)
INTEGER_ROWS(q5_k, 256, 32, 31, 0, true)
INTEGER_ROWS(q6_k, 256, 16, 63, 32, false)

#define FLOAT_ROW(format) {#format, format##_decode, format##_multiply, NULL}
#define INTEGER_ROW(format) {#format, format##_decode, format##_multiply, format##_multiply_q8}
static const struct lfm_format_kernels formats[] = {
    FLOAT_ROW(f32), FLOAT_ROW(f16), FLOAT_ROW(bf16), INTEGER_ROW(q8_0), INTEGER_ROW(q4_0), INTEGER_ROW(q4_1),
    FLOAT_ROW(q5_0), FLOAT_ROW(q5_1), INTEGER_ROW(q4_k), INTEGER_ROW(q5_k), INTEGER_ROW(q6_k), FLOAT_ROW(fp8_e4m3),
    FLOAT_ROW(fp8_e5m2), {0},
};
