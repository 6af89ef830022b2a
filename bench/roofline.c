/* roofline.c: the least time that a training step can take on a GPU, by what its kernels compute and move.
 *
 *     roofline [--device NAME] [--networks LIST] [--batch-size N] [--precision f32|tf32] [--width even|standard]
 *
 * Prints Markdown; bench/roofline.md is what it prints without options, with the section of kernel_resources.py. Needs
 * neither CUDA nor a GPU: work is counted (rs/step_cost.h), ceilings are those of data sheets. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "rs/host.h"
#include "rs/step_cost.h"
#include "rs/text.h"

/* --- devices and networks --------------------------------------------------------------------------------- */

/* The ceilings of a GPU: bytes, or operations, in a second. */
typedef struct gpu {
    const char *title, *source;
    int gigabytes;
    double bytes, f32, tf32; /* tf32: tensor cores, dense */
} gpu;
enum { GPUS = 3, NETS = 12, PRECISIONS = 2, WIDTHS = 2 };
static const char *const gpu_names[GPUS] = {"h100", "a100", "rtx4090"};
static const gpu gpus[GPUS] = {
    {"H100 SXM5 80GB",
     "*NVIDIA H100 Tensor Core GPU* (data sheet), H100 SXM; TF32 is given with sparsity: half of it", 80,
     3.35e12, 67e12, 494.5e12},
    {"A100 SXM4 80GB", "*NVIDIA A100 Tensor Core GPU* (data sheet), A100 80GB SXM", 80, 2.039e12, 19.5e12,
     156e12},
    {"GeForce RTX 4090", "*NVIDIA Ada GPU Architecture* (white paper), GeForce RTX 4090", 24, 1.008e12,
     82.6e12, 82.6e12},
};
/* Two for each depth: plain, then residual. */
static const char *const net_names[NETS] = {"resnet18-plain", "resnet18", "resnet26-plain",  "resnet26",
                                            "resnet34-plain", "resnet34", "resnet50-plain",  "resnet50",
                                            "resnet68-plain", "resnet68", "resnet101-plain", "resnet101"};
static const int depths[NETS / 2] = {18, 26, 34, 50, 68, 101};
static const char *const precision_names[PRECISIONS] = {"f32", "tf32"};
static const char *const width_names[WIDTHS] = {"even", "standard"};
/* CIFAR-10; three channels lie in four on the GPU. */
enum { CHANNELS = 3, INPUT_STRIDE = 4, SIDE = 32, CLASSES = 10 };

/* What was asked for. */
typedef struct request {
    bool gpu[GPUS], net[NETS], precision[PRECISIONS];
    int width;
    int64_t batch;
} request;

/* --- rows of a step --------------------------------------------------------------------------------------- */

/* What a row counts as. Convolutions: one for each pass. */
typedef enum kind { FORWARD, DATA, WEIGHTS, NORM, ADD, POOLING, LINEAR, LOSS, UPDATE, GATHER, KINDS } kind;
static const char *const kind_names[KINDS] = {"conv forward", "conv data", "conv weights", "batch norm",
                                              "add",          "pooling",   "linear",       "loss",
                                              "update",       "gather"};

typedef struct step {
    rs_network *network;
    rs_profile_row *rows;
    int count;
} step;

/* A batch norm that takes in a join is an add; so is what stands alone between tensors. */
static kind kind_of(const rs_profile_row *row)
{
    if (strcmp(row->operation, "convolution") == 0) {
        return row->pass[0] == 'f' ? FORWARD : row->pass[0] == 'd' ? DATA : WEIGHTS;
    }
    if (strncmp(row->operation, "batch_norm", 10) == 0) {
        return strstr(row->operation, "add") ? ADD : NORM;
    }
    return strstr(row->operation, "pool")                         ? POOLING
           : strcmp(row->operation, "linear") == 0                ? LINEAR
           : strcmp(row->operation, "softmax_cross_entropy") == 0 ? LOSS
           : strcmp(row->operation, "update") == 0                ? UPDATE
           : strcmp(row->operation, "batch") == 0                 ? GATHER
                                                                  : ADD;
}

/* The main job: Adam, distances to the initial weights, mean gradients. */
static rs_status step_make(const request *r, int net, step *s, rs_error *error)
{
    const rs_resnet_options resnet = {.depth = depths[net / 2],
                                      .plain = net % 2 == 0,
                                      .standard = r->width == 1,
                                      .channels = CHANNELS,
                                      .height = SIDE,
                                      .width = SIDE,
                                      .classes = CLASSES};
    const rs_plan_options plan = {.dtype = RS_F32,
                                  .batch_size_count = 1,
                                  .batch_sizes = {r->batch},
                                  .training = true,
                                  .optimizer = RS_OPTIMIZER_ADAM,
                                  .keep_initial = true,
                                  .sum_gradients = true};
    *s = (step){0};
    RS_TRY(rs_resnet_build(&resnet, &s->network, error));
    return rs_step_cost(s->network, &plan, INPUT_STRIDE, &s->rows, &s->count, error);
}

