/* test_golden_steps.c: losses, gradients and updates of ResNet-18 and 26 against PyTorch's, step by step.
 *
 *     test_golden_steps DIRECTORY STEPS NAME...      golden files of a directory; the first STEPS (1 to 20) steps
 *
 * Each step begins from the reference's state (golden_state.h):
 *   (a) ref in double against PyTorch in float64: every parameter's gradient within 1e-9 of its norm, by norm, entries
 *       and projections; then its update must give the reference's next state to the bit;
 *   (b) float32 backends, smooth network: every parameter's gradient within 1e-4 of (a)'s, element for element;
 *   (c) float32 backends, real network: no further from (a)'s than three times PyTorch's own float32 is. Near a kink
 *       of ReLU or max pooling rounding decides on which side an element falls, and one element moves gradients by 1e-3;
 *       whether that happens in a step is chance. So a step is compared with the worst that nine float32 runs of PyTorch
 *       (libraries, layouts, orders of samples) did at any of the twenty steps: every parameter, their median, and
 *       all together. Over the twenty steps the root mean square of every parameter's distance is compared
 *       with that of PyTorch's largest at each step. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "golden_engine.h"
#include "golden_file.h"
#include "golden_inputs.h"
#include "golden_state.h"
#include "rs/random.h"

#define EXACT_BOUND  1e-9
#define SMOOTH_BOUND 1e-4
#define LOSS_BOUND   1e-6
#define REAL_FACTOR  3.0
/* Of running statistics, which no kink disturbs, in float32. */
#define RUNNING_BOUND 1e-5

static const golden_engine_spec exact_spec = {"ref", RS_F64, RS_CONVOLUTION_DIRECT, "ref, double"};
static const golden_engine_spec cpu_specs[] = {
    {"ref", RS_F32, RS_CONVOLUTION_DIRECT, "ref, float"},
    {"cpu", RS_F32, RS_CONVOLUTION_DIRECT, "cpu, direct"},
    {"cpu", RS_F32, RS_CONVOLUTION_WINOGRAD, "cpu, Winograd"},
};
static const golden_engine_spec gpu_specs[] = {{"cuda", RS_F32, RS_CONVOLUTION_AUTO, "cuda"}};
enum { MOST_FLOATS = sizeof cpu_specs / sizeof cpu_specs[0] };
static const golden_engine_spec *float_specs = cpu_specs;
static int floats = MOST_FLOATS;

/* A float32 backend under test, and its distances so far. */
typedef struct candidate {
    golden_engine engine;
    bool open;
    double *squares;       /* [parameter] sum over the steps of its squared relative distance */
    double worst_ratio;    /* (c): of its distances to PyTorch's, over the steps */
    double worst_distance; /* of a parameter, over the steps */
    double worst_loss;
} candidate;

typedef struct comparison {
    const char *name;
    golden_file *file;
    rs_network *network;
    golden_engine exact;
    golden_state state;
    candidate floats[MOST_FLOATS];
    double *worst,
        *squares; /* [parameter] PyTorch's float32 distance: largest, and the sum over all steps of the
                                square of each step's largest */
    double worst_median, worst_together; /* the same of the parameters' median, and of all together */
    double *scratch;                     /* a tensor */
    double worst_exact;
} comparison;

static const char *directory;
static int step_limit;

static double relative_distance(const double *x, const double *y, int64_t count)
{
    double difference = 0.0, norm = 0.0;
    for (int64_t i = 0; i < count; i++) {
        difference += (x[i] - y[i]) * (x[i] - y[i]);
        norm += y[i] * y[i];
    }
    return sqrt(difference / norm);
}

