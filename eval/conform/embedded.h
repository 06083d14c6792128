/* The tokenizer of a pack, compiled into the program: byte for byte the demo model's files. */
#ifndef LFM_EVAL_CONFORM_EMBEDDED_H
#define LFM_EVAL_CONFORM_EMBEDDED_H

#include <stddef.h>

struct lfm_embedded_file {
    const char *name; /* in the directory of the checkpoint */
    const char *data;
    size_t length;
};

/* tokenizer.json, tokenizer_config.json and generation_config.json; they live as long as the program. */
enum { LFM_N_EMBEDDED_FILES = 3 };
struct lfm_embedded_file lfm_embedded_file(size_t i);

#endif
