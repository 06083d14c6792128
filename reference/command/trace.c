/* lfmscope trace: activations, router decisions and statistics of a text, to HDF5. */
#include "reference/command/commands.h"
#include "reference/command/recording.h"
#include "reference/trace/run.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LARGE 1e9 /* bytes of values that need a --yes */

struct arguments {
    struct lfm_strings files, labels;
    const char *output, *points, *layers, *tokens, *spans;
    size_t context;
    bool statistics_only, half, special, logits, yes;
    struct lfm_model_arguments model;
};

static bool is_wanted(const struct lfm_document *document, const struct lfm_strings *labels)
{
    for (size_t i = 0; i < labels->count; i++)
        if (document->label && strcmp(document->label, labels->items[i]) == 0) return true;
    return labels->count == 0;
}

static enum lfm_status choose_documents(struct lfm_documents *documents, const struct arguments *arguments, bool quiet,
                                        struct lfm_error *error)
{
    size_t before = documents->count;
    documents->count = documents->n_tokens = 0;
    for (size_t d = 0; d < before; d++) {
        struct lfm_document *document = &documents->items[d];
        if (is_wanted(document, &arguments->labels)) {
            documents->n_tokens += document->tokens.count;
            documents->items[documents->count++] = *document;
            continue;
        }
        free(document->name);
        free(document->label);
        lfm_tokens_release(&document->tokens);
    }
    if (documents->count == 0)
        return lfm_fail(error, LFM_ERROR_ARGUMENT, "none of the %zu documents has the label '%s'", before,
                        arguments->labels.count ? arguments->labels.items[0] : "");
    size_t cut = lfm_cut_documents(documents, arguments->context);
    if (cut > 0 && !quiet)
        fprintf(stderr, "lfmscope: %zu of %zu documents cut to their first %zu tokens\n", cut, documents->count,
                arguments->context);
    return LFM_OK;
}

static enum lfm_status select_points(struct lfm_selection *selection, const struct arguments *arguments,
                                     const struct lfm_config *config, struct lfm_error *error)
{
    if (arguments->tokens) LFM_TRY(lfm_ranges_parse(&selection->tokens, "tokens", arguments->tokens, error));
    if (arguments->spans) LFM_TRY(lfm_ranges_parse(&selection->spans, "attention spans", arguments->spans, error));
    LFM_TRY(lfm_selection_parse_points(selection, arguments->points, config, error));
    LFM_TRY(lfm_selection_parse_layers(selection, arguments->layers, config, error));
    return lfm_selection_check(selection, config, error);
}

/* Says how much will be written, and refuses too much of it. */
static enum lfm_status check_size(const struct lfm_recording *recording, const struct lfm_trace_options *options,
                                  const struct arguments *arguments, bool quiet, struct lfm_error *error)
{
    double bytes = lfm_trace_value_bytes(&recording->model->config, &recording->documents, options);
    size_t tokens = lfm_selection_tokens(&options->selection, &recording->documents);
    LFM_TRY(lfm_trace_check_target(arguments->output, error));
    if (bytes > LARGE && !arguments->yes)
        return lfm_fail(error, LFM_ERROR_LIMIT,
                        "'%s' would hold %.2f GB of values of %zu tokens before compression: confirm with --yes, or "
                        "record less (--statistics-only, --points, --layers, --tokens, --half)",
                        arguments->output, bytes / 1e9, tokens);
    if (!quiet && bytes > 0)
        fprintf(stderr, "lfmscope: %s: %.1f MB of values of %zu tokens before compression\n", arguments->output,
                bytes / 1e6, tokens);
    return LFM_OK;
}

static enum lfm_status trace(struct lfm_recording *recording, struct lfm_trace_options *options, const char *path,
                             const struct arguments *arguments, const struct lfm_common *common,
                             struct lfm_error *error)
{
    LFM_TRY(lfm_recording_open(recording, path, &arguments->model, common->quiet, error));
    const struct lfm_config *config = &recording->model->config;
    LFM_TRY(select_points(&options->selection, arguments, config, error));
    LFM_TRY(lfm_recording_read_text(recording, &arguments->files, arguments->special, error));
    LFM_TRY(choose_documents(&recording->documents, arguments, common->quiet, error));
    lfm_cut_documents(&recording->documents, lfm_ranges_end(&options->selection.tokens));
    LFM_TRY(lfm_check_documents(recording->model, &recording->documents, true, error));
    LFM_TRY(lfm_selection_check_texts(&options->selection, &recording->documents, error));
    LFM_TRY(check_size(recording, options, arguments, common->quiet, error));
    LFM_TRY(lfm_recording_describe(recording, common, error));

    struct lfm_progress progress;
    lfm_progress_start(&progress, "tracing", "tokens", (double)recording->documents.n_tokens, common->quiet);
    enum lfm_status status = lfm_trace_run(arguments->output, recording->model, &recording->documents, options,
                                           &recording->provenance, &progress, error);
    lfm_progress_finish(&progress);
    return status;
}

