/* Byte-level BPE, from a Hugging Face tokenizer.json or from GGUF metadata.
 *
 * Text is split at special tokens (when asked to), then by the pre-tokenizer pattern of the file (PCRE2), each piece is
 * mapped to bytes and merged by rank. Invalid UTF-8 is replaced by U+FFFD, one per maximal broken subsequence. */
#ifndef LFM_MODEL_TOKENIZER_H
#define LFM_MODEL_TOKENIZER_H

#include "reference/base/buffer.h"
#include "reference/base/error.h"
#include "reference/checkpoint/checkpoint.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct lfm_tokenizer;

struct lfm_tokens {
    int32_t *ids; /* owned */
    size_t count, capacity;
};
void lfm_tokens_release(struct lfm_tokens *tokens);
enum lfm_status lfm_tokens_append(struct lfm_tokens *tokens, int32_t id, struct lfm_error *error);

/* The tokenizer of an open checkpoint: tokenizer.json in its directory, or its GGUF metadata. Independent of the
 * checkpoint afterwards. */
enum lfm_status lfm_tokenizer_open(struct lfm_tokenizer **out, const struct lfm_checkpoint *checkpoint,
                                   struct lfm_error *error);
void lfm_tokenizer_free(struct lfm_tokenizer *tokenizer); /* NULL is fine */

/* Appends the ids of `length` bytes of UTF-8. add_bos puts BOS in front when the tokenizer adds one by itself;
 * parse_special recognises special tokens in the text, otherwise strings that look like them are plain text. */
enum lfm_status lfm_tokenize(const struct lfm_tokenizer *tokenizer, const char *text, size_t length, bool add_bos,
                             bool parse_special, struct lfm_tokens *out, struct lfm_error *error);

/* The bytes of one token, borrowed; a special token gives its name. Fails for ids outside the vocabulary. */
enum lfm_status lfm_token_bytes(const struct lfm_tokenizer *tokenizer, int32_t id, const char **bytes, size_t *length,
                                struct lfm_error *error);
/* Appends the text of the ids; special tokens are left out unless keep_special. */
enum lfm_status lfm_detokenize(const struct lfm_tokenizer *tokenizer, const int32_t *ids, size_t count,
                               bool keep_special, struct lfm_buffer *out, struct lfm_error *error);

size_t lfm_vocabulary_size(const struct lfm_tokenizer *tokenizer);
int32_t lfm_bos_id(const struct lfm_tokenizer *tokenizer); /* -1 when there is none */
int32_t lfm_eos_id(const struct lfm_tokenizer *tokenizer); /* -1 when there is none */
/* True for EOS and the other tokens that the model's files name as ends of a turn. */
bool lfm_ends_generation(const struct lfm_tokenizer *tokenizer, int32_t id);
bool lfm_adds_bos(const struct lfm_tokenizer *tokenizer);
bool lfm_is_special(const struct lfm_tokenizer *tokenizer, int32_t id);
/* The id of the token that stands for exactly this text, -1 when there is none. */
int32_t lfm_token_id(const struct lfm_tokenizer *tokenizer, const char *text);
/* The file's chat template, or NULL. */
const char *lfm_chat_template(const struct lfm_tokenizer *tokenizer);

/* Kinds of tokens, with GGUF's numbers. */
enum lfm_token_type {
    LFM_TOKEN_NORMAL = 1,
    LFM_TOKEN_UNKNOWN = 2,
    LFM_TOKEN_CONTROL = 3, /* special: not part of the text */
    LFM_TOKEN_USER = 4,    /* added, but text */
    LFM_TOKEN_UNUSED = 5,
    LFM_TOKEN_BYTE = 6
};

/* What a GGUF writer needs to carry the tokenizer over. Arrays have lfm_vocabulary_size (n_merges) entries and belong
 * to the tokenizer; texts are in GPT-2's byte-to-character spelling, merges are "left right". */
struct lfm_tokenizer_tables {
    const char *pre;            /* tokenizer.ggml.pre: "lfm2", "llama-bpe", "gpt-2", ...: the pattern's name */
    const char *const *texts;
    const size_t *text_lengths;
    const int32_t *types;       /* enum lfm_token_type */
    const char *const *merges;
    const size_t *merge_lengths;
    size_t n_merges;
    int32_t bos_id, eos_id, pad_id;
    bool add_bos;
};
enum lfm_status lfm_tokenizer_tables(const struct lfm_tokenizer *tokenizer, struct lfm_tokenizer_tables *tables,
                                     struct lfm_error *error);

#endif
