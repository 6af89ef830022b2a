/* source.h: the bytes of a data file in order, plain or gzip, with the SHA-256 of the file as it lies there.
 */
#ifndef RS_DATA_SOURCE_H
#define RS_DATA_SOURCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "digest.h"
#include "rs/status.h"

typedef struct rs__source rs__source;

/* Opens a regular file; gzip is known by its first two bytes. DATA when it is missing or unreadable. */
rs_status rs__source_open(const char *path, rs__source **source, rs_error *error);

/* Reads `count` unpacked bytes, fewer only at the end; *got says how many. DATA, with the file's offset, when
 * gzip data is cut off or damaged. `bytes` NULL: they are skipped. */
rs_status rs__source_read(rs__source *source, void *bytes, size_t count, size_t *got, rs_error *error);

/* Reads exactly `count` bytes; DATA naming offset and what is `missing` when the file ends before. */
rs_status rs__source_need(rs__source *source, void *bytes, size_t count, const char *missing,
                          rs_error *error);

/* After the last byte that belongs there: DATA when more follow. Then the SHA-256 is complete. */
rs_status rs__source_end(rs__source *source, char sha256[RS__HEX_MAX], rs_error *error);

uint64_t rs__source_offset(const rs__source *source);     /* unpacked bytes read so far */
uint64_t rs__source_file_bytes(const rs__source *source); /* size of the file as it lies there */
bool rs__source_is_gzip(const rs__source *source);
const char *rs__source_path(const rs__source *source);
void rs__source_close(rs__source *source); /* takes NULL */

#endif
