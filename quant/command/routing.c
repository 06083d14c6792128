/* lfmscope routing: what the experts do, from traces. */
#include "quant/command/commands.h"
#include "quant/command/routing_load.h"
#include "quant/command/routing_report.h"
#include "quant/pieces.h"
#include "quant/route/route.h"
#include "quant/trace_compare.h"
#include "reference/base/command.h"
#include "reference/base/file.h"
#include "reference/base/memory.h"
#include "reference/trace/reader.h"

#include <stdio.h>
#include <stdlib.h>

enum { TOKENS_IN_JSON = 10 }; /* per expert, when --tokens does not say */

struct arguments {
    const struct lfm_strings *files;
    const struct lfm_common *common;
    const char *route, *tokenizer;
    struct lfm_structure_options structure;
    struct lfm_routing_view view;
};

/* --- reading --- */

/* The same for every trace of so many tokens. */
static enum lfm_status expect_by_chance(struct lfm_routing_subject *subjects, size_t i, uint64_t seed,
                                        struct lfm_error *error)
{
    const struct lfm_routing *routing = &subjects[i].routing;
    if (i > 0 && routing->tokens == subjects[0].routing.tokens) {
        subjects[i].chance = subjects[0].chance;
        return LFM_OK;
    }
    return lfm_chance(&subjects[i].chance, routing->tokens, routing->experts, routing->experts_per_token, seed, error);
}

static enum lfm_status read_subject(struct lfm_routing_subject *subjects, size_t i, const struct arguments *arguments,
                                    struct lfm_error *error)
{
    struct lfm_routing_subject *subject = &subjects[i];
    struct lfm_progress progress;
    size_t tokens = 0;
    if (arguments->route) LFM_TRY(lfm_keep_input(arguments->route, arguments->files->items[i], error));
    LFM_TRY(lfm_trace_open(&subject->trace, arguments->files->items[i], error));
    if (i > 0) LFM_TRY(lfm_traces_overlap(&tokens, subjects[0].trace, subject->trace, error));
    LFM_TRY(lfm_routing_read(&subject->routing, subject->trace, error));
    LFM_TRY(expect_by_chance(subjects, i, arguments->structure.seed, error));
    lfm_progress_start(&progress, "counting", "layers", (double)subject->routing.n_layers, arguments->common->quiet);
    enum lfm_status status =
        lfm_structure_read(&subject->structure, subject->trace, &arguments->structure, &progress, error);
    lfm_progress_finish(&progress);
    if (status == LFM_OK && i > 0)
        status = lfm_agreement_read(&subject->agreement, subjects[0].trace, subject->trace, tokens, error);
    return status;
}

static void close_subjects(struct lfm_routing_subject *subjects, size_t n)
{
    for (size_t i = 0; subjects && i < n; i++) {
        lfm_agreement_release(&subjects[i].agreement);
        lfm_structure_release(&subjects[i].structure);
        lfm_routing_release(&subjects[i].routing);
        lfm_trace_close(subjects[i].trace);
    }
    free(subjects);
}

/* --- showing --- */

static enum lfm_status print_json(const struct lfm_routing_subject *subjects, const struct arguments *arguments,
                                  int argc, char **argv, struct lfm_error *error)
{
    cJSON *document = lfm_json_document("routing", argc, argv);
    cJSON *traces = cJSON_AddArrayToObject(document, "traces"), *pairs = cJSON_AddArrayToObject(document, "pairs");
    enum lfm_status status = LFM_OK;
    for (size_t i = 0; i < arguments->files->count && status == LFM_OK; i++) {
        cJSON *trace = NULL;
        status = lfm_routing_trace_json(&trace, &subjects[i], &arguments->view, error);
        cJSON_AddItemToArray(traces, trace);
        if (i > 0) cJSON_AddItemToArray(pairs, lfm_routing_pair_json(&subjects[0], &subjects[i]));
    }
    if (arguments->route) cJSON_AddStringToObject(document, "route", arguments->route);
    if (status == LFM_OK) return lfm_print_document(document, error);
    cJSON_Delete(document);
    return status;
}

static enum lfm_status print_tables(const struct lfm_routing_subject *subjects, const struct arguments *arguments,
                                    struct lfm_error *error)
{
    for (size_t i = 0; i < arguments->files->count; i++) {
        if (i > 0) printf("\n");
        LFM_TRY(lfm_routing_print_trace(&subjects[i], &arguments->view, error));
    }
    for (size_t i = 1; i < arguments->files->count; i++)
        lfm_routing_print_pair(&subjects[0], &subjects[i], &arguments->view);
    if (arguments->route) printf("\n%s\n", arguments->route);
    return LFM_OK;
}

