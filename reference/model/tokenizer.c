/* The tokenizer's public functions: see tokenizer.h. */
#include "reference/model/tokenizer.h"

#include "reference/base/memory.h"
#include "reference/model/tokenizer_parts.h"

#include <stdlib.h>
#include <string.h>

void lfm_tokens_release(struct lfm_tokens *tokens)
{
    free(tokens->ids);
    *tokens = (struct lfm_tokens){0};
}

enum lfm_status lfm_tokens_append(struct lfm_tokens *tokens, int32_t id, struct lfm_error *error)
{
    LFM_TRY(LFM_GROW(&tokens->ids, &tokens->capacity, tokens->count + 1, error));
    tokens->ids[tokens->count++] = id;
    return LFM_OK;
}

enum lfm_status lfm_texts_append(struct lfm_texts *texts, const char *text, size_t length, struct lfm_error *error)
{
    LFM_TRY(LFM_GROW(&texts->offsets, &texts->offset_capacity, texts->count + 1, error));
    LFM_TRY(LFM_GROW(&texts->lengths, &texts->length_capacity, texts->count + 1, error));
    texts->offsets[texts->count] = texts->bytes.length;
    texts->lengths[texts->count] = length;
    LFM_TRY(lfm_buffer_append(&texts->bytes, text, length, error));
    LFM_TRY(lfm_buffer_append(&texts->bytes, "", 1, error));
    texts->count++;
    return LFM_OK;
}

enum lfm_status lfm_texts_seal(struct lfm_texts *texts, struct lfm_error *error)
{
    LFM_TRY(LFM_ALLOC(&texts->items, texts->count, error));
    for (size_t i = 0; i < texts->count; i++) texts->items[i] = texts->bytes.data + texts->offsets[i];
    return LFM_OK;
}

void lfm_texts_release(struct lfm_texts *texts)
{
    lfm_buffer_release(&texts->bytes);
    free(texts->offsets);
    free(texts->lengths);
    free(texts->items);
    *texts = (struct lfm_texts){0};
}

enum lfm_status lfm_tokenizer_finish_texts(struct lfm_tokenizer *tokenizer, struct lfm_error *error)
{
    struct lfm_buffer bytes = {0};
    enum lfm_status status;
    LFM_TRY_DONE(lfm_texts_seal(&tokenizer->texts, error));
    for (size_t id = 0; id < tokenizer->texts.count; id++) {
        const char *text = tokenizer->texts.items[id];
        size_t length = tokenizer->texts.lengths[id];
        lfm_buffer_clear(&bytes);
        if (tokenizer->types[id] == LFM_TOKEN_NORMAL)
            LFM_TRY_DONE(lfm_unspell(&bytes, text, length, error));
        else
            LFM_TRY_DONE(lfm_buffer_append(&bytes, text, length, error));
        LFM_TRY_DONE(lfm_texts_append(&tokenizer->bytes, bytes.data, bytes.length, error));
    }
    status = lfm_texts_seal(&tokenizer->bytes, error);
done:
    lfm_buffer_release(&bytes);
    return status;
}

enum lfm_status lfm_tokenizer_add_end(struct lfm_tokenizer *tokenizer, int32_t id, struct lfm_error *error)
{
    return lfm_ends_generation(tokenizer, id) ? LFM_OK : lfm_tokens_append(&tokenizer->end_ids, id, error);
}

enum lfm_status lfm_tokenizer_open(struct lfm_tokenizer **out, const struct lfm_checkpoint *checkpoint,
                                   struct lfm_error *error)
{
    struct lfm_tokenizer *tokenizer = NULL;
    *out = NULL;
    LFM_TRY(LFM_ALLOC(&tokenizer, 1, error));
    tokenizer->bos_id = tokenizer->eos_id = tokenizer->pad_id = -1;
    enum lfm_status status = checkpoint->container == LFM_GGUF
                                 ? lfm_tokenizer_read_gguf(tokenizer, checkpoint->gguf, error)
                                 : lfm_tokenizer_read_json(tokenizer, checkpoint->path, checkpoint->config, error);
    if (status == LFM_OK)
        *out = tokenizer;
    else
        lfm_tokenizer_free(tokenizer);
    return status;
}

void lfm_tokenizer_free(struct lfm_tokenizer *tokenizer)
{
    if (!tokenizer) return;
    lfm_texts_release(&tokenizer->texts);
    lfm_texts_release(&tokenizer->bytes);
    lfm_texts_release(&tokenizer->merges);
    lfm_bpe_release(&tokenizer->bpe);
    lfm_splitter_release(&tokenizer->splitter);
    lfm_tokens_release(&tokenizer->end_ids);
    free(tokenizer->added.items);
    free(tokenizer->types);
    free(tokenizer->name);
    free(tokenizer->chat_template);
    free(tokenizer->pre);
    free(tokenizer);
}

/* Scratch memory of one call. */
struct work {
    struct lfm_buffer repaired;
    struct lfm_segments segments;
    struct lfm_pieces pieces;
    struct lfm_bpe_work bpe;
};

static enum lfm_status encode_text(const struct lfm_tokenizer *tokenizer, struct work *work, const char *text,
                                   size_t length, struct lfm_tokens *out, struct lfm_error *error)
{
    LFM_TRY(lfm_split(&tokenizer->splitter, text, length, &work->pieces, error));
    for (size_t i = 0; i < work->pieces.count; i++) {
        const struct lfm_piece *piece = &work->pieces.items[i];
        LFM_TRY(lfm_bpe_encode(&tokenizer->bpe, &work->bpe, work->pieces.text.data + piece->start, piece->length, out,
                               error));
    }
    return LFM_OK;
}

