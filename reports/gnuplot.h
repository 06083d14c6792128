/* gnuplot as a child process. */
#ifndef LFM_REPORTS_GNUPLOT_H
#define LFM_REPORTS_GNUPLOT_H

#include "reference/base/error.h"

#include <stddef.h>

/* Runs `gnuplot --default-settings SCRIPT...` in `directory`, without a shell. Fails when gnuplot is not installed
 * (the message says how to get it) and when it complains (the message is its first words on stderr). */
enum lfm_status lfm_gnuplot_run(const char *directory, const char *const *scripts, size_t count,
                                struct lfm_error *error);

#endif
