/* Injected and inherited errors: see inject.h. */
#include "quant/inject.h"

#include "quant/compare_inside.h"
#include "quant/steps.h"
#include "reference/base/memory.h"
#include "reference/model/ops.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* What one run put out in the current step: [num_hidden_layers, LFM_STEP_TOKENS, D] each. */
struct outputs {
    float *operator, *feed_forward, *residual;
};

struct injector {
    const struct lfm_config *config; /* the reference's */
    const struct lfm_model *reference;
    struct lfm_step_runner reference_runner;
    struct lfm_step_runner (*runners)[3]; /* [n] of each candidate: left alone, modules, layers */
    struct lfm_injection *injections;
    size_t n;
    struct lfm_steps steps;
    struct outputs expected, found;       /* of the reference, and of a candidate left alone */
    float *embedded, *candidate_embedded; /* [LFM_STEP_TOKENS,D] the tokens of the step */
    float *stream;                        /* [LFM_STEP_TOKENS,D] scratch */
    struct lfm_inside_recording routers;  /* the reference's decisions; its residual is not used */
    struct lfm_progress *progress;
    double run;                           /* tokens so far, over all runs */
};

/* A candidate's run: what its observer works with. */
struct candidate_run {
    struct injector *injector;
    struct lfm_injection *injection;
    const struct lfm_observer *routers; /* told of router points; NULL for none */
};

/* --- sums --- */

static double sum_of_squares(const float *x, size_t n)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++) sum += (double)x[i] * (double)x[i];
    return sum;
}

static double sum_of_differences(const float *x, const float *y, size_t n)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++) sum += ((double)x[i] - (double)y[i]) * ((double)x[i] - (double)y[i]);
    return sum;
}

static double relative(double error, double reference)
{
    return error == 0 ? 0 : sqrt(error / reference);
}

struct lfm_inject_figures lfm_inject_figures(const struct lfm_inject_sums *sums)
{
    struct lfm_inject_figures figures = {
        .injected = relative(sums->injected, sums->reference),
        .propagated = relative(sums->propagated, sums->reference),
        .total = relative(sums->total, sums->reference),
    };
    figures.inherited = figures.total - figures.injected;
    return figures;
}

/* --- rows of an announcement --- */

/* Where the announced tokens stand in the step, and which of them are scored. */
struct span {
    size_t row;          /* of the first token among the tokens of the step */
    size_t skip, scored; /* tokens without a score, and after them tokens with one */
};

static struct span span_of(const struct lfm_steps *steps, const struct lfm_announcement *announcement)
{
    const struct lfm_step_part *part = &steps->parts[announcement->sequence];
    size_t from = announcement->first_position - part->position, to = from + announcement->n_tokens;
    size_t first = from > part->skipped ? from : part->skipped, last = part->skipped + part->scored;
    if (to < last) last = to;
    if (first >= last) return (struct span){.row = part->token + from};
    return (struct span){part->token + from, first - from, last - first};
}

/* The rows of `buffer` [num_hidden_layers, LFM_STEP_TOKENS, D] from `row` on. */
static float *rows_at(float *buffer, size_t layer, size_t row, size_t D)
{
    return buffer + (layer * LFM_STEP_TOKENS + row) * D;
}

static float *output_of(struct outputs *outputs, enum lfm_point point)
{
    switch (point) {
    case LFM_POINT_OPERATOR: return outputs->operator;
    case LFM_POINT_FEED_FORWARD: return outputs->feed_forward;
    case LFM_POINT_RESIDUAL: return outputs->residual;
    default: return NULL;
    }
}

static struct lfm_inject_sums *sums_of(struct lfm_injection *injection, size_t layer, enum lfm_point point)
{
    struct lfm_inject_layer *sums = &injection->layers[layer];
    return point == LFM_POINT_OPERATOR ? &sums->operator : point == LFM_POINT_FEED_FORWARD ? &sums->feed_forward : &sums->layer;
}

/* The reference's stream as it enters layer l. */
static const float *entering(struct injector *injector, size_t layer, size_t row)
{
    size_t D = injector->config->hidden_size;
    return layer == 0 ? injector->embedded + row * D : rows_at(injector->expected.residual, layer - 1, row, D);
}

static bool is_router(enum lfm_point point)
{
    return point == LFM_POINT_ROUTER_LOGITS || point == LFM_POINT_ROUTER_WEIGHTS;
}

