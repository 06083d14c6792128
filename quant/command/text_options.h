/* The options of every command that scores a text: --file, --context, --score, --special. */
#ifndef LFM_QUANT_COMMAND_TEXT_OPTIONS_H
#define LFM_QUANT_COMMAND_TEXT_OPTIONS_H

#include "quant/positions.h"
#include "quant/statistics.h"
#include "reference/base/command.h"
#include "reference/model/text.h"

/* What the user typed. `files` is owned. */
struct lfm_text_arguments {
    struct lfm_strings files;
    size_t context, stride;
    const char *score;
    bool special;
};
#define LFM_TEXT_ARGUMENTS_DEFAULT {.context = 512}

/* The rows for a command's option table, filling `arguments` (a struct lfm_text_arguments in scope). */
#define LFM_TEXT_OPTION_ROWS(arguments)                                                                              \
    {"file", "F", "text, JSONL of {\"text\", \"label\"}, or - for standard input; repeatable", LFM_OPTION_STRINGS,   \
     &(arguments).files},                                                                                            \
    {"context", "N", "tokens per window (512)", LFM_OPTION_SIZE, &(arguments).context},                              \
    {"score", "S", "half: second half of each full window; all: every position (half)", LFM_OPTION_STRING,           \
     &(arguments).score},                                                                                            \
    {"special", NULL, "recognise special tokens in the text (off: plain text)", LFM_OPTION_FLAG, &(arguments).special}

/* The text, ready to be scored. */
struct lfm_text {
    struct lfm_documents documents;
    struct lfm_windows windows;
    struct lfm_positions positions;
};

/* Reads the files with the tokenizer of `checkpoint` and cuts them. On failure nothing is owned. */
enum lfm_status lfm_text_open(struct lfm_text *text, const struct lfm_text_arguments *arguments,
                              const struct lfm_checkpoint *checkpoint, struct lfm_error *error);
void lfm_text_close(struct lfm_text *text);

/* Documents without a scored position: too short for the windows. */
size_t lfm_text_left_out(const struct lfm_text *text);

/* Says so on stdout when there are any. */
void lfm_text_print_left_out(const struct lfm_text *text);

/* "half", "all" or "stride". */
const char *lfm_text_score_name(const struct lfm_text *text);

/* Adds what was scored: "documents", "documents_too_short" when there are any, "context", "score", "errors_by"
 * ("documents" or "windows"), and "stride" when there is one. */
void lfm_text_add_json(cJSON *document, const struct lfm_text *text);

#endif
