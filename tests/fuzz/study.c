/* study.c: study files, read and expanded into their runs. */
#include "study.h"

#include "fuzz.h"
#include "rs/host.h"

static void look_at(const rs_study *study)
{
    rs_study_run *runs = NULL;
    rs_error error;
    int count = 0;
    rs_status status = rs_study_expand(study, "runs", &runs, &count, &error);
    rs_fuzz_settle(status, &error);
    if (!status) {
        rs_fuzz_accept();
        RS_ASSERT(count > 0 && count <= RS_STUDY_MAX_RUNS);
        for (int i = 0; i < count; i++) {
            RS_ASSERT(runs[i].from >= -1 && runs[i].from < i && runs[i].name[0] != '\0');
        }
        rs_study_take_shard(runs, &count, 1, 2);
    }
    rs_free(runs);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const rs_study_override overrides[] = {{"seed", "1..3", true}, {"epochs", "2", false}};
    rs_study *study = rs_alloc_zero(sizeof *study);
    rs_error error;
    RS_ASSERT(study);
    const int count = size % 2 ? 0 : 2; /* files of odd length are run as they are */
    rs_status status = rs_study_read(study, rs_fuzz_file(0, data, size), overrides, count, &error);
    rs_fuzz_settle(status, &error);
    if (!status) {
        look_at(study);
    }
    rs_study_clear(study);
    rs_free(study);
    return 0;
}
