/* For the tests of traces: a temporary directory, a model of four layers that exists only as a configuration, and
 * traces of it with made-up activations. */
#ifndef LFM_TESTS_TRACE_FILES_H
#define LFM_TESTS_TRACE_FILES_H

#include "reference/model/model.h"
#include "reference/model/text.h"
#include "reference/trace/provenance.h"
#include "reference/trace/writer.h"
#include "tests/unit/directory.h"

#include <stddef.h>
#include <stdint.h>

enum { MADE_LAYERS = 4, MADE_WIDTH = 8, MADE_EXPERTS = 6, MADE_CHOSEN = 2, MADE_VOCABULARY = 32 };

/* What is added to one activation. */
struct made_bump {
    size_t layer;
    enum lfm_point point;
    size_t token, channel;
    float by;
};

/* Layers 0 and 2 are conv, 1 and 3 attention; 0 and 1 dense, 2 and 3 with experts. */
struct made_model {
    struct lfm_model model;
    struct lfm_layer layers[MADE_LAYERS];
    float expert_bias[MADE_EXPERTS];
    struct lfm_documents documents;
    struct lfm_provenance provenance;
    struct lfm_trace_options options; /* everything is recorded */
    double noise;                     /* how far the activations are off those of noise 0 */
    struct made_bump bumps[4];
    size_t n_bumps;
};

/* Documents of these lengths, with ids 0, 1, 2, ... modulo the vocabulary. */
void made_model_init(struct made_model *made, const size_t *lengths, size_t n_documents);
void made_model_release(struct made_model *made);

/* The activation at a point that is announced, between -1 and 1 without noise. token counts over all documents. */
float made_value(const struct made_model *made, size_t layer, enum lfm_point point, size_t token, size_t channel);
/* The experts [MADE_CHOSEN] that follow from the router's logits and bias, and their weights, which sum to 1. */
void made_choice(const struct made_model *made, size_t layer, size_t token, int32_t *selected, float *weights);

/* Announces n tokens of one layer at a point to the observer. */
enum lfm_status announce_made(const struct made_model *made, const struct lfm_observer *observer, size_t layer,
                              enum lfm_point point, size_t first_token, size_t n, struct lfm_error *error);
/* Runs n tokens of a document, announcing everything, starting at `position`, through all layers into the writer, and flushes. */
void write_made_piece(const struct made_model *made, struct lfm_trace_writer *writer, size_t document, size_t position,
                      size_t n);
/* Writes a complete trace of all documents in pieces of 100 tokens; `name` is in the directory. */
void write_made_trace(const struct made_model *made, const char *name);

#endif
