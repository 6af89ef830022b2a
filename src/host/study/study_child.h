/* study_child.h: one run as a process of its own: started, heard, signalled, reaped. Internal to study. */
#ifndef RS_STUDY_CHILD_H
#define RS_STUDY_CHILD_H

#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/types.h>

#include "rs/status.h"

/* A process whose standard error comes through us. It has a process group of its own, so that Ctrl-C reaches
 * it once, from us; it gets SIGTERM when we are killed. */
typedef struct rs_child {
    pid_t pid;     /* 0: none */
    int source;    /* what it says: a pipe, or a pseudo terminal where ours goes to a terminal; -1: closed */
    int sink;      /* where that goes: our standard error, or a log file */
    bool own_sink; /* to be closed */
    char last[256], line[256]; /* its last whole line, and the one under way, without terminal escapes */
    size_t length;             /* of `line` */
    int escape;                /* inside a terminal escape sequence */
} rs_child;

/* Starts this program anew with `arguments` (NULL-terminated; [0] is its name). `log` NULL: what it says goes
 * to our standard error, and its standard output to ours; else both are appended to that file. `mask` is the
 * signal mask it gets. */
rs_status rs_child_start(rs_child *child, char *const *arguments, const char *log, const sigset_t *mask,
                         rs_error *error);
/* Passes on what it has said; never blocks. Closes `source` at its end. */
void rs_child_pass(rs_child *child);
/* Whether it has ended; then everything it said is passed on, *exit_status is set (128 + N for signal N) and
 * the child is released. */
bool rs_child_ended(rs_child *child, int *exit_status);
/* Tells a pseudo terminal our terminal's size. */
void rs_child_resize(const rs_child *child);

#endif
