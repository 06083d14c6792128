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
        [LFM_POINT_WEIGHTS_ENTROPY] = "attention_weights/entropy",
        [LFM_POINT_WEIGHTS_LARGEST] = "attention_weights/largest",
        [LFM_POINT_WEIGHTS_POSITION] = "attention_weights/largest_position",
        [LFM_POINT_WEIGHTS_SPANS] = "attention_weights/span_mass",
        [LFM_POINT_ATTENTION] = "attention",
        [LFM_POINT_OPERATOR] = "operator",
        [LFM_POINT_FFN_NORM] = "ffn_norm",
        [LFM_POINT_ROUTER_LOGITS] = "router/logits",
        [LFM_POINT_ROUTER_SCORES] = "router/scores",
        [LFM_POINT_ROUTER_SELECTED] = "router/selected",
        [LFM_POINT_ROUTER_WEIGHTS] = "router/weights",
        [LFM_POINT_ROUTER_MARGIN] = "router/margin",
        [LFM_POINT_GATE] = "gate",
        [LFM_POINT_UP] = "up",
        [LFM_POINT_EXPERT_GATE] = "experts/gate",
        [LFM_POINT_EXPERT_UP] = "experts/up",
        [LFM_POINT_EXPERT_DOWN] = "experts/down",
        [LFM_POINT_FEED_FORWARD] = "feed_forward",
        [LFM_POINT_RESIDUAL] = "residual",
    };
    return point >= 0 && point < LFM_POINT_COUNT ? names[point] : "unknown";
}
