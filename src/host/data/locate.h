/* locate.h: where the data directory is, and where in it a set's files lie. */
#ifndef RS_DATA_LOCATE_H
#define RS_DATA_LOCATE_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>

#include "catalog.h"
#include "rs/status.h"

typedef struct rs__location {
    char folder[PATH_MAX];        /* holds every file of the set */
    char file[RS__MAX_FILES][64]; /* [file_count] names found there: as in the table, or with .gz */
} rs__location;

/* "DIR/NAME"; NAME "" gives DIR. DATA when it is longer than a path may be. */
rs_status rs__path_join(char *path, size_t capacity, const char *directory, const char *name,
                        rs_error *error);

/* `given` itself, or for "": $RS_DATA_DIR, else $XDG_CACHE_HOME/resnet_study, else ~/.cache/resnet_study. */
rs_status rs__data_directory(const char *given, char *path, size_t capacity, rs_error *error);

/* First folder of the set's list that has all its files. False when there is none. */
bool rs__locate(const rs__set *set, const char *directory, rs__location *location);
/* The same in one folder. The first missing file's name goes to *missing, when that is not NULL. */
bool rs__locate_in(const rs__set *set, const char *folder, rs__location *location, const char **missing);

/* Whether a file name is one that a file of the set may have: as in the table, with .gz, or with its dot. */
bool rs__locate_is_file(const rs__set *set, const char *name);
/* The names that file `index` of the set may have, best first; false behind the last. */
bool rs__locate_variant(const rs__set *set, int index, int variant, char *name, size_t capacity);

/* Fills a DATA error: where was searched, what lacks, how to get it: by the program, and by hand. */
rs_status rs__locate_fail(const rs__set *set, const char *directory, rs_error *error);

#endif
