/* AVX-512 for processors that lack it: SIMDe's, and what SIMDe 0.7 leaves out of it. Include before the code that is emulated. */
#ifndef LFM_TESTS_EMULATED_AVX512_H
#define LFM_TESTS_EMULATED_AVX512_H

#include <immintrin.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define SIMDE_ENABLE_NATIVE_ALIASES
#include <simde/x86/avx512.h>

#define __builtin_cpu_supports(name) __builtin_cpu_supports("avx2") /* what the emulation itself needs */

/* Every element of a vector converted to the type beside it in a vector of its own size. */
#define EMULATE_CONVERSION(name, FROM, from_t, TO, to_t)          \
    static inline TO name(FROM v)                                  \
    {                                                              \
        from_t in[sizeof(FROM) / sizeof(from_t)];                  \
        to_t out[sizeof(FROM) / sizeof(from_t)];                   \
        memcpy(in, &v, sizeof in);                                 \
        for (size_t i = 0; i < sizeof(FROM) / sizeof(from_t); i++) \
            out[i] = (to_t)in[i];                                  \
        TO result;                                                 \
        memcpy(&result, out, sizeof result);                       \
        return result;                                             \
    }

EMULATE_CONVERSION(emulated_cvtepi32_ps, __m512i, int32_t, __m512, float)
EMULATE_CONVERSION(emulated_cvtepi32_epi16, __m512i, int32_t, __m256i, int16_t)
EMULATE_CONVERSION(emulated_cvtepi8_epi32, __m128i, int8_t, __m512i, int32_t)
EMULATE_CONVERSION(emulated_cvtepu8_epi32, __m128i, uint8_t, __m512i, int32_t)
EMULATE_CONVERSION(emulated_cvtepu16_epi32, __m256i, uint16_t, __m512i, int32_t)
EMULATE_CONVERSION(emulated_cvtepu8_epi16, __m256i, uint8_t, __m512i, int16_t)
#undef _mm512_cvtepi32_ps
#undef _mm512_cvtepi32_epi16
#undef _mm512_cvtepi8_epi32
#undef _mm512_cvtepu8_epi32
#undef _mm512_cvtepu16_epi32
#undef _mm512_cvtepu8_epi16
#define _mm512_cvtepi32_ps emulated_cvtepi32_ps
#define _mm512_cvtepi32_epi16 emulated_cvtepi32_epi16
#define _mm512_cvtepi8_epi32 emulated_cvtepi8_epi32
#define _mm512_cvtepu8_epi32 emulated_cvtepu8_epi32
#define _mm512_cvtepu16_epi32 emulated_cvtepu16_epi32
#define _mm512_cvtepu8_epi16 emulated_cvtepu8_epi16

static inline __m512 emulated_cvtph_ps(__m256i v)
{
    __m256 halves[2] = {_mm256_cvtph_ps(_mm256_castsi256_si128(v)), _mm256_cvtph_ps(_mm256_extracti128_si256(v, 1))};
    __m512 result;
    memcpy(&result, halves, sizeof result);
    return result;
}
#undef _mm512_cvtph_ps
#define _mm512_cvtph_ps emulated_cvtph_ps

/* What SIMDe makes of it rounds twice. */
static inline __m512 emulated_fmadd_ps(__m512 a, __m512 b, __m512 c)
{
    __m256 in[3][2], out[2];
    memcpy(in[0], &a, sizeof a);
    memcpy(in[1], &b, sizeof b);
    memcpy(in[2], &c, sizeof c);
    for (int half = 0; half < 2; half++) out[half] = _mm256_fmadd_ps(in[0][half], in[1][half], in[2][half]);
    __m512 result;
    memcpy(&result, out, sizeof result);
    return result;
}
#undef _mm512_fmadd_ps
#define _mm512_fmadd_ps emulated_fmadd_ps

static inline __m512 emulated_shuffle_f32x4(__m512 a, __m512 b, int quarters)
{
    float in[2][4][4], out[4][4];
    memcpy(in[0], &a, sizeof a);
    memcpy(in[1], &b, sizeof b);
    for (int k = 0; k < 4; k++) memcpy(out[k], in[k / 2][quarters >> (2 * k) & 3], sizeof out[k]);
    __m512 result;
    memcpy(&result, out, sizeof result);
    return result;
}
#undef _mm512_shuffle_f32x4
#define _mm512_shuffle_f32x4 emulated_shuffle_f32x4

static inline __m512i emulated_srai_epi32(__m512i v, unsigned bits)
{
    int32_t lanes[16];
    memcpy(lanes, &v, sizeof lanes);
    for (int i = 0; i < 16; i++) lanes[i] >>= bits;
    __m512i result;
    memcpy(&result, lanes, sizeof result);
    return result;
}
#undef _mm512_srai_epi32
#define _mm512_srai_epi32 emulated_srai_epi32

/* A bit for every pair of elements x, y that the condition holds of. */
#define EMULATE_MASK(name, V, element_t, mask_t, condition)           \
    static inline mask_t name(V a, V b)                               \
    {                                                                 \
        element_t in[2][sizeof(V) / sizeof(element_t)];               \
        memcpy(in[0], &a, sizeof a);                                  \
        memcpy(in[1], &b, sizeof b);                                  \
        uint32_t mask = 0;                                            \
        for (size_t i = 0; i < sizeof(V) / sizeof(element_t); i++) {  \
            element_t x = in[0][i], y = in[1][i];                     \
            mask |= (uint32_t)(condition) << i;                       \
        }                                                             \
        return (mask_t)mask;                                          \
    }

EMULATE_MASK(emulated_cmpeq_epi16_mask, __m512i, int16_t, __mmask32, x == y)
EMULATE_MASK(emulated_test_epi8_mask, __m128i, uint8_t, __mmask16, (x & y) != 0)
#undef _mm512_cmpeq_epi16_mask
#undef _mm_test_epi8_mask
#define _mm512_cmpeq_epi16_mask emulated_cmpeq_epi16_mask
#define _mm_test_epi8_mask emulated_test_epi8_mask

static inline __m512i emulated_i32gather_epi32(__m512i places, const void *base, int scale)
{
    int32_t place[16], lanes[16];
    memcpy(place, &places, sizeof place);
    for (int i = 0; i < 16; i++) memcpy(&lanes[i], (const char *)base + (ptrdiff_t)place[i] * scale, sizeof lanes[i]);
    __m512i result;
    memcpy(&result, lanes, sizeof result);
    return result;
}
#undef _mm512_i32gather_epi32
#define _mm512_i32gather_epi32 emulated_i32gather_epi32

/* No register holds such a vector. */
#define KEEP_IN_REGISTER(v) (void)(v)

#endif
