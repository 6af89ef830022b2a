/* meter.c: progress of a download; see meter.h. */
#include "meter.h"

#include <inttypes.h>
#include <string.h>

#include "rs/host.h"
#include "rs/text.h"

static const double redraw_seconds = 0.1, line_seconds = 15.0;
enum { LINES = 10 }; /* over a whole download, when it is faster than one in line_seconds */

void rs__meter_start(rs__meter *meter, FILE *terminal, const char *name, uint64_t there, uint64_t total)
{
    double now = rs_seconds();
    *meter = (rs__meter){.terminal = terminal,
                         .name = name,
                         .total = total,
                         .start = there,
                         .began = now,
                         .shown = now,
                         .shown_bytes = there};
}

/* "cifar-10-binary.tar.gz  45%  73.1 MiB of 162.2 MiB, 3.1 MiB/s, 28 s left" */
static void write_line(const rs__meter *meter, uint64_t bytes, double now, char *line, size_t capacity)
{
    char done[32], total[32], rate[32] = "", left[32] = "";
    double seconds = now - meter->began;
    double per_second =
        seconds > 0.0 && bytes > meter->start ? (double)(bytes - meter->start) / seconds : 0.0;
    int percent = meter->total ? (int)((double)bytes * 100.0 / (double)meter->total) : 100;
    rs_text_bytes(bytes, done, sizeof done);
    rs_text_bytes(meter->total, total, sizeof total);
    if (per_second >= 1.0) {
        rs_text_bytes((uint64_t)per_second, rate, sizeof rate);
        rs_text_duration((double)(meter->total - bytes) / per_second, left, sizeof left);
    }
    (void)snprintf(line, capacity, "%s %3d%%  %s of %s%s%s%s%s%s", meter->name, percent, done, total,
                   *rate ? ", " : "", rate, *rate ? "/s, " : "", left, *left ? " left" : "");
}

static void draw(rs__meter *meter, const char *line)
{
    int length = (int)strlen(line);
    (void)fprintf(meter->terminal, "\r%s%*s", line, meter->width > length ? meter->width - length : 0, "");
    (void)fflush(meter->terminal);
    meter->width = length;
}

void rs__meter_show(rs__meter *meter, uint64_t bytes)
{
    char line[160];
    double now = rs_seconds();
    bool due = meter->terminal
                   ? now - meter->shown >= redraw_seconds
                   : now - meter->shown >= line_seconds ||
                         (now - meter->shown >= 1.0 && bytes - meter->shown_bytes >= meter->total / LINES);
    if (!due || bytes > meter->total || bytes < meter->shown_bytes) {
        return;
    }
    write_line(meter, bytes, now, line, sizeof line);
    meter->shown = now;
    meter->shown_bytes = bytes;
    if (meter->terminal) {
        draw(meter, line);
    } else {
        rs_log(RS_LOG_INFO, "%s", line);
    }
}

void rs__meter_stop(rs__meter *meter)
{
    if (meter->terminal && meter->width > 0) {
        draw(meter, "");
        (void)fputc('\r', meter->terminal);
        (void)fflush(meter->terminal);
    }
    meter->width = 0;
}
