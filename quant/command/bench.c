/* lfmscope bench: prefill and decode rates, and the share of the machine's bandwidth that decoding reaches. */
#include "quant/bench.h"
#include "quant/command/bench_report.h"
#include "quant/command/commands.h"
#include "quant/command/lists.h"
#include "reference/base/command.h"
#include "reference/base/memory.h"
#include "reference/command/model_options.h"
#include "reference/trace/provenance.h"

#include <math.h>
#include <omp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_LIST = 32, MAX_WORD = 32, BANDWIDTH_BYTES = 1 << 30 };

/* "1,8" or "f32,q8": the words of an option. */
struct list {
    char words[MAX_LIST][MAX_WORD];
    size_t n;
};

struct request {
    const char *model;
    const char *weights, *activations, *kv, *scale, *batches, *contexts;
    size_t prompt_tokens, decode_tokens, repeats;
};

struct task {
    const struct request *request;
    const struct lfm_common *common;
    struct list weights, activations, kv;
    size_t batches[MAX_LIST], contexts[MAX_LIST];
    struct lfm_bench_options options;
    struct lfm_bandwidth bandwidth;
    struct lfm_energy energy;
    struct lfm_bench_result result;
    char *name; /* of the model, owned */
    struct lfm_error *error;
};

/* --- lists --- */

static enum lfm_status split(struct list *list, const char *option, const char *text, struct lfm_error *error)
{
    list->n = 0;
    for (const char *at = text;; at++) {
        size_t length = strcspn(at, ",");
        if (length == 0 || length >= MAX_WORD || list->n == MAX_LIST)
            return lfm_fail(error, LFM_ERROR_ARGUMENT, "'--%s %s' is no list of up to %d names or numbers", option, text,
                            MAX_LIST);
        memcpy(list->words[list->n], at, length);
        list->words[list->n++][length] = '\0';
        at += length;
        if (*at == '\0') return LFM_OK;
    }
}

static enum lfm_status read_request(struct task *task)
{
    const struct request *request = task->request;
    struct lfm_bench_options *options = &task->options;
    *options = (struct lfm_bench_options){
        .prompt_tokens = request->prompt_tokens,
        .decode_tokens = request->decode_tokens,
        .repeats = request->repeats,
        .batches = task->batches,
        .contexts = task->contexts,
        .seed = task->common->seed,
    };
    LFM_TRY(split(&task->weights, "weights", request->weights, task->error));
    LFM_TRY(split(&task->activations, "activations", request->activations, task->error));
    LFM_TRY(split(&task->kv, "kv", request->kv, task->error));
    LFM_TRY(lfm_list_sizes(task->batches, MAX_LIST, &options->n_batches, "batch", request->batches, task->error));
    return lfm_list_sizes(task->contexts, MAX_LIST, &options->n_contexts, "context", request->contexts,
                          task->error);
}

/* --- variants: every kind of weights with every kind of activations and cache --- */

static size_t count_variants(const struct task *task)
{
    return task->weights.n * task->activations.n * task->kv.n;
}

static struct lfm_model_arguments variant_arguments(const struct task *task, size_t v)
{
    const char *weights = task->weights.words[v / (task->activations.n * task->kv.n)];
    return (struct lfm_model_arguments){
        .weights = strcmp(weights, "stored") == 0 ? NULL : weights,
        .scale = task->request->scale,
        .activations = task->activations.words[v / task->kv.n % task->activations.n],
        .kv = task->kv.words[v % task->kv.n],
    };
}

/* Typing errors are found before anything long starts. */
static enum lfm_status check_variants(const struct task *task)
{
    for (size_t v = 0; v < count_variants(task); v++) {
        struct lfm_model_arguments arguments = variant_arguments(task, v);
        struct lfm_model_options options;
        LFM_TRY(lfm_model_options_parse(&options, &arguments, task->error));
    }
    return LFM_OK;
}

static enum lfm_status describe_model(struct task *task, const struct lfm_model *model)
{
    task->result.parameters = (double)lfm_model_parameters(model);
    task->result.active_parameters = (double)lfm_model_active_parameters(model);
    const char *name = model->checkpoint->name;
    if (!task->name) LFM_TRY(lfm_copy_string(&task->name, name, strlen(name), task->error));
    task->result.name = task->name;
    return LFM_OK;
}

static enum lfm_status touch(const struct task *task, struct lfm_model *model)
{
    struct lfm_progress progress;
    lfm_progress_start(&progress, "reading the weights", "bytes", (double)lfm_model_bytes(model), task->common->quiet);
    enum lfm_status status = lfm_bench_touch(model, &progress, task->error);
    lfm_progress_finish(&progress);
    return status;
}

static enum lfm_status measure(struct task *task, struct lfm_model *model, struct lfm_bench_variant *variant)
{
    struct lfm_progress progress;
    char label[96];
    double done = 0;
    variant->format = lfm_weights_name(model);
    variant->activations = lfm_activations_name(model->activations);
    variant->kv = model->kv->name;
    variant->bytes = (double)lfm_model_bytes(model);
    variant->bits_per_weight = lfm_model_bits_per_weight(model);
    LFM_TRY(describe_model(task, model));
    LFM_TRY(lfm_bench_check(model, &task->options, task->error));
    LFM_TRY(LFM_ALLOC(&variant->rows, task->options.n_contexts * task->options.n_batches, task->error));
    variant->n_rows = task->options.n_contexts * task->options.n_batches;
    LFM_TRY(touch(task, model));
    snprintf(label, sizeof label, "%s %s %s", variant->format, variant->activations, variant->kv);
    lfm_progress_start(&progress, label, "tokens", lfm_bench_tokens(&task->options), task->common->quiet);
    enum lfm_status status = lfm_bench(variant->rows, model, &task->options, &task->bandwidth, &task->energy, &done,
                                       &progress, task->error);
    lfm_progress_finish(&progress);
    return status;
}

