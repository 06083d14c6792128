/* eval's command line as a whole: presets, what does not go together, and the command that repeats a run. */
#include "eval/backends/endpoint_parts.h"
#include "eval/backends/local.h"
#include "eval/command/evaluation.h"
#include "reference/base/memory.h"
#include "reference/model/chat.h"

#include <float.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_BATCH = 1024, MOST_SAMPLES = 1000, MOST_RETRIES = 1000, MAX_TOKENS = 1280 };

/* --- what was not said --- */

#define UNSAID (-DBL_MAX)

static const struct lfm_sampling unsaid = {
    .temperature = UNSAID, .top_k = SIZE_MAX, .top_p = UNSAID, .min_p = UNSAID, .repetition_penalty = UNSAID};

static const struct {
    const char *name;
    struct lfm_sampling sampling;
} presets[] = {
    {"greedy", {.top_p = 1, .repetition_penalty = 1}},
    {"lfm2.5", {.temperature = 0.2, .top_k = 80, .top_p = 1, .repetition_penalty = 1.05}}, /* its model card */
};

struct lfm_evaluation lfm_evaluation_unsaid(int argc, char **argv)
{
    return (struct lfm_evaluation){
        .weights = LFM_MODEL_ARGUMENTS_DEFAULT,
        .batch = SIZE_MAX,
        .reuse_megabytes = SIZE_MAX,
        .guesses = SIZE_MAX,
        .concurrency = SIZE_MAX,
        .retries = SIZE_MAX,
        .timeout = UNSAID,
        .preset = "greedy",
        .sampling = unsaid,
        .max_tokens = MAX_TOKENS,
        .samples = 1,
        .margin = LFM_MARGIN,
        .argc = argc,
        .argv = argv,
    };
}

static void take_size(size_t *target, size_t value)
{
    if (*target == SIZE_MAX) *target = value;
}

static void take_number(double *target, double value)
{
    if (*target == UNSAID) *target = value;
}

static enum lfm_status apply_preset(struct lfm_sampling *sampling, const char *name, struct lfm_error *error)
{
    for (size_t i = 0; i < sizeof presets / sizeof presets[0]; i++) {
        const struct lfm_sampling *preset = &presets[i].sampling;
        if (strcmp(presets[i].name, name) != 0) continue;
        take_number(&sampling->temperature, preset->temperature);
        take_size(&sampling->top_k, preset->top_k);
        take_number(&sampling->top_p, preset->top_p);
        take_number(&sampling->min_p, preset->min_p);
        take_number(&sampling->repetition_penalty, preset->repetition_penalty);
        return LFM_OK;
    }
    return lfm_fail(error, LFM_ERROR_ARGUMENT, "unknown preset '%s': expected greedy or lfm2.5", name);
}

static void apply_defaults(struct lfm_evaluation *evaluation)
{
    take_size(&evaluation->batch, 8);
    take_size(&evaluation->reuse_megabytes, 1024);
    take_size(&evaluation->guesses, LFM_MOST_GUESSES);
    take_size(&evaluation->concurrency, 8);
    take_size(&evaluation->retries, 5);
    take_number(&evaluation->timeout, 600);
}

/* --- what does not do --- */

static bool differs(const char *text, const char *unsaid_text)
{
    return text && strcmp(text, unsaid_text) != 0;
}

static const char *complaint_about_model(const struct lfm_evaluation *evaluation)
{
    if (evaluation->model_name) return "'--model-name' goes with --endpoint";
    if (evaluation->concurrency != SIZE_MAX)
        return "'--concurrency' goes with --endpoint; --batch is its like for --model";
    if (evaluation->calls_as_text) return "'--calls-as-text' goes with --endpoint";
    if (evaluation->retries != SIZE_MAX) return "'--retries' goes with --endpoint";
    if (evaluation->timeout != UNSAID) return "'--timeout' goes with --endpoint";
    return NULL;
}

static const char *complaint_about_endpoint(const struct lfm_evaluation *evaluation)
{
    if (evaluation->against)
        return "'--against' quantizes a model in this process: evaluate each server by itself and compare the runs";
    if (evaluation->weights.weights)
        return "'--weights' quantizes a model in this process: with --endpoint the server decides on its weights";
    if (differs(evaluation->weights.activations, "f32") || differs(evaluation->weights.kv, "f32"))
        return "'--activations' and '--kv' go with --model: with --endpoint the server decides how it computes";
    if (evaluation->batch != SIZE_MAX) return "'--batch' goes with --model; --concurrency is its like for --endpoint";
    if (evaluation->reuse_megabytes != SIZE_MAX) return "'--reuse' goes with --model";
    if (evaluation->guesses != SIZE_MAX) return "'--guesses' goes with --model";
    if (evaluation->date) return "'--date' goes with --model: with --endpoint the server renders the chat template";
    return NULL;
}

