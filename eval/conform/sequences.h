/* The token sequences of a pack, and near ties of the routers: found and made with the pack's own model. */
#ifndef LFM_EVAL_CONFORM_SEQUENCES_H
#define LFM_EVAL_CONFORM_SEQUENCES_H

#include "reference/base/error.h"
#include "reference/base/json.h"
#include "reference/model/model.h"
#include "reference/model/tokenizer.h"

#include <stddef.h>
#include <stdint.h>

enum {
    LFM_PACK_LONGEST = 48,   /* ids of a sequence, at most */
    LFM_PACK_SEQUENCES = 20, /* room for so many */
    LFM_PACK_TIES = 4,       /* near ties that are made, one in each layer with experts */
    LFM_PACK_PROMPTS = 4,    /* greedy continuations */
    LFM_PACK_PROMPT = 4,     /* ids of a prompt */
    LFM_PACK_STEPS = 8       /* ids of a continuation */
};

struct lfm_pack_sequence {
    char id[24];
    const char *about; /* static */
    int32_t ids[LFM_PACK_LONGEST];
    size_t n;
};

struct lfm_pack_sequences {
    struct lfm_pack_sequence items[LFM_PACK_SEQUENCES];
    size_t count;
    struct lfm_pack_sequence prompts[LFM_PACK_PROMPTS];
};

/* The margins of the ties: enough for FP32 to decide whatever the order of sums, but for the last. */
extern const double lfm_pack_tie_margins[LFM_PACK_TIES];

/* Makes the ties: for the last token of a sequence of three, the bias of the best expert that is not chosen is raised
 * until the router's margin there is what lfm_pack_tie_margins says. One after another, from the first layer with experts
 * on, because a bias moves what layers above it see. Changes the biases of the opened model and of biases[L,E], and
 * appends the sequences. Fails when a seed gives none. */
enum lfm_status lfm_pack_make_ties(struct lfm_pack_sequences *sequences, struct lfm_model *model, float *biases,
                                   uint64_t seed, struct lfm_error *error);

/* Appends the others, and finds the prompts: BOS alone; short ones whose router decisions are far from ties (so that
 * coarser arithmetic has cases to agree on); long ones; one of the texts; a token repeated. Of a number of candidates the
 * one is taken whose smallest margin is largest. */
enum lfm_status lfm_pack_find_sequences(struct lfm_pack_sequences *sequences, const struct lfm_model *model,
                                        const struct lfm_tokenizer *tokenizer, const cJSON *texts, uint64_t seed,
                                        struct lfm_error *error);

#endif
