/* The data of a route's page: see route.h and README.md. */
#include "quant/route/route.h"

#include "quant/corpus.h"
#include "quant/decisions.h"
#include "quant/pieces.h"
#include "reference/base/json.h"
#include "reference/base/memory.h"
#include "reference/base/page.h"
#include "reference/base/progress.h"
#include "reference/base/utf8.h"
#include "reference/base/version.h"

#include <gsl/gsl_sort.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

struct writer {
    struct lfm_buffer *out;
    const struct lfm_trace *const *traces;
    size_t n;
    const struct lfm_tokenizer *tokenizer;
    size_t tokens, left_out; /* on the page, and in the first trace beyond it */
    struct lfm_corpus corpus; /* of the first trace */
    struct lfm_error *error;
};

static enum lfm_status put(struct writer *writer, const char *text)
{
    return lfm_buffer_puts(writer->out, text, writer->error);
}

static enum lfm_status put_number(struct writer *writer, double value)
{
    return lfm_buffer_printf(writer->out, writer->error, "%.0f", value);
}

/* A JSON string of bytes that nobody has checked. */
static enum lfm_status put_string(struct writer *writer, const char *bytes)
{
    struct lfm_buffer text = {0};
    LFM_TRY(lfm_utf8_repair(&text, bytes, strlen(bytes), writer->error));
    cJSON *string = cJSON_CreateString(text.data ? text.data : "");
    char *json = string ? cJSON_PrintUnformatted(string) : NULL;
    lfm_buffer_release(&text);
    cJSON_Delete(string);
    if (!json) return lfm_fail(writer->error, LFM_ERROR_MEMORY, "cannot write the page's data: out of memory");
    enum lfm_status status = lfm_page_put_json(writer->out, json, writer->error);
    cJSON_free(json);
    return status;
}

static enum lfm_status put_member(struct writer *writer, const char *key, const char *text)
{
    LFM_TRY(lfm_buffer_printf(writer->out, writer->error, ",\"%s\":", key));
    return put_string(writer, text);
}

/* --- the text --- */

static enum lfm_status put_pieces(struct writer *writer)
{
    LFM_TRY(put(writer, ",\n\"ids\":["));
    for (size_t x = 0; x < writer->corpus.distinct; x++) {
        LFM_TRY(put(writer, x > 0 ? "," : ""));
        LFM_TRY(put_number(writer, writer->corpus.ids[x]));
    }
    LFM_TRY(put(writer, "],\n\"pieces\":["));
    for (size_t x = 0; x < writer->corpus.distinct; x++) {
        struct lfm_buffer piece = {0};
        enum lfm_status status = lfm_piece_text(&piece, writer->tokenizer, writer->corpus.ids[x], writer->error);
        if (status == LFM_OK) status = put(writer, x > 0 ? "," : "");
        if (status == LFM_OK) status = put_string(writer, piece.data ? piece.data : "");
        lfm_buffer_release(&piece);
        LFM_TRY(status);
    }
    LFM_TRY(put(writer, "],\n\"tokens\":["));
    for (size_t t = 0; t < writer->tokens; t++) {
        LFM_TRY(put(writer, t > 0 ? "," : ""));
        LFM_TRY(put_number(writer, writer->corpus.token_of[t]));
    }
    return put(writer, "]");
}

static enum lfm_status put_document(struct writer *writer, const char *name, const char *label, size_t first,
                                    size_t tokens)
{
    LFM_TRY(lfm_buffer_printf(writer->out, writer->error, "{\"first\":%zu,\"position\":%d,\"tokens\":%zu", first,
                              (int)writer->corpus.position_of[first], tokens));
    LFM_TRY(put_member(writer, "name", name));
    LFM_TRY(put_member(writer, "label", label));
    return put(writer, "}");
}

