/* Items by their ids: see items.h. */
#include "eval/harness/items.h"

#include "reference/base/memory.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

struct wanted {
    const char *id;
    size_t length;
};

static int by_id(const void *a, const void *b)
{
    return strcmp(((const struct lfm_item_entry *)a)->id, ((const struct lfm_item_entry *)b)->id);
}

static int compare(const void *key, const void *entry)
{
    const struct wanted *wanted = key;
    const char *id = ((const struct lfm_item_entry *)entry)->id;
    int order = strncmp(wanted->id, id, wanted->length);
    return order ? order : id[wanted->length] ? -1 : 0;
}

enum lfm_status lfm_item_index_make(struct lfm_item_index *index, const struct lfm_suite *suite, const void *data,
                                    const size_t *items, size_t n, struct lfm_error *error)
{
    *index = (struct lfm_item_index){.n = n};
    LFM_TRY(LFM_ALLOC(&index->entries, n, error));
    for (size_t i = 0; i < n; i++)
        index->entries[i] = (struct lfm_item_entry){suite->id(data, items ? items[i] : i), i};
    qsort(index->entries, n, sizeof *index->entries, by_id);
    return LFM_OK;
}

void lfm_item_index_release(struct lfm_item_index *index)
{
    free(index->entries);
    *index = (struct lfm_item_index){0};
}

size_t lfm_item_index_find(const struct lfm_item_index *index, const char *id, size_t length)
{
    const struct wanted wanted = {id, length};
    const struct lfm_item_entry *entry = bsearch(&wanted, index->entries, index->n, sizeof *index->entries, compare);
    return entry ? entry->place : SIZE_MAX;
}
