/* Runs that write traces and logits: see run.h. */
#include "reference/trace/run.h"

#include "reference/base/memory.h"
#include "reference/model/forward.h"
#include "reference/model/state.h"
#include "reference/trace/logits_writer.h"
#include "reference/trace/reader.h"

#include <stdlib.h>
#include <unistd.h>

enum { PIECE = 512, LOGIT_ROWS = 16 }; /* tokens per call of the forward pass, rows of logits held at a time */

/* What receives the results of one piece. */
struct sink {
    struct lfm_trace_writer *trace;   /* one of the two is set */
    struct lfm_logits_writer *logits;
    bool wants_logits;
};

struct run {
    const struct lfm_model *model;
    struct lfm_state *state;
    struct sink sink;
    struct lfm_ranges wanted; /* positions; none: all */
    float *hidden; /* [PIECE,D] */
    float *rows;   /* [LOGIT_ROWS,V] */
    struct lfm_progress *progress;
    size_t done;   /* tokens */
};

enum lfm_status lfm_check_documents(const struct lfm_model *model, const struct lfm_documents *documents,
                                    bool can_cut, struct lfm_error *error)
{
    size_t limit = model->config.max_position_embeddings, V = model->config.vocab_size;
    if (documents->n_tokens == 0) return lfm_fail(error, LFM_ERROR_MISMATCH, "there are no tokens to run");
    for (size_t d = 0; d < documents->count; d++) {
        const struct lfm_document *document = &documents->items[d];
        if (document->tokens.count > limit)
            return lfm_fail(error, LFM_ERROR_LIMIT,
                            can_cut ? "'%s' has %zu tokens, the model's context is %zu: use --context to cut it"
                                    : "'%s' has %zu tokens, the model's context is %zu",
                            document->name, document->tokens.count, limit);
        for (size_t t = 0; t < document->tokens.count; t++) {
            int32_t id = document->tokens.ids[t];
            if (id < 0 || (size_t)id >= V)
                return lfm_fail(error, LFM_ERROR_MISMATCH, "'%s': token %zu has id %d, outside the vocabulary of %zu",
                                document->name, t, (int)id, V);
        }
    }
    return LFM_OK;
}

size_t lfm_cut_documents(struct lfm_documents *documents, size_t context)
{
    size_t cut = 0;
    for (size_t d = 0; d < documents->count && context > 0; d++) {
        struct lfm_tokens *tokens = &documents->items[d].tokens;
        if (tokens->count <= context) continue;
        documents->n_tokens -= tokens->count - context;
        tokens->count = context;
        cut++;
    }
    return cut;
}

/* Tokens first .. end - 1 of the piece. */
static enum lfm_status add_logits(struct run *run, size_t first, size_t end, struct lfm_error *error)
{
    size_t D = run->model->config.hidden_size;
    for (size_t t = first; t < end; t += LOGIT_ROWS) {
        size_t rows = end - t < LOGIT_ROWS ? end - t : LOGIT_ROWS;
        if (lfm_interrupted()) return lfm_fail(error, LFM_ERROR_STOPPED, "interrupted");
        LFM_TRY(lfm_logits(run->model, run->hidden + t * D, rows, run->rows, error));
        LFM_TRY(run->sink.trace ? lfm_trace_writer_add_logits(run->sink.trace, run->rows, rows, error)
                                : lfm_logits_writer_add_logits(run->sink.logits, run->rows, rows, error));
    }
    return LFM_OK;
}

/* The wanted tokens of a piece that starts at `position`. */
static enum lfm_status add_wanted_logits(struct run *run, size_t position, size_t n, struct lfm_error *error)
{
    size_t start, stop;
    if (!run->sink.wants_logits) return LFM_OK;
    for (size_t from = position; lfm_ranges_next(&run->wanted, from, position + n, &start, &stop); from = stop)
        LFM_TRY(add_logits(run, start - position, stop - position, error));
    return LFM_OK;
}

static enum lfm_status run_piece(struct run *run, size_t document, size_t position, const int32_t *ids, size_t n,
                                 struct lfm_error *error)
{
    struct lfm_trace_writer *trace = run->sink.trace;
    const struct lfm_observer *observer = trace ? lfm_trace_writer_observer(trace) : NULL;
    LFM_TRY(trace ? lfm_trace_writer_add_tokens(trace, document, position, ids, n, error)
                  : lfm_logits_writer_add_tokens(run->sink.logits, document, position, ids, n, error));
    LFM_TRY(lfm_forward(run->model, run->state, ids, n, observer, run->sink.wants_logits ? run->hidden : NULL, error));
    LFM_TRY(add_wanted_logits(run, position, n, error));
    run->done += n;
    lfm_progress_update(run->progress, (double)run->done);
    return trace ? lfm_trace_writer_flush(trace, error) : LFM_OK;
}

