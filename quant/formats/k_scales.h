/* The packed scales and minima that q4_k and q5_k share: 8 of each, 6 bits wide, in 12 bytes b.
 *
 *   j < 4:   scale = low 6 bits of b[j],  minimum = low 6 bits of b[j+4]
 *   j >= 4:  scale = low half of b[j+4] and top 2 bits of b[j-4],  minimum = high half of b[j+4] and top 2 of b[j] */
#ifndef LFM_QUANT_FORMATS_K_SCALES_H
#define LFM_QUANT_FORMATS_K_SCALES_H

#include <stdint.h>
#include <string.h>

static inline void lfm_unpack_k_scales(const uint8_t *b, uint8_t scales[8], uint8_t minima[8])
{
    uint32_t b0, b4, b8; /* four bytes each */
    memcpy(&b0, b, sizeof b0);
    memcpy(&b4, b + 4, sizeof b4);
    memcpy(&b8, b + 8, sizeof b8);
    const uint32_t four_scales[2] = {b0 & 0x3f3f3f3fu, (b8 & 0x0f0f0f0fu) | (b0 >> 2 & 0x30303030u)};
    const uint32_t four_minima[2] = {b4 & 0x3f3f3f3fu, (b8 >> 4 & 0x0f0f0f0fu) | (b4 >> 2 & 0x30303030u)};
    memcpy(scales, four_scales, sizeof four_scales);
    memcpy(minima, four_minima, sizeof four_minima);
}

/* What the groups of a block are scaled by and what is added to them: w = scales[g] * q + minima[g]. `packed` are its 12
 * bytes, d and dmin what its halves say. */
static inline void lfm_k_scales_of(float scales[8], float minima[8], const uint8_t *packed, float d, float dmin)
{
    uint8_t scale_codes[8], minimum_codes[8];
    lfm_unpack_k_scales(packed, scale_codes, minimum_codes);
    for (int g = 0; g < 8; g++) {
        scales[g] = d * (float)scale_codes[g];
        minima[g] = -(dmin * (float)minimum_codes[g]);
    }
}

#endif
