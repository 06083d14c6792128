/* Threads that sleep while they wait. */
#ifndef LFM_BASE_THREADS_H
#define LFM_BASE_THREADS_H

/* OpenMP's threads wait for each other by spinning, which ruins every run beside another busy process. How long is
 * decided by the environment when the program starts, so this starts the program anew with GOMP_SPINCOUNT and
 * KMP_BLOCKTIME set to next to nothing, unless the user has set one of these or OMP_WAIT_POLICY. Nor where threads are to be
 * bound to cores (OMP_PROC_BIND, OMP_PLACES, GOMP_CPU_AFFINITY, KMP_AFFINITY): the first thread has been by then, and all of
 * the new program would get its core only. Call first in main. */
void lfm_start_with_sleeping_threads(char **argv);

#endif
