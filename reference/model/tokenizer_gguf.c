/* Reading a tokenizer from GGUF metadata (tokenizer.ggml.*). See tokenizer_parts.h. */
#include "reference/base/memory.h"
#include "reference/checkpoint/gguf.h"
#include "reference/model/tokenizer_parts.h"

#include <stdio.h>
#include <string.h>

static const char PREFIX[] = "tokenizer.ggml.";

static enum lfm_status find_array(const struct lfm_gguf *gguf, const char *key, enum lfm_gguf_type type,
                                  const struct lfm_gguf_value **out, struct lfm_error *error)
{
    *out = lfm_gguf_find(gguf, key);
    if (!*out) return lfm_fail(error, LFM_ERROR_FORMAT, "%s: '%s' is missing", gguf->path, key);
    if ((*out)->type != LFM_GGUF_ARRAY || (type == LFM_GGUF_STRING) != ((*out)->element_type == LFM_GGUF_STRING) ||
        (*out)->element_type == LFM_GGUF_ARRAY)
        return lfm_fail(error, LFM_ERROR_FORMAT, "%s: '%s' must be an array of %s", gguf->path, key,
                        type == LFM_GGUF_STRING ? "strings" : "numbers");
    if ((*out)->count > LFM_MAX_VOCABULARY)
        return lfm_fail(error, LFM_ERROR_LIMIT, "%s: '%s' has %llu entries, more than the limit of %d", gguf->path, key,
                        (unsigned long long)(*out)->count, LFM_MAX_VOCABULARY);
    return LFM_OK;
}

static enum lfm_status read_texts(struct lfm_tokenizer *t, const struct lfm_gguf *gguf, struct lfm_error *error)
{
    const struct lfm_gguf_value *tokens;
    size_t cursor = 0;
    LFM_TRY(find_array(gguf, "tokenizer.ggml.tokens", LFM_GGUF_STRING, &tokens, error));
    if (tokens->count == 0) return lfm_fail(error, LFM_ERROR_FORMAT, "%s: the vocabulary is empty", gguf->path);
    for (uint64_t i = 0; i < tokens->count; i++) {
        const char *text;
        size_t length;
        LFM_TRY(lfm_gguf_next_string(tokens, &cursor, &text, &length, error));
        LFM_TRY(lfm_texts_append(&t->texts, text, length, error));
    }
    return LFM_OK;
}

static enum lfm_status read_types(struct lfm_tokenizer *t, const struct lfm_gguf *gguf, struct lfm_error *error)
{
    LFM_TRY(LFM_ALLOC(&t->types, t->texts.count, error));
    for (size_t id = 0; id < t->texts.count; id++) t->types[id] = LFM_TOKEN_NORMAL;
    if (!lfm_gguf_find(gguf, "tokenizer.ggml.token_type")) return LFM_OK;
    const struct lfm_gguf_value *types;
    LFM_TRY(find_array(gguf, "tokenizer.ggml.token_type", LFM_GGUF_I32, &types, error));
    if (types->count != t->texts.count)
        return lfm_fail(error, LFM_ERROR_MISMATCH, "%s: %zu tokens but %llu token types", gguf->path, t->texts.count,
                        (unsigned long long)types->count);
    for (size_t id = 0; id < t->texts.count; id++) {
        double type;
        LFM_TRY(lfm_gguf_element(types, id, &type, error));
        t->types[id] = type >= 1 && type <= 6 ? (int32_t)type : LFM_TOKEN_NORMAL;
    }
    return LFM_OK;
}

static enum lfm_status read_added(struct lfm_tokenizer *t, struct lfm_error *error)
{
    for (size_t id = 0; id < t->texts.count; id++) {
        int32_t type = t->types[id];
        if ((type != LFM_TOKEN_UNKNOWN && type != LFM_TOKEN_CONTROL && type != LFM_TOKEN_USER) ||
            t->texts.lengths[id] == 0)
            continue;
        const struct lfm_added_token token = {.id = (int32_t)id,
                                              .text = t->texts.items[id],
                                              .length = t->texts.lengths[id],
                                              .special = type != LFM_TOKEN_USER};
        LFM_TRY(lfm_added_append(&t->added, &token, error));
    }
    lfm_added_sort(&t->added);
    return LFM_OK;
}

static enum lfm_status read_merges(struct lfm_tokenizer *t, const struct lfm_gguf *gguf, struct lfm_error *error)
{
    const struct lfm_gguf_value *merges;
    size_t cursor = 0;
    LFM_TRY(find_array(gguf, "tokenizer.ggml.merges", LFM_GGUF_STRING, &merges, error));
    LFM_TRY(lfm_bpe_init(&t->bpe, &t->texts, (size_t)merges->count, error));
    t->bpe.keep_first = true;
    for (size_t id = 0; id < t->texts.count; id++) lfm_bpe_add_text(&t->bpe, (int32_t)id);
    for (uint64_t i = 0; i < merges->count; i++) {
        const char *text;
        size_t length;
        LFM_TRY(lfm_gguf_next_string(merges, &cursor, &text, &length, error));
        const char *space = length > 1 ? memchr(text + 1, ' ', length - 1) : NULL;
        if (!space)
            return lfm_fail(error, LFM_ERROR_FORMAT, "%s: merge %llu must be 'left right', found '%.*s'", gguf->path,
                            (unsigned long long)i, (int)(length < 64 ? length : 64), text);
        size_t left = (size_t)(space - text);
        if (lfm_bpe_add_merge(&t->bpe, text, left, space + 1, length - left - 1, error) != LFM_OK)
            return lfm_fail_in(error, "%s", gguf->path);
        LFM_TRY(lfm_texts_append(&t->merges, text, length, error));
    }
    return lfm_texts_seal(&t->merges, error);
}

