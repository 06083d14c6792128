/* What a model is asked for a BFCL question: messages and tools. docs/bfcl.md has both forms. */
#ifndef LFM_EVAL_BFCL_PROMPT_H
#define LFM_EVAL_BFCL_PROMPT_H

#include "eval/bfcl/bfcl.h"
#include "reference/base/json.h"

enum lfm_bfcl_form {
    LFM_BFCL_FORM_LFM2, /* as BFCL's handler for LFM2 asks: its system prompt, tools in OpenAI's form */
    LFM_BFCL_FORM_PLAIN /* the question alone, tools as {"name", "description", "parameters"} */
};
const char *lfm_bfcl_form_name(enum lfm_bfcl_form form); /* "lfm2", "plain" */

/* The form that a data directory asks for: the "form" of its prompt.json; LFM2 when there is no such file. */
enum lfm_status lfm_bfcl_form_of(enum lfm_bfcl_form *form, const char *directory, struct lfm_error *error);

/* The messages of the first turn, and the functions as schemas of JSON ("dict" becomes "object" and so on; "_" for the
 * dots of names). The caller deletes both. LFM_ERROR_FORMAT, with the item's id, when question or functions are not as
 * BFCL writes them. */
enum lfm_status lfm_bfcl_messages(cJSON **out, const struct lfm_bfcl_item *item, enum lfm_bfcl_form form,
                                  struct lfm_error *error);
enum lfm_status lfm_bfcl_tools(cJSON **out, const struct lfm_bfcl_item *item, enum lfm_bfcl_form form,
                               struct lfm_error *error);

#endif
