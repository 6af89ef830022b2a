/* safetensors.c: tensors of a safetensors file, by the names and shapes that the corpus has. */
#include "rs/safetensors.h"

#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const names[] = {"fc.weight", "fc.bias", "bn.running_mean", "", "__metadata__"};
    static const rs_shape shapes[] = {
        {.rank = 0}, {.rank = 1, .dim = {3}}, {.rank = 2, .dim = {2, 3}}, {.rank = 2, .dim = {0, 3}}};
    enum { SHAPES = sizeof shapes / sizeof shapes[0], NAMES = sizeof names / sizeof names[0], MOST = 6 };
    rs_safetensors *file = NULL;
    rs_error error;
    const char *path = rs_fuzz_file(0, data, size);
    rs_status status = rs_safetensors_open(path, &file, &error);
    rs_fuzz_settle(status, &error);
    for (int n = 0; n < NAMES && !status; n++) {
        for (int s = 0; s < SHAPES; s++) {
            float values[MOST] = {0};
            rs_status read = rs_safetensors_read(file, names[n], &shapes[s], values, &error);
            rs_fuzz_settle(read, &error);
            if (!read) {
                rs_fuzz_accept();
                RS_ASSERT(rs_safetensors_has(file, names[n]));
            }
            rs_fuzz_touch(values, sizeof values);
        }
    }
    rs_safetensors_close(file);
    return 0;
}
