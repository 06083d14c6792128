/* bench: what is counted, by hand; that rates are there; no timing is asserted. */
#include "quant/bench.h"
#include "reference/base/file.h"
#include "reference/model/forward.h"
#include "reference/model/state.h"
#include "tests/unit/assert.h"
#include "tests/unit/directory.h"

#include <omp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define GOLDEN "tests/golden/model/"

static struct lfm_error error;

static struct lfm_model *open_model(const char *path)
{
    struct lfm_model *model;
    assert_ok(lfm_model_open(&model, path, NULL, &error));
    return model;
}

/* --- spreads --- */

Test(bench, spread_is_median_and_range)
{
    double odd[] = {3, 1, 2}, even[] = {4, 1, 3, 2};
    struct lfm_spread spread = lfm_spread_of(odd, 3);
    cr_assert(spread.median == 2 && spread.low == 1 && spread.high == 3);
    cr_assert(lfm_spread_of(even, 4).median == 2.5);
    cr_assert(isnan(lfm_spread_of(NULL, 0).median));
}

/* --- what a step reads --- */

static void announce(struct lfm_expert_use *use, size_t layer, size_t sequence, int32_t first, int32_t second)
{
    int32_t chosen[] = {first, second};
    struct lfm_announcement announcement = {.point = LFM_POINT_ROUTER_SELECTED, .layer = layer, .sequence = sequence,
                                            .n_tokens = 1, .width = 2, .selected = chosen};
    assert_ok(lfm_expert_use_observe(use, &announcement, &error));
}

Test(bench, experts_are_counted_once_per_step_and_layer)
{
    struct lfm_model *model = open_model(GOLDEN "moe-bf16");
    struct lfm_expert_use use;
    size_t layers = 0, last = 0;
    for (size_t l = 0; l < model->config.num_hidden_layers; l++)
        if (lfm_layer_is_moe(&model->config, l)) last = l, layers++;
    cr_assert_gt(layers, 0);
    assert_ok(lfm_expert_use_open(&use, model, &error));
    cr_assert(isnan(lfm_expert_use_mean(&use)));

    lfm_expert_use_step(&use);
    announce(&use, last, 0, 0, 1);
    announce(&use, last, 1, 1, 2); /* expert 1 is read already */
    lfm_expert_use_step(&use);
    announce(&use, last, 0, 0, 1); /* a new step reads again */
    size_t one = lfm_matrix_bytes(&model->layers[last].experts[0].w1);
    assert_near(use.chosen, 5, 0);
    assert_near(use.bytes, 5.0 * 3 * (double)one, 0); /* w1, w3 and w2 are of one size */
    assert_near(lfm_expert_use_mean(&use), 5.0 / 2 / (double)layers, 1e-12);
    lfm_expert_use_close(&use);
    lfm_model_close(model);
}

Test(bench, points_other_than_the_choice_are_not_counted)
{
    struct lfm_model *model = open_model(GOLDEN "moe-bf16");
    struct lfm_expert_use use;
    float values[4] = {0};
    struct lfm_announcement announcement = {.point = LFM_POINT_ROUTER_WEIGHTS, .layer = 1, .n_tokens = 1, .width = 2,
                                            .values = values};
    assert_ok(lfm_expert_use_open(&use, model, &error));
    lfm_expert_use_step(&use);
    assert_ok(lfm_expert_use_observe(&use, &announcement, &error));
    assert_near(use.chosen, 0, 0);
    lfm_expert_use_close(&use);
    lfm_model_close(model);
}

/* All weights once, and what tying and batches add. A dense model uses every weight in every step. */
Test(bench, a_dense_step_reads_every_weight_once)
{
    struct lfm_model *model = open_model(GOLDEN "llama-untied");
    const struct lfm_config *config = &model->config;
    struct lfm_expert_use use;
    assert_ok(lfm_expert_use_open(&use, model, &error));
    double matrices = 0;
    for (size_t l = 0; l < config->num_hidden_layers; l++) {
        const struct lfm_layer *layer = &model->layers[l];
        const struct lfm_matrix *of_layer[] = {&layer->q_proj, &layer->k_proj, &layer->v_proj, &layer->out_proj,
                                               &layer->dense.w1, &layer->dense.w2, &layer->dense.w3};
        for (size_t i = 0; i < sizeof of_layer / sizeof of_layer[0]; i++) matrices += (double)lfm_matrix_bytes(of_layer[i]);
    }
    double norms = 4.0 * (double)(config->hidden_size * (2 * config->num_hidden_layers + 1));
    double head = (double)lfm_matrix_bytes(&model->lm_head), row = (double)model->embed_tokens.row_bytes;
    struct lfm_step_bytes one = lfm_step_bytes(model, &use, 1, 0, 1), three = lfm_step_bytes(model, &use, 3, 0, 1);
    assert_near(one.weights, matrices + norms + head + row, 0);
    assert_near(three.weights - one.weights, 2 * row, 0);
    assert_near(one.experts, 0, 0);
    assert_near(one.state, 0, 0);
    /* FP32 keys and values of one token, the step's own. */
    assert_near(one.kv, 8.0 * (double)(config->num_hidden_layers * config->num_key_value_heads * config->head_dim), 0);
    assert_near(three.kv, 3 * one.kv, 0);
    assert_near(lfm_step_bytes_total(&three), three.weights + three.kv, 0);
    lfm_expert_use_close(&use);
    lfm_model_close(model);
}

