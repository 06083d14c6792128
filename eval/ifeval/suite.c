/* IFEval as a suite: see suite.h. */
#include "eval/ifeval/suite.h"

#include "eval/harness/runner.h"
#include "eval/ifeval/ifeval.h"
#include "reference/base/memory.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ID_TEXT = 24 }; /* a key in decimals */

struct ifeval {
    struct lfm_ifeval_data data;
    char (*ids)[ID_TEXT]; /* [count] */
};

struct dialogue {
    const struct lfm_ifeval_item *item;
    cJSON *messages; /* owned */
    struct lfm_ifeval_verdict verdict;
};

static void close_suite(void *suite)
{
    struct ifeval *ifeval = suite;
    lfm_ifeval_close(&ifeval->data);
    free(ifeval->ids);
    free(ifeval);
}

static enum lfm_status open_suite(void **suite, const char *data, struct lfm_error *error)
{
    struct ifeval *ifeval;
    LFM_TRY(LFM_ALLOC(&ifeval, 1, error));
    enum lfm_status status = lfm_ifeval_open(&ifeval->data, data, error);
    if (status == LFM_OK) status = LFM_ALLOC(&ifeval->ids, ifeval->data.count, error);
    if (status != LFM_OK) {
        close_suite(ifeval);
        return status;
    }
    for (size_t i = 0; i < ifeval->data.count; i++)
        snprintf(ifeval->ids[i], ID_TEXT, "%lld", (long long)ifeval->data.items[i].key);
    *suite = ifeval;
    return LFM_OK;
}

static size_t count(const void *suite)
{
    return ((const struct ifeval *)suite)->data.count;
}

static const char *id(const void *suite, size_t item)
{
    return ((const struct ifeval *)suite)->ids[item];
}

static enum lfm_status start(void **out, const void *suite, size_t item, struct lfm_error *error)
{
    struct dialogue *dialogue;
    LFM_TRY(LFM_ALLOC(&dialogue, 1, error));
    dialogue->item = &((const struct ifeval *)suite)->data.items[item];
    dialogue->messages = cJSON_CreateArray();
    cJSON *message = cJSON_CreateObject();
    cJSON_AddStringToObject(message, "role", "user");
    cJSON_AddStringToObject(message, "content", dialogue->item->prompt);
    cJSON_AddItemToArray(dialogue->messages, message);
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
    return lfm_ifeval_score(dialogue->item, reply->text, &dialogue->verdict, error);
}

static void finish(void *context)
{
    struct dialogue *dialogue = context;
    cJSON_Delete(dialogue->messages);
    free(dialogue);
}

static void add_verdicts(cJSON *object, const char *name, const bool *verdicts, size_t n)
{
    cJSON *list = cJSON_AddArrayToObject(object, name);
    for (size_t i = 0; i < n; i++) cJSON_AddItemToArray(list, cJSON_CreateBool(verdicts[i]));
}

static enum lfm_status verdict(const void *context, cJSON *out, struct lfm_error *error)
{
    const struct dialogue *dialogue = context;
    bool correct = true;
    (void)error;
    for (size_t i = 0; i < dialogue->item->n; i++) correct = correct && dialogue->verdict.strict[i];
    cJSON_AddBoolToObject(out, "correct", correct);
    cJSON *instructions = cJSON_AddArrayToObject(out, "instructions");
    for (size_t i = 0; i < dialogue->item->n; i++)
        cJSON_AddItemToArray(instructions, cJSON_CreateString(dialogue->item->checks[i]->id));
    add_verdicts(out, "strict", dialogue->verdict.strict, dialogue->item->n);
    add_verdicts(out, "loose", dialogue->verdict.loose, dialogue->item->n);
    return LFM_OK;
}

/* --- figures --- */

static enum lfm_status read_verdicts(bool *out, size_t n, const cJSON *sample, const char *name,
                                     struct lfm_error *error)
{
    const cJSON *verdicts = cJSON_GetObjectItemCaseSensitive(sample, "verdict");
    const cJSON *list = cJSON_GetObjectItemCaseSensitive(verdicts, name);
    if (!cJSON_IsArray(list) || (size_t)cJSON_GetArraySize(list) != n)
        return lfm_fail(error, LFM_ERROR_FORMAT, "samples.jsonl: item '%s' needs %zu '%s' verdicts",
                        cJSON_GetObjectItemCaseSensitive(sample, "id")->valuestring, n, name);
    for (const cJSON *member = list->child; member; member = member->next) *out++ = cJSON_IsTrue(member);
    return LFM_OK;
}

/* The four accuracies; instructions of one prompt, and answers to it, are no independent verdicts. */
enum { PROMPT_STRICT, INSTRUCTION_STRICT, PROMPT_LOOSE, INSTRUCTION_LOOSE, N_ACCURACIES };

