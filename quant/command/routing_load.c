/* lfmscope routing --load: batches, devices and expert caches, from the routing decisions of traces. */
#include "quant/command/routing_load.h"

#include "quant/command/lists.h"
#include "quant/command/routing_load_report.h"
#include "quant/load.h"
#include "reference/base/memory.h"
#include "reference/model/config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_LIST = 64 };

/* The numbers of all lists. */
struct lists {
    size_t batches[MAX_LIST], devices[MAX_LIST], sizes[LFM_MAX_EXPERTS];
    double factors[MAX_LIST];
};

bool lfm_routing_load_asked(const struct lfm_routing_load_request *request)
{
    return request->load || request->batches || request->devices || request->factors || request->sizes ||
           request->draw || request->resamples != LFM_LOAD_RESAMPLES || request->steps != LFM_LOAD_STEPS;
}

static enum lfm_status parse_draw(enum lfm_draw *out, const char *name, struct lfm_error *error)
{
    for (int draw = 0; draw < LFM_DRAWS; draw++)
        if (!name || strcmp(name, lfm_draw_name((enum lfm_draw)draw)) == 0) {
            *out = (enum lfm_draw)draw;
            return LFM_OK;
        }
    return lfm_fail(error, LFM_ERROR_ARGUMENT, "'--draw': '%s' is none of sequences, document, tokens, consecutive",
                    name);
}

static enum lfm_status parse(struct lfm_load_options *options, struct lists *lists,
                             const struct lfm_routing_load_request *request, uint64_t seed, struct lfm_error *error)
{
    *options = (struct lfm_load_options){
        .batches = lists->batches,
        .devices = lists->devices,
        .sizes = lists->sizes,
        .factors = lists->factors,
        .resamples = request->resamples,
        .steps = request->steps,
        .seed = seed,
    };
    LFM_TRY(parse_draw(&options->draw, request->draw, error));
    if (request->batches)
        LFM_TRY(lfm_list_sizes(lists->batches, MAX_LIST, &options->n_batches, "batch", request->batches, error));
    if (request->devices)
        LFM_TRY(lfm_list_sizes(lists->devices, MAX_LIST, &options->n_devices, "devices", request->devices, error));
    if (request->sizes)
        LFM_TRY(lfm_list_sizes(lists->sizes, LFM_MAX_EXPERTS, &options->n_sizes, "cache", request->sizes, error));
    if (!request->factors) return LFM_OK;
    return lfm_list_doubles(lists->factors, MAX_LIST, &options->n_factors, "capacity", request->factors, error);
}

static enum lfm_status run_trace(struct lfm_load_subject *subject, const char *path,
                                 const struct lfm_load_options *options, bool quiet, struct lfm_error *error)
{
    struct lfm_progress progress;
    LFM_TRY(lfm_trace_open(&subject->trace, path, error));
    lfm_progress_start(&progress, "simulating", "layers", 0, quiet);
    enum lfm_status status = lfm_load_run(&subject->load, subject->trace, options, &progress, error);
    lfm_progress_finish(&progress);
    return status;
}

static enum lfm_status run(struct lfm_load_subject *subjects, const struct lfm_strings *files,
                           const struct lfm_load_options *options, const struct lfm_common *common, int argc,
                           char **argv, struct lfm_error *error)
{
    for (size_t i = 0; i < files->count; i++)
        LFM_TRY(run_trace(&subjects[i], files->items[i], options, common->quiet, error));
    if (common->json)
        return lfm_print_document(lfm_load_document(subjects, files->count, options, argc, argv), error);
    for (size_t i = 0; i < files->count; i++) {
        if (i > 0) printf("\n");
        lfm_load_print(&subjects[i], options);
    }
    return LFM_OK;
}

int lfm_routing_load(const struct lfm_usage *usage, const struct lfm_routing_load_request *request,
                     const struct lfm_common *common, struct lfm_strings *files, int argc, char **argv)
{
    struct lists lists;
    struct lfm_load_options options;
    struct lfm_error error;
    struct lfm_load_subject *subjects = NULL;
    int exit_code = LFM_EXIT_OK;
    lfm_catch_interrupts();
    if (!request->load)
        exit_code = lfm_report_usage(usage, "--batch, --devices, --capacity, --cache, --draw, --resamples and --steps "
                                            "belong to --load");
    else if (parse(&options, &lists, request, common->seed, &error) != LFM_OK)
        exit_code = lfm_report_usage(usage, "%s", error.message);
    if (exit_code == LFM_EXIT_OK) {
        enum lfm_status status = LFM_ALLOC(&subjects, files->count, &error);
        if (status == LFM_OK) status = run(subjects, files, &options, common, argc, argv, &error);
        exit_code = lfm_report_status(status, &error);
    }
    for (size_t i = 0; subjects && i < files->count; i++) {
        lfm_load_release(&subjects[i].load);
        lfm_trace_close(subjects[i].trace);
    }
    free(subjects);
    lfm_strings_release(files);
    return exit_code;
}
