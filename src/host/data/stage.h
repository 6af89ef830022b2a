/* stage.h: the folder that files of a set are gathered in before they are taken as the set's.
 *
 *   DIR/.fetch-NAME.lock    locked while a process fetches the set; stays behind, empty
 *   DIR/.fetch-NAME/        X.part: downloads, kept after a failure, to be gone on with; other names: whole files
 *   DIR/FOLDER/             where install puts them, one rename each, when all are there and found good */
#ifndef RS_DATA_STAGE_H
#define RS_DATA_STAGE_H

#include <limits.h>
#include <signal.h>
#include <stdint.h>

#include "catalog.h"
#include "locate.h"
#include "rs/status.h"

typedef struct rs__stage {
    const rs__set *set;
    char directory[PATH_MAX]; /* the data directory */
    char folder[PATH_MAX];    /* the stage itself */
    char target[PATH_MAX];    /* first folder of the set's list: where install puts the files */
    int lock;                 /* descriptor, -1 for none */
} rs__stage;

/* Makes the folders, waits for other processes that fetch the same set (until *stop, which may be NULL, is not 0:
 * INTERRUPTED) and removes leftovers except downloads. IO when the folders can't be made. rs__stage_close is due
 * after an error too. */
rs_status rs__stage_open(const rs__set *set, const char *directory, const volatile sig_atomic_t *stop,
                         rs__stage *stage, rs_error *error);
/* Removes what is left in the stage, except X.part, and lets go of the lock. */
void rs__stage_close(rs__stage *stage);

/* Path of a file in the stage. */
rs_status rs__stage_path(const rs__stage *stage, const char *name, const char *suffix, char path[PATH_MAX],
                         rs_error *error);

/* Creates a file in the stage for writing, replacing one of that name. IO. */
rs_status rs__stage_create(const rs__stage *stage, const char *name, int *file, rs_error *error);
/* Writes all bytes. IO, with the remedy when the disk is full. */
rs_status rs__stage_write(const rs__stage *stage, int file, const void *bytes, size_t count, rs_error *error);
/* Flushes to disk and closes; closes also when *status is an error already. */
void rs__stage_finish(const rs__stage *stage, int file, rs_status *status, rs_error *error);

/* Copies a file, at most `limit` bytes of it: DATA when it is longer. */
rs_status rs__stage_copy(const rs__stage *stage, const char *from, const char *name, uint64_t limit,
                         rs_error *error);

/* Moves the set's files from the stage to where loading finds them first. `staged` names them. Files in their way
 * that hold the same under another name (X beside X.gz) are renamed to X.old. */
rs_status rs__stage_install(rs__stage *stage, const rs__location *staged, rs_error *error);

#endif
