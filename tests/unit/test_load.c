/* Experts under load: placements, capacities and caches by hand; draws; figures of a made-up trace. */
#include "quant/bench.h"
#include "quant/load.h"
#include "reference/model/model.h"
#include "tests/unit/assert.h"
#include "tests/unit/trace_files.h"

#include <math.h>
#include <omp.h>
#include <stdlib.h>
#include <string.h>

static struct lfm_error error;
static struct made_model made;
static struct lfm_trace *trace;

/* Documents of 300, 3 and 97 tokens. */
static void setup(void)
{
    static const size_t lengths[] = {300, 3, 97};
    make_directory();
    made_model_init(&made, lengths, 3);
    write_made_trace(&made, "t.h5");
    assert_ok(lfm_trace_open(&trace, in_directory("t.h5"), &error));
}

static void teardown(void)
{
    lfm_trace_close(trace);
    trace = NULL;
    made_model_release(&made);
    remove_directory();
}

TestSuite(load);
TestSuite(load_trace, .init = setup, .fini = teardown);

/* --- predictions --- */

/* 4 (1 - (1/2)^2) = 3. */
Test(load, even_choices_are_predicted_by_hand)
{
    assert_near(lfm_distinct_uniform(4, 2, 2), 3, 1e-15);
    assert_near(lfm_distinct_uniform(32, 4, 1), 4, 1e-14);
    assert_near(lfm_distinct_uniform(3, 3, 7), 3, 0);
}

/* Chosen by 4, 2, 2 and 0 of 4 tokens; of two tokens: 1 + 3/4 + 3/4 + 0. */
Test(load, own_load_is_predicted_by_hand)
{
    const uint32_t counts[] = {4, 2, 2, 0};
    assert_near(lfm_distinct_own_load(counts, 4, 4, 1), 2, 1e-15);
    assert_near(lfm_distinct_own_load(counts, 4, 4, 2), 2.5, 1e-15);
}

/* --- devices --- */

static void assert_devices(const uint16_t *found, const uint16_t *expected, size_t n)
{
    for (size_t e = 0; e < n; e++)
        cr_assert_eq(found[e], expected[e], "expert %zu is on device %u, expected %u", e, found[e], expected[e]);
}

Test(load, blocks_and_turns_share_experts_out)
{
    uint16_t device_of[5];
    lfm_place_experts(device_of, LFM_PLACE_CONTIGUOUS, NULL, 5, 3);
    assert_devices(device_of, (const uint16_t[]){0, 0, 1, 1, 2}, 5);
    lfm_place_experts(device_of, LFM_PLACE_ROUND_ROBIN, NULL, 5, 3);
    assert_devices(device_of, (const uint16_t[]){0, 1, 2, 0, 1}, 5);
}

/* By falling load: 0 (5) to device 0; 2 (4) to device 1; 3 (3), before its equal 4, to device 1, 4 against 5; 4 (3) to
 * device 0, 5 against 7; 1 (1) to device 1, 8 against 7. */
Test(load, balancing_gives_the_next_expert_to_the_least_loaded_device)
{
    const uint32_t counts[] = {5, 1, 4, 3, 3};
    uint16_t device_of[5];
    lfm_place_experts(device_of, LFM_PLACE_BALANCED, counts, 5, 2);
    assert_devices(device_of, (const uint16_t[]){0, 1, 1, 1, 0}, 5);
}

Test(load, balancing_leaves_no_device_with_more_experts_than_it_holds)
{
    const uint32_t counts[] = {9, 1, 1, 1};
    uint16_t device_of[4];
    lfm_place_experts(device_of, LFM_PLACE_BALANCED, counts, 4, 2);
    assert_devices(device_of, (const uint16_t[]){0, 1, 1, 0}, 4);
}

