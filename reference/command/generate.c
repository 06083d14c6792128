/* lfmscope generate: continues a prompt or a conversation. */
#include "reference/base/command.h"
#include "reference/base/memory.h"
#include "reference/command/commands.h"
#include "reference/command/model_options.h"
#include "reference/model/chat.h"
#include "reference/model/forward.h"
#include "reference/model/sample.h"
#include "reference/model/stop.h"
#include "reference/model/tokenizer.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { PREFILL_PIECE = 512 }; /* tokens between two looks at Ctrl-C */

struct options {
    const char *prompt, *chat, *tools, *date;
    bool special, keep_thinking;
    size_t max_tokens;
    struct lfm_strings stops;
    struct lfm_sampling sampling;
    struct lfm_model_arguments model;
    struct lfm_common common;
};

struct run {
    const struct options *options;
    struct lfm_model *model;
    struct lfm_tokenizer *tokenizer;
    struct lfm_state *state;
    struct lfm_sampler *sampler;
    struct lfm_tokens tokens; /* prompt, then what was generated */
    size_t n_prompt;
    float *hidden, *logits;
    struct lfm_stop stop;
    struct lfm_buffer ready;  /* certain text that was not printed yet */
    struct lfm_buffer text;   /* all certain text, with --json */
    const char *finish;
    double prefill_seconds, decode_seconds;
    struct lfm_error *error;
};

/* --- the prompt --- */

/* Messages are the document itself or its "messages"; tools its "tools", or a file of their own. */
static enum lfm_status render_chat(struct run *run, const cJSON *document, const cJSON *tools, struct lfm_buffer *text)
{
    const struct options *options = run->options;
    const cJSON *messages =
        cJSON_IsObject(document) ? cJSON_GetObjectItemCaseSensitive(document, "messages") : document;
    if (!tools && cJSON_IsObject(document)) tools = cJSON_GetObjectItemCaseSensitive(document, "tools");
    struct lfm_chat_options chat = {
        .add_generation_prompt = true, .keep_past_thinking = options->keep_thinking, .date = options->date};
    size_t length;
    if (lfm_bos_id(run->tokenizer) >= 0)
        LFM_TRY(lfm_token_bytes(run->tokenizer, lfm_bos_id(run->tokenizer), &chat.bos_token, &length, run->error));
    if (lfm_chat_render(text, lfm_chat_template(run->tokenizer), messages, cJSON_IsNull(tools) ? NULL : tools, &chat,
                        run->error) != LFM_OK)
        return lfm_fail_in(run->error, "%s", options->chat);
    return LFM_OK;
}

static enum lfm_status tokenize_chat(struct run *run)
{
    cJSON *document = NULL, *tools = NULL;
    struct lfm_buffer text = {0};
    enum lfm_status status;
    LFM_TRY_DONE(lfm_json_parse_texts(&document, run->options->chat, run->error));
    if (run->options->tools) LFM_TRY_DONE(lfm_json_parse_texts(&tools, run->options->tools, run->error));
    if (tools && !cJSON_IsArray(tools)) {
        status = lfm_fail(run->error, LFM_ERROR_FORMAT, "%s: expected a list of function schemas", run->options->tools);
        goto done;
    }
    LFM_TRY_DONE(render_chat(run, document, tools, &text));
    status = lfm_tokenize(run->tokenizer, text.data, text.length, false, true, &run->tokens, run->error);
done:
    cJSON_Delete(document);
    cJSON_Delete(tools);
    lfm_buffer_release(&text);
    return status;
}

static enum lfm_status read_prompt(struct run *run)
{
    const char *prompt = run->options->prompt;
    if (prompt)
        LFM_TRY(lfm_tokenize(run->tokenizer, prompt, strlen(prompt), true, run->options->special, &run->tokens,
                             run->error));
    else
        LFM_TRY(tokenize_chat(run));
    run->n_prompt = run->tokens.count;
    size_t context = run->model->config.max_position_embeddings;
    if (run->n_prompt == 0)
        return lfm_fail(run->error, LFM_ERROR_ARGUMENT, "the prompt is empty, and this model's tokenizer adds no BOS");
    if (run->n_prompt > context)
        return lfm_fail(run->error, LFM_ERROR_LIMIT, "the prompt has %zu tokens, the model's context is %zu",
                        run->n_prompt, context);
    return LFM_OK;
}

