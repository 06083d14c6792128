/* The forward pass against transformers (FP32, eager attention and experts), on the checkpoints of
 * tests/golden/model, made by scripts/golden/model.py.
 *
 * Bound: no logit and no hidden value may be off by more than 3e-5 of their root mean square. FP32 sums of this
 * length differ by about 1e-6 of it between two orders of summation; 3e-5 leaves room for the depth of the network
 * and none for a wrong formula. */
#include "reference/checkpoint/checkpoint.h"
#include "reference/model/forward.h"
#include "reference/model/ops.h"
#include "tests/unit/assert.h"

#include <criterion/parameterized.h>
#include <omp.h>
#include <stdio.h>
#include <stdlib.h>

static const double bound = 3e-5;

static const char *const cases[] = {
    "moe-bf16",           "moe-odd-sizes",          "moe-conv4-legacy-keys", "moe-no-bias-fused", "moe-unnormalised-scaled",
    "moe-untied-f16",     "moe-12-experts-sharded", "lfm2-adjusted-width",   "lfm2-legacy-keys",  "llama-untied",
};
enum { N_CASES = sizeof cases / sizeof cases[0] };

/* What transformers computed, and what the forward pass announced. */
struct fixture {
    struct lfm_model *model;
    struct lfm_state *state;
    struct lfm_checkpoint *expected;
    const int32_t *tokens;
    size_t T, D, V, n_layers;
    float *hidden, *logits;
    float **residual, **router_logits, **router_weights; /* per layer */
    int32_t **selected;
};

static void setup(struct fixture *f, const char *name)
{
    struct lfm_error error = {0};
    char path[256];
    snprintf(path, sizeof path, "tests/golden/model/%s", name);
    assert_ok(lfm_model_open(&f->model, path, NULL, &error));
    assert_ok(lfm_state_new(&f->state, f->model, &error));
    snprintf(path, sizeof path, "tests/golden/model/%s/expected", name);
    assert_ok(lfm_checkpoint_open(&f->expected, path, &error));
    const struct lfm_tensor *tokens = lfm_checkpoint_find(f->expected, "tokens");
    cr_assert_not_null(tokens);
    f->T = tokens->shape[0];
    f->D = f->model->config.hidden_size;
    f->V = f->model->config.vocab_size;
    f->n_layers = f->model->config.num_hidden_layers;
    int32_t *copy = malloc(tokens->bytes);
    memcpy(copy, tokens->data, tokens->bytes);
    f->tokens = copy;
    f->hidden = calloc(f->T * f->D, sizeof(float));
    f->logits = calloc(f->T * f->V, sizeof(float));
    f->residual = calloc(f->n_layers, sizeof(float *));
    f->router_logits = calloc(f->n_layers, sizeof(float *));
    f->router_weights = calloc(f->n_layers, sizeof(float *));
    f->selected = calloc(f->n_layers, sizeof(int32_t *));
}

static void teardown(struct fixture *f)
{
    for (size_t l = 0; l < f->n_layers; l++) {
        free(f->residual[l]);
        free(f->router_logits[l]);
        free(f->router_weights[l]);
        free(f->selected[l]);
    }
    free(f->residual);
    free(f->router_logits);
    free(f->router_weights);
    free(f->selected);
    free(f->hidden);
    free(f->logits);
    free((void *)(uintptr_t)f->tokens);
    lfm_state_free(f->state);
    lfm_model_close(f->model);
    lfm_checkpoint_close(f->expected);
}

static void keep(void **place, const struct lfm_announcement *a, size_t T, const void *values, size_t size)
{
    if (!*place) *place = calloc(T * a->width, size);
    memcpy((char *)*place + a->first_position * a->width * size, values, a->n_tokens * a->width * size);
}

static enum lfm_status record(void *context, const struct lfm_announcement *a, struct lfm_error *error)
{
    struct fixture *f = context;
    (void)error;
    if (a->point == LFM_POINT_RESIDUAL) keep((void **)&f->residual[a->layer], a, f->T, a->values, sizeof(float));
    if (a->point == LFM_POINT_ROUTER_LOGITS) keep((void **)&f->router_logits[a->layer], a, f->T, a->values, sizeof(float));
    if (a->point == LFM_POINT_ROUTER_WEIGHTS) {
        keep((void **)&f->router_weights[a->layer], a, f->T, a->values, sizeof(float));
        keep((void **)&f->selected[a->layer], a, f->T, a->selected, sizeof(int32_t));
    }
    return LFM_OK;
}

