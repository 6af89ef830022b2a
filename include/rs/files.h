/* rs/files.h: files that get their name when they are whole and on the disk.
 *
 * A name that is there after a power cut stands for the whole file: what PATH is to hold is written to PATH.part, synced, renamed,
 * and the folder synced. Until then a file that was there keeps its name and bytes. */
#ifndef RS_FILES_H
#define RS_FILES_H

#include <stdio.h>

#include "rs/status.h"

/* The folder of a path: the caller's (rs_free). */
rs_status rs_directory_of(const char *path, char **directory, rs_error *error);
/* Makes a folder with its parents; that it is there already is no error. */
rs_status rs_directory_make(const char *directory, rs_error *error);
/* What was made, renamed or removed in it stays so. Where the file system cannot: OK. */
rs_status rs_directory_sync(const char *directory, rs_error *error);
/* Renames part to path, replacing what was there, and syncs the folder; part is synced before by who wrote it. IO: part is
 * where it was. */
rs_status rs_file_publish(const char *part, const char *path, rs_error *error);

/* A text file on its way. */
typedef struct rs_whole_file {
    FILE *stream; /* to be written to */
    char *part, *path;
} rs_whole_file;

/* Begins PATH.part, replacing what an earlier program left there. */
rs_status rs_whole_file_open(rs_whole_file *file, const char *path, rs_error *error);
/* Ends it and gives it its name; where `so_far` or anything here is no success, nothing is left of it, and that is
 * returned. */
rs_status rs_whole_file_close(rs_whole_file *file, rs_status so_far, rs_error *error);

#endif
