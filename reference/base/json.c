/* JSON: see json.h. */
#include "reference/base/json.h"

#include "reference/base/file.h"
#include "reference/base/utf8.h"
#include "reference/base/version.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum lfm_status lfm_json_parse(cJSON **out, const char *text, size_t length, const char *name, struct lfm_error *error)
{
    const char *end = NULL;
    *out = NULL;
    cJSON *document = length ? cJSON_ParseWithLengthOpts(text, length, &end, false) : NULL;
    size_t used = end && end >= text && (size_t)(end - text) <= length ? (size_t)(end - text) : 0;
    bool complete = document != NULL;
    for (size_t i = used; complete && i < length && text[i] != '\0'; i++)
        if (!strchr(" \t\r\n", text[i])) {
            complete = false;
            used = i;
        }
    if (complete) {
        *out = document;
        return LFM_OK;
    }
    cJSON_Delete(document);
    size_t line = 1;
    for (size_t i = 0; i < used; i++) line += text[i] == '\n';
    if (length == 0) return lfm_fail(error, LFM_ERROR_FORMAT, "%s: expected JSON, found an empty text", name);
    return lfm_fail(error, LFM_ERROR_FORMAT, "%s:%zu: not valid JSON at byte %zu", name, line, used);
}

enum lfm_status lfm_json_refuse_zero(const char *text, size_t length, const char *name, struct lfm_error *error)
{
    for (size_t i = 0; i + 1 < length; i++) {
        if (text[i] != '\\') continue;
        if (length - i >= 6 && memcmp(text + i, "\\u0000", 6) == 0)
            return lfm_fail(error, LFM_ERROR_FORMAT, "%s: a zero byte (\\u0000) cannot be part of a text", name);
        i++;
    }
    return LFM_OK;
}

static enum lfm_status parse_file(cJSON **out, const char *path, bool texts, struct lfm_error *error)
{
    struct lfm_buffer text = {0};
    *out = NULL;
    enum lfm_status status = lfm_read_file(&text, path, error);
    if (status == LFM_OK && texts) status = lfm_json_refuse_zero(text.data, text.length, path, error);
    if (status == LFM_OK) status = lfm_json_parse(out, text.data, text.length, path, error);
    lfm_buffer_release(&text);
    return status;
}

enum lfm_status lfm_json_parse_file(cJSON **out, const char *path, struct lfm_error *error)
{
    return parse_file(out, path, false, error);
}

enum lfm_status lfm_json_parse_texts(cJSON **out, const char *path, struct lfm_error *error)
{
    return parse_file(out, path, true, error);
}

static enum lfm_status missing(const char *key, const char *name, struct lfm_error *error)
{
    return lfm_fail(error, LFM_ERROR_FORMAT, "%s: '%s' is missing", name, key);
}

static enum lfm_status wrong_type(const char *key, const char *name, const char *expected, struct lfm_error *error)
{
    return lfm_fail(error, LFM_ERROR_FORMAT, "%s: '%s' must be %s", name, key, expected);
}

static const cJSON *find(const cJSON *object, const char *key)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, key);
    return cJSON_IsNull(item) ? NULL : item;
}

enum lfm_status lfm_json_require_string(const cJSON *object, const char *key, const char *name, const char **out,
                                        struct lfm_error *error)
{
    const cJSON *item = find(object, key);
    if (!item) return missing(key, name, error);
    if (!cJSON_IsString(item)) return wrong_type(key, name, "a string", error);
    *out = item->valuestring;
    return LFM_OK;
}

enum lfm_status lfm_json_optional_size(const cJSON *object, const char *key, const char *name, size_t *out,
                                       struct lfm_error *error)
{
    const cJSON *item = find(object, key);
    if (!item) return LFM_OK;
    if (!cJSON_IsNumber(item) || item->valuedouble < 0 || item->valuedouble > 9007199254740992.0 ||
        floor(item->valuedouble) != item->valuedouble)
        return wrong_type(key, name, "a whole number from 0 to 2^53", error);
    *out = (size_t)item->valuedouble;
    return LFM_OK;
}

