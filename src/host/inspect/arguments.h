/* arguments.h: the command line of this folder's commands, and runs named as RUN.h5@SNAPSHOT. */
#ifndef RS_INSPECT_ARGUMENTS_H
#define RS_INSPECT_ARGUMENTS_H

#include "rs/record_reader.h"

/* An option: a flag sets *flag, another *value (borrowed from argv). */
typedef struct rs__argument {
    const char *name, *other; /* "--out", "-o"; other may be NULL */
    bool *flag;
    const char **value;
} rs__argument;

/* Takes "--name value", "--name=value" and "--flag" anywhere, and up to `most` other words in order. USAGE with the
 * nearest name. */
rs_status rs__arguments_parse(const rs__argument *known, int known_count, int argc, char **argv,
                              const char **words, int most, int *word_count, rs_error *error);

/* A number of at least `least`; `name` begins the message. */
rs_status rs__argument_real(const char *name, const char *text, double least, double *value, rs_error *error);

/* An open record, and some of its snapshots. */
typedef struct rs__place {
    rs_record_reader *reader;
    char *path;
    bool named;           /* there was a @SNAPSHOT */
    int64_t first, count; /* snapshots; count 0: the record has none, and none was named */
} rs__place;
/* "RUN.h5", "RUN.h5@3", "@last", "@1..8", "@all"; without @ the last snapshot. The caller closes it, also after an
 * error. */
rs_status rs__place_open(const char *argument, rs__place *place, rs_error *error);
void rs__place_close(rs__place *place);

#endif
