/* BFCL's data and verdicts: see bfcl.h. */
#include "eval/bfcl/bfcl.h"

#include "eval/bfcl/ast_checker.h"
#include "reference/base/file.h"
#include "reference/base/memory.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistr.h>

static const struct category {
    const char *name, *old_name; /* in versions 4 and 3 */
    enum lfm_bfcl_matching matching;
    bool other_language, has_answers;
} categories[LFM_BFCL_CATEGORIES] = {
    [LFM_BFCL_SIMPLE_PYTHON] = {"simple_python", "simple", LFM_BFCL_SIMPLE, false, true},
    [LFM_BFCL_SIMPLE_JAVA] = {"simple_java", "java", LFM_BFCL_SIMPLE, true, true},
    [LFM_BFCL_SIMPLE_JAVASCRIPT] = {"simple_javascript", "javascript", LFM_BFCL_SIMPLE, true, true},
    [LFM_BFCL_MULTIPLE_CHOICE] = {"multiple", "multiple", LFM_BFCL_MULTIPLE, false, true},
    [LFM_BFCL_PARALLEL_CALLS] = {"parallel", "parallel", LFM_BFCL_PARALLEL, false, true},
    [LFM_BFCL_PARALLEL_MULTIPLE] = {"parallel_multiple", "parallel_multiple", LFM_BFCL_PARALLEL, false, true},
    [LFM_BFCL_IRRELEVANCE] = {"irrelevance", "irrelevance", LFM_BFCL_SIMPLE, false, false},
    [LFM_BFCL_LIVE_SIMPLE] = {"live_simple", "live_simple", LFM_BFCL_SIMPLE, false, true},
    [LFM_BFCL_LIVE_MULTIPLE] = {"live_multiple", "live_multiple", LFM_BFCL_MULTIPLE, false, true},
    [LFM_BFCL_LIVE_PARALLEL] = {"live_parallel", "live_parallel", LFM_BFCL_PARALLEL, false, true},
    [LFM_BFCL_LIVE_PARALLEL_MULTIPLE] =
        {"live_parallel_multiple", "live_parallel_multiple", LFM_BFCL_PARALLEL, false, true},
    [LFM_BFCL_LIVE_IRRELEVANCE] = {"live_irrelevance", "live_irrelevance", LFM_BFCL_SIMPLE, false, false},
    [LFM_BFCL_LIVE_RELEVANCE] = {"live_relevance", "live_relevance", LFM_BFCL_SIMPLE, false, false},
};

const char *lfm_bfcl_category_name(enum lfm_bfcl_category category)
{
    return categories[category].name;
}

bool lfm_bfcl_category_find(const char *name, enum lfm_bfcl_category *out)
{
    for (size_t i = 0; i < LFM_BFCL_CATEGORIES; i++)
        if (strcmp(name, categories[i].name) == 0 || strcmp(name, categories[i].old_name) == 0) {
            *out = (enum lfm_bfcl_category)i;
            return true;
        }
    return false;
}

bool lfm_bfcl_category_is_scored(enum lfm_bfcl_category category)
{
    return !categories[category].other_language;
}

/* --- reading --- */

struct reading {
    struct lfm_bfcl_data *data;
    enum lfm_bfcl_category category;
    size_t first; /* the category's first item */
    size_t next;  /* where the answer to read is looked for first */
    struct lfm_error *error;
};

typedef enum lfm_status (*taker)(struct reading *r, const struct lfm_py_value *row, const char *place);

static enum lfm_status take_line(struct reading *r, struct lfm_span line, const char *place, taker take)
{
    struct lfm_py_value *row;
    if (lfm_py_is_blank(line)) return LFM_OK;
    if (u8_check((const uint8_t *)line.at, line.length))
        return lfm_fail(r->error, LFM_ERROR_FORMAT, "%s: not valid UTF-8", place);
    LFM_TRY(lfm_py_json_value(&r->data->arena, &row, line, place, r->error));
    if (row->type != LFM_PY_DICT) return lfm_fail(r->error, LFM_ERROR_FORMAT, "%s: expected a JSON object", place);
    return take(r, row, place);
}

/* Like lfm_each_json_line, but with values that keep int and float apart. */
static enum lfm_status each_line(struct reading *r, const char *path, taker take)
{
    struct lfm_buffer text = {0};
    char place[512];
    enum lfm_status status = lfm_read_file(&text, path, r->error);
    size_t start = 0;
    for (size_t number = 1; status == LFM_OK && start < text.length; number++) {
        const char *line = text.data + start, *end = memchr(line, '\n', text.length - start);
        size_t length = end ? (size_t)(end - line) : text.length - start;
        snprintf(place, sizeof place, "%s:%zu", path, number);
        status = take_line(r, (struct lfm_span){line, length}, place, take);
        start += length + 1;
    }
    lfm_buffer_release(&text);
    return status;
}

