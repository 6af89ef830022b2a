/* mend.c: before a record is opened for writing: it is ours, and as long as it says.
 *
 * A kill can come between the library's note of the file's new end and the file's growing to it. What is missing then lies
 * behind everything that a commit covers, so the file is made as long as it says; the library opens it for writing no
 * sooner. Where a commit covers any of it, the file was cut off by somebody else, and growing it would hide that. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "commits.h"
#include "h5.h"
#include "rs/host.h"
#include "verify.h"

/* How many data sets lack something that a commit covers. */
static rs_status count_faults(const char *path, int *faults, rs_error *error)
{
    FILE *nowhere = fopen("/dev/null", "we");
    if (!nowhere) {
        return RS_FAIL(error, RS_IO, "opening /dev/null: %s", strerror(errno));
    }
    rs_status status = rs_record_verify(path, nowhere, faults, error);
    (void)fclose(nowhere);
    return status;
}

static rs_status grow_to_end(const char *path, int file, const rs_h5_mark *mark, rs_error *error)
{
    int faults = 0;
    if (mark->size >= mark->end) {
        return RS_OK;
    }
    if (count_faults(path, &faults, error) != RS_OK || faults > 0) {
        return RS_FAIL(
            error, RS_DATA,
            "%s is cut off: its last %" PRIu64
            " bytes are not there, and commits cover some of them; is this a copy that did not come through?",
            path, mark->end - mark->size);
    }
    if (ftruncate(file, (off_t)mark->end) != 0) {
        return RS_FAIL(error, RS_IO, "making %s as long as it says: %s (%" PRIu64 " bytes missing)", path,
                       strerror(errno), mark->end - mark->size);
    }
    rs_log(RS_LOG_DEBUG, "%s: grown by %" PRIu64 " bytes, which a killed writer had announced", path,
           mark->end - mark->size);
    return RS_OK;
}

rs_status rs_record_check_before_writing(const char *path, int lock, rs_error *error)
{
    rs_h5_mark mark;
    hid_t file;
    RS_TRY(rs_h5_read_mark(path, &mark, error));
    if (mark.write && !mark.swmr) {
        return RS_OK;
    }
    RS_TRY(rs_h5_open(path, RS_H5_READ, &file, error));
    rs_status status = rs_record_check_format(file, error);
    rs_h5_close(file);
    return status ? status : grow_to_end(path, lock, &mark, error);
}
