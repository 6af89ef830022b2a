/* download.h: one file over HTTP or HTTPS, whole and checked, or not at all. */
#ifndef RS_DATA_DOWNLOAD_H
#define RS_DATA_DOWNLOAD_H

#include <signal.h>
#include <stdint.h>
#include <stdio.h>

#include "catalog.h"
#include "rs/status.h"

typedef struct rs__download {
    const char *const *urls;           /* tried in this order, NULL at the end */
    const char *path;                  /* where the whole file goes; PATH.part holds what has come so far */
    const rs__download_item *expected; /* size and checksum: what differs is refused */
    FILE *progress;                    /* NULL: through rs_log */
    double retry_seconds; /* pause after the first failed attempt; doubled after each further one */
    int stall_seconds;    /* a transfer that all but stands still for so long is broken off */
    const volatile sig_atomic_t *stop; /* not 0: end with INTERRUPTED; NULL: never */
} rs__download;

/* Certificates are verified. Broken transfers are tried again, from where they broke where the server allows;
 * then the next URL is. DATA: no URL delivered the file (each with its reason). IO: it can't be stored.
 * INTERRUPTED: the .part stays, and another call goes on with it. */
rs_status rs__download_run(const rs__download *download, rs_error *error);

/* DATA, saying what was found, unless the file has the expected size and checksum. */
rs_status rs__download_check(const char *path, const rs__download_item *expected, rs_error *error);

#endif
