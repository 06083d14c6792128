/* Threads that sleep while they wait: see threads.h. */
#include "reference/base/threads.h"

#include <limits.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

/* Under valgrind /proc/self/exe is valgrind, and what it starts is not watched. */
static bool under_valgrind(void)
{
    const char *preload = getenv("LD_PRELOAD");
    return preload && strstr(preload, "vgpreload");
}

/* Whether one of these variables is set, to anything but "false". */
static bool is_any_set(const char *const *names)
{
    for (; *names; names++) {
        const char *value = getenv(*names);
        if (value && strcasecmp(value, "false") != 0) return true;
    }
    return false;
}

void lfm_start_with_sleeping_threads(char **argv)
{
    static const char *const waiting[] = {"OMP_WAIT_POLICY", "GOMP_SPINCOUNT", "KMP_BLOCKTIME", NULL};
    static const char *const binding[] = {"OMP_PROC_BIND", "OMP_PLACES", "GOMP_CPU_AFFINITY", "KMP_AFFINITY", NULL};
    if (is_any_set(waiting) || is_any_set(binding) || under_valgrind()) return;
    setenv("GOMP_SPINCOUNT", "1000", 1); /* some tens of microseconds */
    setenv("KMP_BLOCKTIME", "0", 1);
    char program[PATH_MAX] = "";
    ssize_t length = readlink("/proc/self/exe", program, sizeof program - 1);
    if (length > 0) execv(program, argv); /* by its own path, so that process lists show its name */
    execv("/proc/self/exe", argv);        /* returns only when /proc is missing: then threads spin */
}
