/* Several runs as one: see merge.h. */
#include "eval/harness/merge.h"

#include "eval/harness/items.h"
#include "reference/base/memory.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

void lfm_merge_release(struct lfm_merge *merge)
{
    for (size_t i = 0; i < merge->n; i++) {
        lfm_run_close(&merge->runs[i]);
        cJSON_Delete(merge->descriptions[i]);
    }
    free(merge->runs);
    free(merge->descriptions);
    lfm_task_release(&merge->task);
    free(merge->table);
    free(merge->lines);
    cJSON_Delete(merge->description);
    *merge = (struct lfm_merge){0};
}

/* --- reading --- */

static const cJSON *member_of(const cJSON *object, const char *key)
{
    return cJSON_GetObjectItemCaseSensitive(object, key);
}

static size_t samples_of(const cJSON *description)
{
    const cJSON *number = member_of(description, "samples_per_item");
    bool counts = cJSON_IsNumber(number) && number->valuedouble >= 1 && number->valuedouble < 1e9;
    return counts ? (size_t)number->valuedouble : 1;
}

static enum lfm_status check_alike(const struct lfm_merge *merge, size_t run, struct lfm_error *error)
{
    struct lfm_buffer difference = {0};
    size_t first = samples_of(merge->descriptions[0]), other = samples_of(merge->descriptions[run]);
    enum lfm_status status = lfm_run_difference(&difference, merge->descriptions[run], merge->descriptions[0], error);
    if (status == LFM_OK && difference.length == 0 && first != other)
        status = lfm_buffer_printf(&difference, error, "samples_per_item %zu, not %zu", other, first);
    if (status == LFM_OK && difference.length > 0)
        status = lfm_fail(error, LFM_ERROR_MISMATCH, "'%s' and '%s' do not belong together: the former has %s",
                          merge->runs[run].directory, merge->runs[0].directory, difference.data);
    lfm_buffer_release(&difference);
    return status;
}

enum lfm_status lfm_merge_read(struct lfm_merge *merge, const char *const *directories, size_t n,
                               struct lfm_error *error)
{
    *merge = (struct lfm_merge){0};
    LFM_TRY(LFM_ALLOC(&merge->runs, n, error));
    LFM_TRY(LFM_ALLOC(&merge->descriptions, n, error));
    for (size_t i = 0; i < n; i++) {
        LFM_TRY(lfm_run_read(&merge->runs[i], &merge->descriptions[i], directories[i], error));
        merge->n++;
        LFM_TRY(check_alike(merge, i, error));
    }
    return LFM_OK;
}

/* --- the lines of all logs --- */

struct line {
    size_t place; /* item * samples + sample, over the whole data set */
    bool failed;
    size_t run, number;
    cJSON *sample;
};

struct lines {
    struct line *items;
    size_t count;
};

/* A sample's failed lines come before its answer, as --retry-failed leaves them. */
static int by_place(const void *a, const void *b)
{
    const struct line *first = a, *second = b;
    if (first->place != second->place) return first->place < second->place ? -1 : 1;
    if (first->failed != second->failed) return first->failed ? -1 : 1;
    if (first->run != second->run) return first->run < second->run ? -1 : 1;
    return (first->number > second->number) - (first->number < second->number);
}

static void take_line(struct lines *lines, const struct lfm_item_index *index, size_t samples, const struct line *line)
{
    const char *id = member_of(line->sample, "id")->valuestring;
    double number = member_of(line->sample, "sample")->valuedouble;
    size_t item = lfm_item_index_find(index, id, strlen(id));
    if (item == SIZE_MAX || number >= (double)samples) return;
    lines->items[lines->count] = *line;
    lines->items[lines->count++].place = item * samples + (size_t)number;
}

