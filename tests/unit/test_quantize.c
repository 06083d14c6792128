/* Writing quantized models: what is written is read back and compared with the source. */
#include "quant/quantize.h"
#include "reference/base/file.h"
#include "reference/base/json.h"
#include "reference/checkpoint/gguf.h"
#include "reference/model/forward.h"
#include "reference/model/tokenizer.h"
#include "tests/unit/assert.h"
#include "tests/unit/directory.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#define GOLDEN "tests/golden/model/"

static struct lfm_error error;

static struct lfm_model *open_model(const char *path, const char *weights, enum lfm_scale scale)
{
    const struct lfm_model_options options = {.weights = weights ? lfm_format_by_name(weights) : NULL, .scale = scale};
    struct lfm_model *model;
    assert_ok(lfm_model_open(&model, path, &options, &error));
    return model;
}

static struct lfm_quantization *plan_for(const struct lfm_model *model, const char *type, enum lfm_container container,
                                         enum lfm_scale scale)
{
    const struct lfm_quantization_options options = {lfm_format_by_name(type), scale, container, false};
    struct lfm_quantization *plan;
    assert_ok(lfm_quantization_plan(&plan, model, &options, &error));
    return plan;
}

static void quantize(const char *source, const char *target, const char *type, enum lfm_container container,
                     enum lfm_scale scale)
{
    struct lfm_model *model = open_model(source, NULL, scale);
    struct lfm_quantization *plan = plan_for(model, type, container, scale);
    assert_ok(lfm_quantization_write(plan, target, NULL, &error));
    lfm_quantization_free(plan);
    lfm_model_close(model);
}

enum { TOKENS = 6, WIDTH = 64, VOCABULARY = 256 };

static void compute_logits(const struct lfm_model *model, float logits[TOKENS * VOCABULARY])
{
    static const int32_t tokens[TOKENS] = {5, 17, 99, 3, 42, 8};
    float hidden[TOKENS * WIDTH];
    struct lfm_state *state;
    cr_assert_leq(model->config.hidden_size, WIDTH);
    cr_assert_leq(model->config.vocab_size, VOCABULARY);
    assert_ok(lfm_state_new(&state, model, &error));
    assert_ok(lfm_forward(model, state, tokens, TOKENS, NULL, hidden, &error));
    assert_ok(lfm_logits(model, hidden, TOKENS, logits, &error));
    lfm_state_free(state);
}

static void expect_same_logits(const char *a, const char *weights_a, const char *b, const char *weights_b,
                               enum lfm_scale scale, double tolerance)
{
    static float x[TOKENS * VOCABULARY], y[TOKENS * VOCABULARY];
    struct lfm_model *first = open_model(a, weights_a, scale), *second = open_model(b, weights_b, scale);
    compute_logits(first, x);
    compute_logits(second, y);
    for (size_t i = 0; i < TOKENS * first->config.vocab_size; i++)
        cr_assert(fabs((double)x[i] - y[i]) <= tolerance, "%s and %s: logit %zu is %.9g and %.9g", a, b, i,
                  (double)x[i], (double)y[i]);
    lfm_model_close(second);
    lfm_model_close(first);
}

static const char *const checkpoints[] = {
    GOLDEN "moe-bf16", GOLDEN "moe-odd-sizes", GOLDEN "moe-unnormalised-scaled", GOLDEN "moe-no-bias-fused",
    GOLDEN "moe-untied-f16", GOLDEN "moe-12-experts-sharded", GOLDEN "lfm2-adjusted-width", GOLDEN "llama-untied"};
enum { N_CHECKPOINTS = sizeof checkpoints / sizeof checkpoints[0] };

TestSuite(quantize, .init = make_directory, .fini = remove_directory);

Test(quantize, f32_gguf_files_compute_what_their_source_computes)
{
    for (size_t i = 0; i < N_CHECKPOINTS; i++) {
        quantize(checkpoints[i], in_directory("f32.gguf"), "f32", LFM_GGUF, LFM_SCALE_CHANNEL);
        /* llama: rotating neighbours instead of halves changes the order of the sums in q . k */
        double tolerance = strstr(checkpoints[i], "llama") ? 1e-5 : 0;
        expect_same_logits(checkpoints[i], NULL, in_directory("f32.gguf"), NULL, LFM_SCALE_CHANNEL, tolerance);
    }
}