/* Runs of tokens that follow each other in one document. */
static enum lfm_status put_documents(struct writer *writer)
{
    char **names = NULL, **labels = NULL;
    const struct lfm_corpus *corpus = &writer->corpus;
    enum lfm_status status;
    LFM_TRY_DONE(lfm_trace_read_document_texts(writer->traces[0], "name", &names, writer->error));
    LFM_TRY_DONE(lfm_trace_read_document_texts(writer->traces[0], "label", &labels, writer->error));
    LFM_TRY_DONE(put(writer, ",\n\"documents\":["));
    for (size_t first = 0, end; first < writer->tokens; first = end) {
        int32_t document = corpus->document_of[first];
        for (end = first + 1; end < writer->tokens && lfm_corpus_adjacent(corpus, end - 1);) end++;
        LFM_TRY_DONE(put(writer, first > 0 ? ",\n" : "\n"));
        LFM_TRY_DONE(put_document(writer, names[document], labels[document], first, end - first));
    }
    LFM_TRY_DONE(put(writer, "]"));

done:
    lfm_trace_free_texts(&names);
    lfm_trace_free_texts(&labels);
    return status;
}

/* --- the routers --- */

/* One layer's decisions become three lists at once, which a page keeps apart. */
struct lists {
    struct lfm_buffer selected, weights, margins;
};

static enum lfm_status add_value(struct lfm_buffer *list, const char *format, double value, struct lfm_error *error)
{
    LFM_TRY(list->length > 0 ? lfm_buffer_puts(list, ",", error) : LFM_OK);
    if (!isfinite(value)) return lfm_buffer_puts(list, "null", error);
    return lfm_buffer_printf(list, error, format, value);
}

static enum lfm_status add_token(struct lists *lists, const struct lfm_decisions *decisions, double *scores, size_t t,
                                 struct lfm_error *error)
{
    const struct lfm_router_decision decision = lfm_decision(decisions, t);
    size_t E = decisions->E, K = decisions->K;
    double margin = NAN;
    for (size_t k = 0; k < K; k++) {
        LFM_TRY(add_value(&lists->selected, "%.0f", decision.selected[k], error));
        LFM_TRY(add_value(&lists->weights, "%.3g", (double)decision.weights[k], error));
    }
    if (K < E) {
        lfm_decision_scores(scores, decisions, t);
        gsl_sort(scores, 1, E);
        margin = scores[E - K] - scores[E - K - 1];
    }
    return add_value(&lists->margins, "%.3g", margin, error);
}

static enum lfm_status read_lists(struct lists *lists, const struct writer *writer, const struct lfm_trace *trace,
                                  size_t layer, struct lfm_decisions *decisions, double *scores)
{
    LFM_TRY(lfm_decisions_begin(decisions, trace, layer, writer->error));
    for (size_t first = 0; first < writer->tokens; first += LFM_DECISIONS_AT_ONCE) {
        size_t n = writer->tokens - first < LFM_DECISIONS_AT_ONCE ? writer->tokens - first : LFM_DECISIONS_AT_ONCE;
        if (lfm_interrupted()) return lfm_fail(writer->error, LFM_ERROR_STOPPED, "interrupted while writing the page");
        LFM_TRY(lfm_decisions_read(decisions, trace, layer, first, n, writer->error));
        for (size_t t = 0; t < n; t++) LFM_TRY(add_token(lists, decisions, scores, t, writer->error));
    }
    return LFM_OK;
}

static enum lfm_status put_list(struct writer *writer, const char *key, const struct lfm_buffer *list)
{
    return lfm_buffer_printf(writer->out, writer->error, ",\"%s\":[%s]", key, list->data ? list->data : "");
}