/* 4 and 2 choices on two devices: 4 over a mean of 3. */
Test(load, the_straggler_is_the_busiest_over_the_mean)
{
    const uint32_t counts[] = {3, 1, 0, 2};
    uint64_t scratch[2];
    assert_near(lfm_straggler(counts, (const uint16_t[]){0, 0, 1, 1}, 4, 2, scratch), 4.0 / 3, 1e-15);
    assert_near(lfm_straggler(counts, (const uint16_t[]){0, 1, 1, 1}, 4, 2, scratch), 1, 0);
}

Test(load, what_exceeds_the_capacity_of_its_expert_is_dropped)
{
    const uint32_t counts[] = {5, 1, 0, 2};
    assert_near(lfm_capacity(1, 4, 2, 4), 2, 0);
    assert_near(lfm_capacity(1.25, 8, 3, 10), 3, 0);
    assert_near(lfm_capacity(1.5, 8, 3, 10), 4, 0);
    assert_near(lfm_capacity(1.1, 100, 3, 10), 33, 0);
    assert_near(lfm_capacity(1.1, 400, 4, 32), 55, 0);
    assert_near(lfm_capacity(1.1001, 100, 3, 10), 34, 0);
    assert_near(lfm_dropped(counts, 4, 2), 3.0 / 8, 0);
    assert_near(lfm_dropped(counts, 4, 5), 0, 0);
}

/* --- caches --- */

static uint64_t hits_of(enum lfm_cache_policy policy, const uint16_t *selected, size_t T, size_t K, size_t E,
                        size_t size)
{
    uint64_t hits[16];
    assert_ok(lfm_cache_hits(hits, policy, selected, T, K, E, &error));
    return hits[size - 1];
}

/* 0 1 0 2 0 1 in a cache of two. LRU: 0 is found twice, but 2 displaces 1. LFU the same. Static keeps 0 and 1, both of
 * which miss once; Belady leaves out 2, which is not asked for again. */
Test(load, single_requests_by_hand)
{
    const uint16_t selected[] = {0, 1, 0, 2, 0, 1};
    cr_assert_eq(hits_of(LFM_CACHE_LRU, selected, 6, 1, 3, 2), 2);
    cr_assert_eq(hits_of(LFM_CACHE_LFU, selected, 6, 1, 3, 2), 2);
    cr_assert_eq(hits_of(LFM_CACHE_STATIC, selected, 6, 1, 3, 2), 3);
    cr_assert_eq(hits_of(LFM_CACHE_BELADY, selected, 6, 1, 3, 2), 3);
    cr_assert_eq(hits_of(LFM_CACHE_STATIC, selected, 6, 1, 3, 1), 2);
    cr_assert_eq(hits_of(LFM_CACHE_BELADY, selected, 6, 1, 3, 1), 2);
    cr_assert_eq(hits_of(LFM_CACHE_LRU, selected, 6, 1, 3, 1), 0);
}

/* 0 0 1 2 1 0: when 2 comes, LRU displaces 0, LFU (counts 2 against 1) displaces 1. */
Test(load, frequency_and_recency_displace_different_experts)
{
    const uint16_t found_by_recency[] = {0, 0, 1, 2, 1}, found_by_frequency[] = {0, 0, 1, 2, 0};
    cr_assert_eq(hits_of(LFM_CACHE_LRU, found_by_recency, 5, 1, 3, 2), 2);
    cr_assert_eq(hits_of(LFM_CACHE_LFU, found_by_recency, 5, 1, 3, 2), 1);
    cr_assert_eq(hits_of(LFM_CACHE_LRU, found_by_frequency, 5, 1, 3, 2), 1);
    cr_assert_eq(hits_of(LFM_CACHE_LFU, found_by_frequency, 5, 1, 3, 2), 2);
}

/* Tokens {0,1} {1,2} {0,3} {1,2}. LRU of two holds a token's own: one hit, 1 of the second. Of three, 1 is found, then
 * 0, and 3 displaces 1, which stands before 2 in the second token's list, so that at last 2 is found. Of one, 1 stays of
 * the first token and is found. Belady of two: 0 and 1; then 1 is found, 0 and 1 stay; then 0 is found, 1 stays; then 1
 * is found. */
