/* eval: suites of tasks on a model. */
#include "eval/command/commands.h"
#include "eval/command/evaluation.h"

#include <stdio.h>
#include <stdlib.h>

/* The suites of the table, one line each. */
static void describe_suites(char *text, size_t size)
{
    size_t used = (size_t)snprintf(text, size, "suites (several: a,b,c):\n");
    for (const struct lfm_suite *const *suite = lfm_suites; *suite && used < size; suite++)
        used += (size_t)snprintf(text + used, size - used, "  %-10s %s\n", (*suite)->name, (*suite)->summary);
    if (used < size)
        snprintf(text + used, size - used,
                 "\nThe data of a suite lie in --data, else in $LFMSCOPE_DATA/SUITE, else in datasets/tasks/SUITE. The\n"
                 "key for an endpoint is taken from LFMSCOPE_API_KEY or OPENAI_API_KEY. A run that was interrupted or\n"
                 "killed goes on with the same command. Items and samples may be added to a run; model, data, weights,\n"
                 "sampling and seed may not change.");
}

static enum lfm_status evaluate_one(const struct lfm_evaluation *evaluation, cJSON **documents, struct lfm_error *error)
{
    const struct lfm_eval_variant plain = {.arguments = evaluation->weights};
    struct lfm_evaluation_result results[LFM_MOST_JOBS];
    enum lfm_status status = lfm_evaluate(evaluation, &plain, NULL, results, error);
    for (size_t i = 0; i < evaluation->n_jobs; i++) {
        documents[i] = results[i].summary;
        results[i].summary = NULL;
        lfm_evaluation_result_release(&results[i]);
    }
    return status;
}

static enum lfm_status run(struct lfm_evaluation *evaluation, struct lfm_error *error)
{
    cJSON *documents[LFM_MOST_JOBS] = {NULL};
    LFM_TRY(lfm_jobs_open(evaluation, error));
    enum lfm_status status = evaluation->against ? lfm_evaluate_against(evaluation, documents, error)
                                                 : evaluate_one(evaluation, documents, error);
    if (status == LFM_OK)
        return lfm_print_evaluations(documents, evaluation->n_jobs, &evaluation->common, evaluation->argc,
                                     evaluation->argv, error);
    for (size_t i = 0; i < evaluation->n_jobs; i++) cJSON_Delete(documents[i]);
    return status;
}

static int settle_and_run(struct lfm_evaluation *evaluation, const struct lfm_usage *usage)
{
    struct lfm_error error = {0};
    int exit_code;
    if (lfm_evaluation_settle(evaluation, &error) != LFM_OK) {
        exit_code = lfm_report_usage(usage, "%s", error.message);
    } else {
        lfm_catch_interrupts();
        exit_code = lfm_report_status(run(evaluation, &error), &error);
    }
    lfm_evaluation_release(evaluation);
    return exit_code;
}

