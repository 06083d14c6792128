/* Which items of a data set a run takes: see runner.h. */
#include "eval/harness/items.h"
#include "eval/harness/runner.h"
#include "reference/base/memory.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* Marks the items of a comma-separated list. */
static enum lfm_status mark(const struct lfm_item_index *index, const char *list, const char *option, bool *marks,
                            struct lfm_error *error)
{
    for (const char *word = list; word; word = strchr(word, ',') ? strchr(word, ',') + 1 : NULL) {
        size_t length = strcspn(word, ","), item = lfm_item_index_find(index, word, length);
        if (item == SIZE_MAX)
            return lfm_fail(error, LFM_ERROR_ARGUMENT, "--%s: the data set has no item '%.*s'", option, (int)length,
                            word);
        marks[item] = true;
    }
    return LFM_OK;
}

/* Lists the items that are left, up to the limit. */
static void collect(struct lfm_task *task, const struct lfm_selection *selection, const bool *wanted,
                    const bool *unwanted)
{
    size_t n = task->suite->count(task->data);
    for (size_t item = 0; item < n; item++)
        if ((!selection->ids || wanted[item]) && !unwanted[item] &&
            (selection->limit == 0 || task->n_items < selection->limit))
            task->items[task->n_items++] = item;
}

static void keep_shard(struct lfm_task *task, const struct lfm_selection *selection)
{
    size_t kept = 0;
    for (size_t i = selection->shard - 1; i < task->n_items; i += selection->shards)
        task->items[kept++] = task->items[i];
    task->n_items = kept;
}

enum lfm_status lfm_task_select(struct lfm_task *task, const struct lfm_selection *selection, struct lfm_error *error)
{
    size_t n = task->suite->count(task->data);
    struct lfm_item_index index = {0};
    bool *wanted = NULL, *unwanted = NULL;
    enum lfm_status status = lfm_item_index_make(&index, task->suite, task->data, NULL, n, error);
    if (status == LFM_OK) status = LFM_ALLOC(&wanted, n, error);
    if (status == LFM_OK) status = LFM_ALLOC(&unwanted, n, error);
    if (status == LFM_OK) status = LFM_ALLOC(&task->items, n, error);
    if (status == LFM_OK) status = mark(&index, selection->ids, "ids", wanted, error);
    if (status == LFM_OK) status = mark(&index, selection->exclude, "exclude", unwanted, error);
    if (status == LFM_OK) collect(task, selection, wanted, unwanted);
    if (status == LFM_OK && task->n_items == 0)
        status = lfm_fail(error, LFM_ERROR_ARGUMENT, "no items are left to run");
    if (status == LFM_OK && selection->shards) keep_shard(task, selection);
    lfm_item_index_release(&index);
    free(wanted);
    free(unwanted);
    return status;
}

void lfm_task_release(struct lfm_task *task)
{
    free(task->items);
    *task = (struct lfm_task){0};
}

/* --- shards, and what run.json says of a selection --- */

bool lfm_shard_parse(struct lfm_selection *selection, const char *text)
{
    enum { MOST = 1000000 };
    char *slash, *end;
    if (*text < '0' || *text > '9') return false;
    unsigned long shard = strtoul(text, &slash, 10);
    if (*slash != '/' || slash[1] < '0' || slash[1] > '9') return false;
    unsigned long shards = strtoul(slash + 1, &end, 10);
    if (*end || shard < 1 || shard > shards || shards > MOST) return false;
    selection->shard = shard;
    selection->shards = shards;
    return true;
}

void lfm_selection_describe(cJSON *object, const struct lfm_selection *selection)
{
    if (selection->ids) cJSON_AddStringToObject(object, "ids", selection->ids);
    if (selection->exclude) cJSON_AddStringToObject(object, "excluded", selection->exclude);
    if (selection->limit) cJSON_AddNumberToObject(object, "limit", (double)selection->limit);
    if (!selection->shards) return;
    cJSON *shard = cJSON_AddObjectToObject(object, "shard");
    cJSON_AddNumberToObject(shard, "index", (double)selection->shard);
    cJSON_AddNumberToObject(shard, "of", (double)selection->shards);
}

static size_t size_in(const cJSON *object, const char *key)
{
    const cJSON *number = cJSON_GetObjectItemCaseSensitive(object, key);
    bool counts = cJSON_IsNumber(number) && number->valuedouble > 0 && number->valuedouble < 1e15;
    return counts ? (size_t)number->valuedouble : 0;
}

void lfm_selection_read(struct lfm_selection *selection, const cJSON *object)
{
    const cJSON *shard = cJSON_GetObjectItemCaseSensitive(object, "shard");
    *selection = (struct lfm_selection){
        .ids = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(object, "ids")),
        .exclude = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(object, "excluded")),
        .limit = size_in(object, "limit"),
        .shard = size_in(shard, "index"),
        .shards = size_in(shard, "of"),
    };
    if (selection->shard == 0 || selection->shard > selection->shards) selection->shard = selection->shards = 0;
}