/* --- the loop --- */

static enum lfm_status open_run(struct run *run, const char *path)
{
    LFM_TRY(lfm_open_model(&run->model, path, &run->options->model, "quantizing", run->options->common.quiet,
                           run->error));
    size_t D = run->model->config.hidden_size, V = run->model->config.vocab_size;
    LFM_TRY(lfm_tokenizer_open(&run->tokenizer, run->model->checkpoint, run->error));
    LFM_TRY(lfm_state_new(&run->state, run->model, run->error));
    LFM_TRY(lfm_sampler_new(&run->sampler, &run->options->sampling, V, run->error));
    LFM_TRY(LFM_ALLOC(&run->hidden, D, run->error));
    return LFM_ALLOC(&run->logits, V, run->error);
}

static void close_run(struct run *run)
{
    free(run->hidden);
    free(run->logits);
    lfm_sampler_free(run->sampler);
    lfm_state_free(run->state);
    lfm_tokenizer_free(run->tokenizer);
    lfm_model_close(run->model);
    lfm_tokens_release(&run->tokens);
    lfm_stop_release(&run->stop);
    lfm_buffer_release(&run->ready);
    lfm_buffer_release(&run->text);
}

/* Runs all of the prompt but its last token; the logits of that one choose the first new token. */
static enum lfm_status prefill(struct run *run)
{
    struct lfm_progress progress = {0};
    enum lfm_status status = LFM_OK;
    size_t count = run->n_prompt - 1;
    lfm_progress_start(&progress, "prompt", "tokens", (double)count,
                       run->options->common.quiet || count <= PREFILL_PIECE);
    for (size_t done = 0; done < count && status == LFM_OK;) {
        size_t n = count - done < PREFILL_PIECE ? count - done : PREFILL_PIECE;
        if (lfm_interrupted())
            status = lfm_fail(run->error, LFM_ERROR_STOPPED, "interrupted");
        else
            status = lfm_forward(run->model, run->state, run->tokens.ids + done, n, NULL, NULL, run->error);
        done += n;
        lfm_progress_update(&progress, (double)done);
    }
    lfm_progress_finish(&progress);
    return status;
}

/* Prints the text that is certain, or keeps it for the JSON document. */
static enum lfm_status emit(struct run *run)
{
    enum lfm_status status = LFM_OK;
    const struct lfm_buffer *ready = &run->ready;
    if (run->options->common.json)
        status = lfm_buffer_append(&run->text, ready->data, ready->length, run->error);
    else if (ready->length && (fwrite(ready->data, 1, ready->length, stdout) != ready->length || fflush(stdout) != 0))
        status = lfm_fail(run->error, LFM_ERROR_IO, "cannot write to standard output: %s", strerror(errno));
    lfm_buffer_clear(&run->ready);
    return status;
}

/* Takes a new token; sets `finish` when it is the last one. */
static enum lfm_status take(struct run *run, int32_t token)
{
    LFM_TRY(lfm_tokens_append(&run->tokens, token, run->error));
    bool end = lfm_ends_generation(run->tokenizer, token);
    if (!end || run->options->special) {
        struct lfm_buffer text = {0};
        enum lfm_status status = lfm_detokenize(run->tokenizer, &token, 1, run->options->special, &text, run->error);
        if (status == LFM_OK) status = lfm_stop_add(&run->stop, text.data, text.length, &run->ready, run->error);
        lfm_buffer_release(&text);
        if (status == LFM_OK) status = emit(run);
        if (status != LFM_OK) return status;
    }
    if (end)
        run->finish = "eos";
    else if (run->stop.stopped)
        run->finish = "stop";
    else if (run->tokens.count - run->n_prompt >= run->options->max_tokens)
        run->finish = "length";
    else if (run->tokens.count >= run->model->config.max_position_embeddings)
        run->finish = "context";
    return LFM_OK;
}

