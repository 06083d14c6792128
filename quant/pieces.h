/* The texts of a trace's tokens, for people to read. A trace holds ids; their texts come from the model's tokenizer. */
#ifndef LFM_QUANT_PIECES_H
#define LFM_QUANT_PIECES_H

#include "reference/base/buffer.h"
#include "reference/base/error.h"
#include "reference/model/tokenizer.h"
#include "reference/trace/reader.h"

#include <stdint.h>

/* The tokenizer of a model (a directory or a GGUF file). Fails when it is not the one that the trace was made with. */
enum lfm_status lfm_pieces_open(struct lfm_tokenizer **out, const char *model, const struct lfm_trace *trace,
                                struct lfm_error *error);

/* Appends a token's text as valid UTF-8: bytes that are part of no character as "<0xE2>", a zero byte as U+2400. Without a
 * tokenizer (NULL) "#<id>". */
enum lfm_status lfm_piece_text(struct lfm_buffer *out, const struct lfm_tokenizer *tokenizer, int32_t id,
                               struct lfm_error *error);

#endif
