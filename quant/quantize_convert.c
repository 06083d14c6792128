/* What a Hugging Face directory needs besides weights, made from a GGUF file: config.json's contents, tokenizer.json
 * and tokenizer_config.json. See quantize.h. */
#include "quant/quantize_parts.h"

#include "reference/base/file.h"
#include "reference/base/json.h"
#include "reference/base/memory.h"
#include "reference/checkpoint/gguf.h"
#include "reference/model/tokenizer.h"
#include "reference/model/tokenizer_parts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- config.json --- */

/* Writes a real number with the digits a float needs, and so that it reads as one: 1.0, not 1. */
static void add_real(cJSON *object, const char *key, double value)
{
    char text[40];
    for (int digits = 6; digits <= 9; digits++) {
        snprintf(text, sizeof text, "%.*g", digits, value);
        if (strtof(text, NULL) == (float)value) break;
    }
    if (strpbrk(text, ".e") == NULL) strcat(text, ".0");
    cJSON_AddRawToObject(object, key, text);
}

static void add_size(cJSON *object, const char *key, size_t value)
{
    cJSON_AddNumberToObject(object, key, (double)value);
}

static void add_experts(cJSON *json, const struct lfm_config *config)
{
    add_size(json, "num_dense_layers", config->num_dense_layers);
    add_size(json, "num_experts", config->num_experts);
    add_size(json, "num_experts_per_tok", config->num_experts_per_tok);
    add_size(json, "moe_intermediate_size", config->moe_intermediate_size);
    cJSON_AddBoolToObject(json, "norm_topk_prob", config->norm_topk_prob);
    cJSON_AddBoolToObject(json, "use_expert_bias", config->use_expert_bias);
    add_real(json, "routed_scaling_factor", config->routed_scaling_factor);
}

static void add_family(cJSON *json, const struct lfm_config *config)
{
    if (config->architecture == LFM_ARCH_LLAMA) {
        cJSON_AddStringToObject(json, "hidden_act", "silu");
        add_real(json, "rms_norm_eps", config->norm_eps);
        add_size(json, "head_dim", config->head_dim);
        return;
    }
    add_real(json, "norm_eps", config->norm_eps);
    add_size(json, "conv_L_cache", config->conv_l_cache);
    cJSON_AddBoolToObject(json, "conv_bias", false);
    cJSON *types = cJSON_AddArrayToObject(json, "layer_types");
    for (size_t l = 0; l < config->num_hidden_layers; l++)
        cJSON_AddItemToArray(types, cJSON_CreateString(config->layer_types[l] == LFM_CONV ? "conv" : "full_attention"));
    if (config->architecture == LFM_ARCH_LFM2_MOE) add_experts(json, config);
    else cJSON_AddBoolToObject(json, "block_auto_adjust_ff_dim", false);
}

cJSON *lfm_make_config(const struct lfm_config *config)
{
    static const char *const classes[] = {[LFM_ARCH_LFM2] = "Lfm2ForCausalLM",
                                          [LFM_ARCH_LFM2_MOE] = "Lfm2MoeForCausalLM",
                                          [LFM_ARCH_LLAMA] = "LlamaForCausalLM"};
    cJSON *json = cJSON_CreateObject();
    cJSON_AddItemToObject(json, "architectures", cJSON_CreateStringArray(&classes[config->architecture], 1));
    cJSON_AddStringToObject(json, "model_type", lfm_architecture_name(config->architecture));
    cJSON_AddStringToObject(json, "dtype", "bfloat16");
    add_size(json, "vocab_size", config->vocab_size);
    add_size(json, "hidden_size", config->hidden_size);
    add_size(json, "intermediate_size", config->intermediate_size);
    add_size(json, "num_hidden_layers", config->num_hidden_layers);
    add_size(json, "num_attention_heads", config->num_attention_heads);
    add_size(json, "num_key_value_heads", config->num_key_value_heads);
    add_size(json, "max_position_embeddings", config->max_position_embeddings);
    cJSON_AddBoolToObject(json, "tie_word_embeddings", config->tie_word_embeddings);
    cJSON *rope = cJSON_AddObjectToObject(json, "rope_parameters");
    cJSON_AddStringToObject(rope, "rope_type", "default");
    add_real(rope, "rope_theta", config->rope_theta);
    add_family(json, config);
    return json;
}

/* --- tokenizer.json --- */

static void add_text(cJSON *array_or_object, const char *key, const char *text, size_t length)
{
    char *copy = NULL;
    if (lfm_copy_string(&copy, text, length, NULL) != LFM_OK) return;
    if (key) cJSON_AddStringToObject(array_or_object, key, copy);
    else cJSON_AddItemToArray(array_or_object, cJSON_CreateString(copy));
    free(copy);
}

