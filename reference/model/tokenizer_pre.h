/* Pre-tokenizers by the names that GGUF files give them in tokenizer.ggml.pre. */
#ifndef LFM_MODEL_TOKENIZER_PRE_H
#define LFM_MODEL_TOKENIZER_PRE_H

#include <stdbool.h>
#include <stddef.h>

/* One of the pre-tokenizers that GGUF files know by name. */
struct lfm_pre {
    const char *name;
    const char *patterns[6]; /* applied one after another, each to the pieces the one before left */
    bool ignore_merges, add_bos;
};
/* NULL when the name is not known. */
const struct lfm_pre *lfm_pre_find(const char *name, size_t length);
/* The name for patterns read from a tokenizer.json; `family` ("lfm2" for the family's models, else NULL) decides
 * between names that mean the same. NULL when there is none. */
const char *lfm_pre_name(const char *const *patterns, size_t count, bool ignore_merges, const char *family);

#endif
