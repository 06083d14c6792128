/* What the choices of a trace's routers have to do with each other and with the text: which experts go together, who
 * works for which domain and which token, and how long a token's neighbours and layers keep a choice.
 * docs/routing.md has the formulas in words. */
#ifndef LFM_QUANT_ROUTING_STRUCTURE_H
#define LFM_QUANT_ROUTING_STRUCTURE_H

#include "quant/corpus.h"
#include "quant/mutual_information.h"
#include "reference/base/error.h"
#include "reference/base/progress.h"
#include "reference/trace/reader.h"

#include <stddef.h>
#include <stdint.h>

enum {
    LFM_DOMAIN_SHUFFLES = 100, /* of labels over documents */
    LFM_TOKEN_SHUFFLES = 20    /* of ids over tokens */
};

struct lfm_structure_options {
    size_t tokens;    /* most tokens listed per expert, 0 for none; in results no more than there are */
    size_t min_count; /* tokens that occur less often are not listed; at least 1 */
    uint64_t seed;
};

/* Mutual information, and the same after the dependence was destroyed by shuffling: mean and largest `plugin`. */
struct lfm_dependence {
    struct lfm_mutual_information information;
    double shuffled_mean, shuffled_max; /* NaN where nothing was shuffled */
};

/* How much of one set of K experts is in another, over `pairs` pairs of sets; NaN without pairs. */
struct lfm_persistence {
    size_t pairs;
    double overlap; /* mean of |A and B| / K */
    double even;    /* expected by chance with even loads: K / E */
    double loaded;  /* expected by chance with the loads that there are: sum_e P(e in A) P(e in B) / K */
};

/* A token id and an expert: of its `count` occurrences, `chosen` were routed to the expert. */
struct lfm_token_choice {
    int32_t id;
    uint32_t count, chosen;
};

struct lfm_structure_layer {
    size_t layer;
    uint32_t *together; /* [E,E]: tokens that chose both; on the diagonal, tokens that chose the expert */
    uint32_t *domains;  /* [labels,E]: tokens of the domain that chose the expert */
    struct lfm_dependence domain, token; /* expert and domain, expert and input token, over choices */
    struct lfm_persistence next_token;   /* sets of a token and of the next in its document */
    struct lfm_persistence next_layer;   /* sets of a token here and in the next layer with a router; 0 pairs in the last */
    /* Expert here and expert in the next layer: over the K K pairs of choices of each token. */
    struct lfm_mutual_information next_layer_information;
    struct lfm_token_choice *tokens; /* [E, options.tokens] in falling order of chosen / count; count 0 ends a list */
};

struct lfm_structure {
    size_t tokens, experts, experts_per_token;
    double lift_even; /* lift of a pair by chance, with even loads: E (K - 1) / (K (E - 1)) */
    struct lfm_corpus corpus; /* with the domains (`labels`) that [labels,..] counts; text that nobody has checked */
    double *similarity; /* [labels,labels] cosine of the domains' shares of all experts of all layers */
    struct lfm_structure_options options;
    struct lfm_structure_layer *layers;
    size_t n_layers;
};

/* Reads the chosen experts, one layer at a time: memory is the choices of two layers, and E numbers per distinct token.
 * Tokens of documents without a label are in no domain. Fails when the trace has no routers. The progress, which may be
 * NULL, counts layers. */
enum lfm_status lfm_structure_read(struct lfm_structure *out, const struct lfm_trace *trace,
                                   const struct lfm_structure_options *options, struct lfm_progress *progress,
                                   struct lfm_error *error);
void lfm_structure_release(struct lfm_structure *structure);

/* P(a and b) / (P(a) P(b)) of two different experts; NaN when one was never chosen. */
double lfm_lift(const struct lfm_structure *structure, const struct lfm_structure_layer *layer, size_t a, size_t b);
/* P(b in S | a in S); NaN when a was never chosen. */
double lfm_given(const struct lfm_structure *structure, const struct lfm_structure_layer *layer, size_t b, size_t a);

#endif
