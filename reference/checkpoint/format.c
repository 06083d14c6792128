/* Look-ups in the table of number formats: see format.h. */
#include "reference/checkpoint/format.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

const struct lfm_format *lfm_format_by_name(const char *name)
{
    for (const struct lfm_format *format = lfm_formats; format->name; format++)
        if (strcasecmp(format->name, name) == 0) return format;
    return NULL;
}

const struct lfm_format *lfm_format_by_gguf_type(uint32_t type)
{
    for (const struct lfm_format *format = lfm_formats; format->name; format++)
        if (format->gguf_type >= 0 && (uint32_t)format->gguf_type == type) return format;
    return NULL;
}

const struct lfm_format *lfm_format_by_dtype(const char *dtype)
{
    for (const struct lfm_format *format = lfm_formats; format->name; format++)
        if (format->safetensors_dtype && strcmp(format->safetensors_dtype, dtype) == 0) return format;
    return NULL;
}

enum lfm_status lfm_format_row_bytes(const struct lfm_format *format, size_t n, size_t *bytes, struct lfm_error *error)
{
    if (n % format->block_size != 0)
        return lfm_fail(error, LFM_ERROR_FORMAT, "a row of %zu elements is no multiple of the %zu of a %s block", n,
                        format->block_size, format->name);
    size_t blocks = n / format->block_size;
    if (blocks > SIZE_MAX / format->block_bytes)
        return lfm_fail(error, LFM_ERROR_FORMAT, "a row of %zu elements of %s is larger than memory can be", n,
                        format->name);
    *bytes = blocks * format->block_bytes;
    return LFM_OK;
}

double lfm_format_bits(const struct lfm_format *format)
{
    return 8.0 * (double)format->block_bytes / (double)format->block_size;
}

static const char *join_names(char *text, size_t size, bool encodable)
{
    size_t length = 0;
    text[0] = '\0';
    for (const struct lfm_format *format = lfm_formats; format->name && length < size; format++) {
        if (encodable && !format->encode_row) continue;
        length += (size_t)snprintf(text + length, size - length, "%s%s", length ? ", " : "", format->name);
    }
    return text;
}

const char *lfm_format_names(void)
{
    static _Thread_local char text[512];
    return join_names(text, sizeof text, false);
}

const char *lfm_format_encodable_names(void)
{
    static _Thread_local char text[512];
    return join_names(text, sizeof text, true);
}
