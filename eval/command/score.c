/* score: verdicts for responses that something else produced. What differs between suites is in their scorers. */
#include "eval/command/score.h"
#include "eval/command/commands.h"
#include "eval/harness/data.h"
#include "eval/harness/verdicts.h"
#include "eval/text/json_lines.h"
#include "reference/base/command.h"
#include "reference/base/file.h"
#include "reference/base/memory.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct lfm_scorer *const scorers[] = {&lfm_ifeval_scorer, &lfm_bfcl_scorer};

static const struct lfm_scorer *scorer_by_name(const char *name)
{
    for (size_t i = 0; i < sizeof scorers / sizeof *scorers; i++)
        if (strcmp(scorers[i]->suite->name, name) == 0) return scorers[i];
    return NULL;
}

struct scoring {
    const struct lfm_scorer *scorer;
    const char *path, *data_path, *verdicts; /* as on the command line; data_path and verdicts may be NULL */
    bool many;                               /* several responses to one item are fine */
    void *data;
    struct lfm_response *responses;
    size_t count, capacity;
    struct lfm_error *error;
};

void lfm_print_rate(const char *name, size_t right, size_t n)
{
    struct lfm_interval interval = lfm_wilson(right, n, 0.95);
    printf("%-24s %7.2f %%  [%.2f, %.2f]  %zu of %zu\n", name, 100 * (double)right / (double)n, 100 * interval.low,
           100 * interval.high, right, n);
}

/* --- reading --- */

/* The verdicts must not be written over the responses or the data. */
static enum lfm_status keep_inputs(const struct scoring *scoring, const char *data)
{
    const char *file = scoring->scorer->suite->data_file;
    char *inside;
    if (!scoring->verdicts) return LFM_OK;
    LFM_TRY(lfm_keep_input(scoring->verdicts, scoring->path, scoring->error));
    LFM_TRY(lfm_keep_input(scoring->verdicts, data, scoring->error));
    if (!file) return lfm_keep_directory(scoring->verdicts, data, scoring->error);
    LFM_TRY(lfm_join_path(&inside, data, file, scoring->error));
    enum lfm_status status = lfm_keep_input(scoring->verdicts, inside, scoring->error);
    free(inside);
    return status;
}

static enum lfm_status open_data(struct scoring *scoring)
{
    char *path;
    LFM_TRY(lfm_data_locate(&path, scoring->scorer->suite, scoring->data_path, false, scoring->error));
    enum lfm_status status = keep_inputs(scoring, path);
    if (status == LFM_OK) status = scoring->scorer->open(&scoring->data, path, scoring->error);
    free(path);
    return status;
}

/* The line number in a name "file:line". */
static size_t line_of(const char *name)
{
    const char *colon = strrchr(name, ':');
    return colon ? (size_t)strtoull(colon + 1, NULL, 10) : 0;
}

static enum lfm_status take_response(void *context, cJSON *row, const char *name, struct lfm_error *error)
{
    struct scoring *scoring = context;
    struct lfm_response response = {.row = row, .line = line_of(name)};
    LFM_TRY(scoring->scorer->find(scoring->data, row, name, &response.item, error));
    LFM_TRY(LFM_GROW(&scoring->responses, &scoring->capacity, scoring->count + 1, error));
    LFM_TRY(lfm_alloc(&response.verdict, 1, scoring->scorer->verdict_size, error));
    scoring->responses[scoring->count++] = response;
    return LFM_OK;
}

struct answered {
    const void *item;
    size_t line;
};

static int by_item(const void *a, const void *b)
{
    const struct answered *first = a, *second = b;
    if (first->item != second->item) return first->item < second->item ? -1 : 1;
    return (first->line > second->line) - (first->line < second->line);
}

static enum lfm_status refuse_duplicates(const struct scoring *scoring)
{
    struct answered *answered;
    enum lfm_status status = LFM_OK;
    LFM_TRY(LFM_ALLOC(&answered, scoring->count, scoring->error));
    for (size_t i = 0; i < scoring->count; i++)
        answered[i] = (struct answered){scoring->responses[i].item, scoring->responses[i].line};
    qsort(answered, scoring->count, sizeof *answered, by_item);
    for (size_t i = 1; i < scoring->count && status == LFM_OK; i++)
        if (answered[i].item == answered[i - 1].item)
            status = lfm_fail(scoring->error, LFM_ERROR_MISMATCH,
                              "%s:%zu: a second response to the item of line %zu; --many allows several", scoring->path,
                              answered[i].line, answered[i - 1].line);
    free(answered);
    return status;
}

static enum lfm_status read_responses(struct scoring *scoring)
{
    LFM_TRY(lfm_each_json_line(scoring->path, take_response, scoring, scoring->error));
    if (scoring->count == 0)
        return lfm_fail(scoring->error, LFM_ERROR_FORMAT, "%s: there are no responses", scoring->path);
    return scoring->many ? LFM_OK : refuse_duplicates(scoring);
}

/* --- scoring --- */

