/* lfmscope perplexity: NLL and perplexity of a text under one model. */
#include "quant/command/commands.h"
#include "quant/command/text_options.h"
#include "quant/compare.h"
#include "quant/perplexity.h"
#include "reference/base/memory.h"
#include "reference/command/model_options.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

/* Results of one text, or of the positions of one label. */
struct result {
    struct lfm_estimate nll, perplexity;
};

struct task {
    struct lfm_model *model;
    struct lfm_text text;
    double *nll;              /* [positions] */
    double *selected;         /* [positions], scratch for one label */
    uint32_t *clusters;       /* [positions], likewise */
};

static struct result summarize(const double *nll, const uint32_t *clusters, size_t n)
{
    struct lfm_estimate mean = lfm_clustered_mean(nll, clusters, n);
    return (struct result){mean, lfm_exponential(mean)};
}

static struct result summarize_label(const struct task *task, size_t label)
{
    size_t n = lfm_positions_select(&task->text.positions, (uint32_t)label, task->nll, task->selected, task->clusters);
    return summarize(task->selected, task->clusters, n);
}

static void add_result(cJSON *object, size_t tokens, const struct result *result)
{
    cJSON_AddNumberToObject(object, "tokens", (double)tokens);
    lfm_json_add_number(object, "nll_mean", result->nll.mean);
    lfm_json_add_number(object, "perplexity", result->perplexity.mean);
    lfm_json_add_number(object, "perplexity_stderr", result->perplexity.error);
}

static enum lfm_status print_json(const struct task *task, int argc, char **argv, struct lfm_error *error)
{
    const struct lfm_positions *positions = &task->text.positions;
    struct result all = summarize(task->nll, positions->clusters, positions->count);
    cJSON *document = lfm_json_document("perplexity", argc, argv);
    cJSON_AddStringToObject(document, "name", task->model->checkpoint->name);
    lfm_add_model_types(document, task->model);
    add_result(document, positions->count, &all);
    lfm_text_add_json(document, &task->text);
    cJSON *labels = positions->n_names ? cJSON_AddArrayToObject(document, "labels") : NULL;
    for (size_t i = 0; i < positions->n_names; i++) {
        struct result result = summarize_label(task, i);
        cJSON *label = cJSON_CreateObject();
        cJSON_AddStringToObject(label, "label", positions->names[i].name);
        cJSON_AddNumberToObject(label, "documents", (double)positions->names[i].documents);
        add_result(label, positions->names[i].positions, &result);
        cJSON_AddItemToArray(labels, label);
    }
    return lfm_print_document(document, error);
}

static void print_row(const char *name, size_t documents, size_t tokens, const struct result *result)
{
    char error[32] = "-";
    if (isfinite(result->perplexity.error)) snprintf(error, sizeof error, "%.4f", result->perplexity.error);
    printf("%-16s %9zu %9zu %10.6f %12.4f %9s\n", name, documents, tokens, result->nll.mean, result->perplexity.mean,
           error);
}

static void print_table(const struct task *task)
{
    const struct lfm_positions *positions = &task->text.positions;
    struct result all = summarize(task->nll, positions->clusters, positions->count);
    printf("%-16s %9s %9s %10s %12s %9s\n", "text", "documents", "tokens", "nll", "perplexity", "+-");
    print_row("all", positions->n_documents, positions->count, &all);
    for (size_t i = 0; i < positions->n_names; i++) {
        struct result result = summarize_label(task, i);
        char shown[LFM_SHOWN];
        print_row(lfm_show(shown, positions->names[i].name), positions->names[i].documents, positions->names[i].positions, &result);
    }
    lfm_text_print_left_out(&task->text);
}

static enum lfm_status run(struct task *task, const char *path, const struct lfm_text_arguments *text,
                           const struct lfm_model_arguments *model, bool quiet, struct lfm_error *error)
{
    struct lfm_progress progress;
    LFM_TRY(lfm_open_model(&task->model, path, model, "quantizing", quiet, error));
    LFM_TRY(lfm_text_open(&task->text, text, task->model->checkpoint, error));
    size_t count = task->text.positions.count;
    LFM_TRY(LFM_ALLOC(&task->nll, count, error));
    LFM_TRY(LFM_ALLOC(&task->selected, count, error));
    LFM_TRY(LFM_ALLOC(&task->clusters, count, error));
    lfm_progress_start(&progress, "perplexity", "tokens", (double)task->text.windows.n_tokens, quiet);
    enum lfm_status status = lfm_score_text(task->nll, task->model, &task->text.windows, &progress, error);
    lfm_progress_finish(&progress);
    return status;
}

int lfm_command_perplexity(int argc, char **argv)
{
    struct lfm_text_arguments text = LFM_TEXT_ARGUMENTS_DEFAULT;
    struct lfm_model_arguments model = LFM_MODEL_ARGUMENTS_DEFAULT;
    const struct lfm_option options[] = {
        LFM_TEXT_OPTION_ROWS(text),
        {"stride", "N", "windows start N tokens apart, score what no other did (off)", LFM_OPTION_SIZE, &text.stride},
        LFM_MODEL_OPTION_ROWS(model),
        {0},
    };
    const struct lfm_usage usage = {
        .name = "perplexity",
        .arguments = "MODEL --file F [options]",
        .summary = "Negative log-likelihood and perplexity of a text, with standard errors.",
        .notes = "With the default --context 512 --score half the figures are those of llama-perplexity.\n"
                 "Errors treat each document as one unit (each window, when there is a single document).",
        .options = options,
        .min_arguments = 1,
        .max_arguments = 1,
    };
    struct lfm_common common;
    struct lfm_strings arguments;
    int exit_code;
    if (!lfm_parse_arguments(&usage, argc, argv, &common, &arguments, &exit_code)) goto done;
    if (text.files.count == 0) {
        exit_code = lfm_report_usage(&usage, "'--file' is missing");
        goto done;
    }

    lfm_catch_interrupts();
    struct lfm_error error;
    struct task task = {0};
    enum lfm_status status = run(&task, arguments.items[0], &text, &model, common.quiet, &error);
    if (status == LFM_OK && common.json) status = print_json(&task, argc, argv, &error);
    else if (status == LFM_OK) print_table(&task);
    exit_code = lfm_report_status(status, &error);

    free(task.nll);
    free(task.selected);
    free(task.clusters);
    lfm_text_close(&task.text);
    lfm_model_close(task.model);

done:
    lfm_strings_release(&arguments);
    lfm_strings_release(&text.files);
    return exit_code;
}