Test(quantize, f32_directories_compute_what_their_source_computes)
{
    for (size_t i = 0; i < N_CHECKPOINTS; i++) {
        quantize(checkpoints[i], in_directory("f32"), "f32", LFM_HUGGING_FACE, LFM_SCALE_CHANNEL);
        expect_same_logits(checkpoints[i], NULL, in_directory("f32"), NULL, LFM_SCALE_CHANNEL, 0);
        remove_in_directory("f32");
    }
}

static void copy_into(const char *from, const char *to)
{
    struct lfm_buffer contents = {0};
    assert_ok(lfm_read_file(&contents, from, &error));
    assert_ok(lfm_write_file(to, contents.data, contents.length, &error));
    lfm_buffer_release(&contents);
}

/* Transformers' strict configuration classes refuse a whole number where they expect a float. */
Test(quantize, numbers_in_config_json_keep_their_spelling)
{
    static const char odd[] = "{\"a\": \"x \\\" 7\", \"routed_scaling_factor\": 1.0, \"list\": [1, -2.50, 1e-05], ";
    struct lfm_buffer config = {0}, altered = {0}, written = {0};
    assert_ok(lfm_make_directory(in_directory("copy"), &error));
    copy_into(GOLDEN "moe-bf16/model.safetensors", in_directory("copy/model.safetensors"));
    assert_ok(lfm_read_file(&config, GOLDEN "moe-bf16/config.json", &error));
    assert_ok(lfm_buffer_printf(&altered, &error, "%s%s", odd, strchr(config.data, '{') + 1));
    assert_ok(lfm_write_file(in_directory("copy/config.json"), altered.data, altered.length, &error));
    quantize(in_directory("copy"), in_directory("out"), "bf16", LFM_HUGGING_FACE, LFM_SCALE_CHANNEL);
    assert_ok(lfm_read_file(&written, in_directory("out/config.json"), &error));
    cr_assert_not_null(strstr(written.data, "1.0,"));
    cr_assert_not_null(strstr(written.data, "[1, -2.50, 1e-05]"));
    cr_assert_not_null(strstr(written.data, "x \\\" 7"));
    lfm_buffer_release(&config);
    lfm_buffer_release(&altered);
    lfm_buffer_release(&written);
}

Test(quantize, files_compute_what_quantizing_in_memory_computes)
{
    static const char *const types[] = {"f16", "bf16", "q8_0", "q4_0"};
    for (size_t t = 0; t < 4; t++) {
        quantize(GOLDEN "lfm2-adjusted-width", in_directory("m.gguf"), types[t], LFM_GGUF, LFM_SCALE_CHANNEL);
        expect_same_logits(GOLDEN "lfm2-adjusted-width", types[t], in_directory("m.gguf"), NULL, LFM_SCALE_CHANNEL, 0);
    }
}

Test(quantize, fp8_directories_compute_what_quantizing_in_memory_computes)
{
    for (int scale = LFM_SCALE_TENSOR; scale <= LFM_SCALE_BLOCK; scale++) {
        struct lfm_model *model = open_model(GOLDEN "moe-bf16", NULL, LFM_SCALE_TENSOR);
        const struct lfm_quantization_options options = {lfm_format_by_name("fp8_e4m3"), (enum lfm_scale)scale,
                                                         LFM_HUGGING_FACE, true};
        struct lfm_quantization *plan;
        assert_ok(lfm_quantization_plan(&plan, model, &options, &error));
        assert_ok(lfm_quantization_write(plan, in_directory("fp8"), NULL, &error));
        expect_same_logits(GOLDEN "moe-bf16", "fp8_e4m3", in_directory("fp8"), NULL, (enum lfm_scale)scale, 0);
        lfm_quantization_free(plan);
        lfm_model_close(model);
        remove_in_directory("fp8");
    }
}

