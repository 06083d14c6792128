/* Observers: the forward pass announces named points; whoever wants to may read or replace the values.
 *
 * Traces, statistics, importance collection, routing replay and attribution are observers. The forward pass knows
 * none of them: it announces, which costs nothing when there is no observer. */
#ifndef LFM_MODEL_OBSERVER_H
#define LFM_MODEL_OBSERVER_H

#include "reference/base/error.h"

#include <stddef.h>
#include <stdint.h>

/* Points, in the order in which a layer announces them. Named after the Hugging Face modules; widths in brackets. Those
 * marked "derived" are computed from others by whoever records them (reference/trace) and never announced. */
enum lfm_point {
    LFM_POINT_OPERATOR_NORM,   /* [D] normed input of the operator */
    LFM_POINT_B,               /* [D] conv layers: input gate */
    LFM_POINT_C,               /* [D] conv layers: output gate */
    LFM_POINT_X,               /* [D] conv layers: value */
    LFM_POINT_CONV,            /* [D] conv layers: convolution of B*x */
    LFM_POINT_Q,               /* [H*A] attention: after norm and rotation */
    LFM_POINT_K,               /* [G*A] attention: after norm and rotation */
    LFM_POINT_V,               /* [G*A] attention */
    LFM_POINT_WEIGHTS_ENTROPY,  /* [H] derived: entropy of a head's attention weights */
    LFM_POINT_WEIGHTS_LARGEST,  /* [H] derived: the largest of them */
    LFM_POINT_WEIGHTS_POSITION, /* [H] derived: the position of the largest */
    LFM_POINT_WEIGHTS_SPANS,    /* [H,S] derived: their sum over each of S spans of positions */
    LFM_POINT_ATTENTION,       /* [H*A] attention: weighted values, before out_proj */
    LFM_POINT_OPERATOR,        /* [D] output of the operator, before the residual addition */
    LFM_POINT_FFN_NORM,        /* [D] normed input of the feed-forward */
    LFM_POINT_ROUTER_LOGITS,   /* [E] MoE layers: gate . u */
    LFM_POINT_ROUTER_SCORES,   /* [E] derived: sigmoid of the logits plus bias, what the experts are ranked by */
    LFM_POINT_ROUTER_SELECTED, /* [K] MoE layers: chosen experts, `selected` is set; replacing them (by
                                * distinct ids below E) re-derives the weights */
    LFM_POINT_ROUTER_WEIGHTS,  /* [K] MoE layers: mixing weights of the chosen experts; `selected` is set too */
    LFM_POINT_ROUTER_MARGIN,   /* [1] derived: least score of a chosen expert minus the largest of one not chosen */
    LFM_POINT_GATE,            /* [F] dense layers: w1 . u, before the activation function */
    LFM_POINT_UP,              /* [F] dense layers: w3 . u */
    LFM_POINT_EXPERT_GATE,     /* [K,M] MoE layers: the same of every chosen expert; announced by `rows` */
    LFM_POINT_EXPERT_UP,       /* [K,M] */
    LFM_POINT_EXPERT_DOWN,     /* [K,D] the chosen experts' outputs, before they are weighted; announced by `rows` */
    LFM_POINT_FEED_FORWARD,    /* [D] output of the feed-forward, before the residual addition */
    LFM_POINT_RESIDUAL,        /* [D] the stream after the layer: hidden_states[l+1] in Hugging Face's terms */
    LFM_POINT_COUNT
};

/* "operator_norm", "B", ..., "attention_weights/entropy", ..., "router/logits", "router/selected", "router/weights", "gate",
 * "up", "experts/gate", ..., "feed_forward", "residual". */
const char *lfm_point_name(enum lfm_point point);

/* What is announced: values of n_tokens consecutive tokens, row-major [n_tokens, width]; token t of them stands at
 * position first_position + t of the sequence. For LFM_POINT_ROUTER_SELECTED `values` is NULL and `selected`
 * [n_tokens, K] holds expert ids, best first. For LFM_POINT_EXPERT_*, whose rows stand expert after expert, `values` is
 * [*, width] with the rows of all experts, `rows`[n_tokens, K] says which of them belongs to the k-th chosen expert of
 * token t, and `selected`[n_tokens, K] which expert that is. */
struct lfm_announcement {
    enum lfm_point point;
    size_t layer;
    size_t sequence; /* which one of a batch; 0 when there is one */
    size_t first_position;
    size_t n_tokens;
    size_t width;
    float *values;
    int32_t *selected;
    const size_t *rows; /* NULL but for LFM_POINT_EXPERT_* */
};

struct lfm_observer {
    /* Returns LFM_OK, or a failure that ends the forward pass. Called from one thread. */
    enum lfm_status (*observe)(void *context, const struct lfm_announcement *announcement, struct lfm_error *error);
    void *context;
};

#endif
