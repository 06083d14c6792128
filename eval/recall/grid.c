/* The grid file: see grid.h. */
#include "eval/recall/grid.h"

#include "reference/base/file.h"
#include "reference/base/hash.h"
#include "reference/base/json.h"
#include "reference/base/memory.h"

#include <stdlib.h>
#include <string.h>
#include <unistr.h>

enum {
    MOST_NEEDLES = 64,
    MOST_CHAINS = 16,
    MOST_HOPS = 16,
    MOST_SAMPLES = 10000,
    MOST_LENGTH = 2000000,
    MOST_ITEMS = 1000000
};

static const struct {
    const char *name;
    enum lfm_recall_kind kind;
} kinds[] = {
    {"needle", LFM_RECALL_NEEDLE},
    {"one_of_several", LFM_RECALL_ONE_OF_SEVERAL},
    {"all_of_several", LFM_RECALL_ALL_OF_SEVERAL},
    {"variables", LFM_RECALL_VARIABLES},
};

static enum lfm_status check_keys(const cJSON *object, const char *const *known, const char *name,
                                  struct lfm_error *error)
{
    for (const cJSON *member = object->child; member; member = member->next) {
        size_t i = 0;
        while (known[i] && strcmp(known[i], member->string) != 0) i++;
        if (!known[i]) return lfm_fail(error, LFM_ERROR_FORMAT, "%s: unknown key '%.60s'", name, member->string);
    }
    return LFM_OK;
}

/* A whole number that may be left out. */
static enum lfm_status read_size(const cJSON *object, const char *key, const char *name, size_t low, size_t high,
                                 size_t *out, struct lfm_error *error)
{
    LFM_TRY(lfm_json_optional_size(object, key, name, out, error));
    if (*out >= low && *out <= high) return LFM_OK;
    return lfm_fail(error, LFM_ERROR_FORMAT, "%s: '%s' must be from %zu to %zu, found %zu", name, key, low, high, *out);
}

static enum lfm_status require_list(const cJSON *object, const char *key, const char *name, const cJSON **list,
                                    struct lfm_error *error)
{
    *list = cJSON_GetObjectItemCaseSensitive(object, key);
    if (cJSON_IsArray(*list) && (*list)->child) return LFM_OK;
    return lfm_fail(error, LFM_ERROR_FORMAT, "%s: '%s' must be a list with at least one member", name, key);
}

/* Rising whole numbers. */
static enum lfm_status read_sizes(const cJSON *object, const char *key, const char *name, size_t low, size_t high,
                                  size_t **out, size_t *count, struct lfm_error *error)
{
    const cJSON *list;
    LFM_TRY(require_list(object, key, name, &list, error));
    LFM_TRY(LFM_ALLOC(out, (size_t)cJSON_GetArraySize(list), error));
    for (const cJSON *member = list->child; member; member = member->next) {
        double value = cJSON_IsNumber(member) ? member->valuedouble : -1;
        bool rising = *count == 0 || value > (double)(*out)[*count - 1];
        if (!(value >= (double)low && value <= (double)high) || value != (double)(size_t)value || !rising)
            return lfm_fail(error, LFM_ERROR_FORMAT, "%s: '%s' must be rising whole numbers from %zu to %zu", name,
                            key, low, high);
        (*out)[(*count)++] = (size_t)value;
    }
    return LFM_OK;
}

/* --- tasks --- */

static enum lfm_status read_kind(const cJSON *object, const char *name, const char **kind,
                                 struct lfm_recall_task *task, struct lfm_error *error)
{
    LFM_TRY(lfm_json_require_string(object, "kind", name, kind, error));
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
        if (strcmp(kinds[i].name, *kind) == 0) {
            task->kind = kinds[i].kind;
            return LFM_OK;
        }
    return lfm_fail(error, LFM_ERROR_FORMAT,
                    "%s: unknown kind '%.60s'; there are needle, one_of_several, all_of_several and variables", name,
                    *kind);
}

