/* Running statistics per channel: see statistics.h. */
#include "reference/trace/statistics.h"

#include "reference/base/memory.h"
#include "reference/model/lanes.h"

#include <math.h>
#include <stdlib.h>

enum lfm_status lfm_channel_statistics_init(struct lfm_channel_statistics *statistics, size_t layers, size_t width,
                                            struct lfm_error *error)
{
    *statistics = (struct lfm_channel_statistics){.layers = layers, .width = width};
    size_t n = layers * width;
    enum lfm_status status = LFM_ALLOC(&statistics->count, layers, error);
    if (status == LFM_OK) status = LFM_ALLOC(&statistics->sum, n, error);
    if (status == LFM_OK) status = LFM_ALLOC(&statistics->sum_squares, n, error);
    if (status == LFM_OK) status = LFM_ALLOC(&statistics->min, n, error);
    if (status == LFM_OK) status = LFM_ALLOC(&statistics->max, n, error);
    if (status != LFM_OK) {
        lfm_channel_statistics_release(statistics);
        return status;
    }
    for (size_t i = 0; i < n; i++) {
        statistics->min[i] = INFINITY;
        statistics->max[i] = -INFINITY;
    }
    return LFM_OK;
}

void lfm_channel_statistics_release(struct lfm_channel_statistics *statistics)
{
    free(statistics->count);
    free(statistics->sum);
    free(statistics->sum_squares);
    free(statistics->min);
    free(statistics->max);
    *statistics = (struct lfm_channel_statistics){0};
}

enum {
    BLOCK = 256,             /* channels whose running values stay in the first cache while all tokens pass */
    WORTH_SHARING = 1 << 16  /* values below which waking other threads takes longer than it saves */
};

/* Adds values[n, stride] of `width` channels, each in the order of the tokens. */
LFM_CLONES
static void add_block(struct lfm_channel_statistics *statistics, size_t at, const float *values, size_t stride, size_t n,
                      size_t width)
{
    double *restrict sum = statistics->sum + at, *restrict sum_squares = statistics->sum_squares + at;
    double *restrict min = statistics->min + at, *restrict max = statistics->max + at;
    for (size_t t = 0; t < n; t++)
        for (size_t c = 0; c < width; c++) {
            double x = values[t * stride + c];
            sum[c] += x;
            sum_squares[c] += x * x;
            min[c] = x < min[c] ? x : min[c];
            max[c] = x > max[c] ? x : max[c];
        }
}

void lfm_channel_statistics_add(struct lfm_channel_statistics *statistics, size_t layer, const float *values, size_t n)
{
    size_t width = statistics->width;
    statistics->count[layer] += n;
#pragma omp parallel for schedule(static) if (n * width > WORTH_SHARING)
    for (size_t c = 0; c < width; c += BLOCK)
        add_block(statistics, layer * width + c, values + c, width, n, width - c < BLOCK ? width - c : BLOCK);
}

const char *lfm_statistic_name(enum lfm_statistic statistic)
{
    static const char *const names[LFM_STATISTIC_COUNT] = {"mean", "rms", "absmax", "min", "max"};
    return names[statistic];
}

static double channel(const struct lfm_channel_statistics *statistics, enum lfm_statistic which, size_t i, double n)
{
    switch (which) {
    case LFM_STATISTIC_MEAN: return statistics->sum[i] / n;
    case LFM_STATISTIC_RMS: return sqrt(statistics->sum_squares[i] / n);
    case LFM_STATISTIC_ABSMAX: return fmax(fabs(statistics->min[i]), fabs(statistics->max[i]));
    case LFM_STATISTIC_MIN: return statistics->min[i];
    case LFM_STATISTIC_MAX: return statistics->max[i];
    default: return NAN;
    }
}

void lfm_channel_statistics_get(const struct lfm_channel_statistics *statistics, enum lfm_statistic which, double *out)
{
    size_t width = statistics->width;
    for (size_t layer = 0; layer < statistics->layers; layer++) {
        double n = (double)statistics->count[layer];
        for (size_t i = layer * width; i < (layer + 1) * width; i++)
            out[i] = n > 0 ? channel(statistics, which, i, n) : NAN;
    }
}
