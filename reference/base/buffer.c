/* A growing byte string: see buffer.h. */
#include "reference/base/buffer.h"

#include "reference/base/memory.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum lfm_status lfm_buffer_append(struct lfm_buffer *buffer, const void *bytes, size_t length, struct lfm_error *error)
{
    if (length > SIZE_MAX - buffer->length - 1)
        return lfm_fail(error, LFM_ERROR_MEMORY, "cannot grow a text of %zu bytes by %zu", buffer->length, length);
    LFM_TRY(lfm_grow((void **)&buffer->data, &buffer->capacity, buffer->length + length + 1, 1, error));
    if (length) memcpy(buffer->data + buffer->length, bytes, length);
    buffer->length += length;
    buffer->data[buffer->length] = '\0';
    return LFM_OK;
}

enum lfm_status lfm_buffer_puts(struct lfm_buffer *buffer, const char *text, struct lfm_error *error)
{
    return lfm_buffer_append(buffer, text, strlen(text), error);
}

enum lfm_status lfm_buffer_printf(struct lfm_buffer *buffer, struct lfm_error *error, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    int needed = vsnprintf(NULL, 0, format, arguments);
    va_end(arguments);
    if (needed < 0) return lfm_fail(error, LFM_ERROR_ARGUMENT, "cannot format '%s'", format);
    LFM_TRY(lfm_grow((void **)&buffer->data, &buffer->capacity, buffer->length + (size_t)needed + 1, 1, error));
    va_start(arguments, format);
    vsnprintf(buffer->data + buffer->length, (size_t)needed + 1, format, arguments);
    va_end(arguments);
    buffer->length += (size_t)needed;
    return LFM_OK;
}

enum lfm_status lfm_buffer_put_double(struct lfm_buffer *buffer, double number, struct lfm_error *error)
{
    char text[40];
    for (int digits = 15; digits <= 17; digits++) {
        snprintf(text, sizeof text, "%.*g", digits, number);
        if (strtod(text, NULL) == number) break;
    }
    return lfm_buffer_puts(buffer, text, error);
}

enum lfm_status lfm_buffer_put_word(struct lfm_buffer *buffer, const char *word, struct lfm_error *error)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./:=,@%+";
    if (word[0] && word[strspn(word, plain)] == '\0') return lfm_buffer_puts(buffer, word, error);
    LFM_TRY(lfm_buffer_puts(buffer, "'", error));
    for (size_t n; *word; word += n) {
        n = *word == '\'' ? 1 : strcspn(word, "'");
        LFM_TRY(*word == '\'' ? lfm_buffer_puts(buffer, "'\\''", error) : lfm_buffer_append(buffer, word, n, error));
    }
    return lfm_buffer_puts(buffer, "'", error);
}

void lfm_buffer_clear(struct lfm_buffer *buffer)
{
    buffer->length = 0;
    if (buffer->data) buffer->data[0] = '\0';
}

void lfm_buffer_release(struct lfm_buffer *buffer)
{
    free(buffer->data);
    *buffer = (struct lfm_buffer){0};
}
