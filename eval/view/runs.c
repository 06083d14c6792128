/* From directories to runs and pairs of runs: see view.h. */
#include "eval/view/view.h"

#include "reference/base/file.h"
#include "reference/base/memory.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_DEPTH = 3 }; /* DIRECTORY/<suite>/<variant>, and one to spare */
static const double margin = 0.02; /* of equivalence: what eval takes when it is not told */

static void release_run(struct lfm_viewed_run *run)
{
    free(run->directory);
    free(run->name);
    cJSON_Delete(run->about);
    cJSON_Delete(run->summary);
    lfm_samples_release(&run->samples);
}

void lfm_view_release(struct lfm_view *view)
{
    for (size_t i = 0; i < view->count; i++) release_run(&view->runs[i]);
    free(view->pairs);
    *view = (struct lfm_view){0};
}

/* --- reading --- */

/* The object in directory/name; NULL when there is no such file. */
static enum lfm_status read_object(cJSON **out, const char *directory, const char *name, struct lfm_error *error)
{
    char *path;
    enum lfm_status status = LFM_OK;
    *out = NULL;
    LFM_TRY(lfm_join_path(&path, directory, name, error));
    if (lfm_file_exists(path)) {
        status = lfm_json_parse_file(out, path, error);
        if (status == LFM_OK && !cJSON_IsObject(*out))
            status = lfm_fail(error, LFM_ERROR_FORMAT, "%s: expected a JSON object", path);
    }
    free(path);
    return status;
}

static enum lfm_status read_samples(struct lfm_viewed_run *run, const char *directory, struct lfm_error *error)
{
    char *path;
    LFM_TRY(lfm_join_path(&path, directory, "samples.jsonl", error));
    enum lfm_status status = lfm_samples_read(&run->samples, path, error);
    free(path);
    return status;
}

/* The last component of a directory's real path. */
static enum lfm_status base_name(char **out, const char *directory, struct lfm_error *error)
{
    char *real = realpath(directory, NULL);
    if (!real) return lfm_fail(error, LFM_ERROR_IO, "cannot open '%s': %s", directory, strerror(errno));
    const char *name = strrchr(real, '/') + 1;
    enum lfm_status status = lfm_copy_string(out, *name ? name : real, strlen(*name ? name : real), error);
    free(real);
    return status;
}

/* `below` is the run's place under the directory that was asked for, "" when it is that directory. */
static enum lfm_status add_run(struct lfm_view *view, const char *directory, const char *below, struct lfm_error *error)
{
    if (view->count == LFM_MOST_VIEWED)
        return lfm_fail(error, LFM_ERROR_LIMIT, "'%s': a page shows at most %d runs", directory, LFM_MOST_VIEWED);
    struct lfm_viewed_run *run = &view->runs[view->count];
    *run = (struct lfm_viewed_run){.source = view->n_sources};
    enum lfm_status status = lfm_copy_string(&run->directory, directory, strlen(directory), error);
    if (status == LFM_OK) status = read_object(&run->about, directory, "run.json", error);
    if (status == LFM_OK) status = read_object(&run->summary, directory, "summary.json", error);
    if (status == LFM_OK) status = read_samples(run, directory, error);
    if (status == LFM_OK)
        status = *below ? lfm_copy_string(&run->name, below, strlen(below), error)
                        : base_name(&run->name, directory, error);
    if (status == LFM_OK) view->count++;
    else release_run(run);
    return status;
}

static enum lfm_status is_run(bool *out, const char *directory, struct lfm_error *error)
{
    char *path;
    LFM_TRY(lfm_join_path(&path, directory, "run.json", error));
    *out = lfm_file_exists(path);
    free(path);
    return LFM_OK;
}

static enum lfm_status add_all(struct lfm_view *view, const char *directory, const char *below, int depth,
                               struct lfm_error *error);

static enum lfm_status add_below(struct lfm_view *view, const char *directory, const char *below, const char *name,
                                 int depth, struct lfm_error *error)
{
    char *path, *place = NULL;
    LFM_TRY(lfm_join_path(&path, directory, name, error));
    enum lfm_status status = LFM_OK;
    if (lfm_is_directory(path)) {
        status = *below ? lfm_join_path(&place, below, name, error)
                        : lfm_copy_string(&place, name, strlen(name), error);
        if (status == LFM_OK) status = add_all(view, path, place, depth + 1, error);
    }
    free(place);
    free(path);
    return status;
}

