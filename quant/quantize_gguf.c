/* The quantized model as a GGUF file that llama.cpp runs. See quantize.h; keys as llama.cpp's converter writes them. */
#include "quant/quantize_parts.h"

#include "reference/base/file.h"
#include "reference/base/memory.h"
#include "reference/base/version.h"
#include "reference/checkpoint/gguf.h"
#include "reference/model/tokenizer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct header {
    struct lfm_gguf_writer *writer;
    const struct lfm_quantization *plan;
    const struct lfm_config *config;
    const char *architecture;
    char key[96];
    struct lfm_error *error;
};

static const char *key(struct header *header, const char *suffix)
{
    snprintf(header->key, sizeof header->key, "%s.%s", header->architecture, suffix);
    return header->key;
}

static enum lfm_status put_size(struct header *header, const char *suffix, size_t value)
{
    return lfm_gguf_put_u32(header->writer, key(header, suffix), (uint32_t)value, header->error);
}

static enum lfm_status put_real(struct header *header, const char *suffix, double value)
{
    return lfm_gguf_put_f32(header->writer, key(header, suffix), (float)value, header->error);
}

static enum lfm_status put_text(struct header *header, const char *name, const char *text)
{
    return lfm_gguf_put_string(header->writer, name, text, strlen(text), header->error);
}

/* llama.cpp's number for a file whose matrices are mostly of this type. */
static uint32_t file_type(const struct lfm_format *format)
{
    static const struct {
        const char *format;
        uint32_t number;
    } numbers[] = {{"f32", 0}, {"f16", 1}, {"q4_0", 2}, {"q4_1", 3}, {"q8_0", 7}, {"bf16", 32}};
    enum { GUESSED = 1024 };
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++)
        if (strcmp(numbers[i].format, format->name) == 0) return numbers[i].number;
    return GUESSED;
}

/* --- from a configuration --- */

/* One number for each layer; 0 tells llama.cpp that it is a conv layer. */
static enum lfm_status put_key_value_heads(struct header *header)
{
    const struct lfm_config *config = header->config;
    if (config->architecture == LFM_ARCH_LLAMA)
        return put_size(header, "attention.head_count_kv", config->num_key_value_heads);
    int32_t heads[LFM_MAX_LAYERS];
    for (size_t l = 0; l < config->num_hidden_layers; l++)
        heads[l] = config->layer_types[l] == LFM_ATTENTION ? (int32_t)config->num_key_value_heads : 0;
    return lfm_gguf_put_numbers(header->writer, key(header, "attention.head_count_kv"), LFM_GGUF_I32, heads,
                                config->num_hidden_layers, header->error);
}

static enum lfm_status put_experts(struct header *header)
{
    const struct lfm_config *config = header->config;
    enum { SIGMOID = 2 };
    if (config->num_experts == 0) return LFM_OK;
    LFM_TRY(put_size(header, "expert_count", config->num_experts));
    LFM_TRY(put_size(header, "expert_used_count", config->num_experts_per_tok));
    LFM_TRY(put_size(header, "expert_feed_forward_length", config->moe_intermediate_size));
    LFM_TRY(put_size(header, "leading_dense_block_count", config->num_dense_layers));
    LFM_TRY(put_size(header, "expert_gating_func", SIGMOID));
    if (config->routed_scaling_factor != 1.0)
        LFM_TRY(put_real(header, "expert_weights_scale", config->routed_scaling_factor));
    if (config->norm_topk_prob) return LFM_OK;
    return lfm_gguf_put_bool(header->writer, key(header, "expert_weights_norm"), false, header->error);
}

static enum lfm_status put_config(struct header *header)
{
    const struct lfm_config *config = header->config;
    LFM_TRY(put_text(header, "general.architecture", header->architecture));
    LFM_TRY(put_text(header, "general.type", "model"));
    LFM_TRY(put_text(header, "general.name", header->plan->model->checkpoint->name));
    LFM_TRY(put_size(header, "block_count", config->num_hidden_layers));
    LFM_TRY(put_size(header, "context_length", config->max_position_embeddings));
    LFM_TRY(put_size(header, "embedding_length", config->hidden_size));
    LFM_TRY(put_size(header, "feed_forward_length", config->intermediate_size));
    LFM_TRY(put_size(header, "attention.head_count", config->num_attention_heads));
    LFM_TRY(put_key_value_heads(header));
    LFM_TRY(put_real(header, "attention.layer_norm_rms_epsilon", config->norm_eps));
    LFM_TRY(put_real(header, "rope.freq_base", config->rope_theta));
    LFM_TRY(put_size(header, "vocab_size", config->vocab_size));
    if (config->head_dim * config->num_attention_heads != config->hidden_size) {
        LFM_TRY(put_size(header, "attention.key_length", config->head_dim));
        LFM_TRY(put_size(header, "attention.value_length", config->head_dim));
    }
    if (config->architecture == LFM_ARCH_LLAMA) return put_size(header, "rope.dimension_count", config->head_dim);
    LFM_TRY(put_size(header, "shortconv.l_cache", config->conv_l_cache));
    return put_experts(header);
}

