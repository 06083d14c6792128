/* One recall task, made from its cell of the grid: the text, the question, and what a right answer names. */
#ifndef LFM_EVAL_RECALL_ITEM_H
#define LFM_EVAL_RECALL_ITEM_H

#include "eval/recall/grid.h"

struct lfm_recall_texts {
    char **items; /* owned */
    size_t count, capacity;
};

struct lfm_recall_item {
    struct lfm_buffer text;     /* the haystack with everything that is to be remembered */
    struct lfm_buffer question;
    struct lfm_recall_texts expected; /* values that the answer has to name */
    struct lfm_recall_texts others;   /* values that it must not name: of what was not asked */
    size_t place, words;              /* words before the sentence that the depth is about, and of the whole text */
};

/* Makes the item of a cell. `id` is the item's; with the grid's seed it decides all that is random. The text has
 * at most lfm_recall_words(grid, cell->length) words and lacks less than one sentence to that. The sentence that the
 * depth is about stands at the sentence boundary nearest to its depth in the haystack. Every value stands in the text
 * exactly once (names of variables as often as assignments use them) and not in the question. Fails when 100 drafts did
 * not manage that. On failure nothing is left. */
enum lfm_status lfm_recall_item_make(struct lfm_recall_item *item, const struct lfm_recall_grid *grid,
                                     const struct lfm_recall_cell *cell, const char *id, struct lfm_error *error);
void lfm_recall_item_release(struct lfm_recall_item *item);

/* Appends what the model is asked: opening, text and question in the wording of the grid. */
enum lfm_status lfm_recall_item_prompt(struct lfm_buffer *out, const struct lfm_recall_item *item,
                                       const struct lfm_recall_wording *wording, struct lfm_error *error);

/* Which values an answer names, and whether that is right: all that are expected, and none of the others. */
struct lfm_recall_score {
    bool correct;
    bool *found; /* owned: [expected.count] */
    bool *wrong; /* owned: [others.count] */
};
enum lfm_status lfm_recall_item_score(struct lfm_recall_score *score, const struct lfm_recall_item *item,
                                      const char *answer, struct lfm_error *error);
void lfm_recall_score_release(struct lfm_recall_score *score);

#endif
