/* profile.c: see profile.h. */
#include "profile.h"

#include <inttypes.h>
#include <string.h>

#include "rs/host.h"

/* What the columns are measured by. */
typedef struct totals {
    rs_peaks peaks; /* 0 where unknown */
    double seconds; /* of all rows */
    int64_t steps;
} totals;

/* A line of the table: one row, or the sum of several. */
typedef struct line {
    double seconds, flops, bytes, least_seconds; /* least: by the peaks */
} line;

static void add_row(const totals *t, line *sum, const rs_profile_row *row)
{
    sum->seconds += row->seconds;
    sum->flops += row->flops;
    sum->bytes += row->bytes;
    sum->least_seconds += rs_peaks_seconds(&t->peaks, row->flops, row->bytes);
}

/* Every step updates once. */
static totals totals_of(const rs_profile_row *rows, int count)
{
    totals t = {0};
    for (int i = 0; i < count; i++) {
        t.seconds += rows[i].seconds;
        t.steps = strcmp(rows[i].operation, "update") == 0 ? rows[i].calls : t.steps;
    }
    return t;
}

static void print_rate(double amount, double seconds, FILE *stream)
{
    if (amount > 0.0 && seconds > 0.0) {
        (void)fprintf(stream, " %9.1f", 1e-9 * amount / seconds);
    } else {
        (void)fprintf(stream, " %9s", "-");
    }
}

static void print_columns(const totals *t, const line *l, FILE *stream)
{
    (void)fprintf(stream, " %9.3f %6.1f%%", 1e3 * l->seconds / (double)t->steps,
                  t->seconds > 0.0 ? 100.0 * l->seconds / t->seconds : 0.0);
    print_rate(l->flops, l->seconds, stream);
    print_rate(l->bytes, l->seconds, stream);
    if (l->least_seconds > 0.0 && l->seconds > 0.0) {
        (void)fprintf(stream, " %7.0f%%\n", 100.0 * l->least_seconds / l->seconds);
    } else {
        (void)fprintf(stream, " %8s\n", "-");
    }
}

static void print_heading(const char *first, FILE *stream)
{
    (void)fprintf(stream, "%-56s %9s %7s %9s %9s %8s\n", first, "ms/step", "share", "GFLOP/s", "GB/s",
                  "of peak");
}

/* Name of a row: "layer1.0.conv1  convolution  weights". */
static void print_name(const char *node, const rs_profile_row *row, FILE *stream)
{
    char text[200];
    (void)snprintf(text, sizeof text, "%s%s%s%s%s", node, node[0] ? "  " : "", row->operation,
                   row->pass[0] ? "  " : "", row->pass);
    (void)fprintf(stream, "%-56s", text);
}

static bool same_kind(const rs_profile_row *a, const rs_profile_row *b)
{
    return strcmp(a->operation, b->operation) == 0 && strcmp(a->pass, b->pass) == 0;
}

static bool seen_before(const rs_profile_row *rows, int i)
{
    for (int k = 0; k < i; k++) {
        if (rows[k].calls > 0 && same_kind(&rows[k], &rows[i])) {
            return true;
        }
    }
    return false;
}

static void print_kinds(const totals *t, const rs_profile_row *rows, int count, FILE *stream)
{
    const rs_profile_row all_name = {.operation = "all", .pass = ""};
    line all = {0};
    print_heading("by operation", stream);
    for (int i = 0; i < count; i++) {
        line sum = {0};
        add_row(t, &all, &rows[i]);
        if (rows[i].calls == 0 || seen_before(rows, i)) {
            continue;
        }
        for (int k = i; k < count; k++) {
            if (same_kind(&rows[i], &rows[k])) {
                add_row(t, &sum, &rows[k]);
            }
        }
        print_name("", &rows[i], stream);
        print_columns(t, &sum, stream);
    }
    print_name("", &all_name, stream);
    print_columns(t, &all, stream);
}

static void print_peaks(const rs_backend *backend, rs_device *device, totals *t, FILE *stream)
{
    rs_error error = {0};
    if (backend->measure_peaks(device, &t->peaks, &error) != RS_OK) {
        t->peaks = (rs_peaks){0};
        (void)fprintf(stream, "no share of a peak: %s\n", error.text);
        return;
    }
    (void)fprintf(
        stream,
        "peaks measured now: %.0f GFLOP/s (multiply-adds in registers), %.1f GB/s (a large copy, read "
        "and written)\n",
        1e-9 * t->peaks.flops, 1e-9 * t->peaks.bytes);
}

void rs_profile_print(const rs_backend *backend, rs_device *device, const rs_plan *plan, FILE *stream)
{
    const rs_profile_row *rows = NULL;
    int count = backend->profile_rows(plan, &rows);
    totals t = totals_of(rows, count);
    if (t.steps == 0) {
        (void)fprintf(stream, "no profile: it begins after the first step, and there was no second\n");
        return;
    }
    (void)fprintf(stream,
                  "profile of %" PRId64
                  " training steps (after the first), %.3f s in operations, %.1f ms a step\n",
                  t.steps, t.seconds, 1e3 * t.seconds / (double)t.steps);
    print_peaks(backend, device, &t, stream);
    (void)fprintf(stream,
                  "GFLOP/s count the direct algorithm: Winograd's can exceed the peak. GB/s count what the "
                  "operation's loops read and write, caches aside. Of peak: the least time that the peaks "
                  "allow, as a share of the time; above 100%% what an operation reads lies in caches, or the "
                  "machine was busier while the peaks were measured.\n");
    print_kinds(&t, rows, count, stream);
    print_heading("by layer", stream);
    for (int i = 0; i < count; i++) {
        if (rows[i].calls > 0) {
            line one = {0};
            add_row(&t, &one, &rows[i]);
            print_name(rows[i].node, &rows[i], stream);
            print_columns(&t, &one, stream);
        }
    }
    (void)fflush(stream);
}
