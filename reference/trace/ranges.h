/* Ranges of positions, ends included: which tokens of a document are wanted, or which positions attention is summed
 * over. */
#ifndef LFM_TRACE_RANGES_H
#define LFM_TRACE_RANGES_H

#include "reference/base/error.h"

#include <stdbool.h>
#include <stddef.h>

enum { LFM_MAX_RANGES = 64 };
#define LFM_RANGE_END ((size_t)1 << 40) /* the end of an open range, beyond any text */

struct lfm_range {
    size_t first, last;
};

struct lfm_ranges {
    struct lfm_range items[LFM_MAX_RANGES]; /* as given */
    size_t count;
};

/* "5", "0-3,100-120", "16-" (to the end). `what` names the ranges in messages. Fails on anything else. */
enum lfm_status lfm_ranges_parse(struct lfm_ranges *ranges, const char *what, const char *text,
                                 struct lfm_error *error);

/* The first run of positions from `from` on and below `end` that lie in any of the ranges: *start .. *stop - 1. No
 * ranges mean all positions. False when there is none. */
bool lfm_ranges_next(const struct lfm_ranges *ranges, size_t from, size_t end, size_t *start, size_t *stop);
/* How many of the positions from .. end - 1 lie in any of the ranges. */
size_t lfm_ranges_count(const struct lfm_ranges *ranges, size_t from, size_t end);
/* One more than the last position that lies in any of them; 0 when there are no ranges, or an open one. */
size_t lfm_ranges_end(const struct lfm_ranges *ranges);

#endif
