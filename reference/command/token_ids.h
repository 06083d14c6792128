/* Token ids as users write them: 1,2,3. */
#ifndef LFM_REFERENCE_COMMAND_TOKEN_IDS_H
#define LFM_REFERENCE_COMMAND_TOKEN_IDS_H

#include "reference/model/tokenizer.h"

/* Appends the numbers of a text in which commas and white space separate them; there may be none. `name` is what
 * messages call the text. */
enum lfm_status lfm_parse_token_ids(struct lfm_tokens *tokens, const char *text, const char *name,
                                    struct lfm_error *error);

#endif
