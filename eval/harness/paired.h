/* Variants against a reference over the same items: flips and what they mean. */
#ifndef LFM_EVAL_HARNESS_PAIRED_H
#define LFM_EVAL_HARNESS_PAIRED_H

#include "eval/harness/runner.h"
#include "eval/harness/verdicts.h"

#include <stdbool.h>
#include <stddef.h>

enum { LFM_MOST_VARIANTS = 64 };

/* One run of a comparison. */
struct lfm_variant {
    const char *name;
    const char *weights, *activations, *kv; /* NULL where they are not known */
    double bits_per_weight;                 /* NaN where it is not known */
    const cJSON *finish, *generated_tokens; /* of its summary, borrowed; NULL where they are not known */
    bool *right; /* [n_items], owned by the caller: verdicts in the order of the items, one sample each */
};

/* What a variant does to the verdicts of the reference. */
struct lfm_paired {
    struct lfm_pairs pairs;
    double difference;
    struct lfm_interval interval; /* of the difference: Newcombe, 95 % */
    double exact, mid_p;          /* McNemar */
    double holm;                  /* `exact`, adjusted over the variants */
    struct lfm_equivalence_verdict equivalence;
};

/* paired[i] belongs to variants[i]; at most LFM_MOST_VARIANTS. */
void lfm_compare_variants(struct lfm_paired *paired, const bool *reference, const struct lfm_variant *variants,
                          size_t n_variants, size_t n_items, double margin);

/* Adds "reference" and "variants" with these figures and the ids of the items that flipped. */
void lfm_add_variants(cJSON *document, const struct lfm_task *task, const struct lfm_variant *reference,
                      const struct lfm_variant *variants, const struct lfm_paired *paired, size_t n_variants);

#endif
