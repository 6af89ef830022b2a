/* report.c: see report.h. */
#include "report.h"

#include <inttypes.h>
#include <math.h>

static void print_repeat(const rs_check_report *report, const char *name)
{
    (void)fprintf(report->stream, "  to repeat: resnet_study check --device %s --filter %s --verbose\n",
                  report->device, name);
}

void rs_check_report_begin(const rs_check_report *report)
{
    if (report->stream) {
        (void)fprintf(report->stream, "%-28s %-34s %9s  %9s\n", "case", "compared", "error", "tolerance");
    }
}

int rs_check_report_end(const rs_check_report *report)
{
    if (report->stream) {
        (void)fprintf(report->stream, "%d passed, %d failed\n", report->passed, report->failed);
    }
    return report->failed == 0 && report->passed > 0 ? 0 : 1;
}

rs_check_row rs_check_row_begin(rs_check_report *report, const char *name, const char *against,
                                double tolerance)
{
    return (rs_check_row){.report = report, .name = name, .against = against, .tolerance = tolerance};
}

void rs_check_row_add(rs_check_row *row, const char *what, double error, bool within)
{
    FILE *stream = row->report->stream;
    bool first = row->passed + row->failed == 0;
    row->passed += within ? 1 : 0;
    row->failed += within ? 0 : 1;
    if (first || !(error <= row->error)) {
        row->error = error;
        (void)snprintf(row->worst, sizeof row->worst, "%s", what);
    }
    if (stream && (row->report->verbose || !within)) {
        (void)fprintf(stream, "  %-60s %9.2e  %s\n", what, error, within ? "ok" : "FAIL");
    }
}

void rs_check_row_compare(rs_check_row *row, const char *what, const rs_comparison *comparison)
{
    bool within = rs_comparison_within(comparison, row->tolerance);
    rs_check_row_add(row, what, rs_comparison_error(comparison), within);
    if (row->report->stream && !within) {
        (void)fprintf(row->report->stream, "    at index %" PRId64 ": %.9g instead of %.9g\n",
                      comparison->worst, comparison->got, comparison->want);
    }
}

void rs_check_row_end(rs_check_row *row)
{
    rs_check_report *report = row->report;
    report->passed += row->passed;
    report->failed += row->failed;
    if (!report->stream) {
        return;
    }
    (void)fprintf(report->stream, "%-28s %-34s %9.1e  %9.1e  %s\n", row->name, row->against, row->error,
                  row->tolerance, row->failed ? "FAIL" : "ok");
    if (row->failed) {
        (void)fprintf(report->stream, "  worst: %s\n", row->worst);
        print_repeat(report, row->name);
    }
}

void rs_check_report_broken(rs_check_report *report, const char *name, const char *against, const char *why)
{
    report->failed++;
    if (report->stream) {
        (void)fprintf(report->stream, "%-28s %-34s %9s  %9s  FAIL\n  %s\n", name, against, "-", "-", why);
        print_repeat(report, name);
    }
}
