/* options.h: the command line of `analyze`. */
#ifndef RS_ANALYZE_OPTIONS_H
#define RS_ANALYZE_OPTIONS_H

#include <stdio.h>

#include "analysis.h"

typedef struct rs__kind {
    const char *name, *arguments, *summary;
    const char *snapshots; /* of an argument without @ */
    rs_status (*run)(rs__analysis *a, rs_error *error);
} rs__kind;
/* NULL behind the last. */
const rs__kind *rs__kind_at(int index);

typedef struct rs__command {
    rs__analysis analysis;
    const rs__kind *kind;
    int argument_count;
    const char **arguments; /* [argument_count] runs; the caller gives room for argc */
    const char *out;
    bool overwrite, help;
} rs__command;

/* Parses argv[1..]. USAGE with the nearest kind or option, what a value may be, and options that the kind has not. */
rs_status rs__analyze_parse(rs__command *command, int argc, char **argv, rs_error *error);
void rs__analyze_help(FILE *stream);

#endif
