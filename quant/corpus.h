/* The text of a trace: which token is which id, document and domain. */
#ifndef LFM_QUANT_CORPUS_H
#define LFM_QUANT_CORPUS_H

#include "reference/base/error.h"
#include "reference/trace/reader.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* T tokens in N documents; all arrays are owned. */
struct lfm_corpus {
    size_t tokens, documents;
    int32_t *document_of, *position_of; /* [T]; every document is one of the N */
    int32_t *ids;                       /* [distinct] the ids that occur, ascending */
    uint32_t *counts;                   /* [distinct] how often each does */
    uint32_t *token_of;                 /* [T] index into these */
    size_t distinct;
    char **labels;                      /* [n_labels] domains, in the order of their first document with tokens */
    size_t *label_tokens, *label_documents; /* [n_labels]; documents that have tokens */
    size_t n_labels;
    int32_t *document_domain;           /* [N] index into `labels`; -1 without a label, and without tokens */
};

/* Fails when the file contradicts itself. Release also after a failure. */
enum lfm_status lfm_corpus_read(struct lfm_corpus *out, const struct lfm_trace *trace, struct lfm_error *error);
void lfm_corpus_release(struct lfm_corpus *corpus);

/* True when token t + 1 follows token t in the same document; of a corpus, t + 1 is less than T. */
bool lfm_tokens_adjacent(const int32_t *document_of, const int32_t *position_of, size_t t);
bool lfm_corpus_adjacent(const struct lfm_corpus *corpus, size_t t);

#endif
