/* mutate.c: for libFuzzer: changes an input as it does by itself, then (most times) mends the checksums that lie in it. */
#include "fuzz.h"
#include "mend.h"

/* libFuzzer's: one that it has, and one that it calls. */
size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t most);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t most, unsigned int seed);

__attribute__((visibility("default"))) size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t most,
                                                                      unsigned int seed)
{
    const size_t changed = LLVMFuzzerMutate(data, size, most);
    if (seed % 16 != 0) {
        rs_fuzz_mend(data, changed);
    }
    return changed;
}