enum lfm_status lfm_tokenize(const struct lfm_tokenizer *tokenizer, const char *text, size_t length, bool add_bos,
                             bool parse_special, struct lfm_tokens *out, struct lfm_error *error)
{
    struct work work = {0};
    enum lfm_status status;
    LFM_TRY_DONE(lfm_utf8_repair(&work.repaired, text, length, error));
    if (add_bos && tokenizer->add_bos) LFM_TRY_DONE(lfm_tokens_append(out, tokenizer->bos_id, error));
    text = work.repaired.data;
    LFM_TRY_DONE(lfm_added_cut(&tokenizer->added, text, work.repaired.length, parse_special, &work.segments, error));
    for (size_t i = 0; i < work.segments.count; i++) {
        const struct lfm_segment *segment = &work.segments.items[i];
        if (segment->id >= 0)
            LFM_TRY_DONE(lfm_tokens_append(out, segment->id, error));
        else
            LFM_TRY_DONE(encode_text(tokenizer, &work, text + segment->start, segment->length, out, error));
    }
done:
    lfm_buffer_release(&work.repaired);
    free(work.segments.items);
    lfm_pieces_release(&work.pieces);
    lfm_bpe_work_release(&work.bpe);
    return status;
}

static bool in_vocabulary(const struct lfm_tokenizer *tokenizer, int32_t id)
{
    return id >= 0 && (size_t)id < tokenizer->texts.count;
}

enum lfm_status lfm_token_bytes(const struct lfm_tokenizer *tokenizer, int32_t id, const char **bytes, size_t *length,
                                struct lfm_error *error)
{
    if (!in_vocabulary(tokenizer, id))
        return lfm_fail(error, LFM_ERROR_ARGUMENT, "token id %d is outside the vocabulary of %zu", id,
                        tokenizer->texts.count);
    *bytes = tokenizer->bytes.items[id];
    *length = tokenizer->bytes.lengths[id];
    return LFM_OK;
}

enum lfm_status lfm_detokenize(const struct lfm_tokenizer *tokenizer, const int32_t *ids, size_t count,
                               bool keep_special, struct lfm_buffer *out, struct lfm_error *error)
{
    for (size_t i = 0; i < count; i++) {
        const char *bytes = NULL;
        size_t length = 0;
        LFM_TRY(lfm_token_bytes(tokenizer, ids[i], &bytes, &length, error));
        if (keep_special || !lfm_is_special(tokenizer, ids[i])) LFM_TRY(lfm_buffer_append(out, bytes, length, error));
    }
    return LFM_OK;
}

size_t lfm_vocabulary_size(const struct lfm_tokenizer *tokenizer)
{
    return tokenizer->texts.count;
}

int32_t lfm_bos_id(const struct lfm_tokenizer *tokenizer)
{
    return tokenizer->bos_id;
}

int32_t lfm_eos_id(const struct lfm_tokenizer *tokenizer)
{
    return tokenizer->eos_id;
}

bool lfm_ends_generation(const struct lfm_tokenizer *tokenizer, int32_t id)
{
    for (size_t i = 0; i < tokenizer->end_ids.count; i++)
        if (tokenizer->end_ids.ids[i] == id) return true;
    return false;
}

bool lfm_adds_bos(const struct lfm_tokenizer *tokenizer)
{
    return tokenizer->add_bos;
}

bool lfm_is_special(const struct lfm_tokenizer *tokenizer, int32_t id)
{
    return in_vocabulary(tokenizer, id) && tokenizer->types[id] != LFM_TOKEN_NORMAL &&
           tokenizer->types[id] != LFM_TOKEN_USER;
}

static int32_t find_added(const struct lfm_added *added, const char *text, size_t length)
{
    for (size_t i = 0; i < added->count; i++)
        if (added->items[i].length == length && memcmp(added->items[i].text, text, length) == 0)
            return added->items[i].id;
    return -1;
}

int32_t lfm_token_id(const struct lfm_tokenizer *tokenizer, const char *text)
{
    int32_t id = find_added(&tokenizer->added, text, strlen(text));
    if (id >= 0) return id;
    struct lfm_buffer spelling = {0};
    if (lfm_spell_bytes(&spelling, text, strlen(text), NULL) == LFM_OK)
        id = lfm_bpe_find(&tokenizer->bpe, spelling.data, spelling.length);
    lfm_buffer_release(&spelling);
    return id;
}

const char *lfm_chat_template(const struct lfm_tokenizer *tokenizer)
{
    return tokenizer->chat_template;
}

enum lfm_status lfm_tokenizer_tables(const struct lfm_tokenizer *tokenizer, struct lfm_tokenizer_tables *tables,
                                     struct lfm_error *error)
{
    if (!tokenizer->pre)
        return lfm_fail(error, LFM_ERROR_FORMAT, "%s: GGUF has no name for this pre-tokenizer", tokenizer->name);
    *tables = (struct lfm_tokenizer_tables){
        .pre = tokenizer->pre,
        .texts = tokenizer->texts.items,
        .text_lengths = tokenizer->texts.lengths,
        .types = tokenizer->types,
        .merges = tokenizer->merges.items,
        .merge_lengths = tokenizer->merges.lengths,
        .n_merges = tokenizer->merges.count,
        .bos_id = tokenizer->bos_id,
        .eos_id = tokenizer->eos_id,
        .pad_id = tokenizer->pad_id,
        .add_bos = tokenizer->add_bos,
    };
    return LFM_OK;
}
