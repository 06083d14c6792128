/* The inside of the tokenizer, shared by the files tokenizer*.c alone.
 *
 * "Spelling" means GPT-2's byte-to-character alphabet: every byte is written as one printable character (space is
 * U+0120), so that any byte string is valid UTF-8. Vocabulary and merges are kept in it. */
#ifndef LFM_MODEL_TOKENIZER_PARTS_H
#define LFM_MODEL_TOKENIZER_PARTS_H

#define PCRE2_CODE_UNIT_WIDTH 8

#include "reference/base/utf8.h"
#include "reference/model/tokenizer.h"
#include "reference/model/tokenizer_pre.h"

#include <pcre2.h>

enum { LFM_MAX_VOCABULARY = 1 << 22, LFM_MAX_SPLIT_STEPS = 16 };

/* A growing list of byte strings in one block of memory. `items` is valid after lfm_texts_seal. */
struct lfm_texts {
    struct lfm_buffer bytes;
    size_t *offsets, *lengths;
    const char **items;
    size_t count, offset_capacity, length_capacity;
};
enum lfm_status lfm_texts_append(struct lfm_texts *texts, const char *text, size_t length, struct lfm_error *error);
enum lfm_status lfm_texts_seal(struct lfm_texts *texts, struct lfm_error *error);
void lfm_texts_release(struct lfm_texts *texts);

/* --- tokenizer_bytes.c --- */

/* Appends the bytes in GPT-2's spelling. */
enum lfm_status lfm_spell_bytes(struct lfm_buffer *out, const char *bytes, size_t length, struct lfm_error *error);
/* Appends the bytes that a spelling stands for; a text with characters outside the alphabet is appended as it is. */
enum lfm_status lfm_unspell(struct lfm_buffer *out, const char *text, size_t length, struct lfm_error *error);

/* --- tokenizer_split.c: the pre-tokenizer --- */

/* What becomes of the matches of a pattern; the text between matches is a piece in any case. */
enum lfm_split_behavior {
    LFM_SPLIT_ISOLATED,
    LFM_SPLIT_REMOVED,
    LFM_SPLIT_WITH_PREVIOUS,
    LFM_SPLIT_WITH_NEXT,
    LFM_SPLIT_CONTIGUOUS
};

struct lfm_split_step {
    enum { LFM_STEP_PATTERN, LFM_STEP_PREFIX_SPACE, LFM_STEP_SPELL } kind;
    pcre2_code *code; /* LFM_STEP_PATTERN */
    enum lfm_split_behavior behavior;
    bool invert;      /* what lies between the matches counts as the match */
};

struct lfm_splitter {
    struct lfm_split_step steps[LFM_MAX_SPLIT_STEPS];
    size_t count;
};

/* Pieces of the spelled text, in order. */
struct lfm_piece {
    size_t start, length;
    bool match; /* used while a step runs */
};
struct lfm_pieces {
    struct lfm_buffer text;
    struct lfm_piece *items;
    size_t count, capacity;
};

#define LFM_GPT2_PATTERN "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+"

/* Adds a step; `literal` takes the pattern as plain text, otherwise it is a regular expression in the dialect of
 * tokenizer.json (Oniguruma's), translated to PCRE2's. */
enum lfm_status lfm_splitter_add_pattern(struct lfm_splitter *splitter, const char *pattern, bool literal,
                                         enum lfm_split_behavior behavior, bool invert, struct lfm_error *error);
enum lfm_status lfm_splitter_add(struct lfm_splitter *splitter, int kind, struct lfm_error *error);
void lfm_splitter_release(struct lfm_splitter *splitter);
/* Splits valid UTF-8 into pieces (which are overwritten). */
enum lfm_status lfm_split(const struct lfm_splitter *splitter, const char *text, size_t length,
                          struct lfm_pieces *pieces, struct lfm_error *error);
void lfm_pieces_release(struct lfm_pieces *pieces);

/* --- tokenizer_bpe.c: vocabulary and merges --- */

/* Text to id, open addressing. Keys live in the list of texts. */
struct lfm_text_index {
    int32_t *slots; /* -1: empty */
    size_t mask;
};
struct lfm_merge {
    uint64_t pair; /* left id << 32 | right id */
    int32_t rank, result;
};
struct lfm_bpe {
    const struct lfm_texts *texts; /* borrowed: spelling of every id */
    struct lfm_text_index index;
    struct lfm_merge *merges;      /* open addressing; rank -1: empty */
    size_t merge_mask, n_merges;
    bool ignore_merges;            /* a piece that is itself in the vocabulary is taken whole */
    bool keep_first;               /* of merges given twice the first counts (llama.cpp), else the last (tokenizers) */
    int32_t unknown_id;            /* for characters outside the vocabulary; -1: they are dropped */
};

