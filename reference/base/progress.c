/* Progress bar and interrupts: see progress.h. */
#include "reference/base/progress.h"

#include <signal.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

static volatile sig_atomic_t interrupted;

static void on_interrupt(int signal_number)
{
    (void)signal_number;
    interrupted = 1;
}

bool lfm_interrupted(void)
{
    return interrupted != 0;
}

void lfm_catch_interrupts(void)
{
    struct sigaction action = {.sa_handler = on_interrupt, .sa_flags = (int)SA_RESETHAND};
    sigemptyset(&action.sa_mask);
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
}

double lfm_seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

void lfm_progress_start(struct lfm_progress *progress, const char *label, const char *unit, double total, bool quiet)
{
    *progress = (struct lfm_progress){
        .label = label,
        .unit = unit,
        .total = total,
        .visible = !quiet && isatty(STDERR_FILENO),
        .started = lfm_seconds(),
    };
}

void lfm_progress_update(struct lfm_progress *progress, double done)
{
    enum { WIDTH = 24 };
    if (!progress || !progress->visible) return;
    done += progress->before;
    double now = lfm_seconds();
    if (now - progress->drawn < 0.1 && done < progress->total) return;
    progress->drawn = now;

    double elapsed = now - progress->started;
    double rate = elapsed > 0 ? done / elapsed : 0;
    int decimals = rate < 10 ? 2 : 0;
    if (progress->total <= 0) {
        fprintf(stderr, "\r\033[K%s %.0f %s, %.*f/s", progress->label, done, progress->unit, decimals, rate);
        return;
    }
    double share = done < progress->total ? done / progress->total : 1;
    int filled = (int)(share * WIDTH);
    char bar[WIDTH + 1] = {0};
    for (int i = 0; i < WIDTH; i++) bar[i] = i < filled ? '#' : '.';
    double left = rate > 0 ? (progress->total - done) / rate : 0;
    fprintf(stderr, "\r\033[K%s [%s] %3.0f%%  %.0f of %.0f %s, %.*f/s, %.0f s left", progress->label, bar, 100 * share,
            done, progress->total, progress->unit, decimals, rate, left);
}

void lfm_progress_finish(struct lfm_progress *progress)
{
    if (progress && progress->visible) fprintf(stderr, "\r\033[K");
}
