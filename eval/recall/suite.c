/* Long-context recall as a suite: see suite.h. */
#include "eval/recall/suite.h"

#include "eval/harness/runner.h"
#include "eval/recall/item.h"
#include "reference/base/memory.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ID_TEXT = 80 }; /* a name of at most 40 and three numbers */

struct recall {
    struct lfm_recall_grid grid;
    char (*ids)[ID_TEXT]; /* [count] */
};

struct dialogue {
    const struct lfm_recall_grid *grid;
    struct lfm_recall_cell cell;
    struct lfm_recall_item item;
    cJSON *messages; /* owned */
    struct lfm_recall_score score;
};

static void close_suite(void *suite)
{
    struct recall *recall = suite;
    lfm_recall_grid_close(&recall->grid);
    free(recall->ids);
    free(recall);
}

static enum lfm_status open_suite(void **suite, const char *data, struct lfm_error *error)
{
    struct recall *recall;
    LFM_TRY(LFM_ALLOC(&recall, 1, error));
    enum lfm_status status = lfm_recall_grid_open(&recall->grid, data, error);
    size_t count = lfm_recall_grid_count(&recall->grid);
    if (status == LFM_OK) status = LFM_ALLOC(&recall->ids, count, error);
    if (status != LFM_OK) {
        close_suite(recall);
        return status;
    }
    for (size_t i = 0; i < count; i++) {
        struct lfm_recall_cell cell = lfm_recall_grid_cell(&recall->grid, i);
        snprintf(recall->ids[i], ID_TEXT, "%s-%zu-%zu-%zu", cell.task->name, cell.length, cell.depth, cell.sample);
    }
    *suite = recall;
    return LFM_OK;
}

static size_t count_items(const void *suite)
{
    return lfm_recall_grid_count(&((const struct recall *)suite)->grid);
}

static const char *id(const void *suite, size_t item)
{
    return ((const struct recall *)suite)->ids[item];
}

/* --- dialogues --- */

static void finish(void *context)
{
    struct dialogue *dialogue = context;
    cJSON_Delete(dialogue->messages);
    lfm_recall_item_release(&dialogue->item);
    lfm_recall_score_release(&dialogue->score);
    free(dialogue);
}

static enum lfm_status write_messages(struct dialogue *dialogue, struct lfm_error *error)
{
    struct lfm_buffer prompt = {0};
    enum lfm_status status = lfm_recall_item_prompt(&prompt, &dialogue->item, dialogue->grid->wording, error);
    if (status == LFM_OK) {
        cJSON *message = cJSON_CreateObject();
        cJSON_AddStringToObject(message, "role", "user");
        cJSON_AddStringToObject(message, "content", prompt.data);
        dialogue->messages = cJSON_CreateArray();
        cJSON_AddItemToArray(dialogue->messages, message);
    }
    lfm_buffer_release(&prompt);
    return status;
}

static enum lfm_status start(void **out, const void *suite, size_t item, struct lfm_error *error)
{
    const struct recall *recall = suite;
    struct dialogue *dialogue;
    LFM_TRY(LFM_ALLOC(&dialogue, 1, error));
    dialogue->grid = &recall->grid;
    dialogue->cell = lfm_recall_grid_cell(&recall->grid, item);
    enum lfm_status status =
        lfm_recall_item_make(&dialogue->item, &recall->grid, &dialogue->cell, recall->ids[item], error);
    if (status == LFM_OK) status = write_messages(dialogue, error);
    if (status != LFM_OK) {
        finish(dialogue);
        return status;
    }
    *out = dialogue;
    return LFM_OK;
}

static enum lfm_status next(void *context, const struct lfm_reply *reply, struct lfm_request *request, bool *done,
                            struct lfm_error *error)
{
    struct dialogue *dialogue = context;
    if (!reply) {
        request->messages = dialogue->messages;
        return LFM_OK;
    }
    *done = true;
    return lfm_recall_item_score(&dialogue->score, &dialogue->item, reply->text, error);
}

/* The texts that are chosen; none before an answer was scored. */
static void add_chosen(cJSON *object, const char *key, const struct lfm_recall_texts *texts, const bool *chosen)
{
    cJSON *list = cJSON_AddArrayToObject(object, key);
    for (size_t i = 0; i < texts->count; i++)
        if (chosen && chosen[i]) cJSON_AddItemToArray(list, cJSON_CreateString(texts->items[i]));
}

