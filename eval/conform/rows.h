/* Cases of a pack and lines of results have the same keys: these functions compute them with a model and add them to an
 * object. Numbers of F32 are written with nine digits, which is enough to read back the same. */
#ifndef LFM_EVAL_CONFORM_ROWS_H
#define LFM_EVAL_CONFORM_ROWS_H

#include "eval/conform/pass.h"
#include "reference/base/json.h"
#include "reference/model/tokenizer.h"

/* The sections of packs and results, in the order of their tables. */
enum lfm_conform_section {
    LFM_CONFORM_TOKENIZER, /* text -> ids */
    LFM_CONFORM_TEMPLATE,  /* messages and tools -> text -> ids */
    LFM_CONFORM_ROUTER,    /* decisions of the routers */
    LFM_CONFORM_HIDDEN,    /* the stream after layers, and after the final norm */
    LFM_CONFORM_LOGITS,
    LFM_CONFORM_GREEDY,    /* continuations, with log-probabilities of the top tokens */
    LFM_CONFORM_N_SECTIONS
};
/* "tokenizer", "template", "router", "hidden", "logits", "greedy". */
const char *lfm_conform_section_name(enum lfm_conform_section section);

enum { LFM_CONFORM_TOP = 10 }; /* tokens whose log-probabilities a greedy step states */

/* {"section", "id"} to start with. */
cJSON *lfm_row_new(enum lfm_conform_section section, const char *id);

/* Adds "ids". */
enum lfm_status lfm_row_add_ids(cJSON *row, const char *key, const int32_t *ids, size_t n, struct lfm_error *error);
/* Adds an array of F32 numbers; what is not finite becomes null. */
enum lfm_status lfm_row_add_floats(cJSON *row, const char *key, const float *values, size_t n, struct lfm_error *error);

/* Adds the ids of row's "text", tokenized as its "add_special" and "parse_special" say. */
enum lfm_status lfm_row_tokenize(cJSON *out, const cJSON *row, const struct lfm_tokenizer *tokenizer,
                                 struct lfm_error *error);
/* Adds "text" and "ids" of row's "messages" and "tools". */
enum lfm_status lfm_row_render(cJSON *out, const cJSON *row, const struct lfm_tokenizer *tokenizer,
                               struct lfm_error *error);
/* Adds "logits", "selected" and "weights" of a decision. */
enum lfm_status lfm_row_route(cJSON *out, const struct lfm_pass *pass, size_t layer, size_t position,
                              struct lfm_error *error);
/* Adds "values": the stream after `layer`, or after the final norm when that is the number of layers. */
enum lfm_status lfm_row_hidden(cJSON *out, const struct lfm_pass *pass, size_t layer, size_t position,
                               struct lfm_error *error);
/* Adds "values": all logits at the position. */
enum lfm_status lfm_row_logits(cJSON *out, const struct lfm_pass *pass, size_t position, struct lfm_error *error);
/* Adds "ids", the greedy continuation in `steps` steps; with `reference` also "margins" (largest logit minus the second),
 * "upstream_margins" (the smallest router margin up to each step) and "top": for each step LFM_CONFORM_TOP pairs [id,
 * natural logarithm of its probability], the likeliest first. Without it "top" as well. */
enum lfm_status lfm_row_continue(cJSON *out, const struct lfm_model *model, const int32_t *prompt, size_t n_prompt,
                                 size_t steps, bool reference, struct lfm_error *error);

/* Appends the object as one line of JSON. */
enum lfm_status lfm_row_print(struct lfm_buffer *out, const cJSON *row, struct lfm_error *error);

/* Reads an array of whole numbers within 32 bits; the caller releases *out. `place` is what messages call the row. */
enum lfm_status lfm_row_read_ids(struct lfm_tokens *out, const cJSON *row, const char *key, const char *place,
                                 struct lfm_error *error);

#endif
