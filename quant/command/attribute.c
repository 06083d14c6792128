/* lfmscope attribute: which parts of a model the loss of a format comes from. */
#include "quant/attribute.h"

#include "quant/command/commands.h"
#include "quant/command/text_options.h"
#include "reference/base/memory.h"
#include "reference/base/progress.h"
#include "reference/command/model_options.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { ROWS_SHOWN = 40 };

static const double MIB = 1 << 20;

struct task {
    const char *path, *type, *by;
    struct lfm_model_arguments model; /* the reference's */
    struct lfm_text_arguments text_arguments;
    const struct lfm_common *common;

    struct lfm_model_options options; /* the parts' */
    enum lfm_division division;
    struct lfm_model *reference;
    struct lfm_text text;
    struct lfm_attribution attribution;
};

/* --- results --- */

static double per_mib(const struct lfm_part *part)
{
    return part->bytes_saved > 0 ? part->kld.mean / (part->bytes_saved / MIB) : (double)NAN;
}

static double share(const struct task *task, const struct lfm_part *part)
{
    return task->attribution.parts_kld > 0 ? part->kld.mean / task->attribution.parts_kld : (double)NAN;
}

static void add_part(cJSON *object, const struct lfm_part *part)
{
    cJSON_AddNumberToObject(object, "matrices", (double)part->matrices);
    cJSON_AddNumberToObject(object, "parameters", (double)part->parameters);
    cJSON_AddNumberToObject(object, "fallback_matrices", (double)part->fallback_matrices);
    cJSON_AddNumberToObject(object, "bytes_saved", part->bytes_saved);
    lfm_json_add_number(object, "kld", part->kld.mean);
    lfm_json_add_number(object, "kld_stderr", part->kld.error);
    lfm_json_add_number(object, "kld_per_mib", per_mib(part));
    lfm_json_add_number(object, "top1_agreement", part->top1.mean);
    lfm_json_add_number(object, "perplexity_ratio", part->ratio.mean);
    lfm_json_add_number(object, "perplexity_ratio_stderr", part->ratio.error);
}

static enum lfm_status print_json(const struct task *task, int argc, char **argv, struct lfm_error *error)
{
    cJSON *document = lfm_json_document("attribute", argc, argv);
    if (!document) return lfm_fail(error, LFM_ERROR_MEMORY, "cannot make a JSON document: out of memory");
    const struct lfm_attribution *attribution = &task->attribution;
    cJSON_AddNumberToObject(document, "positions", (double)task->text.positions.count);
    lfm_text_add_json(document, &task->text);
    lfm_add_model(cJSON_AddObjectToObject(document, "reference"), task->reference->checkpoint->name, task->reference);
    cJSON_AddStringToObject(document, "type", task->options.weights->name);
    cJSON_AddStringToObject(document, "by", lfm_division_name(task->division));
    add_part(cJSON_AddObjectToObject(document, "whole"), &attribution->whole);
    lfm_json_add_number(document, "parts_kld", attribution->parts_kld);
    cJSON *parts = cJSON_AddArrayToObject(document, "parts");
    for (size_t i = 0; i < attribution->n_parts; i++) {
        cJSON *part = cJSON_CreateObject();
        cJSON_AddStringToObject(part, "name", attribution->parts[i].name);
        add_part(part, &attribution->parts[i]);
        lfm_json_add_number(part, "share", share(task, &attribution->parts[i]));
        cJSON_AddItemToArray(parts, part);
    }
    return lfm_print_document(document, error);
}

static void print_row(const struct lfm_part *part, const char *share_text)
{
    printf("%-36s %12zu %10.2f %10.6f %10.6f %8s %8.3f %10.2e\n", part->name, part->parameters, part->bytes_saved / MIB,
           part->kld.mean, part->kld.error, share_text, 100 * part->top1.mean, per_mib(part));
}

static int by_loss(const void *a, const void *b)
{
    const struct lfm_part *const *x = a, *const *y = b;
    if ((*x)->kld.mean != (*y)->kld.mean) return (*x)->kld.mean < (*y)->kld.mean ? 1 : -1;
    return *x < *y ? -1 : *x > *y;
}

static enum lfm_status print_table(const struct task *task, struct lfm_error *error)
{
    const struct lfm_attribution *attribution = &task->attribution;
    size_t n = attribution->n_parts, shown = n < ROWS_SHOWN ? n : ROWS_SHOWN;
    const struct lfm_part **sorted;
    LFM_TRY(LFM_ALLOC(&sorted, n, error));
    for (size_t i = 0; i < n; i++) sorted[i] = &attribution->parts[i];
    qsort(sorted, n, sizeof(const struct lfm_part *), by_loss);

