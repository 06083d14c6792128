/* Where the numbers of a file come from: the root attributes of traces and logits. */
#ifndef LFM_TRACE_PROVENANCE_H
#define LFM_TRACE_PROVENANCE_H

#include "reference/base/error.h"
#include "reference/base/hash.h"
#include "reference/base/progress.h"
#include "reference/model/model.h"
#include "reference/model/tokenizer.h"

#include <stddef.h>
#include <stdint.h>

struct lfm_provenance {
    const char *model;                       /* its name; borrowed from the checkpoint */
    char sha256[LFM_SHA256_TEXT];            /* of the model's files */
    char tokenizer_sha256[LFM_SHA256_TEXT];  /* of the vocabulary; empty without a tokenizer */
    char *config;                            /* JSON, owned */
    const char *weights, *activations, *kv;  /* their formats: "bf16", "f32", "f32"; borrowed */
    double bits_per_weight;
    char created[32];                        /* UTC, ISO 8601; from SOURCE_DATE_EPOCH when that is set */
    char cpu[128];
    uint64_t seed;
    size_t threads;
};

/* Collects everything; reads all of the model's files for their hash. tokenizer may be NULL. */
enum lfm_status lfm_provenance_collect(struct lfm_provenance *out, const struct lfm_model *model,
                                       const struct lfm_tokenizer *tokenizer, uint64_t seed,
                                       struct lfm_progress *progress, struct lfm_error *error);
void lfm_provenance_release(struct lfm_provenance *provenance);

/* The processor as Linux names it, elsewhere the kind of machine. */
void lfm_cpu_name(char *out, size_t size);

/* lfm_config_json as text. The caller frees *out. */
enum lfm_status lfm_config_to_json(char **out, const struct lfm_config *config, struct lfm_error *error);

/* SHA-256 over "<id>\t<length>\t<bytes>\n" of the tokens in the order of their ids; entries that only fill up the
 * vocabulary (type 5, unused) are left out, so that a model has one hash in both containers. */
enum lfm_status lfm_tokenizer_sha256(const struct lfm_tokenizer *tokenizer, char text[LFM_SHA256_TEXT],
                                     struct lfm_error *error);

#endif
