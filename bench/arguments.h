/* arguments.h: the command lines of the programs in this folder: "--flag", "--name VALUE", --help. */
#ifndef RS_BENCH_ARGUMENTS_H
#define RS_BENCH_ARGUMENTS_H

#include <stdbool.h>
#include <stdint.h>

#include "rs/status.h"

/* An option; one of flag, number and text says where its value goes. */
typedef struct argument {
    const char *name; /* "--rounds" */
    bool *flag;       /* set to true */
    int64_t *number;
    int64_t least, most; /* of the number */
    const char **text;   /* points into argv */
} argument;

/* What a program is: its name in messages, what --help prints, its options, what it does once they are set. */
typedef struct program {
    const char *name, *usage;
    const argument *table;
    int count;
    rs_status (*work)(void *state, rs_error *error);
    void *state;
} program;

/* Reads the command line and does the work, or prints the help (--help, -h), or what went wrong: an unknown option (names those
 * of the table), one without its value, a number that is none or out of range. The exit status. */
int arguments_run(const program *p, int argc, char **argv);

#endif
