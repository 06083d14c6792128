/* Root attributes and the axes that traces and logits have in common. Private to reference/trace. */
#ifndef LFM_TRACE_HEADER_H
#define LFM_TRACE_HEADER_H

#include "reference/trace/h5.h"
#include "reference/trace/provenance.h"

#define LFM_TRACE_FORMAT "lfmscope-trace"
#define LFM_LOGITS_FORMAT "lfmscope-logits"
enum { LFM_TRACE_VERSION = 1 };
enum { LFM_TRACE_CHUNK = 256 }; /* tokens per chunk, fewer in shorter files */

/* Writes format, version, program, created, ... as attributes of the root; `complete` is 0. */
enum lfm_status lfm_h5_put_header(hid_t file, const char *format, const struct lfm_provenance *provenance,
                                  const char *path, struct lfm_error *error);

/* A dimension scale 0, 1, ..., n-1 below `parent`, called `name` and standing for an axis `label`. */
enum lfm_status lfm_h5_put_axis(hid_t *scale, hid_t parent, const char *name, const char *label, size_t n,
                                const char *path, struct lfm_error *error);

#endif