static void run(struct fixture *f, size_t piece)
{
    struct lfm_error error = {0};
    struct lfm_observer observer = {record, f};
    for (size_t t = 0; t < f->T; t += piece) {
        size_t n = f->T - t < piece ? f->T - t : piece;
        assert_ok(lfm_forward(f->model, f->state, f->tokens + t, n, &observer, f->hidden + t * f->D, &error));
    }
    assert_ok(lfm_logits(f->model, f->hidden, f->T, f->logits, &error));
}

/* Largest |observed - expected| over the root mean square of the expected. */
static double relative_error(const struct lfm_checkpoint *expected, const char *name, const float *observed, size_t n)
{
    const struct lfm_tensor *tensor = lfm_checkpoint_find(expected, "%s", name);
    struct lfm_error error = {0};
    cr_assert_not_null(tensor, "golden data lack '%s'", name);
    cr_assert_eq(lfm_tensor_elements(tensor), n, "'%s' has %zu elements, expected %zu", name, lfm_tensor_elements(tensor), n);
    float *values = calloc(n, sizeof *values);
    assert_ok(lfm_tensor_decode(tensor, values, n, &error));
    double largest = 0, squares = 0;
    for (size_t i = 0; i < n; i++) {
        double difference = fabs((double)observed[i] - values[i]);
        if (!(difference <= largest)) largest = difference;
        squares += (double)values[i] * values[i];
    }
    free(values);
    return largest / sqrt(squares / (double)n);
}

static void check_router(const struct fixture *f, const char *name, size_t l)
{
    char key[64];
    size_t E = f->model->config.num_experts, K = f->model->config.num_experts_per_tok;
    snprintf(key, sizeof key, "router.%zu.logits", l);
    double error = relative_error(f->expected, key, f->router_logits[l], f->T * E);
    cr_assert(error <= bound, "%s: %s is off by %g of its RMS", name, key, error);
    snprintf(key, sizeof key, "router.%zu.weights", l);
    error = relative_error(f->expected, key, f->router_weights[l], f->T * K);
    cr_assert(error <= bound, "%s: %s is off by %g of its RMS", name, key, error);
    snprintf(key, sizeof key, "router.%zu.selected", l);
    const struct lfm_tensor *selected = lfm_checkpoint_find(f->expected, "%s", key);
    cr_assert_not_null(selected);
    cr_assert_eq(memcmp(selected->data, f->selected[l], selected->bytes), 0, "%s: %s differs", name, key);
}

ParameterizedTestParameters(forward, logits_hidden_states_and_routers_agree_with_transformers)
{
    static size_t indices[N_CASES];
    for (size_t i = 0; i < N_CASES; i++) indices[i] = i;
    return cr_make_param_array(size_t, indices, N_CASES);
}

ParameterizedTest(size_t *index, forward, logits_hidden_states_and_routers_agree_with_transformers)
{
    const char *name = cases[*index];
    struct fixture f = {0};
    setup(&f, name);
    run(&f, f.T);
    double logits_error = relative_error(f.expected, "logits", f.logits, f.T * f.V);
    cr_assert(logits_error <= bound, "%s: logits are off by %g of their RMS", name, logits_error);
    double worst = 0;
    for (size_t l = 0; l + 1 < f.n_layers; l++) {
        char key[64];
        snprintf(key, sizeof key, "hidden.%zu", l + 1);
        double hidden_error = relative_error(f.expected, key, f.residual[l], f.T * f.D);
        cr_assert(hidden_error <= bound, "%s: %s is off by %g of its RMS", name, key, hidden_error);
        worst = fmax(worst, hidden_error);
    }
    char last[64];
    snprintf(last, sizeof last, "hidden.%zu", f.n_layers);
    double final_error = relative_error(f.expected, last, f.hidden, f.T * f.D);
    cr_assert(final_error <= bound, "%s: %s is off by %g of its RMS", name, last, final_error);
    for (size_t l = 0; l < f.n_layers; l++)
        if (lfm_layer_is_moe(&f.model->config, l)) check_router(&f, name, l);
    cr_log_info("%-26s logits %.1e  hidden %.1e", name, logits_error, fmax(worst, final_error));
    teardown(&f);
}

