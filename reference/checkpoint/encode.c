/* Encoding whole matrices: see encode.h. */
#include "reference/checkpoint/encode.h"

#include "reference/base/memory.h"

#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

bool lfm_scale_by_name(const char *name, enum lfm_scale *scale)
{
    static const char *const names[] = {"tensor", "channel", "block"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (strcasecmp(name, names[i]) != 0) continue;
        *scale = (enum lfm_scale)i;
        return true;
    }
    return false;
}

static size_t tiles(size_t n)
{
    return n / LFM_SCALE_TILE + (n % LFM_SCALE_TILE != 0);
}

void lfm_scale_shape(enum lfm_scale scale, size_t rows, size_t columns, size_t *scale_rows, size_t *scale_columns)
{
    *scale_rows = scale == LFM_SCALE_TENSOR ? 1 : scale == LFM_SCALE_CHANNEL ? rows : tiles(rows);
    *scale_columns = scale == LFM_SCALE_BLOCK ? tiles(columns) : 1;
}

size_t lfm_scale_count(const struct lfm_format *format, enum lfm_scale scale, size_t rows, size_t columns)
{
    if (format->scaled_max <= 0) return 0;
    size_t scale_rows, scale_columns;
    lfm_scale_shape(scale, rows, columns, &scale_rows, &scale_columns);
    return scale_rows * scale_columns;
}

/* The row of scales that holds for row r, and the number of columns that one of them covers. */
static size_t scale_row_of(enum lfm_scale scale, size_t r)
{
    return scale == LFM_SCALE_TENSOR ? 0 : scale == LFM_SCALE_CHANNEL ? r : r / LFM_SCALE_TILE;
}

static size_t scale_width(enum lfm_scale scale, size_t columns)
{
    return scale == LFM_SCALE_BLOCK ? LFM_SCALE_TILE : columns;
}

/* max|x|; not finite when any value is not. Magnitudes of floats are ordered like their bits. */
static float largest_magnitude(const float *x, size_t n)
{
    uint32_t largest = 0;
    for (size_t i = 0; i < n; i++) {
        uint32_t bits;
        memcpy(&bits, &x[i], sizeof bits);
        bits &= 0x7fffffffu;
        largest = bits > largest ? bits : largest;
    }
    float value;
    memcpy(&value, &largest, sizeof value);
    return value;
}

/* Too small magnitudes to have a scale are encoded as they are. */
static float scale_for(float largest, float scaled_max)
{
    float scale = largest / scaled_max;
    return scale == 0 ? 1 : scale;
}

float lfm_group_scale(const float *x, size_t n, float scaled_max)
{
    return scale_for(largest_magnitude(x, n), scaled_max);
}

/* Says which value of the row cannot be encoded: the first that is not finite, or else the largest. */
static enum lfm_status refuse_row(const struct lfm_row_source *source, const struct lfm_format *format, size_t r,
                                  struct lfm_error *error)
{
    float *x;
    LFM_TRY(LFM_ALLOC(&x, source->columns, error));
    source->row(source->context, r, x);
    size_t column = 0;
    for (size_t c = 1; c < source->columns && isfinite(x[column]); c++)
        if (!(fabsf(x[c]) <= fabsf(x[column]))) column = c;
    float value = x[column];
    free(x);
    return lfm_fail(error, LFM_ERROR_FORMAT, "cannot quantize '%s': row %zu, column %zu is %g, expected %s%s",
                    source->name, r, column, (double)value,
                    isfinite(value) ? "a value in the range of " : "finite weights",
                    isfinite(value) ? format->name : "");
}

/* What is done to rows first .. first+count-1 in parallel: measure_row or encode_row. */
struct job {
    const struct lfm_row_source *source;
    const struct lfm_format *format;
    enum lfm_scale scale;
    size_t scale_columns;
    size_t first;
    float *largest;      /* measuring: [rows, scale_columns] */
    const float *scales; /* encoding: NULL for formats without scaled_max */
    uint8_t *data;
    size_t row_bytes;
};

static bool measure_row(const struct job *job, size_t r, float *x)
{
    size_t columns = job->source->columns, width = scale_width(job->scale, columns);
    bool finite = true;
    job->source->row(job->source->context, r, x);
    for (size_t g = 0; g < job->scale_columns; g++) {
        size_t start = g * width, n = columns - start < width ? columns - start : width;
        float largest = largest_magnitude(x + start, n);
        job->largest[r * job->scale_columns + g] = largest;
        finite = finite && isfinite(largest);
    }
    return finite;
}

