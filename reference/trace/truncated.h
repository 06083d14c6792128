/* What is left of a trace whose end is missing, as a copy that was interrupted leaves it. Private to reference/trace. */
#ifndef LFM_TRACE_TRUNCATED_H
#define LFM_TRACE_TRUNCATED_H

#include "reference/base/error.h"

#include <stddef.h>

/* To be called when HDF5 has refused to open the file, which has so many bytes, as truncated. Fills *error with a line that
 * says how much is still there: tokens of how many, at points of how many. Returns the status in *error. */
enum lfm_status lfm_trace_explain_truncation(const char *path, size_t bytes, struct lfm_error *error);

#endif