static void expect_tensor(const struct lfm_checkpoint *checkpoint, const char *name, const char *format,
                          size_t n_dimensions, const size_t *shape)
{
    const struct lfm_tensor *tensor = lfm_checkpoint_find(checkpoint, "%s", name);
    cr_assert_not_null(tensor, "'%s' is missing", name);
    cr_assert_str_eq(tensor->format->name, format, "'%s' is %s", name, tensor->format->name);
    assert_ok(lfm_tensor_expect_shape(tensor, n_dimensions, shape, &error));
}

Test(quantize, gguf_stacks_experts_squeezes_kernels_and_keeps_norms_and_routers_in_f32)
{
    struct lfm_checkpoint *checkpoint;
    quantize(GOLDEN "moe-bf16", in_directory("m.gguf"), "q8_0", LFM_GGUF, LFM_SCALE_CHANNEL);
    assert_ok(lfm_checkpoint_open(&checkpoint, in_directory("m.gguf"), &error));
    expect_tensor(checkpoint, "token_embd.weight", "q8_0", 2, (size_t[]){160, 32});
    expect_tensor(checkpoint, "token_embd_norm.weight", "f32", 1, (size_t[]){32});
    expect_tensor(checkpoint, "blk.2.ffn_gate_exps.weight", "q8_0", 3, (size_t[]){8, 24, 32});
    expect_tensor(checkpoint, "blk.2.ffn_down_exps.weight", "f16", 3, (size_t[]){8, 32, 24});
    expect_tensor(checkpoint, "blk.2.ffn_gate_inp.weight", "f32", 2, (size_t[]){8, 32});
    expect_tensor(checkpoint, "blk.2.exp_probs_b.bias", "f32", 1, (size_t[]){8});
    expect_tensor(checkpoint, "blk.0.shortconv.conv.weight", "f32", 2, (size_t[]){32, 3});
    expect_tensor(checkpoint, "blk.2.attn_q_norm.weight", "f32", 1, (size_t[]){8});
    cr_assert_null(lfm_checkpoint_find(checkpoint, "output.weight"));
    lfm_checkpoint_close(checkpoint);
}

static double metadata_number(const struct lfm_checkpoint *checkpoint, const char *key)
{
    double value;
    assert_ok(lfm_gguf_double(checkpoint->gguf, key, &value, NULL, &error));
    return value;
}

Test(quantize, gguf_metadata_say_what_llama_cpp_asks_for)
{
    struct lfm_checkpoint *checkpoint;
    const char *text;
    size_t length;
    quantize(GOLDEN "moe-bf16", in_directory("m.gguf"), "q8_0", LFM_GGUF, LFM_SCALE_CHANNEL);
    assert_ok(lfm_checkpoint_open(&checkpoint, in_directory("m.gguf"), &error));
    assert_ok(lfm_gguf_string(checkpoint->gguf, "general.architecture", &text, &length, NULL, &error));
    cr_assert(length == 7 && memcmp(text, "lfm2moe", 7) == 0);
    static const struct {
        const char *key;
        double value;
    } expected[] = {{"general.file_type", 7},
                    {"general.quantization_version", 2},
                    {"lfm2moe.block_count", 5},
                    {"lfm2moe.context_length", 256},
                    {"lfm2moe.embedding_length", 32},
                    {"lfm2moe.feed_forward_length", 64},
                    {"lfm2moe.attention.head_count", 4},
                    {"lfm2moe.rope.freq_base", 10000},
                    {"lfm2moe.vocab_size", 160},
                    {"lfm2moe.shortconv.l_cache", 3},
                    {"lfm2moe.expert_count", 8},
                    {"lfm2moe.expert_used_count", 3},
                    {"lfm2moe.expert_feed_forward_length", 24},
                    {"lfm2moe.leading_dense_block_count", 2},
                    {"lfm2moe.expert_gating_func", 2}};
    for (size_t i = 0; i < sizeof expected / sizeof expected[0]; i++)
        cr_assert_eq(metadata_number(checkpoint, expected[i].key), expected[i].value, "%s", expected[i].key);
    assert_near(metadata_number(checkpoint, "lfm2moe.attention.layer_norm_rms_epsilon"), 1e-5, 1e-12);
    const struct lfm_gguf_value *heads = lfm_gguf_find(checkpoint->gguf, "lfm2moe.attention.head_count_kv");
    static const double per_layer[] = {0, 0, 2, 0, 2};
    cr_assert(heads && heads->type == LFM_GGUF_ARRAY && heads->count == 5);
    for (uint64_t l = 0; l < 5; l++) {
        double value;
        assert_ok(lfm_gguf_element(heads, l, &value, &error));
        assert_near(value, per_layer[l], 0);
    }
    cr_assert_null(lfm_gguf_find(checkpoint->gguf, "lfm2moe.expert_weights_scale"));
    lfm_checkpoint_close(checkpoint);
}

