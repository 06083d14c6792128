/* info: configuration, parameters, tensors by type, memory plan. */
#include "reference/base/command.h"
#include "reference/command/commands.h"
#include "reference/command/model_options.h"
#include "reference/model/state.h"

#include <stdio.h>
#include <string.h>

struct type_total {
    const char *type;
    size_t tensors, elements, bytes;
};

struct plan {
    size_t context, weights, kv_cache, conv_state;
};

enum { MAX_TYPES = 32 };

static size_t count_types(const struct lfm_checkpoint *checkpoint, struct type_total totals[MAX_TYPES])
{
    size_t n = 0;
    for (size_t i = 0; i < checkpoint->n_tensors; i++) {
        const struct lfm_tensor *tensor = &checkpoint->tensors[i];
        const char *type = tensor->format ? tensor->format->name : tensor->type_name;
        size_t at = 0;
        while (at < n && strcmp(totals[at].type, type) != 0) at++;
        if (at == MAX_TYPES) continue;
        if (at == n) totals[n++] = (struct type_total){.type = type};
        totals[at].tensors++;
        totals[at].elements += lfm_tensor_elements(tensor);
        totals[at].bytes += tensor->bytes;
    }
    return n;
}

/* Bytes that the weights and a sequence of `context` tokens need. */
static struct plan plan_memory(const struct lfm_model *model, size_t context)
{
    struct lfm_state_bytes state = lfm_state_bytes(model, context);
    return (struct plan){context, lfm_model_bytes(model), state.kv_cache, state.conv_state};
}

static enum lfm_status print_json(const struct lfm_model *model, const struct plan *plan, int argc, char **argv,
                                  struct lfm_error *error)
{
    cJSON *document = lfm_json_document("info", argc, argv);
    cJSON_AddStringToObject(document, "name", model->checkpoint->name);
    cJSON_AddStringToObject(document, "architecture", lfm_architecture_name(model->config.architecture));
    cJSON_AddNumberToObject(document, "parameters", (double)lfm_model_parameters(model));
    cJSON_AddNumberToObject(document, "active_parameters", (double)lfm_model_active_parameters(model));
    cJSON_AddNumberToObject(document, "bits_per_weight", lfm_model_bits_per_weight(model));
    cJSON_AddItemToObject(document, "config", lfm_config_json(&model->config));

    struct type_total totals[MAX_TYPES];
    size_t n = count_types(model->checkpoint, totals);
    cJSON *tensors = cJSON_AddArrayToObject(document, "tensors");
    for (size_t i = 0; i < n; i++) {
        cJSON *type = cJSON_CreateObject();
        cJSON_AddItemToArray(tensors, type);
        cJSON_AddStringToObject(type, "type", totals[i].type);
        cJSON_AddNumberToObject(type, "tensors", (double)totals[i].tensors);
        cJSON_AddNumberToObject(type, "elements", (double)totals[i].elements);
        cJSON_AddNumberToObject(type, "bytes", (double)totals[i].bytes);
    }
    cJSON *memory = cJSON_AddObjectToObject(document, "memory");
    cJSON_AddNumberToObject(memory, "context", (double)plan->context);
    cJSON_AddNumberToObject(memory, "weights", (double)plan->weights);
    cJSON_AddStringToObject(memory, "kv", model->kv->name);
    cJSON_AddNumberToObject(memory, "kv_cache", (double)plan->kv_cache);
    cJSON_AddNumberToObject(memory, "conv_state", (double)plan->conv_state);
    cJSON_AddNumberToObject(memory, "total", (double)(plan->weights + plan->kv_cache + plan->conv_state));
    return lfm_print_document(document, error);
}

static double mebibytes(size_t bytes)
{
    return (double)bytes / (1024.0 * 1024.0);
}

static void print_layers(const struct lfm_config *config)
{
    printf("layers           %zu:", config->num_hidden_layers);
    for (size_t l = 0; l < config->num_hidden_layers; l++)
        printf(" %s", config->layer_types[l] == LFM_CONV ? "conv" : "attention");
    printf("\n");
}

