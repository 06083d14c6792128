/* Timing prefill and decode. See bench.h.
 *
 * Token ids are random: speed does not depend on them, except that they choose the experts, which is why the experts are
 * counted on the very tokens that are timed. Sampling is not part of what is timed; the logits of every decoded token
 * are, and those of the last token of a prompt. */
#include "quant/bench.h"

#include "reference/base/memory.h"
#include "reference/model/forward.h"
#include "reference/model/state.h"

#include <gsl/gsl_rng.h>
#include <math.h>
#include <stdlib.h>

enum { PIECE = 512 }; /* tokens between two looks for Ctrl-C: as many as run through the layers together */

struct bench {
    const struct lfm_model *model;
    const struct lfm_bench_options *options;
    struct lfm_bandwidth *bandwidth;
    const struct lfm_energy *energy;
    double *done;
    struct lfm_progress *progress;
    struct lfm_error *error;

    struct lfm_state *base;     /* what every measurement at the present depth starts from */
    struct lfm_state **states;  /* [most sequences] */
    struct lfm_sequence *batch; /* [most sequences] */
    size_t most;                /* sequences, at least 1 */
    int32_t *tokens;            /* [n_tokens] random ids */
    size_t n_tokens;
    float *hidden, *logits;
    double *rates, *joules;     /* [repeats] */
};

static size_t largest(const size_t *values, size_t n)
{
    size_t most = 0;
    for (size_t i = 0; i < n; i++) most = values[i] > most ? values[i] : most;
    return most;
}

enum lfm_status lfm_bench_check(const struct lfm_model *model, const struct lfm_bench_options *options,
                                struct lfm_error *error)
{
    size_t limit = model->config.max_position_embeddings, deepest = largest(options->contexts, options->n_contexts);
    size_t added = options->prompt_tokens > options->decode_tokens ? options->prompt_tokens : options->decode_tokens;
    if (added == 0 || options->repeats == 0)
        return lfm_fail(error, LFM_ERROR_ARGUMENT, "there is nothing to measure: expected tokens and repeats");
    for (size_t i = 0; i < options->n_batches; i++)
        if (options->batches[i] == 0) return lfm_fail(error, LFM_ERROR_ARGUMENT, "a batch has at least one sequence");
    if (added > limit || deepest > limit - added)
        return lfm_fail(error, LFM_ERROR_LIMIT, "%zu tokens after a context of %zu exceed the model's limit of %zu", added,
                        deepest, limit);
    return LFM_OK;
}

double lfm_bench_tokens(const struct lfm_bench_options *options)
{
    double runs = (double)options->repeats + 1, tokens = 0, sequences = 0; /* one run to warm up */
    for (size_t i = 0; i < options->n_batches; i++) sequences += (double)options->batches[i];
    for (size_t i = 0; i < options->n_contexts; i++)
        tokens += (double)options->contexts[i] + runs * (double)options->prompt_tokens +
                  runs * sequences * (double)options->decode_tokens;
    return tokens;
}

/* --- touching --- */

struct touching {
    struct lfm_progress *progress;
    double done;
};

static enum lfm_status touch(void *context, const char *name, struct lfm_matrix *matrix, struct lfm_error *error)
{
    enum { PAGE = 4096 };
    struct touching *touching = context;
    const volatile uint8_t *data = matrix->data;
    size_t bytes = matrix->rows * matrix->row_bytes;
    if (lfm_interrupted()) return lfm_fail(error, LFM_ERROR_STOPPED, "stopped while reading '%s'", name);
#pragma omp parallel for schedule(static)
    for (size_t i = 0; i < bytes; i += PAGE) (void)data[i];
    touching->done += (double)bytes;
    lfm_progress_update(touching->progress, touching->done);
    return LFM_OK;
}

enum lfm_status lfm_bench_touch(struct lfm_model *model, struct lfm_progress *progress, struct lfm_error *error)
{
    struct touching touching = {.progress = progress};
    return lfm_model_each_matrix(model, touch, &touching, error);
}

/* --- running --- */

static enum lfm_status advance(struct bench *bench, size_t tokens)
{
    *bench->done += (double)tokens;
    lfm_progress_update(bench->progress, *bench->done);
    if (lfm_interrupted()) return lfm_fail(bench->error, LFM_ERROR_STOPPED, "interrupted");
    return LFM_OK;
}

