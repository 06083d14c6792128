/* Running statistics per channel: see statistics.h. */
#include "reference/trace/statistics.h"

#include "reference/base/memory.h"
#include "reference/model/lanes.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>

enum lfm_status lfm_channel_statistics_init(struct lfm_channel_statistics *statistics, size_t cells, size_t width,
                                            struct lfm_error *error)
{
    *statistics = (struct lfm_channel_statistics){.cells = cells, .width = width};
    double **const columns[] = {&statistics->mean, &statistics->m2, &statistics->m3,
                                &statistics->m4, &statistics->min, &statistics->max};
    size_t n = cells * width;
    enum lfm_status status = LFM_ALLOC(&statistics->count, cells, error);
    for (size_t i = 0; i < sizeof columns / sizeof columns[0] && status == LFM_OK; i++)
        status = LFM_ALLOC(columns[i], n, error);
    if (status == LFM_OK) status = LFM_ALLOC(&statistics->absmax_token, n, error);
    if (status != LFM_OK) {
        lfm_channel_statistics_release(statistics);
        return status;
    }
    for (size_t i = 0; i < n; i++) {
        statistics->min[i] = INFINITY;
        statistics->max[i] = -INFINITY;
        statistics->absmax_token[i] = -1;
    }
    return LFM_OK;
}

void lfm_channel_statistics_release(struct lfm_channel_statistics *statistics)
{
    free(statistics->count);
    free(statistics->mean);
    free(statistics->m2);
    free(statistics->m3);
    free(statistics->m4);
    free(statistics->min);
    free(statistics->max);
    free(statistics->absmax_token);
    *statistics = (struct lfm_channel_statistics){0};
}

enum {
    CHANNELS = 256,          /* a block: its values, and what is summed over them, stay in the first caches */
    TOKENS = 64,
    WORTH_SHARING = 1 << 16  /* values below which waking other threads takes longer than it saves */
};

/* What is known of the values of CHANNELS channels. */
struct moments {
    double mean[CHANNELS], m2[CHANNELS], m3[CHANNELS], m4[CHANNELS];
    float min[CHANNELS], max[CHANNELS];
};

/* Factors that joining na and nb values has in common for all channels. */
struct joint {
    double na, nb, n;
    double mean, m2, m3, m4; /* of powers of the difference of the means */
};

static struct joint join(uint64_t count_a, uint64_t count_b)
{
    double a = (double)count_a, b = (double)count_b, n = a + b;
    return (struct joint){a, b, n, b / n, a * b / n, a * b * (a - b) / (n * n),
                          a * b * (a * a - a * b + b * b) / (n * n * n)};
}

/* Mean and moments of values[n, stride], n at most TOKENS. Deviations from the first value come first: they are exact
 * for channels that do not change. */
LFM_CLONES
static void sum_block(struct moments *block, const float *values, size_t stride, size_t n, size_t width)
{
    double *restrict mean = block->mean, *restrict m2 = block->m2, *restrict m3 = block->m3, *restrict m4 = block->m4;
    float *restrict min = block->min, *restrict max = block->max;
    for (size_t c = 0; c < width; c++) {
        mean[c] = m2[c] = m3[c] = m4[c] = 0;
        min[c] = INFINITY;
        max[c] = -INFINITY;
    }
    for (size_t t = 0; t < n; t++)
        for (size_t c = 0; c < width; c++) {
            float x = values[t * stride + c];
            mean[c] += (double)x - (double)values[c];
            min[c] = x < min[c] ? x : min[c];
            max[c] = x > max[c] ? x : max[c];
        }
    for (size_t c = 0; c < width; c++) mean[c] = (double)values[c] + mean[c] / (double)n;
    for (size_t t = 0; t < n; t++)
        for (size_t c = 0; c < width; c++) {
            double d = (double)values[t * stride + c] - mean[c], square = d * d;
            m2[c] += square;
            m3[c] += square * d;
            m4[c] += square * square;
        }
}

/* Joins mean and moments of b to those of a. */
LFM_CLONES
static void join_moments(const struct joint *joint, double *restrict mean, double *restrict m2, double *restrict m3,
                         double *restrict m4, const double *restrict mean_b, const double *restrict m2_b,
                         const double *restrict m3_b, const double *restrict m4_b, size_t width)
{
    double a = joint->na, b = joint->nb, n = joint->n;
    for (size_t c = 0; c < width; c++) {
        double d = mean_b[c] - mean[c], square = d * d;
        m4[c] += m4_b[c] + square * square * joint->m4 + 6 * square * (a * a * m2_b[c] + b * b * m2[c]) / (n * n) +
                 4 * d * (a * m3_b[c] - b * m3[c]) / n;
        m3[c] += m3_b[c] + square * d * joint->m3 + 3 * d * (a * m2_b[c] - b * m2[c]) / n;
        m2[c] += m2_b[c] + square * joint->m2;
        mean[c] += d * joint->mean;
    }
}