Test(load, a_token_asks_for_all_its_experts_at_once)
{
    const uint16_t selected[] = {0, 1, 1, 2, 0, 3, 1, 2};
    cr_assert_eq(hits_of(LFM_CACHE_LRU, selected, 4, 2, 4, 2), 1);
    cr_assert_eq(hits_of(LFM_CACHE_LRU, selected, 4, 2, 4, 1), 1);
    cr_assert_eq(hits_of(LFM_CACHE_LRU, selected, 4, 2, 4, 3), 3);
    cr_assert_eq(hits_of(LFM_CACHE_BELADY, selected, 4, 2, 4, 2), 3);
    cr_assert_eq(hits_of(LFM_CACHE_LRU, selected, 4, 2, 4, 4), 4);
}

/* Seeded sets of K of E, with a preference for low numbers. */
static void fill_choices(uint16_t *selected, size_t T, size_t K, size_t E, uint32_t *state)
{
    for (size_t i = 0; i < T * K; i++) {
        bool again = true;
        while (again) {
            *state = *state * 1664525u + 1013904223u;
            size_t a = (*state >> 16) % E;
            *state = *state * 1664525u + 1013904223u;
            size_t b = (*state >> 16) % E;
            selected[i] = (uint16_t)(a < b ? a : b);
            again = false;
            for (size_t j = i / K * K; j < i; j++) again |= selected[j] == selected[i];
        }
    }
}

/* The most hits that any choice of what to keep can have, by trying all: best[set] over what the cache holds. */
static uint64_t most_hits(const uint16_t *selected, size_t T, size_t K, size_t E, size_t size)
{
    int best[64], next[64];
    for (size_t held = 0; held < 1u << E; held++) best[held] = held == 0 ? 0 : -1;
    for (size_t t = 0; t < T; t++) {
        size_t asked = 0;
        for (size_t k = 0; k < K; k++) asked |= 1u << selected[t * K + k];
        for (size_t held = 0; held < 1u << E; held++) next[held] = -1;
        for (size_t held = 0; held < 1u << E; held++) {
            if (best[held] < 0) continue;
            int hits = best[held] + __builtin_popcountll(held & asked);
            for (size_t kept = 0; kept < 1u << E; kept++)
                if ((kept & ~(held | asked)) == 0 && (size_t)__builtin_popcountll(kept) <= size && hits > next[kept])
                    next[kept] = hits;
        }
        memcpy(best, next, sizeof best);
    }
    int most = 0;
    for (size_t held = 0; held < 1u << E; held++)
        if (best[held] > most) most = best[held];
    return (uint64_t)most;
}

Test(load, belady_is_the_best_that_any_choice_can_do)
{
    uint16_t selected[14 * 2];
    uint32_t state = 1;
    for (int round = 0; round < 40; round++) {
        fill_choices(selected, 14, 2, 5, &state);
        for (size_t size = 1; size <= 5; size++)
            cr_assert_eq(hits_of(LFM_CACHE_BELADY, selected, 14, 2, 5, size), most_hits(selected, 14, 2, 5, size));
    }
}

Test(load, no_policy_beats_belady_and_larger_caches_hit_no_less)
{
    enum { T = 500, K = 3, E = 12 };
    uint16_t selected[T * K];
    uint32_t state = 7;
    fill_choices(selected, T, K, E, &state);
    for (int p = 0; p < LFM_CACHE_POLICIES; p++) {
        uint64_t before = 0;
        for (size_t size = 1; size <= E; size++) {
            uint64_t hits = hits_of((enum lfm_cache_policy)p, selected, T, K, E, size);
            cr_assert_leq(hits, hits_of(LFM_CACHE_BELADY, selected, T, K, E, size), "policy %d, size %zu", p, size);
            cr_assert_geq(hits, before, "policy %d, size %zu", p, size);
            before = hits;
        }
        cr_assert_eq(before, T * K - E, "everything but the first request of each is found");
    }
}

