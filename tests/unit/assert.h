/* Shared asserts: every message prints what was observed and what was expected. */
#ifndef LFM_TESTS_ASSERT_H
#define LFM_TESTS_ASSERT_H

#include "reference/base/error.h"

#include <criterion/criterion.h>
#include <math.h>
#include <string.h>

/* The call succeeds; the message of the error is shown when it does not. `error` is a struct lfm_error. */
#define assert_ok(call)                                                                  \
    do {                                                                                 \
        enum lfm_status status_ = (call);                                                \
        cr_assert(status_ == LFM_OK, "%s failed: %s", #call, error.message);             \
    } while (0)

/* The call fails with this status, and its one-line message contains every part of `part`. */
#define assert_fails(call, expected_status, part)                                        \
    do {                                                                                 \
        error.message[0] = '\0';                                                         \
        enum lfm_status status_ = (call);                                                \
        cr_assert(status_ == (expected_status), "%s gave status %d, expected %d (%s)", #call, (int)status_, \
                  (int)(expected_status), error.message);                                \
        cr_assert(strstr(error.message, (part)) != NULL, "message '%s' lacks '%s'", error.message, (part)); \
        cr_assert(strchr(error.message, '\n') == NULL, "message '%s' has several lines", error.message);    \
    } while (0)

/* |observed - expected| <= tolerance; NaN never passes. */
#define assert_near(observed, expected, tolerance)                                       \
    do {                                                                                 \
        double observed_ = (observed), expected_ = (expected);                           \
        cr_assert(fabs(observed_ - expected_) <= (tolerance), "%s is %.17g, expected %.17g within %g", #observed, \
                  observed_, expected_, (double)(tolerance));                            \
    } while (0)

#endif
