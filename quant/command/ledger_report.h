/* How `ledger` shows its result: a JSON document, or tables for reading. */
#ifndef LFM_QUANT_COMMAND_LEDGER_REPORT_H
#define LFM_QUANT_COMMAND_LEDGER_REPORT_H

#include "quant/command/text_options.h"
#include "quant/ledger.h"
#include "quant/ledger_figures.h"

/* A finished ledger. Everything is borrowed. */
struct lfm_ledger_result {
    struct lfm_model *reference, *candidate;
    const char *name; /* what the candidate is called */
    const struct lfm_ledger *ledger;
    const struct lfm_ledger_figures *figures;
    const struct lfm_text *text;
};

enum lfm_status lfm_ledger_print_json(const struct lfm_ledger_result *result, int argc, char **argv,
                                      struct lfm_error *error);
enum lfm_status lfm_ledger_print_tables(const struct lfm_ledger_result *result, struct lfm_error *error);

#endif
