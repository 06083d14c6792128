/* Which points of which layers and tokens are wanted, how they are shaped, and the options that say so. */
#ifndef LFM_TRACE_POINTS_H
#define LFM_TRACE_POINTS_H

#include "reference/base/error.h"
#include "reference/model/config.h"
#include "reference/model/observer.h"
#include "reference/model/text.h"
#include "reference/trace/ranges.h"

#include <stdbool.h>
#include <stddef.h>

/* Zeroed before the first of the functions below fills its part. */
struct lfm_selection {
    bool points[LFM_POINT_COUNT];
    bool layers[LFM_MAX_LAYERS];
    struct lfm_ranges tokens; /* positions in every document; none: all */
    struct lfm_ranges spans;  /* of positions, for LFM_POINT_WEIGHTS_SPANS */
};

/* Axes of a trace's datasets, beside the tokens. */
enum lfm_axis {
    LFM_AXIS_LAYER,
    LFM_AXIS_CHANNEL,              /* D */
    LFM_AXIS_HEAD_CHANNEL,         /* H*A */
    LFM_AXIS_KV_CHANNEL,           /* G*A */
    LFM_AXIS_FEED_FORWARD_CHANNEL, /* F */
    LFM_AXIS_EXPERT_CHANNEL,       /* M */
    LFM_AXIS_HEAD,                 /* H */
    LFM_AXIS_SPAN,                 /* S */
    LFM_AXIS_EXPERT,               /* E */
    LFM_AXIS_RANK,                 /* K, of the chosen experts, best first */
    LFM_AXIS_VOCABULARY,           /* V */
    LFM_AXIS_DOCUMENT,             /* N */
    LFM_AXIS_COUNT
};
/* "layer", "channel", "head_channel", ... */
const char *lfm_axis_name(enum lfm_axis axis);

/* The axes of a point's values after that of the tokens, slowest first. */
struct lfm_point_axes {
    size_t count; /* 0 to 2 */
    enum lfm_axis axes[2];
};
struct lfm_point_axes lfm_point_axes(enum lfm_point point);

/* Values per token at a point of a layer; 0 when the layer does not have it. LFM_POINT_WEIGHTS_SPANS: per span. */
size_t lfm_point_width(const struct lfm_config *config, size_t layer, enum lfm_point point);
/* The largest width over the layers; 0 when no layer of the model has the point. */
size_t lfm_point_max_width(const struct lfm_config *config, enum lfm_point point);

/* Five points describe the router: logits, scores, selected, weights, margin. */
bool lfm_point_is_router(enum lfm_point point);
/* Three describe the chosen experts: gate, up, down. */
bool lfm_point_is_expert(enum lfm_point point);
/* Four describe the attention weights: entropy, largest, its position, sums over spans. */
bool lfm_point_is_attention_weights(enum lfm_point point);
/* Computed from announced points, and not announced: the router's scores and margin, attention weights. */
bool lfm_point_is_derived(enum lfm_point point);
/* Whole numbers: the chosen experts, and positions. */
bool lfm_point_is_integer(enum lfm_point point);
/* Large or slow to compute, and so recorded only when asked for by name: gate, up, experts, attention weights. */
bool lfm_point_is_on_request(enum lfm_point point);
/* False where the values of two runs mean different things (the chosen experts and whatever is ordered by them,
 * positions), and for derived points, which say nothing new. */
bool lfm_point_is_comparable(enum lfm_point point);

/* "B,C,router": a comma-separated list of point names; "router", "experts" and "attention_weights" mean the points of
 * that group, "default" those that are not on request, "all" all. NULL means "default". Sums over spans are among them
 * when selection->spans, to be parsed before, has any. Fails on names that do not exist, with the list of those that
 * do, and when the model has none of the points. */
enum lfm_status lfm_selection_parse_points(struct lfm_selection *selection, const char *text,
                                           const struct lfm_config *config, struct lfm_error *error);
/* "0,3-5": layers and ranges, ends included. NULL selects all. Fails on layers that the model does not have. */
enum lfm_status lfm_selection_parse_layers(struct lfm_selection *selection, const char *text,
                                           const struct lfm_config *config, struct lfm_error *error);
/* Fails when none of the selected points exists in any of the selected layers. */
enum lfm_status lfm_selection_check(const struct lfm_selection *selection, const struct lfm_config *config,
                                    struct lfm_error *error);
/* Fails when none of the documents has any of the wanted positions, or when a span goes beyond the longest of them. */
enum lfm_status lfm_selection_check_texts(const struct lfm_selection *selection, const struct lfm_documents *documents,
                                          struct lfm_error *error);
/* Tokens of all documents that are recorded: the rows of the trace. */
size_t lfm_selection_tokens(const struct lfm_selection *selection, const struct lfm_documents *documents);

#endif
