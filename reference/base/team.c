/* Threads that share the tasks of a job: see team.h. */
#define _GNU_SOURCE /* pthread_attr_setaffinity_np */
#include "reference/base/team.h"

#include <omp.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>

/* Who waits looks so many times before it falls asleep; some 20 to 40 ns each on x86. Sleeping gives up the core: while the next
 * job is prepared it takes longer to come back than to wait. The caller is longer awake, about a millisecond: what it waits for
 * has begun, and a process that takes its core meanwhile keeps it for several. */
enum { LOOKS_FOR_JOB = 1000, LOOKS_FOR_END = 50000 };

/* The number of the job and its next task are one word, so that only a task of the job that was looked at can be taken. Nobody
 * can while CLOSED stands there and the job is being written: who has read some of it already fails to take the task. */
#define CLOSED UINT32_MAX
static struct {
    pthread_mutex_t busy; /* held while a job runs */
    size_t n_workers;
    _Atomic uint64_t next; /* job << 32 | task */
    _Atomic uint32_t n_tasks, n_ended;
    atomic_size_t n_threads;
    atomic_bool is_crowded; /* more threads than cores: who waits would keep another from working */
    _Atomic(lfm_task *) run;
    _Atomic(void *) context;
    pthread_mutex_t sleep;
    pthread_cond_t job_began, job_ended;
    atomic_size_t n_asleep; /* of the workers */
    atomic_bool caller_asleep;
} team = {.busy = PTHREAD_MUTEX_INITIALIZER,
          .sleep = PTHREAD_MUTEX_INITIALIZER,
          .job_began = PTHREAD_COND_INITIALIZER,
          .job_ended = PTHREAD_COND_INITIALIZER};

static uint32_t job_of(uint64_t next)
{
    return (uint32_t)(next >> 32);
}

static void set_next(uint32_t job, uint32_t task)
{
    atomic_store(&team.next, (uint64_t)job << 32 | task);
}

/* --- waiting --- */

static void pause_briefly(void)
{
#if defined __x86_64__ || defined __i386__
    __builtin_ia32_pause();
#elif defined __aarch64__
    __asm__ volatile("isb"); /* yield takes no time */
#endif
}

static int looks(int most)
{
    return atomic_load(&team.is_crowded) ? 0 : most;
}

static bool has_other_job(uint32_t job)
{
    return job_of(atomic_load(&team.next)) != job;
}

static bool has_ended(void)
{
    return atomic_load(&team.n_ended) == atomic_load(&team.n_tasks);
}

static void wait_for_other_job(uint32_t job)
{
    for (int i = looks(LOOKS_FOR_JOB); i > 0; i--) {
        if (has_other_job(job)) return;
        pause_briefly();
    }
    pthread_mutex_lock(&team.sleep);
    atomic_fetch_add(&team.n_asleep, 1);
    while (!has_other_job(job)) pthread_cond_wait(&team.job_began, &team.sleep);
    atomic_fetch_sub(&team.n_asleep, 1);
    pthread_mutex_unlock(&team.sleep);
}

static void wait_for_end(void)
{
    for (int i = looks(LOOKS_FOR_END); i > 0; i--) {
        if (has_ended()) return;
        pause_briefly();
    }
    pthread_mutex_lock(&team.sleep);
    atomic_store(&team.caller_asleep, true);
    while (!has_ended()) pthread_cond_wait(&team.job_ended, &team.sleep);
    atomic_store(&team.caller_asleep, false);
    pthread_mutex_unlock(&team.sleep);
}

/* Whoever is about to sleep says so before it looks a last time, and these are called after what it looks for. */
static void wake(bool asleep, pthread_cond_t *condition)
{
    if (!asleep) return;
    pthread_mutex_lock(&team.sleep);
    pthread_cond_broadcast(condition);
    pthread_mutex_unlock(&team.sleep);
}

/* --- working --- */

static void take_tasks(uint32_t job, size_t thread)
{
    for (;;) {
        uint64_t next = atomic_load(&team.next);
        uint32_t task = (uint32_t)next, n_tasks = atomic_load(&team.n_tasks);
        lfm_task *run = atomic_load(&team.run);
        void *context = atomic_load(&team.context);
        if (job_of(next) != job || task >= n_tasks || thread >= atomic_load(&team.n_threads)) return;
        if (!atomic_compare_exchange_weak(&team.next, &next, next + 1)) continue;
        run(context, task, thread);
        if (atomic_fetch_add(&team.n_ended, 1) + 1 == n_tasks) wake(atomic_load(&team.caller_asleep), &team.job_ended);
    }
}

static void *work(void *argument)
{
    size_t thread = (size_t)(uintptr_t)argument;
    for (uint32_t job = 0;;) {
        wait_for_other_job(job);
        job = job_of(atomic_load(&team.next));
        take_tasks(job, thread);
    }
    return NULL;
}

/* --- the workers --- */

/* The cores of a thread's place where OpenMP's threads are bound to places: a new thread would get the caller's. */
static void set_place(pthread_attr_t *attributes, size_t thread)
{
    int cores[CPU_SETSIZE], n_places = omp_get_num_places();
    if (omp_get_proc_bind() == omp_proc_bind_false || n_places < 1) return;
    int place = (int)(thread % (size_t)n_places), n_cores = omp_get_place_num_procs(place);
    if (n_cores < 1 || n_cores > CPU_SETSIZE) return;
    omp_get_place_proc_ids(place, cores);
    cpu_set_t set;
    CPU_ZERO(&set);
    for (int i = 0; i < n_cores; i++)
        if (cores[i] >= 0 && cores[i] < CPU_SETSIZE) CPU_SET((size_t)cores[i], &set);
    pthread_attr_setaffinity_np(attributes, sizeof set, &set);
}

/* One more worker, if there can be. */
static bool add_worker(void)
{
    pthread_attr_t attributes;
    if (pthread_attr_init(&attributes) != 0) return false;
    pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    set_place(&attributes, team.n_workers + 1);
    pthread_t thread;
    bool is_made = pthread_create(&thread, &attributes, work, (void *)(uintptr_t)(team.n_workers + 1)) == 0;
    pthread_attr_destroy(&attributes);
    team.n_workers += is_made;
    return is_made;
}

void lfm_run_tasks(uint32_t n_tasks, bool shared, lfm_task *run, void *context)
{
    size_t n_threads = (size_t)omp_get_max_threads();
    if (!shared || n_tasks < 2 || n_threads < 2 || omp_in_parallel() || pthread_mutex_trylock(&team.busy) != 0) {
        for (uint32_t task = 0; task < n_tasks; task++) run(context, task, 0);
        return;
    }
    while (team.n_workers + 1 < n_threads && add_worker()) continue;
    uint32_t job = job_of(atomic_load(&team.next));
    set_next(job++, CLOSED);
    atomic_store(&team.n_tasks, n_tasks);
    atomic_store(&team.n_ended, 0);
    atomic_store(&team.n_threads, n_threads);
    atomic_store(&team.is_crowded, n_threads > (size_t)omp_get_num_procs());
    atomic_store(&team.run, run);
    atomic_store(&team.context, context);
    set_next(job, 0);
    wake(atomic_load(&team.n_asleep) > 0, &team.job_began);
    take_tasks(job, 0);
    wait_for_end();
    pthread_mutex_unlock(&team.busy);
}
