/* The sets of kernels: one file each in this folder. */
#ifndef LFM_QUANT_KERNELS_KERNELS_H
#define LFM_QUANT_KERNELS_KERNELS_H

#include "reference/model/kernels.h"

extern const struct lfm_kernels lfm_plain_kernels;
#ifdef __x86_64__
extern const struct lfm_kernels lfm_avx2_kernels, lfm_avx512_kernels;
#endif
#ifdef __aarch64__
extern const struct lfm_kernels lfm_neon_kernels;
#endif

/* The plain set's multiply_q8, for sets that have nothing better for a format. */
void lfm_plain_multiply_q8(float *y, size_t y_stride, const struct lfm_format *format, const void *rows, size_t row_bytes,
                           size_t n_rows, const struct lfm_q8_rows *x, void *scratch);

#endif
