/* Threads that share tasks: every task once, whatever the threads. */
#include "reference/base/team.h"
#include "tests/unit/assert.h"

#include <omp.h>
#include <pthread.h>
#include <stdatomic.h>

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
    if (thread >= count->n_threads || atomic_fetch_add(&count->at_work[thread], 1) != 0) count->is_wrong = true;
    if (thread >= count->n_threads) return;
    atomic_fetch_sub(&count->at_work[thread], 1);
}

static void check_every_task_runs_once(uint32_t n_tasks, bool shared)
{
    struct count count = {.n_threads = (size_t)omp_get_max_threads()};
    lfm_run_tasks(n_tasks, shared, count_task, &count);
    cr_assert_not(count.is_wrong, "two tasks at a time saw the same thread, or one saw too high a number");
    for (uint32_t i = 0; i < MOST_TASKS; i++)
        cr_assert_eq(count.runs[i], i < n_tasks, "task %u of %u", i, n_tasks);
}

Test(team, every_task_runs_once_for_any_number_of_tasks_and_threads)
{
    static const uint32_t numbers[] = {0, 1, 2, 3, 17, MOST_TASKS};
    static const int threads[] = {1, 2, 5, 3, 8, 2};
    for (size_t t = 0; t < sizeof threads / sizeof *threads; t++) {
        omp_set_num_threads(threads[t]);
        for (size_t n = 0; n < sizeof numbers / sizeof *numbers; n++) {
            check_every_task_runs_once(numbers[n], true);
            check_every_task_runs_once(numbers[n], false);
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
    (void)context;
    (void)task;
    (void)thread;
    check_every_task_runs_once(50, true);
}

Test(team, a_task_may_run_tasks)
{
    omp_set_num_threads(4);
    lfm_run_tasks(20, true, run_job_of_its_own, NULL);
    check_every_task_runs_once(MOST_TASKS, true);
}

static void *run_many_jobs(void *argument)
{
    for (int i = 0; i < 200; i++) check_every_task_runs_once(100, true);
    return argument;
}

Test(team, several_threads_may_run_jobs_at_once)
{
    omp_set_num_threads(3);
    pthread_t other;
    cr_assert_eq(pthread_create(&other, NULL, run_many_jobs, NULL), 0);
    run_many_jobs(NULL);
    pthread_join(other, NULL);
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
