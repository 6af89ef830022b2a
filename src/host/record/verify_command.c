/* verify_command.c: `resnet_study verify RUN.h5 [--repair]` and `verify --same A.h5 B.h5`. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "rs/host.h"
#include "rs/recorder.h"
#include "rs/text.h"
#include "verify.h"

enum { WHOLE = 0, DAMAGED = 1, BAD_USAGE = 2 };

static const char usage[] =
    "usage: resnet_study verify RUN.h5 [--repair]\n"
    "       resnet_study verify --same A.h5 B.h5\n"
    "\n"
    "Reads every committed row of a record and says what is missing or torn; then recomputes the\n"
    "blocks' distances from the stored weights, where snapshots allow, and says which of the recorded\n"
    "ones do not follow from them (beyond rounding: 1e-9 of the value).\n"
    "\n"
    "  --repair  first clear HDF5's mark of a killed writer, so that every tool opens the file\n"
    "  --same    compare two records data set by data set, byte by byte (commits, times and\n"
    "            options that only say how a run is run, such as threads, aside)\n"
    "\n"
    "Examples:\n"
    "  resnet_study verify runs/quickstart.h5\n"
    "      is everything there that its commits cover?\n"
    "  resnet_study verify runs/killed.h5 --repair\n"
    "      after a kill, for tools that cannot read a file that still has a writer's mark\n"
    "  resnet_study verify --same whole.h5 resumed.h5\n"
    "      did a resumed run come to the same bits?\n"
    "\n"
    "Exit status: 0 whole (the same), 1 damaged (different), 2 bad usage, 3 unusable.\n";

typedef struct request {
    bool repair, same, help;
    const char *paths[2];
    int count;
} request;

static bool parse(int argc, char **argv, request *asked)
{
    memset(asked, 0, sizeof *asked);
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--repair") == 0) {
            asked->repair = true;
        } else if (strcmp(argv[i], "--same") == 0) {
            asked->same = true;
        } else if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0) {
            asked->help = true;
        } else if (argv[i][0] == '-') {
            (void)fprintf(stderr, "resnet_study verify: unknown option %s; --repair and --same are known\n",
                          argv[i]);
            return false;
        } else if (asked->count == 2) {
            (void)fprintf(stderr, "resnet_study verify: too many files\n");
            return false;
        } else {
            asked->paths[asked->count++] = argv[i];
        }
    }
    if (!asked->help && (asked->count != (asked->same ? 2 : 1) || (asked->same && asked->repair))) {
        (void)fputs(usage, stderr);
        return false;
    }
    return true;
}

static int fail(const rs_error *error)
{
    (void)fprintf(stderr, "resnet_study verify: %s\n", error->text);
    return rs_status_exit_code(error->status);
}

static int compare(const request *asked)
{
    rs_error error;
    int differences;
    if (rs_record_same(asked->paths[0], asked->paths[1], stdout, &differences, &error) != RS_OK) {
        return fail(&error);
    }
    if (differences > 0) {
        (void)printf("%d differences between %s and %s\n", differences, asked->paths[0], asked->paths[1]);
        return DAMAGED;
    }
    (void)printf("%s and %s hold the same\n", asked->paths[0], asked->paths[1]);
    return WHOLE;
}

static void print_distances(const rs_distance_check *done)
{
    if (done->compared > 0) {
        (void)printf("distances: %" PRId64
                     " recorded values follow from the stored weights (largest relative difference %.1e)\n",
                     done->compared, done->largest);
    } else {
        (void)printf("distances: no recorded one that two snapshots with weights give, too\n");
    }
}

static int verify(const char *path)
{
    rs_record_summary summary;
    rs_error error;
    int faults;
    if (rs_record_verify(path, stdout, &faults, &error) != RS_OK ||
        rs_record_summarize(path, &summary, &error) != RS_OK) {
        return fail(&error);
    }
    rs_free(summary.config_yaml);
    rs_distance_check distances = {0};
    if (faults == 0 && rs_record_verify_distances(path, stdout, &distances, &error) != RS_OK) {
        return fail(&error);
    }
    faults += distances.faults;
    if (faults > 0) {
        (void)printf("%s: %d data sets are damaged\n", path, faults);
        return DAMAGED;
    }
    const rs_position *at = &summary.committed;
    (void)printf("%s: whole: %" PRId64 " epoch%s, %" PRId64 " step%s, %" PRId64 " snapshot%s in %" PRId64
                 " commit%s; state %s\n",
                 path, at->epochs, rs_text_s(at->epochs), at->steps, rs_text_s(at->steps), at->snapshots,
                 rs_text_s(at->snapshots), summary.commits, rs_text_s(summary.commits), summary.state);
    print_distances(&distances);
    if (summary.writer_mark) {
        (void)printf("It carries HDF5's mark of a writer: a run writes it, or was killed. h5py reads it with "
                     "swmr=True; "
                     "when no run writes it any more, verify --repair clears the mark for all tools.\n");
    }
    return WHOLE;
}

int rs_command_verify(int argc, char **argv)
{
    request asked;
    rs_error error;
    if (!parse(argc, argv, &asked)) {
        return BAD_USAGE;
    }
    if (asked.help) {
        (void)fputs(usage, stdout);
        return WHOLE;
    }
    if (asked.same) {
        return compare(&asked);
    }
    if (asked.repair && rs_record_repair(asked.paths[0], &error) != RS_OK) {
        return fail(&error);
    }
    return verify(asked.paths[0]);
}
