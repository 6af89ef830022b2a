/* edited.c: records that are valid HDF5 and wrong in some other way: the whole one of the corpus, changed through the library as the
 * input says (edits.c). */
#include "bases.h"
#include "fuzz.h"
#include "read_record.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0) {
        return 0;
    }
    const char *path = rs_fuzz_edited(data, size);
    if (rs_fuzz_read_record(0, path, rs_fuzz_unedited(), data[0] / 16)) {
        rs_fuzz_accept();
    }
    return 0;
}