enum lfm_status lfm_bpe_init(struct lfm_bpe *bpe, const struct lfm_texts *texts, size_t n_merges,
                             struct lfm_error *error);
/* Makes id reachable by its text; of two ids with the same text the last counts. */
void lfm_bpe_add_text(struct lfm_bpe *bpe, int32_t id);
/* The next merge in order of rank; fails when a part or the result is not in the vocabulary. */
enum lfm_status lfm_bpe_add_merge(struct lfm_bpe *bpe, const char *left, size_t left_length, const char *right,
                                  size_t right_length, struct lfm_error *error);
int32_t lfm_bpe_find(const struct lfm_bpe *bpe, const char *text, size_t length); /* -1 when there is none */
void lfm_bpe_release(struct lfm_bpe *bpe);

/* Scratch memory of the merging, reused between pieces. */
struct lfm_bpe_work {
    struct lfm_bpe_symbol *symbols;
    struct lfm_bpe_candidate *heap;
    size_t symbol_capacity, heap_capacity;
};
enum lfm_status lfm_bpe_encode(const struct lfm_bpe *bpe, struct lfm_bpe_work *work, const char *piece, size_t length,
                               struct lfm_tokens *out, struct lfm_error *error);
void lfm_bpe_work_release(struct lfm_bpe_work *work);

/* --- tokenizer_added.c: tokens that are cut out of the text before anything else --- */

struct lfm_added_token {
    int32_t id;
    const char *text; /* inside `texts` of the tokenizer, or of `lfm_added.texts` */
    size_t length;
    bool special, normalized, strip_left, strip_right;
};
struct lfm_added {
    struct lfm_added_token *items; /* sorted by first byte, then longest first */
    size_t count, capacity;
    size_t first[257];             /* items whose text starts with byte b: first[b] .. first[b + 1] */
};
/* A run of text, or one added token. */
struct lfm_segment {
    size_t start, length;
    int32_t id; /* -1: text */
};
struct lfm_segments {
    struct lfm_segment *items;
    size_t count, capacity;
};
enum lfm_status lfm_added_append(struct lfm_added *added, const struct lfm_added_token *token, struct lfm_error *error);
void lfm_added_sort(struct lfm_added *added);
/* Cuts text into segments. Special tokens are recognised when parse_special says so, the others always. */
enum lfm_status lfm_added_cut(const struct lfm_added *added, const char *text, size_t length, bool parse_special,
                              struct lfm_segments *out, struct lfm_error *error);

/* --- the tokenizer --- */

struct lfm_tokenizer {
    char *name;                /* of the file, for messages */
    struct lfm_texts texts;    /* spelling of each id; added tokens as they are */
    struct lfm_texts bytes;    /* what each id stands for */
    int32_t *types;            /* enum lfm_token_type */
    struct lfm_texts merges;   /* "left right" */
    struct lfm_bpe bpe;
    struct lfm_splitter splitter;
    struct lfm_added added;
    bool add_bos;
    int32_t bos_id, eos_id, pad_id;
    struct lfm_tokens end_ids; /* every id that ends a generation, eos_id too */
    char *chat_template;
    char *pre;                 /* GGUF's name of the pre-tokenizer, NULL when it has none */
};

/* Adds what the id stands for, in `bytes`, for every text of the vocabulary in order of ids, then seals all lists. */
enum lfm_status lfm_tokenizer_finish_texts(struct lfm_tokenizer *tokenizer, struct lfm_error *error);
/* Notes that this id ends a generation. */
enum lfm_status lfm_tokenizer_add_end(struct lfm_tokenizer *tokenizer, int32_t id, struct lfm_error *error);

/* Fills an empty tokenizer from a Hugging Face directory, or from GGUF metadata. */
enum lfm_status lfm_tokenizer_read_json(struct lfm_tokenizer *tokenizer, const char *directory, const cJSON *config,
                                        struct lfm_error *error);
enum lfm_status lfm_tokenizer_read_gguf(struct lfm_tokenizer *tokenizer, const struct lfm_gguf *gguf,
                                        struct lfm_error *error);

#endif
