/* Which items of a data set a run takes: see runner.h. */
#include "eval/harness/runner.h"
#include "reference/base/memory.h"

#include <stdlib.h>
#include <string.h>

static bool same_word(const char *word, size_t length, const char *id)
{
    return strlen(id) == length && memcmp(id, word, length) == 0;
}

/* Marks the items of a comma-separated list. */
static enum lfm_status mark(const struct lfm_task *task, const char *list, const char *option, bool *marks,
                            struct lfm_error *error)
{
    size_t n = task->suite->count(task->data);
    for (const char *word = list; word; word = strchr(word, ',') ? strchr(word, ',') + 1 : NULL) {
        size_t length = strcspn(word, ","), item = 0;
        while (item < n && !same_word(word, length, task->suite->id(task->data, item))) item++;
        if (item == n)
            return lfm_fail(error, LFM_ERROR_ARGUMENT, "--%s: the data set has no item '%.*s'", option, (int)length,
                            word);
        marks[item] = true;
    }
    return LFM_OK;
}

enum lfm_status lfm_task_select(struct lfm_task *task, const char *ids, const char *exclude, size_t limit,
                                struct lfm_error *error)
{
    size_t n = task->suite->count(task->data);
    bool *wanted = NULL, *unwanted = NULL;
    enum lfm_status status = LFM_ALLOC(&wanted, n, error);
    if (status == LFM_OK) status = LFM_ALLOC(&unwanted, n, error);
    if (status == LFM_OK) status = LFM_ALLOC(&task->items, n, error);
    if (status == LFM_OK) status = mark(task, ids, "ids", wanted, error);
    if (status == LFM_OK) status = mark(task, exclude, "exclude", unwanted, error);
    for (size_t item = 0; item < n && status == LFM_OK; item++)
        if ((!ids || wanted[item]) && !unwanted[item] && (limit == 0 || task->n_items < limit))
            task->items[task->n_items++] = item;
    if (status == LFM_OK && task->n_items == 0)
        status = lfm_fail(error, LFM_ERROR_ARGUMENT, "no items are left to run");
    free(wanted);
    free(unwanted);
    return status;
}

void lfm_task_release(struct lfm_task *task)
{
    free(task->items);
    *task = (struct lfm_task){0};
}
