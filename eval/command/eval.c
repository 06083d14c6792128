/* eval: a suite of tasks on a model. */
#include "eval/command/commands.h"
#include "eval/command/evaluation.h"
#include "eval/harness/suite.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

enum { MOST_BATCH = 1024, MOST_SAMPLES = 1000 };

/* What was not said on the command line is told from what was by values that mean nothing. */
static const struct lfm_sampling unsaid = {
    .temperature = -1, .top_k = SIZE_MAX, .top_p = -1, .min_p = -1, .repetition_penalty = -1};

static const struct {
    const char *name;
    struct lfm_sampling sampling;
} presets[] = {
    {"greedy", {.top_p = 1, .repetition_penalty = 1}},
    {"lfm2.5", {.temperature = 0.2, .top_k = 80, .top_p = 1, .repetition_penalty = 1.05}}, /* its model card */
};

/* Fills in what was not said. False when there is no such preset. */
static bool apply_preset(struct lfm_sampling *sampling, const char *name)
{
    for (size_t i = 0; i < sizeof presets / sizeof presets[0]; i++) {
        const struct lfm_sampling *preset = &presets[i].sampling;
        if (strcmp(presets[i].name, name) != 0) continue;
        if (sampling->temperature == unsaid.temperature) sampling->temperature = preset->temperature;
        if (sampling->top_k == unsaid.top_k) sampling->top_k = preset->top_k;
        if (sampling->top_p == unsaid.top_p) sampling->top_p = preset->top_p;
        if (sampling->min_p == unsaid.min_p) sampling->min_p = preset->min_p;
        if (sampling->repetition_penalty == unsaid.repetition_penalty)
            sampling->repetition_penalty = preset->repetition_penalty;
        return true;
    }
    return false;
}

/* The first thing that does not do, or NULL. */
static const char *complaint_about(const struct lfm_evaluation *evaluation)
{
    if (!evaluation->model || !evaluation->data || !evaluation->output)
        return "--model, --data and --output are needed";
    if (evaluation->batch == 0 || evaluation->batch > MOST_BATCH) return "'--batch' must be from 1 to 1024";
    if (evaluation->task.samples == 0 || evaluation->task.samples > MOST_SAMPLES)
        return "'--samples' must be from 1 to 1000";
    if (evaluation->max_tokens == 0 || evaluation->max_tokens > INT32_MAX)
        return "'--max-tokens' must be from 1 to 2147483647";
    if (evaluation->common.seed > (UINT64_C(1) << 53)) return "'--seed' must be at most 2^53";
    if (!(evaluation->margin > 0 && evaluation->margin < 1)) return "'--margin' must lie between 0 and 1";
    if (evaluation->against && evaluation->task.samples > 1)
        return "--against pairs items by one sample each: leave --samples out";
    return NULL;
}

/* Takes over what follows from the command line as a whole. False, with *exit_code set, when it does not do. */
static bool settle(struct lfm_evaluation *evaluation, const struct lfm_usage *usage, const char *suite,
                   const char *preset, int *exit_code)
{
    const char *complaint = complaint_about(evaluation);
    evaluation->task.suite = lfm_suite_by_name(suite);
    evaluation->task.seed = evaluation->common.seed;
    *exit_code = LFM_EXIT_OK;
    if (!evaluation->task.suite)
        *exit_code = lfm_report_usage(usage, "unknown suite '%s'", suite);
    else if (!apply_preset(&evaluation->sampling, preset))
        *exit_code = lfm_report_usage(usage, "unknown preset '%s': expected greedy or lfm2.5", preset);
    else if (complaint)
        *exit_code = lfm_report_usage(usage, "%s", complaint);
    return *exit_code == LFM_EXIT_OK;
}

/* --- the results --- */

