/* write.c: the files of a report: each is written beside its place and gets its name when it is whole. */
#include <string.h>
#include <unistd.h>

#include "report.h"
#include "rs/files.h"

typedef enum format { HTML, CSV, MARKDOWN, JSON, FORMATS } format;

static rs_status format_of(const char *path, format *found, rs_error *error)
{
    static const char *const endings[FORMATS] = {".html", ".csv", ".md", ".json"};
    const size_t length = strlen(path);
    for (int f = 0; f < FORMATS; f++) {
        const size_t end = strlen(endings[f]);
        if (length > end && strcmp(path + length - end, endings[f]) == 0) {
            *found = (format)f;
            return RS_OK;
        }
    }
    return RS_FAIL(
        error, RS_USAGE,
        "%s: its ending must say what is wanted: .html (the page), .csv, .md or .json (the table of "
        "results)",
        path);
}

static rs_status write_format(const rs__report *report, format what, FILE *file, rs_error *error)
{
    switch (what) {
    case CSV:
        rs__report_write_csv(report, file);
        return RS_OK;
    case MARKDOWN:
        rs__report_write_markdown(report, file);
        return RS_OK;
    case JSON:
        rs__report_write_json(report, file);
        return RS_OK;
    default:
        return rs__report_write_page(report, file, error);
    }
}

static rs_status write_file(const rs__report *report, const char *path, format what, rs_error *error)
{
    rs_whole_file file;
    RS_TRY(rs_whole_file_open(&file, path, error));
    return rs_whole_file_close(&file, write_format(report, what, file.stream, error), error);
}

rs_status rs__report_check_paths(const rs__texts *paths, bool overwrite, rs_error *error)
{
    for (int i = 0; i < paths->count; i++) {
        format what = HTML;
        if (strlen(paths->list[i]) >= RS_TEXT_MAX) {
            return RS_FAIL(error, RS_USAGE, "a path is too long: %.60s...", paths->list[i]);
        }
        RS_TRY(format_of(paths->list[i], &what, error));
        if (!overwrite && access(paths->list[i], F_OK) == 0) {
            return RS_FAIL(error, RS_USAGE, "%s exists; --overwrite replaces it", paths->list[i]);
        }
    }
    return RS_OK;
}

rs_status rs__report_write(const rs__report *report, const rs__texts *paths, rs_error *error)
{
    for (int i = 0; i < paths->count; i++) {
        format what = HTML;
        RS_TRY(format_of(paths->list[i], &what, error));
        RS_TRY(write_file(report, paths->list[i], what, error));
    }
    return RS_OK;
}
