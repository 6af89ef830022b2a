/* record.c: HDF5 files as they come: records, files of results, anything. Checksums of the library's own are mended when an
 * input is changed (mend.c); what HDF5 itself makes of a broken file is tried here, too. */
#include "fuzz.h"
#include "read_record.h"
#include "rs/host.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    rs_log_set_level(RS_LOG_ERROR);
    unsigned sum = 0; /* which reader is tried depends on all bytes, so that each meets every kind of fault */
    for (size_t i = 0; i < size; i++) {
        sum = sum * 31 + data[i];
    }
    const char *path = rs_fuzz_named_file(0, data, size);
    if (rs_fuzz_read_record(0, path, path, sum >> 8)) {
        rs_fuzz_accept();
    }
    return 0;
}
