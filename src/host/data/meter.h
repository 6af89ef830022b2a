/* meter.h: shows how far a download is: redrawn on a terminal, a line now and then elsewhere. */
#ifndef RS_DATA_METER_H
#define RS_DATA_METER_H

#include <stdint.h>
#include <stdio.h>

typedef struct rs__meter {
    FILE *terminal;        /* NULL: lines through rs_log */
    const char *name;      /* of the file */
    uint64_t total, start; /* bytes of the file; there when the try began */
    double began, shown;   /* rs_seconds; shown: of the last drawing */
    uint64_t shown_bytes;
    int width; /* characters on the terminal's line now */
} rs__meter;

/* Begins a try with `there` bytes of `total` already there. */
void rs__meter_start(rs__meter *meter, FILE *terminal, const char *name, uint64_t there, uint64_t total);
void rs__meter_show(rs__meter *meter, uint64_t bytes);
void rs__meter_stop(rs__meter *meter); /* leaves the terminal's line empty */

#endif