Test(quantize, fallbacks_are_in_the_plan_and_in_the_file)
{
    struct lfm_model *model = open_model(GOLDEN "moe-bf16", NULL, LFM_SCALE_CHANNEL);
    struct lfm_quantization *plan = plan_for(model, "q4_0", LFM_GGUF, LFM_SCALE_CHANNEL);
    cr_assert_eq(plan->fallbacks.count, 3);
    cr_assert_str_eq(plan->fallbacks.items[0], "blk.2.ffn_down_exps.weight: f16 (rows of 24 are no multiple of 32)");
    assert_ok(lfm_quantization_write(plan, in_directory("m.gguf"), NULL, &error));
    struct lfm_checkpoint *checkpoint;
    assert_ok(lfm_checkpoint_open(&checkpoint, in_directory("m.gguf"), &error));
    const struct lfm_gguf_value *value = lfm_gguf_find(checkpoint->gguf, "lfmscope.fallbacks");
    cr_assert(value && value->count == 3);
    size_t cursor = 0, length;
    const char *text;
    assert_ok(lfm_gguf_next_string(value, &cursor, &text, &length, &error));
    cr_assert(length == strlen(plan->fallbacks.items[0]) && memcmp(text, plan->fallbacks.items[0], length) == 0);
    lfm_checkpoint_close(checkpoint);
    lfm_quantization_free(plan);
    lfm_model_close(model);
}

static void expect_warning(const char *source, const char *part)
{
    struct lfm_model *model = open_model(source, NULL, LFM_SCALE_CHANNEL);
    struct lfm_quantization *plan = plan_for(model, "f32", LFM_GGUF, LFM_SCALE_CHANNEL);
    bool found = false;
    for (size_t i = 0; i < plan->warnings.count; i++) found = found || strstr(plan->warnings.items[i], part);
    cr_assert(found, "no warning for %s has '%s'", source, part);
    lfm_quantization_free(plan);
    lfm_model_close(model);
}

Test(quantize, models_that_llama_cpp_would_misrun_are_warned_of)
{
    expect_warning(GOLDEN "moe-unnormalised-scaled", "routed_scaling_factor is");
    expect_warning(GOLDEN "moe-unnormalised-scaled", "norm_topk_prob is false");
    expect_warning(GOLDEN "moe-no-bias-fused", "llama.cpp will refuse");
}

Test(quantize, ordinary_models_give_no_warnings)
{
    struct lfm_model *model = open_model(GOLDEN "moe-bf16", NULL, LFM_SCALE_CHANNEL);
    struct lfm_quantization *plan = plan_for(model, "f32", LFM_GGUF, LFM_SCALE_CHANNEL);
    cr_assert_eq(plan->warnings.count, 0);
    cr_assert_eq(plan->fallbacks.count, 0);
    lfm_quantization_free(plan);
    lfm_model_close(model);
}

Test(quantize, a_gguf_source_keeps_its_metadata_but_not_those_of_its_storage)
{
    struct lfm_checkpoint *checkpoint;
    quantize(GOLDEN "moe-bf16", in_directory("q4.gguf"), "q4_0", LFM_GGUF, LFM_SCALE_CHANNEL);
    quantize(in_directory("q4.gguf"), in_directory("q8.gguf"), "q8_0", LFM_GGUF, LFM_SCALE_CHANNEL);
    assert_ok(lfm_checkpoint_open(&checkpoint, in_directory("q8.gguf"), &error));
    cr_assert_eq(metadata_number(checkpoint, "general.file_type"), 7);
    cr_assert_eq(metadata_number(checkpoint, "lfm2moe.expert_count"), 8);
    const struct lfm_gguf_value *name = lfm_gguf_find(checkpoint->gguf, "general.name");
    cr_assert_not_null(name);
    lfm_checkpoint_close(checkpoint);
    expect_same_logits(in_directory("q4.gguf"), "q8_0", in_directory("q8.gguf"), NULL, LFM_SCALE_CHANNEL, 1e-3);
}

