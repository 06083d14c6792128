/* Configuration and weights: what is accepted, what is refused and how, and quantizing in memory.
 * Works on copies of tests/golden/model/moe-odd-sizes and lfm2-adjusted-width with altered configurations. */
#include "reference/base/file.h"
#include "reference/base/json.h"
#include "reference/checkpoint/gguf.h"
#include "reference/model/forward.h"
#include "reference/model/model.h"
#include "tests/unit/assert.h"
#include "tests/unit/directory.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static void copy_file(const char *from, const char *name)
{
    struct lfm_error error = {0};
    struct lfm_buffer bytes = {0};
    char path[256];
    snprintf(path, sizeof path, "%s/%s", from, name);
    assert_ok(lfm_read_file(&bytes, path, &error));
    write_bytes(name, bytes.data, bytes.length);
    lfm_buffer_release(&bytes);
}

/* Copies the checkpoint and replaces one key of its configuration ("" removes the key). */
static const char *altered(const char *source, const char *key, const char *value)
{
    struct lfm_error error = {0};
    struct lfm_buffer text = {0};
    cJSON *config;
    char path[256];
    make_directory();
    copy_file(source, "model.safetensors");
    snprintf(path, sizeof path, "%s/config.json", source);
    assert_ok(lfm_json_parse_file(&config, path, &error));
    cJSON_DeleteItemFromObjectCaseSensitive(config, key);
    if (*value) cJSON_AddItemToObject(config, key, cJSON_Parse(value));
    assert_ok(lfm_json_print(&text, config, &error));
    write_bytes("config.json", text.data, text.length);
    cJSON_Delete(config);
    lfm_buffer_release(&text);
    return in_directory("");
}

static const char moe[] = "tests/golden/model/moe-odd-sizes";
static const char dense[] = "tests/golden/model/lfm2-adjusted-width";
static const char llama[] = "tests/golden/model/llama-untied";

static void expect_refusal(const char *key, const char *value, const char *part)
{
    struct lfm_error error = {0};
    struct lfm_model *model;
    const char *path = altered(moe, key, value);
    enum lfm_status status = lfm_model_open(&model, path, NULL, &error);
    cr_assert_neq(status, LFM_OK, "a model with \"%s\": %s was opened", key, value);
    cr_assert_null(model);
    cr_assert_not_null(strstr(error.message, part), "message '%s' lacks '%s'", error.message, part);
    cr_assert_null(strchr(error.message, '\n'));
    remove_directory();
}

Test(config, a_contradiction_to_the_tensors_names_tensor_and_shapes)
{
    expect_refusal("hidden_size", "42", "model.embed_tokens.weight");
    expect_refusal("vocab_size", "132", "[132,36]");
    expect_refusal("intermediate_size", "53", "feed_forward.w1.weight");
    expect_refusal("moe_intermediate_size", "24", "experts.0.w1.weight");
    expect_refusal("num_experts", "8", "feed_forward.gate.weight");
    expect_refusal("conv_L_cache", "4", "conv.conv.weight");
    expect_refusal("num_hidden_layers", "6", "'layer_types' has 5 entries, expected 6");
    expect_refusal("tie_word_embeddings", "false", "lm_head.weight");
    expect_refusal("num_dense_layers", "1", "gate.weight");
}

Test(config, values_out_of_range_or_of_another_type_are_refused)
{
    expect_refusal("model_type", "\"mixtral\"", "model_type 'mixtral' is not supported");
    expect_refusal("model_type", "", "'model_type' is missing");
    expect_refusal("hidden_size", "\"36\"", "'hidden_size' must be a whole number");
    expect_refusal("hidden_size", "-36", "'hidden_size' must be a whole number");
    expect_refusal("hidden_size", "0", "'hidden_size' is 0");
    expect_refusal("num_hidden_layers", "100000", "expected 1 to 512");
    expect_refusal("num_attention_heads", "0", "'num_attention_heads' is 0");
    expect_refusal("num_key_value_heads", "2", "cannot share");
    expect_refusal("num_experts_per_tok", "8", "expected 1 to 7");
    expect_refusal("num_experts_per_tok", "0", "expected 1 to 7");
    expect_refusal("layer_types", "[\"conv\",\"conv\",\"mamba\",\"conv\",\"conv\"]", "layer_types[2] is 'mamba'");
    expect_refusal("norm_eps", "0", "must be positive");
    expect_refusal("conv_bias", "true", "'conv_bias' is true");
    expect_refusal("rope_parameters", "{\"rope_type\":\"yarn\"}", "rope_type 'yarn'");
    expect_refusal("rope_scaling", "{\"type\":\"linear\",\"factor\":2}", "rope_type 'linear'");
}

