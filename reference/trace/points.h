/* Which points of which layers are wanted, how wide they are, and the options that say so. */
#ifndef LFM_TRACE_POINTS_H
#define LFM_TRACE_POINTS_H

#include "reference/base/error.h"
#include "reference/model/config.h"
#include "reference/model/observer.h"

#include <stdbool.h>
#include <stddef.h>

struct lfm_selection {
    bool points[LFM_POINT_COUNT];
    bool layers[LFM_MAX_LAYERS];
};

/* Values per token at a point of a layer; 0 when the layer does not have the point. */
size_t lfm_point_width(const struct lfm_config *config, size_t layer, enum lfm_point point);
/* The largest width over the layers; 0 when no layer of the model has the point. */
size_t lfm_point_max_width(const struct lfm_config *config, enum lfm_point point);

/* Three points describe the router: logits, selected, weights. */
bool lfm_point_is_router(enum lfm_point point);

/* "B,C,router": a comma-separated list of point names, "router" meaning its three points. NULL selects all. Fails on
 * names that do not exist, with the list of those that do, and when the model has none of the points. */
enum lfm_status lfm_selection_parse_points(struct lfm_selection *selection, const char *text,
                                           const struct lfm_config *config, struct lfm_error *error);
/* "0,3-5": layers and ranges, ends included. NULL selects all. Fails on layers that the model does not have. */
enum lfm_status lfm_selection_parse_layers(struct lfm_selection *selection, const char *text,
                                           const struct lfm_config *config, struct lfm_error *error);
/* Fails when none of the selected points exists in any of the selected layers. */
enum lfm_status lfm_selection_check(const struct lfm_selection *selection, const struct lfm_config *config,
                                    struct lfm_error *error);

#endif
