/* What is kept of a block of 256 elements while its groups of 32 are decoded one after the other. */
#ifndef LFM_QUANT_KERNELS_KEPT_H
#define LFM_QUANT_KERNELS_KEPT_H

#include <stdint.h>

struct kept {
    float scales[16], minima[8]; /* of the groups; of q6_k, which has no minima, of every 16 elements */
    uint8_t codes[256];          /* where putting them together pays for a whole block only */
};

#endif