/* Lines that say the same are one; two answers to one sample are an error. */
static enum lfm_status drop_repeated(const struct lfm_merge *merge, struct lines *lines, struct lfm_error *error)
{
    size_t kept = 0;
    for (size_t i = 0; i < lines->count; i++) {
        const struct line *line = &lines->items[i], *before = kept > 0 ? &lines->items[kept - 1] : NULL;
        bool again = before && before->place == line->place && before->failed == line->failed;
        bool same = again && lfm_sample_same(before->sample, line->sample);
        if (again && !same && !line->failed)
            return lfm_fail(error, LFM_ERROR_MISMATCH, "'%s' and '%s' have different answers to sample %.0f of item '%s'",
                            merge->runs[before->run].directory, merge->runs[line->run].directory,
                            member_of(line->sample, "sample")->valuedouble, member_of(line->sample, "id")->valuestring);
        if (!same) lines->items[kept++] = *line;
    }
    lines->count = kept;
    return LFM_OK;
}

static enum lfm_status gather_lines(const struct lfm_merge *merge, const struct lfm_task *all, struct lines *lines,
                                    struct lfm_error *error)
{
    struct lfm_item_index index;
    size_t n = 0;
    for (size_t r = 0; r < merge->n; r++) n += merge->runs[r].count;
    LFM_TRY(LFM_ALLOC(&lines->items, n, error));
    LFM_TRY(lfm_item_index_make(&index, all->suite, all->data, NULL, all->n_items, error));
    for (size_t r = 0; r < merge->n; r++)
        for (size_t i = 0; i < merge->runs[r].count; i++) {
            cJSON *sample = merge->runs[r].samples[i];
            const struct line line = {0, lfm_sample_failed(sample), r, i, sample};
            take_line(lines, &index, all->samples, &line);
        }
    lfm_item_index_release(&index);
    if (lines->count > 1) qsort(lines->items, lines->count, sizeof *lines->items, by_place);
    return drop_repeated(merge, lines, error);
}

/* --- what was asked for, and what is missing --- */

/* One joining: everything over the whole data set. */
struct joining {
    struct lfm_task all; /* every item */
    bool *expected;      /* [all.n_items] */
    bool alike;          /* all runs chose the same items, but for their shards */
    cJSON **chosen;      /* [all.n_items * samples]: the last line of each sample, NULL where there is none */
};

static bool same_text(const char *a, const char *b)
{
    return a == b || (a && b && strcmp(a, b) == 0);
}

static bool same_selection(const struct lfm_selection *a, const struct lfm_selection *b)
{
    return same_text(a->ids, b->ids) && same_text(a->exclude, b->exclude) && a->limit == b->limit;
}

static enum lfm_status expect(const struct lfm_merge *merge, struct joining *joining, struct lfm_error *error)
{
    struct lfm_selection first, selection;
    lfm_selection_read(&first, merge->descriptions[0]);
    joining->alike = true;
    for (size_t r = 0; r < merge->n; r++) {
        struct lfm_task task = {.suite = joining->all.suite, .data = joining->all.data};
        lfm_selection_read(&selection, merge->descriptions[r]);
        bool again = same_selection(&selection, &first);
        joining->alike = joining->alike && again;
        if (again && r > 0) continue;
        selection.shard = selection.shards = 0;
        enum lfm_status status = lfm_task_select(&task, &selection, error);
        for (size_t i = 0; i < task.n_items && status == LFM_OK; i++) joining->expected[task.items[i]] = true;
        lfm_task_release(&task);
        if (status != LFM_OK) return status;
    }
    return LFM_OK;
}

static size_t missing_of(const struct joining *joining, size_t item)
{
    size_t missing = 0;
    for (size_t s = 0; s < joining->all.samples; s++) missing += !joining->chosen[item * joining->all.samples + s];
    return missing;
}

/* The number of shards when all runs are shards of one choice of items; 0 otherwise. */
static size_t shards_of(const struct lfm_merge *merge, const struct joining *joining)
{
    struct lfm_selection first, selection;
    lfm_selection_read(&first, merge->descriptions[0]);
    for (size_t r = 1; r < merge->n; r++) {
        lfm_selection_read(&selection, merge->descriptions[r]);
        if (selection.shards != first.shards) return 0;
    }
    return joining->alike ? first.shards : 0;
}

