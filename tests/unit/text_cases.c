/* See text_cases.h. */
#include "tests/unit/text_cases.h"
#include "reference/base/json.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/types.h>
#include <unistd.h>

/* C strings cannot hold U+0000: rows get U+0001 for it, a control character that no algorithm here tells apart. */
static void replace_zeros(char *line)
{
    for (char *at = line; (at = strstr(at, "\\u0000")) != NULL; at += 6) at[5] = '1';
}

static size_t each_line(FILE *file, const char *path, void (*check)(const cJSON *row))
{
    struct lfm_error error;
    char *line = NULL;
    size_t capacity = 0, n = 0;
    for (ssize_t length; (length = getline(&line, &capacity, file)) > 0; n++) {
        cJSON *row;
        replace_zeros(line);
        assert_ok(lfm_json_parse(&row, line, (size_t)length, path, &error));
        check(row);
        cJSON_Delete(row);
    }
    free(line);
    return n;
}

void each_row(const char *path, void (*check)(const cJSON *row))
{
    char command[512];
    const char *end = strrchr(path, '.');
    bool packed = end && strcmp(end, ".gz") == 0;
    snprintf(command, sizeof command, "gzip -dc %s", path);
    FILE *file = packed ? popen(command, "r") : fopen(path, "r");
    cr_assert_not_null(file, "cannot open %s", path);
    size_t n = each_line(file, path, check);
    if (packed)
        pclose(file);
    else
        fclose(file);
    cr_assert(n > 0, "%s has no rows", path);
}

void each_text_case(void (*check)(const cJSON *row))
{
    const char *path = getenv("LFM_TEXT_CASES");
    each_row(path ? path : "tests/golden/text/cases.jsonl", check);
}

void each_oracle_case(void (*check)(const cJSON *row))
{
    if (access(TEXT_ORACLE, R_OK) != 0) cr_skip_test("skipped: no %s", TEXT_ORACLE);
    each_row(TEXT_ORACLE, check);
}

const cJSON *item_of(const cJSON *row, const char *key)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(row, key);
    cr_assert_not_null(item, "a row lacks '%s'", key);
    return item;
}

struct lfm_span text_of(const cJSON *row, const char *key)
{
    const cJSON *item = item_of(row, key);
    cr_assert(cJSON_IsString(item), "'%s' is no text", key);
    return lfm_span_of(item->valuestring);
}

size_t points_before(struct lfm_span text, const char *at)
{
    return lfm_count_points((struct lfm_span){text.at, (size_t)(at - text.at)});
}
