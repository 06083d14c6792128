/* BFCL as a suite: see suite.h. */
#include "eval/bfcl/suite.h"

#include "eval/bfcl/bfcl.h"
#include "eval/bfcl/figures.h"
#include "eval/bfcl/prompt.h"
#include "eval/harness/runner.h"
#include "reference/base/memory.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct bfcl {
    struct lfm_bfcl_data data;
    const struct lfm_bfcl_item **items; /* [count]: those that are scored */
    size_t count;
    enum lfm_bfcl_form form;
    cJSON *left_out; /* names of the other categories */
};

struct dialogue {
    const struct lfm_bfcl_item *item;
    cJSON *messages, *tools; /* owned */
    struct lfm_bfcl_verdict verdict;
};

/* --- opening --- */

static void close_suite(void *suite)
{
    struct bfcl *bfcl = suite;
    lfm_bfcl_close(&bfcl->data);
    free(bfcl->items);
    cJSON_Delete(bfcl->left_out);
    free(bfcl);
}

/* Questions that cannot be asked fail here, not in the middle of a run. */
static enum lfm_status check_item(const struct bfcl *bfcl, const struct lfm_bfcl_item *item, struct lfm_error *error)
{
    cJSON *messages = NULL, *tools = NULL;
    enum lfm_status status = lfm_bfcl_messages(&messages, item, bfcl->form, error);
    if (status == LFM_OK) status = lfm_bfcl_tools(&tools, item, bfcl->form, error);
    cJSON_Delete(messages);
    cJSON_Delete(tools);
    return status;
}

static enum lfm_status choose_items(struct bfcl *bfcl, struct lfm_error *error)
{
    LFM_TRY(LFM_ALLOC(&bfcl->items, bfcl->data.count, error));
    for (size_t i = 0; i < bfcl->data.count; i++) {
        const struct lfm_bfcl_item *item = &bfcl->data.items[i];
        if (!lfm_bfcl_category_is_scored(item->category)) continue;
        LFM_TRY(check_item(bfcl, item, error));
        bfcl->items[bfcl->count++] = item;
    }
    return LFM_OK;
}

/* BFCL_v4_<category>.json or BFCL_v3_...: the category, at the start of `name`; false for other files. */
static bool category_of_file(const char *file, char *name, size_t size)
{
    size_t length = strlen(file);
    if (strncmp(file, "BFCL_v", 6) != 0 || (file[6] != '3' && file[6] != '4') || file[7] != '_') return false;
    if (length < 14 || length - 13 >= size || strcmp(file + length - 5, ".json") != 0) return false;
    memcpy(name, file + 8, length - 13);
    name[length - 13] = '\0';
    return true;
}

static int is_left_out(const struct dirent *entry)
{
    char name[64];
    enum lfm_bfcl_category category;
    return category_of_file(entry->d_name, name, sizeof name) &&
           !(lfm_bfcl_category_find(name, &category) && lfm_bfcl_category_is_scored(category));
}

static enum lfm_status name_left_out(struct bfcl *bfcl, const char *directory, struct lfm_error *error)
{
    struct dirent **files;
    int n = scandir(directory, &files, is_left_out, alphasort);
    if (n < 0) return lfm_fail(error, LFM_ERROR_IO, "cannot read '%s': %s", directory, strerror(errno));
    bfcl->left_out = cJSON_CreateArray();
    for (int i = 0; i < n; i++) {
        char name[64];
        category_of_file(files[i]->d_name, name, sizeof name);
        cJSON_AddItemToArray(bfcl->left_out, cJSON_CreateString(name));
        free(files[i]);
    }
    free(files);
    return LFM_OK;
}

static enum lfm_status open_suite(void **suite, const char *directory, struct lfm_error *error)
{
    struct bfcl *bfcl;
    LFM_TRY(LFM_ALLOC(&bfcl, 1, error));
    enum lfm_status status = lfm_bfcl_open(&bfcl->data, directory, error);
    if (status == LFM_OK) status = lfm_bfcl_form_of(&bfcl->form, directory, error);
    if (status == LFM_OK) status = choose_items(bfcl, error);
    if (status == LFM_OK) status = name_left_out(bfcl, directory, error);
    if (status == LFM_OK && bfcl->count == 0)
        status = lfm_fail(error, LFM_ERROR_FORMAT, "%s: no question on Python functions", directory);
    if (status == LFM_OK)
        *suite = bfcl;
    else
        close_suite(bfcl);
    return status;
}

static size_t count(const void *suite)
{
    return ((const struct bfcl *)suite)->count;
}

static const char *id(const void *suite, size_t item)
{
    return ((const struct bfcl *)suite)->items[item]->id;
}

/* --- one question --- */