/* --- the observers --- */

static enum lfm_status tell(const struct lfm_observer *observer, const struct lfm_announcement *announcement,
                            struct lfm_error *error)
{
    return observer ? observer->observe(observer->context, announcement, error) : LFM_OK;
}

static void keep(struct outputs *outputs, const struct lfm_announcement *announcement, struct span span)
{
    float *output = output_of(outputs, announcement->point);
    size_t D = announcement->width;
    if (output)
        memcpy(rows_at(output, announcement->layer, span.row, D), announcement->values,
               announcement->n_tokens * D * sizeof *output);
}

/* The reference's run: keeps what its modules put out, and its routers' decisions. */
static enum lfm_status observe_reference(void *context, const struct lfm_announcement *announcement,
                                         struct lfm_error *error)
{
    struct injector *injector = context;
    const struct lfm_observer routers = lfm_inside_recording_observer(&injector->routers);
    if (is_router(announcement->point)) return tell(&routers, announcement, error);
    keep(&injector->expected, announcement, span_of(&injector->steps, announcement));
    return LFM_OK;
}

/* The candidate left alone: f_Q(x_Q). */
static enum lfm_status observe_alone(void *context, const struct lfm_announcement *announcement, struct lfm_error *error)
{
    struct candidate_run *run = context;
    struct injector *injector = run->injector;
    struct span span = span_of(&injector->steps, announcement);
    size_t D = announcement->width, n = span.scored * D;
    if (is_router(announcement->point)) return tell(run->routers, announcement, error);
    float *expected = output_of(&injector->expected, announcement->point);
    if (!expected) return LFM_OK;
    keep(&injector->found, announcement, span);
    struct lfm_inject_sums *sums = sums_of(run->injection, announcement->layer, announcement->point);
    expected = rows_at(expected, announcement->layer, span.row + span.skip, D);
    sums->reference += sum_of_squares(expected, n);
    sums->total += sum_of_differences(announcement->values + span.skip * D, expected, n);
    return LFM_OK;
}

/* Adds up what became of the reference's input: the announced values are f_Q(x_F). */
static void add_injected(struct candidate_run *run, const struct lfm_announcement *announcement, struct span span)
{
    struct injector *injector = run->injector;
    struct lfm_inject_sums *sums = sums_of(run->injection, announcement->layer, announcement->point);
    size_t D = announcement->width, row = span.row + span.skip, n = span.scored * D;
    const float *values = announcement->values + span.skip * D;
    const float *expected = rows_at(output_of(&injector->expected, announcement->point), announcement->layer, row, D);
    const float *found = rows_at(output_of(&injector->found, announcement->point), announcement->layer, row, D);
    sums->injected += sum_of_differences(values, expected, n);
    sums->propagated += sum_of_differences(found, values, n);
}

/* Every operator and feed-forward is given what the candidate's own norm makes of the reference's stream. */
static enum lfm_status observe_modules(void *context, const struct lfm_announcement *announcement, struct lfm_error *error)
{
    struct candidate_run *run = context;
    struct injector *injector = run->injector;
    const struct lfm_model *model = run->injection->model;
    const struct lfm_layer *layer = &model->layers[announcement->layer];
    struct span span = span_of(&injector->steps, announcement);
    size_t D = injector->config->hidden_size, T = announcement->n_tokens;
    const float *stream = entering(injector, announcement->layer, span.row);
    if (is_router(announcement->point)) return tell(run->routers, announcement, error);
    switch (announcement->point) {
    case LFM_POINT_OPERATOR_NORM:
        lfm_rmsnorm(announcement->values, stream, layer->operator_norm, T, D, model->config.norm_eps);
        break;
    case LFM_POINT_FFN_NORM:
        memcpy(injector->stream, stream, T * D * sizeof *stream);
        lfm_add(injector->stream, rows_at(injector->expected.operator, announcement->layer, span.row, D), T * D);
        lfm_rmsnorm(announcement->values, injector->stream, layer->ffn_norm, T, D, model->config.norm_eps);
        break;
    case LFM_POINT_OPERATOR:
    case LFM_POINT_FEED_FORWARD: add_injected(run, announcement, span); break;
    default: break;
    }
    return LFM_OK;
}

