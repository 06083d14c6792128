/* Ranges of positions: see ranges.h. */
#include "reference/trace/ranges.h"

#include <stdlib.h>

/* Reads "7" at *text and moves past it. */
static bool parse_position(const char **text, size_t *out)
{
    if (**text < '0' || **text > '9') return false;
    char *end;
    unsigned long long value = strtoull(*text, &end, 10);
    *out = value < LFM_RANGE_END ? (size_t)value : LFM_RANGE_END;
    *text = end;
    return true;
}

/* Reads "7", "7-9" or "7-", which a comma or the end of the text follows. */
static bool parse_range(const char **text, struct lfm_range *range)
{
    if (!parse_position(text, &range->first)) return false;
    range->last = range->first;
    if (**text == '-') {
        ++*text;
        if (**text == ',' || **text == '\0') range->last = LFM_RANGE_END;
        else if (!parse_position(text, &range->last)) return false;
    }
    return range->last >= range->first && (**text == ',' || **text == '\0');
}

enum lfm_status lfm_ranges_parse(struct lfm_ranges *ranges, const char *what, const char *text, struct lfm_error *error)
{
    ranges->count = 0;
    for (const char *at = text; at;) {
        struct lfm_range range;
        if (!parse_range(&at, &range))
            return lfm_fail(error, LFM_ERROR_ARGUMENT,
                            "cannot read the %s '%s': expected positions and ranges as in 0-3,100-120", what, text);
        if (ranges->count == LFM_MAX_RANGES)
            return lfm_fail(error, LFM_ERROR_LIMIT, "the %s '%s' are more than %d ranges", what, text, LFM_MAX_RANGES);
        ranges->items[ranges->count++] = range;
        at = *at == ',' ? at + 1 : NULL;
    }
    return LFM_OK;
}

/* The least position >= from in any of the ranges, or `end`. */
static size_t next_inside(const struct lfm_ranges *ranges, size_t from, size_t end)
{
    size_t next = end;
    for (size_t i = 0; i < ranges->count; i++) {
        const struct lfm_range *range = &ranges->items[i];
        size_t at = range->first > from ? range->first : from;
        if (at <= range->last && at < next) next = at;
    }
    return next;
}

bool lfm_ranges_next(const struct lfm_ranges *ranges, size_t from, size_t end, size_t *start, size_t *stop)
{
    *start = ranges->count ? next_inside(ranges, from, end) : from;
    *stop = ranges->count ? *start : end;
    if (*start >= end) return false;
    for (bool grown = true; grown && *stop < end;) {
        grown = false;
        for (size_t i = 0; i < ranges->count; i++) {
            const struct lfm_range *range = &ranges->items[i];
            if (range->first > *stop || range->last < *stop) continue;
            *stop = range->last < end ? range->last + 1 : end;
            grown = true;
        }
    }
    return true;
}

size_t lfm_ranges_count(const struct lfm_ranges *ranges, size_t from, size_t end)
{
    size_t count = 0, start, stop;
    for (; lfm_ranges_next(ranges, from, end, &start, &stop); from = stop) count += stop - start;
    return count;
}

size_t lfm_ranges_end(const struct lfm_ranges *ranges)
{
    size_t end = 0;
    for (size_t i = 0; i < ranges->count; i++) {
        if (ranges->items[i].last == LFM_RANGE_END) return 0;
        if (ranges->items[i].last + 1 > end) end = ranges->items[i].last + 1;
    }
    return end;
}
