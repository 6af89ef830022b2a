/* contents.h: what is in a record, found by looking: for info, verify and comparing, which know no spec; and, data set by data
 * set as they are asked for, for the reader, since a list of all of a deep network takes longer than what is read of it. */
#ifndef RS_RECORD_CONTENTS_H
#define RS_RECORD_CONTENTS_H

#include "commits.h"
#include "h5.h"
#include "layout.h"

#define RS_CONTENT_PATH_MAX 256

typedef struct rs_content {
    char path[RS_CONTENT_PATH_MAX]; /* without a / in front */
    int table;                      /* rs_table_kind whose rows it has, or -1: it never grows */
    H5T_class_t class;
    size_t type_size;
    int rank;
    hsize_t dim[H5S_MAX_RANK];
    size_t row_bytes; /* of one row; of all where it never grows */
    hsize_t stored;   /* bytes it takes in the file; 0 where it was looked up */
} rs_content;

typedef struct rs_looked_up rs_looked_up;

typedef struct rs_contents {
    hid_t file;
    char *path; /* of the file */
    uint64_t file_bytes;
    bool is_result;    /* a file of results: nothing in it grows, it has no commits */
    bool writer_lives; /* a process writes it */
    rs_h5_mark mark;
    rs_commits commits;
    bool listed;
    int count, capacity;
    rs_content *list;        /* by path; where it is listed */
    rs_looked_up *looked_up; /* what was looked up so far */
} rs_contents;

/* Opens a record for reading, whatever state it is in. DATA when it is none. */
rs_status rs_contents_open(const char *path, rs_contents *contents, rs_error *error);
/* The same, also of a file of results. */
rs_status rs_contents_open_any(const char *path, rs_contents *contents, rs_error *error);
/* A record without its list: rs_contents_look_up finds, rs_contents_list makes the list. */
rs_status rs_contents_open_unlisted(const char *path, rs_contents *contents, rs_error *error);
rs_status rs_contents_list(rs_contents *contents, rs_error *error); /* takes a listed one */
void rs_contents_close(rs_contents *contents);

/* Rows of a data set that count. */
int64_t rs_content_rows(const rs_contents *contents, const rs_content *content);
/* In the list; NULL: not there. */
const rs_content *rs_contents_find(const rs_contents *contents, const char *path);
/* Listed or not; *content is NULL where it is not there, else good until the contents are closed. Links to other places, which a
 * list does not follow either, count as not there. */
rs_status rs_contents_look_up(rs_contents *contents, const char *path, const rs_content **content,
                              rs_error *error);
/* Whether there is such a data set, readable or not. */
bool rs_contents_has(const rs_contents *contents, const char *path);
/* Reads rows first .. first + rows - 1 (all of it where it never grows) as they are stored. */
rs_status rs_content_read(hid_t dataset, const rs_content *content, int64_t first, int64_t rows, void *values,
                          rs_error *error);
/* Those rows, as `type` in memory. */
rs_status rs_content_read_as(hid_t dataset, const rs_content *content, int64_t first, int64_t rows,
                             hid_t type, void *values, rs_error *error);
/* Rows to read at once, so that a piece has about 4 MiB. */
int64_t rs_content_piece(const rs_content *content);

#endif
