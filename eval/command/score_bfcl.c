/* score bfcl: see score.h. */
#include "eval/bfcl/bfcl.h"
#include "eval/command/score.h"
#include "eval/harness/runner.h"
#include "eval/text/json_lines.h"
#include "reference/base/memory.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct response {
    struct lfm_answered answered;
    const struct lfm_bfcl_item *item;
    enum lfm_call_mode mode;
    char *text; /* owned */
    struct lfm_bfcl_verdict verdict;
};

struct responses {
    const struct lfm_bfcl_data *data;
    struct response *items;
    size_t count, capacity;
};

/* The result is the model's text; structured calls of a server may stand there as JSON. */
static enum lfm_status read_result(const cJSON *row, const char *name, char **out, struct lfm_error *error)
{
    const cJSON *result = cJSON_GetObjectItemCaseSensitive(row, "result");
    if (!result) return lfm_fail(error, LFM_ERROR_FORMAT, "%s: 'result' is missing", name);
    if (cJSON_IsString(result)) return lfm_copy_string(out, result->valuestring, strlen(result->valuestring), error);
    char *text = cJSON_PrintUnformatted(result);
    if (!text) return lfm_fail(error, LFM_ERROR_MEMORY, "%s: out of memory", name);
    enum lfm_status status = lfm_copy_string(out, text, strlen(text), error);
    cJSON_free(text);
    return status;
}

static enum lfm_status take_response(void *context, cJSON *row, const char *name, struct lfm_error *error)
{
    struct responses *responses = context;
    struct response response = {0};
    const char *id, *mode;
    LFM_TRY(lfm_json_require_string(row, "id", name, &id, error));
    LFM_TRY(lfm_json_require_string(row, "mode", name, &mode, error));
    response.item = lfm_bfcl_find(responses->data, id);
    if (!response.item) return lfm_fail(error, LFM_ERROR_MISMATCH, "%s: the data set has no id '%s'", name, id);
    response.answered = (struct lfm_answered){response.item, lfm_line_of(name)};
    if (!lfm_call_mode_find(mode, &response.mode))
        return lfm_fail(error, LFM_ERROR_FORMAT, "%s: 'mode' is '%s', expected lfm2, prompt or openai", name, mode);
    LFM_TRY(LFM_GROW(&responses->items, &responses->capacity, responses->count + 1, error));
    LFM_TRY(read_result(row, name, &response.text, error));
    responses->items[responses->count++] = response;
    cJSON_Delete(row);
    return LFM_OK;
}

static enum lfm_status score_all(struct responses *responses, const char *path, struct lfm_error *error)
{
    for (size_t i = 0; i < responses->count; i++) {
        struct response *response = &responses->items[i];
        const struct lfm_span text = {response->text, strlen(response->text)};
        if (lfm_bfcl_score(&response->verdict, response->item, response->mode, text, error) != LFM_OK)
            return lfm_fail_in(error, "%s:%zu", path, response->answered.line);
    }
    return LFM_OK;
}

static enum lfm_status write_verdicts(const struct responses *responses, const char *path, struct lfm_error *error)
{
    struct lfm_output output;
    LFM_TRY(lfm_output_open(&output, path, error));
    enum lfm_status status = LFM_OK;
    for (size_t i = 0; i < responses->count && status == LFM_OK; i++) {
        const struct response *response = &responses->items[i];
        const struct lfm_bfcl_verdict *verdict = &response->verdict;
        cJSON *line = cJSON_CreateObject();
        cJSON_AddNumberToObject(line, "line", (double)response->answered.line);
        cJSON_AddStringToObject(line, "id", response->item->id);
        cJSON_AddItemToObject(line, "valid", verdict->scored ? cJSON_CreateBool(verdict->valid) : cJSON_CreateNull());
        cJSON_AddItemToObject(line, "error_type", verdict->scored && verdict->error_type
                                                      ? cJSON_CreateString(verdict->error_type)
                                                      : cJSON_CreateNull());
        status = lfm_write_verdict(&output, line, error);
    }
    if (status == LFM_OK) return lfm_output_commit(&output, error);
    lfm_output_abandon(&output);
    return status;
}

static void report(const struct responses *responses, cJSON *document)
{
    size_t right[LFM_BFCL_CATEGORIES] = {0}, n[LFM_BFCL_CATEGORIES] = {0}, unscored = 0;
    for (size_t i = 0; i < responses->count; i++) {
        const struct response *response = &responses->items[i];
        unscored += !response->verdict.scored;
        if (!response->verdict.scored) continue;
        n[response->item->category]++;
        right[response->item->category] += response->verdict.valid;
    }
    cJSON *categories = NULL;
    if (document) {
        cJSON_AddStringToObject(document, "suite", "bfcl");
        cJSON_AddNumberToObject(document, "responses", (double)responses->count);
        cJSON_AddNumberToObject(document, "unscored", (double)unscored);
        categories = cJSON_AddObjectToObject(document, "categories");
    } else {
        printf("BFCL, %zu responses (95 %% Wilson intervals)\n", responses->count);
    }
    for (int c = 0; c < LFM_BFCL_CATEGORIES; c++) {
        const char *name = lfm_bfcl_category_name((enum lfm_bfcl_category)c);
        if (n[c] == 0) continue;
        if (document)
            lfm_add_rate(categories, name, right[c], n[c]);
        else
            lfm_print_rate(name, right[c], n[c]);
    }
    if (!document && unscored) printf("not scored (Java, JavaScript): %zu\n", unscored);
}

enum lfm_status lfm_score_bfcl(const struct lfm_score_options *options, cJSON *document, struct lfm_error *error)
{
    struct lfm_bfcl_data data;
    struct responses responses = {.data = &data};
    LFM_TRY(lfm_bfcl_open(&data, options->data, error));
    enum lfm_status status = lfm_each_json_line(options->responses, take_response, &responses, error);
    if (status == LFM_OK && responses.count == 0)
        status = lfm_fail(error, LFM_ERROR_FORMAT, "%s: there are no responses", options->responses);
    if (status == LFM_OK && !options->many)
        status = lfm_refuse_duplicates(responses.items, responses.count, sizeof *responses.items, options->responses, error);
    if (status == LFM_OK) status = score_all(&responses, options->responses, error);
    if (status == LFM_OK && options->verdicts) status = write_verdicts(&responses, options->verdicts, error);
    if (status == LFM_OK) report(&responses, document);
    for (size_t i = 0; i < responses.count; i++) free(responses.items[i].text);
    free(responses.items);
    lfm_bfcl_close(&data);
    return status;
}
