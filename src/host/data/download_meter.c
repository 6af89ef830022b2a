/* download_meter.c: progress of a transfer; see download_meter.h. */
#include "download_meter.h"

#include <unistd.h>

#include "rs/host.h"
#include "rs/text.h"

static const double terminal_interval = 0.2, plain_interval = 5.0;

void rs__download_meter_start(rs__download_meter *meter, FILE *stream, const char *label, uint64_t first)
{
    double now = rs_seconds();
    *meter =
        (rs__download_meter){.stream = stream, .label = label, .begun = now, .shown = now, .first = first};
    meter->latest = first;
    meter->terminal = stream && isatty(fileno(stream)) == 1;
}

static void compose(const rs__download_meter *meter, uint64_t total, double now, char *text, size_t capacity)
{
    char done[32], size[32], rate_text[32], left[32] = "?";
    double rate = (double)(meter->latest - meter->first) / (now - meter->begun + 1e-9);
    rs_text_bytes(meter->latest, done, sizeof done);
    rs_text_bytes((uint64_t)rate, rate_text, sizeof rate_text);
    if (total < meter->latest) {
        (void)snprintf(text, capacity, "%s: %s, %s/s", meter->label, done, rate_text);
        return;
    }
    rs_text_bytes(total, size, sizeof size);
    if (rate > 0.0) {
        rs_text_duration((double)(total - meter->latest) / rate, left, sizeof left);
    }
    double percent = total ? 100.0 * (double)meter->latest / (double)total : 100.0;
    (void)snprintf(text, capacity, "%s: %3.0f%% of %s, %s/s, %s left", meter->label, percent, size, rate_text,
                   left);
}

void rs__download_meter_show(rs__download_meter *meter, uint64_t bytes, uint64_t total)
{
    double now = rs_seconds();
    char text[512];
    meter->latest = bytes > meter->first ? bytes : meter->first;
    if (now - meter->shown < (meter->terminal ? terminal_interval : plain_interval)) {
        return;
    }
    meter->shown = now;
    compose(meter, total, now, text, sizeof text);
    if (meter->terminal) {
        (void)fprintf(meter->stream, "\r\033[K%s", text);
        (void)fflush(meter->stream);
        meter->drawn = true;
    } else if (meter->stream) {
        (void)fprintf(meter->stream, "%s\n", text);
        (void)fflush(meter->stream);
    } else {
        rs_log(RS_LOG_INFO, "%s", text);
    }
}

void rs__download_meter_end(rs__download_meter *meter)
{
    if (meter->drawn) {
        (void)fputs("\r\033[K", meter->stream);
        (void)fflush(meter->stream);
        meter->drawn = false;
    }
}