static enum lfm_status run_documents(struct run *run, const struct lfm_documents *documents, struct lfm_error *error)
{
    for (size_t d = 0; d < documents->count; d++) {
        const struct lfm_tokens *tokens = &documents->items[d].tokens;
        lfm_state_clear(run->state);
        for (size_t t = 0; t < tokens->count; t += PIECE) {
            size_t n = tokens->count - t < PIECE ? tokens->count - t : PIECE;
            if (lfm_interrupted()) return lfm_fail(error, LFM_ERROR_STOPPED, "interrupted");
            LFM_TRY(run_piece(run, d, t, tokens->ids + t, n, error));
        }
    }
    return LFM_OK;
}

static enum lfm_status prepare(struct run *run, struct lfm_error *error)
{
    const struct lfm_config *config = &run->model->config;
    LFM_TRY(lfm_state_new(&run->state, run->model, error));
    if (run->sink.trace) lfm_trace_writer_set_state(run->sink.trace, run->state);
    if (!run->sink.wants_logits) return LFM_OK;
    LFM_TRY(LFM_ALLOC(&run->hidden, PIECE * config->hidden_size, error));
    return LFM_ALLOC(&run->rows, LOGIT_ROWS * config->vocab_size, error);
}

static void release(struct run *run)
{
    lfm_state_free(run->state);
    free(run->hidden);
    free(run->rows);
}

/* After a failure: keeps a file with tokens that can be read, removes any other. Returns how many tokens were kept. */
static size_t salvage(struct lfm_trace_writer *writer, const char *path)
{
    struct lfm_trace *trace = NULL;
    size_t kept = 0;
    lfm_trace_writer_finish(writer, false, NULL);
    lfm_trace_writer_close(writer);
    if (lfm_trace_open(&trace, path, NULL) == LFM_OK) kept = lfm_trace_information(trace)->tokens;
    lfm_trace_close(trace);
    if (kept == 0) unlink(path);
    return kept;
}

enum lfm_status lfm_trace_run(const char *path, const struct lfm_model *model, const struct lfm_documents *documents,
                              const struct lfm_trace_options *options, const struct lfm_provenance *provenance,
                              struct lfm_progress *progress, struct lfm_error *error)
{
    struct lfm_trace_writer *writer = NULL;
    LFM_TRY(lfm_check_documents(model, documents, true, error));
    LFM_TRY(lfm_selection_check_texts(&options->selection, documents, error));
    LFM_TRY(lfm_trace_writer_open(&writer, path, model, provenance, documents, options, error));
    struct run run = {.model = model, .sink = {.trace = writer, .wants_logits = options->logits},
                      .wanted = options->selection.tokens, .progress = progress};
    enum lfm_status status = prepare(&run, error);
    if (status == LFM_OK) status = run_documents(&run, documents, error);
    if (status == LFM_OK) status = lfm_trace_writer_finish(writer, true, error);
    release(&run);
    if (status == LFM_OK) {
        lfm_trace_writer_close(writer);
        return LFM_OK;
    }
    size_t kept = salvage(writer, path);
    if (kept > 0) lfm_fail_in(error, "'%s' is incomplete, with %zu of %zu tokens", path, kept,
                              lfm_selection_tokens(&options->selection, documents));
    return status;
}

enum lfm_status lfm_logits_run(const char *path, const struct lfm_model *model, const struct lfm_documents *documents,
                               const struct lfm_provenance *provenance, struct lfm_progress *progress,
                               struct lfm_error *error)
{
    struct lfm_logits_writer *writer = NULL;
    LFM_TRY(lfm_check_documents(model, documents, false, error));
    LFM_TRY(lfm_logits_writer_open(&writer, path, model, provenance, documents->n_tokens, error));
    struct run run = {.model = model, .sink = {.logits = writer, .wants_logits = true}, .progress = progress};
    enum lfm_status status = prepare(&run, error);
    if (status == LFM_OK) status = run_documents(&run, documents, error);
    if (status == LFM_OK) status = lfm_logits_writer_commit(writer, error);
    lfm_logits_writer_close(writer);
    release(&run);
    return status;
}
