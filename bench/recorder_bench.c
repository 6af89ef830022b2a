/* recorder_bench.c: how fast a recorder gets snapshots onto the disk, beside write() of the same bytes there;
 * `usage` has the modes and what is compared. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "arguments.h"
#include "rs/backend.h"
#include "rs/host.h"
#include "rs/network.h"
#include "rs/recorder.h"
#include "rs/text.h"
#include "spread.h"

static const char usage[] =
    "recorder_bench [--depth 101] [--standard] [--plain] [--snapshots 6] [--rounds 5] [--threads 0]\n"
    "               [--folder .]\n"
    "\n"
    "Each round, in an order that turns from round to round, writes the same values N times into a new\n"
    "file:\n"
    "  recorder    snapshots of all weights, running statistics and mean gradients, a commit after each,\n"
    "              until durable\n"
    "  alternate   the same, waiting for each commit: what the training thread pays (copy) and what the\n"
    "              writer needs\n"
    "  write 1M    plain write() in pieces of 1 MiB, one fsync a snapshot\n"
    "  write all   plain write() of a whole snapshot at once, one fsync a snapshot\n"
    "Round 0 warms up. The ratio is the rate of the recorder over the faster rate of write() in the same\n"
    "round. Threads 0: all cores.\n";

enum { MOST_ROUNDS = 63, PIECE = 1 << 20, PATH_BYTES = 4096 };
enum { MOST_DEPTH = 1000, MOST_SNAPSHOTS = 1000, MOST_THREADS = 1 << 16 };
static const double least_ratio = 0.8; /* the goal */

typedef enum mode { RECORDER, ALTERNATE, WRITE_PIECES, WRITE_ALL, MODES } mode;
static const char *const mode_names[MODES] = {"recorder", "alternate", "write 1M", "write all"};

typedef struct settings {
    rs_resnet_options network;
    int64_t depth, snapshots, rounds, threads;
    const char *folder;
} settings;

/* Seconds of one run of a mode; `create` to `read` of the recorder's modes only. */
typedef struct times {
    double total;         /* from the first byte until all is durable */
    double create, close; /* beside total: making the file, ending it in order */
    double copy, read; /* in the training thread: all of a snapshot's call; of it, copying out of the plan */
    double sync;       /* in fsync */
    int syncs;         /* how many */
    double file_bytes; /* of the finished file */
} times;

typedef struct bench {
    settings settings;
    const rs_backend *backend;
    rs_device *device;
    rs_network *network;
    rs_plan *plan;
    rs_record_spec spec;
    bool *flags;  /* the spec's */
    char *values; /* one snapshot as write() gets it */
    size_t bytes; /* of it */
    times results[MODES][1 + MOST_ROUNDS];
} bench;

/* What happens inside the recorder is seen from outside: its backend and its fsync are ours. */
static double sync_seconds, read_seconds;
static int sync_count;
static const rs_backend *real_backend;
static const rs_file_operations *real_files;

static int timed_fsync(int file)
{
    double begin = rs_seconds();
    int result = real_files->fsync(file);
    sync_seconds += rs_seconds() - begin;
    sync_count++;
    return result;
}

static rs_status timed_read(rs_plan *plan, rs_slot slot, int index, void *values, rs_error *error)
{
    double begin = rs_seconds();
    rs_status status = real_backend->read(plan, slot, index, values, error);
    read_seconds += rs_seconds() - begin;
    return status;
}

static rs_status file_failed(const char *what, const char *path, rs_error *error)
{
    return RS_FAIL(error, RS_IO, "%s %s: %s", what, path, strerror(errno));
}

/* --- the network that is recorded ------------------------------------------------------------------------ */

/* A parameter's or buffer's value, and for a parameter four times that as the sum of its gradients. */
static rs_status fill_tensor(bench *b, const rs_parameter *parameter, bool buffer, int index, rs_error *error)
{
    const size_t count = (size_t)parameter->count;
    float *values = rs_alloc_array(count, sizeof *values);
    double *sums = rs_alloc_array(count, sizeof *sums);
    rs_status status = RS_OK;
    if (!values || !sums) {
        status = RS_FAIL(error, RS_MEMORY, "no memory for the values of %s", parameter->name);
    }
    if (!status) {
        rs_parameter_initialize(parameter, 1, values);
        status = b->backend->write(b->plan, buffer ? RS_SLOT_RUNNING : RS_SLOT_VALUE, index, values, error);
    }
    for (size_t i = 0; !status && i < count; i++) {
        sums[i] = 4.0 * (double)values[i];
    }
    if (!status && !buffer) {
        status = b->backend->write(b->plan, RS_SLOT_GRADIENT_SUM, index, sums, error);
    }
    rs_free(values);
    rs_free(sums);
    return status;
}