static void print_rates(const cJSON *summary)
{
    for (const cJSON *rate = summary->child; rate; rate = rate->next) {
        const cJSON *accuracy = cJSON_GetObjectItemCaseSensitive(rate, "accuracy");
        if (!cJSON_IsNumber(accuracy)) continue;
        printf("%-26s %7.2f %%  [%.2f, %.2f]  %.0f of %.0f\n", rate->string, 100 * accuracy->valuedouble,
               100 * cJSON_GetObjectItemCaseSensitive(rate, "low")->valuedouble,
               100 * cJSON_GetObjectItemCaseSensitive(rate, "high")->valuedouble,
               cJSON_GetObjectItemCaseSensitive(rate, "right")->valuedouble,
               cJSON_GetObjectItemCaseSensitive(rate, "n")->valuedouble);
    }
}

static void print_passes(const cJSON *passes)
{
    if (!passes) return;
    printf("\n%4s %10s %10s\n", "k", "pass@k", "pass^k");
    for (const cJSON *row = passes->child; row; row = row->next)
        printf("%4.0f %8.2f %% %8.2f %%\n", cJSON_GetObjectItemCaseSensitive(row, "k")->valuedouble,
               100 * cJSON_GetObjectItemCaseSensitive(row, "at_least_one")->valuedouble,
               100 * cJSON_GetObjectItemCaseSensitive(row, "all")->valuedouble);
}

static void print_summary(const cJSON *summary)
{
    printf("%s, %s, weights %s: %.0f items (95 %% Wilson intervals)\n",
           cJSON_GetObjectItemCaseSensitive(summary, "suite")->valuestring,
           cJSON_GetObjectItemCaseSensitive(summary, "model")->valuestring,
           cJSON_GetObjectItemCaseSensitive(summary, "weights")->valuestring,
           cJSON_GetObjectItemCaseSensitive(summary, "items")->valuedouble);
    print_rates(summary);
    print_passes(cJSON_GetObjectItemCaseSensitive(summary, "pass"));
    printf("\nanswers that ended by");
    const cJSON *finishes = cJSON_GetObjectItemCaseSensitive(summary, "finish");
    for (const cJSON *finish = finishes->child; finish; finish = finish->next)
        printf("%s %s %.0f", finish == finishes->child ? "" : ",", finish->string, finish->valuedouble);
    printf("; %.0f tokens generated\n", cJSON_GetObjectItemCaseSensitive(summary, "generated_tokens")->valuedouble);
}

static enum lfm_status report(const struct lfm_evaluation *evaluation, cJSON *document, struct lfm_error *error)
{
    if (evaluation->common.json) return lfm_print_document(document, error);
    if (evaluation->against)
        lfm_print_comparison(document);
    else
        print_summary(document);
    cJSON_Delete(document);
    return LFM_OK;
}

/* --- the command --- */

static enum lfm_status evaluate(struct lfm_evaluation *evaluation, struct lfm_error *error)
{
    struct lfm_evaluation_result result = {0};
    cJSON *document = NULL;
    LFM_TRY(lfm_sha256_file(evaluation->data, evaluation->data_sha256, error));
    LFM_TRY(lfm_task_select(&evaluation->task, evaluation->ids, evaluation->exclude, evaluation->limit, error));
    if (evaluation->against) {
        LFM_TRY(lfm_evaluate_against(evaluation, &document, error));
    } else {
        LFM_TRY(lfm_evaluate(evaluation, evaluation->output, evaluation->weights.weights, &result, error));
        document = result.summary;
        result.summary = NULL;
        lfm_evaluation_result_release(&result);
    }
    return report(evaluation, document, error);
}

static int run_command(struct lfm_evaluation *evaluation)
{
    struct lfm_error error = {0};
    void *data;
    const struct lfm_suite *suite = evaluation->task.suite;
    lfm_catch_interrupts();
    enum lfm_status status = suite->open(&data, evaluation->data, &error);
    if (status == LFM_OK) {
        evaluation->task.data = data;
        status = evaluate(evaluation, &error);
        lfm_task_release(&evaluation->task);
        suite->close(data);
    }
    return lfm_report_status(status, &error);
}

