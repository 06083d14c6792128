/* How the agreement of routers is shown, wherever it is: by `compare`, live or of traces, and by `routing`. */
#ifndef LFM_QUANT_COMMAND_ROUTER_REPORT_H
#define LFM_QUANT_COMMAND_ROUTER_REPORT_H

#include "quant/agreement.h"
#include "quant/trace_compare.h"
#include "reference/base/json.h"

#include <stddef.h>

/* Adds "overlap", "shared", "exact_set", "gate_kl", "mass_moved", "top1" and "weight_l1" to the object. */
void lfm_add_router_figures(cJSON *object, const struct lfm_router_figures *figures);

/* Adds an array of {"layer", ...} called `key` to the object. */
void lfm_add_router_rows(cJSON *object, const char *key, const struct lfm_router_difference *rows, size_t n);

/* Prints the table of n layers, with its heading. */
void lfm_print_router_rows(const struct lfm_router_difference *rows, size_t n);

#endif
