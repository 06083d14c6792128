/* lfmscope ledger: how much of a candidate's loss is changed routing, how much is arithmetic. */
#include "quant/command/candidate.h"
#include "quant/command/commands.h"
#include "quant/command/ledger_report.h"
#include "quant/command/text_options.h"
#include "quant/ledger.h"
#include "quant/ledger_figures.h"
#include "reference/base/memory.h"
#include "reference/command/model_options.h"
#include "reference/trace/points.h"

#include <stdlib.h>
#include <string.h>

/* Margins of LFM2 routers, differences of sigmoids, lie mostly between the first and the last of these. */
static const double default_edges[] = {0.001, 0.003, 0.01, 0.03, 0.1};

enum { MOST_EDGES = 64 };

struct task {
    const struct lfm_common *common;
    const char *reference_path, *candidate_word;
    struct lfm_model_arguments model;
    struct lfm_text_arguments text_arguments;
    const char *replay, *layers, *margins; /* as typed */

    struct lfm_ledger_options options;
    double edges[MOST_EDGES];
    struct lfm_model *reference, *candidate;
    const char *name; /* of the candidate */
    struct lfm_text text;
    struct lfm_ledger ledger;
    struct lfm_ledger_figures figures;
};

static enum lfm_status parse_mode(struct task *task, struct lfm_error *error)
{
    if (lfm_replay_by_name(task->replay, &task->options.mode)) return LFM_OK;
    return lfm_fail(error, LFM_ERROR_ARGUMENT, "unknown replay '%s': expected set or set+weights", task->replay);
}

/* "none", "default", or edges "0.001,0.01". */
static enum lfm_status parse_margins(struct task *task, struct lfm_error *error)
{
    task->options.edges = task->edges;
    if (strcmp(task->margins, "none") == 0) return LFM_OK;
    if (strcmp(task->margins, "default") == 0) {
        task->options.n_edges = sizeof default_edges / sizeof default_edges[0];
        memcpy(task->edges, default_edges, sizeof default_edges);
        return LFM_OK;
    }
    for (const char *at = task->margins; at;) {
        char *end;
        double edge = strtod(at, &end);
        if (end == at || (*end != ',' && *end != '\0'))
            return lfm_fail(error, LFM_ERROR_ARGUMENT,
                            "cannot read the margins '%s': expected default, none, or edges as in 0.001,0.01,0.1",
                            task->margins);
        if (task->options.n_edges == MOST_EDGES)
            return lfm_fail(error, LFM_ERROR_ARGUMENT, "'%s' has too many margins: at most %d", task->margins, MOST_EDGES);
        task->edges[task->options.n_edges++] = edge;
        at = *end == ',' ? end + 1 : NULL;
    }
    return LFM_OK;
}

/* "none", "all" (that have experts), or "2,4-6". */
static enum lfm_status parse_layers(struct task *task, struct lfm_error *error)
{
    const struct lfm_config *config = &task->reference->config;
    struct lfm_selection selection = {0};
    if (strcmp(task->layers, "none") == 0) return LFM_OK;
    if (strcmp(task->layers, "all") == 0) {
        for (size_t layer = 0; layer < config->num_hidden_layers; layer++)
            task->options.layers[layer] = lfm_layer_is_moe(config, layer);
        return LFM_OK;
    }
    LFM_TRY(lfm_selection_parse_layers(&selection, task->layers, config, error));
    memcpy(task->options.layers, selection.layers, sizeof task->options.layers);
    return LFM_OK;
}

static enum lfm_status open_models(struct task *task, struct lfm_error *error)
{
    LFM_TRY(lfm_open_model(&task->reference, task->reference_path, &task->model, "reference", task->common->quiet, error));
    LFM_TRY(lfm_check_replayable(task->reference, task->reference, error));
    LFM_TRY(lfm_open_candidate(&task->candidate, &task->name, task->candidate_word, task->reference, task->reference_path,
                               &task->model, task->common->quiet, error));
    return lfm_check_replayable(task->reference, task->candidate, error);
}

