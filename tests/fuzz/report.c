/* report.c: what `report` reads and writes of such a record, beside a whole one. */
#include "report.h"

#include "bases.h"
#include "fuzz.h"

static rs_status write_all(rs__report *report, const rs__inputs *inputs, rs_error *error)
{
    FILE *stream = rs_fuzz_nowhere();
    rs__layers layers = {.layer_count = 0};
    RS_TRY(rs__report_read_runs(report, inputs, error));
    RS_TRY(rs__report_make_groups(report, error));
    RS_TRY(rs__report_find_planned(report, error));
    RS_TRY(rs__report_find_warnings(report, error));
    rs__report_write_csv(report, stream);
    rs__report_write_markdown(report, stream);
    rs__report_write_json(report, stream);
    for (int i = 0; i < report->run_count; i++) {
        rs_fuzz_settle(rs__report_read_layers(&report->runs[i], &layers, error), error);
        rs__report_clear_layers(&layers);
    }
    return rs__report_write_page(report, stream, error);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0) {
        return 0;
    }
    const char *const paths[] = {rs_fuzz_edited(data, size), rs_fuzz_unedited()};
    rs__inputs inputs = {.name = ""};
    rs__report report = {.no_figures = true};
    rs_error error;
    rs_status status = rs__report_find_inputs(&inputs, paths, data[0] & 0x80 ? 1 : 2, &error);
    status = status ? status : write_all(&report, &inputs, &error);
    rs_fuzz_settle(status, &error);
    if (!status) {
        rs_fuzz_accept();
    }
    rs__report_clear(&report);
    rs__report_clear_inputs(&inputs);
    return 0;
}