static rs_status fill_plan(bench *b, rs_error *error)
{
    for (int i = 0; i < b->network->parameter_count; i++) {
        RS_TRY(fill_tensor(b, &b->network->parameters[i], false, i, error));
    }
    for (int i = 0; i < b->network->buffer_count; i++) {
        RS_TRY(fill_tensor(b, &b->network->buffers[i], true, i, error));
    }
    return RS_OK;
}

static rs_status make_plan(bench *b, rs_error *error)
{
    rs_plan_options options = {.dtype = RS_F32,
                               .batch_size_count = 1,
                               .batch_sizes = {2},
                               .training = true,
                               .std = {1.0F, 1.0F, 1.0F},
                               .sum_gradients = true};
    RS_TRY(rs_backend_select("cpu", &b->backend, &(int){0}, error));
    RS_TRY(b->backend->open(rs_services(), 0, (int)b->settings.threads, &b->device, error));
    b->settings.network.depth = (int)b->settings.depth;
    RS_TRY(rs_resnet_build(&b->settings.network, &b->network, error));
    RS_TRY(b->backend->plan_create(b->device, b->network, &options, &b->plan, error));
    return fill_plan(b, error);
}

/* The bytes that write() gets: a snapshot's values, one tensor after the other. */
static rs_status make_values(bench *b, rs_error *error)
{
    const rs_network *network = b->network;
    b->bytes = (size_t)(2 * network->weight_count) * sizeof(float);
    for (int i = 0; i < network->buffer_count; i++) {
        b->bytes += (size_t)network->buffers[i].count * sizeof(float);
    }
    b->values = rs_alloc_zero(b->bytes);
    if (!b->values) {
        return RS_FAIL(error, RS_MEMORY, "no memory for a snapshot (%zu bytes)", b->bytes);
    }
    char *at = b->values;
    for (int i = 0; i < 2 * network->parameter_count; i++) {
        const rs_parameter *parameter = &network->parameters[i / 2];
        RS_TRY(b->backend->read(b->plan, RS_SLOT_VALUE, i / 2, at, error));
        at += (size_t)parameter->count * sizeof(float);
    }
    return RS_OK;
}

static rs_status make_spec(bench *b, rs_error *error)
{
    size_t parameters = (size_t)b->network->parameter_count, buffers = (size_t)b->network->buffer_count;
    b->flags = rs_alloc(parameters + buffers);
    if (!b->flags) {
        return RS_FAIL(error, RS_MEMORY, "no memory for the list of tensors");
    }
    for (size_t i = 0; i < parameters + buffers; i++) {
        b->flags[i] = true;
    }
    b->spec = (rs_record_spec){.network = b->network,
                               .config_yaml = "",
                               .weights = b->flags,
                               .gradients = b->flags,
                               .buffers = b->flags + parameters,
                               .gradient_mean = true,
                               .planned_epochs = b->settings.snapshots,
                               .planned_snapshots = b->settings.snapshots};
    return RS_OK;
}

/* --- the modes ------------------------------------------------------------------------------------------- */

static rs_status record_snapshots(bench *b, rs_recorder *recorder, bool alternate, times *t, rs_error *error)
{
    rs_backend observed = *b->backend;
    rs_snapshot_moment moment = {.gradient_steps = 4, .backend = &observed, .plan = b->plan, .epoch = -1};
    rs_position position = {0};
    observed.read = timed_read;
    for (int i = 0; i < b->settings.snapshots; i++) {
        double begin = rs_seconds();
        moment.index = moment.step = i;
        RS_TRY(rs_recorder_snapshot(recorder, &moment, error));
        t->copy += rs_seconds() - begin;
        position.snapshots = i + 1;
        RS_TRY(rs_recorder_commit(recorder, RS_COMMIT_STEP_SNAPSHOT, &position, NULL, error));
        if (alternate) {
            RS_TRY(rs_recorder_wait(recorder, error));
        }
    }
    return rs_recorder_wait(recorder, error);
}