static int compare_doubles(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Sorts the values. */
static double median(double *values, int count)
{
    qsort(values, (size_t)count, sizeof *values, compare_doubles);
    return 0.5 * (values[(count - 1) / 2] + values[count / 2]);
}

static double largest(const double *values, size_t count)
{
    double found = 0.0;
    for (size_t i = 0; i < count; i++) {
        found = values[i] > found ? values[i] : found;
    }
    return found;
}

/* --- before the first step --- */

static void demand_names(const comparison *c)
{
    const rs_network *net = c->network;
    int tensors = net->parameter_count + net->buffer_count;
    size_t count;
    const double *names = golden_section(c->file, "names", &count);
    assert_int_equal(count, 3 * tensors);
    for (int i = 0; i < tensors; i++) {
        const rs_parameter *p =
            i < net->parameter_count ? &net->parameters[i] : &net->buffers[i - net->parameter_count];
        if (golden_stored_checksum(names + 3 * i) != rs_hash64(p->name) ||
            names[3 * i + 2] != (double)p->count) {
            fail_msg("tensor %d is %s of %ld elements here, another one in the golden file", i, p->name,
                     (long)p->count);
        }
    }
}

static void open_floats(comparison *c)
{
    for (int i = 0; i < floats; i++) {
        candidate *f = &c->floats[i];
        f->open = golden_engine_open(&f->engine, &float_specs[i], c->network, c->exact.batch);
        f->squares = calloc((size_t)c->network->parameter_count, sizeof(double));
        assert_non_null(f->squares);
    }
}

/* PyTorch's float32 distances over all steps of the file. */
static void read_yardstick(comparison *c)
{
    int count = c->network->parameter_count;
    for (int step = 0; step < golden_get(c->file, GOLDEN_STEPS); step++) {
        const double *stored = golden_step_section(c->file, "float32", step, 2 * (size_t)count);
        for (int i = 0; i < count; i++) {
            c->worst[i] = fmax(c->worst[i], stored[2 * i]);
            c->squares[i] += stored[2 * i] * stored[2 * i];
        }
        char name[32];
        size_t runs;
        (void)snprintf(name, sizeof name, "float32_median/%d", step);
        stored = golden_section(c->file, name, &runs);
        c->worst_median = fmax(c->worst_median, largest(stored, runs));
        stored = golden_step_section(c->file, "float32_all", step, runs);
        c->worst_together = fmax(c->worst_together, largest(stored, runs));
    }
}

static void open_comparison(comparison *c, const char *name)
{
    rs_error error = {0};
    *c = (comparison){.name = name, .file = golden_open(directory, name)};
    rs_resnet_options options = {.depth = golden_get(c->file, GOLDEN_DEPTH),
                                 .plain = golden_get(c->file, GOLDEN_PLAIN),
                                 .smooth = golden_get(c->file, GOLDEN_SMOOTH),
                                 .channels = GOLDEN_CHANNELS,
                                 .height = GOLDEN_SIDE,
                                 .width = GOLDEN_SIDE,
                                 .classes = GOLDEN_CLASSES};
    assert_int_equal(rs_resnet_build(&options, &c->network, &error), RS_OK);
    demand_names(c);
    assert_true(golden_engine_open(&c->exact, &exact_spec, c->network, golden_get(c->file, GOLDEN_BATCH)));
    open_floats(c);
    golden_state_begin(&c->state, c->network);
    c->worst = calloc((size_t)c->network->parameter_count, sizeof(double));
    c->squares = calloc((size_t)c->network->parameter_count, sizeof(double));
    c->scratch = calloc((size_t)c->network->weight_count, sizeof(double));
    assert_true(c->worst && c->squares && c->scratch);
    if (!options.smooth) {
        read_yardstick(c);
    }
}

static void close_comparison(comparison *c)
{
    for (int i = 0; i < floats; i++) {
        golden_engine_close(&c->floats[i].engine);
        free(c->floats[i].squares);
    }
    golden_engine_close(&c->exact);
    golden_state_release(&c->state);
    rs_network_destroy(c->network);
    golden_close(c->file);
    free(c->worst);
    free(c->squares);
    free(c->scratch);
}

/* --- (a): the reference in double --- */

static void demand_loss(const comparison *c, const golden_engine *engine, int step, double bound)
{
    size_t count;
    double expected = golden_section(c->file, "loss", &count)[step];
    double distance = fabs(engine->loss.loss - expected) / fabs(expected);
    if (!(distance <= bound)) {
        fail_msg("%s, step %d, %s: loss %.12g, PyTorch's %.12g", c->name, step, engine->spec->label,
                 engine->loss.loss, expected);
    }
}

static void demand_exact_tensor(comparison *c, int step, const char *name, const double *values,
                                int64_t count, const double *summary, golden_shape shape)
{
    double distance = golden_distance(name, values, count, summary, shape);
    c->worst_exact = distance > c->worst_exact ? distance : c->worst_exact;
    if (!(2.0 * distance <= EXACT_BOUND)) {
        fail_msg("%s, step %d, ref in double: %s is %.2e from PyTorch's float64", c->name, step, name,
                 distance);
    }
}

static void check_exact(comparison *c, int step)
{
    const rs_network *net = c->network;
    golden_shape shape = golden_shape_of(c->file, step);
    size_t size = golden_summary_size(shape);
    const double *stored =
        golden_step_section(c->file, "gradients", step, size * (size_t)net->parameter_count);
    golden_engine_write_state(&c->exact, &c->state);
    golden_engine_gradients(&c->exact, step);
    demand_loss(c, &c->exact, step, EXACT_BOUND);
    for (int i = 0; i < net->parameter_count; i++) {
        const rs_parameter *p = &net->parameters[i];
        demand_exact_tensor(c, step, p->name, c->exact.gradient[i], p->count, stored + (size_t)i * size,
                            shape);
    }
    if (step > 0) {
        return;
    }
    shape = golden_shape_of(c->file, 1);
    size = golden_summary_size(shape);
    stored = golden_step_section(c->file, "running", 0, size * (size_t)net->buffer_count);
    for (int i = 0; i < net->buffer_count; i++) {
        const rs_parameter *b = &net->buffers[i];
        golden_engine_read(&c->exact, RS_SLOT_RUNNING, i, c->scratch);
        demand_exact_tensor(c, step, b->name, c->scratch, b->count, stored + (size_t)i * size, shape);
    }
}

/* Updates, and takes the rounded result as the state of the next step. */
static void advance_exact(comparison *c, int step)
{
    static const rs_slot slots[GOLDEN_KINDS] = {RS_SLOT_VALUE, RS_SLOT_MOMENT1, RS_SLOT_MOMENT2,
                                                RS_SLOT_RUNNING};
    golden_engine_update(&c->exact);
    for (int kind = 0; kind < GOLDEN_KINDS; kind++) {
        for (int i = 0; i < golden_tensor_count(c->network, kind); i++) {
            golden_engine_read(&c->exact, slots[kind], i, c->scratch);
            golden_state_round(&c->state, kind, i, c->scratch);
        }
    }
    golden_state_settle(&c->state, c->file, step);
}

/* --- (b) and (c): float32 --- */

static void check_smooth(const comparison *c, const candidate *f, int step, const double *distances)
{
    for (int i = 0; i < c->network->parameter_count; i++) {
        if (!(distances[i] <= SMOOTH_BOUND)) {
            fail_msg("%s, step %d, %s: gradient of %s is %.2e from the one in double", c->name, step,
                     f->engine.spec->label, c->network->parameters[i].name, distances[i]);
        }
    }
}

static void demand_ratio(const comparison *c, candidate *f, int step, const char *what, double ours,
                         double pytorch)
{
    f->worst_ratio = ours / pytorch > f->worst_ratio ? ours / pytorch : f->worst_ratio;
    if (!(ours <= REAL_FACTOR * pytorch)) {
        fail_msg("%s, step %d, %s: gradients (%s) are %.2e from those in double, PyTorch's float32 %.2e",
                 c->name, step, f->engine.spec->label, what, ours, pytorch);
    }
}

/* Distance of all gradients together. */
static double whole_distance(const comparison *c, const golden_engine *engine)
{
    double difference = 0.0, norm = 0.0;
    for (int i = 0; i < c->network->parameter_count; i++) {
        const double *x = engine->gradient[i], *y = c->exact.gradient[i];
        for (int64_t k = 0; k < c->network->parameters[i].count; k++) {
            difference += (x[k] - y[k]) * (x[k] - y[k]);
            norm += y[k] * y[k];
        }
    }
    return sqrt(difference / norm);
}

static void check_real(const comparison *c, candidate *f, int step, double *distances)
{
    for (int i = 0; i < c->network->parameter_count; i++) {
        demand_ratio(c, f, step, c->network->parameters[i].name, distances[i], c->worst[i]);
    }
    demand_ratio(c, f, step, "median", median(distances, c->network->parameter_count), c->worst_median);
    demand_ratio(c, f, step, "together", whole_distance(c, &f->engine), c->worst_together);
}

static void check_running(comparison *c, candidate *f, int step)
{
    for (int i = 0; i < c->network->buffer_count; i++) {
        const rs_parameter *b = &c->network->buffers[i];
        double *ours = c->scratch, *expected = c->scratch + b->count;
        golden_engine_read(&f->engine, RS_SLOT_RUNNING, i, ours);
        golden_engine_read(&c->exact, RS_SLOT_RUNNING, i, expected);
        double distance = relative_distance(ours, expected, b->count);
        if (!(distance <= RUNNING_BOUND)) {
            fail_msg("%s, step %d, %s: %s is %.2e from the one in double", c->name, step,
                     f->engine.spec->label, b->name, distance);
        }
    }
}

/* Adam of one element in double, from the state and a gradient. */
static double adam(const golden_state *state, int parameter, int64_t i, double gradient)
{
    double t = (double)state->steps + 1.0;
    double m = 0.9 * (double)state->values[GOLDEN_MOMENT1][parameter][i] + 0.1 * gradient;
    double v = 0.999 * (double)state->values[GOLDEN_MOMENT2][parameter][i] + 0.001 * gradient * gradient;
    double below = sqrt(v) / sqrt(1.0 - pow(0.999, t)) + 1e-8;
    return (double)state->values[GOLDEN_WEIGHT][parameter][i] - GOLDEN_RATE / (1.0 - pow(0.9, t)) * m / below;
}

/* The update must be Adam's of the backend's own gradient: another program's gradient says little about an
 * element that is zero but for rounding, and moves by the learning rate either way. */
static void check_update(comparison *c, candidate *f, int step)
{
    golden_engine_update(&f->engine);
    for (int p = 0; p < c->network->parameter_count; p++) {
        golden_engine_read(&f->engine, RS_SLOT_VALUE, p, c->scratch);
        for (int64_t i = 0; i < c->network->parameters[p].count; i++) {
            double expected = adam(&c->state, p, i, f->engine.gradient[p][i]);
            if (!(fabs(c->scratch[i] - expected) <=
                  (double)FLT_EPSILON * fabs(expected) + 2e-6 * GOLDEN_RATE)) {
                fail_msg("%s, step %d, %s: %s element %ld became %.9g, by Adam %.9g", c->name, step,
                         f->engine.spec->label, c->network->parameters[p].name, (long)i, c->scratch[i],
                         expected);
            }
        }
    }
}

static void check_float(comparison *c, candidate *f, int step)
{
    const rs_network *net = c->network;
    double *distances = calloc((size_t)net->parameter_count, sizeof(double));
    assert_non_null(distances);
    golden_engine_write_state(&f->engine, &c->state);
    golden_engine_gradients(&f->engine, step);
    demand_loss(c, &f->engine, step, LOSS_BOUND);
    f->worst_loss = fmax(f->worst_loss, fabs(f->engine.loss.loss - c->exact.loss.loss) / c->exact.loss.loss);
    for (int i = 0; i < net->parameter_count; i++) {
        distances[i] =
            relative_distance(f->engine.gradient[i], c->exact.gradient[i], net->parameters[i].count);
        f->squares[i] += distances[i] * distances[i];
        f->worst_distance = fmax(f->worst_distance, distances[i]);
    }
    if (golden_get(c->file, GOLDEN_SMOOTH)) {
        check_smooth(c, f, step, distances);
    } else {
        check_real(c, f, step, distances);
    }
    check_running(c, f, step);
    check_update(c, f, step);
    free(distances);
}

/* --- the whole --- */

/* (c) of every parameter over all steps. */
static void check_parameters(const comparison *c, const candidate *f)
{
    double worst = 0.0;
    for (int i = 0; i < c->network->parameter_count; i++) {
        if (!(f->squares[i] <= REAL_FACTOR * REAL_FACTOR * c->squares[i])) {
            fail_msg("%s, %s: over %d steps the gradient of %s is %.2e from the one in double, PyTorch's "
                     "float32 %.2e",
                     c->name, f->engine.spec->label, step_limit, c->network->parameters[i].name,
                     sqrt(f->squares[i] / step_limit), sqrt(c->squares[i] / step_limit));
        }
        worst = fmax(worst, sqrt(f->squares[i] / c->squares[i]));
    }
    print_message("  %s: root mean square over the steps at most %.2f of PyTorch's float32\n",
                  f->engine.spec->label, worst);
}

static void report(const comparison *c)
{
    print_message("%s, %d steps: ref in double within %.1e of PyTorch's float64\n", c->name, step_limit,
                  c->worst_exact);
    for (int i = 0; i < floats; i++) {
        const candidate *f = &c->floats[i];
        if (f->open) {
            print_message("  %s: loss within %.1e, gradients within %.1e", float_specs[i].label,
                          f->worst_loss, f->worst_distance);
            print_message(golden_get(c->file, GOLDEN_SMOOTH) ? "\n" : ", at most %.2f of PyTorch's float32\n",
                          f->worst_ratio);
        }
    }
}

static void steps_match_pytorch(void **state)
{
    comparison c;
    open_comparison(&c, *state);
    assert_in_range(step_limit, 1, golden_get(c.file, GOLDEN_STEPS));
    for (int step = 0; step < step_limit; step++) {
        check_exact(&c, step);
        for (int i = 0; i < floats; i++) {
            if (c.floats[i].open) {
                check_float(&c, &c.floats[i], step);
            }
        }
        advance_exact(&c, step);
    }
    report(&c);
    bool whole = step_limit == golden_get(c.file, GOLDEN_STEPS) && !golden_get(c.file, GOLDEN_SMOOTH);
    for (int i = 0; i < floats && whole; i++) {
        if (c.floats[i].open) {
            check_parameters(&c, &c.floats[i]);
        }
    }
    close_comparison(&c);
}

int main(int argc, char **argv)
{
    struct CMUnitTest tests[16];
    int count = 0;
    int first = argc > 4 && strcmp(argv[3], "--gpu") == 0 ? 4 : 3;
    if (argc <= first || argc - first > 16) {
        (void)fprintf(stderr, "usage: test_golden_steps DIRECTORY STEPS [--gpu] NAME...\n");
        return 2;
    }
    directory = argv[1];
    step_limit = (int)strtol(argv[2], NULL, 10);
    if (first == 4) {
        float_specs = gpu_specs;
        floats = 1;
    }
    for (int i = first; i < argc; i++) {
        tests[count++] = (struct CMUnitTest){argv[i], steps_match_pytorch, NULL, NULL, argv[i]};
    }
    return _cmocka_run_group_tests("golden steps", tests, (size_t)count, NULL, NULL);
}
