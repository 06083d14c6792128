/* The part of `compare` that compares trace files. */
#ifndef LFM_QUANT_COMMAND_TRACE_COMPARISON_H
#define LFM_QUANT_COMMAND_TRACE_COMPARISON_H

#include "quant/trace_compare.h"
#include "reference/base/command.h"

/* Compares files->items[1..] with files->items[0], all of them traces of the same text, and prints a table by layer or,
 * with --json, a document "lfmscope-trace-compare". Returns the exit status; errors are printed. */
int lfm_run_trace_comparison(const struct lfm_common *common, const struct lfm_strings *files,
                             const struct lfm_trace_compare_options *options, int argc, char **argv);

#endif