static rs_status run_recorder(bench *b, bool alternate, const char *path, times *t, rs_error *error)
{
    rs_recorder *recorder = NULL;
    double start = rs_seconds();
    RS_TRY(rs_recorder_create(path, &b->spec, true, &recorder, error));
    double begin = rs_seconds();
    t->create = begin - start;
    read_seconds = sync_seconds = 0.0;
    sync_count = 0;
    rs_status status = record_snapshots(b, recorder, alternate, t, error);
    double end = rs_seconds();
    t->total = end - begin;
    t->read = read_seconds;
    t->sync = sync_seconds;
    t->syncs = sync_count;
    rs_error later;
    rs_status closed = rs_recorder_close(recorder, RS_RUN_DONE, status ? &later : error);
    t->close = rs_seconds() - end;
    return status ? status : closed;
}

static rs_status write_bytes(int file, const char *at, size_t bytes, size_t piece, const char *path,
                             rs_error *error)
{
    while (bytes > 0) {
        ssize_t written = write(file, at, bytes < piece ? bytes : piece);
        if (written < 0 && errno == EINTR) {
            continue;
        }
        if (written <= 0) {
            return file_failed("writing", path, error);
        }
        at += written;
        bytes -= (size_t)written;
    }
    return RS_OK;
}

static rs_status write_snapshots(bench *b, int file, size_t piece, const char *path, rs_error *error)
{
    for (int i = 0; i < b->settings.snapshots; i++) {
        RS_TRY(write_bytes(file, b->values, b->bytes, piece, path, error));
        if (timed_fsync(file) != 0) {
            return file_failed("fsync of", path, error);
        }
    }
    return RS_OK;
}

static rs_status run_write(bench *b, size_t piece, const char *path, times *t, rs_error *error)
{
    int file = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    if (file < 0) {
        return file_failed("creating", path, error);
    }
    sync_seconds = 0.0;
    sync_count = 0;
    double begin = rs_seconds();
    rs_status status = write_snapshots(b, file, piece, path, error);
    t->total = rs_seconds() - begin;
    t->sync = sync_seconds;
    t->syncs = sync_count;
    (void)close(file);
    return status;
}

static rs_status run_mode(bench *b, mode which, times *t, rs_error *error)
{
    char path[PATH_BYTES];
    struct stat about = {0};
    rs_status status;
    int length = snprintf(path, sizeof path, "%s/recorder_bench.%ld.tmp", b->settings.folder, (long)getpid());
    if (length < 0 || (size_t)length >= sizeof path) {
        return RS_FAIL(error, RS_USAGE, "--folder: its name is too long");
    }
    if (which == RECORDER || which == ALTERNATE) {
        status = run_recorder(b, which == ALTERNATE, path, t, error);
    } else {
        status = run_write(b, which == WRITE_PIECES ? PIECE : b->bytes, path, t, error);
    }
    t->file_bytes = stat(path, &about) == 0 ? (double)about.st_size : 0.0;
    (void)unlink(path);
    sync(); /* what removing leaves to do is not the next one's */
    return status;
}

/* --- results --------------------------------------------------------------------------------------------- */

/* Returns the median. */
static double print_spread(const char *name, double *values, int64_t count, const char *unit)
{
    const spread s = spread_of(values, (int)count);
    (void)printf("%-34s min %9.3f  median %9.3f  max %9.3f %s\n", name, s.least, s.median, s.greatest, unit);
    return s.median;
}

static void print_round(const bench *b, int round, mode which)
{
    const times *t = &b->results[which][round];
    double megabytes = 1e-6 * (double)b->bytes * (double)b->settings.snapshots;
    (void)printf("round %d  %-9s  %8.1f MB  %7.3f s  %7.1f MB/s  file %8.1f MB  %2d fsync %7.3f s", round,
                 mode_names[which], megabytes, t->total, megabytes / t->total, 1e-6 * t->file_bytes, t->syncs,
                 t->sync);
    if (which == RECORDER || which == ALTERNATE) {
        (void)printf("  snapshot calls %6.3f s (%.3f s reading the plan)  create %.3f s  close %.3f s",
                     t->copy, t->read, t->create, t->close);
    }
    (void)printf("\n");
    (void)fflush(stdout);
}

/* The median of a figure per snapshot, in milliseconds. */
static void print_part(const bench *b, const char *name, double (*part)(const times *))
{
    double values[MOST_ROUNDS];
    for (int r = 1; r <= b->settings.rounds; r++) {
        values[r - 1] = 1e3 * part(&b->results[ALTERNATE][r]) / (double)b->settings.snapshots;
    }
    (void)print_spread(name, values, b->settings.rounds, "ms");
}

