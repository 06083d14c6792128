/* A growing byte string. `data` always ends in a zero byte once anything was appended. */
#ifndef LFM_BASE_BUFFER_H
#define LFM_BASE_BUFFER_H

#include "reference/base/error.h"

#include <stddef.h>

struct lfm_buffer {
    char *data;      /* owned; NULL while empty */
    size_t length;   /* bytes, the terminating zero not counted */
    size_t capacity; /* bytes allocated */
};

/* Appends bytes, a C string, or printf-formatted text. On failure the buffer is unchanged. */
enum lfm_status lfm_buffer_append(struct lfm_buffer *buffer, const void *bytes, size_t length, struct lfm_error *error);
enum lfm_status lfm_buffer_puts(struct lfm_buffer *buffer, const char *text, struct lfm_error *error);
enum lfm_status lfm_buffer_printf(struct lfm_buffer *buffer, struct lfm_error *error, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* Appends a number in the fewest digits (15 to 17) that read back as the same double: 0.8, not 0.80000000000000004. */
enum lfm_status lfm_buffer_put_double(struct lfm_buffer *buffer, double number, struct lfm_error *error);

/* Appends a word as a shell takes it: in quotes unless it has plain characters only. */
enum lfm_status lfm_buffer_put_word(struct lfm_buffer *buffer, const char *word, struct lfm_error *error);

/* Sets the length to zero and keeps the memory. */
void lfm_buffer_clear(struct lfm_buffer *buffer);
/* Frees the contents; the buffer can be used again. */
void lfm_buffer_release(struct lfm_buffer *buffer);

#endif