static const char *const accuracies[N_ACCURACIES] = {"prompt_level_strict", "instruction_level_strict",
                                                     "prompt_level_loose", "instruction_level_loose"};

struct figures {
    struct lfm_ifeval_summary summary;
    struct lfm_clusters prompts[N_ACCURACIES]; /* verdicts, clustered by prompt */
    const struct lfm_ifeval_item *item;        /* whose answers are being counted */
    size_t right[N_ACCURACIES], n[N_ACCURACIES];
};

static void end_prompt(struct figures *figures)
{
    for (int i = 0; i < N_ACCURACIES; i++) {
        lfm_clusters_add(&figures->prompts[i], figures->right[i], figures->n[i]);
        figures->right[i] = figures->n[i] = 0;
    }
}

static void count_verdicts(struct figures *figures, const bool *verdicts, size_t n, int prompt, int instruction)
{
    size_t right = 0;
    for (size_t i = 0; i < n; i++) right += verdicts[i];
    figures->right[prompt] += right == n;
    figures->n[prompt]++;
    figures->right[instruction] += right;
    figures->n[instruction] += n;
}

static enum lfm_status add_sample(const struct ifeval *ifeval, const cJSON *sample, struct figures *figures,
                                  struct lfm_error *error)
{
    const char *key = cJSON_GetObjectItemCaseSensitive(sample, "id")->valuestring;
    const struct lfm_ifeval_item *item = lfm_ifeval_by_key(&ifeval->data, strtoll(key, NULL, 10));
    struct lfm_ifeval_verdict verdicts;
    LFM_TRY(read_verdicts(verdicts.strict, item->n, sample, "strict", error));
    LFM_TRY(read_verdicts(verdicts.loose, item->n, sample, "loose", error));
    lfm_ifeval_add(&figures->summary, item, &verdicts);
    if (item != figures->item) end_prompt(figures);
    figures->item = item;
    count_verdicts(figures, verdicts.strict, item->n, PROMPT_STRICT, INSTRUCTION_STRICT);
    count_verdicts(figures, verdicts.loose, item->n, PROMPT_LOOSE, INSTRUCTION_LOOSE);
    return LFM_OK;
}

static double share(struct lfm_ifeval_rate rate)
{
    return rate.n ? (double)rate.right / (double)rate.n : NAN;
}

static void add_tiers(cJSON *summary, const char *name, const struct lfm_ifeval_tier *tiers, size_t n)
{
    cJSON *list = cJSON_AddArrayToObject(summary, name);
    for (size_t i = 0; i < n; i++) {
        char text[64];
        cJSON *tier = cJSON_CreateObject();
        cJSON_AddItemToArray(list, tier);
        snprintf(text, sizeof text, "%.*s", tiers[i].name_length, tiers[i].name);
        cJSON_AddStringToObject(tier, "name", text);
        cJSON_AddNumberToObject(tier, "n", (double)tiers[i].strict.n);
        lfm_json_add_number(tier, "strict", share(tiers[i].strict));
        lfm_json_add_number(tier, "loose", share(tiers[i].loose));
    }
}

void lfm_ifeval_add_figures(cJSON *out, const struct lfm_ifeval_summary *summary)
{
    lfm_add_rate(out, "prompt_level_strict", summary->prompt_strict.right, summary->prompt_strict.n);
    lfm_add_rate(out, "instruction_level_strict", summary->instruction_strict.right, summary->instruction_strict.n);
    lfm_add_rate(out, "prompt_level_loose", summary->prompt_loose.right, summary->prompt_loose.n);
    lfm_add_rate(out, "instruction_level_loose", summary->instruction_loose.right, summary->instruction_loose.n);
    add_tiers(out, "tier0", summary->tier0, summary->n_tier0);
    add_tiers(out, "tier1", summary->tier1, summary->n_tier1);
}

static enum lfm_status summarise(const void *suite, cJSON *const *samples, size_t n, cJSON *out,
                                 struct lfm_error *error)
{
    struct figures figures = {0};
    for (size_t i = 0; i < n; i++) LFM_TRY(add_sample(suite, samples[i], &figures, error));
    end_prompt(&figures);
    lfm_ifeval_add_figures(out, &figures.summary);
    for (int i = 0; i < N_ACCURACIES; i++)
        lfm_add_clusters(cJSON_GetObjectItemCaseSensitive(out, accuracies[i]), &figures.prompts[i]);
    return LFM_OK;
}

const struct lfm_suite lfm_ifeval_suite = {
    .name = "ifeval",
    .summary = "instructions that code can verify (IFEval); --data is its input_data.jsonl, or a directory with it",
    .data_file = "input_data.jsonl",
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
