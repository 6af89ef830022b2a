/* rs/status.h: what a function that can fail returns, and the error that travels with a job.
 *
 * Every fallible function returns an rs_status and takes an rs_error* (never NULL) that it fills when
 * the status is not RS_OK. The error is a plain value: copy it, hand it to another thread, print it.
 * Only main() exits. RS_ASSERT is for our own mistakes, a status for trouble of user, file or device. */
#ifndef RS_STATUS_H
#define RS_STATUS_H

/* X(name, exit status of the program, what it means) */
#define RS_STATUS_MAP(X)                                                                                     \
    X(OK, 0, "done")                                                                                         \
    X(FAILED, 1, "failed while running")                                                                     \
    X(MEMORY, 1, "out of memory")                                                                            \
    X(IO, 1, "reading or writing failed")                                                                    \
    X(DEVICE, 1, "the device or its library failed")                                                         \
    X(UNSUPPORTED, 1, "not supported here")                                                                  \
    X(USAGE, 2, "bad usage or configuration")                                                                \
    X(DATA, 3, "data or file unusable")                                                                      \
    X(DIVERGED, 4, "training diverged")                                                                      \
    X(INTERRUPTED, 130, "interrupted, resumable")

typedef enum rs_status {
#define RS_STATUS_ENUM(name, exit_code, meaning) RS_##name,
    RS_STATUS_MAP(RS_STATUS_ENUM)
#undef RS_STATUS_ENUM
} rs_status;

typedef struct rs_error {
    rs_status status;
    int line;         /* place in the source that noticed it */
    const char *file; /* static string */
    char text[1024];  /* one line for the user, saying what to do next; no trailing newline */
} rs_error;

/* Fills *error and returns status; use RS_FAIL. Text longer than the buffer is cut. */
rs_status rs_error_set(rs_error *error, rs_status status, const char *file, int line, const char *format, ...)
    __attribute__((format(printf, 5, 6)));

/* Puts "PREFIX: " before the text of an error that is passed on; returns its status. */
rs_status rs_error_prefix(rs_error *error, const char *format, ...) __attribute__((format(printf, 2, 3)));

const char *rs_status_name(rs_status status);    /* "DATA" */
const char *rs_status_meaning(rs_status status); /* "data or file unusable" */
int rs_status_exit_code(rs_status status);       /* 3 */

/* Prints the failed condition and aborts; stays on in release builds. */
_Noreturn void rs_assert_failed(const char *condition, const char *file, int line);

#ifdef __clang_analyzer__ /* shows it that the status comes back unchanged */
#define RS_FAIL(error, status, ...)                                                                          \
    (rs_error_set((error), (status), __FILE__, __LINE__, __VA_ARGS__), (status))
#else
#define RS_FAIL(error, status, ...) rs_error_set((error), (status), __FILE__, __LINE__, __VA_ARGS__)
#endif

#define RS_TRY(expression)                                                                                   \
    do {                                                                                                     \
        rs_status rs_try_status_ = (expression);                                                             \
        if (rs_try_status_ != RS_OK) {                                                                       \
            return rs_try_status_;                                                                           \
        }                                                                                                    \
    } while (0)

#define RS_ASSERT(condition)                                                                                 \
    do {                                                                                                     \
        if (!(condition)) {                                                                                  \
            rs_assert_failed(#condition, __FILE__, __LINE__);                                                \
        }                                                                                                    \
    } while (0)

#endif
