/* download_meter.h: tells a waiting person how far a transfer is: a line that moves on a terminal, now and then a plain
 * line elsewhere. */
#ifndef RS_DATA_DOWNLOAD_METER_H
#define RS_DATA_DOWNLOAD_METER_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

typedef struct rs__download_meter {
    FILE *stream; /* NULL: plain lines through rs_log */
    const char *label;
    bool terminal, drawn;
    double begun, shown;    /* rs_seconds */
    uint64_t first, latest; /* bytes there at the start, and now */
} rs__download_meter;

/* `stream` and `label` are borrowed. `first` bytes were there before. */
void rs__download_meter_start(rs__download_meter *meter, FILE *stream, const char *label, uint64_t first);
/* `total` 0: not known. */
void rs__download_meter_show(rs__download_meter *meter, uint64_t bytes, uint64_t total);
/* Clears the moving line. */
void rs__download_meter_end(rs__download_meter *meter);

#endif
