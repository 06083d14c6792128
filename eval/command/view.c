/* view: a page to browse the samples of runs. */
#include "eval/command/commands.h"
#include "eval/view/view.h"
#include "reference/base/command.h"
#include "reference/base/file.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static double number(const cJSON *object, const char *key)
{
    const cJSON *member = cJSON_GetObjectItemCaseSensitive(object, key);
    return cJSON_IsNumber(member) ? member->valuedouble : 0;
}

static const char *text(const cJSON *object, const char *key)
{
    const cJSON *member = cJSON_GetObjectItemCaseSensitive(object, key);
    return cJSON_IsString(member) ? member->valuestring : "unknown";
}

static size_t right_of(const struct lfm_viewed_run *run)
{
    size_t right = 0;
    for (size_t i = 0; i < run->samples.count; i++) right += lfm_sample_correct(run->samples.items[i]);
    return right;
}

/* --- what is printed --- */

static void print_pair(const struct lfm_view *view, const struct lfm_viewed_pair *pair)
{
    cJSON *figures = lfm_viewed_pair_figures(pair);
    printf("  %s against %s: %.0f lost, %.0f won of %.0f", view->runs[pair->second].name, view->runs[pair->first].name,
           number(figures, "lost"), number(figures, "gained"), number(figures, "samples"));
    if (cJSON_HasObjectItem(figures, "mcnemar_exact"))
        printf(", McNemar's exact p %.4f", number(figures, "mcnemar_exact"));
    printf("\n");
    cJSON_Delete(figures);
}

static void print_run(const struct lfm_viewed_run *run)
{
    printf("  %s: %s, weights %s: %zu samples, %zu right\n", run->name, text(run->about, "suite"),
           text(run->about, "weights"), run->samples.count, right_of(run));
    cJSON *notes = lfm_viewed_notes(run);
    for (const cJSON *note = notes->child; note; note = note->next) printf("    %s\n", note->valuestring);
    cJSON_Delete(notes);
}

/* A run that no earlier one is the reference of. */
static bool is_reference(const struct lfm_view *view, size_t run)
{
    for (size_t i = 0; i < view->n_pairs; i++)
        if (view->pairs[i].second == run) return false;
    return true;
}

/* Of many runs only the pairs with a reference are told; the page has them all. */
static void print_view(const struct lfm_view *view, const char *path)
{
    printf("%s\n", path);
    for (size_t i = 0; i < view->count; i++) print_run(&view->runs[i]);
    for (size_t i = 0; i < view->n_pairs; i++)
        if (is_reference(view, view->pairs[i].first)) print_pair(view, &view->pairs[i]);
}

static cJSON *describe(const struct lfm_view *view, const char *path, int argc, char **argv)
{
    cJSON *document = lfm_json_document("view", argc, argv);
    cJSON_AddStringToObject(document, "output", path);
    cJSON *runs = cJSON_AddArrayToObject(document, "runs"), *pairs = cJSON_AddArrayToObject(document, "pairs");
    for (size_t i = 0; i < view->count; i++) {
        const struct lfm_viewed_run *run = &view->runs[i];
        cJSON *object = cJSON_CreateObject();
        cJSON_AddStringToObject(object, "name", run->name);
        cJSON_AddStringToObject(object, "suite", text(run->about, "suite"));
        cJSON_AddNumberToObject(object, "samples", (double)run->samples.count);
        cJSON_AddNumberToObject(object, "right", (double)right_of(run));
        cJSON_AddBoolToObject(object, "finished", run->summary != NULL);
        cJSON_AddNumberToObject(object, "damaged_lines", (double)(run->samples.damaged + run->samples.torn));
        cJSON_AddItemToArray(runs, object);
    }
    for (size_t i = 0; i < view->n_pairs; i++)
        cJSON_AddItemToArray(pairs, lfm_viewed_pair_figures(&view->pairs[i]));
    return document;
}

/* --- the command --- */

/* The page must not take the place of what eval wrote. */
static enum lfm_status keep_run(const char *path, struct lfm_error *error)
{
    static const char *const files[] = {"run.json", "samples.jsonl", "summary.json", "lock"};
    const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++)
        if (strcmp(name, files[i]) == 0 && lfm_file_exists(path))
            return lfm_fail(error, LFM_ERROR_IO, "cannot write '%s': it is part of a run", path);
    return LFM_OK;
}

static enum lfm_status make_page(struct lfm_view *view, const struct lfm_strings *directories, const char *path,
                                 struct lfm_error *error)
{
    LFM_TRY(keep_run(path, error));
    for (size_t i = 0; i < directories->count; i++) LFM_TRY(lfm_view_add(view, directories->items[i], error));
    LFM_TRY(lfm_view_compare(view, error));
    return lfm_view_write(view, path, error);
}

static enum lfm_status run_command(const struct lfm_strings *directories, const char *path, bool json, int argc,
                                   char **argv, struct lfm_error *error)
{
    struct lfm_view view = {0};
    enum lfm_status status = make_page(&view, directories, path, error);
    if (status == LFM_OK && json) status = lfm_print_document(describe(&view, path, argc, argv), error);
    else if (status == LFM_OK) print_view(&view, path);
    lfm_view_release(&view);
    return status;
}

int lfm_command_view(int argc, char **argv)
{
    const char *output = NULL;
    const struct lfm_option options[] = {
        {"output", "PAGE", "the page to write (RUN/view.html)", LFM_OPTION_STRING, &output},
        {0},
    };
    const struct lfm_usage usage = {
        .name = "view",
        .arguments = "RUN [RUN2] [options]",
        .summary = "Makes a page to browse the samples of a run, or of two side by side.",
        .notes = "RUN is a directory that eval wrote, also one with several runs (--against). The page is one file that\n"
                 "needs neither network nor server.",
        .options = options,
        .min_arguments = 1,
        .max_arguments = 2,
    };
    struct lfm_common common;
    struct lfm_strings directories;
    struct lfm_error error = {0};
    char *path = NULL;
    int exit_code;
    if (!lfm_parse_arguments(&usage, argc, argv, &common, &directories, &exit_code)) return exit_code;
    enum lfm_status status = LFM_OK;
    if (!output) status = lfm_join_path(&path, directories.items[0], "view.html", &error);
    if (status == LFM_OK)
        status = run_command(&directories, output ? output : path, common.json, argc, argv, &error);
    free(path);
    lfm_strings_release(&directories);
    return lfm_report_status(status, &error);
}