/* The first two tokens ask for 0 twice and 1 once; the other two for 1 once and 2 once. */
Test(load, coverage_is_fitted_on_one_part_and_read_off_another)
{
    const uint16_t selected[] = {0, 1, 0, 1, 2};
    double share;
    assert_ok(lfm_cache_coverage(&share, selected, 5, 1, 3, 1, 3, 3, &error));
    assert_near(share, 0, 0);
    assert_ok(lfm_cache_coverage(&share, selected, 5, 1, 3, 2, 3, 3, &error));
    assert_near(share, 0.5, 0);
    assert_ok(lfm_cache_coverage(&share, selected, 5, 1, 3, 2, 5, 0, &error));
    assert_near(share, 0.8, 1e-15);
}

/* --- bytes --- */

/* Every weight is an expert's, or read by every step, or a row of an embedding that is not the head. */
static void assert_all_parameters(const char *path)
{
    struct lfm_model *model;
    assert_ok(lfm_model_open(&model, path, NULL, &error));
    const struct lfm_config *config = &model->config;
    cJSON *json = lfm_config_json(config);
    struct lfm_load_parameters parameters = lfm_load_parameters(json);
    double embedding = config->tie_word_embeddings ? 0 : (double)(config->vocab_size * config->hidden_size);
    cr_assert_eq(parameters.moe_layers, config->num_hidden_layers - config->num_dense_layers);
    assert_near(parameters.expert, 3.0 * (double)(config->hidden_size * config->moe_intermediate_size), 0);
    assert_near(parameters.shared + embedding +
                    parameters.expert * (double)(parameters.moe_layers * config->num_experts),
                (double)lfm_model_parameters(model), 0);
    cJSON_Delete(json);
    lfm_model_close(model);
}

Test(load, parameters_of_a_step_are_all_of_the_model)
{
    assert_all_parameters("tests/golden/model/moe-bf16");
    assert_all_parameters("tests/golden/model/moe-untied-f16");
    assert_all_parameters("tests/golden/model/moe-no-bias-fused");
    assert_all_parameters("tests/golden/model/moe-conv4-legacy-keys");
    assert_all_parameters("tests/golden/model/moe-odd-sizes");
}

/* A model of FP32 throughout has four bytes for each. */
Test(load, parameters_of_a_step_are_those_that_bench_counts)
{
    struct lfm_model *model;
    struct lfm_expert_use use;
    assert_ok(lfm_model_open(&model, "tests/golden/model/moe-odd-sizes", NULL, &error));
    assert_ok(lfm_expert_use_open(&use, model, &error));
    cr_assert_str_eq(lfm_weights_name(model), "f32");
    cJSON *json = lfm_config_json(&model->config);
    struct lfm_load_parameters parameters = lfm_load_parameters(json);
    assert_near(4 * (parameters.shared + 3 * parameters.per_token), lfm_step_bytes(model, &use, 3, 0, 1).weights, 0);
    cJSON_DeleteItemFromObject(json, "vocab_size");
    cr_assert(isnan(lfm_load_parameters(json).shared));
    cr_assert(!isnan(lfm_load_parameters(json).expert));
    cJSON_Delete(json);
    lfm_expert_use_close(&use);
    lfm_model_close(model);
}

/* --- draws --- */

static struct lfm_choices two_documents(size_t first, size_t second, size_t starts[3])
{
    starts[0] = 0;
    starts[1] = first;
    starts[2] = first + second;
    return (struct lfm_choices){.tokens = first + second, .n_documents = 2, .starts = starts};
}

Test(load, a_sequence_follows_its_document_and_goes_on_with_the_start_of_another)
{
    enum { R = 20, S = 30, B = 4 };
    size_t starts[3];
    uint32_t rows[R * S * B];
    struct lfm_choices choices = two_documents(3, 9, starts);
    assert_ok(lfm_draw_rows(rows, &choices, LFM_DRAW_SEQUENCES, B, R, S, 1, &error));
    for (size_t r = 0; r < R; r++)
        for (size_t i = B; i < S * B; i++) {
            uint32_t before = rows[r * S * B + i - B], now = rows[r * S * B + i];
            if (before == 2 || before == 11) cr_assert(now == 0 || now == 3, "%u after %u", now, before);
            else cr_assert_eq(now, before + 1, "%u after %u", now, before);
        }
}

