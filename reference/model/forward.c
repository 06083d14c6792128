/* The forward pass of the LFM2 family, as MODEL.md states it; section numbers below are its sections.
 *
 * Read it from the bottom: lfm_forward embeds the tokens and runs every layer; a layer is
 *
 *     h += operator(rmsnorm(h, operator_norm))        operator: short convolution or attention
 *     h += feed_forward(rmsnorm(h, ffn_norm))         feed_forward: dense or mixture of experts
 *
 * Shapes are row-major. T tokens of this piece, D hidden_size, H query heads, G key/value heads, A head_dim,
 * F intermediate_size, M moe_intermediate_size, E experts, K chosen ones, L taps of the convolution, V vocabulary. */
#include "reference/model/forward.h"

#include "reference/base/memory.h"
#include "reference/model/attention.h"
#include "reference/model/linear.h"
#include "reference/model/ops.h"
#include "reference/model/pool.h"

#include <stdlib.h>
#include <string.h>

enum { PIECE = 512 }; /* tokens that run through the layers together */

/* Tokens of one sequence within a piece: rows first .. first + n - 1. */
struct part {
    struct lfm_state *state;
    size_t sequence;
    size_t first, n;
    const int32_t *tokens; /* [n] */
    float *hidden;         /* [n,D] or NULL */
};

/* One piece on its way through the layers: what it belongs to, and room for intermediate results. */
struct pass {
    const struct lfm_model *model;
    const struct lfm_config *config;
    const struct lfm_observer *observer;
    struct lfm_error *error;
    struct part *parts; /* [n_parts] */
    size_t n_parts;
    size_t T;           /* tokens of all parts */

    float *h;           /* [T,D]    the residual stream */
    float *u;           /* [T,D]    normed input of an operator or a feed-forward */
    float *y;           /* [T,D]    its output */

    float *stage;       /* where one operator or feed-forward has the following, after another: */
    float *bcx;         /* [T,3D]   conv: in_proj . u */
    float *b, *c, *x;   /* [T,D]    conv: its thirds */
    float *z;           /* [T,D]    conv: the convolution */
    float *q, *mixed;   /* [T,H*A]  attention */
    float *k, *v;       /* [T,G*A]  attention: the new keys and values */
    float *gate, *up;   /* [T,F] or, expert after expert, [T*K,M] */
    float *expert_u, *expert_y; /* [T*K,D] the tokens of every expert, expert after expert, and its outputs for them */

    float *blocks;      /*          attention: scratch */
    struct lfm_attention_part *attention; /* [n_parts] what it is computed for */
    float *router;      /* [T,E]    router logits */
    float *weights;     /* [T,K]    mixing weights */
    int32_t *selected;  /* [T,K]    chosen experts */
    size_t *expert_first;       /* [E+1] the first row of each expert */
    size_t *expert_token;       /* [T*K] which tokens those are */
    size_t *expert_row;         /* [T,K] and which row each choice of a token is */
    float *expert_weight;       /* [T*K] and how much of the expert each takes */
    struct lfm_product *products; /* [2E] */

    size_t most_tokens, most_blocks; /* tokens that there is room for, and floats of `blocks` */
};

/* Tells the observer of what is announced for the tokens of one part. */
static enum lfm_status tell(struct pass *pass, const struct part *part, struct lfm_announcement announcement)
{
    announcement.sequence = part->sequence;
    announcement.first_position = part->state->n_past;
    announcement.n_tokens = part->n;
    return pass->observer->observe(pass->observer->context, &announcement, pass->error);
}

/* Announces values[T,width] or selected[T,width], sequence by sequence. */
static enum lfm_status announce(struct pass *pass, size_t layer, enum lfm_point point, float *values, int32_t *selected,
                                size_t width)
{
    for (size_t i = 0; pass->observer && i < pass->n_parts; i++) {
        const struct part *part = &pass->parts[i];
        LFM_TRY(tell(pass, part, (struct lfm_announcement){
            .point = point,
            .layer = layer,
            .width = width,
            .values = values ? values + part->first * width : NULL,
            .selected = selected ? selected + part->first * width : NULL,
        }));
    }
    return LFM_OK;
}

