/* Error messages: see error.h. */
#include "reference/base/error.h"

#include <stdio.h>
#include <string.h>

void lfm_keep_to_one_line(char *text)
{
    for (; *text; text++)
        if ((unsigned char)*text < ' ' || *text == 0x7f) *text = '?';
}

enum lfm_status lfm_set_error(struct lfm_error *error, enum lfm_status status, const char *format, ...)
{
    if (!error) return status;
    error->status = status;
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(error->message, sizeof error->message, format, arguments);
    va_end(arguments);
    lfm_keep_to_one_line(error->message);
    return status;
}

enum lfm_status lfm_prefix_error(struct lfm_error *error, const char *format, ...)
{
    if (!error) return LFM_ERROR_FORMAT;
    char inner[sizeof error->message];
    memcpy(inner, error->message, sizeof inner);
    va_list arguments;
    va_start(arguments, format);
    int used = vsnprintf(error->message, sizeof error->message, format, arguments);
    va_end(arguments);
    lfm_keep_to_one_line(error->message);
    if (used < 0 || (size_t)used >= sizeof error->message) return error->status;
    snprintf(error->message + used, sizeof error->message - (size_t)used, ": %s", inner);
    return error->status;
}
