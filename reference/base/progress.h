/* Progress: work announces how far it is, the command layer shows it.
 *
 * Work takes a `struct lfm_progress *` (may be NULL) and calls lfm_progress_update. Only the command layer
 * starts one; it draws a bar on stderr when that is a terminal and the user did not say --quiet. */
#ifndef LFM_BASE_PROGRESS_H
#define LFM_BASE_PROGRESS_H

#include <stdbool.h>

struct lfm_progress {
    const char *label; /* what is being done, "quantizing" */
    const char *unit;  /* what is counted, "tokens" */
    double total;      /* of `unit`; 0 when it is not known */
    double before;     /* what earlier parts of the work did, which the present one does not count */
    bool visible;
    double started;    /* seconds, monotonic */
    double drawn;      /* when the bar was last drawn */
};

/* Starts a bar. `quiet` suppresses it. */
void lfm_progress_start(struct lfm_progress *progress, const char *label, const char *unit, double total, bool quiet);
/* Draws at most ten times a second. NULL is fine. */
void lfm_progress_update(struct lfm_progress *progress, double done);
/* Wipes the bar. NULL is fine. */
void lfm_progress_finish(struct lfm_progress *progress);

/* Seconds of a monotonic clock. */
double lfm_seconds(void);

/* True after Ctrl-C or SIGTERM: long work looks at this between steps and returns LFM_ERROR_STOPPED. The command layer
 * installs the handler with lfm_catch_interrupts; a second signal of the kind ends the program at once. */
bool lfm_interrupted(void);
void lfm_catch_interrupts(void);

#endif
