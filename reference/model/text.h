/* Texts: documents read from files, tokenized, and cut into windows whose positions are scored.
 *
 * Windows never span two documents. The definitions follow llama-perplexity (llama.cpp, tools/perplexity), so that
 * figures can be set side by side; docs/metrics.md states them in words. */
#ifndef LFM_MODEL_TEXT_H
#define LFM_MODEL_TEXT_H

#include "reference/base/error.h"
#include "reference/model/tokenizer.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct lfm_document {
    char *name;               /* the file, or "file:line" for a line of a JSONL file */
    char *label;              /* domain, or NULL */
    struct lfm_tokens tokens; /* BOS in front where the tokenizer adds one */
};

struct lfm_documents {
    struct lfm_document *items;
    size_t count, capacity;
    size_t n_tokens; /* over all documents */
};

/* Appends the documents of the files, in order. A path that ends in ".jsonl" holds one object per line with "text"
 * and an optional "label" (blank lines are skipped); any other file is one document of plain text; "-" is standard
 * input, plain text. `special` recognises special tokens in the text. Fails on an empty file or text, and on a
 * malformed line with "file:line: ...". On failure *documents holds what was read so far, to be released. */
enum lfm_status lfm_documents_read(struct lfm_documents *documents, const char *const *paths, size_t n_paths,
                                   const struct lfm_tokenizer *tokenizer, bool special, struct lfm_error *error);
void lfm_documents_release(struct lfm_documents *documents);

enum lfm_score {
    LFM_SCORE_HALF, /* the second half of each full window, N/2 .. N-2; shorter windows are left out */
    LFM_SCORE_ALL   /* every position that has a next id in its window; the last short window too */
};

struct lfm_window_options {
    size_t context;       /* N: ids per window */
    size_t stride;        /* 0: windows follow one another. S < N: each starts S ids after the one before and scores the
                           * ids that no earlier window scored; `score` is not looked at then */
    enum lfm_score score;
    int32_t bos;          /* replaces the first id of every window; -1 when the tokenizer adds none */
};

/* One window. The logits at positions first .. first+count-1 are scored, position i against tokens[i + 1]. */
struct lfm_window {
    size_t document;       /* index into the documents */
    size_t start;          /* of the window in the document */
    const int32_t *tokens; /* [n], borrowed until the next call */
    size_t n;
    size_t first, count;   /* count is at least 1: windows with nothing to score are not delivered */
};

/* All windows of some documents, in order. */
struct lfm_windows {
    const struct lfm_documents *documents; /* borrowed */
    struct lfm_window_options options;
    int32_t *tokens;             /* [N], owned: the ids of the current window */
    size_t document, start, end; /* where the next window begins; end of the last one in the same document */
    size_t n_windows, n_tokens, n_scored; /* totals: windows, ids to run through the model, scored positions */
    size_t n_documents;          /* documents with at least one scored position */
    size_t longest;              /* ids of the longest window */
};

/* Prepares the iteration and counts. Fails when the options make no sense, and when there is nothing to score (then
 * the message says how long the longest document is and what to use). `documents` must outlive *windows. */
enum lfm_status lfm_windows_start(struct lfm_windows *windows, const struct lfm_documents *documents,
                                  const struct lfm_window_options *options, struct lfm_error *error);
/* Fills *window with the next one; false after the last. */
bool lfm_windows_next(struct lfm_windows *windows, struct lfm_window *window);
/* Goes back to the first window. */
void lfm_windows_rewind(struct lfm_windows *windows);
void lfm_windows_release(struct lfm_windows *windows);

#endif
