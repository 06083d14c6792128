/* Rows of keys and values: see kv.h. */
#include "reference/model/kv.h"

#include "reference/base/memory.h"
#include "reference/checkpoint/encode.h"
#include "reference/model/fetch.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

const struct lfm_format *lfm_kv_by_name(const char *name)
{
    static const char *const names[] = {"f32", "f16", "q8_0", "fp8_e4m3"};
    const struct lfm_format *format = lfm_format_by_name(name);
    for (size_t i = 0; format && i < sizeof names / sizeof names[0]; i++)
        if (strcmp(format->name, names[i]) == 0) return format;
    return NULL;
}

enum lfm_status lfm_kv_check(const struct lfm_format *format, const struct lfm_config *config, struct lfm_error *error)
{
    if (!lfm_kv_by_name(format->name))
        return lfm_fail(error, LFM_ERROR_ARGUMENT, "keys and values cannot be kept in %s: expected f32, f16, q8_0 or "
                        "fp8_e4m3", format->name);
    if (config->head_dim % format->block_size != 0)
        return lfm_fail(error, LFM_ERROR_ARGUMENT, "keys and values cannot be kept in %s: heads have %zu elements, "
                        "expected a multiple of %zu; use f16 or fp8_e4m3", format->name, config->head_dim,
                        format->block_size);
    return LFM_OK;
}

enum lfm_status lfm_kv_init(struct lfm_kv *kv, const struct lfm_format *format, size_t width, struct lfm_error *error)
{
    *kv = (struct lfm_kv){.format = format, .width = width, .kernels = lfm_format_kernels(lfm_kernels(), format)};
    return lfm_format_row_bytes(format, width, &kv->row_bytes, error);
}

void lfm_kv_release(struct lfm_kv *kv)
{
    free(kv->rows);
    free(kv->scales);
    *kv = (struct lfm_kv){0};
}

static bool has_scales(const struct lfm_kv *kv)
{
    return kv->format->scaled_max > 0;
}

enum lfm_status lfm_kv_reserve(struct lfm_kv *kv, size_t n, struct lfm_error *error)
{
    size_t rows = kv->capacity, scales = kv->capacity; /* both grow by the same rule */
    if (n <= kv->capacity) return LFM_OK;
    if (has_scales(kv)) LFM_TRY(LFM_GROW(&kv->scales, &scales, n, error));
    LFM_TRY(lfm_grow(&kv->rows, &rows, n, kv->row_bytes, error));
    kv->capacity = rows;
    return LFM_OK;
}

size_t lfm_kv_bytes(const struct lfm_kv *kv, size_t n)
{
    return n * (kv->row_bytes + (has_scales(kv) ? sizeof(float) : 0));
}

static uint8_t *row_of(const struct lfm_kv *kv, size_t row)
{
    return (uint8_t *)kv->rows + row * kv->row_bytes;
}

enum { CHUNK = 256 }; /* elements scaled at a time; a multiple of every block */

static void store_scaled(struct lfm_kv *kv, size_t row, const float *x)
{
    float scaled[CHUNK], scale = lfm_group_scale(x, kv->width, kv->format->scaled_max);
    for (size_t first = 0; first < kv->width; first += CHUNK) {
        size_t n = kv->width - first < CHUNK ? kv->width - first : CHUNK;
        for (size_t i = 0; i < n; i++) scaled[i] = x[first + i] / scale;
        kv->format->encode_row(row_of(kv, row) + first * kv->format->block_bytes, scaled, n);
    }
    kv->scales[row] = scale;
}

void lfm_kv_store(struct lfm_kv *kv, size_t first, const float *x, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (has_scales(kv)) store_scaled(kv, first + i, x + i * kv->width);
        else kv->format->encode_row(row_of(kv, first + i), x + i * kv->width, kv->width);
    }
}

void lfm_kv_copy(struct lfm_kv *to, const struct lfm_kv *from, size_t n)
{
    if (n == 0) return;
    memcpy(to->rows, from->rows, n * from->row_bytes);
    if (has_scales(from)) memcpy(to->scales, from->scales, n * sizeof *from->scales);
}

static void multiply(float *x, float scale, size_t n)
{
    for (size_t i = 0; i < n; i++) x[i] *= scale;
}

enum {
    FAST_MULTIPLE = 32, /* elements that kernels decode together */
    ROWS_AHEAD = 8      /* that are asked for before they are read */
};

void lfm_kv_load(float *x, size_t stride, const struct lfm_kv *kv, size_t row, size_t n, size_t first, size_t count)
{
    const struct lfm_format *format = kv->format;
    size_t skip = first / format->block_size * format->block_bytes;
    size_t bytes = count / format->block_size * format->block_bytes;
    bool fast = kv->kernels && kv->kernels->decode_row && count % FAST_MULTIPLE == 0;
    for (size_t i = 0; i < n; i++) {
        float *to = x + i * stride;
        lfm_fetch(row_of(kv, row + i + ROWS_AHEAD) + skip, bytes);
        (fast ? kv->kernels->decode_row : format->decode_row)(to, row_of(kv, row + i) + skip, count);
        if (has_scales(kv)) multiply(to, kv->scales[row + i], count);
    }
}
