/* rs/checkpoint.h: the file RUN.h5.ckpt that a run resumes from: named byte sections, each with its length
 * and CRC-32.
 *
 * Writing goes to PATH.part; syncing and renaming it is the recorder's business, after its commit. Reading
 * checks magic, version, lengths and checksums before anything is used (DATA otherwise). */
#ifndef RS_CHECKPOINT_H
#define RS_CHECKPOINT_H

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "rs/status.h"

typedef struct rs_checkpoint_writer rs_checkpoint_writer;
/* Creates `path` (truncating it). */
rs_status rs_checkpoint_create(const char *path, rs_checkpoint_writer **writer, rs_error *error);
/* Bytes of a file without sections, and what each adds. */
#define RS_CHECKPOINT_BYTES 40
uint64_t rs_checkpoint_section_bytes(const char *name, size_t count);
/* Before the first section: reserves so many bytes for all, where the file system can. Where they are not there: IO, or with
 * `wait` only once they are, INTERRUPTED by *stop (NULL: never). Finishing gives back what was too much, which some file
 * systems take their time for. */
rs_status rs_checkpoint_reserve(rs_checkpoint_writer *writer, uint64_t bytes, bool wait,
                                const volatile sig_atomic_t *stop, rs_error *error);
rs_status rs_checkpoint_put(rs_checkpoint_writer *writer, const char *name, const void *bytes, size_t count,
                            rs_error *error);
/* Writes the end mark and closes (no fsync); frees the writer whatever it returns, and removes the file when it failed. */
rs_status rs_checkpoint_finish(rs_checkpoint_writer *writer, rs_error *error);
void rs_checkpoint_abandon(rs_checkpoint_writer *writer); /* closes, removes the file, frees; takes NULL */

typedef struct rs_checkpoint rs_checkpoint;
rs_status rs_checkpoint_open(const char *path, rs_checkpoint **checkpoint, rs_error *error);
/* Copies a section of exactly `count` bytes. DATA when it is missing or of another length. */
rs_status rs_checkpoint_get(rs_checkpoint *checkpoint, const char *name, void *bytes, size_t count,
                            rs_error *error);
/* Length of a section, or -1. */
int64_t rs_checkpoint_length(const rs_checkpoint *checkpoint, const char *name);
void rs_checkpoint_close(rs_checkpoint *checkpoint); /* takes NULL */

#endif
