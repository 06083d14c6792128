/* `lfmscope routing --load`: its options, which routing.c puts into its table, and what runs it. */
#ifndef LFM_QUANT_COMMAND_ROUTING_LOAD_H
#define LFM_QUANT_COMMAND_ROUTING_LOAD_H

#include "reference/base/command.h"

#include <stdbool.h>
#include <stddef.h>

struct lfm_routing_load_request {
    bool load;
    const char *batches, *devices, *factors, *sizes, *draw; /* lists as typed; NULL: the default */
    size_t resamples, steps;
};

enum { LFM_LOAD_RESAMPLES = 200, LFM_LOAD_STEPS = 16 };
#define LFM_ROUTING_LOAD_DEFAULTS {.resamples = LFM_LOAD_RESAMPLES, .steps = LFM_LOAD_STEPS}

#define LFM_ROUTING_LOAD_OPTIONS(request)                                                                            \
    {"load", NULL, "under load: batches, devices and expert caches, each trace for itself", LFM_OPTION_FLAG,         \
     &(request).load},                                                                                               \
        {"batch", "N,M", "--load: tokens per step (1,2,4 ... 256)", LFM_OPTION_STRING, &(request).batches},          \
        {"devices", "N,M", "--load: devices that share the experts (2,4,8,16,32)", LFM_OPTION_STRING,                \
         &(request).devices},                                                                                        \
        {"capacity", "X,Y", "--load: capacity factors (1,1.25,1.5,2)", LFM_OPTION_STRING, &(request).factors},       \
        {"cache", "N,M", "--load: experts per layer that a cache holds (all sizes)", LFM_OPTION_STRING,              \
         &(request).sizes},                                                                                          \
        {"draw", "D", "--load: a step: sequences, document, tokens or consecutive (sequences)", LFM_OPTION_STRING,   \
         &(request).draw},                                                                                           \
        {"resamples", "N", "--load: resampled runs per batch size (200)", LFM_OPTION_SIZE, &(request).resamples},    \
    {                                                                                                                \
        "steps", "N", "--load: steps of a run (16)", LFM_OPTION_SIZE, &(request).steps                               \
    }

/* True when --load or an option of it was given. */
bool lfm_routing_load_asked(const struct lfm_routing_load_request *request);

/* Runs it and returns the exit status; releases `files`. */
int lfm_routing_load(const struct lfm_usage *usage, const struct lfm_routing_load_request *request,
                     const struct lfm_common *common, struct lfm_strings *files, int argc, char **argv);

#endif
