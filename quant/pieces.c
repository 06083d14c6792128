/* Texts of tokens: see pieces.h. */
#include "quant/pieces.h"

#include "reference/base/utf8.h"
#include "reference/checkpoint/checkpoint.h"
#include "reference/trace/provenance.h"

#include <string.h>

enum lfm_status lfm_pieces_open(struct lfm_tokenizer **out, const char *model, const struct lfm_trace *trace,
                                struct lfm_error *error)
{
    const struct lfm_trace_information *information = lfm_trace_information(trace);
    struct lfm_checkpoint *checkpoint;
    char sha256[LFM_SHA256_TEXT];
    *out = NULL;
    LFM_TRY(lfm_checkpoint_open(&checkpoint, model, error));
    enum lfm_status status = lfm_tokenizer_open(out, checkpoint, error);
    lfm_checkpoint_close(checkpoint);
    if (status == LFM_OK) status = lfm_tokenizer_sha256(*out, sha256, error);
    if (status == LFM_OK && strcmp(sha256, information->tokenizer_sha256) != 0)
        status = lfm_fail(error, LFM_ERROR_MISMATCH,
                          "'%s' has another tokenizer than '%s' was made with (sha256 %.12s and %.12s)", model,
                          information->path, sha256, information->tokenizer_sha256);
    if (status != LFM_OK) {
        lfm_tokenizer_free(*out);
        *out = NULL;
    }
    return status;
}

enum lfm_status lfm_piece_text(struct lfm_buffer *out, const struct lfm_tokenizer *tokenizer, int32_t id,
                               struct lfm_error *error)
{
    const char *bytes;
    size_t length, broken;
    if (!tokenizer) return lfm_buffer_printf(out, error, "#%d", (int)id);
    LFM_TRY(lfm_token_bytes(tokenizer, id, &bytes, &length, error));
    for (size_t i = 0; i < length;) {
        size_t n = lfm_utf8_length(bytes + i, length - i, &broken);
        if (n == 0)
            LFM_TRY(lfm_buffer_printf(out, error, "<0x%02X>", (unsigned)(unsigned char)bytes[i]));
        else if (bytes[i] == '\0')
            LFM_TRY(lfm_buffer_puts(out, "\xe2\x90\x80", error));
        else
            LFM_TRY(lfm_buffer_append(out, bytes + i, n, error));
        i += n > 0 ? n : 1;
    }
    return LFM_OK;
}
