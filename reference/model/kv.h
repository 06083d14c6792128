/* Keys or values of one attention layer, one row per token, in the number format that the model keeps them in.
 *
 * A row holds all key/value heads of a token, [G,A]. In f32, f16 and q8_0 it is encoded as a matrix's row would be
 * (q8_0: blocks of 32 within a head). fp8_e4m3 has one FP32 scale per token, max|row| / 448 (1 where that is zero):
 * stored = encode(x / scale), x = stored * scale. Values that are not finite read back as not finite. */
#ifndef LFM_MODEL_KV_H
#define LFM_MODEL_KV_H

#include "reference/base/error.h"
#include "reference/checkpoint/format.h"
#include "reference/model/config.h"
#include "reference/model/kernels.h"

#include <stddef.h>

struct lfm_kv {
    const struct lfm_format *format;
    size_t width;     /* elements of a row, G*A */
    size_t row_bytes; /* without the scale */
    size_t capacity;  /* rows that there is room for */
    void *rows;       /* [capacity], row_bytes each */
    float *scales;    /* [capacity]; NULL but for fp8_e4m3 */
    const struct lfm_format_kernels *kernels; /* of this processor; may be NULL */
};

/* "f32", "f16", "q8_0" or "fp8_e4m3"; NULL for any other name. */
const struct lfm_format *lfm_kv_by_name(const char *name);
/* Fails unless the model's heads can be kept in this format: q8_0 needs heads of a multiple of 32 elements. */
enum lfm_status lfm_kv_check(const struct lfm_format *format, const struct lfm_config *config, struct lfm_error *error);

/* Empty, without memory. */
enum lfm_status lfm_kv_init(struct lfm_kv *kv, const struct lfm_format *format, size_t width, struct lfm_error *error);
void lfm_kv_release(struct lfm_kv *kv);
/* Makes room for at least n rows, at least doubling; keeps what is there. */
enum lfm_status lfm_kv_reserve(struct lfm_kv *kv, size_t n, struct lfm_error *error);
/* Bytes of n rows and their scales. */
size_t lfm_kv_bytes(const struct lfm_kv *kv, size_t n);

/* Encodes x[n, width] as rows first .. first+n-1. */
void lfm_kv_store(struct lfm_kv *kv, size_t first, const float *x, size_t n);
/* Copies the first n rows of `from` to `to`, both of one format and width, with room for them. */
void lfm_kv_copy(struct lfm_kv *to, const struct lfm_kv *from, size_t n);

/* Elements first .. first+count-1 of rows row .. row+n-1 as FP32 into x[n], rows `stride` apart. `first` and `count` are
 * multiples of the format's block. */
void lfm_kv_load(float *x, size_t stride, const struct lfm_kv *kv, size_t row, size_t n, size_t first, size_t count);

#endif
