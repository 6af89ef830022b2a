/* bases.h: whole files of the corpus, for targets that change them through HDF5. */
#ifndef RS_FUZZ_BASES_H
#define RS_FUZZ_BASES_H

#include <stddef.h>
#include <stdint.h>

/* A file made of record.good-whole (record.good-pca, where byte 0 % 8 is 7) by the edits behind byte 0 (edits.h); slot 0. */
const char *rs_fuzz_edited(const uint8_t *data, size_t size);
/* record.good-whole itself; slot 1. */
const char *rs_fuzz_unedited(void);

#endif
