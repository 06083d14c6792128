/* A suite and a backend without a model, for tests of the harness. */
#ifndef LFM_TESTS_HARNESS_FAKES_H
#define LFM_TESTS_HARNESS_FAKES_H

#include "eval/harness/backend.h"
#include "eval/harness/suite.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { FAKE_ITEMS = 7 };

/* Items "item-0" to "item-6". An even item asks once, an odd one twice. A sample is correct when the last answer ends in
 * an even digit; its verdict has the answer's number as "digit". The data is ignored. */
extern const struct lfm_suite fake_suite;

/* Answers "<content of the last message> <seed, in decimals>". */
struct fake_backend {
    bool last_first;        /* which of the requests under way ends first */
    size_t kill_after;      /* SIGKILL when so many requests have ended; 0: never */
    const char *fails_on;   /* requests whose last message says this end in an error */
    size_t served;          /* requests that have ended */
    size_t n;
    struct {
        size_t ticket;
        char text[128];
        uint64_t seed;
    } waiting[64];
};
struct lfm_backend fake_backend(struct fake_backend *context, size_t concurrency);

/* The path of a run in the directory of the test, or of a file in it; valid as in_directory's. */
const char *in_run(const char *run, const char *file);

#endif
