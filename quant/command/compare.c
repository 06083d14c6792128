/* lfmscope compare: distances between a reference and candidates, live, or between traces. */
#include "quant/command/candidate.h"
#include "quant/command/commands.h"
#include "quant/command/compare_report.h"
#include "quant/command/text_options.h"
#include "quant/command/trace_comparison.h"
#include "quant/compare.h"
#include "quant/compare_figures.h"
#include "quant/inject.h"
#include "reference/base/file.h"
#include "reference/base/memory.h"
#include "reference/command/model_options.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

struct task {
    const struct lfm_strings *arguments; /* reference, candidates */
    struct lfm_model_arguments model;
    struct lfm_text_arguments text_arguments;
    const struct lfm_common *common;
    bool inject;

    struct lfm_model *reference;
    size_t n; /* candidates */
    struct lfm_model **candidates;
    const char **names;
    struct lfm_comparison *comparisons;
    struct lfm_compare_figures *figures;
    double *reference_nll;
    struct lfm_injection *injections; /* with --inject */
    struct lfm_text text;
};

static enum lfm_status open_models(struct task *task, struct lfm_error *error)
{
    task->n = task->arguments->count - 1;
    LFM_TRY(LFM_ALLOC(&task->candidates, task->n, error));
    LFM_TRY(LFM_ALLOC(&task->names, task->n, error));
    LFM_TRY(lfm_open_model(&task->reference, task->arguments->items[0], &task->model, "reference", task->common->quiet,
                           error));
    for (size_t c = 0; c < task->n; c++)
        LFM_TRY(lfm_open_candidate(&task->candidates[c], &task->names[c], task->arguments->items[1 + c], task->reference,
                                   task->arguments->items[0], &task->model, task->common->quiet, error));
    return LFM_OK;
}

static enum lfm_status compare_models(struct task *task, struct lfm_error *error)
{
    size_t positions = task->text.positions.count;
    LFM_TRY(LFM_ALLOC(&task->comparisons, task->n, error));
    LFM_TRY(LFM_ALLOC(&task->figures, task->n, error));
    LFM_TRY(LFM_ALLOC(&task->reference_nll, positions, error));
    for (size_t c = 0; c < task->n; c++)
        LFM_TRY(lfm_comparison_init(&task->comparisons[c], task->reference, task->candidates[c], positions, error));

    struct lfm_progress progress;
    lfm_progress_start(&progress, "comparing", "tokens", (double)(task->text.windows.n_tokens * (1 + task->n)),
                       task->common->quiet);
    enum lfm_status status = lfm_compare(task->reference_nll, task->comparisons, task->n, task->reference,
                                         &task->text.windows, &progress, error);
    lfm_progress_finish(&progress);
    for (size_t c = 0; c < task->n && status == LFM_OK; c++)
        status = lfm_compare_figures(&task->figures[c], &task->comparisons[c], task->reference_nll,
                                     &task->text.positions, task->common->seed, error);
    return status;
}

/* Beside the comparison: which errors are a module's own. */
static enum lfm_status inject(struct task *task, struct lfm_error *error)
{
    struct lfm_progress progress;
    LFM_TRY(LFM_ALLOC(&task->injections, task->n, error));
    for (size_t c = 0; c < task->n; c++)
        LFM_TRY(lfm_injection_init(&task->injections[c], task->reference, task->candidates[c], error));
    lfm_progress_start(&progress, "injecting", "tokens", (double)(task->text.windows.n_tokens * (1 + 3 * task->n)),
                       task->common->quiet);
    enum lfm_status status = lfm_inject(task->injections, task->n, task->reference, &task->text.windows, &progress, error);
    lfm_progress_finish(&progress);
    return status;
}

static enum lfm_status run(struct task *task, int argc, char **argv, struct lfm_error *error)
{
    LFM_TRY(open_models(task, error));
    LFM_TRY(lfm_text_open(&task->text, &task->text_arguments, task->reference->checkpoint, error));
    if (task->inject) LFM_TRY(inject(task, error));
    LFM_TRY(compare_models(task, error));
    const struct lfm_compare_result result = {
        .reference = task->reference,
        .candidates = task->candidates,
        .names = task->names,
        .comparisons = task->comparisons,
        .figures = task->figures,
        .n = task->n,
        .reference_nll = task->reference_nll,
        .injections = task->injections,
        .text = &task->text,
    };
    return task->common->json ? lfm_compare_print_json(&result, argc, argv, error)
                              : lfm_compare_print_tables(&result, error);
}

