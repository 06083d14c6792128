/* States by the tokens they have seen. */
#include "eval/backends/prefixes.h"
#include "reference/model/forward.h"
#include "tests/unit/assert.h"

static struct lfm_error error;
static struct lfm_model *model;
static const int32_t tokens[] = {5, 6, 7, 8, 9, 10, 11, 12};
static const int32_t others[] = {5, 6, 7, 20, 21, 22, 23, 24};

static void open_model(void)
{
    assert_ok(lfm_model_open(&model, "tests/golden/model/moe-bf16", NULL, &error));
}

static void close_model(void)
{
    lfm_model_close(model);
}

TestSuite(prefixes, .init = open_model, .fini = close_model);

static size_t bytes_of(size_t n)
{
    const struct lfm_state_bytes bytes = lfm_state_bytes(model, n);
    return bytes.kv_cache + bytes.conv_state + n * sizeof(int32_t);
}

/* Stores the state after the first n of these tokens. */
static void keep(struct lfm_prefixes *prefixes, const int32_t *ids, size_t n)
{
    struct lfm_state *state;
    assert_ok(lfm_state_new(&state, model, &error));
    assert_ok(lfm_forward(model, state, ids, n, NULL, NULL, &error));
    lfm_prefixes_keep(prefixes, ids, state);
    lfm_state_free(state);
}

static size_t found(struct lfm_prefixes *prefixes, const int32_t *ids, size_t n)
{
    const struct lfm_state *state = lfm_prefixes_find(prefixes, ids, n);
    return state ? state->n_past : 0;
}

Test(prefixes, the_longest_beginning_is_found_and_nothing_longer)
{
    struct lfm_prefixes *prefixes;
    assert_ok(lfm_prefixes_new(&prefixes, model, 1 << 20, &error));
    cr_assert(lfm_prefixes_find(prefixes, tokens, 8) == NULL);
    keep(prefixes, tokens, 2);
    keep(prefixes, tokens, 5);
    keep(prefixes, others, 6);
    cr_assert(found(prefixes, tokens, 8) == 5);
    cr_assert(found(prefixes, tokens, 5) == 5);
    cr_assert(found(prefixes, tokens, 4) == 2);
    cr_assert(found(prefixes, others, 8) == 6);
    cr_assert(found(prefixes, tokens + 1, 7) == 0);
    cr_assert(lfm_prefixes_shared(prefixes, tokens, 8) == 5);
    cr_assert(lfm_prefixes_shared(prefixes, others, 5) == 5);
    cr_assert(lfm_common_prefix(tokens, 8, others, 8) == 3);
    lfm_prefixes_free(prefixes);
}

Test(prefixes, a_stored_state_goes_on_with_the_same_bits)
{
    struct lfm_prefixes *prefixes;
    struct lfm_state *whole, *state;
    float expected[4096], hidden[4096];
    cr_assert(model->config.hidden_size <= 4096);
    assert_ok(lfm_prefixes_new(&prefixes, model, 1 << 20, &error));
    assert_ok(lfm_state_new(&whole, model, &error));
    assert_ok(lfm_state_new(&state, model, &error));
    keep(prefixes, tokens, 7);
    assert_ok(lfm_forward(model, whole, tokens, 7, NULL, NULL, &error));
    assert_ok(lfm_forward(model, whole, tokens + 7, 1, NULL, expected, &error));
    assert_ok(lfm_state_copy(state, lfm_prefixes_find(prefixes, tokens, 7), &error));
    assert_ok(lfm_forward(model, state, tokens + 7, 1, NULL, hidden, &error));
    cr_assert(memcmp(hidden, expected, model->config.hidden_size * sizeof *hidden) == 0);
    lfm_state_free(whole);
    lfm_state_free(state);
    lfm_prefixes_free(prefixes);
}

Test(prefixes, the_least_recently_used_go_when_the_budget_is_full)
{
    struct lfm_prefixes *prefixes;
    assert_ok(lfm_prefixes_new(&prefixes, model, bytes_of(4) + bytes_of(5), &error));
    keep(prefixes, tokens, 4);
    keep(prefixes, others, 5);
    cr_assert(found(prefixes, tokens, 4) == 4); /* used after the other */
    keep(prefixes, others + 1, 4);
    cr_assert(found(prefixes, others, 5) == 0);
    cr_assert(found(prefixes, tokens, 4) == 4 && found(prefixes, others + 1, 4) == 4);
    lfm_prefixes_free(prefixes);
}

Test(prefixes, what_does_not_fit_is_not_stored_and_drives_nothing_out)
{
    struct lfm_prefixes *prefixes;
    assert_ok(lfm_prefixes_new(&prefixes, model, bytes_of(7), &error));
    keep(prefixes, tokens, 4);
    keep(prefixes, tokens, 8);
    cr_assert(found(prefixes, tokens, 8) == 4);
    lfm_prefixes_free(prefixes);
}

Test(prefixes, any_number_of_states_is_bounded)
{
    struct lfm_prefixes *prefixes;
    int32_t ids[2] = {1, 0};
    assert_ok(lfm_prefixes_new(&prefixes, model, (size_t)1 << 40, &error));
    for (int32_t i = 0; i < 300; i++) {
        ids[1] = i % 40;
        ids[0] = 1 + i / 40;
        keep(prefixes, ids, 2);
    }
    cr_assert(found(prefixes, ids, 2) == 2);
    ids[0] = 1;
    ids[1] = 0;
    cr_assert(found(prefixes, ids, 2) == 0, "the first of 300 is forgotten");
    lfm_prefixes_free(prefixes);
}