    printf("%s with one part at a time in %s, by %s: %zu positions of %zu documents\n\n", task->reference->checkpoint->name,
           task->options.weights->name, lfm_division_name(task->division), task->text.positions.count,
           task->text.windows.n_documents);
    printf("%-36s %12s %10s %10s %10s %8s %8s %10s\n", "part", "parameters", "saves MiB", "KLD mean", "+-", "of sum", "top-1 %",
           "KLD/MiB");
    for (size_t i = 0; i < shown; i++) {
        char text[16];
        snprintf(text, sizeof text, "%.2f %%", 100 * share(task, sorted[i]));
        print_row(sorted[i], text);
    }
    if (shown < n) printf("... and %zu more parts (--json has all)\n", n - shown);
    print_row(&attribution->whole, "");
    printf("\nThe parts' KLDs add up to %.6f, that of the whole is %.6f.\n", attribution->parts_kld,
           attribution->whole.kld.mean);
    lfm_text_print_left_out(&task->text);
    free(sorted);
    return LFM_OK;
}

/* --- the command --- */

static enum lfm_status parse(struct task *task, struct lfm_error *error)
{
    struct lfm_model_arguments parts = task->model;
    if (!lfm_division_by_name(task->by, &task->division))
        return lfm_fail(error, LFM_ERROR_ARGUMENT, "unknown division '%s': expected layer, module, tensor or expert", task->by);
    parts.weights = task->type;
    return lfm_model_options_parse(&task->options, &parts, error);
}

static enum lfm_status check_experts(const struct task *task, struct lfm_error *error)
{
    const struct lfm_config *config = &task->reference->config;
    if (task->division != LFM_BY_EXPERT || config->num_experts > 0) return LFM_OK;
    return lfm_fail(error, LFM_ERROR_MISMATCH, "'%s' (%s) has no experts: use --by layer, module or tensor",
                    task->reference->checkpoint->name, lfm_architecture_name(config->architecture));
}

static enum lfm_status measure(struct task *task, struct lfm_error *error)
{
    struct lfm_progress progress;
    LFM_TRY(lfm_attribution_init(&task->attribution, task->reference, task->division, error));
    lfm_progress_start(&progress, "attributing", "tokens",
                       (double)task->text.windows.n_tokens * (double)lfm_attribution_runs(&task->attribution),
                       task->common->quiet);
    const struct lfm_attribution_run run = {task->reference, task->path, &task->options, task->division, &task->text.windows,
                                            &task->text.positions, task->common->seed, &progress};
    enum lfm_status status = lfm_attribute(&task->attribution, &run, error);
    lfm_progress_finish(&progress);
    return status;
}

static enum lfm_status run(struct task *task, int argc, char **argv, struct lfm_error *error)
{
    LFM_TRY(parse(task, error));
    LFM_TRY(lfm_open_model(&task->reference, task->path, &task->model, "", true, error));
    LFM_TRY(check_experts(task, error));
    LFM_TRY(lfm_text_open(&task->text, &task->text_arguments, task->reference->checkpoint, error));
    LFM_TRY(measure(task, error));
    lfm_say_fallbacks(task->attribution.whole.fallback_matrices, task->path, task->options.weights);
    return task->common->json ? print_json(task, argc, argv, error) : print_table(task, error);
}

static void release(struct task *task)
{
    lfm_attribution_release(&task->attribution);
    lfm_text_close(&task->text);
    lfm_model_close(task->reference);
}

int lfm_command_attribute(int argc, char **argv)
{
    struct task task = {.model = LFM_MODEL_ARGUMENTS_DEFAULT, .text_arguments = LFM_TEXT_ARGUMENTS_DEFAULT, .by = "module"};
    const struct lfm_option options[] = {
        {"type", "T", "the format that parts are quantized to in memory", LFM_OPTION_STRING, &task.type},
        {"by", "D", "the parts: layer, module, tensor or expert (module)", LFM_OPTION_STRING, &task.by},
        {"scale", "S", "scales of FP8: tensor, channel or block (channel)", LFM_OPTION_STRING, &task.model.scale},
        {"activations", "A", "of the reference and every part: f32, q8 or fp8 (f32)", LFM_OPTION_STRING,
         &task.model.activations},
        {"kv", "K", "of the reference and every part: f32, f16, q8_0 or fp8_e4m3 (f32)", LFM_OPTION_STRING, &task.model.kv},
        LFM_TEXT_OPTION_ROWS(task.text_arguments),
        {0},
    };
    const struct lfm_usage usage = {
        .name = "attribute",
        .arguments = "REFERENCE --type T --file F [options]",
        .summary = "Which layers, kinds of matrices, tensors or experts the loss of a format comes from: the reference with one\n"
                   "part at a time quantized, against itself.",
        .notes = "Runs the text once for every part. docs/attribute.md explains the figures.",
        .options = options,
        .min_arguments = 1,
        .max_arguments = 1,
    };
    struct lfm_common common;
    struct lfm_strings arguments;
    int exit_code;
    if (!lfm_parse_arguments(&usage, argc, argv, &common, &arguments, &exit_code)) goto done;
    if (!task.type || task.text_arguments.files.count == 0) {
        exit_code = lfm_report_usage(&usage, "'--%s' is missing", task.type ? "file" : "type");
        goto done;
    }

    lfm_catch_interrupts();
    struct lfm_error error;
    task.common = &common;
    task.path = arguments.items[0];
    exit_code = lfm_report_status(run(&task, argc, argv, &error), &error);
    release(&task);

done:
    lfm_strings_release(&arguments);
    lfm_strings_release(&task.text_arguments.files);
    return exit_code;
}