static enum lfm_status decode(struct run *run)
{
    if (run->options->max_tokens == 0) run->finish = "length";
    while (!run->finish) {
        int32_t token = run->tokens.ids[run->tokens.count - 1];
        if (lfm_interrupted()) return lfm_fail(run->error, LFM_ERROR_STOPPED, "interrupted");
        LFM_TRY(lfm_forward(run->model, run->state, &token, 1, NULL, run->hidden, run->error));
        LFM_TRY(lfm_logits(run->model, run->hidden, 1, run->logits, run->error));
        LFM_TRY(lfm_sample(run->sampler, run->logits, run->tokens.ids, run->tokens.count, &token, run->error));
        LFM_TRY(take(run, token));
    }
    LFM_TRY(lfm_stop_finish(&run->stop, &run->ready, run->error));
    return emit(run);
}

/* --- the results --- */

static enum lfm_status print_json(struct run *run, int argc, char **argv)
{
    size_t generated = run->tokens.count - run->n_prompt;
    cJSON *document = lfm_json_document("generate", argc, argv);
    cJSON_AddStringToObject(document, "name", run->model->checkpoint->name);
    lfm_add_model_types(document, run->model);
    cJSON_AddStringToObject(document, "text", run->text.data ? run->text.data : "");
    cJSON_AddItemToObject(document, "tokens", cJSON_CreateIntArray(run->tokens.ids + run->n_prompt, (int)generated));
    cJSON_AddStringToObject(document, "finish", run->finish);
    lfm_json_add_number(document, "prompt_tokens", (double)run->n_prompt);
    lfm_json_add_number(document, "generated_tokens", (double)generated);
    lfm_json_add_number(document, "seconds", run->prefill_seconds + run->decode_seconds);
    return lfm_print_document(document, run->error);
}

static void print_speed(const struct run *run)
{
    size_t generated = run->tokens.count - run->n_prompt;
    if (run->options->common.quiet || !isatty(STDERR_FILENO)) return;
    fprintf(stderr, "[%zu prompt tokens in %.2f s; %zu tokens in %.2f s, %.1f per second; ended by %s]\n",
            run->n_prompt, run->prefill_seconds, generated, run->decode_seconds,
            run->decode_seconds > 0 ? (double)generated / run->decode_seconds : 0, run->finish);
}

static enum lfm_status generate(struct run *run, const char *path, int argc, char **argv)
{
    LFM_TRY(open_run(run, path));
    LFM_TRY(read_prompt(run));
    double start = lfm_seconds();
    LFM_TRY(prefill(run));
    double middle = lfm_seconds();
    enum lfm_status status = decode(run);
    run->prefill_seconds = middle - start;
    run->decode_seconds = lfm_seconds() - middle;
    if (run->options->common.json) return status == LFM_OK ? print_json(run, argc, argv) : status;
    if ((putchar('\n') == EOF || fflush(stdout) != 0) && status == LFM_OK)
        return lfm_fail(run->error, LFM_ERROR_IO, "cannot write to standard output: %s", strerror(errno));
    if (status == LFM_OK) print_speed(run);
    return status;
}

