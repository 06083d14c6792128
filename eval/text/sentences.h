/* Sentences and words as NLTK 3.9.1 cuts English text: the Punkt sentence splitter (Kiss and Strunk, Computational
 * Linguistics 32:4, 2006) with NLTK's English parameters, and the word tokenizer that follows the Penn Treebank.
 * The parameters are compiled into the program; datasets/punkt says where they are from. */
#ifndef LFM_EVAL_TEXT_SENTENCES_H
#define LFM_EVAL_TEXT_SENTENCES_H

#include "eval/text/python_text.h"
#include "reference/base/error.h"

#include <stddef.h>

/* Spans of the text, in order. Release with lfm_spans_release. */
struct lfm_spans {
    struct lfm_span *items; /* owned array of borrowed spans */
    size_t count, capacity;
};
void lfm_spans_release(struct lfm_spans *spans);

/* PunktSentenceTokenizer.tokenize(text): appends the sentences. */
enum lfm_status lfm_split_sentences(struct lfm_spans *out, struct lfm_span text, struct lfm_error *error);

/* nltk.word_tokenize(text): the tokens, each ended by a zero byte, appended to *out; *count counts them. Tokens are not
 * always pieces of the text: quotes become `` and ''. */
enum lfm_status lfm_word_tokens(struct lfm_buffer *out, size_t *count, struct lfm_span text, struct lfm_error *error);

#endif