static void step_release(step *s)
{
    rs_free(s->rows);
    rs_network_destroy(s->network);
}

static double memory_seconds(const gpu *g, const rs_profile_row *row)
{
    return row->bytes / g->bytes;
}

static double arithmetic_seconds(const gpu *g, int precision, const rs_profile_row *row)
{
    return row->flops / (precision == 0 ? g->f32 : g->tf32);
}

/* The least time of one row. */
static double floor_of(const gpu *g, int precision, const rs_profile_row *row)
{
    double memory = memory_seconds(g, row), arithmetic = arithmetic_seconds(g, precision, row);
    return memory > arithmetic ? memory : arithmetic;
}

/* --- tables ----------------------------------------------------------------------------------------------- */

static void print_devices(const request *r)
{
    (void)printf(
        "## Devices\n\nBytes and operations in a second at most, as NVIDIA states them. FP32 is without "
        "tensor cores, TF32 is dense.\n\n"
        "| `--device` | GPU | memory, GB | GB/s | FP32, TFLOP/s | TF32, TFLOP/s | from |\n"
        "|---|---|---|---|---|---|---|\n");
    for (int i = 0; i < GPUS; i++) {
        const gpu *g = &gpus[i];
        if (r->gpu[i]) {
            (void)printf("| %s | %s | %d | %.0f | %.1f | %.1f | %s |\n", gpu_names[i], g->title, g->gigabytes,
                         1e-9 * g->bytes, 1e-12 * g->f32, 1e-12 * g->tf32, g->source);
        }
    }
}

/* A network on a GPU: totals, and the share of the floor of each kind. */
static void print_total(const request *r, const step *s, int which, int precision)
{
    const gpu *g = &gpus[which];
    double bytes = 0.0, flops = 0.0, least = 0.0, of_kind[KINDS] = {0.0};
    for (int i = 0; i < s->count; i++) {
        double own = floor_of(g, precision, &s->rows[i]);
        bytes += s->rows[i].bytes;
        flops += s->rows[i].flops;
        least += own;
        of_kind[kind_of(&s->rows[i])] += own;
    }
    (void)printf("| %s | %s | %.2f | %.3f | %.3f | %.0f |", s->network->name, gpu_names[which], 1e-9 * bytes,
                 1e-12 * flops, 1e3 * least, (double)r->batch / least);
    for (int k = 0; k < KINDS; k++) {
        if (of_kind[k] > 0.0) {
            (void)printf(" %.1f |", 100.0 * of_kind[k] / least);
        } else {
            (void)printf(" - |");
        }
    }
    (void)printf("\n");
}

static rs_status print_totals(const request *r, int precision, rs_error *error)
{
    (void)printf("\n### %s\n\n| network | GPU | GB | TFLOP | floor, ms | images/s |",
                 precision_names[precision]);
    for (int k = 0; k < KINDS; k++) {
        (void)printf(" %s %% |", kind_names[k]);
    }
    (void)printf("\n|---|---|---|---|---|---|");
    for (int k = 0; k < KINDS; k++) {
        (void)printf("---|");
    }
    (void)printf("\n");
    for (int n = 0; n < NETS; n++) {
        step s;
        rs_status status = r->net[n] ? step_make(r, n, &s, error) : RS_OK;
        for (int i = 0; r->net[n] && status == RS_OK && i < GPUS; i++) {
            if (r->gpu[i]) {
                print_total(r, &s, i, precision);
            }
        }
        if (r->net[n]) {
            step_release(&s);
        }
        RS_TRY(status);
    }
    return RS_OK;
}

static void print_layer(const request *r, const step *s, const gpu *g, const rs_profile_row *row)
{
    (void)printf("| %s | %s%s%s | %.3f | %.3f | %.1f |", row->node, row->operation, row->pass[0] ? ", " : "",
                 row->pass, 1e-6 * row->bytes, 1e-9 * row->flops, row->flops / row->bytes);
    for (int p = 0; p < PRECISIONS; p++) {
        double all = 0.0, own = floor_of(g, p, row);
        for (int i = 0; i < s->count; i++) {
            all += floor_of(g, p, &s->rows[i]);
        }
        bool memory = memory_seconds(g, row) >= arithmetic_seconds(g, p, row);
        if (r->precision[p]) {
            (void)printf(" %.2f | %.1f | %s |", 1e6 * own, 100.0 * own / all,
                         memory ? "memory" : "arithmetic");
        }
    }
    (void)printf("\n");
}

