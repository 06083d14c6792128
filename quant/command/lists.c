/* Lists in options: see lists.h. */
#include "quant/command/lists.h"

#include <errno.h>
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* Both walk words that end at a comma or at the end of the text. */
static enum lfm_status too_many(const char *option, size_t capacity, struct lfm_error *error)
{
    return lfm_fail(error, LFM_ERROR_ARGUMENT, "'--%s' takes at most %zu numbers", option, capacity);
}

enum lfm_status lfm_list_sizes(size_t *numbers, size_t capacity, size_t *n, const char *option, const char *text,
                               struct lfm_error *error)
{
    *n = 0;
    for (const char *at = text;; at++) {
        int length = (int)strcspn(at, ",");
        char *end;
        if (*n == capacity) return too_many(option, capacity, error);
        errno = 0;
        unsigned long long value = strtoull(at, &end, 10);
        if (errno || end != at + length || *at < '0' || *at > '9' || value > INT32_MAX)
            return lfm_fail(error, LFM_ERROR_ARGUMENT, "'--%s': '%.*s' is not a whole number below 2147483648", option,
                            length, at);
        numbers[(*n)++] = (size_t)value;
        at += length;
        if (*at == '\0') return LFM_OK;
    }
}

enum lfm_status lfm_list_doubles(double *numbers, size_t capacity, size_t *n, const char *option, const char *text,
                                 struct lfm_error *error)
{
    *n = 0;
    for (const char *at = text;; at++) {
        int length = (int)strcspn(at, ",");
        char *end;
        if (*n == capacity) return too_many(option, capacity, error);
        double value = strtod(at, &end);
        if (length == 0 || end != at + length || strchr(" \t\n", *at) || !isfinite(value))
            return lfm_fail(error, LFM_ERROR_ARGUMENT, "'--%s': '%.*s' is not a number", option, length, at);
        numbers[(*n)++] = value;
        at += length;
        if (*at == '\0') return LFM_OK;
    }
}
