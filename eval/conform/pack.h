/* Conformance packs: what another runtime of the family has to reproduce. docs/conformance.md has the files' formats.
 *
 * Rules of agreement, which pack and judge share. A runtime is held to a class of arithmetic, which has three numbers.
 * `relative`: with r the reference and x what was given, the deviation of a vector is max |x_i - r_i| / sqrt(mean r^2), and
 * may be so much. `margin`: a router's decision is required when its margin, and every margin that it depends on (pass.h),
 * is at least that; values that come after routers are required when the margins they depend on are. Scores are taken to
 * be off by up to margin / 2, and so are weights by up to 2 * margin: w = s / S with a sum S of at least 1/2, so that for
 * three experts |dw_i| <= |ds| (1 - w_i + 2 w_i) / S <= 4 |ds|. `logit`: a step of a continuation is required when,
 * beyond that, the largest logit exceeds the second by so much, and log-probabilities may be off by so much. */
#ifndef LFM_EVAL_CONFORM_PACK_H
#define LFM_EVAL_CONFORM_PACK_H

#include "eval/conform/rows.h"
#include "reference/base/error.h"
#include "reference/base/json.h"
#include "reference/base/progress.h"

#include <stddef.h>
#include <stdint.h>

struct lfm_conform_class {
    const char *name;
    double relative, margin, logit;
    const char *reason; /* where they come from */
};
enum { LFM_CONFORM_N_CLASSES = 4 };
extern const struct lfm_conform_class lfm_conform_classes[LFM_CONFORM_N_CLASSES];
/* NULL when there is none of that name. */
const struct lfm_conform_class *lfm_conform_class_by_name(const char *name);

/* Writes a pack into the directory, which is made, or is there and empty. The same seed gives the same bytes. Nothing is
 * left of a pack that could not be completed. *manifest is what manifest.json says; the caller deletes it. */
enum lfm_status lfm_pack_write(cJSON **manifest, const char *directory, uint64_t seed, struct lfm_error *error);

/* --- reading --- */

struct lfm_conform_case {
    cJSON *row;       /* owned: what the pack says */
    const char *id;   /* borrowed from the row */
    cJSON *given;     /* owned: what the results say; NULL when they have no such case */
    char *place;      /* owned: "results.jsonl:7", for messages; NULL while nothing is given */
};

struct lfm_conform_cases {
    struct lfm_conform_case *items;
    size_t count, capacity, given;
};

struct lfm_pack {
    char *path;                          /* owned */
    cJSON *manifest, *sequences;         /* owned; sequences: an array of {"id", "ids", "about"} */
    struct lfm_conform_cases sections[LFM_CONFORM_N_SECTIONS];
    size_t n_layers, n_experts, n_chosen, hidden_size, vocab_size;
    double router_rms, logits_rms;       /* over all of the pack */
    cJSON *biases;                       /* borrowed from the manifest: per layer an array or null */
    cJSON *about;                        /* owned: what the results say about themselves, or NULL */
};

/* Opens a pack and checks every file against the manifest's SHA-256. Fails on other versions, on missing and changed
 * files, and on rows that lack what their section needs. */
enum lfm_status lfm_pack_open(struct lfm_pack *pack, const char *path, struct lfm_error *error);
void lfm_pack_close(struct lfm_pack *pack);

/* The sequence of that name, {"id", "ids", "about"}; NULL when there is none. */
const cJSON *lfm_pack_sequence(const struct lfm_pack *pack, const char *id);

#endif
