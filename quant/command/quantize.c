/* lfmscope quantize: the model in another number format. */
#include "quant/command/commands.h"
#include "quant/quantize.h"
#include "reference/base/command.h"
#include "reference/checkpoint/encode.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

struct request {
    const char *model, *output, *type, *scale;
    bool embedding, quiet;
};

static bool ends_in_gguf(const char *path)
{
    size_t length = strlen(path);
    return length >= 5 && strcasecmp(path + length - 5, ".gguf") == 0;
}

static enum lfm_status read_options(struct lfm_quantization_options *options, const struct request *request,
                                    struct lfm_error *error)
{
    *options = (struct lfm_quantization_options){.format = lfm_format_by_name(request->type),
                                                 .quantize_embedding = request->embedding};
    options->container = ends_in_gguf(request->output) ? LFM_GGUF : LFM_HUGGING_FACE;
    if (!options->format)
        return lfm_fail(error, LFM_ERROR_ARGUMENT, "unknown type '%s': expected one of %s", request->type,
                        lfm_format_encodable_names());
    if (!lfm_scale_by_name(request->scale, &options->scale))
        return lfm_fail(error, LFM_ERROR_ARGUMENT, "unknown scale '%s': expected tensor, channel or block",
                        request->scale);
    return LFM_OK;
}

static void print_notes(const struct lfm_quantization *plan)
{
    for (size_t i = 0; i < plan->fallbacks.count; i++) fprintf(stderr, "fallback: %s\n", plan->fallbacks.items[i]);
    for (size_t i = 0; i < plan->warnings.count; i++) fprintf(stderr, "warning: %s\n", plan->warnings.items[i]);
}

static enum lfm_status write_planned(const struct lfm_quantization *plan, const struct request *request,
                                     struct lfm_error *error)
{
    struct lfm_progress progress;
    print_notes(plan);
    lfm_progress_start(&progress, "quantizing", "bytes", (double)plan->bytes, request->quiet);
    enum lfm_status status = lfm_quantization_write(plan, request->output, &progress, error);
    lfm_progress_finish(&progress);
    return status;
}

static double bits_per_weight(const struct lfm_quantization *plan)
{
    return 8.0 * (double)plan->bytes / (double)plan->elements;
}

static void add_texts(cJSON *document, const char *key, const struct lfm_notes *texts)
{
    cJSON *list = cJSON_AddArrayToObject(document, key);
    for (size_t i = 0; i < texts->count; i++) cJSON_AddItemToArray(list, cJSON_CreateString(texts->items[i]));
}

static enum lfm_status print_json(const struct lfm_quantization *plan, const struct request *request, int argc,
                                  char **argv, struct lfm_error *error)
{
    cJSON *document = lfm_json_document("quantize", argc, argv);
    cJSON_AddStringToObject(document, "model", request->model);
    cJSON_AddStringToObject(document, "output", request->output);
    cJSON_AddStringToObject(document, "type", plan->format->name);
    if (plan->format->scaled_max > 0) cJSON_AddStringToObject(document, "scale", request->scale);
    lfm_json_add_number(document, "tensors", (double)plan->count);
    lfm_json_add_number(document, "parameters", (double)plan->elements);
    lfm_json_add_number(document, "bytes", (double)plan->bytes);
    lfm_json_add_number(document, "bits_per_weight", bits_per_weight(plan));
    add_texts(document, "fallbacks", &plan->fallbacks);
    add_texts(document, "warnings", &plan->warnings);
    return lfm_print_document(document, error);
}

static enum lfm_status run(const struct request *request, bool json, int argc, char **argv, struct lfm_error *error)
{
    struct lfm_quantization_options options;
    struct lfm_model *model;
    struct lfm_quantization *plan;
    LFM_TRY(read_options(&options, request, error));
    LFM_TRY(lfm_model_open(&model, request->model, NULL, error));
    enum lfm_status status = lfm_quantization_plan(&plan, model, &options, error);
    if (status == LFM_OK) status = write_planned(plan, request, error);
    if (status == LFM_OK && json)
        status = print_json(plan, request, argc, argv, error);
    else if (status == LFM_OK)
        printf("%s: %zu tensors, %.1f MB, %.3f bits per weight\n", request->output, plan->count,
               (double)plan->bytes / 1e6, bits_per_weight(plan));
    lfm_quantization_free(plan);
    lfm_model_close(model);
    return status;
}

int lfm_command_quantize(int argc, char **argv)
{
    struct request request = {.scale = "channel"};
    const struct lfm_option options[] = {
        {"type", "T", "number format of the matrices (required)", LFM_OPTION_STRING, &request.type},
        {"scale", "S", "scales of FP8: tensor, channel or block (channel)", LFM_OPTION_STRING, &request.scale},
        {"embedding", NULL, "FP8: quantize the embedding and the head too (kept as stored)", LFM_OPTION_FLAG,
         &request.embedding},
        {0},
    };
    char notes[1024];
    snprintf(
        notes, sizeof notes,
        "Types: %s.\n"
        "A name that ends in .gguf makes a GGUF file for llama.cpp; any other name makes a Hugging Face directory\n"
        "(f32, f16, bf16, and FP8 as compressed-tensors 'float-quantized').\n"
        "Every matrix gets the type, embedding and head included; norms, routers and conv kernels are kept. FP8\n"
        "directories keep embedding and head, which other runtimes load unquantized only.\n"
        "Tensors that get another type than asked for are listed on stderr and in the file.",
        lfm_format_encodable_names());
    const struct lfm_usage usage = {
        .name = "quantize",
        .arguments = "MODEL OUT --type T [options]",
        .summary = "Writes the model in another number format.",
        .notes = notes,
        .options = options,
        .min_arguments = 2,
        .max_arguments = 2,
    };
    struct lfm_common common;
    struct lfm_strings arguments;
    int exit_code;
    if (!lfm_parse_arguments(&usage, argc, argv, &common, &arguments, &exit_code)) return exit_code;
    if (!request.type) {
        exit_code = lfm_report_usage(&usage, "'--type' is missing: expected one of %s", lfm_format_encodable_names());
        goto done;
    }
    request.model = arguments.items[0];
    request.output = arguments.items[1];
    request.quiet = common.quiet;

    lfm_catch_interrupts();
    struct lfm_error error;
    exit_code = lfm_report_status(run(&request, common.json, argc, argv, &error), &error);
done:
    lfm_strings_release(&arguments);
    return exit_code;
}