static enum lfm_status measure_variants(struct task *task)
{
    size_t n = count_variants(task);
    LFM_TRY(LFM_ALLOC(&task->result.variants, n, task->error));
    for (size_t v = 0; v < n; v++) {
        struct lfm_model_arguments arguments = variant_arguments(task, v);
        struct lfm_model *model;
        LFM_TRY(lfm_open_model(&model, task->request->model, &arguments, "quantizing", task->common->quiet, task->error));
        task->result.n_variants++;
        enum lfm_status status = measure(task, model, &task->result.variants[v]);
        lfm_model_close(model);
        LFM_TRY(status);
    }
    return LFM_OK;
}

/* --- the rest --- */

static double load_average(void)
{
    FILE *file = fopen("/proc/loadavg", "r");
    double load = NAN;
    if (file && fscanf(file, "%lf", &load) != 1) load = NAN;
    if (file) fclose(file);
    return load;
}

static enum lfm_status run(struct task *task)
{
    struct lfm_bench_result *result = &task->result;
    result->options = &task->options;
    result->threads = (size_t)omp_get_max_threads();
    result->load_before = load_average();
    lfm_cpu_name(result->cpu, sizeof result->cpu);
    LFM_TRY(read_request(task));
    LFM_TRY(check_variants(task));
    LFM_TRY(lfm_energy_open(&task->energy, "/sys/class/powercap", task->error));
    LFM_TRY(lfm_bandwidth_open(&task->bandwidth, BANDWIDTH_BYTES, task->error));
    LFM_TRY(measure_variants(task));
    result->bandwidth_samples = task->bandwidth.n;
    result->bandwidth_bytes = task->bandwidth.bytes;
    result->bandwidth = lfm_bandwidth_spread(&task->bandwidth);
    return LFM_OK;
}

static void release(struct task *task)
{
    for (size_t v = 0; task->result.variants && v < task->result.n_variants; v++) free(task->result.variants[v].rows);
    free(task->result.variants);
    free(task->name);
    lfm_bandwidth_close(&task->bandwidth);
    lfm_energy_close(&task->energy);
}

int lfm_command_bench(int argc, char **argv)
{
    struct request request = {.weights = "stored", .activations = "f32", .kv = "f32", .scale = "channel",
                              .batches = "1,8", .contexts = "0", .prompt_tokens = 512, .decode_tokens = 64,
                              .repeats = 3};
    const struct lfm_option options[] = {
        {"weights", "T,U", "kinds of weights: stored, or types to quantize to in memory (stored)", LFM_OPTION_STRING,
         &request.weights},
        {"activations", "A,B", "inputs of matrix products: f32, q8, fp8 (f32)", LFM_OPTION_STRING, &request.activations},
        {"kv", "K,L", "keys and values: f32, f16, q8_0, fp8_e4m3 (f32)", LFM_OPTION_STRING, &request.kv},
        {"scale", "S", "scales of FP8: tensor, channel or block (channel)", LFM_OPTION_STRING, &request.scale},
        {"batch", "N,M", "sequences decoded together (1,8)", LFM_OPTION_STRING, &request.batches},
        {"context", "N,M", "tokens before what is measured (0)", LFM_OPTION_STRING, &request.contexts},
        {"prompt-tokens", "N", "tokens of a prefill; 0 leaves it out (512)", LFM_OPTION_SIZE, &request.prompt_tokens},
        {"decode-tokens", "N", "tokens decoded by each sequence; 0 leaves it out (64)", LFM_OPTION_SIZE,
         &request.decode_tokens},
        {"repeats", "N", "timed repeats of each measurement (3)", LFM_OPTION_SIZE, &request.repeats},
        {0},
    };
    const struct lfm_usage usage = {
        .name = "bench",
        .arguments = "MODEL [options]",
        .summary = "Prefill and decode rates, and how near decoding comes to the machine's bandwidth.",
        .notes = "Every kind of weights is measured with every kind of activations and cache. 'of limit' is the percentage\n"
                 "of the measured bandwidth that decoding reads at; above 100 means that the caches hold the model.\n"
                 "docs/performance.md says what is counted.",
        .options = options,
        .min_arguments = 1,
        .max_arguments = 1,
    };
    struct lfm_common common;
    struct lfm_strings arguments;
    int exit_code;
    if (!lfm_parse_arguments(&usage, argc, argv, &common, &arguments, &exit_code)) return exit_code;
    request.model = arguments.items[0];

    lfm_catch_interrupts();
    struct lfm_error error;
    struct task task = {.request = &request, .common = &common, .error = &error};
    enum lfm_status status = run(&task);
    if (status == LFM_OK && common.json)
        status = lfm_print_document(lfm_bench_document(&task.result, argc, argv), &error);
    else if (status == LFM_OK)
        lfm_bench_print(&task.result);
    exit_code = lfm_report_status(status, &error);
    release(&task);
    lfm_strings_release(&arguments);
    return exit_code;
}
