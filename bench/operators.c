/* operators.c: how fast the operators of the check table run at a real batch size, each case a plan of its
 * own on values made for it; `usage` says what is printed. Times are the backend's own, from its profile. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "arguments.h"
#include "rs/check.h"
#include "rs/host.h"
#include "spread.h"

static const char usage[] =
    "operators [--filter TEXT] [--batch-size 256] [--rounds 5] [--device cpu] [--threads 0]\n"
    "\n"
    "For every case of the check table whose name contains TEXT (all without), with every convolution\n"
    "algorithm that the device has: the passes of each operation, in milliseconds (median, smallest and\n"
    "largest of the rounds, each of at least 50 ms), GFLOP/s and GB/s of the median, and the share of the\n"
    "peaks that are measured before: the time they would need for the same work by the median. \"-\":\n"
    "nobody knows. Threads 0: all cores.\n";

enum { MOST_ROUNDS = 99, MOST_BATCH = 1 << 20, MOST_THREADS = 1 << 16 };
static const double round_seconds = 0.05;

typedef struct bench {
    const char *filter;
    int64_t batch, rounds, threads;
    const char *device_name;
    const rs_backend *backend;
    rs_device *device;
    rs_peaks peaks; /* 0 where unknown */
} bench;

/* One row of every round. */
typedef struct samples {
    double seconds[MOST_ROUNDS]; /* of one call */
    rs_profile_row last;
} samples;

/* "-" for what nobody knows. */
static void print_known(int width, int digits, double value, const char *unit)
{
    char text[32] = "-";
    if (value > 0.0) {
        (void)snprintf(text, sizeof text, "%.*f%s", digits, value, unit);
    }
    (void)printf(" %*s", width, text);
}

static void print_row(const bench *b, const char *name, const char *algorithm, samples *s)
{
    const rs_profile_row *row = &s->last;
    const spread times = spread_of(s->seconds, (int)b->rounds);
    const double calls = (double)row->calls, flops = row->flops / calls, bytes = row->bytes / calls;
    (void)printf("%-26s %-9s %-24s %-9s %8.3f %8.3f %8.3f", name, algorithm, row->operation, row->pass,
                 1e3 * times.median, 1e3 * times.least, 1e3 * times.greatest);
    print_known(8, 1, 1e-9 * flops / times.median, "");
    print_known(7, 1, 1e-9 * bytes / times.median, "");
    print_known(7, 0, 100.0 * rs_peaks_seconds(&b->peaks, flops, bytes) / times.median, "%");
    (void)printf("\n");
}

static rs_status fill(const bench *b, const rs_network *network, rs_plan *plan, rs_error *error)
{
    const int64_t *in = network->nodes[0].shape, *out = network->nodes[network->node_count - 1].shape;
    bool loss = network->nodes[network->node_count - 1].kind == RS_OP_SOFTMAX_CROSS_ENTROPY;
    int64_t x_count = b->batch * in[0] * in[1] * in[2], y_count = b->batch * out[0] * out[1] * out[2];
    int64_t most = x_count > y_count ? x_count : y_count;
    for (int i = 0; i < network->parameter_count; i++) {
        most = network->parameters[i].count > most ? network->parameters[i].count : most;
    }
    double *wide = rs_alloc_array((size_t)most, sizeof *wide);
    float *values = rs_alloc_array((size_t)most, sizeof *values);
    int32_t *labels = rs_alloc_array((size_t)b->batch, sizeof *labels);
    rs_status status = wide && values && labels ? RS_OK : RS_FAIL(error, RS_MEMORY, "no memory for values");
    if (!status) {
        rs_fill_values(RS_FILL_NORMAL, 1, "bench", wide, most);
        for (int64_t i = 0; i < most; i++) {
            values[i] = (float)wide[i];
        }
        status = b->backend->load_values(plan, values, loss ? labels : NULL, NULL, b->batch, error);
    }
    for (int i = 0; !status && i < network->parameter_count; i++) {
        status = b->backend->write(plan, RS_SLOT_VALUE, i, values, error);
    }
    if (!status && !loss) {
        status = b->backend->write_gradient(plan, values, error);
    }
    rs_free(wide);
    rs_free(values);
    rs_free(labels);
    return status;
}

static rs_status run_round(const bench *b, rs_plan *plan, rs_error *error)
{
    double begin = rs_seconds();
    RS_TRY(b->backend->profile_start(plan, error));
    do {
        RS_TRY(b->backend->forward(plan, RS_MODE_TRAIN, error));
        RS_TRY(b->backend->backward(plan, RS_LABELS_TRUE, error));
    } while (rs_seconds() - begin < round_seconds);
    return RS_OK;
}

