/* What all backends and suites share: see backend.h and suite.h. */
#include "eval/harness/backend.h"

#include "reference/base/hash.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

const char *lfm_finish_name(enum lfm_finish finish)
{
    static const char *const names[LFM_N_FINISHES] = {"stop", "length", "context", "error"};
    return names[finish];
}

void lfm_completion_release(struct lfm_completion *completion)
{
    lfm_buffer_release(&completion->raw);
    lfm_buffer_release(&completion->text);
}

enum lfm_status lfm_request_seed(uint64_t *seed, uint64_t run_seed, const char *id, size_t sample, size_t turn,
                                 struct lfm_error *error)
{
    struct lfm_buffer text = {0};
    char digest[LFM_SHA256_TEXT];
    enum lfm_status status = lfm_buffer_printf(&text, error, "%" PRIu64 "\n%s\n%zu\n%zu", run_seed, id, sample, turn);
    if (status == LFM_OK) status = lfm_sha256(text.data, text.length, digest, error);
    lfm_buffer_release(&text);
    if (status != LFM_OK) return status;
    digest[16] = '\0';
    *seed = strtoull(digest, NULL, 16);
    return LFM_OK;
}

/* Where the answer starts, reasoning left out. */
static const char *answer_of(const char *raw)
{
    static const char opening[] = "<think>", closing[] = "</think>";
    const char *opened = strstr(raw, opening), *closed = strstr(raw, closing);
    const char *start = raw + strspn(raw, " \t\r\n\f\v");
    bool reasons = opened == start || (closed && (!opened || closed < opened));
    if (!reasons) return raw;
    if (!closed) return raw + strlen(raw);
    for (const char *next = closed; next; next = strstr(closed, closing)) closed = next + strlen(closing);
    return closed + strspn(closed, "\r\n");
}

enum lfm_status lfm_strip_reasoning(struct lfm_buffer *text, const char *raw, struct lfm_error *error)
{
    return lfm_buffer_puts(text, answer_of(raw), error);
}
