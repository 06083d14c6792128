/* score: verdicts for responses that something else produced. One row of `scorers` per suite. */
#include "eval/command/commands.h"
#include "eval/command/score.h"
#include "reference/base/command.h"

#include <stdio.h>
#include <string.h>

static const struct {
    const char *suite;
    enum lfm_status (*score)(const struct lfm_score_options *options, cJSON *document, struct lfm_error *error);
} scorers[] = {
    {"ifeval", lfm_score_ifeval},
};

int lfm_command_score(int argc, char **argv)
{
    struct lfm_score_options score = {0};
    const struct lfm_option options[] = {
        {"responses", "F.jsonl", "the responses, one JSON object per line", LFM_OPTION_STRING, &score.responses},
        {"data", "PATH", "the data set as published: IFEval's input_data.jsonl", LFM_OPTION_STRING, &score.data},
        {"verdicts", "OUT.jsonl", "write one line per response", LFM_OPTION_STRING, &score.verdicts},
        {"many", NULL, "allow several responses to one item", LFM_OPTION_FLAG, &score.many},
        {0},
    };
    const struct lfm_usage usage = {
        .name = "score",
        .arguments = "SUITE --responses F.jsonl --data PATH [options]",
        .summary = "Scores recorded responses without a model, as the official scorer does. SUITE: ifeval.",
        .notes = "A response is {\"key\": 1, \"response\": \"...\"} or {\"prompt\": \"...\", \"response\": \"...\"}.",
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