/* Rows of the embedding beyond the tokenizer's own are called [PAD<id>]. */
static bool is_padding(const struct lfm_tokenizer_tables *tables, size_t id)
{
    char name[32];
    snprintf(name, sizeof name, "[PAD%zu]", id);
    return tables->types[id] == LFM_TOKEN_UNUSED && strlen(name) == tables->text_lengths[id] &&
           memcmp(name, tables->texts[id], tables->text_lengths[id]) == 0;
}

static cJSON *make_added_tokens(const struct lfm_tokenizer_tables *tables, size_t n)
{
    static const char *const flags[] = {"single_word", "lstrip", "rstrip", "normalized"};
    cJSON *list = cJSON_CreateArray();
    for (size_t id = 0; id < n; id++) {
        if (tables->types[id] != LFM_TOKEN_CONTROL && tables->types[id] != LFM_TOKEN_USER) continue;
        cJSON *token = cJSON_CreateObject();
        add_size(token, "id", id);
        add_text(token, "content", tables->texts[id], tables->text_lengths[id]);
        for (size_t i = 0; i < sizeof flags / sizeof flags[0]; i++) cJSON_AddBoolToObject(token, flags[i], false);
        cJSON_AddBoolToObject(token, "special", tables->types[id] == LFM_TOKEN_CONTROL);
        cJSON_AddItemToArray(list, token);
    }
    return list;
}

static cJSON *make_byte_level(void)
{
    cJSON *step = cJSON_CreateObject();
    cJSON_AddStringToObject(step, "type", "ByteLevel");
    cJSON_AddBoolToObject(step, "add_prefix_space", false);
    cJSON_AddBoolToObject(step, "trim_offsets", true);
    cJSON_AddBoolToObject(step, "use_regex", false);
    return step;
}

static cJSON *make_pre_tokenizer(const struct lfm_pre *pre)
{
    cJSON *sequence = cJSON_CreateObject();
    cJSON_AddStringToObject(sequence, "type", "Sequence");
    cJSON *steps = cJSON_AddArrayToObject(sequence, "pretokenizers");
    for (size_t i = 0; i < sizeof pre->patterns / sizeof pre->patterns[0] && pre->patterns[i]; i++) {
        cJSON *split = cJSON_CreateObject();
        cJSON_AddStringToObject(split, "type", "Split");
        cJSON_AddStringToObject(cJSON_AddObjectToObject(split, "pattern"), "Regex", pre->patterns[i]);
        cJSON_AddStringToObject(split, "behavior", "Isolated");
        cJSON_AddBoolToObject(split, "invert", false);
        cJSON_AddItemToArray(steps, split);
    }
    cJSON_AddItemToArray(steps, make_byte_level());
    return sequence;
}

static void add_template_part(cJSON *template, const char *kind, const char *id)
{
    cJSON *part = cJSON_CreateObject(), *inner = cJSON_AddObjectToObject(part, kind);
    cJSON_AddStringToObject(inner, "id", id);
    add_size(inner, "type_id", 0);
    cJSON_AddItemToArray(template, part);
}

/* Puts BOS in front. */
static cJSON *make_post_processor(const char *bos, int32_t id)
{
    cJSON *processor = cJSON_CreateObject();
    cJSON_AddStringToObject(processor, "type", "TemplateProcessing");
    cJSON *single = cJSON_AddArrayToObject(processor, "single"), *pair = cJSON_AddArrayToObject(processor, "pair");
    add_template_part(single, "SpecialToken", bos);
    add_template_part(single, "Sequence", "A");
    add_template_part(pair, "SpecialToken", bos);
    add_template_part(pair, "Sequence", "A");
    add_template_part(pair, "SpecialToken", bos);
    add_template_part(pair, "Sequence", "B");
    cJSON *token = cJSON_AddObjectToObject(cJSON_AddObjectToObject(processor, "special_tokens"), bos);
    cJSON_AddStringToObject(token, "id", bos);
    cJSON_AddItemToObject(token, "ids", cJSON_CreateIntArray(&(const int){id}, 1));
    cJSON_AddItemToObject(token, "tokens", cJSON_CreateStringArray(&bos, 1));
    return processor;
}

static cJSON *make_bpe(const struct lfm_tokenizer_tables *tables, size_t n, bool ignore_merges)
{
    cJSON *model = cJSON_CreateObject();
    cJSON_AddStringToObject(model, "type", "BPE");
    cJSON_AddBoolToObject(model, "ignore_merges", ignore_merges);
    cJSON *vocabulary = cJSON_AddObjectToObject(model, "vocab"), *merges = cJSON_AddArrayToObject(model, "merges");
    for (size_t id = 0; id < n; id++) {
        char *text = NULL;
        if (is_padding(tables, id) ||
            lfm_copy_string(&text, tables->texts[id], tables->text_lengths[id], NULL) != LFM_OK)
            continue;
        add_size(vocabulary, text, id);
        free(text);
    }
    for (size_t i = 0; i < tables->n_merges; i++) add_text(merges, NULL, tables->merges[i], tables->merge_lengths[i]);
    return model;
}