/* The largest absolute value of a channel, -1 when it has none. */
static double absmax(double min, double max)
{
    return min <= max ? fmax(fabs(min), fabs(max)) : -1;
}

static void join_extremes(struct lfm_channel_statistics *statistics, size_t at, const struct moments *block,
                          const float *values, size_t stride, size_t n, size_t width, int64_t first_token)
{
    double *min = statistics->min + at, *max = statistics->max + at;
    for (size_t c = 0; c < width; c++) {
        double largest = absmax(block->min[c], block->max[c]);
        if (largest > absmax(min[c], max[c])) {
            size_t t = 0;
            while (t + 1 < n && fabs((double)values[t * stride + c]) != largest) t++;
            statistics->absmax_token[at + c] = first_token + (int64_t)t;
        }
        min[c] = block->min[c] < min[c] ? block->min[c] : min[c];
        max[c] = block->max[c] > max[c] ? block->max[c] : max[c];
    }
}

/* All tokens of `width` channels, which lie at `at` in the statistics and had `count` values before. */
static void add_channels(struct lfm_channel_statistics *statistics, size_t at, uint64_t count, const float *values,
                         size_t stride, size_t n, size_t width, int64_t first_token)
{
    struct moments block;
    for (size_t t = 0; t < n; t += TOKENS) {
        size_t some = n - t < TOKENS ? n - t : TOKENS;
        sum_block(&block, values + t * stride, stride, some, width);
        struct joint joint = join(count + t, some);
        join_moments(&joint, statistics->mean + at, statistics->m2 + at, statistics->m3 + at, statistics->m4 + at,
                     block.mean, block.m2, block.m3, block.m4, width);
        join_extremes(statistics, at, &block, values + t * stride, stride, some, width,
                      first_token + (int64_t)t);
    }
}

void lfm_channel_statistics_add(struct lfm_channel_statistics *statistics, size_t cell, const float *values, size_t n,
                                int64_t first_token)
{
    size_t width = statistics->width;
    uint64_t before = statistics->count[cell];
#pragma omp parallel for schedule(static) if (n * width > WORTH_SHARING)
    for (size_t c = 0; c < width; c += CHANNELS)
        add_channels(statistics, cell * width + c, before, values + c, width, n,
                     width - c < CHANNELS ? width - c : CHANNELS, first_token);
    statistics->count[cell] += n;
}

void lfm_channel_statistics_merge(struct lfm_channel_statistics *to, const struct lfm_channel_statistics *from)
{
    size_t width = to->width;
    for (size_t cell = 0; cell < to->cells; cell++) {
        size_t at = cell * width;
        if (from->count[cell] == 0) continue;
        struct joint joint = join(to->count[cell], from->count[cell]);
        join_moments(&joint, to->mean + at, to->m2 + at, to->m3 + at, to->m4 + at, from->mean + at, from->m2 + at,
                     from->m3 + at, from->m4 + at, width);
        for (size_t i = at; i < at + width; i++) {
            if (absmax(from->min[i], from->max[i]) > absmax(to->min[i], to->max[i]))
                to->absmax_token[i] = from->absmax_token[i];
            to->min[i] = fmin(to->min[i], from->min[i]);
            to->max[i] = fmax(to->max[i], from->max[i]);
        }
        to->count[cell] += from->count[cell];
    }
}

const char *lfm_statistic_name(enum lfm_statistic statistic)
{
    static const char *const names[LFM_STATISTIC_COUNT] = {"mean", "rms", "absmax", "min", "max",
                                                           "m2", "m3", "m4", "kurtosis"};
    return names[statistic];
}

static double channel(const struct lfm_channel_statistics *statistics, enum lfm_statistic which, size_t i, double n)
{
    double mean = statistics->mean[i], m2 = statistics->m2[i], m4 = statistics->m4[i];
    double min = statistics->min[i], max = statistics->max[i];
    bool any = min <= max; /* false when all values were NaN */
    switch (which) {
    case LFM_STATISTIC_MEAN: return mean;
    case LFM_STATISTIC_RMS: return sqrt(mean * mean + m2 / n);
    case LFM_STATISTIC_ABSMAX: return any ? absmax(min, max) : NAN;
    case LFM_STATISTIC_MIN: return any ? min : NAN;
    case LFM_STATISTIC_MAX: return any ? max : NAN;
    case LFM_STATISTIC_M2: return m2;
    case LFM_STATISTIC_M3: return statistics->m3[i];
    case LFM_STATISTIC_M4: return m4;
    case LFM_STATISTIC_KURTOSIS: return m2 > 0 ? n * m4 / (m2 * m2) - 3 : NAN;
    default: return NAN;
    }
}

void lfm_channel_statistics_get(const struct lfm_channel_statistics *statistics, enum lfm_statistic which, double *out)
{
    size_t width = statistics->width;
    for (size_t cell = 0; cell < statistics->cells; cell++) {
        double n = (double)statistics->count[cell];
        for (size_t i = cell * width; i < (cell + 1) * width; i++)
            out[i] = n > 0 ? channel(statistics, which, i, n) : NAN;
    }
}
