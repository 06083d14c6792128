/* q4_k: blocks of 256 in 8 groups of 32: f16 d, f16 dmin, 12 bytes of packed scales and minima, then 128 bytes; each 32
 * of them hold 64 elements: byte l element l in its low and element l + 32 in its high half.
 * w = (d * scale) * q - dmin * minimum. Only read. */
#include "quant/formats/bits.h"
#include "quant/formats/k_scales.h"
#include "quant/formats/rows.h"

#include <assert.h>

enum { BLOCK = 256, GROUP = 32, GROUPS = BLOCK / GROUP, BLOCK_BYTES = 2 + 2 + 12 + BLOCK / 2 };
static_assert(BLOCK_BYTES == 144, "the layout of q4_k");

void lfm_q4_k_decode(float *x, const void *blocks, size_t n)
{
    const uint8_t *block = blocks;
    for (size_t start = 0; start < n; start += BLOCK, block += BLOCK_BYTES) {
        float d = lfm_load_half(block), dmin = lfm_load_half(block + 2);
        uint8_t scales[8], minima[8];
        lfm_unpack_k_scales(block + 4, scales, minima);
        for (int group = 0; group < BLOCK / GROUP; group++) {
            const uint8_t *codes = block + 16 + group / 2 * GROUP;
            float *values = x + start + group * GROUP;
            float scale = d * (float)scales[group], minimum = dmin * (float)minima[group];
            int shift = group % 2 * 4;
            for (int l = 0; l < GROUP; l++) values[l] = scale * (float)(codes[l] >> shift & 15) - minimum;
        }
    }
}

void lfm_q4_k_unpack(uint8_t *codes, float *scales, float *minima, const void *blocks, size_t n)
{
    const uint8_t *block = blocks;
    for (; n > 0; n -= BLOCK, block += BLOCK_BYTES, codes += BLOCK, scales += GROUPS, minima += GROUPS) {
        lfm_k_scales_of(scales, minima, block + 4, lfm_load_half(block), lfm_load_half(block + 2));
        for (int i = 0; i < BLOCK; i++) {
            int group = i / GROUP;
            codes[i] = block[16 + group / 2 * GROUP + i % GROUP] >> group % 2 * 4 & 15;
        }
    }
}
