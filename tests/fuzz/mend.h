/* mend.h: checksums of our formats, set right in a changed input. */
#ifndef RS_FUZZ_MEND_H
#define RS_FUZZ_MEND_H

#include <stddef.h>
#include <stdint.h>

/* Checkpoints (their count of sections, too) and HDF5 files; anything else, and a file whose checksums are right, stays as it
 * is. */
void rs_fuzz_mend(uint8_t *data, size_t size);

#endif
