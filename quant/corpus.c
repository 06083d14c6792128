/* The text of a trace: see corpus.h. */
#include "quant/corpus.h"

#include "reference/base/memory.h"

#include <stdlib.h>
#include <string.h>

/* --- ids --- */

static int by_value(const void *a, const void *b)
{
    int32_t x = *(const int32_t *)a, y = *(const int32_t *)b;
    return (x > y) - (x < y);
}

/* The place of an id among the distinct ones; it is there. */
static size_t place_of(const struct lfm_corpus *corpus, int32_t id)
{
    size_t low = 0, high = corpus->distinct - 1;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (corpus->ids[middle] < id)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static enum lfm_status read_ids(struct lfm_corpus *out, const struct lfm_trace *trace, struct lfm_error *error)
{
    size_t T = out->tokens;
    int32_t *ids;
    LFM_TRY(LFM_ALLOC(&out->ids, T, error));
    LFM_TRY(LFM_ALLOC(&out->counts, T, error));
    LFM_TRY(LFM_ALLOC(&out->token_of, T, error));
    LFM_TRY(LFM_ALLOC(&ids, T, error));
    enum lfm_status status = lfm_trace_read_tokens(trace, 0, T, ids, error);
    if (status == LFM_OK && T > 0) {
        memcpy(out->ids, ids, T * sizeof *ids);
        qsort(out->ids, T, sizeof *ids, by_value);
        for (size_t t = 0; t < T; t++)
            if (t == 0 || out->ids[t] != out->ids[out->distinct - 1]) out->ids[out->distinct++] = out->ids[t];
        for (size_t t = 0; t < T; t++) {
            out->token_of[t] = (uint32_t)place_of(out, ids[t]);
            out->counts[out->token_of[t]]++;
        }
    }
    free(ids);
    return status;
}

/* --- documents and domains --- */

static enum lfm_status read_documents(struct lfm_corpus *out, const struct lfm_trace *trace, struct lfm_error *error)
{
    LFM_TRY(LFM_ALLOC(&out->document_of, out->tokens, error));
    LFM_TRY(LFM_ALLOC(&out->position_of, out->tokens, error));
    LFM_TRY(lfm_trace_read_documents(trace, 0, out->tokens, out->document_of, error));
    LFM_TRY(lfm_trace_read_positions(trace, 0, out->tokens, out->position_of, error));
    for (size_t t = 0; t < out->tokens; t++) {
        int32_t document = out->document_of[t];
        if (document < 0 || (size_t)document >= out->documents || (t > 0 && document < out->document_of[t - 1]))
            return lfm_fail(error, LFM_ERROR_FORMAT, "'%s': token %zu is of document %d, which cannot be (of %zu)",
                            lfm_trace_information(trace)->path, t, (int)document, out->documents);
    }
    return LFM_OK;
}

static size_t label_place(const struct lfm_corpus *corpus, const char *label)
{
    size_t place = 0;
    while (place < corpus->n_labels && strcmp(corpus->labels[place], label) != 0) place++;
    return place;
}

static enum lfm_status read_labels(struct lfm_corpus *out, const struct lfm_trace *trace, struct lfm_error *error)
{
    char **texts;
    LFM_TRY(LFM_ALLOC(&out->document_domain, out->documents, error));
    LFM_TRY(LFM_ALLOC(&out->labels, out->documents, error));
    LFM_TRY(LFM_ALLOC(&out->label_tokens, out->documents, error));
    LFM_TRY(LFM_ALLOC(&out->label_documents, out->documents, error));
    for (size_t d = 0; d < out->documents; d++) out->document_domain[d] = -1;
    LFM_TRY(lfm_trace_read_document_texts(trace, "label", &texts, error));
    enum lfm_status status = LFM_OK;
    for (size_t t = 0; t < out->tokens && status == LFM_OK; t++) {
        size_t document = (size_t)out->document_of[t];
        if (texts[document][0] == '\0') continue;
        size_t place = label_place(out, texts[document]);
        if (place == out->n_labels) {
            status = lfm_copy_string(&out->labels[place], texts[document], strlen(texts[document]), error);
            if (status != LFM_OK) break;
            out->n_labels++;
        }
        if (out->document_domain[document] < 0) out->label_documents[place]++;
        out->document_domain[document] = (int32_t)place;
        out->label_tokens[place]++;
    }
    lfm_trace_free_texts(&texts);
    return status;
}

enum lfm_status lfm_corpus_read(struct lfm_corpus *out, const struct lfm_trace *trace, struct lfm_error *error)
{
    const struct lfm_trace_information *information = lfm_trace_information(trace);
    *out = (struct lfm_corpus){.tokens = information->tokens, .documents = information->documents};
    LFM_TRY(read_ids(out, trace, error));
    LFM_TRY(read_documents(out, trace, error));
    return read_labels(out, trace, error);
}

void lfm_corpus_release(struct lfm_corpus *corpus)
{
    for (size_t i = 0; i < corpus->n_labels; i++) free(corpus->labels[i]);
    free(corpus->labels);
    free(corpus->label_tokens);
    free(corpus->label_documents);
    free(corpus->document_domain);
    free(corpus->document_of);
    free(corpus->position_of);
    free(corpus->ids);
    free(corpus->counts);
    free(corpus->token_of);
    *corpus = (struct lfm_corpus){0};
}

bool lfm_tokens_adjacent(const int32_t *document_of, const int32_t *position_of, size_t t)
{
    return document_of[t] == document_of[t + 1] && (int64_t)position_of[t] + 1 == position_of[t + 1];
}

bool lfm_corpus_adjacent(const struct lfm_corpus *corpus, size_t t)
{
    return lfm_tokens_adjacent(corpus->document_of, corpus->position_of, t);
}
