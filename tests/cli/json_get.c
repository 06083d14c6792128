/* Looks values up in a JSON document, for the command-line tests: no test needs another program for it.
 *
 * usage: json_get FILE PATH...     FILE "-" reads standard input
 *
 * A path is keys and indices joined by dots: candidates.0.kld.mean. Prints one line per path: strings as they are, true,
 * false, null, numbers with 17 digits, "array N" and "object N" with the number of members. Exit status 1 when the
 * text is no JSON document or a path leads nowhere. */
#include "reference/base/json.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const cJSON *step(const cJSON *item, const char *key, size_t length)
{
    char name[256];
    if (length >= sizeof name) return NULL;
    memcpy(name, key, length);
    name[length] = '\0';
    if (!cJSON_IsArray(item)) return cJSON_GetObjectItemCaseSensitive(item, name);
    char *end;
    long index = strtol(name, &end, 10);
    return *end || end == name || index < 0 || index > 1000000000 ? NULL : cJSON_GetArrayItem(item, (int)index);
}

static const cJSON *look_up(const cJSON *item, const char *path)
{
    while (item && *path) {
        size_t length = strcspn(path, ".");
        item = step(item, path, length);
        path += length + (path[length] == '.');
    }
    return item;
}

static void print_value(const cJSON *item)
{
    if (cJSON_IsString(item))
        printf("%s\n", item->valuestring);
    else if (cJSON_IsNumber(item))
        printf("%.17g\n", item->valuedouble);
    else if (cJSON_IsBool(item))
        printf("%s\n", cJSON_IsTrue(item) ? "true" : "false");
    else if (cJSON_IsNull(item))
        printf("null\n");
    else
        printf("%s %d\n", cJSON_IsArray(item) ? "array" : "object", cJSON_GetArraySize(item));
}

int main(int argc, char **argv)
{
    struct lfm_error error = {0};
    cJSON *document;
    if (argc < 2) {
        fprintf(stderr, "usage: json_get FILE PATH...\n");
        return 2;
    }
    if (lfm_json_parse_file(&document, argv[1], &error) != LFM_OK) {
        fprintf(stderr, "json_get: %s\n", error.message);
        return 1;
    }
    int missing = 0;
    for (int i = 2; i < argc; i++) {
        const cJSON *item = look_up(document, argv[i]);
        if (item) {
            print_value(item);
            continue;
        }
        fprintf(stderr, "json_get: %s has no '%s'\n", argv[1], argv[i]);
        missing = 1;
    }
    cJSON_Delete(document);
    return missing;
}
