/* Streaming with stop strings: see stop.h. */
#include "reference/model/stop.h"

#include "reference/base/utf8.h"

#include <string.h>

static const char *find(const char *text, size_t length, const char *what)
{
    size_t n = strlen(what);
    for (size_t i = 0; i + n <= length; i++)
        if (memcmp(text + i, what, n) == 0) return text + i;
    return NULL;
}

/* Where the first stop string begins, or the length when there is none. */
static size_t first_stop(const struct lfm_stop *stop)
{
    size_t first = stop->pending.length;
    for (size_t i = 0; i < stop->n_strings; i++) {
        const char *at = find(stop->pending.data, stop->pending.length, stop->strings[i]);
        if (at && (size_t)(at - stop->pending.data) < first) first = (size_t)(at - stop->pending.data);
    }
    return first;
}

/* Length of the text in front of an ending that a stop string could begin with. */
static size_t before_possible_stop(const struct lfm_stop *stop)
{
    const char *text = stop->pending.data;
    size_t length = stop->pending.length, safe = length;
    for (size_t i = 0; i < stop->n_strings; i++) {
        size_t n = strlen(stop->strings[i]) - 1;
        for (size_t tail = n < length ? n : length; tail > 0; tail--)
            if (memcmp(text + length - tail, stop->strings[i], tail) == 0) {
                if (length - tail < safe) safe = length - tail;
                break;
            }
    }
    return safe;
}

/* Gives out the first n bytes of what is pending. */
static enum lfm_status release(struct lfm_stop *stop, size_t n, struct lfm_buffer *ready, struct lfm_error *error)
{
    if (n == 0) return LFM_OK;
    LFM_TRY(lfm_utf8_repair(ready, stop->pending.data, n, error));
    memmove(stop->pending.data, stop->pending.data + n, stop->pending.length - n);
    stop->pending.length -= n;
    return LFM_OK;
}

enum lfm_status lfm_stop_add(struct lfm_stop *stop, const char *bytes, size_t length, struct lfm_buffer *ready,
                             struct lfm_error *error)
{
    if (stop->stopped || length == 0) return LFM_OK;
    LFM_TRY(lfm_buffer_append(&stop->pending, bytes, length, error));
    size_t first = first_stop(stop);
    if (first < stop->pending.length) {
        stop->stopped = true;
        LFM_TRY(release(stop, first, ready, error));
        lfm_buffer_clear(&stop->pending);
        return LFM_OK;
    }
    return release(stop, lfm_utf8_complete(stop->pending.data, before_possible_stop(stop)), ready, error);
}

enum lfm_status lfm_stop_finish(struct lfm_stop *stop, struct lfm_buffer *ready, struct lfm_error *error)
{
    return release(stop, stop->pending.length, ready, error);
}

void lfm_stop_release(struct lfm_stop *stop)
{
    lfm_buffer_release(&stop->pending);
}
