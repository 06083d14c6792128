/* Language detection as langdetect 1.0.9 does it with seed 0 (Nakatani Shuyo's language-detection): character n-grams
 * against profiles of 55 languages. The tables are compiled into the program; datasets/langdetect says where they are from. */
#ifndef LFM_EVAL_TEXT_LANGUAGE_H
#define LFM_EVAL_TEXT_LANGUAGE_H

#include "eval/text/python_text.h"
#include "reference/base/error.h"

#include <stdbool.h>
#include <stddef.h>

enum { LFM_LANGUAGE_CODE = 8, LFM_MAX_LANGUAGES = 16 };

struct lfm_language {
    char code[LFM_LANGUAGE_CODE]; /* "en", "zh-cn" */
    double probability;
};

/* detect_langs(text): languages with a probability above 0.1, likeliest first, and how many; languages[0] is detect(text),
 * which is "unknown" (with probability 0) when none is above 0.1. *n is 0 when the text has no features, where langdetect
 * raises an exception. Only the first 10,000 characters count. */
enum lfm_status lfm_detect_languages(struct lfm_span text, struct lfm_language languages[LFM_MAX_LANGUAGES], size_t *n,
                                     struct lfm_error *error);

#endif
