/* summary.c: what a record holds as far as its last commit; see rs/recorder.h. */
#include <stdio.h>
#include <string.h>

#include "commits.h"
#include "lock.h"
#include "rs/host.h"

static rs_status read_texts(hid_t file, rs_record_summary *summary, rs_error *error)
{
    char *state = NULL, *device = NULL;
    RS_TRY(rs_h5_read_string(file, "state", &state, error));
    (void)snprintf(summary->state, sizeof summary->state, "%s", state);
    rs_free(state);
    if (H5Lexists(file, "reason", H5P_DEFAULT) > 0) {
        char *reason = NULL;
        RS_TRY(rs_h5_read_string(file, "reason", &reason, error));
        (void)snprintf(summary->reason, sizeof summary->reason, "%s", reason);
        rs_free(reason);
    }
    RS_TRY(rs_h5_get_text(file, "device", &device, error));
    (void)snprintf(summary->device, sizeof summary->device, "%s", device);
    rs_free(device);
    return rs_h5_read_string(file, "config", &summary->config_yaml, error);
}

rs_status rs_record_summarize(const char *path, rs_record_summary *summary, rs_error *error)
{
    hid_t file = H5I_INVALID_HID;
    rs_commits commits;
    rs_h5_mark mark;
    rs_status status;
    memset(summary, 0, sizeof *summary);
    summary->writer_lives = rs_lock_is_held(path);
    RS_TRY_GOTO(rs_h5_read_mark(path, &mark, error));
    RS_TRY_GOTO(rs_h5_open(path, RS_H5_READ, &file, error));
    RS_TRY_GOTO(rs_record_check_format(file, error));
    RS_TRY_GOTO(rs_commits_read(file, &commits, error));
    RS_TRY_GOTO(read_texts(file, summary, error));
    summary->commits = commits.count;
    summary->writer_mark = mark.write;
    if (commits.count > 0) {
        summary->committed = commits.position;
    }
done:
    rs_h5_close(file);
    if (status != RS_OK) {
        rs_free(summary->config_yaml);
        summary->config_yaml = NULL;
        error->status = status == RS_IO ? RS_DATA : status;
        return strstr(error->text, path) ? error->status : rs_error_prefix(error, "%s", path);
    }
    return RS_OK;
}