Test(quantize, gguf_files_become_directories_that_compute_the_same)
{
    for (size_t i = 0; i < N_CHECKPOINTS; i++) {
        quantize(checkpoints[i], in_directory("a.gguf"), "f32", LFM_GGUF, LFM_SCALE_CHANNEL);
        quantize(in_directory("a.gguf"), in_directory("hf"), "f32", LFM_HUGGING_FACE, LFM_SCALE_CHANNEL);
        expect_same_logits(checkpoints[i], NULL, in_directory("hf"), NULL, LFM_SCALE_CHANNEL, 0);
        remove_in_directory("hf");
    }
}

static void expect_same_ids(const char *a, const char *b, const char *text)
{
    struct lfm_checkpoint *checkpoints_of[2];
    struct lfm_tokenizer *tokenizers[2];
    struct lfm_tokens ids[2] = {{0}, {0}};
    const char *const paths[] = {a, b};
    for (int i = 0; i < 2; i++) {
        assert_ok(lfm_checkpoint_open(&checkpoints_of[i], paths[i], &error));
        assert_ok(lfm_tokenizer_open(&tokenizers[i], checkpoints_of[i], &error));
        assert_ok(lfm_tokenize(tokenizers[i], text, strlen(text), true, true, &ids[i], &error));
    }
    cr_assert(ids[0].count > 0);
    cr_assert_eq(ids[0].count, ids[1].count);
    cr_assert_arr_eq(ids[0].ids, ids[1].ids, ids[0].count * sizeof *ids[0].ids);
    cr_assert_eq(lfm_eos_id(tokenizers[0]), lfm_eos_id(tokenizers[1]));
    for (int i = 0; i < 2; i++) {
        lfm_tokens_release(&ids[i]);
        lfm_tokenizer_free(tokenizers[i]);
        lfm_checkpoint_close(checkpoints_of[i]);
    }
}

static const char demo[] = "datasets/demo-model";
static const char sample[] = "The 12345 quick <|im_start|>brown's fox, d\xc3\xa9j\xc3\xa0 vu!\n\n  x";

Test(quantize, the_tokenizer_goes_along_both_ways)
{
    quantize(demo, in_directory("a.gguf"), "q4_0", LFM_GGUF, LFM_SCALE_CHANNEL);
    expect_same_ids(demo, in_directory("a.gguf"), sample);
    quantize(in_directory("a.gguf"), in_directory("back"), "bf16", LFM_HUGGING_FACE, LFM_SCALE_CHANNEL);
    expect_same_ids(demo, in_directory("back"), sample);
}

/* Writes the demo model's tokenizer without its last token. */
static void write_shorter_tokenizer(const char *path)
{
    cJSON *json;
    struct lfm_buffer text = {0};
    assert_ok(lfm_json_parse_file(&json, "datasets/demo-model/tokenizer.json", &error));
    cJSON *model = cJSON_GetObjectItem(json, "model"), *merges = cJSON_GetObjectItem(model, "merges");
    cJSON *vocabulary = cJSON_GetObjectItem(model, "vocab"), *last = vocabulary->child;
    for (cJSON *token = last; token; token = token->next)
        if (token->valuedouble > last->valuedouble) last = token;
    cJSON_Delete(cJSON_DetachItemViaPointer(vocabulary, last));
    cJSON_DeleteItemFromArray(merges, cJSON_GetArraySize(merges) - 1);
    assert_ok(lfm_json_print(&text, json, &error));
    assert_ok(lfm_write_file(path, text.data, text.length, &error));
    lfm_buffer_release(&text);
    cJSON_Delete(json);
}

