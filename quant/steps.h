/* Windows of a text on their way through models: step by step, so that memory does not grow with the window.
 *
 * A step takes as many tokens as the forward pass runs together. It holds several windows when they are short; a long
 * window goes on from step to step, and only the first state of a run ever grows beyond a step. Results are the same bits as
 * those of every window run alone. */
#ifndef LFM_QUANT_STEPS_H
#define LFM_QUANT_STEPS_H

#include "reference/base/error.h"
#include "reference/model/forward.h"
#include "reference/model/text.h"

#include <stdbool.h>

enum {
    LFM_STEP_TOKENS = 512, /* a piece of lfm_forward_batch */
    LFM_STEP_WINDOWS = 32
};

/* The tokens of one window within a step. */
struct lfm_step_part {
    size_t position, n;     /* positions position .. position + n - 1 of the window */
    size_t window_length;
    size_t token;           /* where they begin among the tokens of the step */
    size_t skipped, scored; /* rows without a score, and after them rows with one */
    size_t row;             /* the first of those among the scored rows of the step */
};

struct lfm_steps {
    struct lfm_windows *windows; /* borrowed */
    struct lfm_window window;    /* under way, with `done` tokens behind it */
    size_t done;
    bool pending;                /* there is such a window */

    struct lfm_step_part parts[LFM_STEP_WINDOWS];
    size_t n_parts;
    int32_t tokens[LFM_STEP_TOKENS];
    size_t n_tokens;
    int32_t targets[LFM_STEP_TOKENS]; /* of each scored row: the id that follows, and its own position in its window */
    size_t positions[LFM_STEP_TOKENS];
    size_t n_scored;
};

/* Starts at the first window. Scored rows come in the order of the windows. */
void lfm_steps_start(struct lfm_steps *steps, struct lfm_windows *windows);
/* Fills the next step; false after the last. */
bool lfm_steps_next(struct lfm_steps *steps);

/* One model running steps. */
struct lfm_step_runner {
    const struct lfm_model *model; /* borrowed */
    struct lfm_state *states[LFM_STEP_WINDOWS];
    float *hidden; /* [LFM_STEP_TOKENS,D] */
};

/* Fails unless the model can run the windows: its context is long enough, and all ids are in its vocabulary. */
enum lfm_status lfm_check_windows(const struct lfm_model *model, const struct lfm_windows *windows,
                                  struct lfm_error *error);
/* Checks the windows too. On failure nothing is owned. */
enum lfm_status lfm_step_runner_init(struct lfm_step_runner *runner, const struct lfm_model *model,
                                     const struct lfm_windows *windows, struct lfm_error *error);
void lfm_step_runner_release(struct lfm_step_runner *runner);

/* Runs the current step, which every runner must run in turn. hidden[n_scored,D] then holds the scored rows, ready for
 * lfm_logits. An observer, which may be NULL, hears of part i as sequence i. */
enum lfm_status lfm_step_run(struct lfm_step_runner *runner, const struct lfm_steps *steps,
                             const struct lfm_observer *observer, struct lfm_error *error);

#endif
