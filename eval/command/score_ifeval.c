/* score ifeval: see score.h. */
#include "eval/command/score.h"
#include "eval/ifeval/ifeval.h"
#include "eval/ifeval/suite.h"
#include "eval/text/json_lines.h"
#include "reference/base/memory.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct response {
    struct lfm_answered answered;
    const struct lfm_ifeval_item *item;
    const char *text;
    cJSON *row; /* owned; `text` lies in it */
    struct lfm_ifeval_verdict verdict;
    enum lfm_status status;
    struct lfm_error error;
};

struct responses {
    const struct lfm_ifeval_data *data;
    struct response *items;
    size_t count, capacity;
};

static enum lfm_status find_item(const struct lfm_ifeval_data *data, const cJSON *row, const char *name,
                                 const struct lfm_ifeval_item **out, struct lfm_error *error)
{
    const cJSON *key = cJSON_GetObjectItemCaseSensitive(row, "key");
    const cJSON *prompt = cJSON_GetObjectItemCaseSensitive(row, "prompt");
    if (cJSON_IsNumber(key)) {
        *out = floor(key->valuedouble) == key->valuedouble && fabs(key->valuedouble) < 9e15
                   ? lfm_ifeval_by_key(data, (int64_t)key->valuedouble)
                   : NULL;
        return *out ? LFM_OK : lfm_fail(error, LFM_ERROR_MISMATCH, "%s: the data set has no key %.17g", name, key->valuedouble);
    }
    if (!cJSON_IsString(prompt))
        return lfm_fail(error, LFM_ERROR_FORMAT, "%s: neither 'key' (a number) nor 'prompt' (a string)", name);
    *out = lfm_ifeval_by_prompt(data, prompt->valuestring);
    return *out ? LFM_OK : lfm_fail(error, LFM_ERROR_MISMATCH, "%s: the data set has no such prompt", name);
}

static enum lfm_status take_response(void *context, cJSON *row, const char *name, struct lfm_error *error)
{
    struct responses *responses = context;
    struct response response = {.row = row};
    LFM_TRY(find_item(responses->data, row, name, &response.item, error));
    LFM_TRY(lfm_json_require_string(row, "response", name, &response.text, error));
    response.answered = (struct lfm_answered){response.item, lfm_line_of(name)};
    LFM_TRY(LFM_GROW(&responses->items, &responses->capacity, responses->count + 1, error));
    responses->items[responses->count++] = response;
    return LFM_OK;
}

static enum lfm_status score_all(struct responses *responses, const char *path, struct lfm_error *error)
{
#pragma omp parallel for schedule(dynamic, 4)
    for (size_t i = 0; i < responses->count; i++) {
        struct response *response = &responses->items[i];
        response->status = lfm_ifeval_score(response->item, response->text, &response->verdict, &response->error);
    }
    for (size_t i = 0; i < responses->count; i++)
        if (responses->items[i].status != LFM_OK) {
            *error = responses->items[i].error;
            return lfm_fail_in(error, "%s:%zu", path, responses->items[i].answered.line);
        }
    return LFM_OK;
}

/* --- what comes out --- */

static cJSON *verdict_list(const bool *verdicts, size_t n)
{
    cJSON *list = cJSON_CreateArray();
    for (size_t i = 0; i < n; i++) cJSON_AddItemToArray(list, cJSON_CreateBool(verdicts[i]));
    return list;
}

static enum lfm_status write_verdicts(const struct responses *responses, const char *path, struct lfm_error *error)
{
    struct lfm_output output;
    LFM_TRY(lfm_output_open(&output, path, error));
    enum lfm_status status = LFM_OK;
    for (size_t i = 0; i < responses->count && status == LFM_OK; i++) {
        const struct response *response = &responses->items[i];
        cJSON *line = cJSON_CreateObject();
        cJSON_AddNumberToObject(line, "line", (double)response->answered.line);
        cJSON_AddNumberToObject(line, "key", (double)response->item->key);
        cJSON_AddItemToObject(line, "strict", verdict_list(response->verdict.strict, response->item->n));
        cJSON_AddItemToObject(line, "loose", verdict_list(response->verdict.loose, response->item->n));
        status = lfm_write_verdict(&output, line, error);
    }
    if (status == LFM_OK) return lfm_output_commit(&output, error);
    lfm_output_abandon(&output);
    return status;
}

static double share(struct lfm_ifeval_rate rate)
{
    return rate.n ? (double)rate.right / (double)rate.n : NAN;
}

static void print_rate(const char *name, struct lfm_ifeval_rate rate)
{
    lfm_print_rate(name, rate.right, rate.n);
}

static void print_tiers(const struct lfm_ifeval_tier *tiers, size_t n)
{
    for (size_t i = 0; i < n; i++)
        printf("%-45.*s %5zu %8.2f %8.2f\n", tiers[i].name_length, tiers[i].name, tiers[i].strict.n,
               100 * share(tiers[i].strict), 100 * share(tiers[i].loose));
}

static void report(const struct lfm_ifeval_summary *summary, size_t n_responses, cJSON *document)
{
    if (document) {
        cJSON_AddStringToObject(document, "suite", "ifeval");
        cJSON_AddNumberToObject(document, "responses", (double)n_responses);
        lfm_ifeval_add_figures(document, summary);
        return;
    }
    printf("IFEval, %zu responses (95 %% Wilson intervals)\n", n_responses);
    print_rate("prompt, strict", summary->prompt_strict);
    print_rate("instruction, strict", summary->instruction_strict);
    print_rate("prompt, loose", summary->prompt_loose);
    print_rate("instruction, loose", summary->instruction_loose);
    printf("\n%-45s %5s %8s %8s\n", "instructions", "n", "strict", "loose");
    print_tiers(summary->tier0, summary->n_tier0);
    printf("\n");
    print_tiers(summary->tier1, summary->n_tier1);
}

enum lfm_status lfm_score_ifeval(const struct lfm_score_options *options, cJSON *document, struct lfm_error *error)
{
    struct lfm_ifeval_data data;
    struct responses responses = {.data = &data};
    struct lfm_ifeval_summary summary = {0};
    LFM_TRY(lfm_ifeval_open(&data, options->data, error));
    enum lfm_status status = lfm_each_json_line(options->responses, take_response, &responses, error);
    if (status == LFM_OK && responses.count == 0)
        status = lfm_fail(error, LFM_ERROR_FORMAT, "%s: there are no responses", options->responses);
    if (status == LFM_OK && !options->many)
        status = lfm_refuse_duplicates(responses.items, responses.count, sizeof *responses.items, options->responses, error);
    if (status == LFM_OK) status = score_all(&responses, options->responses, error);
    if (status == LFM_OK && options->verdicts) status = write_verdicts(&responses, options->verdicts, error);
    for (size_t i = 0; i < responses.count && status == LFM_OK; i++)
        lfm_ifeval_add(&summary, responses.items[i].item, &responses.items[i].verdict);
    if (status == LFM_OK) report(&summary, responses.count, document);
    for (size_t i = 0; i < responses.count; i++) cJSON_Delete(responses.items[i].row);
    free(responses.items);
    lfm_ifeval_close(&data);
    return status;
}
