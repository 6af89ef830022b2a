/* unpack.h: a set's files out of an archive, trusting nothing in it. */
#ifndef RS_DATA_UNPACK_H
#define RS_DATA_UNPACK_H

#include "rs/status.h"
#include "stage.h"

/* Takes regular files with the names of the set's files, in whatever folder of the archive they lie, into the stage.
 * DATA: not an archive, damaged, one of the files is missing, there twice, a link or a folder, or is named with an
 * absolute path or "..", or the archive unpacks to more than the set can be. */
rs_status rs__unpack(const rs__stage *stage, const char *path, rs_error *error);

#endif
