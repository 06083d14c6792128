/* q5_0: blocks of 32 with one scale: f16 d, 32 bits that are the fifth bits of the elements, then 16 bytes; byte j
 * holds the low bits of element j in its low and of element j + 16 in its high half; w = d * (q - 16). Only read. */
#include "quant/formats/bits.h"
#include "quant/formats/rows.h"

#include <assert.h>

enum { BLOCK = 32, HALF = BLOCK / 2, BLOCK_BYTES = 2 + 4 + HALF };
static_assert(BLOCK_BYTES == 22, "the layout of q5_0");

void lfm_q5_0_decode(float *x, const void *blocks, size_t n)
{
    const uint8_t *block = blocks;
    for (size_t start = 0; start < n; start += BLOCK, block += BLOCK_BYTES) {
        float d = lfm_load_half(block), *values = x + start;
        uint32_t fifth;
        memcpy(&fifth, block + 2, sizeof fifth);
        for (int j = 0; j < HALF; j++) {
            uint32_t low = (block[6 + j] & 15u) | (fifth >> j & 1u) << 4;
            uint32_t high = (uint32_t)block[6 + j] >> 4 | (fifth >> (j + HALF) & 1u) << 4;
            values[j] = d * (float)((int32_t)low - 16);
            values[j + HALF] = d * (float)((int32_t)high - 16);
        }
    }
}

void lfm_q5_0_unpack(uint8_t *codes, float *scales, float *minima, const void *blocks, size_t n)
{
    const uint8_t *block = blocks;
    (void)minima;
    for (size_t b = 0; b < n / BLOCK; b++, block += BLOCK_BYTES) {
        scales[b] = lfm_load_half(block);
        lfm_unpack_fifths(codes + b * BLOCK, block + 6, block + 2);
    }
}