/* llama.cpp takes the size of the vocabulary from the list of tokens. */
Test(quantize, rows_of_the_embedding_beyond_the_tokenizer_get_padding_tokens)
{
    struct lfm_checkpoint *checkpoint;
    assert_ok(lfm_make_directory(in_directory("source"), &error));
    copy_into("datasets/demo-model/model.safetensors", in_directory("source/model.safetensors"));
    copy_into("datasets/demo-model/config.json", in_directory("source/config.json"));
    write_shorter_tokenizer(in_directory("source/tokenizer.json"));
    quantize(in_directory("source"), in_directory("a.gguf"), "q4_0", LFM_GGUF, LFM_SCALE_CHANNEL);
    assert_ok(lfm_checkpoint_open(&checkpoint, in_directory("a.gguf"), &error));
    const struct lfm_gguf_value *tokens = lfm_gguf_find(checkpoint->gguf, "tokenizer.ggml.tokens");
    cr_assert(tokens && tokens->count == 2048);
    size_t cursor = 0, length = 0;
    const char *text = NULL;
    for (size_t i = 0; i < 2048; i++) assert_ok(lfm_gguf_next_string(tokens, &cursor, &text, &length, &error));
    cr_assert(length == 9 && memcmp(text, "[PAD2047]", 9) == 0);
    lfm_checkpoint_close(checkpoint);
    quantize(in_directory("a.gguf"), in_directory("back"), "bf16", LFM_HUGGING_FACE, LFM_SCALE_CHANNEL);
    expect_same_ids(in_directory("source"), in_directory("back"), sample);
}

Test(quantize, a_second_pass_from_gguf_in_f32_is_lossless)
{
    quantize(GOLDEN "llama-untied", in_directory("a.gguf"), "f32", LFM_GGUF, LFM_SCALE_CHANNEL);
    quantize(in_directory("a.gguf"), in_directory("b.gguf"), "f32", LFM_GGUF, LFM_SCALE_CHANNEL);
    expect_same_logits(in_directory("a.gguf"), NULL, in_directory("b.gguf"), NULL, LFM_SCALE_CHANNEL, 0);
}

/* llama: within each head, GGUF's rows 2i and 2i + 1 are Hugging Face's rows i and i + A/2. */
Test(quantize, llama_gguf_files_have_the_rows_of_q_and_k_in_the_order_of_neighbours)
{
    struct lfm_model *source = open_model(GOLDEN "llama-untied", NULL, LFM_SCALE_CHANNEL), *written;
    quantize(GOLDEN "llama-untied", in_directory("m.gguf"), "f32", LFM_GGUF, LFM_SCALE_CHANNEL);
    written = open_model(in_directory("m.gguf"), NULL, LFM_SCALE_CHANNEL);
    size_t A = source->config.head_dim;
    float x[WIDTH], y[WIDTH];
    for (size_t head = 0; head < source->config.num_key_value_heads; head++)
        for (size_t i = 0; i < A; i++) {
            lfm_matrix_decode_rows(&source->layers[1].k_proj, head * A + i % 2 * (A / 2) + i / 2, 1, x, 0);
            lfm_matrix_decode_rows(&written->layers[1].k_proj, head * A + i, 1, y, 0);
            cr_assert_arr_eq(x, y, source->config.hidden_size * sizeof *x, "head %zu, row %zu", head, i);
        }
    lfm_model_close(written);
    lfm_model_close(source);
}

