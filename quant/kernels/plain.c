/* Kernels in plain C, for every processor, and what the others are checked against. */
#include "quant/kernels/kernels.h"

static int32_t group_product(const uint8_t *codes, const int8_t *q, size_t group)
{
    int32_t sum = 0;
    for (size_t i = 0; i < group; i++) sum += codes[i] * q[i];
    return sum;
}

#include "quant/kernels/integer.h"

enum { TILE_ROWS = 2, TILE_TOKENS = 2 };
#include "quant/kernels/tile.h"

static bool supported(void)
{
    return true;
}

void lfm_plain_multiply_q8(float *y, size_t y_stride, const struct lfm_format *format, const void *rows, size_t row_bytes,
                           size_t n_rows, const struct lfm_q8_rows *x, void *scratch)
{
    multiply_q8_by_rows(y, y_stride, format, rows, row_bytes, n_rows, x, scratch);
}

static const struct lfm_format_kernels formats[] = {{0}};

const struct lfm_kernels lfm_plain_kernels = {"plain", supported, multiply, lfm_plain_multiply_q8, formats};
