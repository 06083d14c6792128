/* JSON Lines: see json_lines.h. */
#include "eval/text/json_lines.h"

#include "reference/base/file.h"

#include <stdio.h>
#include <string.h>
#include <unistr.h>

typedef enum lfm_status (*taker)(void *context, cJSON *row, const char *name, struct lfm_error *error);

/* C strings, and so cJSON's, end at U+0000: its escape is turned into that of U+0001, which every rule of the suites
 * treats alike. */
static void replace_null_escapes(char *line, size_t length)
{
    for (size_t i = 0; i + 6 <= length; i++) {
        if (line[i] != '\\') continue;
        if (memcmp(line + i, "\\u0000", 6) == 0) line[i + 5] = '1';
        i++; /* what a backslash escapes starts no escape */
    }
}

static enum lfm_status take_line(char *line, size_t length, const char *name, taker take, void *context,
                                 struct lfm_error *error)
{
    cJSON *row;
    if (length == 0 || strspn(line, " \t\r") >= length) return LFM_OK;
    if (u8_check((const uint8_t *)line, length))
        return lfm_fail(error, LFM_ERROR_FORMAT, "%s: not valid UTF-8", name);
    if (memchr(line, '\0', length)) return lfm_fail(error, LFM_ERROR_FORMAT, "%s: a zero byte", name);
    replace_null_escapes(line, length);
    LFM_TRY(lfm_json_parse(&row, line, length, name, error));
    enum lfm_status status = cJSON_IsObject(row) ? take(context, row, name, error)
                                                 : lfm_fail(error, LFM_ERROR_FORMAT, "%s: expected a JSON object", name);
    if (status != LFM_OK) cJSON_Delete(row);
    return status;
}

enum lfm_status lfm_each_json_line_of(char *text, size_t length, const char *path, taker take, void *context,
                                      struct lfm_error *error)
{
    char name[512];
    enum lfm_status status = LFM_OK;
    size_t start = 0;
    for (size_t number = 1; status == LFM_OK && start < length; number++) {
        char *line = text + start, *end = memchr(line, '\n', length - start);
        size_t size = end ? (size_t)(end - line) : length - start;
        snprintf(name, sizeof name, "%s:%zu", path, number);
        status = take_line(line, size, name, take, context, error);
        start += size + 1;
    }
    return status;
}

enum lfm_status lfm_each_json_line(const char *path, taker take, void *context, struct lfm_error *error)
{
    struct lfm_buffer text = {0};
    enum lfm_status status = lfm_read_file(&text, path, error);
    if (status == LFM_OK) status = lfm_each_json_line_of(text.data, text.length, path, take, context, error);
    lfm_buffer_release(&text);
    return status;
}
