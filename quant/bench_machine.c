/* What the machine can do: how fast it reads memory, and what energy it used. See bench.h. */
#include "quant/bench.h"

#include "reference/base/file.h"
#include "reference/base/memory.h"
#include "reference/model/lanes.h"

#include <dirent.h>
#include <gsl/gsl_sort.h>
#include <gsl/gsl_statistics_double.h>
#include <math.h>
#include <omp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct lfm_spread lfm_spread_of(double *values, size_t n)
{
    if (n == 0) return (struct lfm_spread){NAN, NAN, NAN};
    gsl_sort(values, 1, n);
    return (struct lfm_spread){gsl_stats_median_from_sorted_data(values, 1, n), values[0], values[n - 1]};
}

/* --- bandwidth --- */

enum { STREAMS = 8, LINE_WORDS = 8 }; /* words of 8 bytes in a cache line */

typedef uint64_t line __attribute__((vector_size(64)));

/* The exclusive-or of n lines: as cheap per byte as work can be, and no line can be skipped. */
LFM_CLONES
static uint64_t read_lines(const line *lines, size_t n)
{
    line sums[STREAMS] = {0};
    size_t i = 0;
    for (; i + STREAMS <= n; i += STREAMS)
#pragma GCC unroll 8
        for (size_t k = 0; k < STREAMS; k++) sums[k] ^= lines[i + k];
    for (; i < n; i++) sums[0] ^= lines[i];
    for (size_t k = 1; k < STREAMS; k++) sums[0] ^= sums[k];
    uint64_t words[LINE_WORDS], all = 0;
    memcpy(words, &sums[0], sizeof words);
    for (size_t k = 0; k < LINE_WORDS; k++) all ^= words[k];
    return all;
}

/* Lines first .. first+n-1 are the calling thread's. */
static void own_part(const struct lfm_bandwidth *bandwidth, size_t *first, size_t *n)
{
    size_t lines = bandwidth->bytes / sizeof(line), threads = (size_t)omp_get_num_threads();
    *n = lines / threads;
    *first = *n * (size_t)omp_get_thread_num();
}

enum lfm_status lfm_bandwidth_open(struct lfm_bandwidth *bandwidth, size_t bytes, struct lfm_error *error)
{
    size_t grain = sizeof(line) * (size_t)omp_get_max_threads();
    *bandwidth = (struct lfm_bandwidth){.bytes = bytes / grain * grain};
    void *buffer = aligned_alloc(sizeof(line), bandwidth->bytes > 0 ? bandwidth->bytes : sizeof(line));
    if (!buffer) return lfm_fail(error, LFM_ERROR_MEMORY, "cannot allocate %zu bytes for the bandwidth test", bytes);
    bandwidth->buffer = buffer;
#pragma omp parallel
    {
        size_t first, n;
        own_part(bandwidth, &first, &n);
        for (size_t i = first * LINE_WORDS; i < (first + n) * LINE_WORDS; i++) bandwidth->buffer[i] = i;
    }
    return LFM_OK;
}

enum lfm_status lfm_bandwidth_measure(struct lfm_bandwidth *bandwidth, struct lfm_error *error)
{
    uint64_t all = 0;
    LFM_TRY(LFM_GROW(&bandwidth->samples, &bandwidth->capacity, bandwidth->n + 1, error));
    double start = lfm_seconds();
#pragma omp parallel
    {
        size_t first, n;
        own_part(bandwidth, &first, &n);
        uint64_t part = read_lines((const line *)(const void *)bandwidth->buffer + first, n);
#pragma omp atomic
        all ^= part;
    }
    double seconds = lfm_seconds() - start;
    bandwidth->buffer[0] = all; /* the sum is of use to somebody, as the compiler sees it */
    bandwidth->samples[bandwidth->n++] = seconds > 0 ? (double)bandwidth->bytes / seconds : NAN;
    return LFM_OK;
}

struct lfm_spread lfm_bandwidth_spread(struct lfm_bandwidth *bandwidth)
{
    return lfm_spread_of(bandwidth->samples, bandwidth->n);
}

void lfm_bandwidth_close(struct lfm_bandwidth *bandwidth)
{
    free(bandwidth->buffer);
    free(bandwidth->samples);
    *bandwidth = (struct lfm_bandwidth){0};
}

/* --- energy --- */

/* The first word of a small file; false when it cannot be read. */
static bool read_word(const char *directory, const char *name, char word[64])
{
    char *path;
    if (lfm_join_path(&path, directory, name, NULL) != LFM_OK) return false;
    FILE *file = fopen(path, "r");
    bool read = file && fscanf(file, "%63s", word) == 1;
    if (file) fclose(file);
    free(path);
    return read;
}

static double read_joules(const char *directory, const char *name)
{
    char word[64];
    return read_word(directory, name, word) ? 1e-6 * strtod(word, NULL) : NAN;
}

/* Packages alone: their parts (cores, memory) are counted in them. */
static enum lfm_status add_package(struct lfm_energy *energy, const char *directory, struct lfm_error *error)
{
    char name[64];
    if (energy->n == LFM_MAX_PACKAGES || !read_word(directory, "name", name) || strncmp(name, "package", 7) != 0)
        return LFM_OK;
    if (!isfinite(read_joules(directory, "energy_uj"))) return LFM_OK;
    double range = read_joules(directory, "max_energy_range_uj");
    energy->ranges[energy->n] = isfinite(range) ? range : 0;
    LFM_TRY(lfm_copy_string(&energy->paths[energy->n], directory, strlen(directory), error));
    energy->n++;
    return LFM_OK;
}

enum lfm_status lfm_energy_open(struct lfm_energy *energy, const char *directory, struct lfm_error *error)
{
    *energy = (struct lfm_energy){0};
    DIR *entries = opendir(directory);
    if (!entries) return LFM_OK;
    enum lfm_status status = LFM_OK;
    for (const struct dirent *entry; status == LFM_OK && (entry = readdir(entries)) != NULL;) {
        char *path;
        if (entry->d_name[0] == '.') continue;
        status = lfm_join_path(&path, directory, entry->d_name, error);
        if (status == LFM_OK) status = add_package(energy, path, error);
        free(path);
    }
    closedir(entries);
    if (status != LFM_OK) lfm_energy_close(energy);
    return status;
}

struct lfm_energy_reading lfm_energy_read(const struct lfm_energy *energy)
{
    struct lfm_energy_reading reading = {{0}};
    for (size_t i = 0; i < energy->n; i++) reading.joules[i] = read_joules(energy->paths[i], "energy_uj");
    return reading;
}

double lfm_energy_since(const struct lfm_energy *energy, const struct lfm_energy_reading *before)
{
    struct lfm_energy_reading now = lfm_energy_read(energy);
    double joules = energy->n > 0 ? 0 : NAN;
    for (size_t i = 0; i < energy->n; i++) {
        double used = now.joules[i] - before->joules[i];
        joules += used < 0 ? used + energy->ranges[i] : used;
    }
    return joules;
}

void lfm_energy_close(struct lfm_energy *energy)
{
    for (size_t i = 0; i < energy->n; i++) free(energy->paths[i]);
    *energy = (struct lfm_energy){0};
}