static enum lfm_status add_all(struct lfm_view *view, const char *directory, const char *below, int depth,
                               struct lfm_error *error)
{
    bool run;
    LFM_TRY(is_run(&run, directory, error));
    if (run) return add_run(view, directory, below, error);
    if (depth == MOST_DEPTH) return LFM_OK;
    DIR *stream = opendir(directory);
    if (!stream) return lfm_fail(error, LFM_ERROR_IO, "cannot open '%s': %s", directory, strerror(errno));
    enum lfm_status status = LFM_OK;
    for (struct dirent *entry; status == LFM_OK && (entry = readdir(stream));)
        if (entry->d_name[0] != '.') status = add_below(view, directory, below, entry->d_name, depth, error);
    closedir(stream);
    return status;
}

/* --- order and names --- */

static double bits_of(const struct lfm_viewed_run *run)
{
    double bits = 0;
    lfm_json_optional_double(run->about, "bits_per_weight", "", &bits, NULL);
    return bits;
}

static const char *last_component(const char *name)
{
    const char *slash = strrchr(name, '/');
    return slash ? slash + 1 : name;
}

/* By directory, within it as view.h says. */
static int by_place(const void *a, const void *b)
{
    const struct lfm_viewed_run *first = a, *second = b;
    const char *last_a = last_component(first->name), *last_b = last_component(second->name);
    size_t above_a = (size_t)(last_a - first->name), above_b = (size_t)(last_b - second->name);
    int order = strncmp(first->name, second->name, above_a < above_b ? above_a : above_b);
    if (order != 0 || above_a != above_b) return order != 0 ? order : above_a < above_b ? -1 : 1;
    bool reference_a = strcmp(last_a, "reference") == 0, reference_b = strcmp(last_b, "reference") == 0;
    if (reference_a != reference_b) return reference_a ? -1 : 1;
    double bits_a = bits_of(first), bits_b = bits_of(second);
    return bits_a != bits_b ? (bits_a < bits_b) - (bits_a > bits_b) : strcmp(last_a, last_b);
}

enum lfm_status lfm_view_add(struct lfm_view *view, const char *directory, struct lfm_error *error)
{
    size_t before = view->count;
    if (!lfm_is_directory(directory))
        return lfm_file_exists(directory)
                   ? lfm_fail(error, LFM_ERROR_IO, "'%s' is not the directory of a run", directory)
                   : lfm_fail(error, LFM_ERROR_IO, "cannot open '%s': %s", directory, strerror(ENOENT));
    LFM_TRY(add_all(view, directory, "", 0, error));
    if (view->count == before)
        return lfm_fail(error, LFM_ERROR_FORMAT,
                        "'%s' is not the directory of a run: neither it nor a directory below has a run.json", directory);
    qsort(view->runs + before, view->count - before, sizeof view->runs[0], by_place);
    view->n_sources++;
    return LFM_OK;
}

/* Runs of two directories may bear one name: then the number of the directory is put behind it. */
static enum lfm_status tell_apart(struct lfm_view *view, struct lfm_error *error)
{
    for (size_t i = 0; i < view->count; i++)
        for (size_t k = i + 1; k < view->count; k++) {
            struct lfm_viewed_run *run = &view->runs[k];
            if (strcmp(view->runs[i].name, run->name) != 0) continue;
            struct lfm_buffer name = {0};
            LFM_TRY(lfm_buffer_printf(&name, error, "%s (%zu)", run->name, run->source + 1));
            free(run->name);
            run->name = name.data;
        }
    return LFM_OK;
}

/* --- pairs --- */

/* What makes verdicts of two runs verdicts on the same questions. */
static const char *const same[][2] = {{"suite", "suite"}, {"data_sha256", "data (SHA-256)"}};

/* The index in `same` of what differs, or -1. */
static int difference(const struct lfm_viewed_run *a, const struct lfm_viewed_run *b)
{
    for (int i = 0; i < (int)(sizeof same / sizeof same[0]); i++) {
        const cJSON *first = cJSON_GetObjectItemCaseSensitive(a->about, same[i][0]),
                    *second = cJSON_GetObjectItemCaseSensitive(b->about, same[i][0]);
        if ((first || second) && !cJSON_Compare(first, second, true)) return i;
    }
    return -1;
}

