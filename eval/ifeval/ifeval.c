/* IFEval's data set and scores: see ifeval.h. */
#include "eval/ifeval/ifeval.h"

#include "eval/text/json_lines.h"
#include "reference/base/memory.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* --- data --- */

static enum lfm_status read_instructions(struct lfm_ifeval_item *item, const char *name, struct lfm_error *error)
{
    const cJSON *ids = cJSON_GetObjectItemCaseSensitive(item->row, "instruction_id_list");
    const cJSON *kwargs = cJSON_GetObjectItemCaseSensitive(item->row, "kwargs");
    int n = cJSON_GetArraySize(ids);
    if (!cJSON_IsArray(ids) || !cJSON_IsArray(kwargs) || n != cJSON_GetArraySize(kwargs))
        return lfm_fail(error, LFM_ERROR_FORMAT, "%s: 'instruction_id_list' and 'kwargs' must be lists of one length", name);
    if (n == 0 || n > LFM_IFEVAL_MOST)
        return lfm_fail(error, LFM_ERROR_FORMAT, "%s: %d instructions, expected 1 to %d", name, n, LFM_IFEVAL_MOST);
    for (const cJSON *id = ids->child, *arguments = kwargs->child; id; id = id->next, arguments = arguments->next) {
        const struct lfm_ifeval_check *check = cJSON_IsString(id) ? lfm_ifeval_check_by_id(id->valuestring) : NULL;
        if (!check)
            return lfm_fail(error, LFM_ERROR_FORMAT, "%s: unknown instruction '%s'", name,
                            cJSON_IsString(id) ? id->valuestring : "(not a string)");
        if (!cJSON_IsObject(arguments))
            return lfm_fail(error, LFM_ERROR_FORMAT, "%s: the arguments of '%s' must be an object", name, check->id);
        if (lfm_ifeval_check_arguments(check, arguments, error) != LFM_OK) return lfm_fail_in(error, "%s", name);
        item->checks[item->n] = check;
        item->kwargs[item->n++] = arguments;
    }
    return LFM_OK;
}

static enum lfm_status read_item(void *context, cJSON *row, const char *name, struct lfm_error *error)
{
    struct lfm_ifeval_data *data = context;
    struct lfm_ifeval_item item = {.row = row};
    double key;
    LFM_TRY(lfm_json_require_double(row, "key", name, &key, error));
    if (floor(key) != key || fabs(key) > 9e15)
        return lfm_fail(error, LFM_ERROR_FORMAT, "%s: 'key' must be a whole number", name);
    item.key = (int64_t)key;
    LFM_TRY(lfm_json_require_string(row, "prompt", name, &item.prompt, error));
    LFM_TRY(read_instructions(&item, name, error));
    LFM_TRY(LFM_GROW(&data->items, &data->capacity, data->count + 1, error));
    data->items[data->count++] = item;
    return LFM_OK;
}

static int by_key(const void *a, const void *b)
{
    int64_t first = ((const struct lfm_ifeval_item *)a)->key, second = ((const struct lfm_ifeval_item *)b)->key;
    return (first > second) - (first < second);
}

enum lfm_status lfm_ifeval_open(struct lfm_ifeval_data *data, const char *path, struct lfm_error *error)
{
    *data = (struct lfm_ifeval_data){0};
    enum lfm_status status = lfm_each_json_line(path, read_item, data, error);
    if (status == LFM_OK && data->count == 0)
        status = lfm_fail(error, LFM_ERROR_FORMAT, "%s: the data set is empty", path);
    if (data->count > 1) qsort(data->items, data->count, sizeof *data->items, by_key);
    for (size_t i = 1; i < data->count && status == LFM_OK; i++)
        if (data->items[i].key == data->items[i - 1].key)
            status = lfm_fail(error, LFM_ERROR_FORMAT, "%s: key %lld stands there twice", path, (long long)data->items[i].key);
    if (status != LFM_OK) lfm_ifeval_close(data);
    return status;
}

void lfm_ifeval_close(struct lfm_ifeval_data *data)
{
    for (size_t i = 0; i < data->count; i++) cJSON_Delete(data->items[i].row);
    free(data->items);
    *data = (struct lfm_ifeval_data){0};
}

const struct lfm_ifeval_item *lfm_ifeval_by_key(const struct lfm_ifeval_data *data, int64_t key)
{
    const struct lfm_ifeval_item wanted = {.key = key};
    return bsearch(&wanted, data->items, data->count, sizeof *data->items, by_key);
}

const struct lfm_ifeval_item *lfm_ifeval_by_prompt(const struct lfm_ifeval_data *data, const char *prompt)
{
    for (size_t i = 0; i < data->count; i++)
        if (strcmp(data->items[i].prompt, prompt) == 0) return &data->items[i];
    return NULL;
}

/* --- scores --- */

enum lfm_status lfm_ifeval_score(const struct lfm_ifeval_item *item, const char *response,
                                 struct lfm_ifeval_verdict *verdict, struct lfm_error *error)
{
    struct lfm_span text = lfm_span_of(response);
    for (size_t i = 0; i < item->n; i++) {
        enum lfm_status status = lfm_ifeval_strict(item->checks[i], item->kwargs[i], text, &verdict->strict[i], error);
        if (status == LFM_OK)
            status = lfm_ifeval_loose(item->checks[i], item->kwargs[i], text, verdict->strict[i], &verdict->loose[i], error);
        if (status != LFM_OK) return lfm_fail_in(error, "key %lld, %s", (long long)item->key, item->checks[i]->id);
    }
    return LFM_OK;
}

static void count(struct lfm_ifeval_rate *rate, bool right)
{
    rate->right += right;
    rate->n++;
}

static struct lfm_ifeval_tier *find_tier(struct lfm_ifeval_tier *tiers, size_t *n, const char *name, size_t length)
{
    for (size_t i = 0; i < *n; i++)
        if ((size_t)tiers[i].name_length == length && memcmp(tiers[i].name, name, length) == 0) return &tiers[i];
    struct lfm_ifeval_tier *tier = &tiers[(*n)++];
    tier->name = name;
    tier->name_length = (int)length;
    return tier;
}

void lfm_ifeval_add(struct lfm_ifeval_summary *summary, const struct lfm_ifeval_item *item,
                    const struct lfm_ifeval_verdict *verdict)
{
    bool all_strict = true, all_loose = true;
    for (size_t i = 0; i < item->n; i++) {
        const char *id = item->checks[i]->id;
        bool strict = verdict->strict[i], loose = verdict->loose[i];
        struct lfm_ifeval_tier *tier0 = find_tier(summary->tier0, &summary->n_tier0, id, strcspn(id, ":"));
        struct lfm_ifeval_tier *tier1 = find_tier(summary->tier1, &summary->n_tier1, id, strlen(id));
        count(&summary->instruction_strict, strict);
        count(&summary->instruction_loose, loose);
        count(&tier0->strict, strict);
        count(&tier0->loose, loose);
        count(&tier1->strict, strict);
        count(&tier1->loose, loose);
        all_strict = all_strict && strict;
        all_loose = all_loose && loose;
    }
    count(&summary->prompt_strict, all_strict);
    count(&summary->prompt_loose, all_loose);
}