/* The reference's stream is put in after every layer. Nothing is announced before the first layer, whose stream is the
 * candidate's embedding e_Q: its operator is given the norm of e_F, and e_F - e_Q is added to what it puts out. */
static enum lfm_status observe_layers(void *context, const struct lfm_announcement *announcement, struct lfm_error *error)
{
    (void)error;
    struct candidate_run *run = context;
    struct injector *injector = run->injector;
    const struct lfm_model *model = run->injection->model;
    struct span span = span_of(&injector->steps, announcement);
    size_t D = injector->config->hidden_size, n = announcement->n_tokens * D;
    const float *embedded = injector->embedded + span.row * D, *own = injector->candidate_embedded + span.row * D;
    if (announcement->layer == 0 && announcement->point == LFM_POINT_OPERATOR_NORM)
        lfm_rmsnorm(announcement->values, embedded, model->layers[0].operator_norm, announcement->n_tokens, D,
                    model->config.norm_eps);
    if (announcement->layer == 0 && announcement->point == LFM_POINT_OPERATOR)
        for (size_t i = 0; i < n; i++) announcement->values[i] += embedded[i] - own[i];
    if (announcement->point != LFM_POINT_RESIDUAL) return LFM_OK;
    add_injected(run, announcement, span);
    memcpy(announcement->values, rows_at(injector->expected.residual, announcement->layer, span.row, D),
           n * sizeof *announcement->values);
    return LFM_OK;
}

/* --- a step --- */

static enum lfm_status run_step(struct injector *injector, struct lfm_step_runner *runner,
                                const struct lfm_observer *observer, struct lfm_error *error)
{
    if (lfm_interrupted()) return lfm_fail(error, LFM_ERROR_STOPPED, "interrupted after %.0f tokens", injector->run);
    LFM_TRY(lfm_step_run(runner, &injector->steps, observer, error));
    injector->run += (double)injector->steps.n_tokens;
    lfm_progress_update(injector->progress, injector->run);
    return LFM_OK;
}

static void embed(const struct injector *injector, const struct lfm_model *model, float *out)
{
    size_t D = injector->config->hidden_size;
    for (size_t t = 0; t < injector->steps.n_tokens; t++)
        lfm_matrix_decode_rows(&model->embed_tokens, (size_t)injector->steps.tokens[t], 1, out + t * D, D);
}

static void add_embedding(struct injector *injector, struct lfm_injection *injection)
{
    size_t D = injector->config->hidden_size;
    for (size_t i = 0; i < injector->steps.n_parts; i++) {
        const struct lfm_step_part *part = &injector->steps.parts[i];
        size_t at = (part->token + part->skipped) * D, n = part->scored * D;
        double error = sum_of_differences(injector->embedded + at, injector->candidate_embedded + at, n);
        injection->embedding.reference += sum_of_squares(injector->embedded + at, n);
        injection->embedding.injected += error;
        injection->embedding.total += error;
    }
}

static enum lfm_status run_candidate(struct injector *injector, size_t c, struct lfm_layer_sums *alone,
                                     struct lfm_layer_sums *given, struct lfm_error *error)
{
    struct lfm_injection *injection = &injector->injections[c];
    struct lfm_inside_comparer compare_alone = {&injector->routers, alone}, compare_given = {&injector->routers, given};
    const struct lfm_observer routers_alone = lfm_inside_observer(&compare_alone);
    const struct lfm_observer routers_given = lfm_inside_observer(&compare_given);
    struct candidate_run runs[3] = {{injector, injection, &routers_alone},
                                    {injector, injection, &routers_given},
                                    {injector, injection, NULL}};
    const struct lfm_observer observers[3] = {{observe_alone, &runs[0]}, {observe_modules, &runs[1]}, {observe_layers, &runs[2]}};
    embed(injector, injection->model, injector->candidate_embedded);
    add_embedding(injector, injection);
    for (size_t i = 0; i < 3; i++) LFM_TRY(run_step(injector, &injector->runners[c][i], &observers[i], error));
    for (size_t l = 0; l < injector->config->num_hidden_layers; l++) {
        lfm_router_merge(&injection->layers[l].router_total, &alone[l].router);
        lfm_router_merge(&injection->layers[l].router_injected, &given[l].router);
        alone[l] = given[l] = (struct lfm_layer_sums){0};
    }
    injection->positions += injector->steps.n_scored;
    return LFM_OK;
}