static enum lfm_status refuse(const struct lfm_viewed_run *a, const struct lfm_viewed_run *b, struct lfm_error *error)
{
    const char *const *key = same[difference(a, b)];
    const cJSON *first = cJSON_GetObjectItemCaseSensitive(a->about, key[0]),
                *second = cJSON_GetObjectItemCaseSensitive(b->about, key[0]);
    return lfm_fail(error, LFM_ERROR_MISMATCH, "cannot compare '%s' with '%s': their %s differs, %.80s and %.80s",
                    a->directory, b->directory, key[1], cJSON_IsString(first) ? first->valuestring : "not stated",
                    cJSON_IsString(second) ? second->valuestring : "not stated");
}

/* Samples that both runs have, and their verdicts in that order. */
static size_t match(const struct lfm_samples *a, const struct lfm_samples *b, bool *right_a, bool *right_b,
                    bool *repeated)
{
    size_t both = 0;
    for (size_t i = 0, k = 0; i < a->count && k < b->count;) {
        int order = lfm_sample_order(a->items[i], b->items[k]);
        if (order == 0) {
            right_a[both] = lfm_sample_correct(a->items[i]);
            right_b[both++] = lfm_sample_correct(b->items[k]);
            *repeated = *repeated || lfm_sample_number(a->items[i]) > 0;
        }
        i += order <= 0;
        k += order >= 0;
    }
    return both;
}

static enum lfm_status add_pair(struct lfm_view *view, size_t first, size_t second, struct lfm_error *error)
{
    const struct lfm_samples *a = &view->runs[first].samples, *b = &view->runs[second].samples;
    bool *right_a = NULL, *right_b = NULL;
    LFM_TRY(LFM_GROW(&view->pairs, &view->pair_capacity, view->n_pairs + 1, error));
    enum lfm_status status = LFM_ALLOC(&right_a, a->count, error);
    if (status == LFM_OK) status = LFM_ALLOC(&right_b, a->count, error);
    if (status == LFM_OK) {
        struct lfm_viewed_pair *pair = &view->pairs[view->n_pairs++];
        *pair = (struct lfm_viewed_pair){.first = first, .second = second};
        pair->both = match(a, b, right_a, right_b, &pair->repeated);
        const struct lfm_variant variant = {.name = view->runs[second].name, .right = right_b};
        lfm_compare_variants(&pair->paired, right_a, &variant, 1, pair->both, margin);
    }
    free(right_a);
    free(right_b);
    return status;
}

/* Adjusts the p-values of the pairs from `start` on, which have their first run in common. */
static void adjust(struct lfm_view *view, size_t start)
{
    double p[LFM_MOST_VIEWED] = {0}, adjusted[LFM_MOST_VIEWED];
    size_t n = view->n_pairs - start;
    for (size_t i = 0; i < n; i++) p[i] = view->pairs[start + i].paired.exact;
    lfm_holm(adjusted, p, n);
    for (size_t i = 0; i < n; i++) {
        view->pairs[start + i].paired.holm = adjusted[i];
        view->pairs[start + i].adjusted = n > 1;
    }
}

/* The first run of those with the same suite and data is the reference; the p-values against it are one family. */
static bool is_reference(const struct lfm_view *view, size_t run)
{
    for (size_t i = 0; i < run; i++)
        if (difference(&view->runs[i], &view->runs[run]) < 0) return false;
    return true;
}

static bool sources_meet(const struct lfm_view *view)
{
    for (size_t i = 0; i < view->n_pairs; i++)
        if (view->runs[view->pairs[i].first].source != view->runs[view->pairs[i].second].source) return true;
    return false;
}

enum lfm_status lfm_view_compare(struct lfm_view *view, struct lfm_error *error)
{
    LFM_TRY(tell_apart(view, error));
    for (size_t i = 0; i < view->count; i++) {
        size_t start = view->n_pairs;
        for (size_t k = i + 1; k < view->count; k++)
            if (difference(&view->runs[i], &view->runs[k]) < 0) LFM_TRY(add_pair(view, i, k, error));
        if (is_reference(view, i)) adjust(view, start);
    }
    if (view->n_sources < 2 || sources_meet(view)) return LFM_OK;
    size_t other = 0;
    while (view->runs[other].source == 0) other++;
    return refuse(&view->runs[0], &view->runs[other], error);
}