Test(config, keys_that_contradict_each_other_count_as_in_transformers)
{
    struct lfm_error error = {0};
    struct lfm_model *model;
    expect_refusal("tie_embedding", "false", "lm_head.weight");
    assert_ok(lfm_model_open(&model, altered(moe, "rope_scaling", "{\"rope_type\":\"default\",\"rope_theta\":123}"), NULL, &error));
    assert_near(model->config.rope_theta, 123, 0);
    lfm_model_close(model);
    remove_directory();
    assert_ok(lfm_model_open(&model, altered(moe, "rope_scaling", "{}"), NULL, &error));
    assert_near(model->config.rope_theta, 1e4, 0);
    lfm_model_close(model);
    remove_directory();
}

Test(config, llama_with_another_activation_is_refused)
{
    struct lfm_error error = {0};
    struct lfm_model *model;
    assert_fails(lfm_model_open(&model, altered(llama, "hidden_act", "\"gelu\""), NULL, &error), LFM_ERROR_FORMAT,
                 "hidden_act 'gelu'");
    remove_directory();
    assert_ok(lfm_model_open(&model, altered(llama, "hidden_act", "\"silu\""), NULL, &error));
    lfm_model_close(model);
    remove_directory();
}

/* Writes model.safetensors of the test's directory anew, the embedding's bytes in the place of the head's. */
static void copy_embedding_to_head(void)
{
    struct lfm_error error = {0};
    struct lfm_checkpoint *checkpoint;
    struct lfm_buffer file = {0};
    assert_ok(lfm_checkpoint_open(&checkpoint, in_directory(""), &error));
    assert_ok(lfm_read_file(&file, in_directory("model.safetensors"), &error));
    const struct lfm_tensor *embedding = lfm_checkpoint_find(checkpoint, "model.embed_tokens.weight");
    const struct lfm_tensor *head = lfm_checkpoint_find(checkpoint, "lm_head.weight");
    size_t at = 0;
    while (at + head->bytes < file.length && memcmp(file.data + at, head->data, head->bytes) != 0) at++;
    memcpy(file.data + at, embedding->data, head->bytes);
    lfm_checkpoint_close(checkpoint);
    write_bytes("model.safetensors", file.data, file.length);
    lfm_buffer_release(&file);
}

Test(config, a_tied_head_with_weights_of_its_own_is_refused)
{
    struct lfm_error error = {0};
    struct lfm_model *model;
    const char *tied = altered(llama, "tie_word_embeddings", "true");
    assert_fails(lfm_model_open(&model, tied, NULL, &error), LFM_ERROR_MISMATCH, "'lm_head.weight' has other weights");
    copy_embedding_to_head();
    assert_ok(lfm_model_open(&model, tied, NULL, &error));
    lfm_model_close(model);
    remove_directory();
}

Test(config, absent_keys_take_the_familys_defaults)
{
    struct lfm_error error = {0};
    struct lfm_model *model;
    assert_ok(lfm_model_open(&model, altered(moe, "rope_parameters", ""), NULL, &error));
    assert_near(model->config.rope_theta, 1e6, 0);
    lfm_model_close(model);
    remove_directory();
    assert_ok(lfm_model_open(&model, altered(moe, "use_expert_bias", "false"), NULL, &error));
    cr_assert_null(model->layers[2].expert_bias);
    lfm_model_close(model);
    remove_directory();
}

