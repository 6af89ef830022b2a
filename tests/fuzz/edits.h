/* edits.h: changes a record through HDF5 itself, as a list of bytes says: every file is valid HDF5, and none need be a record. */
#ifndef RS_FUZZ_EDITS_H
#define RS_FUZZ_EDITS_H

#include <stddef.h>
#include <stdint.h>

/* Objects of that file, too, can be edited from now on. Lists depend on which files are noted in which order. */
void rs_fuzz_note(const char *path);
/* Edits the HDF5 file at `path`. The list ends where its bytes do; what the library refuses is passed over. */
void rs_fuzz_edit(const char *path, const uint8_t *list, size_t count);

#endif