Test(bench, keys_and_values_are_those_of_the_middle_of_the_run)
{
    struct lfm_model *model = open_model(GOLDEN "moe-bf16");
    struct lfm_expert_use use;
    assert_ok(lfm_expert_use_open(&use, model, &error));
    double per_token = lfm_step_bytes(model, &use, 1, 0, 1).kv;
    assert_near(lfm_step_bytes(model, &use, 1, 100, 9).kv, 105 * per_token, 1e-6);
    cr_assert_gt(lfm_step_bytes(model, &use, 1, 0, 1).state, 0);
    lfm_expert_use_close(&use);
    lfm_model_close(model);
}

/* --- the machine --- */

Test(bench, bandwidth_is_sampled_once_per_pass)
{
    struct lfm_bandwidth bandwidth;
    assert_ok(lfm_bandwidth_open(&bandwidth, 1 << 20, &error));
    cr_assert(isnan(lfm_bandwidth_spread(&bandwidth).median));
    for (int i = 0; i < 3; i++) assert_ok(lfm_bandwidth_measure(&bandwidth, &error));
    struct lfm_spread spread = lfm_bandwidth_spread(&bandwidth);
    cr_assert_eq(bandwidth.n, 3);
    cr_assert(spread.low > 0 && spread.low <= spread.median && spread.median <= spread.high);
    lfm_bandwidth_close(&bandwidth);
}

Test(bench, bandwidth_buffers_of_odd_sizes_are_read_within_their_bounds)
{
    omp_set_num_threads(3);
    for (size_t bytes = 1; bytes < 3000; bytes += 611) {
        struct lfm_bandwidth bandwidth;
        assert_ok(lfm_bandwidth_open(&bandwidth, bytes, &error));
        cr_assert_leq(bandwidth.bytes, bytes);
        assert_ok(lfm_bandwidth_measure(&bandwidth, &error));
        lfm_bandwidth_close(&bandwidth);
    }
}

static void add_domain(const char *folder, const char *name, const char *joules)
{
    const char *const files[][2] = {
        {"name", name}, {"energy_uj", joules}, {"max_energy_range_uj", "1000000000\n"}};
    for (size_t i = 0; i < 3; i++) {
        char path[64];
        snprintf(path, sizeof path, "%s/%s", folder, files[i][0]);
        write_text(path, files[i][1]);
    }
}

Test(bench, energy_is_that_of_packages_and_survives_a_counter_that_starts_again, .init = make_directory,
     .fini = remove_directory)
{
    struct lfm_energy energy;
    add_domain("intel-rapl:0", "package-0\n", "5000000\n");
    add_domain("intel-rapl:0:0", "core\n", "7000000\n"); /* part of the package */
    add_domain("intel-rapl:1", "package-1\n", "999000000\n");
    assert_ok(lfm_energy_open(&energy, in_directory(""), &error));
    cr_assert_eq(energy.n, 2);
    struct lfm_energy_reading before = lfm_energy_read(&energy);
    add_domain("intel-rapl:0", "package-0\n", "5500000\n");
    add_domain("intel-rapl:1", "package-1\n", "2000000\n");
    assert_near(lfm_energy_since(&energy, &before), 0.5 + 3, 1e-9);
    lfm_energy_close(&energy);
}

Test(bench, a_machine_without_counters_has_no_energy, .init = make_directory, .fini = remove_directory)
{
    struct lfm_energy energy;
    assert_ok(lfm_energy_open(&energy, in_directory("there-is-none"), &error));
    cr_assert_eq(energy.n, 0);
    struct lfm_energy_reading before = lfm_energy_read(&energy);
    cr_assert(isnan(lfm_energy_since(&energy, &before)));
    lfm_energy_close(&energy);
}

/* --- measuring --- */

static const size_t batches[] = {1, 3}, contexts[] = {0, 5};