/* The name of a token, or NULL; the caller frees. */
static char *token_name(const struct lfm_tokenizer_tables *tables, size_t n, int32_t id)
{
    char *name = NULL;
    if (id >= 0 && (size_t)id < n) lfm_copy_string(&name, tables->texts[id], tables->text_lengths[id], NULL);
    return name;
}

static cJSON *make_tokenizer(const struct lfm_tokenizer_tables *tables, size_t n, const struct lfm_pre *pre)
{
    cJSON *json = cJSON_CreateObject();
    char *bos = token_name(tables, n, tables->bos_id);
    cJSON_AddStringToObject(json, "version", "1.0");
    cJSON_AddItemToObject(json, "added_tokens", make_added_tokens(tables, n));
    cJSON_AddNullToObject(json, "normalizer");
    cJSON_AddItemToObject(json, "pre_tokenizer", make_pre_tokenizer(pre));
    cJSON_AddItemToObject(json, "post_processor",
                          bos && tables->add_bos ? make_post_processor(bos, tables->bos_id) : cJSON_CreateNull());
    cJSON_AddItemToObject(json, "decoder", make_byte_level());
    cJSON_AddItemToObject(json, "model", make_bpe(tables, n, pre->ignore_merges));
    free(bos);
    return json;
}

static cJSON *make_tokenizer_config(const struct lfm_tokenizer_tables *tables, size_t n, const char *chat_template)
{
    const struct {
        const char *key;
        int32_t id;
    } tokens[] = {{"bos_token", tables->bos_id}, {"eos_token", tables->eos_id}, {"pad_token", tables->pad_id}};
    cJSON *json = cJSON_CreateObject();
    cJSON_AddStringToObject(json, "tokenizer_class", "PreTrainedTokenizerFast");
    for (size_t i = 0; i < sizeof tokens / sizeof tokens[0]; i++) {
        char *name = token_name(tables, n, tokens[i].id);
        if (name) cJSON_AddStringToObject(json, tokens[i].key, name);
        free(name);
    }
    cJSON_AddBoolToObject(json, "add_bos_token", tables->add_bos);
    cJSON_AddBoolToObject(json, "clean_up_tokenization_spaces", false);
    if (chat_template) cJSON_AddStringToObject(json, "chat_template", chat_template);
    return json;
}

/* Writes the document as a file of the directory, and deletes it. */
static enum lfm_status write_document(cJSON *document, const char *directory, const char *name, struct lfm_error *error)
{
    struct lfm_buffer text = {0};
    char *path = NULL;
    enum lfm_status status = lfm_join_path(&path, directory, name, error);
    if (status == LFM_OK) status = lfm_json_print(&text, document, error);
    if (status == LFM_OK) status = lfm_write_file(path, text.data, text.length, error);
    lfm_buffer_release(&text);
    free(path);
    cJSON_Delete(document);
    return status;
}

enum lfm_status lfm_quantization_write_tokenizer(const struct lfm_quantization *quantization, const char *directory,
                                                 struct lfm_error *error)
{
    struct lfm_tokenizer *tokenizer;
    struct lfm_tokenizer_tables tables;
    const char *kind;
    size_t length;
    const struct lfm_gguf *gguf = quantization->model->checkpoint->gguf;
    LFM_TRY(lfm_gguf_string(gguf, "tokenizer.ggml.model", &kind, &length, NULL, error));
    if (length == 4 && memcmp(kind, "none", 4) == 0) return LFM_OK;
    LFM_TRY(lfm_tokenizer_open(&tokenizer, quantization->model->checkpoint, error));
    enum lfm_status status = lfm_tokenizer_tables(tokenizer, &tables, error);
    const struct lfm_pre *pre = status == LFM_OK ? lfm_pre_find(tables.pre, strlen(tables.pre)) : NULL;
    if (status == LFM_OK && !pre)
        status = lfm_fail(error, LFM_ERROR_FORMAT, "cannot write tokenizer.json: pre-tokenizer '%s' is not known",
                          tables.pre);
    size_t n = lfm_vocabulary_size(tokenizer);
    if (status == LFM_OK) status = write_document(make_tokenizer(&tables, n, pre), directory, "tokenizer.json", error);
    if (status == LFM_OK)
        status = write_document(make_tokenizer_config(&tables, n, lfm_chat_template(tokenizer)), directory,
                                "tokenizer_config.json", error);
    lfm_tokenizer_free(tokenizer);
    return status;
}
