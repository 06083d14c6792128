/* Threads that sleep while they wait. */
#ifndef LFM_BASE_THREADS_H
#define LFM_BASE_THREADS_H

/* OpenMP's threads wait for each other by spinning, which ruins every run beside another busy process. How long is
 * decided by the environment when the program starts, so this starts the program anew with GOMP_SPINCOUNT and
 * KMP_BLOCKTIME set to next to nothing, unless the user has set one of these or OMP_WAIT_POLICY. Call first in main. */
void lfm_start_with_sleeping_threads(char **argv);

#endif