static void divide_by_scales(const struct job *job, size_t r, float *x)
{
    size_t columns = job->source->columns, width = scale_width(job->scale, columns);
    const float *scales = job->scales + scale_row_of(job->scale, r) * job->scale_columns;
    for (size_t g = 0; g < job->scale_columns; g++) {
        size_t end = columns - g * width < width ? columns : (g + 1) * width;
        for (size_t c = g * width; c < end; c++) x[c] /= scales[g];
    }
}

/* No format turns values up to this, the largest of f16, into infinities. */
#define ALWAYS_IN_RANGE 65504.0f

static bool encode_row(const struct job *job, size_t r, float *x)
{
    size_t columns = job->source->columns;
    uint8_t *row = job->data + (r - job->first) * job->row_bytes;
    job->source->row(job->source->context, r, x);
    float largest = largest_magnitude(x, columns);
    if (!isfinite(largest)) return false;
    if (job->scales) divide_by_scales(job, r, x);
    job->format->encode_row(row, x, columns);
    if (job->scales || largest <= ALWAYS_IN_RANGE) return true;
    job->format->decode_row(x, row, columns);
    return isfinite(largest_magnitude(x, columns));
}

static enum lfm_status each_row(const struct job *job, size_t count, bool (*each)(const struct job *, size_t, float *),
                                struct lfm_error *error)
{
    size_t bad_row = SIZE_MAX;
    bool short_of_memory = false;
#pragma omp parallel
    {
        float *x;
        bool ready = LFM_ALLOC(&x, job->source->columns, NULL) == LFM_OK;
#pragma omp for schedule(static)
        for (size_t i = 0; i < count; i++) {
            size_t r = job->first + i;
            if (ready && each(job, r, x)) continue;
#pragma omp critical(lfm_encode_row)
            {
                if (!ready) short_of_memory = true;
                else if (r < bad_row) bad_row = r;
            }
        }
        free(x);
    }
    if (short_of_memory)
        return lfm_fail(error, LFM_ERROR_MEMORY, "cannot quantize '%s': out of memory", job->source->name);
    if (bad_row != SIZE_MAX) return refuse_row(job->source, job->format, bad_row, error);
    return LFM_OK;
}

enum lfm_status lfm_measure_scales(const struct lfm_row_source *source, const struct lfm_format *format,
                                   enum lfm_scale scale, float *scales, struct lfm_error *error)
{
    if (format->scaled_max <= 0) return LFM_OK;
    size_t scale_rows, scale_columns;
    lfm_scale_shape(scale, source->rows, source->columns, &scale_rows, &scale_columns);
    struct job job = {.source = source, .format = format, .scale = scale, .scale_columns = scale_columns};
    size_t width = sizeof *job.largest * scale_columns;
    LFM_TRY(lfm_alloc((void **)&job.largest, source->rows, width, error));
    enum lfm_status status = each_row(&job, source->rows, measure_row, error);

    for (size_t i = 0; i < scale_rows * scale_columns; i++) scales[i] = 0;
    for (size_t r = 0; r < source->rows; r++) {
        float *row = scales + scale_row_of(scale, r) * scale_columns;
        for (size_t g = 0; g < scale_columns; g++) row[g] = fmaxf(row[g], job.largest[r * scale_columns + g]);
    }
    for (size_t i = 0; i < scale_rows * scale_columns; i++) scales[i] = scale_for(scales[i], format->scaled_max);
    free(job.largest);
    return status;
}

enum lfm_status lfm_encode_rows(const struct lfm_row_source *source, const struct lfm_format *format,
                                enum lfm_scale scale, const float *scales, size_t first, size_t count, void *data,
                                struct lfm_error *error)
{
    if (!format->encode_row)
        return lfm_fail(error, LFM_ERROR_ARGUMENT, "cannot write '%s' as %s: lfmscope only reads it; it writes %s",
                        source->name, format->name, lfm_format_encodable_names());
    struct job job = {.source = source, .format = format, .scale = scale, .first = first, .data = data};
    if (format->scaled_max > 0) job.scales = scales;
    size_t scale_rows;
    lfm_scale_shape(scale, source->rows, source->columns, &scale_rows, &job.scale_columns);
    LFM_TRY(lfm_format_row_bytes(format, source->columns, &job.row_bytes, error));
    return each_row(&job, count, encode_row, error);
}

enum lfm_status lfm_encode_matrix(const struct lfm_row_source *source, const struct lfm_format *format,
                                  enum lfm_scale scale, void *data, float *scales, struct lfm_error *error)
{
    LFM_TRY(lfm_measure_scales(source, format, scale, scales, error));
    return lfm_encode_rows(source, format, scale, scales, 0, source->rows, data, error);
}
