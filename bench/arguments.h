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

/* Sets what the command line says. --help or -h sets *help and ends the reading. USAGE: an unknown option
 * (names those of the table), one without its value, a number that is none or out of range. */
rs_status arguments_parse(const argument *table, int count, int argc, char **argv, bool *help,
                          rs_error *error);

#endif
