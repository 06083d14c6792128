/* Row encoders and decoders, one file per number format; quant/formats.c makes the table of them.
 *
 * `blocks` may be unaligned. n is a multiple of the format's block size. */
#ifndef LFM_QUANT_FORMATS_ROWS_H
#define LFM_QUANT_FORMATS_ROWS_H

#include <stddef.h>
#include <stdint.h>

void lfm_f32_encode(void *blocks, const float *x, size_t n);
void lfm_f32_decode(float *x, const void *blocks, size_t n);
void lfm_f16_encode(void *blocks, const float *x, size_t n);
void lfm_f16_decode(float *x, const void *blocks, size_t n);
void lfm_bf16_encode(void *blocks, const float *x, size_t n);
void lfm_bf16_decode(float *x, const void *blocks, size_t n);
void lfm_q8_0_encode(void *blocks, const float *x, size_t n);
void lfm_q8_0_decode(float *x, const void *blocks, size_t n);
void lfm_q4_0_encode(void *blocks, const float *x, size_t n);
void lfm_q4_0_decode(float *x, const void *blocks, size_t n);
void lfm_q4_1_encode(void *blocks, const float *x, size_t n);
void lfm_q4_1_decode(float *x, const void *blocks, size_t n);
void lfm_q5_0_decode(float *x, const void *blocks, size_t n);
void lfm_q5_1_decode(float *x, const void *blocks, size_t n);
void lfm_q4_k_decode(float *x, const void *blocks, size_t n);
void lfm_q5_k_decode(float *x, const void *blocks, size_t n);
void lfm_q6_k_decode(float *x, const void *blocks, size_t n);
void lfm_fp8_e4m3_encode(void *blocks, const float *x, size_t n);
void lfm_fp8_e4m3_decode(float *x, const void *blocks, size_t n);
void lfm_fp8_e5m2_encode(void *blocks, const float *x, size_t n);
void lfm_fp8_e5m2_decode(float *x, const void *blocks, size_t n);

/* Codes, scales and minima of rows: unpack_row of struct lfm_format. */
void lfm_q8_0_unpack(uint8_t *codes, float *scales, float *minima, const void *blocks, size_t n);
void lfm_q4_0_unpack(uint8_t *codes, float *scales, float *minima, const void *blocks, size_t n);
void lfm_q4_1_unpack(uint8_t *codes, float *scales, float *minima, const void *blocks, size_t n);
void lfm_q5_0_unpack(uint8_t *codes, float *scales, float *minima, const void *blocks, size_t n);
void lfm_q5_1_unpack(uint8_t *codes, float *scales, float *minima, const void *blocks, size_t n);
void lfm_q4_k_unpack(uint8_t *codes, float *scales, float *minima, const void *blocks, size_t n);
void lfm_q5_k_unpack(uint8_t *codes, float *scales, float *minima, const void *blocks, size_t n);
void lfm_q6_k_unpack(uint8_t *codes, float *scales, float *minima, const void *blocks, size_t n);

#endif
