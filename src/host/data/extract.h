/* extract.h: the files of a set out of an archive that may be hostile. */
#ifndef RS_DATA_EXTRACT_H
#define RS_DATA_EXTRACT_H

#include "catalog.h"
#include "rs/status.h"

/* Unpacks a tar (gzip, bzip2, xz, zstd, plain) or zip into `folder`, which must be empty: those regular files
 * whose last name is one of the set's; all others are passed over. DATA: damaged or cut off; links, devices,
 * absolute names or ".." in it; a file or the whole larger than any honest archive of the set; a name twice. */
rs_status rs__extract(const char *archive, const rs__set *set, const char *folder, rs_error *error);

#endif
