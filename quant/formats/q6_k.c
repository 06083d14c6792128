/* q6_k: blocks of 256 in 16 groups of 16: 128 bytes of low 4 bits, 64 bytes of high 2 bits, 16 signed scales, f16 d.
 * w = (d * scale) * (q - 32). Only read.
 *
 * Each half of 128 elements has 64 low bytes and 32 high bytes; in its quarter k, element l (of 32) has its
 * low bits in byte l + 32 * (k mod 2), in the low half for k < 2 and the high half above, and its high bits in bits 2k and
 * 2k + 1 of byte l. */
#include "quant/formats/bits.h"
#include "quant/formats/rows.h"

#include <assert.h>

enum { BLOCK = 256, GROUPS = 16, HIGH = 128, SCALES = HIGH + 64, SCALE_D = SCALES + 16, BLOCK_BYTES = SCALE_D + 2 };
static_assert(BLOCK_BYTES == 210, "the layout of q6_k");

static void decode_quarter(float *values, const uint8_t *low, const uint8_t *high, const int8_t scales[2], float d,
                           int k)
{
    for (int l = 0; l < 32; l++) {
        int code = (low[l] >> k / 2 * 4 & 15) | (high[l] >> 2 * k & 3) << 4;
        values[l] = d * (float)scales[l / 16] * (float)(code - 32);
    }
}

void lfm_q6_k_decode(float *x, const void *blocks, size_t n)
{
    const uint8_t *block = blocks;
    for (size_t start = 0; start < n; start += BLOCK, block += BLOCK_BYTES) {
        float d = lfm_load_half(block + SCALE_D);
        int8_t scales[16];
        memcpy(scales, block + SCALES, sizeof scales);
        for (int half = 0; half < 2; half++)
            for (int k = 0; k < 4; k++)
                decode_quarter(x + start + half * 128 + k * 32, block + half * 64 + k % 2 * 32,
                               block + HIGH + half * 32, scales + half * 8 + k * 2, d, k);
    }
}

void lfm_q6_k_unpack(uint8_t *codes, float *scales, float *minima, const void *blocks, size_t n)
{
    const uint8_t *block = blocks;
    (void)minima;
    for (; n > 0; n -= BLOCK, block += BLOCK_BYTES, codes += BLOCK, scales += GROUPS) {
        float d = lfm_load_half(block + SCALE_D);
        for (int g = 0; g < GROUPS; g++) scales[g] = d * (float)(int8_t)block[SCALES + g];
        for (int i = 0; i < BLOCK; i++) {
            int half = i / 128, k = i % 128 / 32, l = i % 32;
            int low = block[half * 64 + k % 2 * 32 + l] >> k / 2 * 4 & 15, high = block[HIGH + half * 32 + l] >> 2 * k & 3;
            codes[i] = (uint8_t)(low | high << 4);
        }
    }
}
