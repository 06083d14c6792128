/* conform: results of another runtime, of a server, or of this program's engine, held against a conformance pack. */
#include "eval/command/commands.h"
#include "eval/conform/judge.h"
#include "eval/conform/pack_files.h"
#include "eval/conform/remote.h"
#include "eval/conform/results.h"
#include "reference/base/command.h"
#include "reference/base/file.h"
#include "reference/command/model_options.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct request {
    const char *pack, *results, *model, *endpoint, *model_name, *class_name, *output;
    struct lfm_model_arguments weights;
    double timeout;
    struct lfm_common common;
    int argc;
    char **argv;
};

/* --- results --- */

static enum lfm_status compute(const struct request *request, struct lfm_pack *pack, struct lfm_error *error)
{
    struct lfm_model *model;
    LFM_TRY(lfm_open_model(&model, request->model, &request->weights, "quantizing", request->common.quiet, error));
    enum lfm_status status = lfm_results_compute(pack, model, error);
    if (status == LFM_OK) lfm_add_model_types(pack->about, model);
    lfm_model_close(model);
    return status;
}

static enum lfm_status ask(const struct request *request, struct lfm_pack *pack, struct lfm_error *error)
{
    struct lfm_progress progress;
    const char *key = getenv("LFMSCOPE_API_KEY");
    if (!key || !*key) key = getenv("OPENAI_API_KEY");
    const struct lfm_remote_options options = {
        .url = request->endpoint, .model_name = request->model_name, .key = key, .timeout_seconds = request->timeout};
    lfm_progress_start(&progress, "asking", "cases", 0, request->common.quiet);
    enum lfm_status status = lfm_results_ask(pack, &options, &progress, error);
    lfm_progress_finish(&progress);
    return status;
}

static enum lfm_status keep_file(const struct lfm_pack *pack, const char *name, const char *output, struct lfm_error *error)
{
    char *path;
    LFM_TRY(lfm_join_path(&path, pack->path, name, error));
    enum lfm_status status = lfm_keep_input(output, path, error);
    free(path);
    return status;
}

/* The results must not be written over the pack. */
static enum lfm_status keep_pack(const struct lfm_pack *pack, const char *output, struct lfm_error *error)
{
    const cJSON *file;
    LFM_TRY(keep_file(pack, LFM_PACK_MANIFEST, output, error));
    cJSON_ArrayForEach(file, cJSON_GetObjectItemCaseSensitive(pack->manifest, "files"))
    {
        const char *name = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(file, "path"));
        if (name) LFM_TRY(keep_file(pack, name, output, error));
    }
    return LFM_OK;
}

static enum lfm_status gather(const struct request *request, struct lfm_pack *pack, struct lfm_error *error)
{
    if (request->output) LFM_TRY(keep_pack(pack, request->output, error));
    if (request->model) LFM_TRY(compute(request, pack, error));
    else if (request->endpoint) LFM_TRY(ask(request, pack, error));
    else LFM_TRY(lfm_results_read(pack, request->results, error));
    return request->output ? lfm_results_write(pack, request->output, error) : LFM_OK;
}

/* What was asked for, else what the results say of themselves, else f32. */
static const struct lfm_conform_class *choose_class(const struct request *request, const struct lfm_pack *pack)
{
    const char *name = request->class_name;
    if (!name) name = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(pack->about, "class"));
    return lfm_conform_class_by_name(name ? name : "f32");
}

/* --- printing --- */

static const char *runtime_of(const struct lfm_pack *pack)
{
    const char *name = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(pack->about, "runtime"));
    return name ? name : "not stated";
}

static void print_check(const struct lfm_check_result *check)
{
    char worst[32] = "", tolerance[32] = "", beyond[32] = "";
    bool measured = check->verdict != LFM_VERDICT_NOT_GIVEN && !isnan(check->tolerance);
    if (measured) snprintf(worst, sizeof worst, "%.2g", check->worst);
    if (measured) snprintf(tolerance, sizeof tolerance, "%.2g", check->tolerance);
    if (check->beyond) snprintf(beyond, sizeof beyond, "%zu of %zu", check->beyond_agree, check->beyond);
    printf("%-15s %8zu %8zu %8zu  %13s %9s %9s  %s\n", check->name, check->required, check->given, check->agree, beyond,
           worst, tolerance, lfm_verdict_name(check->verdict));
}

