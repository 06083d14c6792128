/* langdetect's profiles: how often each n-gram of one to three characters occurs in each language's training text.
 * Read where they lie in the program; datasets/langdetect/README.md has the format. */
#ifndef LFM_EVAL_TEXT_PROFILES_H
#define LFM_EVAL_TEXT_PROFILES_H

#include <stddef.h>
#include <stdint.h>

enum { LFM_PROFILES = 55, LFM_MAX_GRAM = 3 };
#define LFM_NO_GRAM UINT32_MAX

/* The language's code, as langdetect spells it; 0 <= language < LFM_PROFILES, in alphabetical order. */
const char *lfm_profile_code(size_t language);

/* The number of the n-gram with these `n` code points, or LFM_NO_GRAM when no language has it. */
uint32_t lfm_find_gram(const uint32_t *points, size_t n);

/* probability[language] = its count of the n-gram / its count of all n-grams of that length. */
void lfm_gram_probabilities(uint32_t gram, double probability[LFM_PROFILES]);

#endif