static enum lfm_status fill(struct task *task, struct lfm_error *error)
{
    struct lfm_progress progress;
    LFM_TRY(lfm_ledger_init(&task->ledger, task->reference, task->candidate, task->text.positions.count, &task->options,
                            error));
    lfm_progress_start(&progress, "replaying", "tokens",
                       (double)task->text.windows.n_tokens * (double)lfm_ledger_runs(&task->ledger), task->common->quiet);
    enum lfm_status status = lfm_ledger_fill(&task->ledger, &task->text.windows, &progress, error);
    lfm_progress_finish(&progress);
    LFM_TRY(status);
    return lfm_ledger_figures(&task->figures, &task->ledger, &task->text.positions, error);
}

static enum lfm_status run(struct task *task, int argc, char **argv, struct lfm_error *error)
{
    LFM_TRY(parse_mode(task, error));
    LFM_TRY(parse_margins(task, error));
    LFM_TRY(open_models(task, error));
    LFM_TRY(parse_layers(task, error));
    LFM_TRY(lfm_text_open(&task->text, &task->text_arguments, task->reference->checkpoint, error));
    LFM_TRY(fill(task, error));
    const struct lfm_ledger_result result = {
        .reference = task->reference,
        .candidate = task->candidate,
        .name = task->name,
        .ledger = &task->ledger,
        .figures = &task->figures,
        .text = &task->text,
    };
    return task->common->json ? lfm_ledger_print_json(&result, argc, argv, error)
                              : lfm_ledger_print_tables(&result, error);
}

static void release(struct task *task)
{
    lfm_ledger_figures_release(&task->figures);
    lfm_ledger_release(&task->ledger);
    lfm_model_close(task->candidate);
    lfm_model_close(task->reference);
    lfm_text_close(&task->text);
}

int lfm_command_ledger(int argc, char **argv)
{
    struct task task = {.model = LFM_MODEL_ARGUMENTS_DEFAULT, .text_arguments = LFM_TEXT_ARGUMENTS_DEFAULT,
                        .replay = "set", .layers = "none", .margins = "none"};
    const struct lfm_option options[] = {
        {"replay", "R", "set: replayed experts, weights of the live gate; set+weights: both (set)", LFM_OPTION_STRING,
         &task.replay},
        {"layers", "L", "split by layer too: all, none, or 2,4-6; two runs for each (none)", LFM_OPTION_STRING, &task.layers},
        {"margins", "M", "split by router margin too: default, none, or edges of bins 0.001,0.01; two runs for each (none)",
         LFM_OPTION_STRING, &task.margins},
        LFM_TEXT_OPTION_ROWS(task.text_arguments),
        LFM_MODEL_OPTION_ROWS(task.model),
        {0},
    };
    const struct lfm_usage usage = {
        .name = "ledger",
        .arguments = "REFERENCE CANDIDATE --file F [options]",
        .summary = "How much of a candidate's loss is experts chosen differently, how much experts computed differently:\n"
                   "both models run with either's routing, recorded and replayed.",
        .notes = "The candidate is a path, or T[/ACTIVATIONS[/KV]] as in 'compare', with whose figures the free runs agree.\n"
                 "Four runs, and two more for each layer or bin asked for. docs/ledger.md explains the figures.",
        .options = options,
        .min_arguments = 2,
        .max_arguments = 2,
    };
    struct lfm_common common;
    struct lfm_strings arguments;
    int exit_code;
    if (!lfm_parse_arguments(&usage, argc, argv, &common, &arguments, &exit_code)) goto done;
    if (task.text_arguments.files.count == 0) {
        exit_code = lfm_report_usage(&usage, "'--file' is missing");
        goto done;
    }

    lfm_catch_interrupts();
    struct lfm_error error;
    task.common = &common;
    task.reference_path = arguments.items[0];
    task.candidate_word = arguments.items[1];
    exit_code = lfm_report_status(run(&task, argc, argv, &error), &error);
    release(&task);

done:
    lfm_strings_release(&arguments);
    lfm_strings_release(&task.text_arguments.files);
    return exit_code;
}