static enum lfm_status require(const struct lfm_py_value **out, const struct lfm_py_value *row, const char *key,
                               enum lfm_py_type type, const char *place, struct lfm_error *error)
{
    *out = lfm_py_get_named(row, key);
    if (!*out) return lfm_fail(error, LFM_ERROR_FORMAT, "%s: '%s' is missing", place, key);
    if ((*out)->type == type) return LFM_OK;
    return lfm_fail(error, LFM_ERROR_FORMAT, "%s: '%s' must be a %s", place, key,
                    type == LFM_PY_LIST ? "list" : "string");
}

static enum lfm_status take_question(struct reading *r, const struct lfm_py_value *row, const char *place)
{
    struct lfm_bfcl_data *data = r->data;
    const struct lfm_py_value *id;
    struct lfm_bfcl_item item = {.category = r->category};
    LFM_TRY(require(&id, row, "id", LFM_PY_STR, place, r->error));
    LFM_TRY(require(&item.question, row, "question", LFM_PY_LIST, place, r->error));
    LFM_TRY(require(&item.functions, row, "function", LFM_PY_LIST, place, r->error));
    item.id = id->text.at; /* lfm_arena_copy leaves a zero behind it */
    LFM_TRY(LFM_GROW(&data->items, &data->capacity, data->count + 1, r->error));
    data->items[data->count++] = item;
    return LFM_OK;
}

static enum lfm_status take_answer(struct reading *r, const struct lfm_py_value *row, const char *place)
{
    struct lfm_bfcl_data *data = r->data;
    const struct lfm_py_value *id;
    size_t n = data->count - r->first;
    LFM_TRY(require(&id, row, "id", LFM_PY_STR, place, r->error));
    for (size_t i = 0; i < n; i++) {
        struct lfm_bfcl_item *item = &data->items[r->first + (r->next + i) % n];
        if (strcmp(item->id, id->text.at) != 0) continue;
        r->next = (r->next + i + 1) % n;
        if (item->ground_truth)
            return lfm_fail(r->error, LFM_ERROR_FORMAT, "%s: a second answer to '%s'", place, item->id);
        return require(&item->ground_truth, row, "ground_truth", LFM_PY_LIST, place, r->error);
    }
    return lfm_fail(r->error, LFM_ERROR_FORMAT, "%s: an answer to '%.80s', which is no question", place, id->text.at);
}

static enum lfm_status read_files(struct reading *r, const char *questions, const char *answers)
{
    const struct lfm_bfcl_data *data = r->data;
    r->first = data->count;
    r->next = 0;
    LFM_TRY(each_line(r, questions, take_question));
    if (!categories[r->category].has_answers) return LFM_OK;
    LFM_TRY(each_line(r, answers, take_answer));
    for (size_t i = r->first; i < data->count; i++)
        if (!data->items[i].ground_truth)
            return lfm_fail(r->error, LFM_ERROR_FORMAT, "%s: no answer to '%s'", answers, data->items[i].id);
    return LFM_OK;
}

static enum lfm_status read_category(struct reading *r, const char *directory)
{
    char name[64], *questions = NULL, *answers = NULL, *folder = NULL;
    enum lfm_status status = LFM_OK;
    for (int version = 4; version >= 3; version--) {
        const struct category *category = &categories[r->category];
        snprintf(name, sizeof name, "BFCL_v%d_%s.json", version, version == 4 ? category->name : category->old_name);
        free(questions);
        questions = NULL;
        LFM_TRY_DONE(lfm_join_path(&questions, directory, name, r->error));
        if (!lfm_file_exists(questions)) continue;
        LFM_TRY_DONE(lfm_join_path(&folder, directory, "possible_answer", r->error));
        LFM_TRY_DONE(lfm_join_path(&answers, folder, name, r->error));
        status = read_files(r, questions, answers);
        break;
    }
done:
    free(questions);
    free(answers);
    free(folder);
    return status;
}

static int compare_ids(const void *a, const void *b)
{
    return strcmp((*(struct lfm_bfcl_item *const *)a)->id, (*(struct lfm_bfcl_item *const *)b)->id);
}

static enum lfm_status index_items(struct lfm_bfcl_data *data, const char *directory, struct lfm_error *error)
{
    LFM_TRY(LFM_ALLOC(&data->by_id, data->count, error));
    for (size_t i = 0; i < data->count; i++) data->by_id[i] = &data->items[i];
    qsort(data->by_id, data->count, sizeof *data->by_id, compare_ids);
    for (size_t i = 1; i < data->count; i++)
        if (compare_ids(&data->by_id[i - 1], &data->by_id[i]) == 0)
            return lfm_fail(error, LFM_ERROR_FORMAT, "%s: the id '%.80s' appears twice", directory, data->by_id[i]->id);
    return LFM_OK;
}

