/* Where a loss comes from: the reference with one part of its matrices quantized at a time, compared with itself.
 *
 * A part is a layer, a kind of matrix over all layers, one matrix of one layer (all its experts together), or one expert of one
 * layer; the parts of a division hold every matrix of the model once. Each part is a candidate of compare.h, so that its figures
 * are what `compare` would say of a model that is quantized there and nowhere else. */
#ifndef LFM_QUANT_ATTRIBUTE_H
#define LFM_QUANT_ATTRIBUTE_H

#include "quant/compare_figures.h"

enum lfm_division { LFM_BY_LAYER, LFM_BY_MODULE, LFM_BY_TENSOR, LFM_BY_EXPERT };

/* "layer", "module", "tensor", "expert"; false when the name is none. */
bool lfm_division_by_name(const char *name, enum lfm_division *out);
const char *lfm_division_name(enum lfm_division division);

enum { LFM_PART_NAME = 96 };

struct lfm_part {
    char name[LFM_PART_NAME]; /* "layers.3", "feed_forward.experts.w1", "layers.3.self_attn.q_proj", "layers.3.experts.5" */
    size_t matrices, parameters, fallback_matrices;
    double bytes_saved; /* stored bytes less quantized ones */
    struct lfm_estimate kld, ratio, top1; /* ratio: of perplexities */
};

struct lfm_attribution {
    struct lfm_part whole;  /* all of the parts quantized */
    struct lfm_part *parts; /* [n_parts], in the order of the forward pass */
    size_t n_parts;
    double parts_kld; /* sum of the parts' KLDs */
};

/* Lists the parts of the reference: names, matrices, parameters. To be released, also after a failure. */
enum lfm_status lfm_attribution_init(struct lfm_attribution *attribution, const struct lfm_model *reference,
                                     enum lfm_division division, struct lfm_error *error);

/* What to measure with. */
struct lfm_attribution_run {
    const struct lfm_model *reference;
    const char *path;                        /* of the reference's checkpoint, opened anew for every part */
    const struct lfm_model_options *options; /* weights: the format that parts are quantized to; the rest is the reference's */
    enum lfm_division division;
    struct lfm_windows *windows;
    const struct lfm_positions *positions;
    uint64_t seed;
    struct lfm_progress *progress; /* counts tokens times lfm_attribution_runs; may be NULL */
};

/* How often the text is run: the whole and every part once, the reference once per group of them. */
size_t lfm_attribution_runs(const struct lfm_attribution *attribution);

/* Fills in the figures. Groups of parts run side by side, each holding its own quantized matrices and a state. */
enum lfm_status lfm_attribute(struct lfm_attribution *attribution, const struct lfm_attribution_run *run,
                              struct lfm_error *error);

void lfm_attribution_release(struct lfm_attribution *attribution);

#endif
