/* study_record.c: what the record of a run says about what is left to do. */
#include <string.h>
#include <unistd.h>

#include "rs/host.h"
#include "rs/recorder.h"
#include "study.h"

static void fail(rs_study_run *run, const char *text)
{
    run->state = RS_STUDY_FAILED;
    (void)snprintf(run->message, sizeof run->message, "%s", text);
}

/* The name is a hash of the settings, so this happens only where a file was renamed or put there by hand. */
static bool is_same_run(rs_study_run *run, const char *config_yaml)
{
    rs_config recorded;
    rs_error error = {0};
    char names[256], text[512];
    rs_config_default(&recorded);
    if (rs_config_read_yaml(&recorded, config_yaml, run->config.out, &error)) {
        fail(run, error.text);
        return false;
    }
    if (rs_config_differences(&run->config, &recorded, names, sizeof names) > 0) {
        (void)snprintf(text, sizeof text,
                       "the record exists but is of another run (differs in %s); move it away: %.200s", names,
                       run->config.out);
        fail(run, text);
        return false;
    }
    return true;
}

void rs_study_examine(rs_study_run *run)
{
    rs_record_summary summary = {0};
    rs_error error = {0};
    run->state = RS_STUDY_NEW;
    run->diverged = false;
    run->exit_status = -1;
    if (access(run->config.out, F_OK) != 0) {
        return;
    }
    run->state = RS_STUDY_RESUMABLE;
    if (rs_record_summarize(run->config.out, &summary, &error) != RS_OK) {
        return; /* killed before its first commit, or no record at all: resuming finds out and says so */
    }
    run->epochs_done = summary.committed.epochs;
    if (is_same_run(run, summary.config_yaml)) {
        /* a stop rule may have ended it before all epochs */
        if (strcmp(summary.state, rs_run_state_name(RS_RUN_DONE)) == 0) {
            run->state = RS_STUDY_SKIPPED;
        } else if (strcmp(summary.state, rs_run_state_name(RS_RUN_DIVERGED)) == 0) {
            run->diverged = true;
            fail(run, "diverged earlier; its record is whole up to there (remove it to train again)");
        }
    }
    rs_free(summary.config_yaml);
}
