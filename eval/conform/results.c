/* Results: see results.h. */
#include "eval/conform/results.h"

#include "eval/text/json_lines.h"
#include "reference/base/file.h"
#include "reference/base/memory.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- shapes --- */

static const cJSON *get(const cJSON *row, const char *key)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(row, key);
    return cJSON_IsNull(item) ? NULL : item;
}

/* An array of n numbers; null stands for what is not finite. Absent is fine. */
static enum lfm_status check_numbers(const cJSON *row, const char *key, size_t n, const char *place,
                                     struct lfm_error *error)
{
    const cJSON *list = get(row, key), *item;
    if (!list) return LFM_OK;
    if (!cJSON_IsArray(list)) return lfm_fail(error, LFM_ERROR_FORMAT, "%s: '%s' must be an array", place, key);
    if ((size_t)cJSON_GetArraySize(list) != n)
        return lfm_fail(error, LFM_ERROR_MISMATCH, "%s: '%s' has %d numbers, expected %zu", place, key,
                        cJSON_GetArraySize(list), n);
    cJSON_ArrayForEach(item, list)
        if (!cJSON_IsNumber(item) && !cJSON_IsNull(item))
            return lfm_fail(error, LFM_ERROR_FORMAT, "%s: '%s' must hold numbers (null for NaN)", place, key);
    return LFM_OK;
}

static enum lfm_status check_ids(const cJSON *row, const char *key, const char *place, struct lfm_error *error)
{
    struct lfm_tokens tokens = {0};
    if (!get(row, key)) return LFM_OK;
    enum lfm_status status = lfm_row_read_ids(&tokens, row, key, place, error);
    lfm_tokens_release(&tokens);
    return status;
}

/* Distinct experts. */
static enum lfm_status check_selected(const struct lfm_pack *pack, const cJSON *row, const char *place,
                                      struct lfm_error *error)
{
    bool seen[LFM_MAX_EXPERTS] = {false};
    const cJSON *item;
    LFM_TRY(check_ids(row, "selected", place, error));
    LFM_TRY(check_numbers(row, "selected", pack->n_chosen, place, error));
    cJSON_ArrayForEach(item, get(row, "selected"))
    {
        double id = item->valuedouble;
        if (id < 0 || id >= (double)pack->n_experts || seen[(size_t)id])
            return lfm_fail(error, LFM_ERROR_MISMATCH, "%s: 'selected' must hold distinct experts below %zu", place,
                            pack->n_experts);
        seen[(size_t)id] = true;
    }
    if (get(row, "weights") && !get(row, "selected"))
        return lfm_fail(error, LFM_ERROR_FORMAT, "%s: 'weights' without 'selected', whose order they have", place);
    return check_numbers(row, "weights", pack->n_chosen, place, error);
}

/* For each step pairs [id, logarithm]. */
static enum lfm_status check_top(const cJSON *row, const char *place, struct lfm_error *error)
{
    const cJSON *top = get(row, "top"), *step, *pair;
    if (!top) return LFM_OK;
    bool sound = cJSON_IsArray(top);
    cJSON_ArrayForEach(step, top)
    {
        sound = sound && cJSON_IsArray(step);
        cJSON_ArrayForEach(pair, step)
            sound = sound && cJSON_GetArraySize(pair) == 2 && cJSON_IsNumber(cJSON_GetArrayItem(pair, 0)) &&
                    (cJSON_IsNumber(cJSON_GetArrayItem(pair, 1)) || cJSON_IsNull(cJSON_GetArrayItem(pair, 1)));
    }
    if (sound) return LFM_OK;
    return lfm_fail(error, LFM_ERROR_FORMAT, "%s: 'top' must hold, for each step, pairs [id, log-probability]", place);
}

static enum lfm_status require_one(const cJSON *row, const char *const keys[3], const char *place,
                                   struct lfm_error *error)
{
    for (size_t i = 0; i < 3 && keys[i]; i++)
        if (get(row, keys[i])) return LFM_OK;
    return lfm_fail(error, LFM_ERROR_FORMAT, "%s: '%s' is missing", place, keys[0]);
}

static enum lfm_status check_row(const struct lfm_pack *pack, enum lfm_conform_section section, const cJSON *row,
                                 const char *place, struct lfm_error *error)
{
    static const char *const wanted[LFM_CONFORM_N_SECTIONS][3] = {
        [LFM_CONFORM_TOKENIZER] = {"ids"},  [LFM_CONFORM_TEMPLATE] = {"text", "ids"},
        [LFM_CONFORM_ROUTER] = {"selected", "logits", "weights"},
        [LFM_CONFORM_HIDDEN] = {"values"},  [LFM_CONFORM_LOGITS] = {"values"},
        [LFM_CONFORM_GREEDY] = {"ids"},
    };
    LFM_TRY(require_one(row, wanted[section], place, error));
    switch (section) {
    case LFM_CONFORM_TEMPLATE:
        if (get(row, "text") && !cJSON_IsString(get(row, "text")))
            return lfm_fail(error, LFM_ERROR_FORMAT, "%s: 'text' must be a string", place);
        return check_ids(row, "ids", place, error);
    case LFM_CONFORM_ROUTER:
        LFM_TRY(check_numbers(row, "logits", pack->n_experts, place, error));
        return check_selected(pack, row, place, error);
    case LFM_CONFORM_HIDDEN: return check_numbers(row, "values", pack->hidden_size, place, error);
    case LFM_CONFORM_LOGITS: return check_numbers(row, "values", pack->vocab_size, place, error);
    case LFM_CONFORM_GREEDY:
        LFM_TRY(check_ids(row, "ids", place, error));
        return check_top(row, place, error);
    default: return check_ids(row, "ids", place, error);
    }
}

