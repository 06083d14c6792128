/* The packed scales and minima that q4_k and q5_k share: 8 of each, 6 bits wide, in 12 bytes b.
 *
 *   j < 4:   scale = low 6 bits of b[j],  minimum = low 6 bits of b[j+4]
 *   j >= 4:  scale = low half of b[j+4] and top 2 bits of b[j-4],  minimum = high half of b[j+4] and top 2 of b[j] */
#ifndef LFM_QUANT_FORMATS_K_SCALES_H
#define LFM_QUANT_FORMATS_K_SCALES_H

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

#endif