/* --- all of it --- */

enum lfm_status lfm_injection_init(struct lfm_injection *injection, const struct lfm_model *reference,
                                   const struct lfm_model *candidate, struct lfm_error *error)
{
    *injection = (struct lfm_injection){.model = candidate};
    if (reference->config.architecture != candidate->config.architecture)
        return lfm_fail(error, LFM_ERROR_MISMATCH, "cannot tell injected from inherited errors: '%s' is of another "
                        "architecture than the reference '%s', so that their modules do not correspond",
                        candidate->checkpoint->name, reference->checkpoint->name);
    return LFM_ALLOC(&injection->layers, candidate->config.num_hidden_layers, error);
}

void lfm_injection_release(struct lfm_injection *injection)
{
    free(injection->layers);
    *injection = (struct lfm_injection){0};
}

static enum lfm_status outputs_init(struct outputs *outputs, const struct lfm_config *config, struct lfm_error *error)
{
    size_t n = config->num_hidden_layers * LFM_STEP_TOKENS * config->hidden_size;
    LFM_TRY(LFM_ALLOC(&outputs->operator, n, error));
    LFM_TRY(LFM_ALLOC(&outputs->feed_forward, n, error));
    return LFM_ALLOC(&outputs->residual, n, error);
}

static void outputs_release(struct outputs *outputs)
{
    free(outputs->operator);
    free(outputs->feed_forward);
    free(outputs->residual);
}

static enum lfm_status injector_init(struct injector *injector, const struct lfm_windows *windows, struct lfm_error *error)
{
    const struct lfm_config *config = injector->config;
    size_t row = LFM_STEP_TOKENS * config->hidden_size;
    LFM_TRY(LFM_ALLOC(&injector->runners, injector->n, error));
    LFM_TRY(lfm_step_runner_init(&injector->reference_runner, injector->reference, windows, error));
    for (size_t c = 0; c < injector->n; c++)
        for (size_t i = 0; i < 3; i++)
            LFM_TRY(lfm_step_runner_init(&injector->runners[c][i], injector->injections[c].model, windows, error));
    LFM_TRY(outputs_init(&injector->expected, config, error));
    LFM_TRY(outputs_init(&injector->found, config, error));
    LFM_TRY(LFM_ALLOC(&injector->embedded, row, error));
    LFM_TRY(LFM_ALLOC(&injector->candidate_embedded, row, error));
    LFM_TRY(LFM_ALLOC(&injector->stream, row, error));
    return lfm_inside_recording_init(&injector->routers, config, &injector->steps, error);
}

static void injector_release(struct injector *injector)
{
    lfm_step_runner_release(&injector->reference_runner);
    for (size_t c = 0; injector->runners && c < injector->n; c++)
        for (size_t i = 0; i < 3; i++) lfm_step_runner_release(&injector->runners[c][i]);
    free(injector->runners);
    outputs_release(&injector->expected);
    outputs_release(&injector->found);
    free(injector->embedded);
    free(injector->candidate_embedded);
    free(injector->stream);
    lfm_inside_recording_release(&injector->routers);
}

enum lfm_status lfm_inject(struct lfm_injection *injections, size_t n, const struct lfm_model *reference,
                           struct lfm_windows *windows, struct lfm_progress *progress, struct lfm_error *error)
{
    struct injector injector = {.config = &reference->config, .reference = reference, .injections = injections, .n = n,
                                .progress = progress};
    const struct lfm_observer observer = {observe_reference, &injector};
    struct lfm_layer_sums *alone = NULL, *given = NULL;
    enum lfm_status status;
    LFM_TRY_DONE(LFM_ALLOC(&alone, reference->config.num_hidden_layers, error));
    LFM_TRY_DONE(LFM_ALLOC(&given, reference->config.num_hidden_layers, error));
    LFM_TRY_DONE(injector_init(&injector, windows, error));
    lfm_steps_start(&injector.steps, windows);
    while (lfm_steps_next(&injector.steps)) {
        embed(&injector, reference, injector.embedded);
        LFM_TRY_DONE(run_step(&injector, &injector.reference_runner, &observer, error));
        for (size_t c = 0; c < n; c++) LFM_TRY_DONE(run_candidate(&injector, c, alone, given, error));
    }

done:
    injector_release(&injector);
    free(alone);
    free(given);
    return status;
}
