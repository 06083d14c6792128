/* See profiles.h. */
#include "eval/text/profiles.h"
#include "eval/text/tables.h"

#include <string.h>

/* Bytes of the parts of profiles.bin. */
enum { HEADER = 20, LANGUAGE = 20, CODE = 8, GRAM = 10, COUNT = 4, COUNT_BITS = 26 };

static const unsigned char *profiles(size_t offset)
{
    return (const unsigned char *)lfm_table(LFM_TABLE_PROFILES).at + offset;
}

static uint32_t read_16(const unsigned char *at)
{
    return at[0] | (uint32_t)at[1] << 8;
}

static uint32_t read_32(const unsigned char *at)
{
    return read_16(at) | read_16(at + 2) << 16;
}

static const unsigned char *gram_at(size_t gram)
{
    return profiles(HEADER + LFM_PROFILES * LANGUAGE + gram * GRAM);
}

static uint32_t gram_count(void)
{
    return read_32(profiles(12));
}

static uint64_t key_of(const unsigned char *gram)
{
    return (uint64_t)read_16(gram) << 32 | (uint64_t)read_16(gram + 2) << 16 | read_16(gram + 4);
}

const char *lfm_profile_code(size_t language)
{
    return (const char *)profiles(HEADER + language * LANGUAGE);
}

uint32_t lfm_find_gram(const uint32_t *points, size_t n)
{
    uint64_t key = 0;
    for (size_t i = 0; i < LFM_MAX_GRAM; i++) {
        if (i < n && (points[i] == 0 || points[i] > 0xFFFF)) return LFM_NO_GRAM;
        key = key << 16 | (i < n ? points[i] : 0);
    }
    const unsigned char *grams = gram_at(0);
    uint32_t count = gram_count(), low = 0, high = count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (key_of(grams + (size_t)middle * GRAM) < key)
            low = middle + 1;
        else
            high = middle;
    }
    return low < count && key_of(grams + (size_t)low * GRAM) == key ? low : LFM_NO_GRAM;
}

static size_t gram_length(const unsigned char *gram)
{
    return read_16(gram + 2) == 0 ? 1 : read_16(gram + 4) == 0 ? 2 : 3;
}

void lfm_gram_probabilities(uint32_t gram, double probability[LFM_PROFILES])
{
    const unsigned char *entry = gram_at(gram), *counts = gram_at((size_t)gram_count() + 1);
    const unsigned char *totals = profiles(HEADER + CODE + (gram_length(entry) - 1) * COUNT);
    memset(probability, 0, LFM_PROFILES * sizeof *probability);
    for (size_t i = read_32(entry + 6), end = read_32(entry + GRAM + 6); i < end; i++) {
        uint32_t packed = read_32(counts + i * COUNT), language = packed >> COUNT_BITS;
        uint32_t count = packed & ((UINT32_C(1) << COUNT_BITS) - 1);
        probability[language] = (double)count / read_32(totals + language * LANGUAGE);
    }
}