static const char *complaint_about_numbers(const struct lfm_evaluation *evaluation)
{
    if (evaluation->batch == 0 || (evaluation->batch != SIZE_MAX && evaluation->batch > MOST_BATCH))
        return "'--batch' must be from 1 to 1024";
    if (evaluation->concurrency == 0 || (evaluation->concurrency != SIZE_MAX && evaluation->concurrency > MOST_BATCH))
        return "'--concurrency' must be from 1 to 1024";
    if (evaluation->retries != SIZE_MAX && evaluation->retries > MOST_RETRIES) return "'--retries' must be at most 1000";
    if (evaluation->timeout != UNSAID && !(evaluation->timeout > 0 && evaluation->timeout <= 86400))
        return "'--timeout' must be above 0 and at most 86400 seconds";
    if (evaluation->reuse_megabytes != SIZE_MAX && evaluation->reuse_megabytes > (1u << 24))
        return "'--reuse' must be at most 16777216 MiB";
    if (evaluation->guesses != SIZE_MAX && evaluation->guesses > LFM_MOST_GUESSES) return "'--guesses' must be at most 7";
    if (evaluation->samples == 0 || evaluation->samples > MOST_SAMPLES) return "'--samples' must be from 1 to 1000";
    if (evaluation->max_tokens == 0 || evaluation->max_tokens > INT32_MAX)
        return "'--max-tokens' must be from 1 to 2147483647";
    if (evaluation->date && !lfm_is_date(evaluation->date)) return "'--date' needs a date such as 2026-05-04";
    if (evaluation->common.seed > (UINT64_C(1) << 53)) return "'--seed' must be at most 2^53";
    if (!(evaluation->margin > 0 && evaluation->margin < 1)) return "'--margin' must lie between 0 and 1";
    return NULL;
}

static const char *complaint_about(const struct lfm_evaluation *evaluation)
{
    const char *complaint = complaint_about_numbers(evaluation);
    if (!evaluation->output) return "--output is needed";
    if (!evaluation->model && !evaluation->endpoint) return "either --model or --endpoint is needed";
    if (evaluation->model && evaluation->endpoint) return "--model and --endpoint exclude each other";
    if (!complaint)
        complaint = evaluation->model ? complaint_about_model(evaluation) : complaint_about_endpoint(evaluation);
    if (complaint) return complaint;
    if (evaluation->against && evaluation->samples > 1)
        return "--against pairs items by one sample each: leave --samples out";
    if (evaluation->n_jobs > 1 && (evaluation->selection.ids || evaluation->selection.exclude))
        return "--ids and --exclude name items of one suite: name one suite only";
    return NULL;
}

/* The command line is recorded, and a URL may hold a password: both are kept without it. */
static enum lfm_status hide_secrets(struct lfm_evaluation *evaluation, struct lfm_error *error)
{
    struct lfm_endpoint_url url;
    struct lfm_buffer argument = {0};
    const char *given = evaluation->endpoint;
    if (!given) return LFM_OK;
    LFM_TRY(lfm_endpoint_url_parse(&url, given, error));
    enum lfm_status status = lfm_copy_string(&evaluation->shown_endpoint, url.shown, strlen(url.shown), error);
    lfm_endpoint_url_release(&url);
    if (status == LFM_OK) status = LFM_ALLOC(&evaluation->shown_argv, (size_t)evaluation->argc + 1, error);
    for (int i = 0; i < evaluation->argc && status == LFM_OK; i++) {
        char *text = evaluation->argv[i];
        bool holds_it = given >= text && given <= text + strlen(text);
        evaluation->shown_argv[i] = text;
        if (!holds_it) continue;
        status = lfm_buffer_printf(&argument, error, "%.*s%s", (int)(given - text), text, evaluation->shown_endpoint);
        evaluation->shown_argument = evaluation->shown_argv[i] = argument.data;
    }
    if (status == LFM_OK) evaluation->argv = evaluation->shown_argv;
    return status;
}

