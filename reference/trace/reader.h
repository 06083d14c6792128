/* Reading traces. Every shape that a file states is checked against its configuration before it is used. */
#ifndef LFM_TRACE_READER_H
#define LFM_TRACE_READER_H

#include "reference/base/error.h"
#include "reference/base/json.h"
#include "reference/model/observer.h"
#include "reference/trace/statistics.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct lfm_trace_information {
    const char *path;           /* as opened; all owned by the trace */
    const char *model, *sha256, *tokenizer_sha256, *weights, *created;
    const char *activations, *kv; /* NULL in traces of 0.1.0 */
    const cJSON *config;        /* as lfm_config_to_json writes it */
    size_t layers, hidden_size, experts, experts_per_token; /* out of it; experts 0 for dense models */
    size_t tokens;              /* T: rows of every dataset that are of use */
    size_t planned;             /* tokens that were to be run: more than T when the run was stopped */
    size_t documents;
    bool complete;              /* false: the run was stopped, or is still going on */
    double bits_per_weight;
};

struct lfm_trace;

/* Adds to an object what a trace was made with: "file", "name", "weights", "activations", "kv", "bits_per_weight". */
void lfm_trace_describe(cJSON *object, const struct lfm_trace_information *information);

/* Opens a file and checks format, version, attributes and the shapes of all datasets. The message about a truncated file
 * says what of it is still there. */
enum lfm_status lfm_trace_open(struct lfm_trace **out, const char *path, struct lfm_error *error);
void lfm_trace_close(struct lfm_trace *trace); /* NULL is fine */
const struct lfm_trace_information *lfm_trace_information(const struct lfm_trace *trace);

/* Values per token of a point in a layer; 0 when the file has none. */
size_t lfm_trace_width(const struct lfm_trace *trace, size_t layer, enum lfm_point point);
/* True when the file has all three points of the layer's router. */
bool lfm_trace_has_router(const struct lfm_trace *trace, size_t layer);

/* Tokens first .. first+n-1: out[n, width] of any point, the last axis fastest; as whole numbers for the points that
 * hold such (lfm_point_is_integer); out[n, K] of the chosen experts, each checked to be one of the model; the tokens'
 * ids [n], document indices [n] and positions [n]. */
enum lfm_status lfm_trace_read(const struct lfm_trace *trace, size_t layer, enum lfm_point point, size_t first,
                               size_t n, float *out, struct lfm_error *error);
enum lfm_status lfm_trace_read_integers(const struct lfm_trace *trace, size_t layer, enum lfm_point point, size_t first,
                                        size_t n, int32_t *out, struct lfm_error *error);
enum lfm_status lfm_trace_read_selected(const struct lfm_trace *trace, size_t layer, size_t first, size_t n,
                                        int32_t *out, struct lfm_error *error);
enum lfm_status lfm_trace_read_tokens(const struct lfm_trace *trace, size_t first, size_t n, int32_t *ids,
                                      struct lfm_error *error);
enum lfm_status lfm_trace_read_documents(const struct lfm_trace *trace, size_t first, size_t n, int32_t *documents,
                                         struct lfm_error *error);
enum lfm_status lfm_trace_read_positions(const struct lfm_trace *trace, size_t first, size_t n, int32_t *positions,
                                         struct lfm_error *error);

/* Statistics of a point, which are there without its values too: how many values one layer has (0: the file has none of
 * the point), and out[width] of one statistic of a layer, NaN where nothing was seen. For the points of experts the
 * values are [E, M] or [E, D], else those of the point's width. */
enum lfm_status lfm_trace_statistics_width(const struct lfm_trace *trace, enum lfm_point point, size_t *width,
                                           struct lfm_error *error);
enum lfm_status lfm_trace_read_statistic(const struct lfm_trace *trace, enum lfm_point point,
                                         enum lfm_statistic statistic, size_t layer, double *out,
                                         struct lfm_error *error);
/* Rows of the trace where the absolute values were largest, out[width]; -1 where nothing was seen. */
enum lfm_status lfm_trace_read_absmax_tokens(const struct lfm_trace *trace, enum lfm_point point, size_t layer,
                                             int64_t *out, struct lfm_error *error);

/* bias[E] of a layer's router: zeros when the model has none. */
enum lfm_status lfm_trace_read_expert_bias(const struct lfm_trace *trace, size_t layer, float *bias,
                                           struct lfm_error *error);

/* A column of text of /documents, "name" or "label": one string for each document ("" where there is none), then NULL.
 * lfm_trace_free_texts frees the list and sets it to NULL. The texts are bytes that nobody has checked. */
enum lfm_status lfm_trace_read_document_texts(const struct lfm_trace *trace, const char *column, char ***texts,
                                              struct lfm_error *error);
void lfm_trace_free_texts(char ***texts);

#endif
