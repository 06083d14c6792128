/* q4_1: blocks of 32 with a scale and a minimum: f16 d, f16 m, then 16 bytes; byte j holds element j in its low and
 * element j + 16 in its high half; w = d * q + m.
 *
 * m = min(x), d = (max(x) - m) / 15; q = min(15, trunc((x - m) * (1/d) + 0.5)), with the FP32 d and m from before they
 * are rounded to f16: the bytes are those of ggml's reference quantizer. A block of equal values has d = 0 and q = 0. d
 * and m beyond f16's range become infinite, below it zero. When d is so small that 1/d is infinite, q = 0. */
#include "quant/formats/bits.h"
#include "quant/formats/rows.h"
#include "reference/model/lanes.h"

#include <assert.h>
#include <math.h>

enum { BLOCK = 32, HALF = BLOCK / 2, BLOCK_BYTES = 4 + HALF };
static_assert(BLOCK_BYTES == 20, "the layout of q4_1");

static uint32_t code_of(float scaled)
{
    float shifted = scaled + 0.5f;
    shifted = fabsf(shifted) <= 32.0f ? shifted : 0.0f;
    int32_t code = (int32_t)shifted;
    return (uint32_t)(code < 15 ? code : 15);
}

LFM_CLONES
void lfm_q4_1_encode(void *blocks, const float *x, size_t n)
{
    uint8_t *block = blocks;
    for (size_t start = 0; start < n; start += BLOCK, block += BLOCK_BYTES) {
        const float *values = x + start;
        float low = values[0], high = values[0];
        for (int i = 1; i < BLOCK; i++) {
            low = values[i] < low ? values[i] : low;
            high = values[i] > high ? values[i] : high;
        }
        float d = (high - low) / 15.0f;
        float inverse = d != 0.0f ? 1.0f / d : 0.0f;
        uint8_t codes[HALF];
        for (int j = 0; j < HALF; j++)
            codes[j] =
                (uint8_t)(code_of((values[j] - low) * inverse) | code_of((values[j + HALF] - low) * inverse) << 4);
        lfm_store_half(block, d);
        lfm_store_half(block + 2, low);
        memcpy(block + 4, codes, sizeof codes);
    }
}

void lfm_q4_1_decode(float *x, const void *blocks, size_t n)
{
    const uint8_t *block = blocks;
    for (size_t start = 0; start < n; start += BLOCK, block += BLOCK_BYTES) {
        float d = lfm_load_half(block), m = lfm_load_half(block + 2);
        uint8_t codes[HALF];
        memcpy(codes, block + 4, sizeof codes);
        float *values = x + start;
        for (int j = 0; j < HALF; j++) {
            values[j] = d * (float)(codes[j] & 15) + m;
            values[j + HALF] = d * (float)(codes[j] >> 4) + m;
        }
    }
}

void lfm_q4_1_unpack(uint8_t *codes, float *scales, float *minima, const void *blocks, size_t n)
{
    const uint8_t *block = blocks;
    for (size_t b = 0; b < n / BLOCK; b++, block += BLOCK_BYTES) {
        scales[b] = lfm_load_half(block);
        minima[b] = lfm_load_half(block + 2);
        lfm_unpack_halves(codes + b * BLOCK, block + 4);
    }
}