enum lfm_status lfm_json_require_size(const cJSON *object, const char *key, const char *name, size_t *out,
                                      struct lfm_error *error)
{
    if (!find(object, key)) return missing(key, name, error);
    return lfm_json_optional_size(object, key, name, out, error);
}

enum lfm_status lfm_json_optional_double(const cJSON *object, const char *key, const char *name, double *out,
                                         struct lfm_error *error)
{
    const cJSON *item = find(object, key);
    if (!item) return LFM_OK;
    if (!cJSON_IsNumber(item)) return wrong_type(key, name, "a number", error);
    *out = item->valuedouble;
    return LFM_OK;
}

enum lfm_status lfm_json_require_double(const cJSON *object, const char *key, const char *name, double *out,
                                        struct lfm_error *error)
{
    if (!find(object, key)) return missing(key, name, error);
    return lfm_json_optional_double(object, key, name, out, error);
}

enum lfm_status lfm_json_optional_bool(const cJSON *object, const char *key, const char *name, bool *out,
                                       struct lfm_error *error)
{
    const cJSON *item = find(object, key);
    if (!item) return LFM_OK;
    if (!cJSON_IsBool(item)) return wrong_type(key, name, "true or false", error);
    *out = cJSON_IsTrue(item);
    return LFM_OK;
}

cJSON *lfm_json_document(const char *kind, int argc, char **argv)
{
    struct lfm_buffer text = {0};
    cJSON *document = cJSON_CreateObject();
    enum lfm_status status = lfm_buffer_printf(&text, NULL, "lfmscope-%s", kind);
    if (status == LFM_OK) cJSON_AddStringToObject(document, "schema", text.data);
    cJSON_AddStringToObject(document, "version", LFM_VERSION);
    lfm_buffer_clear(&text);
    status = lfm_buffer_puts(&text, "lfmscope", NULL);
    for (int i = 0; i < argc && status == LFM_OK; i++) {
        status = lfm_buffer_puts(&text, " ", NULL);
        if (status == LFM_OK) status = lfm_buffer_put_word(&text, argv[i], NULL);
    }
    if (status == LFM_OK) cJSON_AddStringToObject(document, "command", text.data);
    lfm_buffer_release(&text);
    return document;
}

void lfm_json_add_number(cJSON *object, const char *key, double value)
{
    if (isfinite(value))
        cJSON_AddNumberToObject(object, key, value);
    else
        cJSON_AddNullToObject(object, key);
}

/* cJSON prints a number with 15 digits when that comes within one part in 2^52 of it, which is not always the number
 * itself. Turns each number into the shortest text of 15 to 17 digits that reads back the same. */
static bool spell_numbers(cJSON *item)
{
    enum { LONGEST = 32 };
    if (cJSON_IsNumber(item)) {
        char *text = cJSON_malloc(LONGEST);
        if (!text) return false;
        for (int digits = 15; digits <= 17; digits++) {
            snprintf(text, LONGEST, "%.*g", digits, item->valuedouble);
            if (strtod(text, NULL) == item->valuedouble) break;
        }
        item->type = (item->type & ~0xFF) | cJSON_Raw;
        item->valuestring = text;
    }
    for (cJSON *child = item->child; child; child = child->next)
        if (!spell_numbers(child)) return false;
    return true;
}

enum lfm_status lfm_json_print(struct lfm_buffer *out, const cJSON *document, struct lfm_error *error)
{
    cJSON *copy = cJSON_Duplicate(document, true);
    char *text = copy && spell_numbers(copy) ? cJSON_Print(copy) : NULL;
    cJSON_Delete(copy);
    if (!text) return lfm_fail(error, LFM_ERROR_MEMORY, "cannot print a JSON document: out of memory");
    enum lfm_status status = lfm_utf8_repair(out, text, strlen(text), error); /* names of files may be anything */
    if (status == LFM_OK) status = lfm_buffer_puts(out, "\n", error);
    cJSON_free(text);
    return status;
}