static enum lfm_status read_name(const cJSON *object, const char *name, const char *kind, struct lfm_recall_task *task,
                                 struct lfm_error *error)
{
    const char *text = kind;
    if (cJSON_GetObjectItemCaseSensitive(object, "name"))
        LFM_TRY(lfm_json_require_string(object, "name", name, &text, error));
    size_t length = strlen(text);
    if (length == 0 || length > 40 || strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789_") != length)
        return lfm_fail(error, LFM_ERROR_FORMAT, "%s: 'name' must be 1 to 40 of the characters a-z, 0-9 and _", name);
    return lfm_copy_string(&task->name, text, length, error);
}

/* A task's own lengths, or those of the grid. */
static enum lfm_status read_lengths(const cJSON *object, const cJSON *json, const char *path, const char *name,
                                    struct lfm_recall_task *task, struct lfm_error *error)
{
    bool own = cJSON_GetObjectItemCaseSensitive(object, "lengths") != NULL;
    return read_sizes(own ? object : json, "lengths", own ? name : path, 1, MOST_LENGTH, &task->lengths,
                      &task->n_lengths, error);
}

static enum lfm_status read_variables(const cJSON *object, const char *name, const struct lfm_recall_wording *wording,
                                      struct lfm_recall_task *task, struct lfm_error *error)
{
    static const char *const known[] = {"kind", "name", "lengths", "chains", "hops", NULL};
    LFM_TRY(check_keys(object, known, name, error));
    task->chains = 2;
    task->hops = 2;
    LFM_TRY(read_size(object, "chains", name, 1, MOST_CHAINS, &task->chains, error));
    LFM_TRY(read_size(object, "hops", name, 0, MOST_HOPS, &task->hops, error));
    size_t variables = task->chains * (task->hops + 1);
    if (variables > wording->most_variables)
        return lfm_fail(error, LFM_ERROR_FORMAT, "%s: %zu variables, but the wording '%s' has names for %zu", name,
                        variables, wording->name, wording->most_variables);
    return LFM_OK;
}

static enum lfm_status read_needles(const cJSON *object, const char *name, struct lfm_recall_task *task,
                                    struct lfm_error *error)
{
    static const char *const alone[] = {"kind", "name", "lengths", NULL};
    static const char *const several[] = {"kind", "name", "lengths", "needles", NULL};
    bool one = task->kind == LFM_RECALL_NEEDLE;
    LFM_TRY(check_keys(object, one ? alone : several, name, error));
    task->needles = one ? 1 : 4;
    if (!one) LFM_TRY(read_size(object, "needles", name, 2, MOST_NEEDLES, &task->needles, error));
    task->asked = task->kind == LFM_RECALL_ALL_OF_SEVERAL ? task->needles : 1;
    return LFM_OK;
}

static enum lfm_status read_task(const cJSON *object, const char *name, struct lfm_recall_grid *grid,
                                 struct lfm_error *error)
{
    struct lfm_recall_task *task = &grid->tasks[grid->n_tasks++];
    const char *kind;
    if (!cJSON_IsObject(object)) return lfm_fail(error, LFM_ERROR_FORMAT, "%s must be an object", name);
    LFM_TRY(read_kind(object, name, &kind, task, error));
    LFM_TRY(read_name(object, name, kind, task, error));
    for (size_t i = 0; i + 1 < grid->n_tasks; i++)
        if (strcmp(grid->tasks[i].name, task->name) == 0)
            return lfm_fail(error, LFM_ERROR_FORMAT, "%s: there are two tasks called '%s'; 'name' tells them apart",
                            name, task->name);
    if (task->kind == LFM_RECALL_VARIABLES) return read_variables(object, name, grid->wording, task, error);
    return read_needles(object, name, task, error);
}

/* The shortest text must hold what is to be remembered. */
static enum lfm_status check_room(const struct lfm_recall_grid *grid, const struct lfm_recall_task *task,
                                  const char *path, struct lfm_error *error)
{
    size_t statements = task->needles + task->chains * (task->hops + 1);
    if (statements * grid->wording->longest <= lfm_recall_words(grid, task->lengths[0])) return LFM_OK;
    return lfm_fail(error, LFM_ERROR_FORMAT,
                    "%s: a length of %zu is too short for '%s': %zu sentences of up to %zu words are to be remembered",
                    path, task->lengths[0], task->name, statements, grid->wording->longest);
}

static enum lfm_status read_tasks(const cJSON *json, const char *path, struct lfm_recall_grid *grid,
                                  struct lfm_error *error)
{
    const cJSON *list;
    struct lfm_buffer name = {0};
    LFM_TRY(require_list(json, "kinds", path, &list, error));
    LFM_TRY(LFM_ALLOC(&grid->tasks, (size_t)cJSON_GetArraySize(list), error));
    enum lfm_status status = LFM_OK;
    for (const cJSON *member = list->child; member && status == LFM_OK; member = member->next) {
        lfm_buffer_clear(&name);
        status = lfm_buffer_printf(&name, error, "%s: kinds[%zu]", path, grid->n_tasks);
        if (status == LFM_OK) status = read_task(member, name.data, grid, error);
        struct lfm_recall_task *task = &grid->tasks[grid->n_tasks - 1];
        if (status == LFM_OK) status = read_lengths(member, json, path, name.data, task, error);
        if (status == LFM_OK) status = check_room(grid, task, path, error);
    }
    lfm_buffer_release(&name);
    return status;
}

/* --- the rest of the file --- */

static enum lfm_status read_unit(const cJSON *json, const char *path, struct lfm_recall_grid *grid,
                                 struct lfm_error *error)
{
    const char *unit = "words";
    double tokens_per_word = 1.2;
    if (cJSON_GetObjectItemCaseSensitive(json, "unit"))
        LFM_TRY(lfm_json_require_string(json, "unit", path, &unit, error));
    LFM_TRY(lfm_json_optional_double(json, "tokens_per_word", path, &tokens_per_word, error));
    if (!(tokens_per_word >= 0.1 && tokens_per_word <= 100))
        return lfm_fail(error, LFM_ERROR_FORMAT, "%s: 'tokens_per_word' must be from 0.1 to 100", path);
    grid->words_per_unit = 1;
    if (strcmp(unit, "tokens") == 0) grid->words_per_unit = 1 / tokens_per_word;
    else if (strcmp(unit, "words") != 0)
        return lfm_fail(error, LFM_ERROR_FORMAT, "%s: 'unit' must be words or tokens, found '%.60s'", path, unit);
    return LFM_OK;
}

static enum lfm_status read_wording(const cJSON *json, const char *path, struct lfm_recall_grid *grid,
                                    struct lfm_error *error)
{
    const char *name;
    LFM_TRY(lfm_json_require_string(json, "wording", path, &name, error));
    grid->wording = lfm_recall_wording_by_name(name);
    if (grid->wording) return LFM_OK;
    return lfm_fail(error, LFM_ERROR_FORMAT, "%s: unknown wording '%.60s'; there are general and demo", path, name);
}

/* The haystack's path is relative to the grid file. */
static enum lfm_status haystack_path(char **out, const char *path, const char *haystack, struct lfm_error *error)
{
    const char *slash = strrchr(path, '/');
    if (haystack[0] == '/' || !slash) return lfm_copy_string(out, haystack, strlen(haystack), error);
    struct lfm_buffer joined = {0};
    enum lfm_status status = lfm_buffer_append(&joined, path, (size_t)(slash + 1 - path), error);
    if (status == LFM_OK) status = lfm_buffer_puts(&joined, haystack, error);
    *out = joined.data;
    return status;
}

/* A run records the SHA-256 of the grid file; with this key it covers the haystack, too. */
static enum lfm_status check_hash(const cJSON *json, const char *path, const char *haystack,
                                  const struct lfm_buffer *text, struct lfm_error *error)
{
    const char *expected;
    char found[LFM_SHA256_TEXT];
    LFM_TRY(lfm_sha256(text->data, text->length, found, error));
    if (!cJSON_GetObjectItemCaseSensitive(json, "haystack_sha256"))
        return lfm_fail(error, LFM_ERROR_FORMAT, "%s: 'haystack_sha256' is missing; '%s' has %s", path, haystack,
                        found);
    LFM_TRY(lfm_json_require_string(json, "haystack_sha256", path, &expected, error));
    if (strcmp(expected, found) == 0) return LFM_OK;
    return lfm_fail(error, LFM_ERROR_MISMATCH, "%s: '%s' has SHA-256 %s, expected %.64s", path, haystack, found,
                    expected);
}

static enum lfm_status read_haystack(const cJSON *json, const char *path, struct lfm_recall_grid *grid,
                                     struct lfm_error *error)
{
    const char *name;
    char *file = NULL;
    if (!cJSON_GetObjectItemCaseSensitive(json, "haystack")) return LFM_OK;
    LFM_TRY(lfm_json_require_string(json, "haystack", path, &name, error));
    enum lfm_status status = haystack_path(&file, path, name, error);
    if (status == LFM_OK) status = lfm_read_file(&grid->text, file, error);
    free(file);
    LFM_TRY(status);
    if (grid->text.length == 0 || memchr(grid->text.data, '\0', grid->text.length) ||
        u8_check((const uint8_t *)grid->text.data, grid->text.length))
        return lfm_fail(error, LFM_ERROR_FORMAT, "%s: the haystack '%s' is no UTF-8 text", path, name);
    LFM_TRY(check_hash(json, path, name, &grid->text, error));
    const struct lfm_span text = {grid->text.data, grid->text.length};
    LFM_TRY(lfm_split_sentences(&grid->sentences, text, error));
    if (grid->sentences.count > 0) return LFM_OK;
    return lfm_fail(error, LFM_ERROR_FORMAT, "%s: the haystack '%s' has no sentences", path, name);
}

static enum lfm_status read_grid(const cJSON *json, const char *path, struct lfm_recall_grid *grid,
                                 struct lfm_error *error)
{
    static const char *const known[] = {"about", "seed", "wording", "unit", "tokens_per_word", "lengths", "depths",
                                        "kinds", "samples_per_cell", "haystack", "haystack_sha256", NULL};
    size_t seed = 0;
    if (!cJSON_IsObject(json)) return lfm_fail(error, LFM_ERROR_FORMAT, "%s: expected an object", path);
    LFM_TRY(check_keys(json, known, path, error));
    LFM_TRY(lfm_json_require_size(json, "seed", path, &seed, error));
    grid->seed = seed;
    grid->samples = 1;
    LFM_TRY(read_size(json, "samples_per_cell", path, 1, MOST_SAMPLES, &grid->samples, error));
    LFM_TRY(read_wording(json, path, grid, error));
    LFM_TRY(read_unit(json, path, grid, error));
    LFM_TRY(read_sizes(json, "depths", path, 0, 100, &grid->depths, &grid->n_depths, error));
    LFM_TRY(read_tasks(json, path, grid, error));
    for (size_t i = 0; i < grid->n_tasks; i++)
        if (grid->tasks[i].n_lengths * grid->n_depths * grid->samples > MOST_ITEMS / grid->n_tasks)
            return lfm_fail(error, LFM_ERROR_LIMIT, "%s: there can be %d items at most", path, MOST_ITEMS);
    return read_haystack(json, path, grid, error);
}

enum lfm_status lfm_recall_grid_open(struct lfm_recall_grid *grid, const char *path, struct lfm_error *error)
{
    cJSON *json;
    *grid = (struct lfm_recall_grid){0};
    LFM_TRY(lfm_json_parse_file(&json, path, error));
    enum lfm_status status = read_grid(json, path, grid, error);
    cJSON_Delete(json);
    if (status != LFM_OK) lfm_recall_grid_close(grid);
    return status;
}

void lfm_recall_grid_close(struct lfm_recall_grid *grid)
{
    for (size_t i = 0; i < grid->n_tasks; i++) {
        free(grid->tasks[i].name);
        free(grid->tasks[i].lengths);
    }
    free(grid->tasks);
    free(grid->depths);
    lfm_spans_release(&grid->sentences);
    lfm_buffer_release(&grid->text);
    *grid = (struct lfm_recall_grid){0};
}

size_t lfm_recall_task_count(const struct lfm_recall_grid *grid, const struct lfm_recall_task *task)
{
    return task->n_lengths * grid->n_depths * grid->samples;
}

size_t lfm_recall_grid_count(const struct lfm_recall_grid *grid)
{
    size_t count = 0;
    for (size_t i = 0; i < grid->n_tasks; i++) count += lfm_recall_task_count(grid, &grid->tasks[i]);
    return count;
}

struct lfm_recall_cell lfm_recall_grid_cell(const struct lfm_recall_grid *grid, size_t item)
{
    const struct lfm_recall_task *task = grid->tasks;
    for (; item >= lfm_recall_task_count(grid, task); task++) item -= lfm_recall_task_count(grid, task);
    size_t cell = item / grid->samples;
    return (struct lfm_recall_cell){
        .task = task,
        .length = task->lengths[cell / grid->n_depths],
        .depth = grid->depths[cell % grid->n_depths],
        .sample = item % grid->samples + 1,
    };
}

size_t lfm_recall_words(const struct lfm_recall_grid *grid, size_t length)
{
    return (size_t)((double)length * grid->words_per_unit);
}
