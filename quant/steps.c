/* Windows in steps: see steps.h. */
#include "quant/steps.h"

#include "reference/base/memory.h"

#include <stdlib.h>
#include <string.h>

void lfm_steps_start(struct lfm_steps *steps, struct lfm_windows *windows)
{
    *steps = (struct lfm_steps){.windows = windows};
    lfm_windows_rewind(windows);
    steps->pending = lfm_windows_next(windows, &steps->window);
}

static size_t smaller(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* Whether the window under way can join the step: it begins the step, or fits into what is left of it. */
static bool joins(const struct lfm_steps *steps)
{
    if (!steps->pending || steps->n_parts == LFM_STEP_WINDOWS) return false;
    return steps->n_parts == 0 || steps->window.n <= LFM_STEP_TOKENS - steps->n_tokens;
}

/* Takes what fits of the window under way. */
static void take_part(struct lfm_steps *steps)
{
    const struct lfm_window *window = &steps->window;
    struct lfm_step_part *part = &steps->parts[steps->n_parts++];
    size_t end = window->first + window->count;
    *part = (struct lfm_step_part){
        .position = steps->done,
        .n = smaller(window->n - steps->done, LFM_STEP_TOKENS - steps->n_tokens),
        .window_length = window->n,
        .token = steps->n_tokens,
        .row = steps->n_scored,
    };
    memcpy(steps->tokens + part->token, window->tokens + part->position, part->n * sizeof *steps->tokens);
    for (size_t i = 0; i < part->n; i++) {
        size_t position = part->position + i;
        part->skipped += position < window->first;
        if (position < window->first || position >= end) continue;
        part->scored++;
        steps->targets[steps->n_scored] = window->tokens[position + 1];
        steps->positions[steps->n_scored++] = position;
    }
    steps->n_tokens += part->n;
    steps->done += part->n;
}

bool lfm_steps_next(struct lfm_steps *steps)
{
    steps->n_parts = steps->n_tokens = steps->n_scored = 0;
    while (joins(steps)) {
        take_part(steps);
        if (steps->done < steps->window.n) break;
        steps->done = 0;
        steps->pending = lfm_windows_next(steps->windows, &steps->window);
    }
    return steps->n_parts > 0;
}

enum lfm_status lfm_check_windows(const struct lfm_model *model, const struct lfm_windows *windows,
                                  struct lfm_error *error)
{
    const struct lfm_config *config = &model->config;
    const struct lfm_documents *documents = windows->documents;
    if (windows->longest > config->max_position_embeddings)
        return lfm_fail(error, LFM_ERROR_LIMIT, "windows of %zu tokens are longer than the %zu positions of '%s'; use "
                        "--context %zu or less", windows->longest, config->max_position_embeddings,
                        model->checkpoint->name, config->max_position_embeddings);
    for (size_t i = 0; i < documents->count; i++)
        for (size_t t = 0; t < documents->items[i].tokens.count; t++) {
            int32_t id = documents->items[i].tokens.ids[t];
            if (id < 0 || (size_t)id >= config->vocab_size)
                return lfm_fail(error, LFM_ERROR_MISMATCH, "%s: token %zu has id %d, but '%s' has a vocabulary of %zu",
                                documents->items[i].name, t, (int)id, model->checkpoint->name, config->vocab_size);
        }
    return LFM_OK;
}

enum lfm_status lfm_step_runner_init(struct lfm_step_runner *runner, const struct lfm_model *model,
                                     const struct lfm_windows *windows, struct lfm_error *error)
{
    *runner = (struct lfm_step_runner){.model = model};
    LFM_TRY(lfm_check_windows(model, windows, error));
    return LFM_ALLOC(&runner->hidden, LFM_STEP_TOKENS * model->config.hidden_size, error);
}

void lfm_step_runner_release(struct lfm_step_runner *runner)
{
    for (size_t i = 0; i < LFM_STEP_WINDOWS; i++) lfm_state_free(runner->states[i]);
    free(runner->hidden);
    *runner = (struct lfm_step_runner){0};
}

/* The state of a part: a fresh one with room for the whole window where the window begins. */
static enum lfm_status prepare_state(struct lfm_step_runner *runner, size_t i, const struct lfm_step_part *part,
                                     struct lfm_error *error)
{
    struct lfm_state **state = &runner->states[i];
    if (part->position > 0) return LFM_OK;
    if (!*state) LFM_TRY(lfm_state_new(state, runner->model, error));
    lfm_state_clear(*state);
    return lfm_state_reserve(*state, part->window_length, error);
}

/* Moves the scored rows of hidden[LFM_STEP_TOKENS,D] to its front; none moves back. */
static void collect_scored(float *hidden, const struct lfm_steps *steps, size_t D)
{
    for (size_t i = 0; i < steps->n_parts; i++) {
        const struct lfm_step_part *part = &steps->parts[i];
        memmove(hidden + part->row * D, hidden + (part->token + part->skipped) * D, part->scored * D * sizeof *hidden);
    }
}

enum lfm_status lfm_step_run(struct lfm_step_runner *runner, const struct lfm_steps *steps,
                             const struct lfm_observer *observer, struct lfm_error *error)
{
    struct lfm_sequence sequences[LFM_STEP_WINDOWS];
    size_t D = runner->model->config.hidden_size;
    for (size_t i = 0; i < steps->n_parts; i++) {
        const struct lfm_step_part *part = &steps->parts[i];
        LFM_TRY(prepare_state(runner, i, part, error));
        sequences[i] = (struct lfm_sequence){runner->states[i], steps->tokens + part->token, part->n,
                                             runner->hidden + part->token * D};
    }
    LFM_TRY(lfm_forward_batch(runner->model, sequences, steps->n_parts, observer, error));
    collect_scored(runner->hidden, steps, D);
    return LFM_OK;
}
