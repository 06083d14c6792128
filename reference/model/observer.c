/* Names of the observed points: see observer.h. */
#include "reference/model/observer.h"

const char *lfm_point_name(enum lfm_point point)
{
    static const char *const names[LFM_POINT_COUNT] = {
        [LFM_POINT_OPERATOR_NORM] = "operator_norm",
        [LFM_POINT_B] = "B",
        [LFM_POINT_C] = "C",
        [LFM_POINT_X] = "x",
        [LFM_POINT_CONV] = "conv",
        [LFM_POINT_Q] = "q",
        [LFM_POINT_K] = "k",
        [LFM_POINT_V] = "v",
        [LFM_POINT_ATTENTION] = "attention",
        [LFM_POINT_OPERATOR] = "operator",
        [LFM_POINT_FFN_NORM] = "ffn_norm",
        [LFM_POINT_ROUTER_LOGITS] = "router/logits",
        [LFM_POINT_ROUTER_SELECTED] = "router/selected",
        [LFM_POINT_ROUTER_WEIGHTS] = "router/weights",
        [LFM_POINT_FEED_FORWARD] = "feed_forward",
        [LFM_POINT_RESIDUAL] = "residual",
    };
    return point >= 0 && point < LFM_POINT_COUNT ? names[point] : "unknown";
}