/* The same of the chosen experts' rows values[T*K,width], which stand expert after expert. */
static enum lfm_status announce_experts(struct pass *pass, size_t layer, enum lfm_point point, float *values, size_t width)
{
    size_t K = pass->config->num_experts_per_tok;
    for (size_t i = 0; pass->observer && i < pass->n_parts; i++) {
        const struct part *part = &pass->parts[i];
        LFM_TRY(tell(pass, part, (struct lfm_announcement){
            .point = point,
            .layer = layer,
            .width = width,
            .values = values,
            .selected = pass->selected + part->first * K,
            .rows = pass->expert_row + part->first * K,
        }));
    }
    return LFM_OK;
}

static enum lfm_status linear(struct pass *pass, float *y, const struct lfm_matrix *W, const float *x, size_t n_tokens)
{
    return lfm_linear(y, W, x, n_tokens, pass->model->activations, pass->error);
}

/* Section 3. y[T,D] = out_proj . (C * conv(B * x)), where B, C, x are the thirds of in_proj . u. */
static enum lfm_status short_convolution(struct pass *pass, size_t l)
{
    const struct lfm_layer *layer = &pass->model->layers[l];
    size_t T = pass->T, D = pass->config->hidden_size;

    LFM_TRY(linear(pass, pass->bcx, &layer->in_proj, pass->u, T));
    lfm_split_thirds(pass->b, pass->c, pass->x, pass->bcx, T, D);
    LFM_TRY(announce(pass, l, LFM_POINT_B, pass->b, NULL, D));
    LFM_TRY(announce(pass, l, LFM_POINT_C, pass->c, NULL, D));
    LFM_TRY(announce(pass, l, LFM_POINT_X, pass->x, NULL, D));

    lfm_multiply_elements(pass->b, pass->x, T * D);
    for (size_t i = 0; i < pass->n_parts; i++) {
        const struct part *part = &pass->parts[i];
        lfm_short_conv(pass->z + part->first * D, pass->b + part->first * D, part->state->layers[l].conv, layer->conv,
                       part->n, D, pass->config->conv_l_cache);
    }
    LFM_TRY(announce(pass, l, LFM_POINT_CONV, pass->z, NULL, D));

    lfm_multiply_elements(pass->z, pass->c, T * D);
    return linear(pass, pass->y, &layer->conv_out_proj, pass->z, T);
}

/* Section 4: rotates q and k by position, appends k and v to the caches, attends, sequence by sequence. */
static void attend(struct pass *pass, size_t l)
{
    const struct lfm_config *config = pass->config;
    size_t H = config->num_attention_heads, G = config->num_key_value_heads, A = config->head_dim;
    bool neighbours = config->rope == LFM_ROPE_NEIGHBOURS;

    for (size_t i = 0; i < pass->n_parts; i++) {
        const struct part *part = &pass->parts[i];
        struct lfm_layer_state *cache = &part->state->layers[l];
        size_t n_past = part->state->n_past, n = part->n;
        float *q = pass->q + part->first * H * A, *k = pass->k + part->first * G * A, *v = pass->v + part->first * G * A;
        lfm_rope(q, n, H, A, n_past, config->rope_theta, neighbours);
        lfm_rope(k, n, G, A, n_past, config->rope_theta, neighbours);
        lfm_kv_store(&cache->keys, n_past, k, n);
        lfm_kv_store(&cache->values, n_past, v, n);
        pass->attention[i] = (struct lfm_attention_part){pass->mixed + part->first * H * A, q, &cache->keys,
                                                         &cache->values, n, n_past};
    }
    lfm_attention(pass->attention, pass->n_parts, H, G, A, pass->blocks);
}

/* Section 4. y[T,D] = out_proj . softmax(q k^T / sqrt(A), causal) v; q and k are normed per head, then rotated. */
static enum lfm_status attention(struct pass *pass, size_t l)
{
    const struct lfm_config *config = pass->config;
    const struct lfm_layer *layer = &pass->model->layers[l];
    size_t T = pass->T, H = config->num_attention_heads, G = config->num_key_value_heads, A = config->head_dim;

