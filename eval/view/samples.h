/* The samples of a run as someone wants to see them who can no longer change it: what can be read is shown. */
#ifndef LFM_EVAL_VIEW_SAMPLES_H
#define LFM_EVAL_VIEW_SAMPLES_H

#include "reference/base/buffer.h"
#include "reference/base/error.h"
#include "reference/base/json.h"

#include <stdbool.h>
#include <stddef.h>

struct lfm_samples {
    cJSON **items;    /* owned; by id (runs of digits as numbers), then by number of the sample */
    size_t count, capacity;
    size_t damaged;   /* lines that are no samples, left out */
    bool torn;        /* the last line is incomplete, left out */
};

/* Reads a samples.jsonl. Without the file there are no samples. Of several lines of one sample the last one counts. */
enum lfm_status lfm_samples_read(struct lfm_samples *samples, const char *path, struct lfm_error *error);
void lfm_samples_release(struct lfm_samples *samples);

/* The parts of a sample that lfm_samples_read has made sure of. */
const char *lfm_sample_id(const cJSON *sample);
size_t lfm_sample_number(const cJSON *sample);
/* -1, 0 or 1 as `a` stands before, with or behind `b`. */
int lfm_sample_order(const cJSON *a, const cJSON *b);

/* Appends a line of JSON with what no C string or no UTF-8 can hold replaced: U+0000 by U+2400 (its symbol), bytes that
 * are not UTF-8 and escapes of half a surrogate pair by U+FFFD. */
enum lfm_status lfm_repair_json(struct lfm_buffer *out, const char *line, size_t length, struct lfm_error *error);

#endif
