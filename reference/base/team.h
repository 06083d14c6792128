/* Threads that share the tasks of a job, none of which waits for another that has no core.
 *
 * Where OpenMP's threads meet, all wait until the last has come. One that another process keeps from its core, for milliseconds,
 * holds up the rest although nothing may be left for it to do, and a token takes a hundred such meetings. Here a job ends when
 * its tasks have, and who comes late takes part in the next. */
#ifndef LFM_BASE_TEAM_H
#define LFM_BASE_TEAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* One task of a job. `thread` is below omp_get_max_threads(), and differs between tasks of a job that run at the same time. */
typedef void lfm_task(void *context, size_t task, size_t thread);

/* Runs tasks 0 .. n_tasks - 1, begun in this order, each once, and returns when all have ended and what they wrote can be read.
 * If `shared`, by the caller and omp_get_max_threads() - 1 others, which are made when they are first needed and sleep between jobs;
 * by the caller alone if not, and inside of a parallel region, inside of a task, and while another thread's job runs. */
void lfm_run_tasks(uint32_t n_tasks, bool shared, lfm_task *run, void *context);

#endif
