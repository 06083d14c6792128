/* Traces of the made model whose routers were decided by hand. */
#ifndef LFM_TESTS_ROUTER_FILES_H
#define LFM_TESTS_ROUTER_FILES_H

#include "tests/unit/trace_files.h"

#include <stdbool.h>
#include <stddef.h>

enum { ROUTER_LAYERS = 2, FIRST_ROUTER = 2 }; /* layers 2 and 3 have experts */

/* What a router says: the sigmoids of the logits, between 0 and 1. */
struct router_scores {
    double of[MADE_EXPERTS];
};

/* Scores by which a token chooses experts a and b: 0.9 and 0.8 against 0.1. */
void choose_pair(struct router_scores *scores, size_t a, size_t b);

/* Turns the model's bias off, so that scores are the sigmoids, and records routers only. */
void made_model_route(struct made_model *made);

/* Writes a trace of all documents: layers[l][t] are the scores of token t in layer FIRST_ROUTER + l; sets and weights
 * follow from them as in the model.
 * It ends after so many tokens; `complete` is what the file says. */
void write_routes(const struct made_model *made, const char *name, const struct router_scores *const layers[ROUTER_LAYERS],
                  size_t tokens, bool complete);

#endif
