/* q5_1: blocks of 32 with a scale and a minimum: f16 d, f16 m, 32 bits that are the fifth bits of the elements, then 16
 * bytes; byte j holds the low bits of element j in its low and of element j + 16 in its high half; w = d * q + m.
 * Only read. */
#include "quant/formats/bits.h"
#include "quant/formats/rows.h"

#include <assert.h>

enum { BLOCK = 32, HALF = BLOCK / 2, BLOCK_BYTES = 4 + 4 + HALF };
static_assert(BLOCK_BYTES == 24, "the layout of q5_1");

void lfm_q5_1_decode(float *x, const void *blocks, size_t n)
{
    const uint8_t *block = blocks;
    for (size_t start = 0; start < n; start += BLOCK, block += BLOCK_BYTES) {
        float d = lfm_load_half(block), m = lfm_load_half(block + 2), *values = x + start;
        uint32_t fifth;
        memcpy(&fifth, block + 4, sizeof fifth);
        for (int j = 0; j < HALF; j++) {
            uint32_t low = (block[8 + j] & 15u) | (fifth >> j & 1u) << 4;
            uint32_t high = (uint32_t)block[8 + j] >> 4 | (fifth >> (j + HALF) & 1u) << 4;
            values[j] = d * (float)low + m;
            values[j + HALF] = d * (float)high + m;
        }
    }
}

void lfm_q5_1_unpack(uint8_t *codes, float *scales, float *minima, const void *blocks, size_t n)
{
    const uint8_t *block = blocks;
    for (size_t b = 0; b < n / BLOCK; b++, block += BLOCK_BYTES) {
        scales[b] = lfm_load_half(block);
        minima[b] = lfm_load_half(block + 2);
        lfm_unpack_fifths(codes + b * BLOCK, block + 8, block + 4);
    }
}
