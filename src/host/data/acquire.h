/* acquire.h: brings a data set into the data directory, checked, or leaves what was there. */
#ifndef RS_DATA_ACQUIRE_H
#define RS_DATA_ACQUIRE_H

#include <stdbool.h>
#include <stdio.h>

#include "catalog.h"
#include "rs/status.h"

typedef struct rs__acquire_options {
    /* NULL: the official sources, after $RS_DATA_MIRROR when that is set. Else a folder, a local archive, the
     * URL of an archive, or a URL ending in "/" below which the official file names lie. */
    const char *from;
    bool replace;   /* false: nothing is done when the set is there (another process may have been first) */
    FILE *progress; /* NULL: through rs_log */
    double retry_seconds; /* pause between attempts at one URL; doubles */
} rs__acquire_options;

#define RS__ACQUIRE_RETRY_SECONDS 1.0

/* Downloads or copies into a work folder, checks (checksum: everything with the name of an official file, from
 * wherever it is downloaded; format: every file), and renames into place. Processes that fetch the same set
 * wait for each other. DATA: what was wrong with which file or source; IO: it can't be stored. A download that
 * breaks off is continued by the next call. */
rs_status rs__acquire(const rs__set *set, const char *directory, const rs__acquire_options *options,
                      rs_error *error);

#endif