static void print_text(const struct lfm_model *model, const struct plan *plan)
{
    const struct lfm_config *config = &model->config;
    printf("model            %s (%s, %s)\n", model->checkpoint->name, lfm_architecture_name(config->architecture),
           model->checkpoint->container == LFM_GGUF ? "GGUF" : "Hugging Face");
    printf("parameters       %zu, of which one token uses %zu\n", lfm_model_parameters(model),
           lfm_model_active_parameters(model));
    print_layers(config);
    printf("hidden size      %zu, feed-forward %zu\n", config->hidden_size, config->intermediate_size);
    printf("attention        %zu query heads, %zu key/value heads of %zu, rope theta %g\n", config->num_attention_heads,
           config->num_key_value_heads, config->head_dim, config->rope_theta);
    if (config->architecture != LFM_ARCH_LLAMA) printf("convolution      %zu taps\n", config->conv_l_cache);
    if (config->num_experts > 0)
        printf("experts          %zu of width %zu, %zu per token, from layer %zu on%s%s, scaling factor %g\n",
               config->num_experts, config->moe_intermediate_size, config->num_experts_per_tok, config->num_dense_layers,
               config->use_expert_bias ? ", with bias" : ", no bias",
               config->norm_topk_prob ? ", weights normalised" : ", weights not normalised", config->routed_scaling_factor);
    printf("vocabulary       %zu tokens, head %s\n", config->vocab_size, config->tie_word_embeddings ? "tied" : "untied");
    printf("context          %zu tokens\n\n", config->max_position_embeddings);

    struct type_total totals[MAX_TYPES];
    size_t n = count_types(model->checkpoint, totals);
    printf("%-10s %8s %16s %12s\n", "type", "tensors", "elements", "MiB");
    for (size_t i = 0; i < n; i++)
        printf("%-10s %8zu %16zu %12.2f\n", totals[i].type, totals[i].tensors, totals[i].elements, mebibytes(totals[i].bytes));
    printf("\nmemory at a context of %zu tokens, MiB\n", plan->context);
    printf("  weights %.2f (mapped, %.2f bits per weight), KV cache %.2f (%s), conv state %.2f, total %.2f\n",
           mebibytes(plan->weights), lfm_model_bits_per_weight(model), mebibytes(plan->kv_cache), model->kv->name,
           mebibytes(plan->conv_state), mebibytes(plan->weights + plan->kv_cache + plan->conv_state));
}

int lfm_command_info(int argc, char **argv)
{
    size_t context = 4096;
    struct lfm_model_arguments model_arguments = LFM_MODEL_ARGUMENTS_DEFAULT;
    const struct lfm_option options[] = {
        {"context", "N", "plan memory for sequences of N tokens (4096)", LFM_OPTION_SIZE, &context},
        {"kv", "K", "keys and values: f32, f16, q8_0 or fp8_e4m3 (f32)", LFM_OPTION_STRING, &model_arguments.kv},
        {0},
    };
    const struct lfm_usage usage = {
        .name = "info",
        .arguments = "MODEL [options]",
        .summary = "Shows configuration, parameters, tensors by type, and what memory a run needs.",
        .options = options,
        .min_arguments = 1,
        .max_arguments = 1,
    };
    struct lfm_common common;
    struct lfm_strings arguments;
    int exit_code;
    if (!lfm_parse_arguments(&usage, argc, argv, &common, &arguments, &exit_code)) return exit_code;

    struct lfm_error error = {0};
    struct lfm_model *model = NULL;
    enum lfm_status status = LFM_OK;
    if (context == 0 || context > 1u << 30)
        status = lfm_fail(&error, LFM_ERROR_ARGUMENT, "--context is %zu, expected 1 to %u", context, 1u << 30);
    if (status == LFM_OK) status = lfm_open_model(&model, arguments.items[0], &model_arguments, "", true, &error);
    if (status == LFM_OK) {
        struct plan plan = plan_memory(model, context);
        if (common.json)
            status = print_json(model, &plan, argc, argv, &error);
        else
            print_text(model, &plan);
    }
    lfm_model_close(model);
    lfm_strings_release(&arguments);
    return lfm_report_status(status, &error);
}