static enum lfm_status read_pre(struct lfm_tokenizer *t, const struct lfm_gguf *gguf, struct lfm_error *error)
{
    const char *name;
    size_t length;
    LFM_TRY(lfm_gguf_string(gguf, "tokenizer.ggml.pre", &name, &length, NULL, error));
    const struct lfm_pre *pre = lfm_pre_find(name, length);
    if (!pre)
        return lfm_fail(error, LFM_ERROR_FORMAT, "%s: pre-tokenizer '%.*s' is not known", gguf->path,
                        (int)(length < 64 ? length : 64), name);
    for (size_t i = 0; i < sizeof pre->patterns / sizeof pre->patterns[0] && pre->patterns[i]; i++)
        LFM_TRY(lfm_splitter_add_pattern(&t->splitter, pre->patterns[i], false, LFM_SPLIT_ISOLATED, false, error));
    LFM_TRY(lfm_splitter_add(&t->splitter, LFM_STEP_SPELL, error));
    t->bpe.ignore_merges = pre->ignore_merges;
    t->add_bos = pre->add_bos;
    return lfm_copy_string(&t->pre, name, length, error);
}

/* A token id of the metadata, -1 when it is not given. */
static enum lfm_status read_id(const struct lfm_tokenizer *t, const struct lfm_gguf *gguf, const char *name,
                               int32_t *out, struct lfm_error *error)
{
    char key[64];
    size_t id;
    bool found;
    snprintf(key, sizeof key, "%s%s", PREFIX, name);
    *out = -1;
    LFM_TRY(lfm_gguf_size(gguf, key, &id, &found, error));
    if (!found) return LFM_OK;
    if (id >= t->texts.count)
        return lfm_fail(error, LFM_ERROR_FORMAT, "%s: '%s' is %zu, but there are %zu tokens", gguf->path, key, id,
                        t->texts.count);
    *out = (int32_t)id;
    return LFM_OK;
}

static enum lfm_status read_special(struct lfm_tokenizer *t, const struct lfm_gguf *gguf, struct lfm_error *error)
{
    static const char *const ends[] = {"eos_token_id", "eot_token_id", "eom_token_id"};
    bool found;
    LFM_TRY(read_id(t, gguf, "bos_token_id", &t->bos_id, error));
    LFM_TRY(read_id(t, gguf, "eos_token_id", &t->eos_id, error));
    LFM_TRY(read_id(t, gguf, "padding_token_id", &t->pad_id, error));
    for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++) {
        int32_t id;
        LFM_TRY(read_id(t, gguf, ends[i], &id, error));
        if (id >= 0) LFM_TRY(lfm_tokenizer_add_end(t, id, error));
    }
    LFM_TRY(lfm_gguf_bool(gguf, "tokenizer.ggml.add_bos_token", &t->add_bos, &found, error));
    if (t->bos_id < 0) t->add_bos = false;
    const char *chat_template;
    size_t length;
    LFM_TRY(lfm_gguf_string(gguf, "tokenizer.chat_template", &chat_template, &length, &found, error));
    return found ? lfm_copy_string(&t->chat_template, chat_template, length, error) : LFM_OK;
}

enum lfm_status lfm_tokenizer_read_gguf(struct lfm_tokenizer *tokenizer, const struct lfm_gguf *gguf,
                                        struct lfm_error *error)
{
    const char *model;
    size_t length;
    LFM_TRY(lfm_copy_string(&tokenizer->name, gguf->path, strlen(gguf->path), error));
    LFM_TRY(lfm_gguf_string(gguf, "tokenizer.ggml.model", &model, &length, NULL, error));
    if (length != 4 || memcmp(model, "gpt2", 4) != 0)
        return lfm_fail(error, LFM_ERROR_FORMAT,
                        "%s: expected a tokenizer of model 'gpt2' (byte-level BPE), found '%.*s'", gguf->path,
                        (int)(length < 64 ? length : 64), model);
    LFM_TRY(read_texts(tokenizer, gguf, error));
    LFM_TRY(read_types(tokenizer, gguf, error));
    LFM_TRY(lfm_tokenizer_finish_texts(tokenizer, error));
    LFM_TRY(read_added(tokenizer, error));
    LFM_TRY(read_merges(tokenizer, gguf, error));
    LFM_TRY(read_pre(tokenizer, gguf, error));
    return read_special(tokenizer, gguf, error);
}
