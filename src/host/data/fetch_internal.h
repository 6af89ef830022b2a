/* fetch_internal.h: what fetch.c and fetch_local.c share. */
#ifndef RS_DATA_FETCH_INTERNAL_H
#define RS_DATA_FETCH_INTERNAL_H

#include "fetch.h"
#include "stage.h"

/* Reads a located set whole and drops it: whether it is one. */
rs_status rs__inspect(const rs__set *set, const rs__location *location, rs_error *error);

/* From a folder or archive on this machine into the stage. */
rs_status rs__fetch_local(rs__stage *stage, const char *path, rs_error *error);

/* Whether a set's download is an archive of its files, rather than the files themselves. */
bool rs__is_archive(const rs__set *set);

#endif