static rs_status time_plan(const bench *b, const char *name, const char *algorithm, rs_plan *plan,
                           rs_error *error)
{
    const rs_profile_row *rows = NULL;
    RS_TRY(run_round(b, plan, error)); /* warm-up */
    int count = b->backend->profile_rows(plan, &rows);
    samples *all = rs_alloc_array((size_t)count, sizeof *all);
    rs_status status = all ? RS_OK : RS_FAIL(error, RS_MEMORY, "no memory for %d rows", count);
    for (int64_t r = 0; !status && r < b->rounds; r++) {
        status = run_round(b, plan, error);
        count = b->backend->profile_rows(plan, &rows);
        for (int i = 0; !status && i < count; i++) {
            all[i].last = rows[i];
            all[i].seconds[r] = rows[i].calls ? rows[i].seconds / (double)rows[i].calls : 0.0;
        }
    }
    for (int i = 0; !status && i < count; i++) {
        if (all[i].last.calls > 0) {
            print_row(b, name, algorithm, &all[i]);
        }
    }
    rs_free(all);
    return status;
}

static rs_status time_case(const bench *b, const rs_check_case *c, rs_convolution_choice convolution,
                           rs_error *error)
{
    rs_network *network = NULL;
    rs_plan *plan = NULL;
    rs_plan_options options = {.dtype = RS_F32,
                               .batch_size_count = 1,
                               .batch_sizes = {b->batch},
                               .convolution = convolution,
                               .training = true,
                               .optimizer = RS_OPTIMIZER_SGD,
                               .input_gradient = true};
    RS_TRY(rs_check_network(c, &network, error));
    rs_status status = b->backend->plan_create(b->device, network, &options, &plan, error);
    status = status ? status : fill(b, network, plan, error);
    const char *algorithm = convolution == RS_CONVOLUTION_WINOGRAD ? "winograd"
                            : convolution == RS_CONVOLUTION_DIRECT ? "direct"
                                                                   : "";
    status = status ? status : time_plan(b, c->name, algorithm, plan, error);
    b->backend->plan_destroy(plan);
    rs_network_destroy(network);
    return status;
}

static void print_heading(const bench *b, const rs_device_info *info)
{
    (void)printf("%s (%s), %d threads, batch %" PRId64 ", %" PRId64 " rounds; ", info->name, info->libraries,
                 info->threads, b->batch, b->rounds);
    if (b->peaks.flops > 0.0) {
        (void)printf("peaks %.0f GFLOP/s, %.1f GB/s\n", 1e-9 * b->peaks.flops, 1e-9 * b->peaks.bytes);
    } else {
        (void)printf("no peaks known\n");
    }
    (void)printf("%-26s %-9s %-24s %-9s %8s %8s %8s %8s %7s %7s\n", "case", "algorithm", "operation", "pass",
                 "ms", "min", "max", "GFLOP/s", "GB/s", "peak");
}

static rs_status time_all(const bench *b, rs_error *error)
{
    size_t count = 0;
    const rs_check_case *cases = rs_check_cases(&count);
    rs_device_info info = {0};
    b->backend->info(b->device, &info);
    print_heading(b, &info);
    bool any = false;
    for (size_t i = 0; i < count; i++) {
        if (b->filter && !strstr(cases[i].name, b->filter)) {
            continue;
        }
        any = true;
        bool both = (info.capabilities & RS_CAN_WINOGRAD) && rs_check_takes_winograd(&cases[i]);
        RS_TRY(time_case(b, &cases[i], both ? RS_CONVOLUTION_DIRECT : RS_CONVOLUTION_AUTO, error));
        if (both) {
            RS_TRY(time_case(b, &cases[i], RS_CONVOLUTION_WINOGRAD, error));
        }
        (void)fflush(stdout);
    }
    return any ? RS_OK
               : RS_FAIL(error, RS_USAGE, "no case has \"%s\" in its name; resnet_study check lists them",
                         b->filter);
}

/* A device without peaks is timed all the same. */
static rs_status measure(void *state, rs_error *error)
{
    bench *b = state;
    int index = 0;
    RS_TRY(rs_backend_select(b->device_name, &b->backend, &index, error));
    RS_TRY(b->backend->open(rs_services(), index, (int)b->threads, &b->device, error));
    rs_status status = b->backend->measure_peaks(b->device, &b->peaks, error);
    if (status == RS_UNSUPPORTED) {
        b->peaks = (rs_peaks){0};
        status = RS_OK;
    }
    return status ? status : time_all(b, error);
}

int main(int argc, char **argv)
{
    rs_wait_briefly(argv);
    bench b = {.batch = 256, .rounds = 5, .device_name = "cpu"};
    const argument table[] = {
        {.name = "--filter", .text = &b.filter},
        {.name = "--batch-size", .number = &b.batch, .least = 1, .most = MOST_BATCH},
        {.name = "--rounds", .number = &b.rounds, .least = 1, .most = MOST_ROUNDS},
        {.name = "--device", .text = &b.device_name},
        {.name = "--threads", .number = &b.threads, .least = 0, .most = MOST_THREADS},
    };
    const program p = {.name = "operators",
                       .usage = usage,
                       .table = table,
                       .count = sizeof table / sizeof *table,
                       .work = measure,
                       .state = &b};
    const int status = arguments_run(&p, argc, argv);
    if (b.device) {
        b.backend->close(b.device);
    }
    return status;
}
