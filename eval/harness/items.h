/* Items of a data set by their ids. */
#ifndef LFM_EVAL_HARNESS_ITEMS_H
#define LFM_EVAL_HARNESS_ITEMS_H

#include "eval/harness/suite.h"
#include "reference/base/error.h"

#include <stddef.h>

struct lfm_item_index {
    struct lfm_item_entry {
        const char *id; /* borrowed from the data set */
        size_t place;
    } *entries;         /* owned, ordered by id */
    size_t n;
};

/* An index of n items: those listed in `items`, whose places are those in the list, or, when that is NULL, the first n of
 * the data set. */
enum lfm_status lfm_item_index_make(struct lfm_item_index *index, const struct lfm_suite *suite, const void *data,
                                    const size_t *items, size_t n, struct lfm_error *error);
void lfm_item_index_release(struct lfm_item_index *index);

/* The place of the item with this id of `length` bytes; SIZE_MAX when there is none. */
size_t lfm_item_index_find(const struct lfm_item_index *index, const char *id, size_t length);

#endif