static void release(struct task *task)
{
    for (size_t c = 0; task->comparisons && c < task->n; c++) lfm_comparison_release(&task->comparisons[c]);
    for (size_t c = 0; task->candidates && c < task->n; c++) lfm_model_close(task->candidates[c]);
    for (size_t c = 0; task->injections && c < task->n; c++) lfm_injection_release(&task->injections[c]);
    lfm_model_close(task->reference);
    lfm_text_close(&task->text);
    free(task->candidates);
    free(task->names);
    free(task->comparisons);
    free(task->figures);
    free(task->reference_nll);
    free(task->injections);
}

static bool is_trace(const char *path)
{
    size_t length = strlen(path);
    return length > 3 && strcmp(path + length - 3, ".h5") == 0;
}

static size_t count_traces(const struct lfm_strings *arguments)
{
    size_t traces = 0;
    for (size_t i = 0; i < arguments->count; i++) traces += is_trace(arguments->items[i]);
    return traces;
}

/* What is wrong with options that belong to traces or to models alone, or NULL; fills in the defaults of traces. */
static const char *wrong_options(const struct task *task, struct lfm_trace_compare_options *traces, size_t n_traces)
{
    const struct lfm_trace_compare_options defaults = LFM_TRACE_COMPARE_DEFAULT;
    if (n_traces > 0 && task->inject) return "'--inject' runs models: traces hold no weights";
    if (n_traces == 0 && !isnan(traces->tolerance)) return "'--tolerance' is for traces (*.h5)";
    if (n_traces == 0 && !isnan(traces->outliers)) return "'--outliers' is for traces (*.h5)";
    if (isnan(traces->tolerance)) traces->tolerance = defaults.tolerance;
    if (isnan(traces->outliers)) traces->outliers = defaults.outliers;
    if (!(traces->tolerance >= 0 && isfinite(traces->tolerance))) return "'--tolerance' must be a number from 0 up";
    if (!(traces->outliers >= 1 && isfinite(traces->outliers))) return "'--outliers' must be a number from 1 up";
    return NULL;
}

int lfm_command_compare(int argc, char **argv)
{
    struct task task = {.model = LFM_MODEL_ARGUMENTS_DEFAULT, .text_arguments = LFM_TEXT_ARGUMENTS_DEFAULT};
    struct lfm_trace_compare_options traces = {.tolerance = NAN, .outliers = NAN};
    const struct lfm_option options[] = {
        LFM_TEXT_OPTION_ROWS(task.text_arguments),
        LFM_MODEL_OPTION_ROWS(task.model),
        {"inject", NULL, "models: split each module's error into its own and the inherited one", LFM_OPTION_FLAG, &task.inject},
        {"tolerance", "X", "traces: count tokens whose relative L2 error is above X (0.01)", LFM_OPTION_DOUBLE,
         &traces.tolerance},
        {"outliers", "K", "traces: list channels with more than K times the median RMS (3)", LFM_OPTION_DOUBLE,
         &traces.outliers},
        {0},
    };
    const struct lfm_usage usage = {
        .name = "compare",
        .arguments = "REFERENCE CANDIDATE... --file F [options]",
        .summary = "Distances between a reference model and candidates over a text, or between trace files (*.h5).",
        .notes = "A candidate is a path, or T[/ACTIVATIONS[/KV]] (q8_0, q4_0/q8, stored/f32/f16): the reference with these\n"
                 "weights, activations and cache; a path that exists wins. --weights, --activations and --kv are the\n"
                 "reference's, and what candidates have where they do not say. Traces need no --file. docs/metrics.md\n"
                 "explains the figures.",
        .options = options,
        .min_arguments = 2,
        .max_arguments = 1000,
    };
    struct lfm_common common;
    struct lfm_strings arguments;
    int exit_code;
    if (!lfm_parse_arguments(&usage, argc, argv, &common, &arguments, &exit_code)) goto done;
    size_t n_traces = count_traces(&arguments);
    const char *wrong = wrong_options(&task, &traces, n_traces);
    if (wrong) {
        exit_code = lfm_report_usage(&usage, "%s", wrong);
        goto done;
    }
    if (n_traces == arguments.count && task.text_arguments.files.count == 0) {
        exit_code = lfm_run_trace_comparison(&common, &arguments, &traces, argc, argv);
        goto done;
    }
    if (n_traces > 0) {
        exit_code = lfm_report_usage(&usage, "%s", n_traces == arguments.count
                                                       ? "traces hold their text: '--file' is for models"
                                                       : "traces (*.h5) cannot be compared with models");
        goto done;
    }
    if (task.text_arguments.files.count == 0) {
        exit_code = lfm_report_usage(&usage, "'--file' is missing");
        goto done;
    }

    lfm_catch_interrupts();
    struct lfm_error error;
    task.arguments = &arguments;
    task.common = &common;
    exit_code = lfm_report_status(run(&task, argc, argv, &error), &error);
    release(&task);

done:
    lfm_strings_release(&arguments);
    lfm_strings_release(&task.text_arguments.files);
    return exit_code;
}
