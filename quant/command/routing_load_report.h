/* The results of `routing --load` as tables and as JSON. */
#ifndef LFM_QUANT_COMMAND_ROUTING_LOAD_REPORT_H
#define LFM_QUANT_COMMAND_ROUTING_LOAD_REPORT_H

#include "quant/load.h"
#include "reference/base/json.h"
#include "reference/trace/reader.h"

#include <stddef.h>

/* One trace and what came out. */
struct lfm_load_subject {
    struct lfm_trace *trace;
    struct lfm_load load;
};

/* Prints the tables of one trace on stdout. */
void lfm_load_print(const struct lfm_load_subject *subject, const struct lfm_load_options *options);
/* The document of all traces; NULL when memory is short. */
cJSON *lfm_load_document(const struct lfm_load_subject *subjects, size_t n, const struct lfm_load_options *options,
                         int argc, char **argv);

#endif