/* Of several that fail, the first in the file is reported, whatever the threads do. */
static enum lfm_status score_responses(const struct scoring *scoring)
{
    enum lfm_status status = LFM_OK;
    size_t first = scoring->count;
#pragma omp parallel for schedule(dynamic, 4)
    for (size_t i = 0; i < scoring->count; i++) {
        struct lfm_error error = {0};
        enum lfm_status own = scoring->scorer->score(&scoring->responses[i], &error);
        if (own == LFM_OK) continue;
#pragma omp critical(lfm_score)
        if (i < first) {
            first = i;
            status = own;
            *scoring->error = error;
        }
    }
    return status == LFM_OK ? LFM_OK
                            : lfm_fail_in(scoring->error, "%s:%zu", scoring->path, scoring->responses[first].line);
}

static enum lfm_status write_line(struct lfm_output *output, cJSON *line, struct lfm_error *error)
{
    char *text = cJSON_PrintUnformatted(line);
    if (!text) return lfm_fail(error, LFM_ERROR_MEMORY, "cannot write '%s': out of memory", output->path);
    enum lfm_status status = lfm_output_write(output, text, strlen(text), error);
    if (status == LFM_OK) status = lfm_output_write(output, "\n", 1, error);
    cJSON_free(text);
    return status;
}

static enum lfm_status write_verdicts(const struct scoring *scoring)
{
    struct lfm_output output;
    enum lfm_status status = LFM_OK;
    if (!scoring->verdicts) return LFM_OK;
    LFM_TRY(lfm_output_open(&output, scoring->verdicts, scoring->error));
    for (size_t i = 0; i < scoring->count && status == LFM_OK; i++) {
        cJSON *line = cJSON_CreateObject();
        cJSON_AddNumberToObject(line, "line", (double)scoring->responses[i].line);
        scoring->scorer->describe(&scoring->responses[i], line);
        status = write_line(&output, line, scoring->error);
        cJSON_Delete(line);
    }
    if (status == LFM_OK) return lfm_output_commit(&output, scoring->error);
    lfm_output_abandon(&output);
    return status;
}

static enum lfm_status score(struct scoring *scoring, cJSON *document)
{
    LFM_TRY(open_data(scoring));
    enum lfm_status status = read_responses(scoring);
    if (status == LFM_OK) status = score_responses(scoring);
    if (status == LFM_OK) status = write_verdicts(scoring);
    if (status == LFM_OK && document) {
        cJSON_AddStringToObject(document, "suite", scoring->scorer->suite->name);
        cJSON_AddNumberToObject(document, "responses", (double)scoring->count);
    }
    if (status == LFM_OK) scoring->scorer->report(scoring->responses, scoring->count, document);
    for (size_t i = 0; i < scoring->count; i++) {
        cJSON_Delete(scoring->responses[i].row);
        free(scoring->responses[i].verdict);
    }
    free(scoring->responses);
    scoring->scorer->close(scoring->data);
    return status;
}

int lfm_command_score(int argc, char **argv)
{
    struct lfm_error error = {0};
    struct scoring scoring = {.error = &error};
    const struct lfm_option options[] = {
        {"responses", "F.jsonl", "the responses, one JSON object per line", LFM_OPTION_STRING, &scoring.path},
        {"data", "PATH", "as published: IFEval's input_data.jsonl, BFCL's directory (the project's own tasks)",
         LFM_OPTION_STRING, &scoring.data_path},
        {"verdicts", "OUT.jsonl", "write one line per response", LFM_OPTION_STRING, &scoring.verdicts},
        {"many", NULL, "allow several responses to one item", LFM_OPTION_FLAG, &scoring.many},
        {0},
    };
    const struct lfm_usage usage = {
        .name = "score",
        .arguments = "SUITE --responses F.jsonl --data PATH [options]",
        .summary = "Scores recorded responses without a model, as the official scorer does. SUITE: ifeval, bfcl.",
        .notes = "ifeval: {\"key\": 1, \"response\": \"...\"} or {\"prompt\": \"...\", \"response\": \"...\"}\n"
                 "bfcl: {\"id\": \"simple_python_0\", \"result\": \"...\", \"mode\": \"lfm2\", \"prompt\" or \"openai\"}\n"
                 "Without --data: $LFMSCOPE_DATA/SUITE, or datasets/tasks/SUITE.",
        .options = options,
        .min_arguments = 1,
        .max_arguments = 1,
    };
    struct lfm_common common;
    struct lfm_strings arguments;
    int exit_code;
    if (!lfm_parse_arguments(&usage, argc, argv, &common, &arguments, &exit_code)) return exit_code;
    const char *suite = arguments.items[0];
    lfm_strings_release(&arguments);
    scoring.scorer = scorer_by_name(suite);
    if (!scoring.scorer) return lfm_report_usage(&usage, "unknown suite '%s': expected ifeval or bfcl", suite);
    if (!scoring.path) return lfm_report_usage(&usage, "--responses is needed");

    cJSON *document = common.json ? lfm_json_document("score", argc, argv) : NULL;
    enum lfm_status status = score(&scoring, document);
    if (status == LFM_OK && document)
        status = lfm_print_document(document, &error);
    else
        cJSON_Delete(document);
    return lfm_report_status(status, &error);
}