static void print_text(const struct lfm_pack *pack, const struct lfm_judgement *judgement)
{
    const struct lfm_conform_class *conform_class = judgement->conform_class;
    printf("runtime: %s\nclass: %s (deviation of vectors %g, margin of routers %g, logits %g)\n\n", runtime_of(pack),
           conform_class->name, conform_class->relative, conform_class->margin, conform_class->logit);
    printf("%-15s %8s %8s %8s  %13s %9s %9s  %s\n", "check", "required", "given", "agree", "not required", "worst",
           "tolerance", "verdict");
    for (size_t i = 0; i < LFM_N_CHECKS; i++) print_check(&judgement->checks[i]);
    bool gap = true;
    for (size_t i = 0; i < LFM_N_CHECKS; i++) {
        const struct lfm_check_result *check = &judgement->checks[i];
        if (!*check->first) continue;
        printf("%s%s: %zu fail; first %s\n", gap ? "\n" : "", check->name, check->given - check->agree, check->first);
        gap = false;
    }
    if (*judgement->diagnosis) printf("the routers follow another rule: %s\n", judgement->diagnosis);
    printf("\n%s\n", judgement->passed ? "conforms" : "does not conform");
}

static cJSON *describe_check(const struct lfm_check_result *check)
{
    cJSON *object = cJSON_CreateObject();
    cJSON_AddStringToObject(object, "name", check->name);
    cJSON_AddStringToObject(object, "verdict", check->verdict == LFM_VERDICT_FAIL ? "fail" : lfm_verdict_name(check->verdict));
    lfm_json_add_number(object, "required", (double)check->required);
    lfm_json_add_number(object, "given", (double)check->given);
    lfm_json_add_number(object, "agree", (double)check->agree);
    lfm_json_add_number(object, "not_required", (double)check->beyond);
    lfm_json_add_number(object, "not_required_agree", (double)check->beyond_agree);
    lfm_json_add_number(object, "worst", check->verdict == LFM_VERDICT_NOT_GIVEN ? NAN : check->worst);
    lfm_json_add_number(object, "tolerance", check->tolerance);
    if (*check->worst_id) cJSON_AddStringToObject(object, "worst_case", check->worst_id);
    if (*check->first) cJSON_AddStringToObject(object, "first_failure", check->first);
    return object;
}

static enum lfm_status print_json(const struct request *request, const struct lfm_pack *pack,
                                  const struct lfm_judgement *judgement, struct lfm_error *error)
{
    cJSON *document = lfm_json_document("conform", request->argc, request->argv);
    cJSON_AddStringToObject(document, "pack", request->pack);
    cJSON_AddItemToObject(document, "seed", cJSON_Duplicate(cJSON_GetObjectItemCaseSensitive(pack->manifest, "seed"), true));
    cJSON_AddStringToObject(document, "runtime", runtime_of(pack));
    cJSON_AddItemToObject(document, "about", pack->about ? cJSON_Duplicate(pack->about, true) : cJSON_CreateNull());
    cJSON_AddStringToObject(document, "class", judgement->conform_class->name);
    lfm_json_add_number(document, "relative", judgement->conform_class->relative);
    lfm_json_add_number(document, "margin", judgement->conform_class->margin);
    lfm_json_add_number(document, "logit", judgement->conform_class->logit);
    cJSON_AddBoolToObject(document, "passed", judgement->passed);
    cJSON *checks = cJSON_AddArrayToObject(document, "checks");
    for (size_t i = 0; i < LFM_N_CHECKS; i++) cJSON_AddItemToArray(checks, describe_check(&judgement->checks[i]));
    cJSON_AddItemToObject(document, "diagnosis",
                          *judgement->diagnosis ? cJSON_CreateString(judgement->diagnosis) : cJSON_CreateNull());
    return lfm_print_document(document, error);
}