    const struct lfm_product projections[] = {{pass->q, &layer->q_proj, pass->u, T},
                                              {pass->k, &layer->k_proj, pass->u, T},
                                              {pass->v, &layer->v_proj, pass->u, T}};
    LFM_TRY(lfm_multiply(projections, 3, pass->model->activations, pass->error));
    if (layer->q_layernorm) lfm_rmsnorm(pass->q, pass->q, layer->q_layernorm, T * H, A, config->norm_eps);
    if (layer->k_layernorm) lfm_rmsnorm(pass->k, pass->k, layer->k_layernorm, T * G, A, config->norm_eps);
    attend(pass, l);
    LFM_TRY(announce(pass, l, LFM_POINT_Q, pass->q, NULL, H * A));
    LFM_TRY(announce(pass, l, LFM_POINT_K, pass->k, NULL, G * A));
    LFM_TRY(announce(pass, l, LFM_POINT_V, pass->v, NULL, G * A));
    LFM_TRY(announce(pass, l, LFM_POINT_ATTENTION, pass->mixed, NULL, H * A));
    return linear(pass, pass->y, &layer->out_proj, pass->mixed, T);
}

/* What a feed-forward computes on the way. */
static enum lfm_status announce_hidden(struct pass *pass, size_t l, size_t F)
{
    if (lfm_layer_is_moe(pass->config, l)) {
        LFM_TRY(announce_experts(pass, l, LFM_POINT_EXPERT_GATE, pass->gate, F));
        return announce_experts(pass, l, LFM_POINT_EXPERT_UP, pass->up, F);
    }
    LFM_TRY(announce(pass, l, LFM_POINT_GATE, pass->gate, NULL, F));
    return announce(pass, l, LFM_POINT_UP, pass->up, NULL, F);
}

/* Section 5, for n networks side by side: y = w2 . (silu(w1 . u) * (w3 . u)). Rows first[i] .. first[i + 1] - 1 of u and y
 * belong to ffn[i]. */
static enum lfm_status feed_forward(struct pass *pass, size_t l, const struct lfm_ffn *ffn, size_t n, const size_t *first,
                                    float *y, const float *u)
{
    size_t D = pass->config->hidden_size, F = ffn->w1.rows;
    struct lfm_product *products = pass->products;
    for (size_t i = 0; i < n; i++) {
        size_t rows = first[i + 1] - first[i];
        products[2 * i] = (struct lfm_product){pass->gate + first[i] * F, &ffn[i].w1, u + first[i] * D, rows};
        products[2 * i + 1] = (struct lfm_product){pass->up + first[i] * F, &ffn[i].w3, u + first[i] * D, rows};
    }
    LFM_TRY(lfm_multiply(products, 2 * n, pass->model->activations, pass->error));
    LFM_TRY(announce_hidden(pass, l, F));
    lfm_silu_multiply(pass->gate, pass->up, first[n] * F);
    for (size_t i = 0; i < n; i++)
        products[i] = (struct lfm_product){y + first[i] * D, &ffn[i].w2, pass->gate + first[i] * F, first[i + 1] - first[i]};
    return lfm_multiply(products, n, pass->model->activations, pass->error);
}

/* An observer may have replaced the chosen experts: ids that are none are refused before they index anything. */
static enum lfm_status check_selected(const struct pass *pass, size_t l)
{
    size_t E = pass->config->num_experts, K = pass->config->num_experts_per_tok;
    for (size_t i = 0; pass->observer && i < pass->T * K; i++)
        if (pass->selected[i] < 0 || (size_t)pass->selected[i] >= E)
            return lfm_fail(pass->error, LFM_ERROR_ARGUMENT, "layer %zu: an observer chose expert %d, expected 0 to %zu", l,
                            (int)pass->selected[i], E - 1);
    return LFM_OK;
}

/* Section 6. Which experts, and how much of each: the bias steers the choice and never the weights. */
static enum lfm_status route(struct pass *pass, size_t l)
{
    const struct lfm_config *config = pass->config;
    const struct lfm_layer *layer = &pass->model->layers[l];
    size_t T = pass->T, E = config->num_experts, K = config->num_experts_per_tok;

    LFM_TRY(lfm_linear(pass->router, &layer->gate, pass->u, T, LFM_ACTIVATIONS_F32, pass->error));
    LFM_TRY(announce(pass, l, LFM_POINT_ROUTER_LOGITS, pass->router, NULL, E));
    lfm_select_experts(pass->selected, pass->router, layer->expert_bias, T, E, K);
    LFM_TRY(announce(pass, l, LFM_POINT_ROUTER_SELECTED, NULL, pass->selected, K));
    LFM_TRY(check_selected(pass, l));
    lfm_expert_weights(pass->weights, pass->selected, pass->router, T, E, K, config->norm_topk_prob,
                       config->routed_scaling_factor);
    return announce(pass, l, LFM_POINT_ROUTER_WEIGHTS, pass->weights, pass->selected, K);
}

