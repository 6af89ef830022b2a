/* cifar.c: batches of CIFAR-10 and of CIFAR-100. The input is one batch file, which is every file of the set. */
#include "formats.h"
#include "fuzz.h"

enum { RECORDS = 3 };

static void load(const rs__set *set, const char *name, int64_t limit)
{
    rs__location location = {.folder = "/proc/self/fd"};
    rs__loaded loaded = {.note_count = 0};
    rs_error error;
    for (int i = 0; i < set->file_count; i++) {
        (void)snprintf(location.file[i], sizeof location.file[i], "%s", name);
    }
    rs_status status = rs__cifar_load(set, &location, limit, limit, &loaded, &error);
    rs_fuzz_settle(status, &error);
    if (status == RS_OK) {
        rs_fuzz_accept();
        const rs__part *train = &loaded.train;
        RS_ASSERT(train->count == (limit ? limit : 2 * RECORDS));
        rs_fuzz_touch(train->images, (size_t)(train->count * set->channels * set->height * set->width));
        for (int64_t i = 0; i < train->count; i++) {
            RS_ASSERT(train->labels[i] >= 0 && train->labels[i] < set->classes);
        }
    }
    rs__loaded_clear(&loaded);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const rs__set ten = {.name = "ten",
                                .title = "ten",
                                .format = RS__FORMAT_CIFAR,
                                .channels = 3,
                                .height = 2,
                                .width = 2,
                                .classes = 10,
                                .file_count = 3,
                                .file_limit = 1 << 16,
                                .train_records = RECORDS,
                                .test_records = RECORDS,
                                .label_bytes = 1,
                                .label_at = 0};
    rs__set hundred = ten;
    hundred.classes = 100;
    hundred.label_bytes = 2;
    hundred.label_at = 1;
    const char *name = rs_fuzz_name(rs_fuzz_file(0, data, size));
    load(&ten, name, 0);
    load(&ten, name, RECORDS + 1);
    load(&hundred, name, 0);
    load(&hundred, name, 1);
    return 0;
}
