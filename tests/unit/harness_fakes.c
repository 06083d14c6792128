/* A suite and a backend without a model: see harness_fakes.h. */
#include "tests/unit/harness_fakes.h"

#include "reference/base/memory.h"
#include "tests/unit/directory.h"

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char ids[FAKE_ITEMS][8] = {"item-0", "item-1", "item-2", "item-3", "item-4", "item-5", "item-6"};

struct dialogue {
    size_t item, turns;
    cJSON *messages;
    char answer[128];
};

static enum lfm_status open_suite(void **suite, const char *data, struct lfm_error *error)
{
    (void)data;
    (void)error;
    *suite = NULL;
    return LFM_OK;
}

static void close_suite(void *suite)
{
    (void)suite;
}

static size_t count(const void *suite)
{
    (void)suite;
    return FAKE_ITEMS;
}

static const char *id(const void *suite, size_t item)
{
    (void)suite;
    return ids[item];
}

static enum lfm_status start(void **out, const void *suite, size_t item, struct lfm_error *error)
{
    struct dialogue *dialogue;
    (void)suite;
    LFM_TRY(LFM_ALLOC(&dialogue, 1, error));
    dialogue->item = item;
    dialogue->messages = cJSON_CreateArray();
    *out = dialogue;
    return LFM_OK;
}

static void say(struct dialogue *dialogue, const char *role, const char *content)
{
    cJSON *message = cJSON_CreateObject();
    cJSON_AddStringToObject(message, "role", role);
    cJSON_AddStringToObject(message, "content", content);
    cJSON_AddItemToArray(dialogue->messages, message);
}

static enum lfm_status next(void *context, const struct lfm_reply *reply, struct lfm_request *request, bool *done,
                            struct lfm_error *error)
{
    struct dialogue *dialogue = context;
    (void)error;
    if (reply) snprintf(dialogue->answer, sizeof dialogue->answer, "%s", reply->text);
    if (dialogue->turns++ == 1 + dialogue->item % 2) {
        *done = true;
        return LFM_OK;
    }
    if (reply) say(dialogue, "assistant", reply->text);
    say(dialogue, "user", ids[dialogue->item]);
    request->messages = dialogue->messages;
    return LFM_OK;
}

static void finish(void *context)
{
    struct dialogue *dialogue = context;
    cJSON_Delete(dialogue->messages);
    free(dialogue);
}

static enum lfm_status verdict(const void *context, cJSON *out, struct lfm_error *error)
{
    const struct dialogue *dialogue = context;
    size_t length = strlen(dialogue->answer);
    int digit = length ? dialogue->answer[length - 1] - '0' : 1;
    (void)error;
    cJSON_AddBoolToObject(out, "correct", digit % 2 == 0);
    cJSON_AddNumberToObject(out, "digit", digit);
    return LFM_OK;
}

static enum lfm_status summarise(const void *suite, cJSON *const *samples, size_t n, cJSON *summary,
                                 struct lfm_error *error)
{
    int sum = 0;
    (void)suite;
    (void)error;
    for (size_t i = 0; i < n; i++)
        sum += cJSON_GetObjectItem(cJSON_GetObjectItem(samples[i], "verdict"), "digit")->valueint;
    cJSON_AddNumberToObject(summary, "sum_of_digits", sum);
    return LFM_OK;
}

const struct lfm_suite fake_suite = {
    .name = "fake",
    .summary = "a suite for tests",
    .data_file = "fake.jsonl",
    .open = open_suite,
    .close = close_suite,
    .count = count,
    .id = id,
    .start = start,
    .next = next,
    .finish = finish,
    .verdict = verdict,
    .summarise = summarise,
};

/* --- the backend --- */

static enum lfm_status submit(void *context, size_t ticket, const struct lfm_request *request, uint64_t seed,
                              struct lfm_error *error)
{
    struct fake_backend *fake = context;
    const cJSON *last = cJSON_GetArrayItem(request->messages, cJSON_GetArraySize(request->messages) - 1);
    (void)error;
    fake->waiting[fake->n].ticket = ticket;
    fake->waiting[fake->n].seed = seed;
    snprintf(fake->waiting[fake->n++].text, sizeof fake->waiting[0].text, "%s",
             cJSON_GetObjectItem(last, "content")->valuestring);
    return LFM_OK;
}

static enum lfm_status wait_for_one(void *context, struct lfm_completion *completion, struct lfm_error *error)
{
    struct fake_backend *fake = context;
    size_t index = fake->last_first ? fake->n - 1 : 0;
    if (fake->kill_after && fake->served == fake->kill_after) raise(SIGKILL);
    if (fake->n == 0) return lfm_fail(error, LFM_ERROR_ARGUMENT, "nothing is under way");
    const char *text = fake->waiting[index].text;
    *completion = (struct lfm_completion){
        .ticket = fake->waiting[index].ticket, .prompt_tokens = 3, .generated_tokens = 5, .seconds = 0.25};
    enum lfm_status status = LFM_OK;
    if (fake->fails_on && strcmp(fake->fails_on, text) == 0) {
        completion->finish = LFM_FINISH_ERROR;
        lfm_set_error(&completion->error, LFM_ERROR_IO, "the line is dead");
    } else {
        status = lfm_buffer_printf(&completion->raw, error, "<think>hm</think>\n%s %" PRIu64, text,
                                   fake->waiting[index].seed);
        if (status == LFM_OK) status = lfm_strip_reasoning(&completion->text, completion->raw.data, error);
    }
    memmove(&fake->waiting[index], &fake->waiting[index + 1], (--fake->n - index) * sizeof fake->waiting[0]);
    fake->served++;
    return status;
}

static void describe(const void *context, cJSON *run)
{
    (void)context;
    cJSON_AddStringToObject(run, "model", "fake");
}

static void close_backend(void *context)
{
    (void)context;
}

struct lfm_backend fake_backend(struct fake_backend *context, size_t concurrency)
{
    return (struct lfm_backend){context, concurrency, submit, wait_for_one, describe, close_backend};
}

const char *in_run(const char *run, const char *file)
{
    char name[256];
    snprintf(name, sizeof name, "%s%s%s", run, file ? "/" : "", file ? file : "");
    return in_directory(name);
}