static enum lfm_status write_route(const struct lfm_routing_subject *subjects, const struct arguments *arguments,
                                   struct lfm_error *error)
{
    const struct lfm_trace **traces;
    if (!arguments->route) return LFM_OK;
    LFM_TRY(LFM_ALLOC(&traces, arguments->files->count, error));
    for (size_t i = 0; i < arguments->files->count; i++) traces[i] = subjects[i].trace;
    enum lfm_status status =
        lfm_route_write(traces, arguments->files->count, arguments->view.tokenizer, arguments->route, error);
    free(traces);
    return status;
}

static enum lfm_status run(struct arguments *arguments, int argc, char **argv, struct lfm_error *error)
{
    struct lfm_routing_subject *subjects;
    struct lfm_tokenizer *tokenizer = NULL;
    size_t n = arguments->files->count;
    LFM_TRY(LFM_ALLOC(&subjects, n, error));
    enum lfm_status status = LFM_OK;
    for (size_t i = 0; i < n && status == LFM_OK; i++) {
        status = read_subject(subjects, i, arguments, error);
        if (i == 0 && status == LFM_OK && arguments->tokenizer)
            status = lfm_pieces_open(&tokenizer, arguments->tokenizer, subjects[0].trace, error);
    }
    arguments->view.tokenizer = tokenizer;
    if (status == LFM_OK) status = write_route(subjects, arguments, error);
    if (status == LFM_OK)
        status = arguments->common->json ? print_json(subjects, arguments, argc, argv, error)
                                         : print_tables(subjects, arguments, error);
    close_subjects(subjects, n);
    lfm_tokenizer_free(tokenizer);
    return status;
}

int lfm_command_routing(int argc, char **argv)
{
    struct lfm_common common;
    struct lfm_strings files;
    struct arguments arguments = {.files = &files, .common = &common, .structure = {.min_count = 10}};
    struct lfm_routing_load_request load = LFM_ROUTING_LOAD_DEFAULTS;
    const struct lfm_option table[] = {
        {"experts", NULL, "also the load of every expert", LFM_OPTION_FLAG, &arguments.view.experts},
        {"pairs", "N", "also the N pairs of experts that are chosen together most, per layer", LFM_OPTION_SIZE,
         &arguments.view.pairs},
        {"domains", NULL, "also every domain's share of every expert (labels of a JSONL text)", LFM_OPTION_FLAG,
         &arguments.view.domains},
        {"tokens", "N", "also the N tokens that choose an expert most (with --json: 10)", LFM_OPTION_SIZE,
         &arguments.view.tokens},
        {"min-count", "N", "of tokens that occur at least N times (10)", LFM_OPTION_SIZE,
         &arguments.structure.min_count},
        {"margins", NULL, "also agreement by layer and margin", LFM_OPTION_FLAG, &arguments.view.margins},
        {"route", "OUT.html", "write a page: the experts of each token by layer", LFM_OPTION_STRING, &arguments.route},
        {"tokenizer", "MODEL", "the traced model, for the text of tokens (without it, their ids)", LFM_OPTION_STRING,
         &arguments.tokenizer},
        LFM_ROUTING_LOAD_OPTIONS(load),
        {0},
    };
    const struct lfm_usage usage = {
        .name = "routing",
        .arguments = "T.h5... [options]",
        .summary = "How traces load their experts, and how the routers of further traces agree with the first.",
        .notes = "Traces are made with 'lfmscope trace' and must be of the same text. docs/routing.md has the formulas. With\n"
                 "--load each trace is taken for itself: docs/load.md.",
        .options = table,
        .min_arguments = 1,
        .max_arguments = 64,
    };
    int exit_code;
    if (!lfm_parse_arguments(&usage, argc, argv, &common, &files, &exit_code)) return exit_code;
    if (lfm_routing_load_asked(&load)) return lfm_routing_load(&usage, &load, &common, &files, argc, argv);

    struct lfm_error error;
    enum lfm_status status;
    lfm_catch_interrupts();
    arguments.structure.seed = common.seed;
    arguments.structure.tokens = arguments.view.tokens > 0 ? arguments.view.tokens : common.json ? TOKENS_IN_JSON : 0;
    if (arguments.structure.min_count == 0) {
        lfm_strings_release(&files);
        return lfm_report_usage(&usage, "--min-count must be at least 1");
    }
    status = run(&arguments, argc, argv, &error);
    exit_code = lfm_report_status(status, &error);
    lfm_strings_release(&files);
    return exit_code;
}
