/* Error messages: see error.h. */
#include "reference/base/error.h"

#include <stdio.h>
#include <string.h>

/* What a file says may hold line ends and terminal controls; a message is one line. */
static void keep_to_one_line(char *message)
{
    for (; *message; message++)
        if ((unsigned char)*message < ' ' || *message == 0x7f) *message = '?';
}

enum lfm_status lfm_set_error(struct lfm_error *error, enum lfm_status status, const char *format, ...)
{
    if (!error) return status;
    error->status = status;
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(error->message, sizeof error->message, format, arguments);
    va_end(arguments);
    keep_to_one_line(error->message);
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
    keep_to_one_line(error->message);
    if (used < 0 || (size_t)used >= sizeof error->message) return error->status;
    snprintf(error->message + used, sizeof error->message - (size_t)used, ": %s", inner);
    return error->status;
}