/* --- from a tokenizer --- */

enum { UNUSED_TOKEN = 5, PADDING_TEXT = 32 };

/* llama.cpp takes the vocabulary's size from the list of tokens: rows of the embedding beyond the tokenizer's own get
 * names of their own. */
struct padded_tokens {
    const char **texts;
    size_t *lengths;
    int32_t *types;
    char (*names)[PADDING_TEXT];
};

static enum lfm_status pad_tokens(struct padded_tokens *out, const struct lfm_tokenizer_tables *tables, size_t n,
                                  size_t total, struct lfm_error *error)
{
    LFM_TRY(LFM_ALLOC(&out->texts, total, error));
    LFM_TRY(LFM_ALLOC(&out->lengths, total, error));
    LFM_TRY(LFM_ALLOC(&out->types, total, error));
    LFM_TRY(LFM_ALLOC(&out->names, total - n, error));
    for (size_t i = 0; i < n; i++) {
        out->texts[i] = tables->texts[i];
        out->lengths[i] = tables->text_lengths[i];
        out->types[i] = tables->types[i];
    }
    for (size_t i = n; i < total; i++) {
        snprintf(out->names[i - n], PADDING_TEXT, "[PAD%zu]", i);
        out->texts[i] = out->names[i - n];
        out->lengths[i] = strlen(out->names[i - n]);
        out->types[i] = UNUSED_TOKEN;
    }
    return LFM_OK;
}

static enum lfm_status put_tokens(struct header *header, const struct lfm_tokenizer_tables *tables, size_t n)
{
    struct padded_tokens tokens = {0};
    size_t total = header->config->vocab_size;
    enum lfm_status status;
    if (n > total)
        return lfm_fail(header->error, LFM_ERROR_MISMATCH,
                        "the tokenizer has %zu tokens, the model's vocabulary only %zu", n, total);
    LFM_TRY_DONE(pad_tokens(&tokens, tables, n, total, header->error));
    LFM_TRY_DONE(lfm_gguf_put_strings(header->writer, "tokenizer.ggml.tokens", tokens.texts, tokens.lengths, total,
                                      header->error));
    LFM_TRY_DONE(lfm_gguf_put_numbers(header->writer, "tokenizer.ggml.token_type", LFM_GGUF_I32, tokens.types, total,
                                      header->error));
    status = lfm_gguf_put_strings(header->writer, "tokenizer.ggml.merges", tables->merges, tables->merge_lengths,
                                  tables->n_merges, header->error);
done:
    free(tokens.texts);
    free(tokens.lengths);
    free(tokens.types);
    free(tokens.names);
    return status;
}

static enum lfm_status put_token_id(struct header *header, const char *name, int32_t id)
{
    return id < 0 ? LFM_OK : lfm_gguf_put_u32(header->writer, name, (uint32_t)id, header->error);
}

static enum lfm_status put_tables(struct header *header, const struct lfm_tokenizer *tokenizer)
{
    struct lfm_tokenizer_tables tables;
    LFM_TRY(lfm_tokenizer_tables(tokenizer, &tables, header->error));
    LFM_TRY(put_text(header, "tokenizer.ggml.model", "gpt2"));
    LFM_TRY(put_text(header, "tokenizer.ggml.pre", tables.pre));
    LFM_TRY(put_tokens(header, &tables, lfm_vocabulary_size(tokenizer)));
    LFM_TRY(put_token_id(header, "tokenizer.ggml.bos_token_id", tables.bos_id));
    LFM_TRY(put_token_id(header, "tokenizer.ggml.eos_token_id", tables.eos_id));
    LFM_TRY(put_token_id(header, "tokenizer.ggml.padding_token_id", tables.pad_id));
    LFM_TRY(lfm_gguf_put_bool(header->writer, "tokenizer.ggml.add_bos_token", tables.add_bos, header->error));
    LFM_TRY(lfm_gguf_put_bool(header->writer, "tokenizer.ggml.add_eos_token", false, header->error));
    LFM_TRY(lfm_gguf_put_bool(header->writer, "tokenizer.ggml.add_sep_token", false, header->error));
    const char *template = lfm_chat_template(tokenizer);
    return template ? put_text(header, "tokenizer.chat_template", template) : LFM_OK;
}

