/* The loop of an evaluation: see runner.h. Every free place of the backend holds a dialogue. */
#include "eval/harness/runner.h"

#include "eval/harness/items.h"
#include "reference/base/memory.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A dialogue under way. Its place in `slots` is the ticket of its requests. */
struct slot {
    void *dialogue;  /* NULL: the slot is free */
    size_t place;    /* in the table */
    size_t turns;    /* requests made */
    cJSON *messages; /* owned: of the last request */
    cJSON *tools;    /* owned: likewise, or NULL */
    size_t prompt_tokens, generated_tokens, reused_tokens;
    double seconds;
};

struct runner {
    const struct lfm_task *task;
    const struct lfm_backend *backend;
    struct lfm_run *run;
    struct lfm_progress *progress;
    char label[64];
    cJSON **table; /* [n_items * samples], NULL where a sample is missing */
    struct slot *slots;
    size_t next, under_way, found, done, right;
    struct lfm_error *error;
};

bool lfm_sample_correct(const cJSON *sample)
{
    const cJSON *verdict = cJSON_GetObjectItemCaseSensitive(sample, "verdict");
    return cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(verdict, "correct"));
}

static const char *text_of(const cJSON *sample, const char *key)
{
    return cJSON_GetObjectItemCaseSensitive(sample, key)->valuestring;
}

bool lfm_sample_same(const cJSON *a, const cJSON *b)
{
    static const char *const circumstances[] = {"seconds", "prompt_tokens_reused"};
    cJSON *first = cJSON_Duplicate(a, true), *second = cJSON_Duplicate(b, true);
    for (size_t i = 0; i < sizeof circumstances / sizeof circumstances[0]; i++) {
        cJSON_DeleteItemFromObjectCaseSensitive(first, circumstances[i]);
        cJSON_DeleteItemFromObjectCaseSensitive(second, circumstances[i]);
    }
    bool same = cJSON_Compare(first, second, true);
    cJSON_Delete(first);
    cJSON_Delete(second);
    return same;
}

bool lfm_sample_failed(const cJSON *sample)
{
    return strcmp(text_of(sample, "finish"), lfm_finish_name(LFM_FINISH_ERROR)) == 0;
}

static const char *id_at(const struct lfm_task *task, size_t index)
{
    return task->suite->id(task->data, task->items[index]);
}

/* --- what the run has already --- */

static enum lfm_status place_sample(const struct lfm_task *task, const struct lfm_item_index *index, cJSON *sample,
                                    const char *name, cJSON **table, struct lfm_error *error)
{
    const char *id = text_of(sample, "id");
    double number = cJSON_GetObjectItemCaseSensitive(sample, "sample")->valuedouble;
    size_t item = lfm_item_index_find(index, id, strlen(id));
    if (item == SIZE_MAX || number >= (double)task->samples) return LFM_OK;
    cJSON **place = &table[item * task->samples + (size_t)number];
    if (*place && !lfm_sample_failed(*place))
        return lfm_fail(error, LFM_ERROR_FORMAT, "%s: sample %.0f of item '%s' stands there twice", name, number, id);
    *place = sample;
    return LFM_OK;
}

enum lfm_status lfm_task_place(const struct lfm_task *task, cJSON *const *lines, size_t n_lines, const char *name,
                               cJSON **table, struct lfm_error *error)
{
    struct lfm_item_index index;
    LFM_TRY(lfm_item_index_make(&index, task->suite, task->data, task->items, task->n_items, error));
    enum lfm_status status = LFM_OK;
    for (size_t i = 0; i < n_lines && status == LFM_OK; i++)
        status = place_sample(task, &index, lines[i], name, table, error);
    lfm_item_index_release(&index);
    return status;
}

static void count_sample(struct runner *runner, const cJSON *sample)
{
    runner->done++;
    runner->right += lfm_sample_correct(sample);
    if (!runner->progress) return;
    snprintf(runner->label, sizeof runner->label, "%s %.1f %%", runner->task->suite->name,
             100 * (double)runner->right / (double)runner->done);
    runner->progress->label = runner->label;
    lfm_progress_update(runner->progress, (double)(runner->done - runner->found));
}

static enum lfm_status place_samples(struct runner *runner)
{
    const struct lfm_task *task = runner->task;
    const struct lfm_run *run = runner->run;
    LFM_TRY(lfm_task_place(task, run->samples, run->count, run->log_path, runner->table, runner->error));
    for (size_t i = 0; i < task->n_items * task->samples; i++) {
        cJSON **sample = &runner->table[i];
        if (*sample && lfm_sample_failed(*sample) && task->retry_failed) *sample = NULL;
        if (!*sample) continue;
        runner->found++;
        runner->done++;
        runner->right += lfm_sample_correct(*sample);
    }
    if (runner->progress) runner->progress->total = (double)(task->n_items * task->samples - runner->found);
    return LFM_OK;
}

/* --- dialogues --- */

static void free_slot(struct runner *runner, struct slot *slot)
{
    if (slot->dialogue) runner->task->suite->finish(slot->dialogue);
    cJSON_Delete(slot->messages);
    cJSON_Delete(slot->tools);
    *slot = (struct slot){0};
}

static enum lfm_status submit(struct runner *runner, struct slot *slot, const struct lfm_request *request)
{
    const struct lfm_task *task = runner->task;
    uint64_t seed;
    cJSON_Delete(slot->messages);
    cJSON_Delete(slot->tools);
    slot->messages = cJSON_Duplicate(request->messages, true);
    slot->tools = request->tools ? cJSON_Duplicate(request->tools, true) : NULL;
    LFM_TRY(lfm_request_seed(&seed, task->seed, id_at(task, slot->place / task->samples), slot->place % task->samples,
                             slot->turns++, runner->error));
    LFM_TRY(runner->backend->submit(runner->backend->context, (size_t)(slot - runner->slots), request, seed,
                                    runner->error));
    runner->under_way++;
    return LFM_OK;
}

