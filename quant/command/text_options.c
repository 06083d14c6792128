/* --file, --context, --score, --special: see text_options.h. */
#include "quant/command/text_options.h"

#include <stdio.h>
#include <string.h>

static enum lfm_status parse_score(enum lfm_score *score, const struct lfm_text_arguments *arguments,
                                   struct lfm_error *error)
{
    *score = LFM_SCORE_HALF;
    if (!arguments->score) return LFM_OK;
    if (arguments->stride > 0)
        return lfm_fail(error, LFM_ERROR_ARGUMENT, "--score and --stride exclude each other: the stride decides");
    if (strcmp(arguments->score, "half") == 0) return LFM_OK;
    *score = LFM_SCORE_ALL;
    if (strcmp(arguments->score, "all") == 0) return LFM_OK;
    return lfm_fail(error, LFM_ERROR_ARGUMENT, "unknown score '%s': expected half or all", arguments->score);
}

enum lfm_status lfm_text_open(struct lfm_text *text, const struct lfm_text_arguments *arguments,
                              const struct lfm_checkpoint *checkpoint, struct lfm_error *error)
{
    struct lfm_tokenizer *tokenizer = NULL;
    struct lfm_window_options options = {.context = arguments->context, .stride = arguments->stride};
    *text = (struct lfm_text){0};

    enum lfm_status status;
    LFM_TRY_DONE(parse_score(&options.score, arguments, error));
    LFM_TRY_DONE(lfm_tokenizer_open(&tokenizer, checkpoint, error));
    options.bos = lfm_adds_bos(tokenizer) ? lfm_bos_id(tokenizer) : -1;
    LFM_TRY_DONE(lfm_documents_read(&text->documents, arguments->files.items, arguments->files.count, tokenizer,
                                    arguments->special, error));
    LFM_TRY_DONE(lfm_windows_start(&text->windows, &text->documents, &options, error));
    LFM_TRY_DONE(lfm_positions_list(&text->positions, &text->windows, error));

done:
    lfm_tokenizer_free(tokenizer);
    if (status != LFM_OK) lfm_text_close(text);
    return status;
}

void lfm_text_close(struct lfm_text *text)
{
    lfm_positions_release(&text->positions);
    lfm_windows_release(&text->windows);
    lfm_documents_release(&text->documents);
}

size_t lfm_text_left_out(const struct lfm_text *text)
{
    return text->documents.count - text->windows.n_documents;
}

void lfm_text_print_left_out(const struct lfm_text *text)
{
    if (lfm_text_left_out(text) > 0)
        printf("%zu of %zu documents are too short for these windows and were left out\n", lfm_text_left_out(text),
               text->documents.count);
}

const char *lfm_text_score_name(const struct lfm_text *text)
{
    const struct lfm_window_options *options = &text->windows.options;
    return options->stride ? "stride" : options->score == LFM_SCORE_ALL ? "all" : "half";
}

void lfm_text_add_json(cJSON *document, const struct lfm_text *text)
{
    const struct lfm_window_options *options = &text->windows.options;
    cJSON_AddNumberToObject(document, "documents", (double)text->windows.n_documents);
    if (lfm_text_left_out(text) > 0)
        cJSON_AddNumberToObject(document, "documents_too_short", (double)lfm_text_left_out(text));
    cJSON_AddNumberToObject(document, "context", (double)options->context);
    cJSON_AddStringToObject(document, "score", lfm_text_score_name(text));
    if (options->stride) cJSON_AddNumberToObject(document, "stride", (double)options->stride);
    cJSON_AddStringToObject(document, "errors_by", text->positions.by_window ? "windows" : "documents");
}
