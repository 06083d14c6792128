/* lfmscope logits: the logits of a token sequence or a text, to HDF5. */
#include "reference/base/file.h"
#include "reference/base/memory.h"
#include "reference/command/commands.h"
#include "reference/command/recording.h"
#include "reference/command/token_ids.h"
#include "reference/trace/run.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct arguments {
    struct lfm_strings files;
    const char *tokens, *output;
    bool special;
    struct lfm_model_arguments model;
};

/* The ids, as they are, become the one document. */
static enum lfm_status read_ids(struct lfm_documents *documents, const char *option, struct lfm_error *error)
{
    const char *name = option[0] == '@' ? option + 1 : "--tokens";
    struct lfm_buffer text = {0};
    enum lfm_status status;
    LFM_TRY(LFM_GROW(&documents->items, &documents->capacity, 1, error));
    struct lfm_document *document = &documents->items[0];
    *document = (struct lfm_document){0};
    documents->count = 1;
    LFM_TRY_DONE(lfm_copy_string(&document->name, name, strlen(name), error));
    LFM_TRY_DONE(option[0] == '@' ? lfm_read_file(&text, name, error) : lfm_buffer_puts(&text, option, error));
    LFM_TRY_DONE(lfm_parse_token_ids(&document->tokens, text.data, name, error));
    documents->n_tokens = document->tokens.count;
    if (documents->n_tokens == 0)
        status = lfm_fail(error, LFM_ERROR_ARGUMENT, "%s: the list of token ids is empty", name);

done:
    lfm_buffer_release(&text);
    return status;
}

static enum lfm_status logits(struct lfm_recording *recording, const char *path, const struct arguments *arguments,
                              const struct lfm_common *common, struct lfm_error *error)
{
    if (arguments->tokens) LFM_TRY(read_ids(&recording->documents, arguments->tokens, error));
    LFM_TRY(lfm_recording_open(recording, path, &arguments->model, common->quiet, error));
    if (!arguments->tokens) LFM_TRY(lfm_recording_read_text(recording, &arguments->files, arguments->special, error));
    LFM_TRY(lfm_check_documents(recording->model, &recording->documents, false, error));
    LFM_TRY(lfm_recording_describe(recording, common, error));

    struct lfm_progress progress;
    lfm_progress_start(&progress, "logits", "tokens", (double)recording->documents.n_tokens, common->quiet);
    enum lfm_status status = lfm_logits_run(arguments->output, recording->model, &recording->documents,
                                            &recording->provenance, &progress, error);
    lfm_progress_finish(&progress);
    return status;
}

static enum lfm_status print_result(const struct lfm_recording *recording, const char *output, bool json, int argc,
                                    char **argv, struct lfm_error *error)
{
    size_t T = recording->documents.n_tokens, V = recording->model->config.vocab_size;
    if (!json) {
        printf("%s: logits [%zu,%zu], %.1f MB\n", output, T, V, lfm_file_bytes(output) / 1e6);
        return LFM_OK;
    }
    cJSON *document = lfm_json_document("logits", argc, argv);
    cJSON_AddStringToObject(document, "output", output);
    cJSON_AddStringToObject(document, "name", recording->provenance.model);
    lfm_add_model_types(document, recording->model);
    cJSON_AddStringToObject(document, "sha256", recording->provenance.sha256);
    lfm_json_add_number(document, "tokens", (double)T);
    lfm_json_add_number(document, "vocabulary", (double)V);
    lfm_json_add_number(document, "bytes", lfm_file_bytes(output));
    return lfm_print_document(document, error);
}

int lfm_command_logits(int argc, char **argv)
{
    struct arguments typed = {.model = LFM_MODEL_ARGUMENTS_DEFAULT};
    const struct lfm_option table[] = {
        {"tokens", "IDS", "token ids: 1,2,3 or @ids.txt; nothing is added to them", LFM_OPTION_STRING, &typed.tokens},
        {"file", "F", "text, JSONL of {\"text\", \"label\"}, or - for standard input; repeatable", LFM_OPTION_STRINGS,
         &typed.files},
        {"output", "L.h5", "the file to write", LFM_OPTION_STRING, &typed.output},
        {"special", NULL, "recognise special tokens in the text (off: plain text)", LFM_OPTION_FLAG, &typed.special},
        LFM_MODEL_OPTION_ROWS(typed.model),
        {0},
    };
    const struct lfm_usage usage = {
        .name = "logits",
        .arguments = "MODEL (--tokens IDS | --file F) --output L.h5 [options]",
        .summary = "Logits of a token sequence, or of each document of a text, to an HDF5 file.",
        .notes =
            "The file holds /logits [T,V] f32 and /tokens [T] i32; /document and /position tell the sequences apart.",
        .options = table,
        .min_arguments = 1,
        .max_arguments = 1,
    };
    struct lfm_common common;
    struct lfm_strings positional;
    int exit_code;
    if (!lfm_parse_arguments(&usage, argc, argv, &common, &positional, &exit_code)) goto done;
    if (!typed.output) {
        exit_code = lfm_report_usage(&usage, "'--output' is missing");
        goto done;
    }
    if ((typed.tokens != NULL) == (typed.files.count > 0)) {
        exit_code = lfm_report_usage(&usage, "give either '--tokens' or '--file'");
        goto done;
    }

    lfm_catch_interrupts();
    struct lfm_error error;
    struct lfm_recording recording = {0};
    enum lfm_status status = logits(&recording, positional.items[0], &typed, &common, &error);
    if (status == LFM_OK) status = print_result(&recording, typed.output, common.json, argc, argv, &error);
    exit_code = lfm_report_status(status, &error);
    lfm_recording_close(&recording);

done:
    lfm_strings_release(&positional);
    lfm_strings_release(&typed.files);
    return exit_code;
}