static enum lfm_status begin(struct runner *runner, struct slot *slot, size_t place)
{
    const struct lfm_suite *suite = runner->task->suite;
    struct lfm_request request = {0};
    bool done = false;
    slot->place = place;
    LFM_TRY(suite->start(&slot->dialogue, runner->task->data, runner->task->items[place / runner->task->samples],
                         runner->error));
    LFM_TRY(suite->next(slot->dialogue, NULL, &request, &done, runner->error));
    return submit(runner, slot, &request);
}

static enum lfm_status fill_slots(struct runner *runner)
{
    size_t n = runner->task->n_items * runner->task->samples;
    for (size_t i = 0; i < runner->backend->concurrency; i++) {
        while (runner->next < n && runner->table[runner->next]) runner->next++;
        if (runner->next == n) return LFM_OK;
        if (!runner->slots[i].dialogue) LFM_TRY(begin(runner, &runner->slots[i], runner->next++));
    }
    return LFM_OK;
}

static cJSON *describe_sample(const struct runner *runner, struct slot *slot, const struct lfm_completion *completion)
{
    size_t samples = runner->task->samples;
    cJSON *sample = cJSON_CreateObject();
    cJSON_AddStringToObject(sample, "id", id_at(runner->task, slot->place / samples));
    cJSON_AddNumberToObject(sample, "sample", (double)(slot->place % samples));
    cJSON_AddItemToObject(sample, "messages", slot->messages);
    if (slot->tools) cJSON_AddItemToObject(sample, "tools", slot->tools);
    slot->messages = slot->tools = NULL;
    cJSON_AddStringToObject(sample, "raw", completion->raw.data ? completion->raw.data : "");
    cJSON_AddStringToObject(sample, "text", completion->text.data ? completion->text.data : "");
    cJSON_AddStringToObject(sample, "finish", lfm_finish_name(completion->finish));
    if (completion->finish == LFM_FINISH_ERROR) cJSON_AddStringToObject(sample, "error", completion->error.message);
    cJSON_AddNumberToObject(sample, "prompt_tokens", (double)slot->prompt_tokens);
    cJSON_AddNumberToObject(sample, "generated_tokens", (double)slot->generated_tokens);
    cJSON_AddNumberToObject(sample, "prompt_tokens_reused", (double)slot->reused_tokens);
    lfm_json_add_number(sample, "seconds", slot->seconds);
    return sample;
}

static enum lfm_status record(struct runner *runner, struct slot *slot, const struct lfm_completion *completion)
{
    cJSON *sample = describe_sample(runner, slot, completion);
    cJSON *verdict = cJSON_AddObjectToObject(sample, "verdict");
    enum lfm_status status = runner->task->suite->verdict(slot->dialogue, verdict, runner->error);
    if (status != LFM_OK) {
        cJSON_Delete(sample);
        return status;
    }
    LFM_TRY(lfm_run_append(runner->run, sample, runner->error));
    runner->table[slot->place] = sample;
    count_sample(runner, sample);
    free_slot(runner, slot);
    return LFM_OK;
}

static enum lfm_status answer(struct runner *runner, const struct lfm_completion *completion)
{
    struct slot *slot = &runner->slots[completion->ticket];
    const struct lfm_reply reply = {completion->text.data ? completion->text.data : "", completion->finish};
    struct lfm_request request = {0};
    bool done = false;
    slot->prompt_tokens += completion->prompt_tokens;
    slot->generated_tokens += completion->generated_tokens;
    slot->reused_tokens += completion->reused_tokens;
    slot->seconds += completion->seconds;
    LFM_TRY(runner->task->suite->next(slot->dialogue, &reply, &request, &done, runner->error));
    return done ? record(runner, slot, completion) : submit(runner, slot, &request);
}

static enum lfm_status run_all(struct runner *runner)
{
    LFM_TRY(place_samples(runner));
    LFM_TRY(fill_slots(runner));
    while (runner->under_way > 0) {
        struct lfm_completion completion = {0};
        enum lfm_status status = runner->backend->wait(runner->backend->context, &completion, runner->error);
        if (status == LFM_OK) {
            runner->under_way--;
            status = answer(runner, &completion);
        }
        lfm_completion_release(&completion);
        if (status == LFM_OK) status = fill_slots(runner);
        if (status != LFM_OK) return status;
    }
    return LFM_OK;
}

enum lfm_status lfm_task_run(const struct lfm_task *task, const struct lfm_backend *backend, struct lfm_run *run,
                             struct lfm_progress *progress, cJSON ***table, struct lfm_error *error)
{
    struct runner runner = {.task = task, .backend = backend, .run = run, .progress = progress, .error = error};
    enum lfm_status status = LFM_ALLOC(&runner.table, task->n_items * task->samples, error);
    if (status == LFM_OK) status = LFM_ALLOC(&runner.slots, backend->concurrency, error);
    if (status == LFM_OK) status = run_all(&runner);
    for (size_t i = 0; runner.slots && i < backend->concurrency; i++) free_slot(&runner, &runner.slots[i]);
    free(runner.slots);
    if (progress) progress->label = task->suite->name;
    if (status != LFM_OK) free(runner.table);
    *table = status == LFM_OK ? runner.table : NULL;
    return status;
}