ParameterizedTestParameters(forward, one_token_at_a_time_equals_the_whole_prompt_bit_for_bit)
{
    static size_t indices[N_CASES];
    for (size_t i = 0; i < N_CASES; i++) indices[i] = i;
    return cr_make_param_array(size_t, indices, N_CASES);
}

ParameterizedTest(size_t *index, forward, one_token_at_a_time_equals_the_whole_prompt_bit_for_bit)
{
    struct fixture whole = {0}, single = {0}, sevens = {0};
    setup(&whole, cases[*index]);
    setup(&single, cases[*index]);
    setup(&sevens, cases[*index]);
    run(&whole, whole.T);
    run(&single, 1);
    run(&sevens, 7);
    cr_assert_eq(memcmp(whole.logits, single.logits, whole.T * whole.V * sizeof(float)), 0);
    cr_assert_eq(memcmp(whole.logits, sevens.logits, whole.T * whole.V * sizeof(float)), 0);
    teardown(&whole);
    teardown(&single);
    teardown(&sevens);
}

Test(forward, a_batch_equals_every_sequence_alone_bit_for_bit)
{
    struct lfm_error error = {0};
    struct fixture f = {0};
    setup(&f, "moe-conv4-legacy-keys");
    enum { N = 3 };
    const size_t first[N] = {1, 17, 22}, then[N] = {5, 1, 3};
    float *together = calloc(N * f.T * f.D, sizeof(float)), *alone = calloc(f.T * f.D, sizeof(float));
    struct lfm_sequence batch[N];
    for (size_t s = 0; s < N; s++) {
        batch[s] = (struct lfm_sequence){NULL, f.tokens + 2 * s, first[s], together + s * f.T * f.D};
        assert_ok(lfm_state_new(&batch[s].state, f.model, &error));
    }
    assert_ok(lfm_forward_batch(f.model, batch, N, NULL, &error));
    for (size_t s = 0; s < N; s++) batch[s].n_tokens = then[s];
    assert_ok(lfm_forward_batch(f.model, batch, N, NULL, &error));
    for (size_t s = 0; s < N; s++) {
        lfm_state_clear(f.state);
        assert_ok(lfm_forward(f.model, f.state, batch[s].tokens, first[s], NULL, alone, &error));
        assert_ok(lfm_forward(f.model, f.state, batch[s].tokens, then[s], NULL, alone, &error));
        cr_assert_eq(memcmp(alone, batch[s].hidden, then[s] * f.D * sizeof(float)), 0, "sequence %zu differs", s);
        lfm_state_free(batch[s].state);
    }
    free(together);
    free(alone);
    teardown(&f);
}

Test(forward, a_copied_state_continues_as_the_original_would)
{
    struct lfm_error error = {0};
    struct fixture f = {0};
    setup(&f, "moe-bf16");
    struct lfm_state *copy;
    assert_ok(lfm_state_new(&copy, f.model, &error));
    run(&f, f.T);
    lfm_state_clear(f.state);
    assert_ok(lfm_forward(f.model, f.state, f.tokens, 30, NULL, NULL, &error));
    assert_ok(lfm_state_copy(copy, f.state, &error));
    float *rest = calloc((f.T - 30) * f.D, sizeof(float));
    assert_ok(lfm_forward(f.model, copy, f.tokens + 30, f.T - 30, NULL, rest, &error));
    cr_assert_eq(memcmp(rest, f.hidden + 30 * f.D, (f.T - 30) * f.D * sizeof(float)), 0);
    cr_assert_eq(f.state->n_past, 30);
    free(rest);
    lfm_state_free(copy);
    teardown(&f);
}

/* Twenty tokens, then two that follow them and four that do not; `left` of them are kept. */
static void check_going_back(const char *name, size_t left)
{
    struct lfm_error error = {0};
    struct fixture f = {0};
    struct lfm_mark mark = {0};
    setup(&f, name);
    run(&f, f.T);
    lfm_state_clear(f.state);
    assert_ok(lfm_forward(f.model, f.state, f.tokens, 20, NULL, NULL, &error));
    assert_ok(lfm_mark_set(&mark, f.state, &error));
    lfm_state_go_back(f.state, &mark, 20);
    cr_assert_eq(f.state->n_past, 20);
    assert_ok(lfm_forward(f.model, f.state, f.tokens + 20, 2, NULL, NULL, &error));
    assert_ok(lfm_forward(f.model, f.state, f.tokens, 4, NULL, NULL, &error));
    lfm_state_go_back(f.state, &mark, 22);
    cr_assert_eq(f.state->n_past, left, "%s: %zu tokens are left", name, f.state->n_past);
    float *rest = calloc(f.T * f.D, sizeof(float));
    assert_ok(lfm_forward(f.model, f.state, f.tokens + left, f.T - left, NULL, rest, &error));
    cr_assert_eq(memcmp(rest, f.hidden + left * f.D, (f.T - left) * f.D * sizeof(float)), 0, "%s", name);
    free(rest);
    lfm_mark_release(&mark);
    teardown(&f);
}

