/* How `compare` shows its result: a JSON document, or tables for reading. */
#ifndef LFM_QUANT_COMMAND_COMPARE_REPORT_H
#define LFM_QUANT_COMMAND_COMPARE_REPORT_H

#include "quant/command/text_options.h"
#include "quant/compare.h"
#include "quant/compare_figures.h"
#include "quant/inject.h"

/* A finished comparison. Everything is borrowed. */
struct lfm_compare_result {
    struct lfm_model *reference;
    struct lfm_model **candidates;              /* [n] */
    const char **names;                         /* [n]: what candidates are called */
    const struct lfm_comparison *comparisons;   /* [n] */
    const struct lfm_compare_figures *figures;  /* [n] */
    size_t n;
    const double *reference_nll;
    const struct lfm_injection *injections;     /* [n], or NULL */
    const struct lfm_text *text;
};

enum lfm_status lfm_compare_print_json(const struct lfm_compare_result *result, int argc, char **argv,
                                       struct lfm_error *error);
enum lfm_status lfm_compare_print_tables(const struct lfm_compare_result *result, struct lfm_error *error);

#endif
