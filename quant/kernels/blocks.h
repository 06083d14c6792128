/* What the loops of stored.h know about a format at compile time. The including file has defined `vector`, a register of
 * floats. */
#ifndef LFM_QUANT_KERNELS_BLOCKS_H
#define LFM_QUANT_KERNELS_BLOCKS_H

#include <stddef.h>
#include <stdint.h>

/* What is kept of a block of 256 elements while its groups of 32 are decoded one after the other. */
struct kept {
    float scales[16], minima[8]; /* of the groups; of q6_k, which has no minima, of every 16 elements */
    uint8_t codes[256];          /* where putting them together pays for a whole block only */
};

/* Decodes group g of 32 elements of a block; the groups in order. */
typedef void decode_group(vector *w, const uint8_t *block, size_t g, struct kept *kept);

struct blocks {
    decode_group *group;
    size_t columns, bytes; /* of a block of 256; of 32 elements for all other formats */
};

#endif