static enum lfm_status run(const struct request *request, bool *passed, struct lfm_error *error)
{
    struct lfm_pack pack;
    struct lfm_judgement judgement;
    LFM_TRY(lfm_pack_open(&pack, request->pack, error));
    enum lfm_status status = gather(request, &pack, error);
    if (status == LFM_OK) status = lfm_judge(&judgement, &pack, choose_class(request, &pack), error);
    if (status == LFM_OK) {
        *passed = judgement.passed;
        if (request->common.json) status = print_json(request, &pack, &judgement, error);
        else print_text(&pack, &judgement);
    }
    lfm_pack_close(&pack);
    return status;
}

/* --- the command line --- */

static int check_and_run(struct request *request, const struct lfm_usage *usage)
{
    struct lfm_error error = {0};
    bool passed = false;
    int sources = (request->results != NULL) + (request->model != NULL) + (request->endpoint != NULL);
    if (sources != 1) return lfm_report_usage(usage, "expected one of RESULTS, --endpoint and --model");
    if (request->class_name && !lfm_conform_class_by_name(request->class_name))
        return lfm_report_usage(usage, "unknown class '%s': expected f32, f16, bf16 or q8", request->class_name);
    if (!(request->timeout >= 0)) return lfm_report_usage(usage, "--timeout must not be negative");
    lfm_catch_interrupts();
    int exit_code = lfm_report_status(run(request, &passed, &error), &error);
    return exit_code == LFM_EXIT_OK && !passed ? LFM_EXIT_GATE : exit_code;
}

int lfm_command_conform(int argc, char **argv)
{
    struct request request = {.weights = LFM_MODEL_ARGUMENTS_DEFAULT, .timeout = 120, .argc = argc, .argv = argv};
    const struct lfm_option options[] = {
        {"endpoint", "URL", "an OpenAI-compatible server that runs the pack's model (none)", LFM_OPTION_STRING,
         &request.endpoint},
        {"model-name", "N", "what the server calls the model (none is named)", LFM_OPTION_STRING, &request.model_name},
        {"timeout", "S", "seconds to wait for an answer of the server; 0: for ever (120)", LFM_OPTION_DOUBLE,
         &request.timeout},
        {"model", "MODEL", "compute the results with this program: PACK/model or PACK/model.gguf (none)",
         LFM_OPTION_STRING, &request.model},
        LFM_MODEL_OPTION_ROWS(request.weights),
        {"class", "C", "tolerances for f32, f16, bf16 or q8 arithmetic (what the results state, else f32)",
         LFM_OPTION_STRING, &request.class_name},
        {"write-results", "F", "write the results as JSON Lines, whoever gave them (none)", LFM_OPTION_STRING,
         &request.output},
        {0},
    };
    const struct lfm_usage usage = {
        .name = "conform",
        .arguments = "PACK RESULTS | PACK --endpoint URL | PACK --model MODEL [options]",
        .summary = "Holds a runtime's results against a conformance pack.",
        .notes = "RESULTS is a file of JSON Lines that another runtime wrote ('-' is standard input); the pack's README.md and\n"
                 "docs/conformance.md have the format. A server is asked for greedy continuations with log-probabilities, and,\n"
                 "where it has them, for tokens (/tokenize) and renderings (/apply-template). Its key is taken from\n"
                 "LFMSCOPE_API_KEY or OPENAI_API_KEY. Exit status: 0 when all that was given agrees, 3 when something does\n"
                 "not or is incomplete, 1 when nothing could be judged.",
        .options = options,
        .min_arguments = 1,
        .max_arguments = 2,
    };
    struct lfm_strings arguments;
    int exit_code;
    if (!lfm_parse_arguments(&usage, argc, argv, &request.common, &arguments, &exit_code)) return exit_code;
    request.pack = arguments.items[0];
    request.results = arguments.count > 1 ? arguments.items[1] : NULL;
    exit_code = check_and_run(&request, &usage);
    lfm_strings_release(&arguments);
    return exit_code;
}
