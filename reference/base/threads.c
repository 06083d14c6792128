/* Threads that sleep while they wait: see threads.h. */
#include "reference/base/threads.h"

#include <stdlib.h>
#include <unistd.h>

void lfm_start_with_sleeping_threads(char **argv)
{
    if (getenv("OMP_WAIT_POLICY") || getenv("GOMP_SPINCOUNT") || getenv("KMP_BLOCKTIME")) return;
    setenv("GOMP_SPINCOUNT", "2000", 1); /* a few microseconds */
    setenv("KMP_BLOCKTIME", "0", 1);
    execv("/proc/self/exe", argv); /* returns only when /proc is missing: then threads spin */
}
