/* Threads that share tasks: every task once, whatever the threads. */
#include "reference/base/team.h"
#include "tests/unit/assert.h"

#include <omp.h>
#include <pthread.h>
#include <stdatomic.h>

TestSuite(team, .timeout = 120); /* a job that is mixed up may never end */

enum { MOST_TASKS = 1000, MOST_THREADS = 8 };

struct count {
    size_t n_threads;
    int runs[MOST_TASKS];
    atomic_int at_work[MOST_THREADS];
    atomic_bool is_wrong;
};

static void count_task(void *context, size_t task, size_t thread)
{
    struct count *count = context;
    count->runs[task]++;
    if (thread >= count->n_threads) {
        count->is_wrong = true;
        return;
    }
    if (atomic_fetch_add(&count->at_work[thread], 1) != 0) count->is_wrong = true;
    atomic_fetch_sub(&count->at_work[thread], 1);
}

/* Whether every task ran once, and no two at a time saw the same thread nor any too high a number. Asserts nothing: not every
 * thread may. */
static bool runs_every_task_once(uint32_t n_tasks, bool shared)
{
    struct count count = {.n_threads = (size_t)omp_get_max_threads()};
    if (count.n_threads > MOST_THREADS) return false;
    lfm_run_tasks(n_tasks, shared, count_task, &count);
    for (uint32_t i = 0; i < MOST_TASKS; i++)
        if (count.runs[i] != (i < n_tasks)) return false;
    return !count.is_wrong;
}

Test(team, every_task_runs_once_for_any_number_of_tasks_and_threads)
{
    static const uint32_t numbers[] = {0, 1, 2, 3, 17, MOST_TASKS};
    static const int threads[] = {1, 2, 5, 3, 8, 2};
    for (size_t t = 0; t < sizeof threads / sizeof *threads; t++) {
        omp_set_num_threads(threads[t]);
        for (size_t n = 0; n < sizeof numbers / sizeof *numbers; n++) {
            cr_assert(runs_every_task_once(numbers[n], true), "%u tasks, %d threads", numbers[n], threads[t]);
            cr_assert(runs_every_task_once(numbers[n], false), "%u tasks, %d threads", numbers[n], threads[t]);
        }
    }
}

/* Short jobs one after another: who comes late finds the next one, never half of it. */
static void add_number(void *context, size_t task, size_t thread)
{
    (void)thread;
    long *numbers = context;
    numbers[task] += (long)task + 1;
}

Test(team, jobs_in_quick_succession_are_not_mixed_up)
{
    enum { JOBS = 20000, MOST = 7 };
    long numbers[2][MOST] = {{0}};
    omp_set_num_threads(3);
    for (int job = 0; job < JOBS; job++) lfm_run_tasks(2 + (uint32_t)job % (MOST - 1), true, add_number, numbers[job % 2]);
    long expected[2][MOST] = {{0}};
    for (int job = 0; job < JOBS; job++)
        for (int task = 0; task < 2 + job % (MOST - 1); task++) expected[job % 2][task] += task + 1;
    for (int i = 0; i < 2; i++)
        for (int task = 0; task < MOST; task++) cr_assert_eq(numbers[i][task], expected[i][task]);
}

static void run_job_of_its_own(void *context, size_t task, size_t thread)
{
    bool *is_right = context;
    (void)thread;
    omp_set_num_threads(4); /* a setting of each thread */
    is_right[task] = runs_every_task_once(50, true);
}

Test(team, a_task_may_run_tasks)
{
    enum { TASKS = 20 };
    bool is_right[TASKS] = {false};
    omp_set_num_threads(4);
    lfm_run_tasks(TASKS, true, run_job_of_its_own, is_right);
    for (int i = 0; i < TASKS; i++) cr_assert(is_right[i], "task %d", i);
    cr_assert(runs_every_task_once(MOST_TASKS, true));
}

static void *run_many_jobs(void *argument)
{
    bool *is_right = argument;
    omp_set_num_threads(3);
    *is_right = true;
    for (int i = 0; i < 200; i++) *is_right = runs_every_task_once(100, true) && *is_right;
    return NULL;
}

Test(team, several_threads_may_run_jobs_at_once)
{
    pthread_t other;
    bool own, others;
    cr_assert_eq(pthread_create(&other, NULL, run_many_jobs, &others), 0);
    run_many_jobs(&own);
    pthread_join(other, NULL);
    cr_assert(own && others);
}

static void note_thread(void *context, size_t task, size_t thread)
{
    pthread_t *threads = context;
    threads[task] = pthread_self();
    (void)thread;
}

Test(team, inside_of_a_parallel_region_the_caller_works_alone)
{
    omp_set_num_threads(2);
    atomic_int n_others = 0;
#pragma omp parallel
    {
        pthread_t threads[64];
        lfm_run_tasks(64, true, note_thread, threads);
        for (int i = 0; i < 64; i++)
            if (!pthread_equal(threads[i], pthread_self())) n_others++;
    }
    cr_assert_eq(n_others, 0);
}