static struct lfm_bench_options small_options(void)
{
    return (struct lfm_bench_options){.prompt_tokens = 7, .decode_tokens = 4, .repeats = 2, .batches = batches,
                                      .n_batches = 2, .contexts = contexts, .n_contexts = 2, .seed = 1};
}

static enum lfm_status run(struct lfm_bench_row *rows, const struct lfm_model *model,
                           const struct lfm_bench_options *options, double *done, size_t *samples)
{
    struct lfm_bandwidth bandwidth;
    struct lfm_energy energy = {0};
    assert_ok(lfm_bandwidth_open(&bandwidth, 1 << 16, &error));
    enum lfm_status status = lfm_bench(rows, model, options, &bandwidth, &energy, done, NULL, &error);
    *samples = bandwidth.n;
    lfm_bandwidth_close(&bandwidth);
    return status;
}

Test(bench, measures_every_batch_at_every_depth)
{
    struct lfm_model *model = open_model(GOLDEN "moe-bf16");
    struct lfm_bench_options options = small_options();
    struct lfm_bench_row rows[4];
    double done = 0;
    size_t samples;
    assert_ok(run(rows, model, &options, &done, &samples));
    for (size_t i = 0; i < 4; i++) {
        cr_assert_eq(rows[i].batch, batches[i % 2]);
        cr_assert_eq(rows[i].context, contexts[i / 2]);
        cr_assert(rows[i].prefill.low > 0 && rows[i].prefill.low <= rows[i].prefill.high);
        cr_assert(rows[i].decode.low > 0 && rows[i].decode.low <= rows[i].decode.high);
        cr_assert(isnan(rows[i].decode_joules));
        double K = (double)model->config.num_experts_per_tok;
        double most = fmin(K * (double)rows[i].batch, (double)model->config.num_experts);
        cr_assert(rows[i].distinct_experts >= K && rows[i].distinct_experts <= most);
    }
    assert_near(rows[0].distinct_experts, (double)model->config.num_experts_per_tok, 0);
    cr_assert_gt(rows[2].bytes.kv, rows[0].bytes.kv);
    assert_near(done, lfm_bench_tokens(&options), 0);
    cr_assert_eq(samples, 2 * (1 + 2) * 2); /* depths x (prefill + batches) x repeats */
    lfm_model_close(model);
}

Test(bench, one_rate_can_be_left_out)
{
    struct lfm_model *model = open_model(GOLDEN "llama-untied");
    struct lfm_bench_options options = small_options();
    struct lfm_bench_row rows[4];
    double done = 0;
    size_t samples;
    options.prompt_tokens = 0;
    assert_ok(run(rows, model, &options, &done, &samples));
    cr_assert(isnan(rows[0].prefill.median) && rows[0].decode.median > 0);
    cr_assert(isnan(rows[0].distinct_experts));
    options.prompt_tokens = 7;
    options.decode_tokens = 0;
    assert_ok(run(rows, model, &options, &done, &samples));
    cr_assert(rows[0].prefill.median > 0 && isnan(rows[0].decode.median));
    lfm_model_close(model);
}

Test(bench, refuses_what_cannot_be_measured)
{
    struct lfm_model *model = open_model(GOLDEN "moe-bf16");
    struct lfm_bench_options options = small_options();
    static const size_t nothing[] = {0}, deep[] = {(size_t)1 << 30};
    options.repeats = 0;
    assert_fails(lfm_bench_check(model, &options, &error), LFM_ERROR_ARGUMENT, "nothing to measure");
    options = small_options();
    options.prompt_tokens = options.decode_tokens = 0;
    assert_fails(lfm_bench_check(model, &options, &error), LFM_ERROR_ARGUMENT, "nothing to measure");
    options = small_options();
    options.batches = nothing;
    options.n_batches = 1;
    assert_fails(lfm_bench_check(model, &options, &error), LFM_ERROR_ARGUMENT, "at least one sequence");
    options = small_options();
    options.contexts = deep;
    options.n_contexts = 1;
    assert_fails(lfm_bench_check(model, &options, &error), LFM_ERROR_LIMIT, "exceed the model's limit");
    lfm_model_close(model);
}

Test(bench, stops_when_interrupted)
{
    struct lfm_model *model = open_model(GOLDEN "moe-bf16");
    struct lfm_bench_options options = small_options();
    struct lfm_bench_row rows[4];
    double done = 0;
    size_t samples;
    lfm_catch_interrupts();
    raise(SIGINT);
    cr_assert_eq(run(rows, model, &options, &done, &samples), LFM_ERROR_STOPPED);
    assert_fails(lfm_bench_touch(model, NULL, &error), LFM_ERROR_STOPPED, "stopped");
    lfm_model_close(model);
}
