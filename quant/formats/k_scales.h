/* The packed scales and minima that q4_k and q5_k share: 8 of each, 6 bits wide, in 12 bytes b.
 *
 *   j < 4:   scale = low 6 bits of b[j],  minimum = low 6 bits of b[j+4]
 *   j >= 4:  scale = low half of b[j+4] and top 2 bits of b[j-4],  minimum = high half of b[j+4] and top 2 of b[j] */
#ifndef LFM_QUANT_FORMATS_K_SCALES_H
#define LFM_QUANT_FORMATS_K_SCALES_H

#include "quant/formats/bits.h"

#include <stdint.h>

static inline void lfm_unpack_k_scales(const uint8_t *b, uint8_t scales[8], uint8_t minima[8])
{
    for (int j = 0; j < 4; j++) {
        scales[j] = b[j] & 63;
        minima[j] = b[j + 4] & 63;
        scales[j + 4] = (uint8_t)((b[j + 8] & 15) | (b[j] >> 6) << 4);
        minima[j + 4] = (uint8_t)(b[j + 8] >> 4 | (b[j + 4] >> 6) << 4);
    }
}

/* What the groups of a block are scaled by and what is added to them: w = scales[g] * q + minima[g]. */
static inline void lfm_k_scales_of(float scales[8], float minima[8], const uint8_t *block)
{
    uint8_t scale_codes[8], minimum_codes[8];
    float d = lfm_load_half(block), dmin = lfm_load_half(block + 2);
    lfm_unpack_k_scales(block + 4, scale_codes, minimum_codes);
    for (int g = 0; g < 8; g++) {
        scales[g] = d * (float)scale_codes[g];
        minima[g] = -(dmin * (float)minimum_codes[g]);
    }
}

#endif