Test(forward, a_state_that_went_back_continues_as_if_what_it_forgot_had_not_been)
{
    check_going_back("moe-conv4-legacy-keys", 20);
    check_going_back("llama-untied", 22);
}

Test(forward, results_do_not_depend_on_the_number_of_threads)
{
    struct fixture one = {0}, four = {0};
    setup(&one, "moe-bf16");
    setup(&four, "moe-bf16");
    omp_set_num_threads(1);
    run(&one, one.T);
    omp_set_num_threads(4);
    run(&four, four.T);
    cr_assert_eq(memcmp(one.logits, four.logits, one.T * one.V * sizeof(float)), 0);
    teardown(&one);
    teardown(&four);
}

Test(forward, a_cleared_state_starts_anew)
{
    struct fixture f = {0};
    setup(&f, "moe-conv4-legacy-keys");
    run(&f, f.T);
    float *first = malloc(f.T * f.V * sizeof(float));
    memcpy(first, f.logits, f.T * f.V * sizeof(float));
    lfm_state_clear(f.state);
    run(&f, 5);
    cr_assert_eq(memcmp(first, f.logits, f.T * f.V * sizeof(float)), 0);
    free(first);
    teardown(&f);
}

static enum lfm_status choose_first_experts(void *context, const struct lfm_announcement *a, struct lfm_error *error)
{
    (void)context;
    (void)error;
    if (a->point != LFM_POINT_ROUTER_SELECTED) return LFM_OK;
    for (size_t t = 0; t < a->n_tokens; t++)
        for (size_t k = 0; k < a->width; k++) a->selected[t * a->width + k] = (int32_t)k;
    return LFM_OK;
}

Test(forward, an_observer_that_replaces_the_chosen_experts_changes_the_result)
{
    struct lfm_error error = {0};
    struct fixture f = {0}, replaced = {0};
    setup(&f, "moe-bf16");
    setup(&replaced, "moe-bf16");
    run(&f, f.T);
    struct lfm_observer observer = {choose_first_experts, NULL};
    assert_ok(lfm_forward(replaced.model, replaced.state, replaced.tokens, replaced.T, &observer, replaced.hidden, &error));
    cr_assert_neq(memcmp(f.hidden, replaced.hidden, f.T * f.D * sizeof(float)), 0);
    teardown(&f);
    teardown(&replaced);
}

static enum lfm_status choose_an_expert_that_is_none(void *context, const struct lfm_announcement *a,
                                                     struct lfm_error *error)
{
    (void)error;
    if (a->point == LFM_POINT_ROUTER_SELECTED) a->selected[a->width] = *(const int32_t *)context;
    return LFM_OK;
}

Test(forward, an_observer_that_chooses_an_expert_that_is_none_is_refused)
{
    struct lfm_error error = {0};
    struct fixture f = {0};
    setup(&f, "moe-bf16");
    int32_t expert = 8;
    struct lfm_observer observer = {choose_an_expert_that_is_none, &expert};
    assert_fails(lfm_forward(f.model, f.state, f.tokens, f.T, &observer, f.hidden, &error), LFM_ERROR_ARGUMENT,
                 "chose expert 8, expected 0 to 7");
    expert = -1;
    lfm_state_clear(f.state);
    assert_fails(lfm_forward(f.model, f.state, f.tokens, f.T, &observer, f.hidden, &error), LFM_ERROR_ARGUMENT,
                 "chose expert -1");
    teardown(&f);
}