static double part_blocked(const times *t)
{
    return t->copy;
}

static double part_read(const times *t)
{
    return t->read;
}

static double part_hdf5(const times *t)
{
    return t->total - t->copy - t->sync;
}

static double part_sync(const times *t)
{
    return t->sync;
}

static void print_summary(const bench *b)
{
    const int64_t rounds = b->settings.rounds;
    double ratios[MOST_ROUNDS], rates[MOST_ROUNDS],
        megabytes = 1e-6 * (double)b->bytes * (double)b->settings.snapshots;
    (void)printf("\n");
    for (int m = 0; m < MODES; m++) {
        for (int r = 1; r <= rounds; r++) {
            rates[r - 1] = megabytes / b->results[m][r].total;
        }
        (void)print_spread(mode_names[m], rates, rounds, "MB/s");
    }
    for (int r = 1; r <= rounds; r++) {
        const double pieces = b->results[WRITE_PIECES][r].total, all = b->results[WRITE_ALL][r].total;
        ratios[r - 1] = (pieces < all ? pieces : all) / b->results[RECORDER][r].total;
    }
    const double ratio = print_spread("recorder / faster write()", ratios, rounds, "");
    (void)printf("goal %g: %s\n", least_ratio, ratio >= least_ratio ? "met" : "missed");
    (void)printf("\nper snapshot, one after the other:\n");
    print_part(b, "training thread blocked", part_blocked);
    print_part(b, "  of it reading the plan", part_read);
    print_part(b, "writer: HDF5", part_hdf5);
    print_part(b, "writer: fsync", part_sync);
}

/* --- the program ----------------------------------------------------------------------------------------- */

static rs_status run_rounds(bench *b, rs_error *error)
{
    for (int r = 0; r <= b->settings.rounds; r++) {
        for (int i = 0; i < MODES; i++) {
            mode which = (mode)(r % 2 ? MODES - 1 - i : i);
            RS_TRY(run_mode(b, which, &b->results[which][r], error));
            print_round(b, r, which);
        }
    }
    print_summary(b);
    return RS_OK;
}

static rs_status run(void *state, rs_error *error)
{
    bench *b = state;
    RS_TRY(make_plan(b, error));
    RS_TRY(make_values(b, error));
    RS_TRY(make_spec(b, error));
    char bytes[32];
    rs_text_bytes(b->bytes, bytes, sizeof bytes);
    (void)printf("%s, %s width: %" PRId64 " snapshots of %s in %d tensors, folder %s\n", b->network->name,
                 b->settings.network.standard ? "standard" : "even", b->settings.snapshots, bytes,
                 2 * b->network->parameter_count + b->network->buffer_count, b->settings.folder);
    rs_file_operations files = *rs_files();
    real_files = rs_files();
    real_backend = b->backend;
    files.fsync = timed_fsync;
    rs_set_files(&files);
    rs_status status = run_rounds(b, error);
    rs_set_files(NULL);
    return status;
}

static void release(bench *b)
{
    if (b->backend) {
        b->backend->plan_destroy(b->plan);
        b->backend->close(b->device);
    }
    rs_network_destroy(b->network);
    rs_free(b->values);
    rs_free(b->flags);
}

int main(int argc, char **argv)
{
    rs_wait_briefly(argv);
    bench b = {.settings = {.network = {.channels = 3, .height = 32, .width = 32, .classes = 10},
                            .depth = 101,
                            .snapshots = 6,
                            .rounds = 5,
                            .folder = "."}};
    settings *s = &b.settings;
    const argument table[] = {
        {.name = "--depth", .number = &s->depth, .least = 1, .most = MOST_DEPTH},
        {.name = "--standard", .flag = &s->network.standard},
        {.name = "--plain", .flag = &s->network.plain},
        {.name = "--snapshots", .number = &s->snapshots, .least = 1, .most = MOST_SNAPSHOTS},
        {.name = "--rounds", .number = &s->rounds, .least = 1, .most = MOST_ROUNDS},
        {.name = "--threads", .number = &s->threads, .least = 0, .most = MOST_THREADS},
        {.name = "--folder", .text = &s->folder},
    };
    const program p = {.name = "recorder_bench",
                       .usage = usage,
                       .table = table,
                       .count = sizeof table / sizeof *table,
                       .work = run,
                       .state = &b};
    const int status = arguments_run(&p, argc, argv);
    release(&b);
    return status;
}