/* Lists the tokens of every expert, expert after expert, and how much of it each takes. */
static void sort_by_expert(struct pass *pass)
{
    size_t E = pass->config->num_experts, K = pass->config->num_experts_per_tok, n = 0;
    for (size_t e = 0; e < E; e++) {
        pass->expert_first[e] = n;
        for (size_t t = 0; t < pass->T; t++)
            for (size_t k = 0; k < K; k++) {
                if (pass->selected[t * K + k] != (int32_t)e) continue;
                pass->expert_token[n] = t;
                pass->expert_row[t * K + k] = n;
                pass->expert_weight[n++] = pass->weights[t * K + k];
                break;
            }
    }
    pass->expert_first[E] = n;
}

/* Section 6. y[t] = sum over the chosen experts of weight * expert(u[t]), added in ascending order of the expert.
 * Each expert sees all of its tokens at once. */
static enum lfm_status mixture_of_experts(struct pass *pass, size_t l)
{
    const struct lfm_layer *layer = &pass->model->layers[l];
    size_t D = pass->config->hidden_size, E = pass->config->num_experts, *first = pass->expert_first;

    LFM_TRY(route(pass, l));
    sort_by_expert(pass);
    lfm_gather_rows(pass->expert_u, pass->u, pass->expert_token, first[E], D);
    LFM_TRY(feed_forward(pass, l, layer->experts, E, first, pass->expert_y, pass->expert_u));
    LFM_TRY(announce_experts(pass, l, LFM_POINT_EXPERT_DOWN, pass->expert_y, D));
    memset(pass->y, 0, pass->T * D * sizeof(float));
    for (size_t e = 0; e < E; e++)
        lfm_add_weighted_rows(pass->y, pass->expert_y + first[e] * D, pass->expert_token + first[e],
                              pass->expert_weight + first[e], first[e + 1] - first[e], D);
    return LFM_OK;
}

/* Section 5. */
static enum lfm_status dense(struct pass *pass, size_t l)
{
    const size_t first[] = {0, pass->T};
    return feed_forward(pass, l, &pass->model->layers[l].dense, 1, first, pass->y, pass->u);
}

/* Section 2. */
static enum lfm_status run_layer(struct pass *pass, size_t l)
{
    const struct lfm_config *config = pass->config;
    const struct lfm_layer *layer = &pass->model->layers[l];
    size_t T = pass->T, D = config->hidden_size;

    lfm_rmsnorm(pass->u, pass->h, layer->operator_norm, T, D, config->norm_eps);
    LFM_TRY(announce(pass, l, LFM_POINT_OPERATOR_NORM, pass->u, NULL, D));
    LFM_TRY(layer->operator_type == LFM_CONV ? short_convolution(pass, l) : attention(pass, l));
    LFM_TRY(announce(pass, l, LFM_POINT_OPERATOR, pass->y, NULL, D));
    lfm_add(pass->h, pass->y, T * D);

    lfm_rmsnorm(pass->u, pass->h, layer->ffn_norm, T, D, config->norm_eps);
    LFM_TRY(announce(pass, l, LFM_POINT_FFN_NORM, pass->u, NULL, D));
    LFM_TRY(lfm_layer_is_moe(config, l) ? mixture_of_experts(pass, l) : dense(pass, l));
    LFM_TRY(announce(pass, l, LFM_POINT_FEED_FORWARD, pass->y, NULL, D));
    lfm_add(pass->h, pass->y, T * D);
    return announce(pass, l, LFM_POINT_RESIDUAL, pass->h, NULL, D);
}

/* Sections 1 and 2, for one piece: hidden[T,D] = rmsnorm(layers(embed_tokens[tokens]), embedding_norm). */
static enum lfm_status run_piece(struct pass *pass)
{
    const struct lfm_model *model = pass->model;
    size_t D = pass->config->hidden_size;

