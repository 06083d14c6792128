/* How `compare --inject` shows whose error it is. */
#ifndef LFM_QUANT_COMMAND_INJECT_REPORT_H
#define LFM_QUANT_COMMAND_INJECT_REPORT_H

#include "quant/inject.h"
#include "reference/base/json.h"

/* Adds "inject" to the object of a candidate: {"positions", "embedding", "modules": [{"layer", "module", "kind", "injected",
 * "inherited", "propagated", "total", "router"}]}. */
void lfm_add_injection(cJSON *candidate, const struct lfm_injection *injection);

/* Prints the table of one candidate, with its heading. */
void lfm_print_injection(const char *name, const struct lfm_injection *injection);

#endif