/* Lists the shards that lack something, the first few by name. */
static enum lfm_status list_shards(struct lfm_buffer *out, const struct joining *joining, size_t shards,
                                   struct lfm_error *error)
{
    enum { NAMED = 8 };
    size_t named = 0, more = 0;
    for (size_t shard = 0; shard < shards; shard++) {
        size_t place = 0, missing = 0, total = 0;
        for (size_t item = 0; item < joining->all.n_items; item++) {
            if (!joining->expected[item] || place++ % shards != shard) continue;
            missing += missing_of(joining, item);
            total += joining->all.samples;
        }
        if (missing == 0) continue;
        if (named == NAMED) {
            more++;
            continue;
        }
        LFM_TRY(lfm_buffer_printf(out, error, "%sshard %zu/%zu", named++ ? ", " : "", shard + 1, shards));
        LFM_TRY(missing == total ? lfm_buffer_puts(out, " is missing", error)
                                 : lfm_buffer_printf(out, error, " lacks %zu of %zu samples", missing, total));
    }
    return more ? lfm_buffer_printf(out, error, ", and %zu more", more) : LFM_OK;
}

static enum lfm_status refuse_missing(const struct lfm_merge *merge, const struct joining *joining,
                                      struct lfm_error *error)
{
    size_t missing = 0, total = 0, first = SIZE_MAX, shards = shards_of(merge, joining);
    for (size_t item = 0; item < joining->all.n_items; item++) {
        if (!joining->expected[item]) continue;
        missing += missing_of(joining, item);
        total += joining->all.samples;
        if (missing > 0 && first == SIZE_MAX) first = item;
    }
    if (missing == 0) return LFM_OK;
    struct lfm_buffer list = {0};
    enum lfm_status status =
        shards ? list_shards(&list, joining, shards, error)
               : lfm_buffer_printf(&list, error, "%zu of %zu samples are missing, the first of item '%s'", missing, total,
                                   joining->all.suite->id(joining->all.data, first));
    if (status == LFM_OK)
        status = lfm_fail(error, LFM_ERROR_MISMATCH, "%s; --partial merges what is there", list.data);
    lfm_buffer_release(&list);
    return status;
}

/* --- the merged run --- */

/* The items that are whole, and their places in the table. */
static enum lfm_status choose_items(struct lfm_merge *merge, const struct joining *joining, struct lfm_error *error)
{
    size_t samples = joining->all.samples;
    struct lfm_task *task = &merge->task;
    *task = (struct lfm_task){.suite = joining->all.suite, .data = joining->all.data, .samples = samples};
    LFM_TRY(LFM_ALLOC(&task->items, joining->all.n_items, error));
    LFM_TRY(LFM_ALLOC(&merge->table, joining->all.n_items * samples, error));
    for (size_t item = 0; item < joining->all.n_items; item++) {
        if (!joining->expected[item] || missing_of(joining, item) > 0) continue;
        memcpy(merge->table + task->n_items * samples, joining->chosen + item * samples, samples * sizeof *merge->table);
        task->items[task->n_items++] = item;
    }
    if (task->n_items > 0) return LFM_OK;
    return lfm_fail(error, LFM_ERROR_MISMATCH, "no item of these runs is whole: there is nothing to merge");
}

/* The lines of the chosen items; items and lines are both in the order of the data set. */
static enum lfm_status choose_lines(struct lfm_merge *merge, const struct lines *lines, struct lfm_error *error)
{
    size_t place = 0;
    LFM_TRY(LFM_ALLOC(&merge->lines, lines->count, error));
    for (size_t i = 0; i < lines->count; i++) {
        size_t item = lines->items[i].place / merge->task.samples;
        while (place < merge->task.n_items && merge->task.items[place] < item) place++;
        if (place < merge->task.n_items && merge->task.items[place] == item)
            merge->lines[merge->n_lines++] = lines->items[i].sample;
    }
    return LFM_OK;
}

static enum lfm_status list_ids(struct lfm_buffer *out, const struct lfm_task *task, struct lfm_error *error)
{
    for (size_t i = 0; i < task->n_items; i++)
        LFM_TRY(lfm_buffer_printf(out, error, "%s%s", i ? "," : "", task->suite->id(task->data, task->items[i])));
    return LFM_OK;
}