    for (size_t i = 0; i < pass->n_parts; i++) {
        const struct part *part = &pass->parts[i];
        for (size_t t = 0; t < part->n; t++)
            lfm_matrix_decode_rows(&model->embed_tokens, (size_t)part->tokens[t], 1, pass->h + (part->first + t) * D, D);
    }
    for (size_t l = 0; l < pass->config->num_hidden_layers; l++) LFM_TRY(run_layer(pass, l));
    for (size_t i = 0; i < pass->n_parts; i++) {
        const struct part *part = &pass->parts[i];
        if (part->hidden)
            lfm_rmsnorm(part->hidden, pass->h + part->first * D, model->embedding_norm, part->n, D, pass->config->norm_eps);
        part->state->n_past += part->n;
    }
    return LFM_OK;
}

/* --- room for a piece, and the loop over pieces --- */

static void destroy_pass(void *object)
{
    struct pass *pass = object;
    void *const owned[] = {pass->parts, pass->h, pass->u, pass->y, pass->stage, pass->blocks, pass->attention, pass->router,
                           pass->weights, pass->selected, pass->expert_first, pass->expert_token, pass->expert_row,
                           pass->expert_weight, pass->products};
    for (size_t i = 0; i < sizeof owned / sizeof owned[0]; i++) free(owned[i]);
    free(pass);
}

static size_t blocks_for(const struct lfm_config *config)
{
    return lfm_attention_room(config->num_attention_heads, config->num_key_value_heads, config->head_dim);
}

/* Divides the stage; `stage` may be NULL to learn its size. An operator is done with its share, and has left its result in
 * y, when a feed-forward begins, and the other way round: all three begin in the same place. */
static size_t divide_stage(struct pass *pass, const struct lfm_config *config, size_t T)
{
    size_t D = config->hidden_size, K = config->num_experts_per_tok;
    size_t heads = T * config->num_attention_heads * config->head_dim;
    size_t key_heads = T * config->num_key_value_heads * config->head_dim;
    size_t F = config->intermediate_size, M = K * config->moe_intermediate_size, hidden = T * (F > M ? F : M);
    const struct {
        float **place;
        size_t n;
    } shares[3][6] = {
        {{&pass->bcx, 3 * T * D}, {&pass->b, T * D}, {&pass->c, T * D}, {&pass->x, T * D}, {&pass->z, T * D}},
        {{&pass->q, heads}, {&pass->mixed, heads}, {&pass->k, key_heads}, {&pass->v, key_heads}},
        {{&pass->gate, hidden}, {&pass->up, hidden}, {&pass->expert_u, T * K * D}, {&pass->expert_y, T * K * D}},
    };
    size_t largest = 0;
    for (size_t user = 0; user < 3; user++) {
        size_t used = 0;
        for (size_t i = 0; shares[user][i].place; i++) {
            *shares[user][i].place = pass->stage ? pass->stage + used : NULL;
            used += shares[user][i].n;
        }
        if (used > largest) largest = used;
    }
    return largest;
}

static enum lfm_status make_room(struct pass *pass, const struct lfm_config *config, size_t T, struct lfm_error *error)
{
    size_t D = config->hidden_size, E = config->num_experts, K = config->num_experts_per_tok;
    LFM_TRY(LFM_ALLOC(&pass->parts, T, error));
    LFM_TRY(LFM_ALLOC(&pass->h, T * D, error));
    LFM_TRY(LFM_ALLOC(&pass->u, T * D, error));
    LFM_TRY(LFM_ALLOC(&pass->y, T * D, error));
    LFM_TRY(LFM_ALLOC(&pass->stage, divide_stage(pass, config, T), error));
    divide_stage(pass, config, T);
    pass->most_blocks = blocks_for(config);
    LFM_TRY(LFM_ALLOC(&pass->blocks, pass->most_blocks, error));
    LFM_TRY(LFM_ALLOC(&pass->attention, T, error));
    LFM_TRY(LFM_ALLOC(&pass->router, T * E, error));
    LFM_TRY(LFM_ALLOC(&pass->weights, T * K, error));
    LFM_TRY(LFM_ALLOC(&pass->selected, T * K, error));
    LFM_TRY(LFM_ALLOC(&pass->expert_first, E + 1, error));
    LFM_TRY(LFM_ALLOC(&pass->expert_token, T * K, error));
    LFM_TRY(LFM_ALLOC(&pass->expert_row, T * K, error));
    LFM_TRY(LFM_ALLOC(&pass->expert_weight, T * K, error));
    return LFM_ALLOC(&pass->products, 2 * E + 2, error);
}