static rs_status print_layers(const request *r, int net, const gpu *g, rs_error *error)
{
    step s;
    rs_status status = step_make(r, net, &s, error);
    if (status == RS_OK) {
        (void)printf("\n## By layer: %s on %s\n\n| layer | operation | MB | GFLOP | FLOP/byte |",
                     s.network->name, g->title);
        for (int p = 0; p < PRECISIONS; p++) {
            if (r->precision[p]) {
                (void)printf(" %s, µs | share %% | bound by |", precision_names[p]);
            }
        }
        (void)printf("\n|---|---|---|---|---|");
        for (int p = 0; p < PRECISIONS; p++) {
            (void)printf("%s", r->precision[p] ? "---|---|---|" : "");
        }
        (void)printf("\n");
        for (int i = 0; i < s.count; i++) {
            if (s.rows[i].calls > 0) {
                print_layer(r, &s, g, &s.rows[i]);
            }
        }
    }
    step_release(&s);
    return status;
}

/* --- text ------------------------------------------------------------------------------------------------- */

static void print_head(const request *r)
{
    (void)printf(
        "# Roofline of the GPU path\n\n"
        "**Nothing in this file was run on a GPU.** Work is counted and divided by what data sheets "
        "promise:\n"
        "a bound on what a step can reach, not a forecast. `build/release/bench/roofline` prints it; its "
        "options\n"
        "choose other devices, networks and batches. `python3 bench/kernel_resources.py build/release` fills "
        "in\n"
        "the section on kernels.\n\n"
        "- Bytes: each tensor as often as a kernel of ours reads or writes it, or the least that cuDNN or "
        "cuBLAS\n"
        "  can do. Operations: two for each multiply-add of convolutions and linear layers, direct "
        "algorithm. The\n"
        "  same functions (`src/kernels/common/cost.c`) count for `resnet_study --profile --device cuda`.\n"
        "- Floor: for each operation and pass the larger of bytes / bandwidth and operations / peak, summed "
        "over\n"
        "  the step: one stream, nothing overlaps. f32: no tensor cores (`--precision f32`). tf32: "
        "convolutions\n"
        "  and linear layers on them.\n"
        "- Step: batch of %" PRId64 ", %s width, CIFAR-10 shapes (%d x %d x %d, %d classes), images on the\n"
        "  device, Adam, distances to the initial weights and mean gradients recorded.\n\n",
        r->batch, width_names[r->width], CHANNELS, SIDE, SIDE, CLASSES);
}

static void print_limits(void)
{
    (void)printf(
        "What this cannot show:\n\n"
        "- speed: launches, gaps between kernels, tails of small grids, clocks under load make a step "
        "slower;\n"
        "- caches: what still lies in the L2 cache (50 MB on an H100) is counted as if it came from memory, "
        "so\n"
        "  that a kernel bound by memory can also be faster than its floor;\n"
        "- the libraries' algorithms: workspaces and copies in another layout come on top; Winograd and FFT "
        "do\n"
        "  less arithmetic than is counted;\n"
        "- arithmetic of our own kernels, sums in double among it (slow on a GeForce), is taken for free.\n\n"
        "`bench/gpu.sh`, on a machine with a GPU, fills in what is missing: the time of each operation "
        "beside\n"
        "the same bytes and operations and the peaks that it measures there (\"Time by layer\"), and "
        "images/s\n"
        "of the whole step beside PyTorch's.\n\n");
}

static void print_kernels(void)
{
    (void)printf("\n## Kernels\n\n<!-- kernels: begin -->\nNot filled in: `python3 bench/kernel_resources.py "
                 "build/release` does.\n<!-- kernels: end -->\n");
}

static rs_status print_all(const request *r, rs_error *error)
{
    int net = 0, device = 0;
    while (!r->net[net]) {
        net++;
    }
    while (!r->gpu[device]) {
        device++;
    }
    print_head(r);
    print_limits();
    print_devices(r);
    (void)printf(
        "\n## Training step\n\nShares are of the floor. \"add\" are the batch norms that take in a residual "
        "join; \"update\" is update and measure,\n\"gather\" makes floats of the batch's bytes.\n");
    for (int p = 0; p < PRECISIONS; p++) {
        RS_TRY(r->precision[p] ? print_totals(r, p, error) : RS_OK);
    }
    RS_TRY(print_layers(r, net, &gpus[device], error));
    print_kernels();
    return RS_OK;
}