static enum lfm_status put_layer(struct writer *writer, const struct lfm_trace *trace, size_t layer)
{
    struct lists lists = {.margins = {0}};
    struct lfm_decisions decisions = {.E = 0};
    double *scores = NULL;
    const struct lfm_trace_information *information = lfm_trace_information(trace);
    enum lfm_status status;
    LFM_TRY_DONE(
        lfm_decisions_init(&decisions, information->experts, information->experts_per_token, writer->error));
    LFM_TRY_DONE(LFM_ALLOC(&scores, information->experts, writer->error));
    LFM_TRY_DONE(read_lists(&lists, writer, trace, layer, &decisions, scores));
    LFM_TRY_DONE(lfm_buffer_printf(writer->out, writer->error, "{\"layer\":%zu", layer));
    LFM_TRY_DONE(put_list(writer, "selected", &lists.selected));
    LFM_TRY_DONE(put_list(writer, "weights", &lists.weights));
    LFM_TRY_DONE(put_list(writer, "margins", &lists.margins));
    LFM_TRY_DONE(put(writer, "}"));

done:
    lfm_buffer_release(&lists.selected);
    lfm_buffer_release(&lists.weights);
    lfm_buffer_release(&lists.margins);
    lfm_decisions_release(&decisions);
    free(scores);
    return status;
}

/* A page shows layers of which every trace has the router. */
static bool in_all(const struct writer *writer, size_t layer)
{
    for (size_t i = 0; i < writer->n; i++)
        if (!lfm_trace_has_router(writer->traces[i], layer)) return false;
    return true;
}

static enum lfm_status put_trace(struct writer *writer, const struct lfm_trace *trace)
{
    const struct lfm_trace_information *information = lfm_trace_information(trace);
    bool first = true;
    LFM_TRY(lfm_buffer_printf(writer->out, writer->error, "\n{\"complete\":%s,\"bits\":%.2f",
                              information->complete ? "true" : "false", information->bits_per_weight));
    LFM_TRY(put_member(writer, "file", information->path));
    LFM_TRY(put_member(writer, "model", information->model));
    LFM_TRY(put_member(writer, "format", information->weights));
    LFM_TRY(put(writer, ",\"layers\":["));
    for (size_t layer = 0; layer < information->layers; layer++) {
        if (!in_all(writer, layer)) continue;
        LFM_TRY(put(writer, first ? "\n" : ",\n"));
        LFM_TRY(put_layer(writer, trace, layer));
        first = false;
    }
    return put(writer, "]}");
}

static enum lfm_status put_data(struct writer *writer)
{
    const struct lfm_trace_information *information = lfm_trace_information(writer->traces[0]);
    LFM_TRY(lfm_buffer_printf(writer->out, writer->error,
                              "{\"schema\":\"lfmscope-route\",\"version\":\"" LFM_VERSION
                              "\",\"experts\":%zu,\"top_k\":%zu,\"left_out\":%zu,\"texts\":%s",
                              information->experts, information->experts_per_token, writer->left_out,
                              writer->tokenizer ? "true" : "false"));
    LFM_TRY(put_documents(writer));
    LFM_TRY(put_pieces(writer));
    LFM_TRY(put(writer, ",\n\"traces\":["));
    for (size_t i = 0; i < writer->n; i++) {
        LFM_TRY(put(writer, i > 0 ? "," : ""));
        LFM_TRY(put_trace(writer, writer->traces[i]));
    }
    return put(writer, "]}");
}

enum lfm_status lfm_route_data(struct lfm_buffer *out, const struct lfm_trace *const *traces, size_t n,
                               const struct lfm_tokenizer *tokenizer, struct lfm_error *error)
{
    struct writer writer = {.out = out, .traces = traces, .n = n, .tokenizer = tokenizer, .error = error};
    size_t all = lfm_trace_information(traces[0])->tokens;
    LFM_TRY(lfm_require_routers(traces[0], error));
    writer.tokens = all < LFM_ROUTE_MOST_TOKENS ? all : LFM_ROUTE_MOST_TOKENS;
    for (size_t i = 1; i < n; i++) {
        size_t has = lfm_trace_information(traces[i])->tokens;
        if (has < writer.tokens) writer.tokens = has;
    }
    writer.left_out = all - writer.tokens;
    enum lfm_status status = lfm_corpus_read(&writer.corpus, traces[0], error);
    if (status == LFM_OK) status = put_data(&writer);
    lfm_corpus_release(&writer.corpus);
    return status;
}
