/* q8_0: blocks of 32 with one scale: f16 d, then 32 signed bytes q; w = d * q.
 *
 * d = max|x| / 127; q = x * (1/d) rounded to nearest, ties away from zero, with the FP32 d from before it is rounded
 * to f16: the bytes are those of ggml's reference quantizer. An all-zero block has d = 0 and q = 0. d beyond f16's
 * range becomes infinity, below it zero. When d is so small that 1/d is infinite, q = 0. */
#include "quant/formats/bits.h"
#include "quant/formats/rows.h"
#include "reference/model/lanes.h"

#include <assert.h>
#include <math.h>

enum { BLOCK = 32, BLOCK_BYTES = 2 + BLOCK };
static_assert(BLOCK_BYTES == 34, "the layout of q8_0");

static int8_t round_half_away(float value)
{
    value = lfm_float_of(lfm_choose(fabsf(value) <= 128.0f, lfm_bits_of(value), 0));
    int32_t whole = (int32_t)value;
    float rest = value - (float)whole;
    return (int8_t)(whole + (rest >= 0.5f) - (rest <= -0.5f));
}

LFM_CLONES
void lfm_q8_0_encode(void *blocks, const float *x, size_t n)
{
    uint8_t *block = blocks;
    for (size_t start = 0; start < n; start += BLOCK, block += BLOCK_BYTES) {
        const float *values = x + start;
        float d = lfm_largest_magnitude(values, BLOCK) / 127.0f;
        float inverse = d != 0.0f ? 1.0f / d : 0.0f;
        int8_t codes[BLOCK];
        for (int i = 0; i < BLOCK; i++) codes[i] = round_half_away(values[i] * inverse);
        lfm_store_half(block, d);
        memcpy(block + 2, codes, sizeof codes);
    }
}

void lfm_q8_0_decode(float *x, const void *blocks, size_t n)
{
    const uint8_t *block = blocks;
    for (size_t start = 0; start < n; start += BLOCK, block += BLOCK_BYTES) {
        float d = lfm_load_half(block);
        int8_t codes[BLOCK];
        memcpy(codes, block + 2, sizeof codes);
        float *values = x + start;
        for (int i = 0; i < BLOCK; i++) values[i] = d * (float)codes[i];
    }
}

void lfm_q8_0_unpack(uint8_t *codes, float *scales, float *minima, const void *blocks, size_t n)
{
    const uint8_t *block = blocks;
    (void)minima;
    for (size_t b = 0; b < n / BLOCK; b++, block += BLOCK_BYTES) {
        scales[b] = lfm_load_half(block);
        for (int i = 0; i < BLOCK; i++) codes[b * BLOCK + (size_t)i] = block[2 + i] ^ 0x80u;
    }
}