static enum lfm_status print_json(const struct lfm_recording *recording, const struct lfm_trace_options *options,
                                  const char *output, int argc, char **argv, struct lfm_error *error)
{
    const struct lfm_config *config = &recording->model->config;
    cJSON *document = lfm_json_document("trace-run", argc, argv);
    cJSON_AddStringToObject(document, "output", output);
    cJSON_AddStringToObject(document, "name", recording->provenance.model);
    lfm_add_model_types(document, recording->model);
    cJSON_AddStringToObject(document, "sha256", recording->provenance.sha256);
    lfm_json_add_number(document, "tokens", (double)lfm_selection_tokens(&options->selection, &recording->documents));
    lfm_json_add_number(document, "documents", (double)recording->documents.count);
    lfm_json_add_number(document, "bytes", lfm_file_bytes(output));
    lfm_json_add_number(document, "value_bytes", lfm_trace_value_bytes(config, &recording->documents, options));
    cJSON *points = cJSON_AddArrayToObject(document, "points");
    for (int p = 0; p < LFM_POINT_COUNT; p++)
        if (options->selection.points[p])
            cJSON_AddItemToArray(points, cJSON_CreateString(lfm_point_name((enum lfm_point)p)));
    cJSON *layers = cJSON_AddArrayToObject(document, "layers");
    for (size_t layer = 0; layer < config->num_hidden_layers; layer++)
        if (options->selection.layers[layer]) cJSON_AddItemToArray(layers, cJSON_CreateNumber((double)layer));
    return lfm_print_document(document, error);
}

static void print_summary(const struct lfm_recording *recording, const struct lfm_trace_options *options,
                          const char *output)
{
    size_t layers = 0, points = 0;
    for (size_t layer = 0; layer < recording->model->config.num_hidden_layers; layer++)
        layers += options->selection.layers[layer];
    for (int p = 0; p < LFM_POINT_COUNT; p++) points += options->selection.points[p];
    printf("%s: %zu tokens of %zu documents, %zu layers, %zu points%s, %.1f MB\n", output,
           lfm_selection_tokens(&options->selection, &recording->documents), recording->documents.count, layers, points,
           options->statistics_only ? " (statistics only)" : "", lfm_file_bytes(output) / 1e6);
}

int lfm_command_trace(int argc, char **argv)
{
    struct arguments typed = {.model = LFM_MODEL_ARGUMENTS_DEFAULT};
    const struct lfm_option table[] = {
        {"file", "F", "text, JSONL of {\"text\", \"label\"}, or - for standard input; repeatable", LFM_OPTION_STRINGS,
         &typed.files},
        {"output", "T.h5", "the trace to write", LFM_OPTION_STRING, &typed.output},
        {"points", "P,Q", "what to record: residual,router,...; see below (default)", LFM_OPTION_STRING, &typed.points},
        {"layers", "L", "layers to record: 0,3-5 (all)", LFM_OPTION_STRING, &typed.layers},
        {"tokens", "A-B", "positions to record in each document: 0-99,200- (all)", LFM_OPTION_STRING, &typed.tokens},
        {"attention-spans", "A-B", "positions to sum attention weights over: 0-3,100-120; implies attention_weights",
         LFM_OPTION_STRING, &typed.spans},
        {"statistics-only", NULL, "statistics per channel, no values per token", LFM_OPTION_FLAG,
         &typed.statistics_only},
        {"half", NULL, "values in half precision; the router's and attention weights stay in single", LFM_OPTION_FLAG,
         &typed.half},
        {"logits", NULL, "logits too", LFM_OPTION_FLAG, &typed.logits},
        {"yes", NULL, "write more than 1 GB of values", LFM_OPTION_FLAG, &typed.yes},
        {"context", "N", "cut longer documents to their first N tokens (off)", LFM_OPTION_SIZE, &typed.context},
        {"label", "L", "only documents with this label; repeatable", LFM_OPTION_STRINGS, &typed.labels},
        {"special", NULL, "recognise special tokens in the text (off: plain text)", LFM_OPTION_FLAG, &typed.special},
        LFM_MODEL_OPTION_ROWS(typed.model),
        {0},
    };
    const struct lfm_usage usage = {
        .name = "trace",
        .arguments = "MODEL --file F --output T.h5 [options]",
        .summary = "Activations, router decisions and statistics of a text, to an HDF5 file.",
        .notes =
            "Points: operator_norm, B, C, x, conv, q, k, v, attention, operator, ffn_norm, router (logits, scores,\n"
            "selected, weights, margin), feed_forward, residual: together `default`. Only when named, or with `all`:\n"
            "attention_weights (entropy, largest, largest_position, span_mass), gate and up of dense layers, experts\n"
            "(gate, up and down of the chosen ones). More than 1 GB of values needs --yes.\n"
            "Each document is one sequence. docs/trace-format.md describes the file; h5ls, h5dump and h5py read it.\n"
            "A run that is stopped leaves a readable file, marked incomplete.",
        .options = table,
        .min_arguments = 1,
        .max_arguments = 1,
    };
    struct lfm_common common;
    struct lfm_strings positional;
    int exit_code;
    if (!lfm_parse_arguments(&usage, argc, argv, &common, &positional, &exit_code)) goto done;
    if (typed.files.count == 0 || !typed.output) {
        exit_code = lfm_report_usage(&usage, "'--%s' is missing", typed.output ? "file" : "output");
        goto done;
    }

    lfm_catch_interrupts();
    struct lfm_error error;
    struct lfm_recording recording = {0};
    struct lfm_trace_options options = {
        .statistics_only = typed.statistics_only, .half = typed.half, .logits = typed.logits};
    enum lfm_status status = trace(&recording, &options, positional.items[0], &typed, &common, &error);
    if (status == LFM_OK && common.json) status = print_json(&recording, &options, typed.output, argc, argv, &error);
    else if (status == LFM_OK) print_summary(&recording, &options, typed.output);
    exit_code = lfm_report_status(status, &error);
    lfm_recording_close(&recording);

done:
    lfm_strings_release(&positional);
    lfm_strings_release(&typed.files);
    lfm_strings_release(&typed.labels);
    return exit_code;
}