/* Every token is as likely as any other, at the first step and at the last: 20,000 draws, ten tokens, five standard
 * deviations of a binomial share are sqrt(0.1 * 0.9 / 20000) * 5 = 0.0106. */
Test(load, sequences_have_the_load_of_the_trace_at_every_step)
{
    enum { R = 20000, S = 7 };
    size_t starts[3];
    uint32_t *rows = calloc(R * S, sizeof *rows);
    struct lfm_choices choices = two_documents(1, 9, starts);
    assert_ok(lfm_draw_rows(rows, &choices, LFM_DRAW_SEQUENCES, 1, R, S, 1, &error));
    for (size_t step = 0; step < S; step += S - 1) {
        double counts[10] = {0};
        for (size_t r = 0; r < R; r++) counts[rows[r * S + step]]++;
        for (size_t t = 0; t < 10; t++) assert_near(counts[t] / R, 0.1, 0.0106);
    }
    free(rows);
}

Test(load, consecutive_tokens_are_neighbours_of_one_document)
{
    enum { N = 50, B = 4 };
    size_t starts[3];
    uint32_t rows[N * B];
    bool seen[13] = {false};
    struct lfm_choices choices = two_documents(5, 8, starts);
    assert_ok(lfm_draw_rows(rows, &choices, LFM_DRAW_CONSECUTIVE, B, N, 1, 3, &error));
    for (size_t i = 0; i < N; i++) {
        seen[rows[i * B]] = true;
        for (size_t b = 1; b < B; b++) cr_assert_eq(rows[i * B + b], rows[i * B] + b);
    }
    const bool possible[13] = {true, true, false, false, false, true, true, true, true, true, false, false, false};
    cr_assert_arr_eq(seen, possible, sizeof seen);
    assert_fails(lfm_draw_rows(rows, &choices, LFM_DRAW_CONSECUTIVE, 9, 1, 1, 3, &error), LFM_ERROR_ARGUMENT,
                 "no document has 9 tokens in a row");
}

Test(load, sequences_of_one_document_stay_in_it)
{
    enum { R = 60, S = 7, B = 3 };
    size_t starts[3], of_the_first = 0;
    uint32_t rows[R * S * B];
    struct lfm_choices choices = two_documents(3, 9, starts);
    assert_ok(lfm_draw_rows(rows, &choices, LFM_DRAW_DOCUMENT, B, R, S, 1, &error));
    for (size_t r = 0; r < R; r++) {
        bool first = rows[r * S * B] < 3;
        of_the_first += first;
        for (size_t i = 0; i < S * B; i++) cr_assert_eq(rows[r * S * B + i] < 3, first);
        for (size_t i = B; i < S * B; i++) {
            uint32_t before = rows[r * S * B + i - B], now = rows[r * S * B + i];
            cr_assert_eq(now, before == 2 ? 0 : before == 11 ? 3 : before + 1, "%u after %u", now, before);
        }
    }
    /* A quarter of 60, within three standard deviations of 3.4. */
    cr_assert(of_the_first >= 5 && of_the_first <= 25, "%zu of 60", of_the_first);
}

Test(load, a_seed_decides_the_draw)
{
    size_t starts[3];
    uint32_t a[40], b[40];
    struct lfm_choices choices = two_documents(50, 50, starts);
    for (int draw = 0; draw < LFM_DRAWS; draw++) {
        assert_ok(lfm_draw_rows(a, &choices, (enum lfm_draw)draw, 2, 4, 5, 9, &error));
        assert_ok(lfm_draw_rows(b, &choices, (enum lfm_draw)draw, 2, 4, 5, 9, &error));
        cr_assert_arr_eq(a, b, sizeof a);
        assert_ok(lfm_draw_rows(b, &choices, (enum lfm_draw)draw, 2, 4, 5, 10, &error));
        cr_assert_neq(memcmp(a, b, sizeof a), 0);
    }
}