void lfm_evaluation_release(struct lfm_evaluation *evaluation)
{
    lfm_jobs_close(evaluation);
    free(evaluation->shown_endpoint);
    free(evaluation->shown_argument);
    free(evaluation->shown_argv);
}

enum lfm_status lfm_evaluation_settle(struct lfm_evaluation *evaluation, struct lfm_error *error)
{
    LFM_TRY(lfm_jobs_name(evaluation, error));
    const char *complaint = complaint_about(evaluation);
    if (complaint) return lfm_fail(error, LFM_ERROR_ARGUMENT, "%s", complaint);
    if (evaluation->shard && !lfm_shard_parse(&evaluation->selection, evaluation->shard))
        return lfm_fail(error, LFM_ERROR_ARGUMENT, "'--shard' needs i/n with i from 1 to n, not '%s'", evaluation->shard);
    apply_defaults(evaluation);
    LFM_TRY(hide_secrets(evaluation, error));
    LFM_TRY(apply_preset(&evaluation->sampling, evaluation->preset, error));
    return lfm_sampling_check(&evaluation->sampling, error);
}

/* --- the command that repeats a run --- */

static enum lfm_status add_text(struct lfm_buffer *out, const char *option, const char *value, const char *usual,
                                struct lfm_error *error)
{
    if (!value || (usual && strcmp(value, usual) == 0)) return LFM_OK;
    LFM_TRY(lfm_buffer_printf(out, error, " --%s ", option));
    return lfm_buffer_put_word(out, value, error);
}

static enum lfm_status add_number(struct lfm_buffer *out, const char *option, double value, double usual,
                                  struct lfm_error *error)
{
    if (value == usual) return LFM_OK;
    LFM_TRY(lfm_buffer_printf(out, error, " --%s ", option));
    return lfm_buffer_put_double(out, value, error);
}

enum lfm_status lfm_evaluation_repeats(struct lfm_buffer *out, const struct lfm_evaluation *evaluation,
                                       const struct lfm_job *job, const struct lfm_model_arguments *arguments,
                                       struct lfm_error *error)
{
    const struct lfm_sampling *sampling = &evaluation->sampling, *greedy = &presets[0].sampling;
    const struct lfm_selection *selection = &evaluation->selection;
    LFM_TRY(lfm_buffer_printf(out, error, "lfmscope eval %s", job->suite->name));
    LFM_TRY(add_text(out, "model", evaluation->model, NULL, error));
    LFM_TRY(add_text(out, "weights", arguments->weights, NULL, error));
    if (arguments->weights) LFM_TRY(add_text(out, "scale", arguments->scale, "channel", error));
    LFM_TRY(add_text(out, "activations", arguments->activations, "f32", error));
    LFM_TRY(add_text(out, "kv", arguments->kv, "f32", error));
    LFM_TRY(add_text(out, "endpoint", evaluation->shown_endpoint, NULL, error));
    LFM_TRY(add_text(out, "model-name", evaluation->model_name, NULL, error));
    if (evaluation->calls_as_text) LFM_TRY(lfm_buffer_puts(out, " --calls-as-text", error));
    if (evaluation->data) LFM_TRY(add_text(out, "data", job->path, NULL, error));
    LFM_TRY(add_text(out, "ids", selection->ids, NULL, error));
    LFM_TRY(add_text(out, "exclude", selection->exclude, NULL, error));
    LFM_TRY(add_number(out, "limit", (double)selection->limit, 0, error));
    LFM_TRY(add_number(out, "samples", (double)evaluation->samples, 1, error));
    LFM_TRY(add_number(out, "max-tokens", (double)evaluation->max_tokens, MAX_TOKENS, error));
    LFM_TRY(add_number(out, "temperature", sampling->temperature, greedy->temperature, error));
    LFM_TRY(add_number(out, "top-k", (double)sampling->top_k, (double)greedy->top_k, error));
    LFM_TRY(add_number(out, "top-p", sampling->top_p, greedy->top_p, error));
    LFM_TRY(add_number(out, "min-p", sampling->min_p, greedy->min_p, error));
    LFM_TRY(add_number(out, "repetition-penalty", sampling->repetition_penalty, greedy->repetition_penalty, error));
    LFM_TRY(add_number(out, "seed", (double)evaluation->common.seed, 0, error));
    return add_text(out, "date", evaluation->date, NULL, error);
}