/* Appends n random tokens to a state; the last one's logits are computed when they are wanted. */
static enum lfm_status run_prompt(struct bench *bench, struct lfm_state *state, size_t n, bool logits)
{
    for (size_t first = 0; first < n; first += PIECE) {
        size_t count = n - first < PIECE ? n - first : PIECE;
        bool last = first + count == n;
        float *hidden = logits && last ? bench->hidden : NULL;
        const int32_t *tokens = bench->tokens + first % bench->n_tokens;
        LFM_TRY(lfm_forward(bench->model, state, tokens, count, NULL, hidden, bench->error));
        if (hidden) {
            const float *last_hidden = hidden + (count - 1) * bench->model->config.hidden_size;
            LFM_TRY(lfm_logits(bench->model, last_hidden, 1, bench->logits, bench->error));
        }
        LFM_TRY(advance(bench, count));
    }
    return LFM_OK;
}

/* Decodes `steps` tokens of n sequences. Steps are counted in `use` when it is given. */
static enum lfm_status run_steps(struct bench *bench, size_t n, size_t steps, struct lfm_expert_use *use)
{
    size_t D = bench->model->config.hidden_size;
    const struct lfm_observer observer = {lfm_expert_use_observe, use};
    for (size_t step = 0; step < steps; step++) {
        for (size_t i = 0; i < n; i++)
            bench->batch[i] = (struct lfm_sequence){
                bench->states[i], bench->tokens + (step * n + i) % bench->n_tokens, 1, bench->hidden + i * D};
        if (use) lfm_expert_use_step(use);
        LFM_TRY(lfm_forward_batch(bench->model, bench->batch, n, use ? &observer : NULL, bench->error));
        LFM_TRY(lfm_logits(bench->model, bench->hidden, n, bench->logits, bench->error));
        LFM_TRY(advance(bench, n));
    }
    return LFM_OK;
}

/* What is timed: a prompt of one sequence, or the steps of a batch. */
struct run {
    size_t batch, tokens; /* tokens of each sequence */
    bool prompt;
};

/* Puts the sequences of a run where the base is, with room for its tokens. */
static enum lfm_status fork_states(struct bench *bench, const struct run *run)
{
    for (size_t i = 0; i < run->batch; i++) {
        LFM_TRY(lfm_state_copy(bench->states[i], bench->base, bench->error));
        LFM_TRY(lfm_state_reserve(bench->states[i], run->tokens, bench->error));
    }
    return LFM_OK;
}

static enum lfm_status execute(struct bench *bench, const struct run *run, struct lfm_expert_use *use)
{
    return run->prompt ? run_prompt(bench, bench->states[0], run->tokens, true)
                       : run_steps(bench, run->batch, run->tokens, use);
}

/* Repeats a run: tokens per second, and joules per token. The bandwidth is sampled afterwards, as often: that leaves the
 * caches as the run before left them. */
static enum lfm_status time_run(struct bench *bench, const struct run *run, struct lfm_spread *rate, double *joules)
{
    double tokens = (double)(run->batch * run->tokens);
    for (size_t r = 0; r < bench->options->repeats; r++) {
        LFM_TRY(fork_states(bench, run));
        struct lfm_energy_reading before = lfm_energy_read(bench->energy);
        double start = lfm_seconds();
        LFM_TRY(execute(bench, run, NULL));
        bench->rates[r] = tokens / (lfm_seconds() - start);
        bench->joules[r] = lfm_energy_since(bench->energy, &before) / tokens;
    }
    for (size_t r = 0; r < bench->options->repeats; r++) LFM_TRY(lfm_bandwidth_measure(bench->bandwidth, bench->error));
    *rate = lfm_spread_of(bench->rates, bench->options->repeats);
    *joules = isfinite(bench->joules[0]) ? lfm_spread_of(bench->joules, bench->options->repeats).median : NAN;
    return LFM_OK;
}

static enum lfm_status measure_prefill(struct bench *bench, struct lfm_bench_row *row)
{
    const struct run run = {1, bench->options->prompt_tokens, true};
    row->prefill = lfm_spread_of(NULL, 0);
    row->prefill_joules = NAN;
    if (run.tokens == 0) return LFM_OK;
    LFM_TRY(fork_states(bench, &run));
    LFM_TRY(execute(bench, &run, NULL));
    return time_run(bench, &run, &row->prefill, &row->prefill_joules);
}