enum lfm_status lfm_bfcl_open(struct lfm_bfcl_data *data, const char *directory, struct lfm_error *error)
{
    struct reading r = {.data = data, .error = error};
    enum lfm_status status = LFM_OK;
    *data = (struct lfm_bfcl_data){0};
    for (size_t i = 0; status == LFM_OK && i < LFM_BFCL_CATEGORIES; i++) {
        r.category = (enum lfm_bfcl_category)i;
        status = read_category(&r, directory);
    }
    if (status == LFM_OK && data->count == 0)
        status = lfm_fail(error, LFM_ERROR_IO,
                          "no BFCL questions in '%s': expected files like BFCL_v4_simple_python.json", directory);
    if (status == LFM_OK) status = index_items(data, directory, error);
    if (status != LFM_OK) lfm_bfcl_close(data);
    return status;
}

void lfm_bfcl_close(struct lfm_bfcl_data *data)
{
    free(data->items);
    free(data->by_id);
    lfm_arena_release(&data->arena);
    *data = (struct lfm_bfcl_data){0};
}

const struct lfm_bfcl_item *lfm_bfcl_find(const struct lfm_bfcl_data *data, const char *id)
{
    size_t low = 0, high = data->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = strcmp(id, data->by_id[middle]->id);
        if (order == 0) return data->by_id[middle];
        if (order < 0)
            high = middle;
        else
            low = middle + 1;
    }
    return NULL;
}

/* --- verdicts --- */

/* is_empty_output, turned round: some call was made. */
static bool has_call(const struct lfm_py_value *calls)
{
    return calls && lfm_bfcl_is_call_list(calls) && calls->count > 0;
}

static void score_relevance(struct lfm_bfcl_verdict *verdict, enum lfm_bfcl_category category, bool called)
{
    bool wanted = category == LFM_BFCL_LIVE_RELEVANCE;
    verdict->valid = called == wanted;
    if (!verdict->valid)
        verdict->error_type = wanted ? "relevance_error:decoder_failed" : "irrelevance_error:decoder_success";
}

enum lfm_status lfm_bfcl_score_calls(struct lfm_bfcl_verdict *verdict, const struct lfm_bfcl_item *item,
                                     bool underscore_to_dot, const struct lfm_py_value *calls, struct lfm_error *error)
{
    const struct category *category = &categories[item->category];
    const struct lfm_bfcl_question question = {item->functions, item->ground_truth, category->matching,
                                               underscore_to_dot};
    *verdict = (struct lfm_bfcl_verdict){.scored = !category->other_language};
    if (!verdict->scored) return LFM_OK;
    if (!category->has_answers) {
        score_relevance(verdict, item->category, has_call(calls));
        return LFM_OK;
    }
    if (lfm_bfcl_check(&verdict->error_type, &question, calls, error) != LFM_OK)
        return lfm_fail_in(error, "%s", item->id);
    verdict->valid = verdict->error_type == NULL;
    return LFM_OK;
}

/* The verdict on what could not be decoded, for this reason. */
static void score_undecoded(struct lfm_bfcl_verdict *verdict, enum lfm_bfcl_category category, const char *reason)
{
    *verdict = (struct lfm_bfcl_verdict){.scored = true};
    if (categories[category].has_answers)
        verdict->error_type = "ast_decoder:decoder_failed";
    else
        score_relevance(verdict, category, false);
    snprintf(verdict->detail, sizeof verdict->detail, "%.*s", (int)sizeof verdict->detail - 1, reason);
}

enum lfm_status lfm_bfcl_score(struct lfm_bfcl_verdict *verdict, const struct lfm_bfcl_item *item,
                               enum lfm_call_mode mode, struct lfm_span response, struct lfm_error *error)
{
    struct lfm_arena arena = {0};
    struct lfm_py_value *calls;
    struct lfm_error undecoded = {0};
    *verdict = (struct lfm_bfcl_verdict){0};
    if (!lfm_bfcl_category_is_scored(item->category)) return LFM_OK;
    enum lfm_status status = lfm_decode_calls(&arena, &calls, mode, response, &undecoded);
    if (status == LFM_OK) {
        status = lfm_bfcl_score_calls(verdict, item, mode != LFM_CALLS_PROMPT, calls, error);
    } else if (status == LFM_ERROR_FORMAT) {
        score_undecoded(verdict, item->category, undecoded.message);
        status = LFM_OK;
    } else if (error) {
        *error = undecoded;
    }
    lfm_arena_release(&arena);
    return status;
}
