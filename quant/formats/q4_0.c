/* q4_0: blocks of 32 with one scale: f16 d, then 16 bytes; byte j holds element j in its low and element j + 16 in its
 * high half; w = d * (q - 8).
 *
 * d = m / -8, m being the first value of the largest magnitude with its sign; q = min(15, trunc(x * (1/d) + 8.5)), with
 * the FP32 d from before it is rounded to f16: the bytes are those of ggml's reference quantizer. An all-zero block has
 * d = -0 and q = 8. d beyond f16's range becomes infinity, below it zero. When d is so small that 1/d is infinite,
 * q = 0. */
#include "quant/formats/bits.h"
#include "quant/formats/rows.h"
#include "reference/model/lanes.h"

#include <assert.h>
#include <math.h>

enum { BLOCK = 32, HALF = BLOCK / 2, BLOCK_BYTES = 2 + HALF };
static_assert(BLOCK_BYTES == 18, "the layout of q4_0");

/* Without jumps: which element is the first is as good as random. */
static inline float signed_largest(const float *x)
{
    float largest = lfm_largest_magnitude(x, BLOCK);
    if (largest == 0.0f) return 0.0f;
    int32_t first = BLOCK - 1;
    for (int32_t i = 0; i < BLOCK; i++) {
        int32_t here = fabsf(x[i]) == largest ? i : BLOCK - 1;
        first = here < first ? here : first;
    }
    return x[first];
}

static uint32_t code_of(float scaled)
{
    float shifted = scaled + 8.5f;
    shifted = fabsf(shifted) <= 32.0f ? shifted : 0.0f;
    int32_t code = (int32_t)shifted;
    return (uint32_t)(code < 15 ? code : 15);
}

LFM_CLONES
void lfm_q4_0_encode(void *blocks, const float *x, size_t n)
{
    uint8_t *block = blocks;
    for (size_t start = 0; start < n; start += BLOCK, block += BLOCK_BYTES) {
        const float *values = x + start;
        float d = signed_largest(values) / -8.0f;
        float inverse = d != 0.0f ? 1.0f / d : 0.0f;
        uint8_t codes[HALF];
        for (int j = 0; j < HALF; j++)
            codes[j] = (uint8_t)(code_of(values[j] * inverse) | code_of(values[j + HALF] * inverse) << 4);
        lfm_store_half(block, d);
        memcpy(block + 2, codes, sizeof codes);
    }
}

void lfm_q4_0_decode(float *x, const void *blocks, size_t n)
{
    const uint8_t *block = blocks;
    for (size_t start = 0; start < n; start += BLOCK, block += BLOCK_BYTES) {
        float d = lfm_load_half(block);
        uint8_t codes[HALF];
        memcpy(codes, block + 2, sizeof codes);
        float *values = x + start;
        for (int j = 0; j < HALF; j++) {
            values[j] = d * (float)((codes[j] & 15) - 8);
            values[j + HALF] = d * (float)((codes[j] >> 4) - 8);
        }
    }
}

void lfm_q4_0_unpack(uint8_t *codes, float *scales, float *minima, const void *blocks, size_t n)
{
    const uint8_t *block = blocks;
    (void)minima;
    for (size_t b = 0; b < n / BLOCK; b++, block += BLOCK_BYTES) {
        scales[b] = lfm_load_half(block);
        lfm_unpack_halves(codes + b * BLOCK, block + 2);
    }
}
