/* compare_command.c: `resnet_study compare A.h5 B.h5`: in what two runs differ. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "compare.h"
#include "output.h"
#include "rs/host.h"
#include "rs/inspect.h"

static const char usage[] =
    "usage: resnet_study compare A.h5[@SNAPSHOT] B.h5[@SNAPSHOT] [--metric LIST] [-o FILE.csv]\n"
    "\n"
    "In what two runs differ: configuration and origin, results, and how far the weights of B are from those "
    "of\n"
    "A, tensor by tensor. Tensors match by name and shape; the others are listed. SNAPSHOT is last (the\n"
    "default) or a number from 0. (verify --same asks whether two records are the same to the bit.)\n"
    "  --metric LIST  minkowski:P euclidean manhattan chebyshev cosine correlation, with commas (default:\n"
    "                 minkowski:1,euclidean,cosine)\n"
    "  -o, --out FILE.csv  the table of tensors, numbers to the bit\n"
    "  --overwrite    replace an existing FILE.csv\n"
    "\n"
    "Examples:\n"
    "  resnet_study compare runs/seed1.h5 runs/seed2.h5\n"
    "      what another seed makes of the same network\n"
    "  resnet_study compare runs/a.h5@0 runs/a.h5 --metric minkowski:1,cosine -o moved.csv\n"
    "      how far each tensor of one run moved in all\n"
    "\n"
    "Exit status: 0 compared, 1 failed, 2 bad usage, 3 a file is unusable.\n";

typedef struct request {
    const char *runs[2], *metric, *out;
    bool overwrite, help;
} request;

static rs_status parse(int argc, char **argv, request *asked, rs_metric_list *metrics, rs_error *error)
{
    const rs__argument known[] = {
        {"--metric", NULL, NULL, &asked->metric},
        {"--out", "-o", NULL, &asked->out},
        {"--overwrite", NULL, &asked->overwrite, NULL},
        {"--help", "-h", &asked->help, NULL},
    };
    int words;
    asked->metric = "minkowski:1,euclidean,cosine";
    RS_TRY(rs__arguments_parse(known, sizeof known / sizeof known[0], argc, argv, asked->runs, 2, &words,
                               error));
    if (asked->help) {
        return RS_OK;
    }
    if (words < 2) {
        return RS_FAIL(error, RS_USAGE, "two runs are compared, as in: resnet_study compare A.h5 B.h5");
    }
    RS_TRY(rs_metric_list_parse(asked->metric, metrics, error));
    return metrics->count > 0 ? RS_OK : RS_FAIL(error, RS_USAGE, "--metric names none");
}

static rs_status write_csv(const request *asked, const rs__comparison *found, const rs_metric_list *metrics,
                           rs_error *error)
{
    const char *slash = strrchr(asked->out, '/');
    char directory[4096];
    rs__outputs *outputs = NULL;
    FILE *stream;
    (void)snprintf(directory, sizeof directory, "%.*s", slash ? (int)(slash - asked->out) : 1,
                   slash ? asked->out : ".");
    RS_TRY(rs__outputs_begin(slash == asked->out ? "/" : directory, asked->overwrite, &outputs, error));
    rs_status status = rs__outputs_open(outputs, slash ? slash + 1 : asked->out, &stream, error);
    if (!status) {
        rs__comparison_csv(found, metrics, stream);
        status = rs__outputs_close(outputs, error);
    }
    if (status) {
        rs__outputs_abandon(outputs);
        return status;
    }
    return rs__outputs_finish(outputs, error);
}

static rs_status print_place(const rs__place *place, const char *label, rs_error *error)
{
    rs_snapshot_place at;
    if (place->count == 0) {
        (void)printf("%s  %s, without snapshots\n", label, place->path);
        return RS_OK;
    }
    RS_TRY(rs_record_reader_snapshot(place->reader, place->first, &at, error));
    (void)printf("%s  %s, snapshot %" PRId64 ": after step %" PRId64 "\n", label, place->path, place->first,
                 at.step);
    return RS_OK;
}

static rs_status compare(const request *asked, rs__pair *pair, rs_error *error)
{
    static const char *const labels[] = {"A", "B"};
    rs__comparison found = {0};
    for (int side = 0; side < 2; side++) {
        RS_TRY(rs__place_open(asked->runs[side], &pair->place[side], error));
        if (pair->place[side].count > 1) {
            return RS_FAIL(error, RS_USAGE, "%s: one snapshot of each run is compared", asked->runs[side]);
        }
    }
    for (int side = 0; side < 2; side++) {
        RS_TRY(print_place(&pair->place[side], labels[side], error));
    }
    RS_TRY(rs__compare_settings(pair, stdout, error));
    RS_TRY(rs__compare_results(pair, stdout, error));
    rs_status status = rs__compare_weights(pair, &found, error);
    if (!status) {
        rs__comparison_print(&found, &pair->metrics, stdout);
        status = asked->out ? write_csv(asked, &found, &pair->metrics, error) : RS_OK;
    }
    rs__comparison_free(&found);
    return status;
}

int rs_command_compare(int argc, char **argv)
{
    request asked = {0};
    rs__pair pair = {0};
    rs_error error = {0};
    rs_status status = parse(argc, argv, &asked, &pair.metrics, &error);
    if (!status && asked.help) {
        (void)fputs(usage, stdout);
    } else if (!status) {
        status = compare(&asked, &pair, &error);
        rs__place_close(&pair.place[0]);
        rs__place_close(&pair.place[1]);
    }
    if (status) {
        (void)fflush(stdout);
        (void)fprintf(stderr, "resnet_study compare: %s\n", error.text);
    }
    return rs_status_exit_code(status);
}
