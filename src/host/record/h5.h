/* h5.h: the one door to HDF5: checked calls, small helpers, how our files are opened.
 *
 * Every HDF5 call stands in RS_H5 (returns) or RS_H5_GOTO (to the label done, with `status` set). The text of
 * the error is the statement and the library's innermost reason. The library's own printing is off, and it
 * never flushes files at exit: after a failed write we leave a file as a kill would, whole up to its last
 * commit. */
#ifndef RS_RECORD_H5_H
#define RS_RECORD_H5_H

#include <hdf5.h>
#include <hdf5_hl.h>
#include <stdbool.h>

#include "rs/status.h"

#define RS_H5(expression)                                                                                    \
    do {                                                                                                     \
        if ((expression) < 0) {                                                                              \
            return rs_h5_fail(error, __FILE__, __LINE__, #expression);                                       \
        }                                                                                                    \
    } while (0)

#define RS_H5_GOTO(expression)                                                                               \
    do {                                                                                                     \
        if ((expression) < 0) {                                                                              \
            status = rs_h5_fail(error, __FILE__, __LINE__, #expression);                                     \
            goto done;                                                                                       \
        }                                                                                                    \
    } while (0)

#define RS_TRY_GOTO(expression)                                                                              \
    do {                                                                                                     \
        status = (expression);                                                                               \
        if (status != RS_OK) {                                                                               \
            goto done;                                                                                       \
        }                                                                                                    \
    } while (0)

/* Before the first HDF5 call of a thread. */
void rs_h5_begin(void);

/* Fills the error from HDF5's error stack; returns RS_IO. */
rs_status rs_h5_fail(rs_error *error, const char *file, int line, const char *statement);

/* Closes an identifier of any kind; takes an invalid one. */
void rs_h5_close(hid_t id);

typedef enum rs_h5_mode {
    RS_H5_CREATE, /* truncates */
    RS_H5_READ,   /* also a live or killed run; nothing changes */
    RS_H5_WRITE /* clears a killed writer's mark and sets ours in one go, SWMR from the start; closing clears it */
} rs_h5_mode;
/* IO, or DATA where it is no HDF5 file. */
rs_status rs_h5_open(const char *path, rs_h5_mode mode, hid_t *file, rs_error *error);

/* HDF5's mark of a writer that has not closed the file, read from the superblock itself. */
typedef struct rs_h5_mark {
    bool hdf5;          /* it is an HDF5 file */
    bool write;         /* open for writing, or killed then */
    bool swmr;          /* so that readers may look */
    uint64_t size, end; /* how long the file is, and how long it says that it is */
} rs_h5_mark;
rs_status rs_h5_read_mark(const char *path, rs_h5_mark *mark, rs_error *error);

/* fsync of the file behind an open HDF5 file. */
rs_status rs_h5_sync(hid_t file, rs_error *error);

/* Whether a data set can have `bytes` bytes, by what it takes in the file: DATA where that is less than half, and of a packed one less
 * than deflate makes of zeros. A file can promise any size, and the library delivers it: what was never written reads as zeros. To be asked
 * before memory is taken for what a file says. */
rs_status rs_h5_check_size(hid_t dataset, const char *path, uint64_t bytes, rs_error *error);

/* Whether there is such an object in this very file: links to others, and soft ones, do not count. */
bool rs_h5_has(hid_t file, const char *path);
/* Whether a data set has its values in this very file: DATA where it names others, which a file that was made to harm could have read
 * or written. */
rs_status rs_h5_check_place(hid_t dataset, const char *path, rs_error *error);
/* Both of these, and opens it. */
rs_status rs_h5_open_dataset(hid_t file, const char *path, hid_t *dataset, rs_error *error);

/* Attributes: UTF-8 text of variable length; a 64-bit integer. */
rs_status rs_h5_put_text(hid_t object, const char *name, const char *text, rs_error *error);
rs_status rs_h5_put_int(hid_t object, const char *name, int64_t value, rs_error *error);
/* *text is the caller's (rs_free). DATA when there is no such attribute. */
rs_status rs_h5_get_text(hid_t object, const char *name, char **text, rs_error *error);
rs_status rs_h5_get_int(hid_t object, const char *name, int64_t *value, rs_error *error);
rs_status rs_h5_set_int(hid_t object, const char *name, int64_t value, rs_error *error); /* existing */

/* A fixed-length UTF-8 string type, padded with zeros. */
rs_status rs_h5_string_type(size_t bytes, hid_t *type, rs_error *error);
/* Text of a scalar (or one-element) fixed-length string data set; the caller's (rs_free). */
rs_status rs_h5_read_string(hid_t file, const char *path, char **text, rs_error *error);
/* Overwrites it in place; FAILED when the text is longer than the data set. */
rs_status rs_h5_write_string(hid_t file, const char *path, const char *text, rs_error *error);

#endif
