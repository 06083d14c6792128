/* Exact match: what counts as naming a value in an answer. docs/recall.md states the rule. */
#ifndef LFM_EVAL_RECALL_ANSWER_H
#define LFM_EVAL_RECALL_ANSWER_H

#include "reference/base/buffer.h"
#include "reference/base/error.h"

#include <stddef.h>

/* Appends what is compared of a text (valid UTF-8): lower case, every run of characters that are neither letters nor
 * digits one space, a space in front and at the end. A comma between digits of which exactly three follow it is left
 * out: 4,711 is 4711. "The code: *Red coat*." -> " the code red coat ". */
enum lfm_status lfm_recall_normalise(struct lfm_buffer *out, const char *text, struct lfm_error *error);

/* How often the words of `phrase` stand in `text`, one after the other and whole; both normalised. */
size_t lfm_recall_occurrences(const char *text, const char *phrase);

#endif
