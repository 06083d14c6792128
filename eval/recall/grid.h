/* A grid of recall tasks, as its JSON file states it: kinds x lengths x depths, several items in each cell.
 * docs/recall.md describes the file. */
#ifndef LFM_EVAL_RECALL_GRID_H
#define LFM_EVAL_RECALL_GRID_H

#include "eval/recall/wording.h"
#include "eval/text/sentences.h"

#include <stdint.h>

enum lfm_recall_kind { LFM_RECALL_NEEDLE, LFM_RECALL_ONE_OF_SEVERAL, LFM_RECALL_ALL_OF_SEVERAL, LFM_RECALL_VARIABLES };

struct lfm_recall_task {
    char *name; /* owned; of a-z, 0-9 and '_' */
    enum lfm_recall_kind kind;
    size_t needles, asked; /* of the first three kinds */
    size_t chains, hops;   /* of variables: chains of an assignment and `hops` copies each */
    size_t *lengths;       /* owned: in the file's unit */
    size_t n_lengths;
};

struct lfm_recall_grid {
    uint64_t seed;
    const struct lfm_recall_wording *wording;
    struct lfm_recall_task *tasks; /* owned, as all lists here */
    size_t *depths;                /* in per cent */
    size_t n_tasks, n_depths;
    size_t samples;            /* per cell */
    double words_per_unit;     /* of length */
    struct lfm_buffer text;    /* of the haystack file; empty: sentences are generated */
    struct lfm_spans sentences; /* of that text, none of them blank */
};

/* One item: which cell, and the how manyth of it from 1. */
struct lfm_recall_cell {
    const struct lfm_recall_task *task;
    size_t length, depth, sample;
};

/* Reads the file and the haystack it names. Unknown keys, values out of range, duplicates, and lengths that have no
 * room for what is to be remembered are errors. On failure nothing is left. */
enum lfm_status lfm_recall_grid_open(struct lfm_recall_grid *grid, const char *path, struct lfm_error *error);
void lfm_recall_grid_close(struct lfm_recall_grid *grid);

/* Items, of one task alone, and the cell of an item: tasks first, then lengths, depths and samples. */
size_t lfm_recall_grid_count(const struct lfm_recall_grid *grid);
size_t lfm_recall_task_count(const struct lfm_recall_grid *grid, const struct lfm_recall_task *task);
struct lfm_recall_cell lfm_recall_grid_cell(const struct lfm_recall_grid *grid, size_t item);

/* A length in words of text, rounded down. */
size_t lfm_recall_words(const struct lfm_recall_grid *grid, size_t length);

#endif