/* --- all of it, on a trace --- */

Test(load_trace, choices_are_those_of_the_trace)
{
    struct lfm_choices choices;
    assert_ok(lfm_choices_read(&choices, trace, &error));
    cr_assert_eq(choices.tokens, 400);
    cr_assert_eq(choices.n_layers, 2);
    cr_assert_eq(choices.layers[1], 3);
    cr_assert_eq(choices.n_documents, 3);
    cr_assert_eq(choices.starts[2], 303);
    cr_assert_eq(choices.starts[3], 400);
    uint32_t counts[MADE_EXPERTS] = {0};
    for (size_t t = 0; t < 400; t++) {
        int32_t selected[MADE_CHOSEN];
        float weights[MADE_CHOSEN];
        made_choice(&made, 3, t, selected, weights);
        for (size_t k = 0; k < MADE_CHOSEN; k++) {
            cr_assert_eq(lfm_choices_of(&choices, 1)[t * MADE_CHOSEN + k], selected[k]);
            counts[selected[k]]++;
        }
    }
    cr_assert_arr_eq(choices.counts + MADE_EXPERTS, counts, sizeof counts);
    lfm_choices_release(&choices);
}

/* One token has K experts, each alone on its device; of independent tokens the layer's own load predicts the distinct
 * experts exactly, and even routing is what the formula says: within five standard errors of 4,000 steps, whose
 * standard deviation is below 1. */
Test(load_trace, distinct_experts_are_as_predicted)
{
    const size_t batches[] = {1, 3};
    struct lfm_load_options options = {.batches = batches, .n_batches = 2, .draw = LFM_DRAW_TOKENS, .resamples = 400,
                                       .steps = 10, .seed = 5};
    struct lfm_load load;
    assert_ok(lfm_load_run(&load, trace, &options, NULL, &error));
    const struct lfm_load_figure *one = lfm_load_figure_of(&load, 0, 0, 0);
    assert_near(one->mean, MADE_CHOSEN, 0);
    assert_near(one->low, MADE_CHOSEN, 0);
    assert_near(one->p95, MADE_CHOSEN, 0);
    double sum = 0;
    for (size_t layer = 0; layer < 2; layer++) {
        double mean = lfm_load_figure_of(&load, layer, 1, 0)->mean;
        sum += mean / 2;
        assert_near(mean, load.own_load[layer * 2 + 1], 5 / sqrt(4000));
        cr_assert_lt(lfm_load_figure_of(&load, layer, 1, 0)->low, mean);
        cr_assert_gt(lfm_load_figure_of(&load, layer, 1, 0)->high, mean);
    }
    assert_near(lfm_load_figure_of(&load, 2, 1, 0)->mean, sum, 1e-12);
    assert_near(lfm_load_figure_of(&load, 3, 1, 0)->mean, lfm_distinct_uniform(MADE_EXPERTS, MADE_CHOSEN, 3),
                5 / sqrt(4000));
    lfm_load_release(&load);
}

/* Lists that are left out: 1, 2 ... 256 of 400 tokens; 2 and 4 of 6 devices; caches of 1 to 6. With as many devices as
 * experts a token alone has two busy ones: 1 over a mean of 2/6. */
Test(load_trace, defaults_are_what_the_trace_allows)
{
    struct lfm_load_options options = {.resamples = 2, .steps = 2};
    const size_t six[] = {6}, one[] = {1};
    struct lfm_load load;
    assert_ok(lfm_load_run(&load, trace, &options, NULL, &error));
    cr_assert_eq(load.n_batches, 9);
    cr_assert_eq(load.batches[8], 256);
    cr_assert_eq(load.n_devices, 2);
    cr_assert_eq(load.devices[1], 4);
    cr_assert_eq(load.n_sizes, MADE_EXPERTS);
    cr_assert_eq(load.n_factors, 4);
    lfm_load_release(&load);
    options.devices = six, options.n_devices = 1;
    options.batches = one, options.n_batches = 1;
    assert_ok(lfm_load_run(&load, trace, &options, NULL, &error));
    size_t metric = lfm_load_straggler(&load, 0, LFM_PLACE_BALANCED);
    assert_near(lfm_load_figure_of(&load, 0, 0, metric)->mean, 3, 1e-15);
    lfm_load_release(&load);
}

