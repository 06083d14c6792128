/* Transposing 4 by 4 floats, in GCC's and Clang's vector extension. */
#ifndef LFM_MODEL_TRANSPOSE_H
#define LFM_MODEL_TRANSPOSE_H

#include <stddef.h>
#include <stdint.h>

typedef float lfm_quad __attribute__((vector_size(16)));
typedef float lfm_quad_in_memory __attribute__((vector_size(16), aligned(4), may_alias));

#if defined(__clang__)
#define LFM_MIX(a, b, i, j, k, l) __builtin_shufflevector(a, b, i, j, k, l)
#else
typedef int32_t lfm_quad_of_ints __attribute__((vector_size(16)));
#define LFM_MIX(a, b, i, j, k, l) __builtin_shuffle(a, b, (lfm_quad_of_ints){i, j, k, l})
#endif

static inline lfm_quad lfm_load_quad(const float *from)
{
    return *(const lfm_quad_in_memory *)(const void *)from;
}

static inline void lfm_store_quad(float *to, lfm_quad value)
{
    *(lfm_quad_in_memory *)(void *)to = value;
}

/* to[a * to_stride + k] = from[k * from_stride + a] for k and a below 4. */
static inline void lfm_transpose_4(float *to, size_t to_stride, const float *from, size_t from_stride)
{
    lfm_quad r0 = lfm_load_quad(from), r1 = lfm_load_quad(from + from_stride);
    lfm_quad r2 = lfm_load_quad(from + 2 * from_stride), r3 = lfm_load_quad(from + 3 * from_stride);
    lfm_quad a = LFM_MIX(r0, r1, 0, 4, 1, 5), b = LFM_MIX(r2, r3, 0, 4, 1, 5);
    lfm_quad c = LFM_MIX(r0, r1, 2, 6, 3, 7), d = LFM_MIX(r2, r3, 2, 6, 3, 7);
    lfm_store_quad(to, LFM_MIX(a, b, 0, 1, 4, 5));
    lfm_store_quad(to + to_stride, LFM_MIX(a, b, 2, 3, 6, 7));
    lfm_store_quad(to + 2 * to_stride, LFM_MIX(c, d, 0, 1, 4, 5));
    lfm_store_quad(to + 3 * to_stride, LFM_MIX(c, d, 2, 3, 6, 7));
}

#endif
