/* merge: shards of an evaluation as one run. Directories that hold runs of several suites, or variants and their
 * reference, are merged run by run, and the comparisons made anew. */
#include "eval/command/commands.h"
#include "eval/command/evaluation.h"
#include "eval/harness/data.h"
#include "eval/harness/merge.h"
#include "reference/base/file.h"
#include "reference/base/memory.h"

#include <dirent.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

struct merging {
    const char *output, *data;
    bool partial;
    bool writing; /* false: everything is read and checked first, so that a refusal leaves nothing behind */
    struct lfm_common common;
    int argc;
    char **argv;
    cJSON *documents[LFM_MOST_JOBS]; /* owned: what is printed */
    size_t n_documents;
};

/* A merged run, as long as a comparison may need it. */
struct merged {
    struct lfm_job job; /* its task is not used: merge.task is */
    struct lfm_merge merge;
    cJSON *summary;
    bool *right;
};

static void release_merged(struct merged *merged)
{
    lfm_merge_release(&merged->merge);
    lfm_job_close(&merged->job);
    cJSON_Delete(merged->summary);
    free(merged->right);
}

static enum lfm_status add_document(struct merging *merging, cJSON *document, struct lfm_error *error)
{
    if (merging->n_documents < LFM_MOST_JOBS) {
        merging->documents[merging->n_documents++] = document;
        return LFM_OK;
    }
    cJSON_Delete(document);
    return lfm_fail(error, LFM_ERROR_LIMIT, "at most %d suites at a time", LFM_MOST_JOBS);
}

/* --- one run --- */

static const char *text_of(const cJSON *object, const char *key)
{
    return cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(object, key));
}

/* The data are those that --data names, else those that the runs name, else where eval would look. */
static enum lfm_status open_data(const struct merging *merging, struct merged *merged, struct lfm_error *error)
{
    const cJSON *first = merged->merge.descriptions[0];
    const char *recorded = text_of(first, "data"), *name = text_of(first, "suite");
    const char *sha256 = text_of(first, "data_sha256");
    merged->job.suite = name ? lfm_suite_by_name(name) : NULL;
    if (!merged->job.suite || !sha256)
        return lfm_fail(error, LFM_ERROR_FORMAT, "'%s/run.json' is of no suite that this program knows",
                        merged->merge.runs[0].directory);
    char *below = NULL;
    if (merging->data) LFM_TRY(lfm_join_path(&below, merging->data, name, error));
    bool several = below && lfm_file_exists(below);
    free(below);
    const char *given = merging->data ? merging->data : recorded && lfm_file_exists(recorded) ? recorded : NULL;
    LFM_TRY(lfm_job_open(&merged->job, given, several, error));
    if (strcmp(merged->job.data_sha256, sha256) == 0) return LFM_OK;
    return lfm_fail(error, LFM_ERROR_MISMATCH,
                    "'%s' is not the data of these runs (SHA-256 %.12s..., expected %.12s...); name it with --data",
                    merged->job.path, merged->job.data_sha256, sha256);
}

/* What was recorded of this command stands first, as in other documents. */
static cJSON *finish_description(const struct merging *merging, const struct merged *merged)
{
    cJSON *run = lfm_json_document("run", merging->argc, merging->argv);
    cJSON_ReplaceItemInObjectCaseSensitive(
        run, "version", cJSON_Duplicate(cJSON_GetObjectItemCaseSensitive(merged->merge.description, "version"), true));
    cJSON_AddStringToObject(run, "data", merged->job.path);
    for (const cJSON *member = merged->merge.description->child; member; member = member->next)
        if (!cJSON_GetObjectItemCaseSensitive(run, member->string))
            cJSON_AddItemToObject(run, member->string, cJSON_Duplicate(member, true));
    return run;
}

