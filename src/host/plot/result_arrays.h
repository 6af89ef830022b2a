/* result_arrays.h: arrays of a file of results, as figures want them. */
#ifndef RS_PLOT_RESULT_ARRAYS_H
#define RS_PLOT_RESULT_ARRAYS_H

#include "inputs.h"

/* All numbers of an array, however many axes it has; the caller's (rs_free). DATA, with the path, when it is not there. */
rs_status rs__read_result(const rs__input *input, const char *path, int64_t *count, double **values,
                          rs_error *error);
/* The same where `count` numbers must be: DATA when there are more or fewer. */
rs_status rs__read_result_of(const rs__input *input, const char *path, int64_t count, double **values,
                             rs_error *error);

/* The runs that a result was computed from. */
typedef struct rs__origins {
    int count;
    rs_config *configs; /* [count] */
    char **names;       /* [count] of their files, without folder and .h5 */
    double *snapshots;  /* [count] the first that was taken of each; NULL: the file does not say */
} rs__origins;
rs_status rs__origins_read(const rs__input *input, rs__origins *origins, rs_error *error);
void rs__origins_free(rs__origins *origins); /* takes a zeroed one */

/* What tells run `index` from the others: "seed 3" where only seeds differ, "batch-size 600", else the name of its file, with
 * the snapshot where several are of one file; of a single run its network. */
void rs__origin_label(const rs__origins *origins, int index, char *text, size_t capacity);

#endif