/* --- command line ----------------------------------------------------------------------------------------- */

enum { DEVICE, NETWORKS, BATCH_SIZE, PRECISION, WIDTH, OPTIONS };
static const char *const option_names[OPTIONS] = {"--device", "--networks", "--batch-size", "--precision",
                                                  "--width"};

static void join(const char *const *names, int count, char *text, size_t capacity)
{
    text[0] = '\0';
    for (int i = 0; i < count; i++) {
        size_t length = strlen(text);
        (void)snprintf(text + length, capacity - length, "%s%s", i ? ", " : "", names[i]);
    }
}

/* Number of a word in a list; -1 with an error that says what there is and what comes nearest. */
static int find_word(const char *what, const char *word, const char *const *names, int count, rs_error *error)
{
    char list[512];
    for (int i = 0; i < count; i++) {
        if (strcmp(word, names[i]) == 0) {
            return i;
        }
    }
    const char *nearest = rs_text_nearest(word, names, count);
    join(names, count, list, sizeof list);
    (void)RS_FAIL(error, RS_USAGE, "%s%s%s: not one of %s%s%s", what, what[0] ? " " : "", word, list,
                  nearest ? "; nearest: " : "", nearest ? nearest : "");
    return -1;
}

/* Marks what a list names, and nothing else. */
static rs_status choose(const char *option, const char *text, const char *const *names, int count,
                        bool *chosen, rs_error *error)
{
    char word[64];
    const char *at = text;
    int found = 0;
    memset(chosen, 0, (size_t)count * sizeof *chosen);
    while (rs_text_next_word(&at, ',', word, sizeof word)) {
        int i = find_word(option, word, names, count, error);
        if (i < 0) {
            return RS_USAGE;
        }
        chosen[i] = true;
        found++;
    }
    return found ? RS_OK
                 : RS_FAIL(error, RS_USAGE, "%s \"%s\" names nothing; name one, as in %s %s", option, text,
                           option, names[0]);
}

static rs_status take_batch(const char *value, int64_t *batch, rs_error *error)
{
    const int64_t most = 1 << 20;
    if (!rs_text_int(value, batch) || *batch < 1 || *batch > most) {
        return RS_FAIL(error, RS_USAGE, "--batch-size %s: must be a whole number from 1 to %" PRId64, value,
                       most);
    }
    return RS_OK;
}

static rs_status take(request *r, const char *option, const char *value, rs_error *error)
{
    int which = find_word("", option, option_names, OPTIONS, error);
    if (which >= 0 && !value) {
        return RS_FAIL(error, RS_USAGE, "%s needs a value behind it", option);
    }
    switch (which) {
    case DEVICE:
        return choose(option, value, gpu_names, GPUS, r->gpu, error);
    case NETWORKS:
        return choose(option, value, net_names, NETS, r->net, error);
    case BATCH_SIZE:
        return take_batch(value, &r->batch, error);
    case PRECISION:
        return choose(option, value, precision_names, PRECISIONS, r->precision, error);
    case WIDTH:
        r->width = find_word(option, value, width_names, WIDTHS, error);
        return r->width < 0 ? RS_USAGE : RS_OK;
    default:
        return RS_USAGE;
    }
}

static void print_help(void)
{
    char list[512];
    (void)printf("usage: roofline [--device LIST] [--networks LIST] [--batch-size N] [--precision f32|tf32]\n"
                 "                [--width even|standard]\n\n"
                 "Prints, as Markdown, the least time that a training step can take on a GPU.\n\n");
    join(gpu_names, GPUS, list, sizeof list);
    (void)printf("  devices: %s (all)\n", list);
    join(net_names, NETS, list, sizeof list);
    (void)printf("  networks: %s (all)\n  batch size: 1024; both precisions; even width\n", list);
}

static rs_status run(int argc, char **argv, rs_error *error)
{
    request r = {.batch = 1024};
    memset(r.gpu, 1, sizeof r.gpu);
    memset(r.net, 1, sizeof r.net);
    memset(r.precision, 1, sizeof r.precision);
    for (int i = 1; i < argc; i += 2) {
        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0) {
            print_help();
            return RS_OK;
        }
        RS_TRY(take(&r, argv[i], i + 1 < argc ? argv[i + 1] : NULL, error));
    }
    return print_all(&r, error);
}

int main(int argc, char **argv)
{
    rs_error error = {0};
    rs_status status = run(argc, argv, &error);
    if (status) {
        (void)fprintf(stderr, "roofline: %s\n", error.text);
    }
    return rs_status_exit_code(status);
}