Test(forward, a_token_outside_the_vocabulary_is_refused)
{
    struct lfm_error error = {0};
    struct fixture f = {0};
    setup(&f, "moe-bf16");
    int32_t bad[] = {1, 160};
    assert_fails(lfm_forward(f.model, f.state, bad, 2, NULL, NULL, &error), LFM_ERROR_ARGUMENT, "token 1 has id 160");
    bad[1] = -1;
    assert_fails(lfm_forward(f.model, f.state, bad, 2, NULL, NULL, &error), LFM_ERROR_ARGUMENT, "id -1");
    assert_fails(lfm_forward(f.model, f.state, bad, 0, NULL, NULL, &error), LFM_ERROR_MISMATCH, "no tokens");
    teardown(&f);
}

Test(forward, a_context_beyond_the_models_limit_is_an_error_that_says_so)
{
    struct lfm_error error = {0};
    struct fixture f = {0};
    setup(&f, "moe-bf16");
    int32_t *many = calloc(257, sizeof *many);
    assert_fails(lfm_forward(f.model, f.state, many, 257, NULL, NULL, &error), LFM_ERROR_LIMIT,
                 "max_position_embeddings) is 256");
    assert_ok(lfm_forward(f.model, f.state, many, 256, NULL, NULL, &error));
    assert_fails(lfm_forward(f.model, f.state, many, 1, NULL, NULL, &error), LFM_ERROR_LIMIT, "1 tokens after 256");
    free(many);
    teardown(&f);
}

Test(router, the_bias_changes_the_choice_and_not_the_weight)
{
    const float logits[] = {2, 1, 0, -1};
    const float bias[] = {0, 0, 0, 5};
    int32_t selected[2];
    float weights[2];
    lfm_select_experts(selected, logits, bias, 1, 4, 2);
    cr_assert_eq(selected[0], 3);
    cr_assert_eq(selected[1], 0);
    lfm_expert_weights(weights, selected, logits, 1, 4, 2, false, 1.0);
    assert_near(weights[0], 0.2689414, 1e-6); /* sigmoid(-1) */
    assert_near(weights[1], 0.8807971, 1e-6); /* sigmoid(2) */
}

Test(router, equal_scores_go_to_the_lower_id)
{
    const float logits[] = {0.5f, 0.5f, 0.5f, 0.5f};
    int32_t selected[3];
    lfm_select_experts(selected, logits, NULL, 1, 4, 3);
    for (int32_t k = 0; k < 3; k++) cr_assert_eq(selected[k], k);
}

Test(router, normalised_weights_are_divided_by_their_sum_and_scaled)
{
    const float logits[] = {0, 0, -1000};
    int32_t selected[2];
    float weights[2];
    lfm_select_experts(selected, logits, NULL, 1, 3, 2);
    lfm_expert_weights(weights, selected, logits, 1, 3, 2, true, 1.7);
    assert_near(weights[0], 1.7 * 0.5 / (1 + 1e-6), 1e-6);
    assert_near(weights[1], 1.7 * 0.5 / (1 + 1e-6), 1e-6);
}

Test(ops, short_convolution_is_causal_and_keeps_the_last_rows)
{
    /* one channel, taps 1, 10, 100 (the last belongs to the current token) */
    const float kernel[] = {1, 10, 100};
    const float bx[] = {1, 2, 3, 4};
    float past[2] = {0, 0}, y[4];
    lfm_short_conv(y, bx, past, kernel, 4, 1, 3);
    const float expected[] = {100, 210, 321, 432};
    for (size_t t = 0; t < 4; t++) assert_near(y[t], expected[t], 0);
    assert_near(past[0], 3, 0);
    assert_near(past[1], 4, 0);
    const float next[] = {5};
    lfm_short_conv(y, next, past, kernel, 1, 1, 3);
    assert_near(y[0], 543, 0);
    assert_near(past[0], 4, 0);
    assert_near(past[1], 5, 0);
}

Test(ops, rotation_of_neighbours_equals_rotation_of_halves_on_reordered_rows)
{
    float halves[] = {1, 2, 3, 4}, neighbours[] = {1, 3, 2, 4};
    lfm_rope(halves, 1, 1, 4, 7, 10000, false);
    lfm_rope(neighbours, 1, 1, 4, 7, 10000, true);
    assert_near(halves[0], neighbours[0], 0);
    assert_near(halves[2], neighbours[1], 0);
    assert_near(halves[1], neighbours[2], 0);
    assert_near(halves[3], neighbours[3], 0);
    assert_near(halves[0], cos(7) - 3 * sin(7), 1e-5);
}
