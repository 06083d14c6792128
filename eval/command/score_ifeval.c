/* score ifeval: see score.h. */
#include "eval/command/score.h"
#include "eval/ifeval/ifeval.h"
#include "eval/ifeval/suite.h"
#include "reference/base/memory.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

static enum lfm_status open_data(void **data, const char *path, struct lfm_error *error)
{
    struct lfm_ifeval_data *opened;
    LFM_TRY(LFM_ALLOC(&opened, 1, error));
    enum lfm_status status = lfm_ifeval_open(opened, path, error);
    if (status == LFM_OK)
        *data = opened;
    else
        free(opened);
    return status;
}

static void close_data(void *data)
{
    lfm_ifeval_close(data);
    free(data);
}

static const struct lfm_ifeval_item *by_key(const struct lfm_ifeval_data *data, double key)
{
    return floor(key) == key && fabs(key) < 9e15 ? lfm_ifeval_by_key(data, (int64_t)key) : NULL;
}

/* The official files have prompts instead of keys. */
static enum lfm_status find(const void *data, const cJSON *row, const char *name, const void **item,
                            struct lfm_error *error)
{
    const cJSON *key = cJSON_GetObjectItemCaseSensitive(row, "key");
    const cJSON *prompt = cJSON_GetObjectItemCaseSensitive(row, "prompt");
    const char *response;
    if (cJSON_IsNumber(key)) {
        *item = by_key(data, key->valuedouble);
        if (!*item)
            return lfm_fail(error, LFM_ERROR_MISMATCH, "%s: the data set has no key %.17g", name, key->valuedouble);
    } else if (cJSON_IsString(prompt)) {
        *item = lfm_ifeval_by_prompt(data, prompt->valuestring);
        if (!*item) return lfm_fail(error, LFM_ERROR_MISMATCH, "%s: the data set has no such prompt", name);
    } else {
        return lfm_fail(error, LFM_ERROR_FORMAT, "%s: neither 'key' (a number) nor 'prompt' (a string)", name);
    }
    return lfm_json_require_string(row, "response", name, &response, error);
}

static enum lfm_status score(const struct lfm_response *response, struct lfm_error *error)
{
    const char *text = cJSON_GetObjectItemCaseSensitive(response->row, "response")->valuestring;
    return lfm_ifeval_score(response->item, text, response->verdict, error);
}

static void add_list(cJSON *line, const char *name, const bool *verdicts, size_t n)
{
    cJSON *list = cJSON_AddArrayToObject(line, name);
    for (size_t i = 0; i < n; i++) cJSON_AddItemToArray(list, cJSON_CreateBool(verdicts[i]));
}

static void describe(const struct lfm_response *response, cJSON *line)
{
    const struct lfm_ifeval_item *item = response->item;
    const struct lfm_ifeval_verdict *verdict = response->verdict;
    cJSON_AddNumberToObject(line, "key", (double)item->key);
    add_list(line, "strict", verdict->strict, item->n);
    add_list(line, "loose", verdict->loose, item->n);
}

static double percent(struct lfm_ifeval_rate rate)
{
    return rate.n ? 100 * (double)rate.right / (double)rate.n : NAN;
}

static void print_rate(const char *name, struct lfm_ifeval_rate rate)
{
    lfm_print_rate(name, rate.right, rate.n);
}

static void print_tiers(const struct lfm_ifeval_tier *tiers, size_t n)
{
    for (size_t i = 0; i < n; i++)
        printf("%-45.*s %5zu %8.2f %8.2f\n", tiers[i].name_length, tiers[i].name, tiers[i].strict.n,
               percent(tiers[i].strict), percent(tiers[i].loose));
}

static void report(const struct lfm_response *responses, size_t n, cJSON *document)
{
    struct lfm_ifeval_summary summary = {0};
    for (size_t i = 0; i < n; i++) lfm_ifeval_add(&summary, responses[i].item, responses[i].verdict);
    if (document) {
        lfm_ifeval_add_figures(document, &summary);
        return;
    }
    printf("IFEval, %zu response%s (95 %% Wilson intervals)\n", n, n == 1 ? "" : "s");
    print_rate("prompt, strict", summary.prompt_strict);
    print_rate("instruction, strict", summary.instruction_strict);
    print_rate("prompt, loose", summary.prompt_loose);
    print_rate("instruction, loose", summary.instruction_loose);
    printf("\n%-45s %5s %8s %8s\n", "instructions", "n", "strict", "loose");
    print_tiers(summary.tier0, summary.n_tier0);
    printf("\n");
    print_tiers(summary.tier1, summary.n_tier1);
}

const struct lfm_scorer lfm_ifeval_scorer = {
    .suite = &lfm_ifeval_suite,
    .verdict_size = sizeof(struct lfm_ifeval_verdict),
    .open = open_data,
    .close = close_data,
    .find = find,
    .score = score,
    .describe = describe,
    .report = report,
};
