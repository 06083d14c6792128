/* Token ids as users write them: see token_ids.h. */
#include "reference/command/token_ids.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum lfm_status lfm_parse_token_ids(struct lfm_tokens *tokens, const char *text, const char *name,
                                    struct lfm_error *error)
{
    static const char separators[] = ", \t\r\n";
    for (const char *at = text + strspn(text, separators); *at; at += strspn(at, separators)) {
        size_t length = strcspn(at, separators);
        bool digits = strspn(at, "0123456789") == length;
        if (!digits || length > 10 || strtoll(at, NULL, 10) > INT32_MAX)
            return lfm_fail(error, LFM_ERROR_ARGUMENT, "%s: expected token ids such as 1,2,3, found '%.*s'", name,
                            length > 40 ? 40 : (int)length, at);
        LFM_TRY(lfm_tokens_append(tokens, (int32_t)strtol(at, NULL, 10), error));
        at += length;
    }
    return LFM_OK;
}
