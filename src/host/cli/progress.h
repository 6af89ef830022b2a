/* progress.h: an observer that shows how far a run is.
 *
 * On a terminal one line that rewrites itself, and a line per epoch; elsewhere plain lines: one per epoch,
 * and within an epoch one every 30 s. Runs of more than 100 epochs print at most one epoch line a second.
 * Epochs are shown from 1. --quiet: nothing. */
#ifndef RS_CLI_PROGRESS_H
#define RS_CLI_PROGRESS_H

#include <stdint.h>
#include <stdio.h>

#include "rs/config.h"
#include "rs/observer.h"

typedef struct rs_progress rs_progress;

/* Call it just before training begins: the first step's time counts from here. `stream` is borrowed; whether
 * it is a terminal is asked once. While a terminal is shown, log messages go to it through this object
 * (rs_log_set_sink), so that they do not run into the line. */
rs_status rs_progress_create(FILE *stream, const rs_config *config, int64_t images_per_epoch,
                             rs_progress **progress, rs_error *error);
rs_observer rs_progress_observer(rs_progress *progress); /* borrows it */
void rs_progress_destroy(rs_progress *progress);         /* clears the line; takes NULL */

#endif