static enum lfm_status verdict(const void *context, cJSON *out, struct lfm_error *error)
{
    const struct dialogue *dialogue = context;
    (void)error;
    cJSON_AddBoolToObject(out, "correct", dialogue->score.correct);
    cJSON_AddStringToObject(out, "kind", dialogue->cell.task->name);
    cJSON_AddNumberToObject(out, "length", (double)dialogue->cell.length);
    cJSON_AddNumberToObject(out, "depth", (double)dialogue->cell.depth);
    cJSON *expected = cJSON_AddArrayToObject(out, "expected");
    for (size_t i = 0; i < dialogue->item.expected.count; i++)
        cJSON_AddItemToArray(expected, cJSON_CreateString(dialogue->item.expected.items[i]));
    add_chosen(out, "found", &dialogue->item.expected, dialogue->score.found);
    add_chosen(out, "others", &dialogue->item.others, dialogue->score.wrong);
    return LFM_OK;
}

/* --- figures --- */

static const char *id_of(const cJSON *sample)
{
    return cJSON_GetObjectItemCaseSensitive(sample, "id")->valuestring;
}

static enum lfm_status find_item(const struct recall *recall, const cJSON *sample, size_t *item, struct lfm_error *error)
{
    for (*item = 0; *item < count_items(recall); (*item)++)
        if (strcmp(recall->ids[*item], id_of(sample)) == 0) return LFM_OK;
    return lfm_fail(error, LFM_ERROR_FORMAT, "samples.jsonl: the grid has no item '%s'", id_of(sample));
}

/* The verdicts of every cell; several samples of one item are a cluster. */
static enum lfm_status count_cells(struct lfm_clusters *cells, const struct recall *recall, cJSON *const *samples, size_t n,
                                   struct lfm_error *error)
{
    for (size_t i = 0, end; i < n; i = end) {
        size_t item, right = 0;
        LFM_TRY(find_item(recall, samples[i], &item, error));
        for (end = i; end < n && strcmp(id_of(samples[end]), recall->ids[item]) == 0; end++)
            right += lfm_sample_correct(samples[end]);
        lfm_clusters_add(&cells[item / recall->grid.samples], right, end - i);
    }
    return LFM_OK;
}

static void add_kinds(cJSON *summary, const struct lfm_recall_grid *grid, const struct lfm_clusters *cells)
{
    size_t cell = 0;
    for (size_t t = 0; t < grid->n_tasks; t++) {
        struct lfm_clusters sum = {0};
        for (size_t i = lfm_recall_task_count(grid, &grid->tasks[t]) / grid->samples; i > 0; i--)
            lfm_clusters_join(&sum, &cells[cell++]);
        if (sum.n > 0) lfm_add_clustered_rate(summary, grid->tasks[t].name, &sum);
    }
}

static void add_cells(cJSON *summary, const struct lfm_recall_grid *grid, const struct lfm_clusters *cells)
{
    cJSON *list = cJSON_AddArrayToObject(summary, "cells");
    for (size_t i = 0; i < lfm_recall_grid_count(grid) / grid->samples; i++) {
        struct lfm_recall_cell cell = lfm_recall_grid_cell(grid, i * grid->samples);
        if (cells[i].n == 0) continue;
        cJSON *object = cJSON_CreateObject();
        cJSON_AddItemToArray(list, object);
        cJSON_AddStringToObject(object, "kind", cell.task->name);
        cJSON_AddNumberToObject(object, "length", (double)cell.length);
        cJSON_AddNumberToObject(object, "depth", (double)cell.depth);
        lfm_add_clustered_rate(object, "correct", &cells[i]);
    }
}

static enum lfm_status summarise(const void *suite, cJSON *const *samples, size_t n, cJSON *summary,
                                 struct lfm_error *error)
{
    const struct recall *recall = suite;
    struct lfm_clusters *cells;
    LFM_TRY(LFM_ALLOC(&cells, count_items(suite) / recall->grid.samples, error));
    enum lfm_status status = count_cells(cells, recall, samples, n, error);
    if (status == LFM_OK) {
        cJSON_AddStringToObject(summary, "length_unit", recall->grid.words_per_unit == 1 ? "words" : "tokens");
        add_kinds(summary, &recall->grid, cells);
        add_cells(summary, &recall->grid, cells);
    }
    free(cells);
    return status;
}

const struct lfm_suite lfm_recall_suite = {
    .name = "recall",
    .summary = "facts to be found in a long text, over its length and their depth; --data is a grid file",
    .data_file = "recall.json",
    .open = open_suite,
    .close = close_suite,
    .count = count_items,
    .id = id,
    .start = start,
    .next = next,
    .finish = finish,
    .verdict = verdict,
    .summarise = summarise,
};