/* The run that warms up is the one whose experts are counted: an observer slows down. */
static enum lfm_status measure_decode(struct bench *bench, struct lfm_bench_row *row)
{
    const struct run run = {row->batch, bench->options->decode_tokens, false};
    struct lfm_expert_use use;
    row->decode = lfm_spread_of(NULL, 0);
    row->decode_joules = row->distinct_experts = NAN;
    row->bytes = (struct lfm_step_bytes){NAN, NAN, NAN, NAN};
    if (run.tokens == 0) return LFM_OK;
    enum lfm_status status;
    LFM_TRY(lfm_expert_use_open(&use, bench->model, bench->error));
    LFM_TRY_DONE(fork_states(bench, &run));
    LFM_TRY_DONE(execute(bench, &run, &use));
    row->bytes = lfm_step_bytes(bench->model, &use, row->batch, row->context, run.tokens);
    row->distinct_experts = lfm_expert_use_mean(&use);
    status = time_run(bench, &run, &row->decode, &row->decode_joules);
done:
    lfm_expert_use_close(&use);
    return status;
}

static enum lfm_status measure_depth(struct bench *bench, struct lfm_bench_row *rows, size_t context)
{
    const struct lfm_bench_options *options = bench->options;
    lfm_state_clear(bench->base);
    LFM_TRY(run_prompt(bench, bench->base, context, false));
    for (size_t i = 0; i < options->n_batches; i++) {
        rows[i].batch = options->batches[i];
        rows[i].context = context;
        if (i == 0) LFM_TRY(measure_prefill(bench, &rows[0]));
        rows[i].prefill = rows[0].prefill;
        rows[i].prefill_joules = rows[0].prefill_joules;
        LFM_TRY(measure_decode(bench, &rows[i]));
    }
    return LFM_OK;
}

static enum lfm_status draw_tokens(struct bench *bench)
{
    enum { FEWEST = 1 << 16 };
    bench->n_tokens = FEWEST;
    LFM_TRY(LFM_ALLOC(&bench->tokens, bench->n_tokens + PIECE, bench->error)); /* a piece may run over the end */
    gsl_rng *random = gsl_rng_alloc(gsl_rng_mt19937);
    if (!random) return lfm_fail(bench->error, LFM_ERROR_MEMORY, "out of memory");
    gsl_rng_set(random, (unsigned long)bench->options->seed);
    for (size_t i = 0; i < bench->n_tokens + PIECE; i++)
        bench->tokens[i] = (int32_t)gsl_rng_uniform_int(random, bench->model->config.vocab_size);
    gsl_rng_free(random);
    return LFM_OK;
}

static enum lfm_status prepare(struct bench *bench)
{
    const struct lfm_config *config = &bench->model->config;
    struct lfm_error *error = bench->error;
    bench->most = largest(bench->options->batches, bench->options->n_batches);
    if (bench->most == 0) bench->most = 1;
    size_t rows = bench->most > PIECE ? bench->most : PIECE;
    LFM_TRY(draw_tokens(bench));
    LFM_TRY(LFM_ALLOC(&bench->hidden, rows * config->hidden_size, error));
    LFM_TRY(LFM_ALLOC(&bench->logits, bench->most * config->vocab_size, error));
    LFM_TRY(LFM_ALLOC(&bench->rates, bench->options->repeats, error));
    LFM_TRY(LFM_ALLOC(&bench->joules, bench->options->repeats, error));
    LFM_TRY(LFM_ALLOC(&bench->batch, bench->most, error));
    LFM_TRY(LFM_ALLOC(&bench->states, bench->most, error));
    for (size_t i = 0; i < bench->most; i++) LFM_TRY(lfm_state_new(&bench->states[i], bench->model, error));
    return lfm_state_new(&bench->base, bench->model, error);
}

static void release(struct bench *bench)
{
    for (size_t i = 0; bench->states && i < bench->most; i++) lfm_state_free(bench->states[i]);
    lfm_state_free(bench->base);
    void *const owned[] = {bench->states, bench->batch, bench->tokens, bench->hidden, bench->logits, bench->rates,
                           bench->joules};
    for (size_t i = 0; i < sizeof owned / sizeof owned[0]; i++) free(owned[i]);
}

enum lfm_status lfm_bench(struct lfm_bench_row *rows, const struct lfm_model *model,
                          const struct lfm_bench_options *options, struct lfm_bandwidth *bandwidth,
                          const struct lfm_energy *energy, double *done, struct lfm_progress *progress,
                          struct lfm_error *error)
{
    struct bench bench = {.model = model, .options = options, .bandwidth = bandwidth, .energy = energy, .done = done,
                          .progress = progress, .error = error};
    LFM_TRY(lfm_bench_check(model, options, error));
    enum lfm_status status = prepare(&bench);
    for (size_t i = 0; status == LFM_OK && i < options->n_contexts; i++)
        status = measure_depth(&bench, rows + i * options->n_batches, options->contexts[i]);
    release(&bench);
    return status;
}
