/* What `routing` has found, as JSON and as tables. */
#ifndef LFM_QUANT_COMMAND_ROUTING_REPORT_H
#define LFM_QUANT_COMMAND_ROUTING_REPORT_H

#include "quant/routing.h"
#include "quant/routing_agreement.h"
#include "quant/routing_chance.h"
#include "quant/routing_structure.h"
#include "reference/base/json.h"
#include "reference/model/tokenizer.h"
#include "reference/trace/reader.h"

#include <stdbool.h>
#include <stddef.h>

/* One trace, and how it agrees with the first. All owned. */
struct lfm_routing_subject {
    struct lfm_trace *trace;
    struct lfm_routing routing;
    struct lfm_chance chance;
    struct lfm_structure structure;
    struct lfm_agreement agreement; /* empty for the first */
};

/* What is shown. */
struct lfm_routing_view {
    const struct lfm_tokenizer *tokenizer; /* NULL: tokens have no text */
    size_t pairs, tokens;                  /* lines of these tables per layer and per expert; 0: no table */
    bool experts, domains, margins;        /* tables by expert, by domain, by layer and margin */
};

/* Members of an object of "traces", and of one of "pairs" for two traces. docs/routing.md names them. */
enum lfm_status lfm_routing_trace_json(cJSON **out, const struct lfm_routing_subject *subject,
                                       const struct lfm_routing_view *view, struct lfm_error *error);
cJSON *lfm_routing_pair_json(const struct lfm_routing_subject *reference, const struct lfm_routing_subject *candidate);

/* The tables of one trace, and of two. */
enum lfm_status lfm_routing_print_trace(const struct lfm_routing_subject *subject, const struct lfm_routing_view *view,
                                        struct lfm_error *error);
void lfm_routing_print_pair(const struct lfm_routing_subject *reference, const struct lfm_routing_subject *candidate,
                            const struct lfm_routing_view *view);

/* Appends the domain's name, and a token's text in quotes with what would leave its line escaped. */
enum lfm_status lfm_routing_put_label(struct lfm_buffer *out, const struct lfm_structure *structure, size_t label,
                                      struct lfm_error *error);

#endif