/* --- adding --- */

static enum lfm_status take_about(struct lfm_pack *pack, cJSON *row, const char *place, struct lfm_error *error)
{
    const cJSON *name = get(row, "class");
    if (name && (!cJSON_IsString(name) || !lfm_conform_class_by_name(name->valuestring)))
        return lfm_fail(error, LFM_ERROR_FORMAT, "%s: 'class' must be f32, f16, bf16 or q8", place);
    if (pack->about) return lfm_fail(error, LFM_ERROR_FORMAT, "%s: a second row of section 'about'", place);
    pack->about = row;
    return LFM_OK;
}

static struct lfm_conform_case *find_case(struct lfm_conform_cases *cases, const char *id)
{
    for (size_t i = 0; i < cases->count; i++)
        if (strcmp(cases->items[i].id, id) == 0) return &cases->items[i];
    return NULL;
}

enum lfm_status lfm_results_add(struct lfm_pack *pack, cJSON *row, const char *place, struct lfm_error *error)
{
    const char *section, *id;
    size_t s = 0;
    LFM_TRY(lfm_json_require_string(row, "section", place, &section, error));
    if (strcmp(section, "about") == 0) return take_about(pack, row, place, error);
    LFM_TRY(lfm_json_require_string(row, "id", place, &id, error));
    while (s < LFM_CONFORM_N_SECTIONS && strcmp(section, lfm_conform_section_name((enum lfm_conform_section)s)) != 0) s++;
    if (s == LFM_CONFORM_N_SECTIONS)
        return lfm_fail(error, LFM_ERROR_MISMATCH, "%s: packs have no section '%s'", place, section);
    struct lfm_conform_case *found = find_case(&pack->sections[s], id);
    if (!found) return lfm_fail(error, LFM_ERROR_MISMATCH, "%s: the pack has no %s case '%s'", place, section, id);
    if (found->given)
        return lfm_fail(error, LFM_ERROR_MISMATCH, "%s: a second result for %s case '%s', after %s", place, section, id,
                        found->place);
    LFM_TRY(check_row(pack, (enum lfm_conform_section)s, row, place, error));
    LFM_TRY(lfm_copy_string(&found->place, place, strlen(place), error));
    found->given = row;
    pack->sections[s].given++;
    return LFM_OK;
}

size_t lfm_results_count(const struct lfm_pack *pack)
{
    size_t count = 0;
    for (size_t s = 0; s < LFM_CONFORM_N_SECTIONS; s++) count += pack->sections[s].given;
    return count;
}

/* --- files --- */

static enum lfm_status take_line(void *context, cJSON *row, const char *name, struct lfm_error *error)
{
    return lfm_results_add(context, row, name, error);
}

static enum lfm_status read_array(struct lfm_pack *pack, const struct lfm_buffer *text, const char *path,
                                  struct lfm_error *error)
{
    cJSON *list;
    LFM_TRY(lfm_json_parse(&list, text->data, text->length, path, error));
    enum lfm_status status = LFM_OK;
    for (size_t i = 0; status == LFM_OK && list->child; i++) {
        char place[512];
        cJSON *row = cJSON_DetachItemViaPointer(list, list->child);
        snprintf(place, sizeof place, "%s[%zu]", path, i);
        status = cJSON_IsObject(row) ? lfm_results_add(pack, row, place, error)
                                     : lfm_fail(error, LFM_ERROR_FORMAT, "%s: expected a JSON object", place);
        if (status != LFM_OK) cJSON_Delete(row);
    }
    cJSON_Delete(list);
    return status;
}

enum lfm_status lfm_results_read(struct lfm_pack *pack, const char *path, struct lfm_error *error)
{
    struct lfm_buffer text = {0};
    enum lfm_status status = lfm_read_file(&text, path, error);
    size_t blank = status == LFM_OK && text.data ? strspn(text.data, " \t\r\n") : 0;
    if (status == LFM_OK && text.data && text.data[blank] == '[') status = read_array(pack, &text, path, error);
    else if (status == LFM_OK) status = lfm_each_json_line_of(text.data, text.length, path, take_line, pack, error);
    lfm_buffer_release(&text);
    if (status == LFM_OK && lfm_results_count(pack) == 0)
        return lfm_fail(error, LFM_ERROR_FORMAT, "%s: there are no results", path);
    return status;
}

enum lfm_status lfm_results_write(const struct lfm_pack *pack, const char *path, struct lfm_error *error)
{
    struct lfm_buffer text = {0};
    enum lfm_status status = pack->about ? lfm_row_print(&text, pack->about, error) : LFM_OK;
    for (size_t s = 0; s < LFM_CONFORM_N_SECTIONS; s++)
        for (size_t i = 0; status == LFM_OK && i < pack->sections[s].count; i++)
            if (pack->sections[s].items[i].given)
                status = lfm_row_print(&text, pack->sections[s].items[i].given, error);
    if (status == LFM_OK) status = lfm_write_file(path, text.data ? text.data : "", text.length, error);
    lfm_buffer_release(&text);
    return status;
}