static enum lfm_status merge_run(const struct merging *merging, const char *const *directories, size_t n,
                                 const char *output, struct merged *merged, struct lfm_error *error)
{
    struct lfm_merge *merge = &merged->merge;
    LFM_TRY(lfm_merge_read(merge, directories, n, error));
    LFM_TRY(open_data(merging, merged, error));
    LFM_TRY(lfm_merge_join(merge, merged->job.suite, merged->job.data, merging->partial, error));
    LFM_TRY(LFM_ALLOC(&merged->right, merge->task.n_items * merge->task.samples, error));
    for (size_t i = 0; i < merge->task.n_items * merge->task.samples; i++)
        merged->right[i] = lfm_sample_correct(merge->table[i]);
    cJSON *description = finish_description(merging, merged);
    enum lfm_status status = lfm_run_summary(&merged->summary, description, &merge->task, merge->table, error);
    if (status == LFM_OK && merging->writing)
        status = lfm_run_create(output, description, merge->lines, merge->n_lines, merged->summary, error);
    else if (status == LFM_OK)
        status = lfm_run_refuse_existing(output, error);
    cJSON_Delete(description);
    return status;
}

/* --- variants and their reference --- */

static struct merged *variant_named(struct merged *runs, size_t n, const char *name)
{
    for (size_t i = 0; i < n; i++) {
        const char *found = text_of(runs[i].summary, "variant");
        if (found && name && strcmp(found, name) == 0) return &runs[i];
    }
    return NULL;
}

static bool same_items(const struct lfm_task *a, const struct lfm_task *b)
{
    return a->n_items == b->n_items && memcmp(a->items, b->items, a->n_items * sizeof *a->items) == 0;
}

static enum lfm_status compare(struct merging *merging, const char *output, struct merged *runs, size_t n,
                               struct lfm_error *error)
{
    struct lfm_variant variants[1 + LFM_MOST_VARIANTS];
    const cJSON *description = runs[0].merge.description;
    const cJSON *names = cJSON_GetObjectItemCaseSensitive(description, "variants");
    const cJSON *margin = cJSON_GetObjectItemCaseSensitive(description, "margin");
    size_t n_variants = 0;
    struct merged *reference = NULL;
    cJSON *document = NULL;
    for (const cJSON *name = names->child; name && n_variants <= LFM_MOST_VARIANTS; name = name->next) {
        struct merged *run = variant_named(runs, n, cJSON_GetStringValue(name));
        if (!run)
            return lfm_fail(error, LFM_ERROR_MISMATCH, "the variant '%s' is missing",
                            cJSON_IsString(name) ? name->valuestring : "?");
        if (!reference) reference = run;
        if (!same_items(&reference->merge.task, &run->merge.task) || run->merge.task.samples != 1)
            return lfm_fail(error, LFM_ERROR_MISMATCH, "'%s' has other items than the reference: they cannot be compared",
                            name->valuestring);
        variants[n_variants++] = lfm_variant_of(name->valuestring, run->summary, run->right);
    }
    if (n_variants < 2) return lfm_fail(error, LFM_ERROR_FORMAT, "'variants' of run.json must be two or more names");
    enum lfm_status status = lfm_comparison(&document, &reference->merge.task, variants, n_variants,
                                            cJSON_IsNumber(margin) ? margin->valuedouble : LFM_MARGIN,
                                            reference->summary, error);
    if (status == LFM_OK && merging->writing) status = lfm_run_write_summary(output, document, error);
    if (status == LFM_OK) return add_document(merging, document, error);
    cJSON_Delete(document);
    return status;
}

/* --- directories of runs --- */

struct names {
    char **items; /* owned, each */
    size_t count, capacity;
};

static void release_names(struct names *names)
{
    for (size_t i = 0; i < names->count; i++) free(names->items[i]);
    free(names->items);
    *names = (struct names){0};
}