int lfm_command_eval(int argc, char **argv)
{
    struct lfm_evaluation evaluation = {.batch = 8,
                                        .max_tokens = 1280,
                                        .margin = 0.02,
                                        .sampling = unsaid,
                                        .weights = LFM_MODEL_ARGUMENTS_DEFAULT,
                                        .task = {.samples = 1},
                                        .argc = argc,
                                        .argv = argv};
    struct lfm_sampling *sampling = &evaluation.sampling;
    const char *preset = "greedy";
    const struct lfm_option options[] = {
        {"model", "MODEL", "the model", LFM_OPTION_STRING, &evaluation.model},
        {"data", "PATH", "the data set as published: IFEval's input_data.jsonl", LFM_OPTION_STRING, &evaluation.data},
        {"output", "RUN", "directory of the run; an unfinished one is continued", LFM_OPTION_STRING,
         &evaluation.output},
        {"against", "T,T,...", "also with the weights in these types, and what flips", LFM_OPTION_STRING,
         &evaluation.against},
        {"margin", "X", "difference that --against takes for none (0.02)", LFM_OPTION_DOUBLE, &evaluation.margin},
        {"limit", "N", "the first N items (all)", LFM_OPTION_SIZE, &evaluation.limit},
        {"ids", "A,B,...", "only these items", LFM_OPTION_STRING, &evaluation.ids},
        {"exclude", "A,B,...", "not these items", LFM_OPTION_STRING, &evaluation.exclude},
        {"samples", "K", "answers per item (1)", LFM_OPTION_SIZE, &evaluation.task.samples},
        {"retry-failed", NULL, "run samples that ended in an error again", LFM_OPTION_FLAG,
         &evaluation.task.retry_failed},
        {"batch", "N", "answers that are generated together (8)", LFM_OPTION_SIZE, &evaluation.batch},
        {"max-tokens", "N", "tokens per answer at most (1280)", LFM_OPTION_SIZE, &evaluation.max_tokens},
        {"preset", "P", "sampling: greedy, or lfm2.5 (0.2, top-k 80, penalty 1.05) (greedy)", LFM_OPTION_STRING,
         &preset},
        {"temperature", "X", "0 takes the most likely token", LFM_OPTION_DOUBLE, &sampling->temperature},
        {"top-k", "N", "sample among the N most likely; 0 is all", LFM_OPTION_SIZE, &sampling->top_k},
        {"top-p", "X", "sample among the most likely that make up X", LFM_OPTION_DOUBLE, &sampling->top_p},
        {"min-p", "X", "sample among those X times as likely as the most likely", LFM_OPTION_DOUBLE, &sampling->min_p},
        {"repetition-penalty", "X", "make earlier tokens less likely; 1 is off", LFM_OPTION_DOUBLE,
         &sampling->repetition_penalty},
        {"date", "D", "today's date, for chat templates that print it (YYYY-MM-DD)", LFM_OPTION_STRING,
         &evaluation.date},
        LFM_MODEL_OPTION_ROWS(evaluation.weights),
        {0},
    };
    const struct lfm_usage usage = {
        .name = "eval",
        .arguments = "SUITE --model MODEL --data PATH --output RUN [options]",
        .summary = "Runs a suite of tasks on a model and scores the answers. SUITE: ifeval.",
        .notes = "A run that was interrupted or killed goes on with the same command. Items and samples may be added to\n"
                 "a run; model, data, weights, sampling and seed may not change.",
        .options = options,
        .min_arguments = 1,
        .max_arguments = 1,
    };
    struct lfm_strings arguments;
    int exit_code;
    if (!lfm_parse_arguments(&usage, argc, argv, &evaluation.common, &arguments, &exit_code)) return exit_code;
    if (settle(&evaluation, &usage, arguments.items[0], preset, &exit_code)) exit_code = run_command(&evaluation);
    lfm_strings_release(&arguments);
    return exit_code;
}