Test(quantize, fp8_directories_are_laid_out_as_compressed_tensors_float_quantized)
{
    struct lfm_checkpoint *checkpoint;
    const char *text;
    quantize(GOLDEN "moe-bf16", in_directory("fp8"), "fp8_e4m3", LFM_HUGGING_FACE, LFM_SCALE_CHANNEL);
    assert_ok(lfm_checkpoint_open(&checkpoint, in_directory("fp8"), &error));
    expect_tensor(checkpoint, "model.layers.2.feed_forward.experts.7.w2.weight", "fp8_e4m3", 2, (size_t[]){32, 24});
    expect_tensor(checkpoint, "model.layers.2.feed_forward.experts.7.w2.weight_scale", "f32", 2, (size_t[]){32, 1});
    expect_tensor(checkpoint, "model.layers.2.feed_forward.gate.weight", "bf16", 2, (size_t[]){8, 32});
    expect_tensor(checkpoint, "model.layers.0.conv.conv.weight", "bf16", 3, (size_t[]){32, 1, 3});
    expect_tensor(checkpoint, "model.embed_tokens.weight", "bf16", 2, (size_t[]){160, 32});
    const cJSON *config = cJSON_GetObjectItem(checkpoint->config, "quantization_config");
    assert_ok(lfm_json_require_string(config, "quant_method", "config.json", &text, &error));
    cr_assert_str_eq(text, "compressed-tensors");
    assert_ok(lfm_json_require_string(config, "format", "config.json", &text, &error));
    cr_assert_str_eq(text, "float-quantized");
    const cJSON *weights =
        cJSON_GetObjectItem(cJSON_GetObjectItem(cJSON_GetObjectItem(config, "config_groups"), "group_0"), "weights");
    assert_ok(lfm_json_require_string(weights, "strategy", "config.json", &text, &error));
    cr_assert_str_eq(text, "channel");
    bool router = false, head = false;
    const cJSON *entry;
    cJSON_ArrayForEach(entry, cJSON_GetObjectItem(config, "ignore")) {
        router = router || strcmp(entry->valuestring, "model.layers.2.feed_forward.gate") == 0;
        head = head || strcmp(entry->valuestring, "lm_head") == 0;
    }
    cr_assert(router && head);
    cr_assert_not_null(cJSON_GetObjectItem(cJSON_GetObjectItem(checkpoint->config, "lfmscope"), "fallbacks"));
    lfm_checkpoint_close(checkpoint);
}

Test(quantize, a_quantized_directory_can_be_quantized_again)
{
    struct lfm_checkpoint *checkpoint;
    quantize(GOLDEN "moe-bf16", in_directory("fp8"), "fp8_e4m3", LFM_HUGGING_FACE, LFM_SCALE_BLOCK);
    quantize(in_directory("fp8"), in_directory("bf16"), "bf16", LFM_HUGGING_FACE, LFM_SCALE_BLOCK);
    assert_ok(lfm_checkpoint_open(&checkpoint, in_directory("bf16"), &error));
    cr_assert_null(cJSON_GetObjectItem(checkpoint->config, "quantization_config"));
    expect_tensor(checkpoint, "model.layers.0.conv.in_proj.weight", "bf16", 2, (size_t[]){96, 32});
    cr_assert_null(lfm_checkpoint_find(checkpoint, "model.layers.0.conv.in_proj.weight_scale"));
    lfm_checkpoint_close(checkpoint);
}

static void expect_plan_refused(const char *type, enum lfm_container container, const char *part)
{
    struct lfm_model *model = open_model(GOLDEN "moe-bf16", NULL, LFM_SCALE_CHANNEL);
    const struct lfm_quantization_options options = {lfm_format_by_name(type), LFM_SCALE_CHANNEL, container, false};
    struct lfm_quantization *plan;
    assert_fails(lfm_quantization_plan(&plan, model, &options, &error), LFM_ERROR_ARGUMENT, part);
    cr_assert_null(plan);
    lfm_model_close(model);
}

Test(quantize, containers_without_the_type_are_refused)
{
    expect_plan_refused("fp8_e4m3", LFM_GGUF, "GGUF has no type for fp8_e4m3");
    expect_plan_refused("q8_0", LFM_HUGGING_FACE, ".gguf");
}

static void expect_write_refused(const char *source, const char *target, const char *type, enum lfm_container container,
                                 enum lfm_status expected, const char *part)
{
    struct lfm_model *model = open_model(source, NULL, LFM_SCALE_CHANNEL);
    struct lfm_quantization *plan = plan_for(model, type, container, LFM_SCALE_CHANNEL);
    assert_fails(lfm_quantization_write(plan, target, NULL, &error), expected, part);
    lfm_quantization_free(plan);
    lfm_model_close(model);
}

Test(quantize, the_model_itself_is_not_overwritten)
{
    quantize(GOLDEN "moe-bf16", in_directory("a.gguf"), "f32", LFM_GGUF, LFM_SCALE_CHANNEL);
    cr_assert_eq(symlink(in_directory("a.gguf"), in_directory("b.gguf")), 0);
    expect_write_refused(in_directory("a.gguf"), in_directory("b.gguf"), "q8_0", LFM_GGUF, LFM_ERROR_IO, "being read");
    quantize(GOLDEN "moe-bf16", in_directory("hf"), "f32", LFM_HUGGING_FACE, LFM_SCALE_CHANNEL);
    expect_write_refused(in_directory("hf"), in_directory("hf"), "bf16", LFM_HUGGING_FACE, LFM_ERROR_IO, "being read");
}