int lfm_command_eval(int argc, char **argv)
{
    struct lfm_evaluation evaluation = lfm_evaluation_unsaid(argc, argv);
    struct lfm_sampling *sampling = &evaluation.sampling;
    struct lfm_selection *selection = &evaluation.selection;
    const struct lfm_option options[] = {
        {"model", "MODEL", "the model", LFM_OPTION_STRING, &evaluation.model},
        {"endpoint", "URL", "instead of a model: a server with OpenAI's interface, http://host:port/v1",
         LFM_OPTION_STRING, &evaluation.endpoint},
        {"data", "PATH", "the data set, as published; of several suites, the directory above", LFM_OPTION_STRING,
         &evaluation.data},
        {"output", "RUN", "directory of the run; an unfinished one is continued", LFM_OPTION_STRING,
         &evaluation.output},
        {"against", "V,V,...", "also these variants, WEIGHTS[/ACTIVATIONS[/KV]], and what flips", LFM_OPTION_STRING,
         &evaluation.against},
        {"margin", "X", "difference that --against takes for none (0.02)", LFM_OPTION_DOUBLE, &evaluation.margin},
        {"limit", "N", "the first N items (all)", LFM_OPTION_SIZE, &selection->limit},
        {"ids", "A,B,...", "only these items", LFM_OPTION_STRING, &selection->ids},
        {"exclude", "A,B,...", "not these items", LFM_OPTION_STRING, &selection->exclude},
        {"shard", "I/N", "of these items, every N-th from the I-th on; lfmscope merge joins them", LFM_OPTION_STRING,
         &evaluation.shard},
        {"samples", "K", "answers per item (1)", LFM_OPTION_SIZE, &evaluation.samples},
        {"retry-failed", NULL, "run samples that ended in an error again", LFM_OPTION_FLAG, &evaluation.retry_failed},
        {"max-tokens", "N", "tokens per answer at most (1280)", LFM_OPTION_SIZE, &evaluation.max_tokens},
        {"preset", "P", "sampling: greedy, or lfm2.5 (0.2, top-k 80, penalty 1.05) (greedy)", LFM_OPTION_STRING,
         &evaluation.preset},
        {"temperature", "X", "0 takes the most likely token", LFM_OPTION_DOUBLE, &sampling->temperature},
        {"top-k", "N", "sample among the N most likely; 0 is all", LFM_OPTION_SIZE, &sampling->top_k},
        {"top-p", "X", "sample among the most likely that make up X", LFM_OPTION_DOUBLE, &sampling->top_p},
        {"min-p", "X", "sample among those X times as likely as the most likely", LFM_OPTION_DOUBLE, &sampling->min_p},
        {"repetition-penalty", "X", "make earlier tokens less likely; 1 is off", LFM_OPTION_DOUBLE,
         &sampling->repetition_penalty},
        LFM_MODEL_OPTION_ROWS(evaluation.weights),
        {"batch", "N", "model: answers that are generated together (8)", LFM_OPTION_SIZE, &evaluation.batch},
        {"reuse", "MIB", "model: memory for what prompts have in common (1024)", LFM_OPTION_SIZE,
         &evaluation.reuse_megabytes},
        {"guesses", "N", "model: tokens guessed ahead where an answer repeats itself; changes no answer (7)", LFM_OPTION_SIZE,
         &evaluation.guesses},
        {"date", "D", "model: today's date, for chat templates that print it (YYYY-MM-DD)", LFM_OPTION_STRING,
         &evaluation.date},
        {"model-name", "NAME", "endpoint: the model that the server is asked for", LFM_OPTION_STRING,
         &evaluation.model_name},
        {"calls-as-text", NULL, "endpoint: calls of functions stay in the text, as LFM2 models write them", LFM_OPTION_FLAG,
         &evaluation.calls_as_text},
        {"concurrency", "N", "endpoint: requests under way together (8)", LFM_OPTION_SIZE, &evaluation.concurrency},
        {"retries", "N", "endpoint: further attempts at a request that failed (5)", LFM_OPTION_SIZE,
         &evaluation.retries},
        {"timeout", "S", "endpoint: seconds per attempt (600)", LFM_OPTION_DOUBLE, &evaluation.timeout},
        {0},
    };
    char notes[4096];
    describe_suites(notes, sizeof notes);
    const struct lfm_usage usage = {
        .name = "eval",
        .arguments = "SUITE[,SUITE...] --model MODEL --output RUN [options]",
        .summary = "Runs suites of tasks on a model and scores the answers.",
        .notes = notes,
        .options = options,
        .min_arguments = 1,
        .max_arguments = 1,
    };
    struct lfm_strings arguments;
    int exit_code;
    if (!lfm_parse_arguments(&usage, argc, argv, &evaluation.common, &arguments, &exit_code)) return exit_code;
    evaluation.suites = arguments.items[0];
    lfm_strings_release(&arguments);
    return settle_and_run(&evaluation, &usage);
}
