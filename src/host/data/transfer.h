/* transfer.h: one file over HTTP(S), or file://, into X.part in the stage, going on where a broken transfer ended. */
#ifndef RS_DATA_TRANSFER_H
#define RS_DATA_TRANSFER_H

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>

#include "meter.h"
#include "rs/status.h"

typedef struct rs__transfer {
    const char *url;
    const char *path;  /* of X.part; created, or gone on with */
    uint64_t bytes;    /* the file has so many; more are refused */
    int stall_seconds; /* so long under 1 KiB/s breaks it off */
    rs__meter *meter;
    const volatile sig_atomic_t *stop; /* or NULL */
} rs__transfer;

typedef enum rs__transfer_end {
    RS__TRANSFER_DONE,   /* X.part has all bytes; they are yet to be checked */
    RS__TRANSFER_BROKEN, /* on the way: worth another try, which goes on behind what has come */
    RS__TRANSFER_REFUSED /* the source has no such file, or another one */
} rs__transfer_end;

/* One try. The returned status is an error only when no source can help: INTERRUPTED, MEMORY, IO (the disk). For
 * BROKEN and REFUSED the reason is in error->text and RS_OK is returned. */
rs_status rs__transfer_try(const rs__transfer *transfer, rs__transfer_end *end, rs_error *error);

#endif
