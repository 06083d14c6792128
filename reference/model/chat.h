/* The chat template of the family, rendered natively (no template engine).
 *
 * The file's own template decides among the known variants; an unknown one is an error that says so. */
#ifndef LFM_MODEL_CHAT_H
#define LFM_MODEL_CHAT_H

#include "reference/base/buffer.h"
#include "reference/base/error.h"
#include "reference/base/json.h"

#include <stdbool.h>

struct lfm_chat_options {
    bool add_generation_prompt; /* end with "<|im_start|>assistant\n" */
    bool keep_past_thinking;    /* keep "...</think>" in earlier assistant turns */
    const char *date;           /* YYYY-MM-DD for variants that print one; NULL: those fail and ask for it */
    const char *bos_token;      /* text of BOS; NULL: "<|startoftext|>" */
};

/* Whether a text has the form YYYY-MM-DD. */
bool lfm_is_date(const char *text);

/* Appends the rendered text, BOS included, of `messages` (array of {"role", "content", "tool_calls"?}) and `tools`
 * (array of function schemas, or NULL). `chat_template` is the template text of the model's file. */
enum lfm_status lfm_chat_render(struct lfm_buffer *out, const char *chat_template, const cJSON *messages,
                                const cJSON *tools, const struct lfm_chat_options *options, struct lfm_error *error);

#endif