/* The made-up trace's hit rates are those of its choices, and a mean stands behind the layers. */
Test(load_trace, caches_see_the_tokens_in_order)
{
    const size_t sizes[] = {3}, one[] = {1};
    struct lfm_load_options options = {.batches = one, .n_batches = 1, .sizes = sizes, .n_sizes = 1, .resamples = 1,
                                       .steps = 1};
    struct lfm_load load;
    double sum = 0;
    assert_ok(lfm_load_run(&load, trace, &options, NULL, &error));
    for (size_t layer = 0; layer < 2; layer++) {
        uint64_t hits = hits_of(LFM_CACHE_LFU, lfm_choices_of(&load.choices, layer), 400, MADE_CHOSEN, MADE_EXPERTS, 3);
        assert_near(load.hit_rates[layer * LFM_CACHE_POLICIES + LFM_CACHE_LFU], (double)hits / 800, 0);
        sum += (double)hits / 1600;
    }
    assert_near(load.hit_rates[2 * LFM_CACHE_POLICIES + LFM_CACHE_LFU], sum, 1e-15);
    lfm_load_release(&load);
}

Test(load_trace, results_do_not_depend_on_threads)
{
    struct lfm_load_options options = {.resamples = 5, .steps = 4, .seed = 3};
    struct lfm_load loads[2];
    for (int i = 0; i < 2; i++) {
        omp_set_num_threads(i == 0 ? 1 : 4);
        assert_ok(lfm_load_run(&loads[i], trace, &options, NULL, &error));
    }
    size_t figures = 4 * loads[0].n_batches * lfm_load_metrics(&loads[0]);
    cr_assert_arr_eq(loads[0].figures, loads[1].figures, figures * sizeof *loads[0].figures);
    cr_assert_arr_eq(loads[0].hit_rates, loads[1].hit_rates,
                     3 * MADE_EXPERTS * LFM_CACHE_POLICIES * sizeof *loads[0].hit_rates);
    lfm_load_release(&loads[0]);
    lfm_load_release(&loads[1]);
}

static void assert_refused(const struct lfm_load_options *options, const char *part)
{
    struct lfm_load load;
    assert_fails(lfm_load_run(&load, trace, options, NULL, &error), LFM_ERROR_ARGUMENT, part);
}

Test(load_trace, lists_beyond_the_trace_are_refused)
{
    const size_t zero[] = {0}, many[] = {1, 401}, seven[] = {7};
    const double factors[] = {-1};
    assert_refused(&(struct lfm_load_options){.batches = zero, .n_batches = 1, .resamples = 1, .steps = 1},
                   "a batch of 0: between 1 and 400");
    assert_refused(&(struct lfm_load_options){.batches = many, .n_batches = 2, .resamples = 1, .steps = 1},
                   "a batch of 401: between 1 and 400");
    assert_refused(&(struct lfm_load_options){.batches = many, .n_batches = 2, .draw = LFM_DRAW_CONSECUTIVE,
                                              .resamples = 1, .steps = 1}, "between 1 and 300");
    assert_refused(&(struct lfm_load_options){.devices = seven, .n_devices = 1, .resamples = 1, .steps = 1},
                   "devices: 7: between 1 and 6");
    assert_refused(&(struct lfm_load_options){.sizes = seven, .n_sizes = 1, .resamples = 1, .steps = 1},
                   "a cache of 7: between 1 and 6");
    assert_refused(&(struct lfm_load_options){.factors = factors, .n_factors = 1, .resamples = 1, .steps = 1},
                   "a capacity factor of -1");
    assert_refused(&(struct lfm_load_options){.resamples = 0, .steps = 1}, "0 resamples");
}