/* How the merged run would have been asked for: as its parts were when nothing is missing; else without the items that
 * all of them excluded when that is it, else by listing the items. */
static enum lfm_status describe_selection(const struct lfm_merge *merge, const struct joining *joining,
                                          struct lfm_error *error)
{
    struct lfm_selection selection, other;
    struct lfm_task same = {.suite = joining->all.suite, .data = joining->all.data};
    struct lfm_buffer ids = {0};
    lfm_selection_read(&selection, merge->descriptions[0]);
    for (size_t r = 1; r < merge->n; r++) {
        lfm_selection_read(&other, merge->descriptions[r]);
        if (!same_text(selection.exclude, other.exclude)) selection.exclude = NULL;
    }
    selection.shard = selection.shards = 0;
    if (!joining->alike) {
        selection.ids = NULL;
        selection.limit = 0;
    }
    LFM_TRY(lfm_task_select(&same, &selection, error));
    bool whole = same.n_items == merge->task.n_items;
    lfm_task_release(&same);
    enum lfm_status status = LFM_OK;
    if (!whole) {
        status = list_ids(&ids, &merge->task, error);
        selection.ids = ids.data;
        selection.limit = 0;
    }
    if (status == LFM_OK) lfm_selection_describe(merge->description, &selection);
    lfm_buffer_release(&ids);
    return status;
}

/* What belongs to one run alone goes into its entry of "merged". */
static enum lfm_status describe(struct lfm_merge *merge, const struct joining *joining, struct lfm_error *error)
{
    static const char *const own[] = {"command", "created", "data",  "machine", "batch", "concurrency",
                                      "shard",   "merged",  "ids", "excluded", "limit"};
    enum { N_OWN = sizeof own / sizeof own[0] };
    merge->description = cJSON_Duplicate(merge->descriptions[0], true);
    cJSON *list = cJSON_CreateArray();
    for (size_t r = 0; r < merge->n; r++) {
        cJSON *entry = cJSON_CreateObject();
        cJSON_AddStringToObject(entry, "run", merge->runs[r].directory);
        for (size_t i = 0; i < N_OWN; i++) {
            const cJSON *member = member_of(merge->descriptions[r], own[i]);
            if (member) cJSON_AddItemToObject(entry, own[i], cJSON_Duplicate(member, true));
        }
        cJSON_AddItemToArray(list, entry);
    }
    for (size_t i = 0; i < N_OWN; i++) cJSON_DeleteItemFromObjectCaseSensitive(merge->description, own[i]);
    cJSON_AddItemToObject(merge->description, "merged", list);
    return describe_selection(merge, joining, error);
}

static enum lfm_status join(struct lfm_merge *merge, struct joining *joining, struct lines *lines, bool partial,
                            struct lfm_error *error)
{
    size_t n = joining->all.n_items, samples = joining->all.samples;
    LFM_TRY(LFM_ALLOC(&joining->expected, n, error));
    LFM_TRY(LFM_ALLOC(&joining->chosen, n * samples, error));
    LFM_TRY(expect(merge, joining, error));
    LFM_TRY(gather_lines(merge, &joining->all, lines, error));
    for (size_t i = 0; i < lines->count; i++) joining->chosen[lines->items[i].place] = lines->items[i].sample;
    if (!partial) LFM_TRY(refuse_missing(merge, joining, error));
    LFM_TRY(choose_items(merge, joining, error));
    LFM_TRY(choose_lines(merge, lines, error));
    return describe(merge, joining, error);
}

enum lfm_status lfm_merge_join(struct lfm_merge *merge, const struct lfm_suite *suite, const void *data, bool partial,
                               struct lfm_error *error)
{
    struct joining joining = {.all = {.suite = suite, .data = data, .n_items = suite->count(data)}};
    struct lines lines = {0};
    joining.all.samples = samples_of(merge->descriptions[0]);
    enum lfm_status status = join(merge, &joining, &lines, partial, error);
    free(joining.expected);
    free(joining.chosen);
    free(lines.items);
    return status;
}
