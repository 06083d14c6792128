/* Weights are asked for a tile of rows ahead: while a few rows pass side by side, the processor does not see the next. */
#ifndef LFM_QUANT_KERNELS_AHEAD_H
#define LFM_QUANT_KERNELS_AHEAD_H

#include "reference/model/fetch.h"

/* Bytes of the next rows to ask for with every 32 columns. Rows further apart than their elements reach are those of a cache,
 * near already. */
static inline size_t bytes_ahead(size_t rows, size_t row_bytes, size_t n)
{
    enum { GROUP_COLUMNS = 32 };
    size_t bytes = row_bytes / (n / GROUP_COLUMNS), most = GROUP_COLUMNS * sizeof(float);
    return bytes <= most ? rows * bytes : 0;
}

#endif