Test(config, the_width_of_lfm2_is_two_thirds_times_the_multiplier_rounded_up)
{
    struct lfm_error error = {0};
    struct lfm_model *model;
    assert_ok(lfm_model_open(&model, dense, NULL, &error));
    cr_assert_eq(model->config.intermediate_size, 96); /* 96 -> 64 -> int(1.3 * 64) = 83 -> 96, a multiple of 16 */
    lfm_model_close(model);
}

Test(model, parameters_are_counted_once_and_active_ones_without_idle_experts)
{
    struct lfm_error error = {0};
    struct lfm_model *model;
    assert_ok(lfm_model_open(&model, moe, NULL, &error));
    size_t expected = 0;
    for (size_t i = 0; i < model->checkpoint->n_tensors; i++) expected += lfm_tensor_elements(&model->checkpoint->tensors[i]);
    cr_assert_eq(lfm_model_parameters(model), expected);
    cr_assert_eq(lfm_model_active_parameters(model), expected - 3 * 5 * 3 * 20 * 36); /* 3 layers, 5 of 7 experts idle */
    cr_assert_eq(lfm_model_bytes(model), model->checkpoint->bytes);
    assert_near(lfm_model_bits_per_weight(model), 32, 0);
    lfm_model_close(model);
}

struct tally {
    size_t quantized, kept;
};

static enum lfm_status tally_formats(void *context, const char *name, struct lfm_matrix *matrix, struct lfm_error *error)
{
    struct tally *tally = context;
    (void)name;
    (void)error;
    if (strcmp(matrix->format->name, "q8_0") == 0)
        tally->quantized++;
    else
        tally->kept++;
    return LFM_OK;
}

Test(model, rows_that_are_no_multiple_of_the_block_keep_their_type_and_are_counted)
{
    struct lfm_error error = {0};
    struct lfm_model *model;
    struct tally tally = {0};
    const struct lfm_model_options options = {.weights = lfm_format_by_name("q8_0")};
    assert_ok(lfm_model_open(&model, "tests/golden/model/moe-bf16", &options, &error)); /* rows of 32, 64 and 24 */
    assert_ok(lfm_model_each_matrix(model, tally_formats, &tally, &error));
    cr_assert_gt(tally.quantized, 0);
    cr_assert_eq(tally.kept, 3 * 8); /* w2 of the experts has rows of 24 */
    cr_assert_eq(model->fallback_matrices, tally.kept);
    cr_assert_eq(model->lm_head.data, model->embed_tokens.data);
    cr_assert_str_eq(model->layers[2].gate.format->name, "bf16"); /* the router stays as stored */
    lfm_model_close(model);
}

static void last_logits(const struct lfm_model *model, float *logits)
{
    struct lfm_error error = {0};
    struct lfm_state *state;
    const int32_t tokens[] = {5, 17, 99, 3, 42, 8};
    float hidden[6 * 64];
    assert_ok(lfm_state_new(&state, model, &error));
    assert_ok(lfm_forward(model, state, tokens, 6, NULL, hidden, &error));
    assert_ok(lfm_logits(model, hidden + 5 * model->config.hidden_size, 1, logits, &error));
    lfm_state_free(state);
}

Test(model, quantizing_in_memory_costs_less_with_more_bits)
{
    struct lfm_error error = {0};
    static const char *const types[] = {"f32", "q8_0", "fp8_e4m3", "q4_0"};
    double distance[4];
    float reference[160], logits[160];
    struct lfm_model *model;
    assert_ok(lfm_model_open(&model, dense, NULL, &error));
    last_logits(model, reference);
    lfm_model_close(model);
    for (size_t i = 0; i < 4; i++) {
        const struct lfm_model_options options = {.weights = lfm_format_by_name(types[i]), .scale = LFM_SCALE_CHANNEL};
        assert_ok(lfm_model_open(&model, dense, &options, &error));
        last_logits(model, logits);
        distance[i] = 0;
        for (size_t v = 0; v < 160; v++) distance[i] += pow((double)logits[v] - reference[v], 2);
        lfm_model_close(model);
    }
    assert_near(distance[0], 0, 0); /* f32 weights in f32 are the same bits */
    cr_assert(distance[1] > 0 && distance[1] < distance[2] && distance[2] < distance[3],
              "squared distances are %g (q8_0), %g (fp8_e4m3), %g (q4_0)", distance[1], distance[2], distance[3]);
}

