/* idx.c: MNIST's files, plain and gzip.
 *
 * Input: limit on the samples (one byte), length of the image file (two bytes, little-endian), the image file, the label
 * file. The same two are the training and the test split. */
#include <string.h>

#include "formats.h"
#include "fuzz.h"

static const rs__set set = {.name = "small",
                            .title = "small",
                            .format = RS__FORMAT_IDX,
                            .channels = 1,
                            .height = 3,
                            .width = 2,
                            .classes = 4,
                            .file_count = 4,
                            .file_limit = 1 << 16};

static void check_part(const rs__part *part, int64_t limit)
{
    const size_t image = (size_t)(set.height * set.width);
    RS_ASSERT(part->count > 0 && (limit == 0 || part->count <= limit));
    rs_fuzz_touch(part->images, (size_t)part->count * image);
    for (int64_t i = 0; i < part->count; i++) {
        RS_ASSERT(part->labels[i] >= 0 && part->labels[i] < set.classes);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    rs__location location = {.folder = "/proc/self/fd"};
    rs__loaded loaded = {.note_count = 0};
    rs_error error;
    if (size < 3) {
        return 0;
    }
    const int64_t limit = data[0];
    size_t images = (size_t)(data[1] | data[2] << 8);
    images = images < size - 3 ? images : size - 3;
    for (int i = 0; i < set.file_count; i++) {
        const char *path = i % 2 == 0 ? rs_fuzz_file(0, data + 3, images)
                                      : rs_fuzz_file(1, data + 3 + images, size - 3 - images);
        (void)snprintf(location.file[i], sizeof location.file[i], "%s", rs_fuzz_name(path));
    }
    rs_status status = rs__idx_load(&set, &location, limit, 0, &loaded, &error);
    rs_fuzz_settle(status, &error);
    if (status == RS_OK) {
        check_part(&loaded.train, limit);
        check_part(&loaded.test, 0);
        rs_fuzz_accept();
        RS_ASSERT(loaded.note_count == set.file_count && strlen(loaded.note[0].sha256) == RS__HEX_MAX - 1);
    }
    rs__loaded_clear(&loaded);
    return 0;
}