Test(load_trace, a_trace_without_choices_is_refused)
{
    struct lfm_choices choices;
    struct lfm_trace *other;
    made.options.statistics_only = true;
    write_made_trace(&made, "s.h5");
    assert_ok(lfm_trace_open(&other, in_directory("s.h5"), &error));
    assert_fails(lfm_choices_read(&choices, other, &error), LFM_ERROR_MISMATCH, "has no 'router/selected'");
    lfm_trace_close(other);
}

Test(load_trace, a_stopped_trace_is_used_as_far_as_it_goes)
{
    struct lfm_trace_writer *writer;
    struct lfm_choices choices;
    struct lfm_trace *other;
    assert_ok(lfm_trace_writer_open(&writer, in_directory("i.h5"), &made.model, &made.provenance, &made.documents,
                                    &made.options, &error));
    for (size_t t = 0; t < 250; t += 50) write_made_piece(&made, writer, 0, t, 50);
    assert_ok(lfm_trace_writer_finish(writer, false, &error));
    lfm_trace_writer_close(writer);
    assert_ok(lfm_trace_open(&other, in_directory("i.h5"), &error));
    cr_assert_not(lfm_trace_information(other)->complete);
    assert_ok(lfm_choices_read(&choices, other, &error));
    cr_assert_eq(choices.tokens, 250);
    cr_assert_eq(choices.n_documents, 1);
    cr_assert_eq(choices.starts[1], 250);
    lfm_choices_release(&choices);
    lfm_trace_close(other);
}

Test(load_trace, a_dense_model_is_refused)
{
    struct lfm_choices choices;
    struct lfm_trace *other;
    struct lfm_config *config = &made.model.config;
    config->num_experts = config->num_experts_per_tok = config->moe_intermediate_size = 0;
    config->num_dense_layers = MADE_LAYERS;
    free(made.provenance.config);
    assert_ok(lfm_config_to_json(&made.provenance.config, config, &error));
    memset(made.options.selection.points, 0, sizeof made.options.selection.points);
    made.options.selection.points[LFM_POINT_RESIDUAL] = true;
    write_made_trace(&made, "d.h5");
    assert_ok(lfm_trace_open(&other, in_directory("d.h5"), &error));
    assert_fails(lfm_choices_read(&choices, other, &error), LFM_ERROR_MISMATCH, "the model has no experts");
    lfm_trace_close(other);
}

Test(load_trace, an_expert_chosen_twice_is_refused)
{
    struct lfm_trace_writer *writer;
    struct lfm_choices choices;
    struct lfm_trace *other;
    int32_t chosen[] = {0, 1, 4, 4};
    const int32_t ids[] = {0, 1};
    const struct lfm_announcement announcement = {.point = LFM_POINT_ROUTER_SELECTED, .layer = 2, .n_tokens = 2,
                                                  .width = MADE_CHOSEN, .selected = chosen};
    memset(made.options.selection.points, 0, sizeof made.options.selection.points);
    made.options.selection.points[LFM_POINT_ROUTER_SELECTED] = true;
    made.options.selection.layers[3] = false;
    assert_ok(lfm_trace_writer_open(&writer, in_directory("c.h5"), &made.model, &made.provenance, &made.documents,
                                    &made.options, &error));
    assert_ok(lfm_trace_writer_add_tokens(writer, 0, 0, ids, 2, &error));
    const struct lfm_observer *observer = lfm_trace_writer_observer(writer);
    assert_ok(observer->observe(observer->context, &announcement, &error));
    assert_ok(lfm_trace_writer_finish(writer, false, &error));
    lfm_trace_writer_close(writer);
    assert_ok(lfm_trace_open(&other, in_directory("c.h5"), &error));
    assert_fails(lfm_choices_read(&choices, other, &error), LFM_ERROR_FORMAT,
                 "token 1 of layer 2 chose expert 4 twice");
    lfm_trace_close(other);
}