Test(model, fp8_scales_may_cover_the_tensor_a_channel_or_a_tile)
{
    struct lfm_error error = {0};
    static const enum lfm_scale scales[] = {LFM_SCALE_TENSOR, LFM_SCALE_CHANNEL, LFM_SCALE_BLOCK};
    float reference[160], logits[160];
    struct lfm_model *model;
    assert_ok(lfm_model_open(&model, dense, NULL, &error));
    last_logits(model, reference);
    lfm_model_close(model);
    for (size_t i = 0; i < 3; i++) {
        const struct lfm_model_options options = {.weights = lfm_format_by_name("fp8_e4m3"), .scale = scales[i]};
        double difference = 0, size = 0;
        assert_ok(lfm_model_open(&model, dense, &options, &error));
        last_logits(model, logits);
        for (size_t v = 0; v < 160; v++) {
            difference += pow((double)logits[v] - reference[v], 2);
            size += pow(reference[v], 2);
        }
        cr_assert(difference > 0 && difference < 0.05 * size, "scale %zu: %g of %g", i, difference, size);
        lfm_model_close(model);
    }
}

Test(model, a_path_that_holds_no_model_is_refused)
{
    struct lfm_error error = {0};
    struct lfm_model *model;
    assert_fails(lfm_model_open(&model, "tests/golden/no-such-model", NULL, &error), LFM_ERROR_IO, "no-such-model");
    cr_assert_null(model);
}

/* The metadata of a llama model of one layer, and one tensor of four floats. */
static const char *gguf_with(const char *tensor)
{
    static const struct {
        const char *key;
        uint32_t value;
    } sizes[] = {{"block_count", 1},       {"context_length", 64},          {"embedding_length", 8},
                 {"vocab_size", 16},       {"feed_forward_length", 16},     {"attention.head_count", 2},
                 {"attention.head_count_kv", 2}};
    struct lfm_error error = {0};
    struct lfm_gguf_writer *writer;
    const float values[4] = {1, 1, 8, 8};
    char key[64];
    make_directory();
    const char *path = in_directory("model.gguf");
    assert_ok(lfm_gguf_writer_open(&writer, path, &error));
    assert_ok(lfm_gguf_put_string(writer, "general.architecture", "llama", 5, &error));
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        snprintf(key, sizeof key, "llama.%s", sizes[i].key);
        assert_ok(lfm_gguf_put_u32(writer, key, sizes[i].value, &error));
    }
    assert_ok(lfm_gguf_put_f32(writer, "llama.attention.layer_norm_rms_epsilon", 1e-5f, &error));
    assert_ok(lfm_gguf_add_tensor(writer, tensor, lfm_format_by_name("f32"), 1, (size_t[]){4}, &error));
    assert_ok(lfm_gguf_begin(writer, &error));
    assert_ok(lfm_gguf_write_data(writer, values, sizeof values, &error));
    assert_ok(lfm_gguf_commit(writer, &error));
    lfm_gguf_writer_close(writer);
    return path;
}

Test(model, gguf_tensors_that_would_change_the_arithmetic_are_refused_not_ignored)
{
    static const char *const names[] = {"rope_freqs.weight", "blk.0.attn_q.bias", "blk.0.ffn_up.scale"};
    for (size_t i = 0; i < 3; i++) {
        struct lfm_error error = {0};
        struct lfm_model *model;
        const char *path = gguf_with(names[i]);
        assert_fails(lfm_model_open(&model, path, NULL, &error), LFM_ERROR_FORMAT, names[i]);
        remove_directory();
    }
}
