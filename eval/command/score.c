/* score: verdicts for responses that something else produced. One row of `scorers` per suite. */
#include "eval/command/commands.h"
#include "eval/command/score.h"
#include "eval/harness/verdicts.h"
#include "reference/base/command.h"
#include "reference/base/memory.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct {
    const char *suite;
    enum lfm_status (*score)(const struct lfm_score_options *options, cJSON *document, struct lfm_error *error);
} scorers[] = {
    {"ifeval", lfm_score_ifeval},
    {"bfcl", lfm_score_bfcl},
};

size_t lfm_line_of(const char *name)
{
    const char *colon = strrchr(name, ':');
    return colon ? (size_t)strtoull(colon + 1, NULL, 10) : 0;
}

static int by_item(const void *a, const void *b)
{
    const struct lfm_answered *first = a, *second = b;
    if (first->item != second->item) return first->item < second->item ? -1 : 1;
    return (first->line > second->line) - (first->line < second->line);
}

enum lfm_status lfm_refuse_duplicates(const void *responses, size_t n, size_t size, const char *path,
                                      struct lfm_error *error)
{
    struct lfm_answered *answered;
    enum lfm_status status = LFM_OK;
    LFM_TRY(LFM_ALLOC(&answered, n, error));
    for (size_t i = 0; i < n; i++) memcpy(&answered[i], (const char *)responses + i * size, sizeof *answered);
    if (n > 1) qsort(answered, n, sizeof *answered, by_item);
    for (size_t i = 1; i < n && status == LFM_OK; i++)
        if (answered[i].item == answered[i - 1].item)
            status = lfm_fail(error, LFM_ERROR_MISMATCH,
                              "%s:%zu: a second response to the item of line %zu; --many allows several", path,
                              answered[i].line, answered[i - 1].line);
    free(answered);
    return status;
}

enum lfm_status lfm_write_verdict(struct lfm_output *output, cJSON *verdict, struct lfm_error *error)
{
    char *text = cJSON_PrintUnformatted(verdict);
    cJSON_Delete(verdict);
    if (!text) return lfm_fail(error, LFM_ERROR_MEMORY, "cannot write '%s': out of memory", output->path);
    enum lfm_status status = lfm_output_write(output, text, strlen(text), error);
    if (status == LFM_OK) status = lfm_output_write(output, "\n", 1, error);
    cJSON_free(text);
    return status;
}

void lfm_print_rate(const char *name, size_t right, size_t n)
{
    struct lfm_interval interval = lfm_wilson(right, n, 0.95);
    printf("%-24s %7.2f %%  [%.2f, %.2f]  %zu of %zu\n", name, 100 * (double)right / (double)n, 100 * interval.low,
           100 * interval.high, right, n);
}

int lfm_command_score(int argc, char **argv)
{
    struct lfm_score_options score = {0};
    const struct lfm_option options[] = {
        {"responses", "F.jsonl", "the responses, one JSON object per line", LFM_OPTION_STRING, &score.responses},
        {"data", "PATH", "as published: IFEval's input_data.jsonl, BFCL's directory", LFM_OPTION_STRING, &score.data},
        {"verdicts", "OUT.jsonl", "write one line per response", LFM_OPTION_STRING, &score.verdicts},
        {"many", NULL, "allow several responses to one item", LFM_OPTION_FLAG, &score.many},
        {0},
    };
    const struct lfm_usage usage = {
        .name = "score",
        .arguments = "SUITE --responses F.jsonl --data PATH [options]",
        .summary = "Scores recorded responses without a model, as the official scorer does. SUITE: ifeval, bfcl.",
        .notes = "ifeval: {\"key\": 1, \"response\": \"...\"} or {\"prompt\": \"...\", \"response\": \"...\"}\n"
                 "bfcl: {\"id\": \"simple_python_0\", \"result\": \"...\", \"mode\": \"lfm2\", \"prompt\" or \"openai\"}",
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
    if (!score.responses || !score.data) return lfm_report_usage(&usage, "--responses and --data are needed");
    size_t found = sizeof scorers / sizeof scorers[0];
    for (size_t i = 0; i < sizeof scorers / sizeof scorers[0]; i++)
        if (strcmp(scorers[i].suite, suite) == 0) found = i;
    if (found == sizeof scorers / sizeof scorers[0]) return lfm_report_usage(&usage, "unknown suite '%s'", suite);

    struct lfm_error error = {0};
    cJSON *document = common.json ? lfm_json_document("score", argc, argv) : NULL;
    enum lfm_status status = scorers[found].score(&score, document, &error);
    if (status == LFM_OK && document)
        status = lfm_print_document(document, &error);
    else
        cJSON_Delete(document);
    return lfm_report_status(status, &error);
}