static bool check_usage(const struct lfm_usage *usage, const struct options *options, int *exit_code)
{
    *exit_code = LFM_EXIT_OK;
    if (!options->prompt == !options->chat)
        *exit_code = lfm_report_usage(usage, "expected either --prompt or --chat");
    else if ((options->tools || options->date || options->keep_thinking) && !options->chat)
        *exit_code = lfm_report_usage(usage, "--tools, --date and --keep-thinking go with --chat");
    else if (options->date && !lfm_is_date(options->date))
        *exit_code = lfm_report_usage(usage, "'--date' needs a date such as 2026-05-04, not '%s'", options->date);
    else if (options->max_tokens > INT32_MAX)
        *exit_code =
            lfm_report_usage(usage, "'--max-tokens' must be at most %d, not %zu", INT32_MAX, options->max_tokens);
    for (size_t i = 0; i < options->stops.count && *exit_code == LFM_EXIT_OK; i++)
        if (!*options->stops.items[i]) *exit_code = lfm_report_usage(usage, "'--stop' needs some text");
    return *exit_code == LFM_EXIT_OK;
}

static int run_command(struct options *options, const char *path, int argc, char **argv)
{
    struct lfm_error error;
    options->sampling.seed = options->common.seed;
    struct run run = {.options = options, .error = &error};
    run.stop.strings = options->stops.items;
    run.stop.n_strings = options->stops.count;
    lfm_catch_interrupts();
    int exit_code = lfm_report_status(generate(&run, path, argc, argv), &error);
    close_run(&run);
    return exit_code;
}

int lfm_command_generate(int argc, char **argv)
{
    struct options options = {.max_tokens = 256,
                              .sampling = {.top_p = 1, .repetition_penalty = 1},
                              .model = LFM_MODEL_ARGUMENTS_DEFAULT};
    struct lfm_sampling *sampling = &options.sampling;
    const struct lfm_option table[] = {
        {"prompt", "S", "continue this text", LFM_OPTION_STRING, &options.prompt},
        {"chat", "F.json", "answer this list of messages, or {\"messages\", \"tools\"}; - is standard input",
         LFM_OPTION_STRING, &options.chat},
        {"tools", "F.json", "list of function schemas for --chat", LFM_OPTION_STRING, &options.tools},
        {"date", "D", "today's date, for chat templates that print it (YYYY-MM-DD)", LFM_OPTION_STRING, &options.date},
        {"keep-thinking", NULL, "keep the thinking of earlier turns in --chat", LFM_OPTION_FLAG,
         &options.keep_thinking},
        {"max-tokens", "N", "tokens to generate at most (256)", LFM_OPTION_SIZE, &options.max_tokens},
        {"temperature", "X", "0 takes the most likely token (0)", LFM_OPTION_DOUBLE, &sampling->temperature},
        {"top-k", "N", "sample among the N most likely (0: off)", LFM_OPTION_SIZE, &sampling->top_k},
        {"top-p", "X", "sample among the most likely that make up X (1: off)", LFM_OPTION_DOUBLE, &sampling->top_p},
        {"min-p", "X", "sample among those X times as likely as the most likely (0: off)", LFM_OPTION_DOUBLE,
         &sampling->min_p},
        {"repetition-penalty", "X", "make earlier tokens less likely (1: off)", LFM_OPTION_DOUBLE,
         &sampling->repetition_penalty},
        {"stop", "S", "end before this text; may be repeated", LFM_OPTION_STRINGS, &options.stops},
        {"special", NULL, "recognise special tokens in --prompt, and print them", LFM_OPTION_FLAG, &options.special},
        LFM_MODEL_OPTION_ROWS(options.model),
        {0},
    };
    const struct lfm_usage usage = {
        .name = "generate",
        .arguments = "MODEL (--prompt S | --chat F.json) [options]",
        .summary = "Continues a prompt or a conversation and streams the text.",
        .notes = "It ends at the model's end of turn, at a stop string, after --max-tokens, or where "
                 "the model's context is full.",
        .options = table,
        .min_arguments = 1,
        .max_arguments = 1};
    struct lfm_strings arguments;
    int exit_code;
    if (lfm_parse_arguments(&usage, argc, argv, &options.common, &arguments, &exit_code)) {
        if (check_usage(&usage, &options, &exit_code))
            exit_code = run_command(&options, arguments.items[0], argc, argv);
        lfm_strings_release(&arguments);
    }
    lfm_strings_release(&options.stops);
    return exit_code;
}
