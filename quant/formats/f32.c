/* f32: IEEE single precision, copied bit for bit. */
#include "quant/formats/rows.h"

#include <string.h>

void lfm_f32_encode(void *blocks, const float *x, size_t n)
{
    memcpy(blocks, x, n * sizeof *x);
}

void lfm_f32_decode(float *x, const void *blocks, size_t n)
{
    memcpy(x, blocks, n * sizeof *x);
}
