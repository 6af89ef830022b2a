/* acquire.h: brings a data set into the data directory, checked, or leaves what was there. */
#ifndef RS_DATA_ACQUIRE_H
#define RS_DATA_ACQUIRE_H

#include <signal.h>
#include <stdbool.h>
#include <stdio.h>

#include "catalog.h"
#include "rs/status.h"

typedef struct rs__acquire_options {
    /* NULL: the official sources, after $RS_DATA_MIRROR when that is set. Else a folder, a local archive, or a
     * URL (with "://") of an official file or of the folder that it is in. */
    const char *from;
    bool
        inspect; /* a set that is there is read, and fetched anew when damaged; else it is left alone. With `from` it
                     * is always replaced */
    FILE *progress;                    /* NULL: through rs_log */
    double retry_seconds;              /* pause between attempts at one URL; doubles; 0: 1 s */
    int stall_seconds;                 /* see download.h; 0: 30 s */
    const volatile sig_atomic_t *stop; /* not 0: end with INTERRUPTED; NULL: never */
} rs__acquire_options;

/* Downloads or copies into a work folder, checks (checksum: whatever comes from a URL; format: every file), and
 * renames into place. Processes that fetch the same set wait for each other. DATA: what was wrong with which file
 * or source, and how to get the set by hand; IO: it can't be stored; INTERRUPTED. A download that breaks off is
 * continued by the next call. */
rs_status rs__acquire(const rs__set *set, const char *directory, const rs__acquire_options *options,
                      rs_error *error);

#endif
