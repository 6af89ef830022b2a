/* rs/host.h: services of the process: log sink, allocator, clock, file operations.
 *
 * They are seams: tests replace them to inject failures, and a backend module gets them passed in
 * (rs_host_services) so that it prints and allocates nowhere else. Replace them before other threads run. */
#ifndef RS_HOST_H
#define RS_HOST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "rs/status.h"

typedef enum rs_log_level { RS_LOG_ERROR, RS_LOG_WARNING, RS_LOG_INFO, RS_LOG_DEBUG } rs_log_level;

/* One sink, to stderr by default: "resnet_study: warning: TEXT". Thread-safe. Messages above the level are
 * dropped. */
void rs_log(rs_log_level level, const char *format, ...) __attribute__((format(printf, 2, 3)));
const char *rs_log_mark(rs_log_level level); /* what a sink puts before the text: "resnet_study: warning: " */
void rs_log_set_level(rs_log_level level);   /* default RS_LOG_INFO */
void rs_log_set_sink(void (*sink)(void *context, rs_log_level level, const char *text),
                     void *context); /* NULL: stderr */

/* Memory: 64-byte aligned; NULL when there is none (never aborts). rs_free takes NULL.
 * rs_alloc leaves the bytes as they are, rs_alloc_zero clears them; both return a unique pointer for 0 bytes.
 * rs_alloc_array checks count * size for overflow and clears. */
void *rs_alloc(size_t bytes);
void *rs_alloc_zero(size_t bytes);
void *rs_alloc_array(size_t count, size_t size);
char *rs_strdup(const char *text);
void rs_free(void *memory);
bool rs_memory_ran_out(void); /* whether any of them ever returned NULL: something optional may be missing */

typedef struct rs_allocator {
    void *(*allocate)(void *context, size_t bytes); /* 64-byte aligned or NULL */
    void (*release)(void *context, void *memory);
    void *context;
} rs_allocator;
void rs_set_allocator(const rs_allocator *allocator); /* NULL: the default; borrowed for the process's life */

/* Monotonic seconds, for durations. */
double rs_seconds(void);
void rs_set_clock(double (*clock)(void)); /* NULL: CLOCK_MONOTONIC */

/* First thing in main(). Idle threads of libgomp spin for 300,000 rounds by default, which makes throughput
 * collapse beside other load; none at all costs every parallel loop a wake-up. Unless OMP_WAIT_POLICY or
 * GOMP_SPINCOUNT is set, this starts the program once more with a spin of about a millisecond, because libgomp
 * reads them before main(). Returns where it was started so, or cannot be. */
void rs_wait_briefly(char **argv);

/* Cores that this process may use (its affinity), no more than OMP_NUM_THREADS says; at least 1. */
int rs_usable_cores(void);

/* File operations with the meaning of the system calls of that name (return -1 and errno). */
typedef struct rs_file_operations {
    int (*open)(const char *path, int flags, mode_t mode);
    ssize_t (*write)(int file, const void *bytes, size_t count);
    int (*fsync)(int file);
    int (*rename)(const char *from, const char *to);
    int (*unlink)(const char *path);
    int (*free_bytes)(const char *directory,
                      uint64_t *bytes); /* for an ordinary user, as statvfs's f_bavail */
    /* Blocks for bytes from .. from + bytes - 1, also behind the end, which stays: Linux' fallocate. */
    int (*reserve)(int file, off_t from, off_t bytes);
} rs_file_operations;
const rs_file_operations *rs_files(void);
void rs_set_files(const rs_file_operations *operations); /* NULL: the system's */

/* What a backend gets from the program. */
typedef struct rs_host_services {
    size_t size; /* sizeof(rs_host_services) of the caller */
    void (*log)(rs_log_level level, const char *format, ...) __attribute__((format(printf, 2, 3)));
    void *(*allocate)(size_t bytes);
    void (*release)(void *memory);
} rs_host_services;
const rs_host_services *rs_services(void);

#endif
