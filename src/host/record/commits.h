/* commits.h: the commits of a record: which rows of a file count. */
#ifndef RS_RECORD_COMMITS_H
#define RS_RECORD_COMMITS_H

#include "h5.h"
#include "rs/recorder.h"

typedef struct rs_commits {
    int64_t count;        /* rows that are whole */
    int64_t extent;       /* rows that are there */
    rs_position position; /* of the last one; all -1 when there is none */
    rs_commit_kind kind;
} rs_commits;

/* Reads commits/ of an open file as far as its rows make sense: complete, and none behind the one before.
 * DATA when the data sets are missing. */
rs_status rs_commits_read(hid_t file, rs_commits *commits, rs_error *error);

/* Whether the file is a record of ours and of this schema: DATA otherwise, with what it is. */
rs_status rs_record_check_format(hid_t file, rs_error *error);

/* Looks before anything is touched: a file that is not ours stays as it is. (One that was killed while being
 * repaired cannot be read before it is opened for writing: it passes.) Through `lock`, the file that rs_lock_take
 * opened, one that a kill left shorter than it says grows to that; DATA when commits cover what is not there.
 * mend.c */
rs_status rs_record_check_before_writing(const char *path, int lock, rs_error *error);

#endif