static int by_bytes(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static enum lfm_status add_directory(struct names *names, const char *above, const char *name, struct lfm_error *error)
{
    char *path;
    LFM_TRY(lfm_join_path(&path, above, name, error));
    bool directory = lfm_is_directory(path);
    free(path);
    if (!directory) return LFM_OK;
    LFM_TRY(LFM_GROW(&names->items, &names->capacity, names->count + 1, error));
    LFM_TRY(lfm_copy_string(&names->items[names->count], name, strlen(name), error));
    names->count++;
    return LFM_OK;
}

static enum lfm_status list_directories(struct names *names, const char *above, struct lfm_error *error)
{
    DIR *directory = opendir(above);
    enum lfm_status status = LFM_OK;
    if (!directory) return lfm_fail(error, LFM_ERROR_IO, "cannot open '%s': %s", above, strerror(errno));
    for (struct dirent *entry; status == LFM_OK && (entry = readdir(directory)) != NULL;)
        if (entry->d_name[0] != '.') status = add_directory(names, above, entry->d_name, error);
    closedir(directory);
    if (names->count > 1) qsort(names->items, names->count, sizeof *names->items, by_bytes);
    return status;
}

static enum lfm_status count_runs(const char *const *directories, size_t n, size_t *runs, struct lfm_error *error)
{
    *runs = 0;
    for (size_t i = 0; i < n; i++) {
        char *path;
        LFM_TRY(lfm_join_path(&path, directories[i], "run.json", error));
        *runs += lfm_file_exists(path);
        free(path);
        if (!lfm_is_directory(directories[i]))
            return lfm_fail(error, LFM_ERROR_IO, "'%s' is not the directory of a run", directories[i]);
    }
    return LFM_OK;
}

static enum lfm_status check_same_names(const char *const *directories, size_t n, const struct names *names,
                                        struct lfm_error *error)
{
    for (size_t i = 0; i < n; i++) {
        struct names others = {0};
        enum lfm_status status = list_directories(&others, directories[i], error);
        size_t same = 0;
        while (same < names->count && same < others.count && strcmp(names->items[same], others.items[same]) == 0) same++;
        if (status == LFM_OK && (same < names->count || same < others.count))
            status = lfm_fail(error, LFM_ERROR_MISMATCH, "'%s' and '%s' do not hold the same runs: only one has '%s'",
                              directories[0], directories[i],
                              same < names->count ? names->items[same] : others.items[same]);
        release_names(&others);
        LFM_TRY(status);
    }
    return LFM_OK;
}

static enum lfm_status merge_tree(struct merging *merging, const char *const *directories, size_t n, const char *output,
                                  size_t depth, struct merged *merged, struct lfm_error *error);

/* Merges what the directories hold under this name. */
static enum lfm_status merge_below(struct merging *merging, const char *const *directories, size_t n, const char *output,
                                   const char *name, size_t depth, struct merged *merged, struct lfm_error *error)
{
    char **paths, *below = NULL;
    LFM_TRY(LFM_ALLOC(&paths, n, error));
    enum lfm_status status = lfm_join_path(&below, output, name, error);
    for (size_t i = 0; i < n && status == LFM_OK; i++) status = lfm_join_path(&paths[i], directories[i], name, error);
    if (status == LFM_OK)
        status = merge_tree(merging, (const char *const *)paths, n, below, depth + 1, merged, error);
    for (size_t i = 0; i < n; i++) free(paths[i]);
    free(paths);
    free(below);
    return status == LFM_OK ? status : lfm_fail_in(error, "%s", name);
}

/* Prints runs that belong to no comparison. */
static enum lfm_status take_summaries(struct merging *merging, struct merged *runs, size_t n, struct lfm_error *error)
{
    for (size_t i = 0; i < n; i++) {
        if (!runs[i].summary) continue;
        cJSON *summary = runs[i].summary;
        runs[i].summary = NULL;
        LFM_TRY(add_document(merging, summary, error));
    }
    return LFM_OK;
}

static enum lfm_status merge_all_below(struct merging *merging, const char *const *directories, size_t n,
                                       const char *output, const struct names *names, size_t depth,
                                       struct lfm_error *error)
{
    struct merged *runs;
    LFM_TRY(LFM_ALLOC(&runs, names->count, error));
    enum lfm_status status = LFM_OK;
    for (size_t i = 0; i < names->count && status == LFM_OK; i++)
        status = merge_below(merging, directories, n, output, names->items[i], depth, &runs[i], error);
    if (status == LFM_OK)
        status = cJSON_GetObjectItemCaseSensitive(runs[0].merge.description, "variants")
                     ? compare(merging, output, runs, names->count, error)
                     : take_summaries(merging, runs, names->count, error);
    for (size_t i = 0; i < names->count; i++) release_merged(&runs[i]);
    free(runs);
    return status;
}

/* Runs are merged into *merged; of directories of runs nothing is left there. */
static enum lfm_status merge_tree(struct merging *merging, const char *const *directories, size_t n, const char *output,
                                  size_t depth, struct merged *merged, struct lfm_error *error)
{
    enum { MOST_DEPTH = 2 }; /* suites, variants */
    struct names names = {0};
    size_t runs;
    LFM_TRY(count_runs(directories, n, &runs, error));
    if (runs == n) return merge_run(merging, directories, n, output, merged, error);
    if (runs > 0)
        return lfm_fail(error, LFM_ERROR_MISMATCH, "some of '%s' and the other directories are runs, and some are not",
                        directories[0]);
    enum lfm_status status = list_directories(&names, directories[0], error);
    if (status == LFM_OK && (names.count == 0 || depth == MOST_DEPTH))
        status = lfm_fail(error, LFM_ERROR_FORMAT, "'%s' holds no run: there is no run.json", directories[0]);
    if (status == LFM_OK) status = check_same_names(directories, n, &names, error);
    if (status == LFM_OK) status = merge_all_below(merging, directories, n, output, &names, depth, error);
    release_names(&names);
    return status;
}

static void drop_documents(struct merging *merging)
{
    for (size_t i = 0; i < merging->n_documents; i++) cJSON_Delete(merging->documents[i]);
    merging->n_documents = 0;
}

static enum lfm_status merge_all(struct merging *merging, const char *const *directories, size_t n, bool writing,
                                 struct lfm_error *error)
{
    struct merged merged = {0};
    merging->writing = writing;
    drop_documents(merging);
    enum lfm_status status = merge_tree(merging, directories, n, merging->output, 0, &merged, error);
    if (status == LFM_OK) status = take_summaries(merging, &merged, 1, error);
    release_merged(&merged);
    return status;
}

static enum lfm_status run(struct merging *merging, const char *const *directories, size_t n, struct lfm_error *error)
{
    enum lfm_status status = merge_all(merging, directories, n, false, error);
    if (status == LFM_OK) status = merge_all(merging, directories, n, true, error);
    if (status == LFM_OK)
        return lfm_print_evaluations(merging->documents, merging->n_documents, &merging->common, merging->argc,
                                     merging->argv, error);
    drop_documents(merging);
    return status;
}

int lfm_command_merge(int argc, char **argv)
{
    struct merging merging = {.argc = argc, .argv = argv};
    const struct lfm_option options[] = {
        {"output", "RUN", "directory of the merged run; it must not hold one yet", LFM_OPTION_STRING, &merging.output},
        {"data", "PATH", "the data set, when it lies elsewhere than the runs say", LFM_OPTION_STRING, &merging.data},
        {"partial", NULL, "leave out what is missing", LFM_OPTION_FLAG, &merging.partial},
        {0},
    };
    const struct lfm_usage usage = {
        .name = "merge",
        .arguments = "RUN... --output RUN [options]",
        .summary = "Joins shards of an evaluation, or runs over other items, into one run.",
        .notes = "The runs must be of one suite, data set, model, sampling and seed. Samples and summary of the result are\n"
                 "those of a run in one piece.",
        .options = options,
        .min_arguments = 1,
        .max_arguments = 1000000,
    };
    struct lfm_strings arguments;
    struct lfm_error error = {0};
    int exit_code;
    if (!lfm_parse_arguments(&usage, argc, argv, &merging.common, &arguments, &exit_code)) return exit_code;
    if (!merging.output)
        exit_code = lfm_report_usage(&usage, "--output is needed");
    else
        exit_code = lfm_report_status(run(&merging, arguments.items, arguments.count, &error), &error);
    lfm_strings_release(&arguments);
    return exit_code;
}
