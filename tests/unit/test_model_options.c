/* --weights, --scale, --activations, --kv, and variants of a model in one word. */
#include "reference/command/model_options.h"
#include "tests/unit/assert.h"

static struct lfm_error error;

static const struct lfm_model_arguments plain = {NULL, "tensor", "q8", "f16"};

static void check_variant(const char *word, const char *weights, const char *activations, const char *kv)
{
    struct lfm_model_arguments variant;
    assert_ok(lfm_model_variant_parse(&variant, word, &plain, &error));
    cr_assert(weights ? variant.weights && strcmp(variant.weights, weights) == 0 : !variant.weights, "%s: weights %s", word,
              variant.weights ? variant.weights : "stored");
    cr_assert_str_eq(variant.activations, activations);
    cr_assert_str_eq(variant.kv, kv);
    cr_assert_str_eq(variant.scale, "tensor");
}

Test(model_options, defaults_are_stored_weights_and_f32)
{
    const struct lfm_model_arguments typed = LFM_MODEL_ARGUMENTS_DEFAULT, nothing = {0};
    struct lfm_model_options options;
    assert_ok(lfm_model_options_parse(&options, &typed, &error));
    cr_assert_null(options.weights);
    cr_assert_eq(options.scale, LFM_SCALE_CHANNEL);
    cr_assert_eq(options.activations, LFM_ACTIVATIONS_F32);
    cr_assert_str_eq(options.kv->name, "f32");
    assert_ok(lfm_model_options_parse(&options, &nothing, &error));
    cr_assert_eq(options.scale, LFM_SCALE_CHANNEL);
    cr_assert_str_eq(options.kv->name, "f32");
}

Test(model_options, names_that_are_none_are_refused_with_those_that_would_do)
{
    struct lfm_model_options options;
    struct lfm_model_arguments typed = {.weights = "q9"};
    assert_fails(lfm_model_options_parse(&options, &typed, &error), LFM_ERROR_ARGUMENT, "unknown weight type 'q9'");
    typed = (struct lfm_model_arguments){.activations = "q4"};
    assert_fails(lfm_model_options_parse(&options, &typed, &error), LFM_ERROR_ARGUMENT, "expected f32, q8 or fp8");
    typed = (struct lfm_model_arguments){.kv = "bf16"};
    assert_fails(lfm_model_options_parse(&options, &typed, &error), LFM_ERROR_ARGUMENT,
                 "expected f32, f16, q8_0 or fp8_e4m3");
    typed = (struct lfm_model_arguments){.scale = "row"};
    assert_fails(lfm_model_options_parse(&options, &typed, &error), LFM_ERROR_ARGUMENT, "unknown scale 'row'");
}

Test(model_options, parts_of_a_variant_that_are_left_out_are_those_of_the_reference)
{
    check_variant("q8_0", "q8_0", "q8", "f16");
    check_variant("Q4_0/f32", "q4_0", "f32", "f16");
    check_variant("q4_0/fp8/fp8_e4m3", "q4_0", "fp8", "fp8_e4m3");
    check_variant("stored", NULL, "q8", "f16");
    check_variant("stored/f32/f32", NULL, "f32", "f32");
}

Test(model_options, words_that_are_no_variants_are_refused)
{
    struct lfm_model_arguments variant;
    assert_fails(lfm_model_variant_parse(&variant, "q8_0/q8/f16/x", &plain, &error), LFM_ERROR_ARGUMENT, "too many parts");
    assert_fails(lfm_model_variant_parse(&variant, "q8_0/", &plain, &error), LFM_ERROR_ARGUMENT, "activation type ''");
    assert_fails(lfm_model_variant_parse(&variant, "/models/a", &plain, &error), LFM_ERROR_ARGUMENT, "weight type ''");
    assert_fails(lfm_model_variant_parse(&variant, "q8_0/q8/q4_0", &plain, &error), LFM_ERROR_ARGUMENT, "cache type 'q4_0'");
    assert_fails(lfm_model_variant_parse(&variant, "a-name-that-is-longer-than-any-name-in-the-tables", &plain, &error),
                 LFM_ERROR_ARGUMENT, "unknown weight type 'a-name-");
}

Test(model_options, results_say_what_a_model_is_computed_with)
{
    struct lfm_model *model;
    const struct lfm_model_options options = {.activations = LFM_ACTIVATIONS_FP8, .kv = lfm_format_by_name("f16")};
    assert_ok(lfm_model_open(&model, "tests/golden/model/moe-bf16", &options, &error));
    cJSON *object = cJSON_CreateObject();
    lfm_add_model_types(object, model);
    cr_assert_str_eq(cJSON_GetObjectItem(object, "weights")->valuestring, "bf16");
    cr_assert_str_eq(cJSON_GetObjectItem(object, "activations")->valuestring, "fp8");
    cr_assert_str_eq(cJSON_GetObjectItem(object, "kv")->valuestring, "f16");
    cJSON_Delete(object);
    lfm_model_close(model);
}