/* A pass with room for pieces of T tokens: one that ran before, or a new one. */
static enum lfm_status take_pass(struct pass **out, const struct lfm_model *model, size_t T, struct lfm_error *error)
{
    struct pass *pass = lfm_pool_take(model->passes);
    *out = pass;
    if (pass && T <= pass->most_tokens && blocks_for(&model->config) <= pass->most_blocks) return LFM_OK;
    if (pass) destroy_pass(pass);
    LFM_TRY(LFM_ALLOC(out, 1, error));
    enum lfm_status status = make_room(*out, &model->config, T, error);
    (*out)->most_tokens = T;
    if (status != LFM_OK) destroy_pass(*out);
    return status;
}

static enum lfm_status check_tokens(const int32_t *tokens, size_t T, size_t vocab_size, struct lfm_error *error)
{
    if (T == 0) return lfm_fail(error, LFM_ERROR_MISMATCH, "there are no tokens to run: the text is empty");
    for (size_t t = 0; t < T; t++)
        if (tokens[t] < 0 || (size_t)tokens[t] >= vocab_size)
            return lfm_fail(error, LFM_ERROR_ARGUMENT, "token %zu has id %d, expected 0 to %zu", t, (int)tokens[t],
                            vocab_size - 1);
    return LFM_OK;
}

/* Checks the tokens and makes room in the states; sums up the tokens. */
static enum lfm_status prepare(const struct lfm_model *model, struct lfm_sequence *sequences, size_t n_sequences,
                               size_t *n_tokens, struct lfm_error *error)
{
    *n_tokens = 0;
    for (size_t s = 0; s < n_sequences; s++)
        LFM_TRY(check_tokens(sequences[s].tokens, sequences[s].n_tokens, model->config.vocab_size, error));
    for (size_t s = 0; s < n_sequences; s++) {
        LFM_TRY(lfm_state_reserve(sequences[s].state, sequences[s].n_tokens, error));
        *n_tokens += sequences[s].n_tokens;
    }
    return LFM_OK;
}

/* Fills the next piece with tokens, sequence after sequence, going on at *sequence and *token. */
static void next_piece(struct pass *pass, struct lfm_sequence *sequences, size_t n_sequences, size_t *sequence,
                       size_t *token)
{
    pass->T = pass->n_parts = 0;
    while (*sequence < n_sequences && pass->T < PIECE) {
        const struct lfm_sequence *from = &sequences[*sequence];
        size_t left = from->n_tokens - *token, room = PIECE - pass->T;
        size_t n = left < room ? left : room;
        float *hidden = from->hidden ? from->hidden + *token * pass->config->hidden_size : NULL;
        pass->parts[pass->n_parts++] = (struct part){from->state, *sequence, pass->T, n, from->tokens + *token, hidden};
        pass->T += n;
        *token += n;
        if (*token < from->n_tokens) continue;
        *token = 0;
        (*sequence)++;
    }
}

enum lfm_status lfm_forward_batch(const struct lfm_model *model, struct lfm_sequence *sequences, size_t n_sequences,
                                  const struct lfm_observer *observer, struct lfm_error *error)
{
    struct pass *pass;
    size_t n_tokens, sequence = 0, token = 0;
    enum lfm_status status = LFM_OK;

    LFM_TRY(prepare(model, sequences, n_sequences, &n_tokens, error));
    LFM_TRY(take_pass(&pass, model, n_tokens < PIECE ? n_tokens : PIECE, error));
    pass->model = model;
    pass->config = &model->config;
    pass->observer = observer;
    pass->error = error;
    while (sequence < n_sequences && status == LFM_OK) {
        next_piece(pass, sequences, n_sequences, &sequence, &token);
        status = run_piece(pass);
    }
    lfm_pool_give(model->passes, pass, destroy_pass);
    return status;
}

enum lfm_status lfm_forward(const struct lfm_model *model, struct lfm_state *state, const int32_t *tokens, size_t T,
                            const struct lfm_observer *observer, float *hidden, struct lfm_error *error)
{
    struct lfm_sequence sequence = {state, tokens, T, hidden};
    return lfm_forward_batch(model, &sequence, 1, observer, error);
}

enum lfm_status lfm_logits(const struct lfm_model *model, const float *hidden, size_t T, float *logits,
                           struct lfm_error *error)
{
    return lfm_linear(logits, &model->lm_head, hidden, T, model->activations, error);
}
