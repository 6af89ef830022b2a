/* watch.h: a look at a running record: what is read of it, and how it is shown. */
#ifndef RS_INSPECT_WATCH_H
#define RS_INSPECT_WATCH_H

#include <stdio.h>

#include "rs/observer.h"
#include "rs/recorder.h"
#include "rs/tensor.h"

enum { RS__SPARK = 64 }; /* samples of a series that a sparkline can show */

/* A series thinned to at most RS__SPARK values, evenly from its first to its last. */
typedef struct rs__samples {
    int count;
    double value[RS__SPARK];
} rs__samples;

typedef struct rs__watched_block {
    char name[RS_NAME_MAX];
    rs__samples distance; /* to the initial state; count 0: no step yet */
} rs__watched_block;

/* What is known as of the last commit. Numbers that are not known are NaN. */
typedef struct rs__frame {
    rs_record_summary summary;
    char network[128];
    const char *rate_unit; /* "images/s" */
    int64_t planned_epochs;
    double steps_per_epoch, epoch_seconds;       /* seconds with everything, mean of the last epochs */
    double samples_per_second, steps_per_second; /* of training, in the last epoch */
    double learning_rate, gradient_norm, step_loss, step_accuracy; /* of the last step */
    double loss[3], accuracy[3];   /* training, validation, test, of the last epoch */
    double error[3], r_squared[3]; /* mean absolute error and R squared, where numbers are predicted */
    rs__samples losses[2];         /* of training and validation, by epoch */
    bool test_differs;             /* from validation */
    char metric[32];               /* of the distances; "": none were recorded */
    int64_t block_count;
    rs__watched_block *blocks;
} rs__frame;

/* Reads all of it anew; on failure the frame is empty. The caller frees it. */
rs_status rs__frame_read(const char *path, rs__frame *frame, rs_error *error);
void rs__frame_free(rs__frame *frame); /* takes a zeroed one */
/* Seconds until all epochs are done, `age` seconds after the last commit; NaN before the first epoch's end. */
double rs__frame_seconds_left(const rs__frame *frame, double age);

/* One committed moment of a run, for plain lines. */
typedef struct rs__moment {
    rs_commit_kind kind;
    int64_t epochs, steps, batches;
    double loss[3], accuracy[3], error[3], r_squared[3]; /* of the epoch that ends there; NaN within one */
    bool test_differs;
    double samples_per_second;
} rs__moment;
/* Of commit `index`. */
rs_status rs__moment_read(const char *path, int64_t index, rs__moment *moment, rs_error *error);
void rs__moment_print(const rs__moment *moment, const rs__frame *frame, double age, FILE *stream);

/* How wide and high the frame may be; unicode: block characters, else ASCII. */
typedef struct rs__view {
    int columns, rows;
    bool unicode;
} rs__view;
/* Writes the frame as lines, blocks as far as `rows` lines and `columns` characters allow. The lines above the blocks
 * come in any case: draw cuts what a very small terminal cannot hold. `age`: seconds since the last commit. */
void rs__frame_print(const rs__frame *frame, const char *path, double age, const rs__view *view,
                     FILE *stream);
/* "▁▂▄█" of the samples, `width` characters, from `low` (NaN: their least) to their most; a value that is not finite is
 * a "?". */
void rs__spark_print(const rs__samples *samples, int width, double low, bool unicode, FILE *stream);

/* The command's loop: waits for `path`, then shows it every `interval` seconds until the run ends. Exit status. */
int rs__watch(const char *path, double interval);

#endif
