/* Errors: a status and a message, filled once where the failure happens.
 *
 * No function below the command layer prints or exits. A function that can fail returns
 * `enum lfm_status` and takes a `struct lfm_error *` as its last parameter; callers pass the failure
 * on with LFM_TRY. A message is one line: what failed, the quoted subject (file, tensor, line),
 * what was expected and what was found, and, where it helps, what to do. */
#ifndef LFM_BASE_ERROR_H
#define LFM_BASE_ERROR_H

#include <stdarg.h>

enum lfm_status {
    LFM_OK = 0,
    LFM_ERROR_IO,       /* the system refused to open, read, write or rename; or what exists must not be overwritten */
    LFM_ERROR_FORMAT,   /* a file does not say what its format demands */
    LFM_ERROR_MISMATCH, /* two well-formed things contradict each other: config and tensor, two models */
    LFM_ERROR_ARGUMENT, /* the caller asked for something that does not exist or is out of range: exit status 2 */
    LFM_ERROR_MEMORY,   /* an allocation failed */
    LFM_ERROR_LIMIT,    /* a stated limit was reached: context length, nesting, size */
    LFM_ERROR_STOPPED   /* interrupted by the user */
};

struct lfm_error {
    enum lfm_status status;
    char message[1024];
};

/* lfm_fail(error, status, format, ...): fills *error (which may be NULL) with a printf-style message and returns
 * `status`. */
#define lfm_fail(...) lfm_failure(lfm_set_error(__VA_ARGS__))
/* lfm_fail_in(error, format, ...): puts "<prefix>: " in front of the message already in *error and returns its status. */
#define lfm_fail_in(...) lfm_failure(lfm_prefix_error(__VA_ARGS__))

enum lfm_status lfm_set_error(struct lfm_error *error, enum lfm_status status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
enum lfm_status lfm_prefix_error(struct lfm_error *error, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Tells the compiler, which cannot see into the functions above, that a failure is never LFM_OK. */
static inline enum lfm_status lfm_failure(enum lfm_status status)
{
    return status != LFM_OK ? status : LFM_ERROR_FORMAT;
}

/* Returns from the enclosing function when the call failed. */
#define LFM_TRY(call)                                 \
    do {                                              \
        enum lfm_status lfm_status_ = (call);         \
        if (lfm_status_ != LFM_OK) return lfm_status_; \
    } while (0)

/* Goes to the label `done` when the call failed; a variable `status` of type enum lfm_status is in scope. */
#define LFM_TRY_DONE(call)                  \
    do {                                    \
        status = (call);                    \
        if (status != LFM_OK) goto done;    \
    } while (0)

/* Line ends and terminal controls, which what a file says may hold, become '?'. */
void lfm_keep_to_one_line(char *text);

#endif
