/* score bfcl: see score.h. */
#include "eval/bfcl/bfcl.h"
#include "eval/bfcl/figures.h"
#include "eval/bfcl/suite.h"
#include "eval/command/score.h"
#include "reference/base/memory.h"

#include <stdio.h>
#include <stdlib.h>

static enum lfm_status open_data(void **data, const char *path, struct lfm_error *error)
{
    struct lfm_bfcl_data *opened;
    LFM_TRY(LFM_ALLOC(&opened, 1, error));
    enum lfm_status status = lfm_bfcl_open(opened, path, error);
    if (status == LFM_OK)
        *data = opened;
    else
        free(opened);
    return status;
}

static void close_data(void *data)
{
    lfm_bfcl_close(data);
    free(data);
}

static enum lfm_status find(const void *data, const cJSON *row, const char *name, const void **item,
                            struct lfm_error *error)
{
    enum lfm_call_mode known;
    const char *id, *mode;
    LFM_TRY(lfm_json_require_string(row, "id", name, &id, error));
    LFM_TRY(lfm_json_require_string(row, "mode", name, &mode, error));
    *item = lfm_bfcl_find(data, id);
    if (!*item) return lfm_fail(error, LFM_ERROR_MISMATCH, "%s: the data set has no id '%.80s'", name, id);
    if (!lfm_call_mode_find(mode, &known))
        return lfm_fail(error, LFM_ERROR_FORMAT, "%s: 'mode' is '%.40s', expected lfm2, prompt or openai", name, mode);
    if (cJSON_GetObjectItemCaseSensitive(row, "result")) return LFM_OK;
    return lfm_fail(error, LFM_ERROR_FORMAT, "%s: 'result' is missing", name);
}

/* The result is the model's text; structured calls of a server may stand there as JSON. */
static enum lfm_status score(const struct lfm_response *response, struct lfm_error *error)
{
    enum lfm_call_mode mode = LFM_CALLS_LFM2;
    const cJSON *result = cJSON_GetObjectItemCaseSensitive(response->row, "result");
    char *printed = cJSON_IsString(result) ? NULL : cJSON_PrintUnformatted(result);
    const char *text = printed ? printed : cJSON_GetStringValue(result);
    lfm_call_mode_find(cJSON_GetObjectItemCaseSensitive(response->row, "mode")->valuestring, &mode);
    enum lfm_status status = text ? lfm_bfcl_score(response->verdict, response->item, mode, lfm_span_of(text), error)
                                  : lfm_fail(error, LFM_ERROR_MEMORY, "out of memory");
    cJSON_free(printed);
    return status;
}

static void describe(const struct lfm_response *response, cJSON *line)
{
    const struct lfm_bfcl_item *item = response->item;
    const struct lfm_bfcl_verdict *verdict = response->verdict;
    const char *error_type = verdict->scored ? verdict->error_type : NULL;
    cJSON_AddStringToObject(line, "id", item->id);
    cJSON_AddItemToObject(line, "valid", verdict->scored ? cJSON_CreateBool(verdict->valid) : cJSON_CreateNull());
    cJSON_AddItemToObject(line, "error_type", error_type ? cJSON_CreateString(error_type) : cJSON_CreateNull());
}

static void print_figures(const struct lfm_bfcl_summary *summary)
{
    for (int c = 0; c < LFM_BFCL_CATEGORIES; c++)
        if (summary->n[c] > 0)
            lfm_print_rate(lfm_bfcl_category_name((enum lfm_bfcl_category)c), summary->right[c], summary->n[c]);
    for (int g = 0; g < LFM_BFCL_GROUPS; g++) {
        double average;
        if (lfm_bfcl_group_average(&average, summary, (enum lfm_bfcl_group)g))
            printf("%-24s %7.2f %%  average\n", lfm_bfcl_group_name((enum lfm_bfcl_group)g), 100 * average);
    }
}

static void report(const struct lfm_response *responses, size_t n, cJSON *document)
{
    struct lfm_bfcl_summary summary = {0};
    size_t unscored = 0;
    for (size_t i = 0; i < n; i++) {
        const struct lfm_bfcl_item *item = responses[i].item;
        const struct lfm_bfcl_verdict *verdict = responses[i].verdict;
        unscored += !verdict->scored;
        if (verdict->scored) lfm_bfcl_add(&summary, item->category, verdict->valid);
    }
    if (document) {
        cJSON_AddNumberToObject(document, "unscored", (double)unscored);
        cJSON *categories = cJSON_AddObjectToObject(document, "categories");
        lfm_bfcl_add_figures(categories, &summary);
        cJSON_AddItemToObject(document, "groups", cJSON_DetachItemFromObject(categories, "groups"));
        return;
    }
    printf("BFCL, %zu response%s (95 %% Wilson intervals)\n", n, n == 1 ? "" : "s");
    print_figures(&summary);
    if (unscored) printf("not scored (Java, JavaScript): %zu\n", unscored);
}

const struct lfm_scorer lfm_bfcl_scorer = {
    .suite = &lfm_bfcl_suite,
    .verdict_size = sizeof(struct lfm_bfcl_verdict),
    .open = open_data,
    .close = close_data,
    .find = find,
    .score = score,
    .describe = describe,
    .report = report,
};