static void finish(void *context)
{
    struct dialogue *dialogue = context;
    cJSON_Delete(dialogue->messages);
    cJSON_Delete(dialogue->tools);
    free(dialogue);
}

static enum lfm_status start(void **out, const void *suite, size_t item, struct lfm_error *error)
{
    const struct bfcl *bfcl = suite;
    struct dialogue *dialogue;
    LFM_TRY(LFM_ALLOC(&dialogue, 1, error));
    dialogue->item = bfcl->items[item];
    enum lfm_status status = lfm_bfcl_messages(&dialogue->messages, dialogue->item, bfcl->form, error);
    if (status == LFM_OK) status = lfm_bfcl_tools(&dialogue->tools, dialogue->item, bfcl->form, error);
    if (status == LFM_OK)
        *out = dialogue;
    else
        finish(dialogue);
    return status;
}

/* Silence is right where no call is wanted, but not when it is the backend's or the context's. */
static bool is_answer(const struct lfm_reply *reply)
{
    return reply->finish != LFM_FINISH_ERROR && !(reply->finish == LFM_FINISH_CONTEXT && reply->text[0] == '\0');
}

static enum lfm_status next(void *context, const struct lfm_reply *reply, struct lfm_request *request, bool *done,
                            struct lfm_error *error)
{
    struct dialogue *dialogue = context;
    if (!reply) {
        request->messages = dialogue->messages;
        request->tools = dialogue->tools;
        return LFM_OK;
    }
    *done = true;
    if (is_answer(reply))
        return lfm_bfcl_score(&dialogue->verdict, dialogue->item, LFM_CALLS_LFM2, lfm_span_of(reply->text), error);
    dialogue->verdict = (struct lfm_bfcl_verdict){.scored = true, .error_type = "no_answer"};
    return LFM_OK;
}

static enum lfm_status verdict(const void *context, cJSON *out, struct lfm_error *error)
{
    const struct dialogue *dialogue = context;
    const char *error_type = dialogue->verdict.error_type;
    (void)error;
    cJSON_AddBoolToObject(out, "correct", dialogue->verdict.valid);
    cJSON_AddStringToObject(out, "category", lfm_bfcl_category_name(dialogue->item->category));
    cJSON_AddItemToObject(out, "error_type", error_type ? cJSON_CreateString(error_type) : cJSON_CreateNull());
    return LFM_OK;
}

/* --- figures --- */

/* The categories' rates; several samples of one question are a cluster. */
struct rates {
    struct lfm_bfcl_summary summary;
    struct lfm_clusters clusters[LFM_BFCL_CATEGORIES];
    const struct lfm_bfcl_item *item; /* whose samples are being counted */
    size_t right, n;
};

static void end_item(struct rates *rates)
{
    if (rates->item) lfm_clusters_add(&rates->clusters[rates->item->category], rates->right, rates->n);
    rates->right = rates->n = 0;
}

static void add_sample(struct rates *rates, const struct lfm_bfcl_item *item, bool right)
{
    if (item != rates->item) end_item(rates);
    rates->item = item;
    rates->right += right;
    rates->n++;
    lfm_bfcl_add(&rates->summary, item->category, right);
}

static void add_errors(cJSON *out, const struct rates *rates)
{
    for (int c = 0; c < LFM_BFCL_CATEGORIES; c++)
        lfm_add_clusters(cJSON_GetObjectItemCaseSensitive(out, lfm_bfcl_category_name((enum lfm_bfcl_category)c)),
                         &rates->clusters[c]);
}

static enum lfm_status summarise(const void *suite, cJSON *const *samples, size_t n, cJSON *out, struct lfm_error *error)
{
    const struct bfcl *bfcl = suite;
    struct rates rates = {0};
    for (size_t i = 0; i < n; i++) {
        const char *name = cJSON_GetObjectItemCaseSensitive(samples[i], "id")->valuestring;
        const struct lfm_bfcl_item *item = lfm_bfcl_find(&bfcl->data, name);
        if (!item) return lfm_fail(error, LFM_ERROR_FORMAT, "samples.jsonl: the data set has no id '%.80s'", name);
        add_sample(&rates, item, lfm_sample_correct(samples[i]));
    }
    end_item(&rates);
    lfm_bfcl_add_figures(out, &rates.summary);
    add_errors(out, &rates);
    cJSON_AddItemToObject(out, "left_out", cJSON_Duplicate(bfcl->left_out, true));
    cJSON_AddStringToObject(out, "form", lfm_bfcl_form_name(bfcl->form));
    return LFM_OK;
}

const struct lfm_suite lfm_bfcl_suite = {
    .name = "bfcl",
    .summary = "function calls (BFCL, single turn, Python); --data is a directory of its files",
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