/* A directory without tokenizer.json makes a file without a vocabulary: it runs on token ids. */
static enum lfm_status put_tokenizer(struct header *header)
{
    const struct lfm_checkpoint *checkpoint = header->plan->model->checkpoint;
    char *path;
    LFM_TRY(lfm_join_path(&path, checkpoint->path, "tokenizer.json", header->error));
    bool present = lfm_file_exists(path);
    free(path);
    if (!present) return put_text(header, "tokenizer.ggml.model", "none");
    struct lfm_tokenizer *tokenizer;
    LFM_TRY(lfm_tokenizer_open(&tokenizer, checkpoint, header->error));
    enum lfm_status status = put_tables(header, tokenizer);
    lfm_tokenizer_free(tokenizer);
    return status;
}

/* --- from another GGUF file --- */

/* Keys that describe how the source was stored, not what the model is. */
static bool describes_the_file(const char *name)
{
    static const char *const prefixes[] = {"general.file_type", "general.quantization_version", "general.alignment",
                                           "split.", "quantize.", "lfmscope."};
    for (size_t i = 0; i < sizeof prefixes / sizeof prefixes[0]; i++)
        if (strncmp(name, prefixes[i], strlen(prefixes[i])) == 0) return true;
    return false;
}

static enum lfm_status copy_metadata(struct header *header, const struct lfm_gguf *gguf)
{
    for (size_t i = 0; i < gguf->n_values; i++)
        if (!describes_the_file(gguf->values[i].key))
            LFM_TRY(lfm_gguf_put_value(header->writer, &gguf->values[i], header->error));
    return LFM_OK;
}

/* --- the file --- */

static enum lfm_status put_origin(struct header *header)
{
    enum { QUANTIZATION_VERSION = 2 };
    const struct lfm_notes *fallbacks = &header->plan->fallbacks;
    LFM_TRY(lfm_gguf_put_u32(header->writer, "general.quantization_version", QUANTIZATION_VERSION, header->error));
    LFM_TRY(lfm_gguf_put_u32(header->writer, "general.file_type", file_type(header->plan->format), header->error));
    LFM_TRY(put_text(header, "lfmscope.version", LFM_VERSION));
    if (fallbacks->count == 0) return LFM_OK;
    size_t *lengths;
    LFM_TRY(LFM_ALLOC(&lengths, fallbacks->count, header->error));
    for (size_t i = 0; i < fallbacks->count; i++) lengths[i] = strlen(fallbacks->items[i]);
    enum lfm_status status =
        lfm_gguf_put_strings(header->writer, "lfmscope.fallbacks", (const char *const *)fallbacks->items, lengths,
                             fallbacks->count, header->error);
    free(lengths);
    return status;
}

static enum lfm_status put_metadata(struct header *header)
{
    const struct lfm_checkpoint *checkpoint = header->plan->model->checkpoint;
    if (checkpoint->container == LFM_GGUF) {
        LFM_TRY(copy_metadata(header, checkpoint->gguf));
    } else {
        LFM_TRY(put_config(header));
        LFM_TRY(put_tokenizer(header));
    }
    return put_origin(header);
}

static enum lfm_status write_piece(void *writer, const void *bytes, size_t length, struct lfm_error *error)
{
    return lfm_gguf_write_data(writer, bytes, length, error);
}

enum lfm_status lfm_quantization_write_gguf(const struct lfm_quantization *quantization, const char *path,
                                            struct lfm_progress *progress, struct lfm_error *error)
{
    static const char *const architectures[] = {
        [LFM_ARCH_LFM2] = "lfm2", [LFM_ARCH_LFM2_MOE] = "lfm2moe", [LFM_ARCH_LLAMA] = "llama"};
    struct header header = {.plan = quantization, .config = &quantization->model->config, .error = error};
    header.architecture = architectures[header.config->architecture];
    enum lfm_status status;
    LFM_TRY(lfm_gguf_writer_open(&header.writer, path, error));
    LFM_TRY_DONE(put_metadata(&header));
    for (size_t i = 0; i < quantization->count; i++) {
        const struct lfm_planned_tensor *tensor = &quantization->tensors[i];
        LFM_TRY_DONE(lfm_gguf_add_tensor(header.writer, tensor->name, tensor->format, tensor->n_dimensions,
                                         tensor->shape, error));
    }
    LFM_TRY_DONE(lfm_gguf_begin(header.writer, error));
    const struct lfm_data_sink sink = {write_piece, header.writer};
    LFM_TRY_DONE(lfm_quantization_write_data(quantization, &sink, progress, error));
    status = lfm_gguf_commit(header.writer, error);
done:
    lfm_gguf_writer_close(header.writer);
    return status;
}