Test(quantize, directories_with_contents_and_places_that_cannot_be_written_are_refused)
{
    assert_ok(lfm_make_directory(in_directory("full/inner"), &error));
    expect_write_refused(GOLDEN "moe-bf16", in_directory("full"), "f32", LFM_HUGGING_FACE, LFM_ERROR_IO,
                         "not an empty directory");
    expect_write_refused(GOLDEN "moe-bf16", "/dev/null/m.gguf", "f32", LFM_GGUF, LFM_ERROR_IO, "/dev/null/m.gguf");
    expect_write_refused(GOLDEN "moe-bf16", "/dev/null/m", "f32", LFM_HUGGING_FACE, LFM_ERROR_IO, "/dev/null");
}

Test(quantize, weights_that_are_not_finite_are_named_and_nothing_is_left)
{
    quantize(GOLDEN "moe-bf16", in_directory("a.gguf"), "f32", LFM_GGUF, LFM_SCALE_CHANNEL);
    struct lfm_checkpoint *checkpoint;
    assert_ok(lfm_checkpoint_open(&checkpoint, in_directory("a.gguf"), &error));
    const struct lfm_tensor *tensor = lfm_checkpoint_find(checkpoint, "blk.3.shortconv.in_proj.weight");
    struct lfm_mapping mapping;
    assert_ok(lfm_mapping_open(&mapping, in_directory("a.gguf"), &error));
    size_t length = mapping.size;
    char *bytes = malloc(length);
    memcpy(bytes, mapping.data, length);
    lfm_mapping_close(&mapping);
    struct stat information;
    cr_assert_eq(stat(in_directory("a.gguf"), &information), 0);
    /* Tensor data are found by value: the first row of the tensor. */
    char *at = NULL;
    for (size_t i = 0; i + 128 <= length && !at; i += 32)
        if (memcmp(bytes + i, tensor->data, 128) == 0) at = bytes + i;
    cr_assert_not_null(at);
    const float nan = NAN;
    memcpy(at + (size_t)7 * 32 * 4 + 5 * 4, &nan, sizeof nan);
    assert_ok(lfm_write_file(in_directory("bad.gguf"), bytes, length, &error));
    free(bytes);
    lfm_checkpoint_close(checkpoint);
    expect_write_refused(in_directory("bad.gguf"), in_directory("out.gguf"), "q8_0", LFM_GGUF, LFM_ERROR_FORMAT,
                         "'blk.3.shortconv.in_proj.weight': row 7, column 5 is nan");
    expect_write_refused(in_directory("bad.gguf"), in_directory("out.gguf"), "f16", LFM_GGUF, LFM_ERROR_FORMAT, "row 7, column 5");
    cr_assert_eq(count_files(), 2, "something was left behind");
}

/* A limit on file sizes fails writes as a full disk does. */
Test(quantize, a_full_disk_is_reported_and_nothing_is_left)
{
    signal(SIGXFSZ, SIG_IGN);
    const struct rlimit limit = {40000, 40000};
    cr_assert_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
    expect_write_refused(GOLDEN "moe-bf16", in_directory("m.gguf"), "f32", LFM_GGUF, LFM_ERROR_IO, "cannot write");
    expect_write_refused(GOLDEN "moe-bf16", in_directory("m"), "f32", LFM_HUGGING_FACE, LFM_ERROR_IO, "cannot write");
    cr_assert_eq(count_files(), 0, "something was left behind");
}

Test(quantize, an_interrupt_ends_the_work_and_nothing_is_left)
{
    lfm_catch_interrupts();
    raise(SIGINT);
    expect_write_refused(GOLDEN "moe-bf16", in_directory("m.gguf"), "f32", LFM_GGUF, LFM_ERROR_STOPPED, "stopped while writing");
    expect_write_refused(GOLDEN "moe-bf16", in_directory("m"), "f32", LFM_HUGGING_FACE, LFM_ERROR_STOPPED, "stopped");
    cr_assert_eq(count_files(), 0, "something was left behind");
}
