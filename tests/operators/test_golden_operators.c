/* test_golden_operators.c: a backend against PyTorch, network by network: tests/golden/operators.txt.
 *
 *     test_golden_operators FILE BACKEND
 *
 * A case is read, run forward and backward once, and every value that PyTorch gave is compared: outputs, losses, gradients,
 * running statistics, what objectives measure, sensitivity. In double where the backend can, and in float. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "harness.h"
#include "rs/host.h"

#define TOLERANCE_F64 1e-12
#define TOLERANCE_F32 1e-5

enum { TENSORS = 64, SETTINGS = 4 };

/* One "tensor" line. */
typedef struct tensor {
    char what[96]; /* "x", "value:linear1.weight", "want:dx" */
    int64_t count;
    double *values;
} tensor;

typedef struct golden {
    char name[64], mode[16], labels[16];
    rs_network *network;
    int64_t batch;
    tensor tensors[TENSORS];
    int tensor_count, node_count;
    rs_objective objectives[SETTINGS];
    rs_cut cuts[SETTINGS];
    int objective_count, cut_count;
    bool frozen[TENSORS], any_frozen;
} golden;

static const char *path, *backend_name;

/* --- reading ----------------------------------------------------------------------------------------------------- */

static rs_op_kind kind_of(const char *name)
{
    for (int k = 0; k < RS_OP_KINDS; k++) {
        if (strcmp(rs_op_name((rs_op_kind)k), name) == 0) {
            return (rs_op_kind)k;
        }
    }
    fail_msg("no operator is named %s", name);
    return RS_OP_INPUT;
}

static void read_case(const char *line, golden *g)
{
    int channels, height, width, classes, batch;
    rs_error error = {0};
    *g = (golden){0};
    assert_int_equal(
        sscanf(line, "case %63s %d %d %d %d %d", g->name, &channels, &height, &width, &classes, &batch), 6);
    g->batch = batch;
    harness_ok(rs_network_create(g->name, channels, height, width, classes, &g->network, &error), &error);
}

static void read_node(const char *line, golden *g)
{
    char kind[32], name[RS_NAME_MAX];
    int a[2], channels, kernel, stride, padding, bias, axis, times, reduction, node;
    rs_error error = {0};
    assert_int_equal(sscanf(line, "node %31s %d %d %d %d %d %d %d %d %d %d", kind, &a[0], &a[1], &channels,
                            &kernel, &stride, &padding, &bias, &axis, &times, &reduction),
                     11);
    (void)snprintf(name, sizeof name, "%s%d", kind, ++g->node_count);
    const rs_node_spec spec = {.name = name,
                               .kind = kind_of(kind),
                               .input = {a[0], a[1]},
                               .block = -1,
                               .attributes = {.channels = channels,
                                              .kernel = kernel,
                                              .stride = stride,
                                              .padding = padding,
                                              .bias = bias != 0,
                                              .axis = axis,
                                              .times = times,
                                              .reduction = (rs_reduction)reduction,
                                              .epsilon = 1e-5,
                                              .momentum = 0.1}};
    harness_ok(rs_network_add(g->network, &spec, &node, &error), &error);
}

static void read_tensor(const char *line, golden *g)
{
    assert_true(g->tensor_count < TENSORS);
    tensor *t = &g->tensors[g->tensor_count++];
    int count, used;
    assert_int_equal(sscanf(line, "tensor %95s %d%n", t->what, &count, &used), 2);
    t->count = count;
    t->values = rs_alloc_array((size_t)count, sizeof(double));
    assert_non_null(t->values);
    const char *at = line + used;
    for (int i = 0; i < count; i++) {
        char *end;
        t->values[i] = strtod(at, &end);
        assert_true(end > at);
        at = end;
    }
}

static void read_setting(const char *line, golden *g)
{
    char name[RS_NAME_MAX];
    int node, input;
    double target, weight;
    if (sscanf(line, "cut %d %d", &node, &input) == 2) {
        g->cuts[g->cut_count++] = (rs_cut){node, input};
    } else if (sscanf(line, "objective %d %lf %lf", &node, &target, &weight) == 3) {
        g->objectives[g->objective_count++] = (rs_objective){node, target, weight};
    } else if (sscanf(line, "frozen %63s", name) == 1) {
        int parameter = rs_network_find_parameter(g->network, name);
        assert_in_range(parameter, 0, TENSORS - 1);
        g->frozen[parameter] = g->any_frozen = true;
    } else {
        assert_true(sscanf(line, "mode %15s", g->mode) == 1 || sscanf(line, "labels %15s", g->labels) == 1);
    }
    assert_true(g->cut_count < SETTINGS && g->objective_count < SETTINGS);
}

static void read_line(const char *line, golden *g)
{
    if (strncmp(line, "case ", 5) == 0) {
        read_case(line, g);
    } else if (strncmp(line, "node ", 5) == 0) {
        read_node(line, g);
    } else if (strncmp(line, "tensor ", 7) == 0) {
        read_tensor(line, g);
    } else {
        read_setting(line, g);
    }
}

static void release(golden *g)
{
    for (int i = 0; i < g->tensor_count; i++) {
        rs_free(g->tensors[i].values);
    }
    rs_network_destroy(g->network);
}

static const tensor *find(const golden *g, const char *what)
{
    for (int i = 0; i < g->tensor_count; i++) {
        if (strcmp(g->tensors[i].what, what) == 0) {
            return &g->tensors[i];
        }
    }
    return NULL;
}

/* --- running ----------------------------------------------------------------------------------------------------- */

/* A case on a backend. */
typedef struct run {
    const golden *g;
    const rs_backend *backend;
    rs_dtype dtype;
    rs_plan *plan;
    int compared;
} run;

/* In the plan's type; the caller frees it. NULL for no tensor. */
static void *packed(const run *r, const tensor *t)
{
    void *memory = t ? rs_alloc_array((size_t)t->count, sizeof(double)) : NULL;
    for (int64_t i = 0; t && i < t->count; i++) {
        if (r->dtype == RS_F64) {
            ((double *)memory)[i] = t->values[i];
        } else {
            ((float *)memory)[i] = (float)t->values[i];
        }
    }
    return memory;
}

static int parameter_of(const golden *g, const char *name)
{
    int index = rs_network_find_parameter(g->network, name);
    if (index < 0) {
        fail_msg("%s: no parameter %s", g->name, name);
    }
    return index;
}

static int buffer_of(const golden *g, const char *name)
{
    for (int i = 0; i < g->network->buffer_count; i++) {
        if (strcmp(g->network->buffers[i].name, name) == 0) {
            return i;
        }
    }
    fail_msg("%s: no buffer %s", g->name, name);
    return -1;
}

static void write_state(run *r)
{
    rs_error error = {0};
    for (int i = 0; i < r->g->tensor_count; i++) {
        const tensor *t = &r->g->tensors[i];
        void *values = packed(r, t);
        if (strncmp(t->what, "value:", 6) == 0) {
            int index = parameter_of(r->g, t->what + 6);
            harness_ok(r->backend->write(r->plan, RS_SLOT_VALUE, index, values, &error), &error);
        } else if (strncmp(t->what, "running:", 8) == 0) {
            int index = buffer_of(r->g, t->what + 8);
            harness_ok(r->backend->write(r->plan, RS_SLOT_RUNNING, index, values, &error), &error);
        }
        rs_free(values);
    }
}

static void load(run *r)
{
    rs_error error = {0};
    const tensor *labels = find(r->g, "labels");
    int32_t numbers[16];
    void *x = packed(r, find(r->g, "x")), *targets = packed(r, find(r->g, "targets"));
    assert_true(labels->count <= 16);
    for (int64_t i = 0; i < labels->count; i++) {
        numbers[i] = (int32_t)labels->values[i];
    }
    harness_ok(r->backend->load_values(r->plan, x, numbers, targets, r->g->batch, &error), &error);
    rs_free(x);
    rs_free(targets);
}

static void step(run *r)
{
    rs_error error = {0};
    const char *labels = r->g->labels;
    rs_mode mode = strcmp(r->g->mode, "train") == 0 ? RS_MODE_TRAIN : RS_MODE_EVALUATE;
    rs_label_choice choice = strcmp(labels, "true") == 0        ? RS_LABELS_TRUE
                             : strcmp(labels, "predicted") == 0 ? RS_LABELS_PREDICTED
                                                                : RS_LABELS_BOTH;
    void *dy = packed(r, find(r->g, "dy"));
    harness_ok(r->backend->forward(r->plan, mode, &error), &error);
    if (dy) {
        harness_ok(r->backend->write_gradient(r->plan, dy, &error), &error);
    }
    harness_ok(r->backend->backward(r->plan, choice, &error), &error);
    rs_free(dy);
}

static void open_plan(run *r, rs_device *device)
{
    rs_error error = {0};
    const golden *g = r->g;
    const rs_plan_options options = {.dtype = r->dtype,
                                     .batch_size_count = 1,
                                     .batch_sizes = {g->batch},
                                     .training = true,
                                     .keep_all = true,
                                     .input_gradient = true,
                                     .objectives = g->objectives,
                                     .objective_count = g->objective_count,
                                     .cuts = g->cuts,
                                     .cut_count = g->cut_count,
                                     .frozen = g->any_frozen ? g->frozen : NULL};
    harness_ok(r->backend->plan_create(device, g->network, &options, &r->plan, &error), &error);
}

/* --- comparing ---------------------------------------------------------------------------------------------------- */

/* What the backend has for one of PyTorch's values, in its type or, for sums, in double. */
static rs_status read_wanted(run *r, const char *what, void *got, bool *wide, rs_error *error)
{
    const rs_backend *b = r->backend;
    double *numbers = got;
    *wide = true;
    if (strcmp(what, "loss") == 0) {
        rs_loss loss;
        RS_TRY(b->read_loss(r->plan, &loss, error));
        numbers[0] = loss.loss;
        numbers[1] = (double)loss.correct;
        return RS_OK;
    }
    if (strcmp(what, "layers") == 0) {
        return b->read_layers(r->plan, numbers, numbers + r->g->objective_count, error);
    }
    if (strcmp(what, "sensitivity") == 0) {
        rs_sensitivity sensitivity;
        RS_TRY(b->read_sensitivity(r->plan, &sensitivity, error));
        numbers[0] = sensitivity.batch;
        numbers[1] = sensitivity.sample;
        return RS_OK;
    }
    *wide = false;
    if (strncmp(what, "y:", 2) == 0) {
        return b->read_node(r->plan, RS_NODE_OUTPUT, atoi(what + 2), got, error);
    }
    if (strcmp(what, "dx") == 0) {
        return b->read_node(r->plan, RS_NODE_GRADIENT, 0, got, error);
    }
    if (strncmp(what, "gradient:", 9) == 0) {
        return b->read(r->plan, RS_SLOT_GRADIENT, parameter_of(r->g, what + 9), got, error);
    }
    assert_true(strncmp(what, "running:", 8) == 0);
    return b->read(r->plan, RS_SLOT_RUNNING, buffer_of(r->g, what + 8), got, error);
}

static void compare(run *r, const tensor *t)
{
    rs_error error = {0};
    char what[192];
    bool wide;
    size_t count = (size_t)t->count;
    double *got = rs_alloc_array(count, sizeof *got);
    void *raw = rs_alloc_array(count, sizeof *got);
    assert_true(got && raw);
    harness_ok(read_wanted(r, t->what + 5, raw, &wide, &error), &error);
    for (size_t i = 0; i < count; i++) {
        got[i] = wide || r->dtype == RS_F64 ? ((const double *)raw)[i] : (double)((const float *)raw)[i];
    }
    (void)snprintf(what, sizeof what, "%s, %s: %s", r->g->name, r->dtype == RS_F64 ? "f64" : "f32", t->what);
    harness_close(what, got, t->values, t->count, r->dtype == RS_F64 ? TOLERANCE_F64 : TOLERANCE_F32);
    r->compared++;
    rs_free(got);
    rs_free(raw);
}

static int check_case(const golden *g, const rs_check_machine *machine, rs_dtype dtype)
{
    run r = {.g = g, .backend = machine->backend, .dtype = dtype};
    open_plan(&r, machine->device);
    write_state(&r);
    load(&r);
    step(&r);
    for (int i = 0; i < g->tensor_count; i++) {
        if (strncmp(g->tensors[i].what, "want:", 5) == 0) {
            compare(&r, &g->tensors[i]);
        }
    }
    r.backend->plan_destroy(r.plan);
    return r.compared;
}

static void finish_case(golden *g, const rs_check_machine *machine, int *compared)
{
    rs_device_info info;
    rs_error error = {0};
    harness_ok(rs_network_finish(g->network, &error), &error);
    machine->backend->info(machine->device, &info);
    if (info.capabilities & RS_CAN_F64) {
        *compared += check_case(g, machine, RS_F64);
    }
    *compared += check_case(g, machine, RS_F32);
    release(g);
}

static void agrees_with_pytorch(void **state)
{
    rs_check_machine machine;
    golden g = {0};
    char *line = NULL;
    size_t capacity = 0;
    int cases = 0, compared = 0;
    FILE *file = fopen(path, "r");
    (void)state;
    assert_non_null(file);
    harness_open(&machine, backend_name, 0);
    while (getline(&line, &capacity, file) > 0) {
        if (strcmp(line, "end\n") == 0) {
            finish_case(&g, &machine, &compared);
            cases++;
        } else if (line[0] != '#') {
            read_line(line, &g);
        }
    }
    harness_close_machine(&machine);
    free(line);
    (void)fclose(file);
    assert_int_equal(cases, 33);
    assert_true(compared > 5 * cases);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(agrees_with_pytorch)};
    if (argc != 3) {
        return 2;
    }
    path = argv[1];
    backend_name = argv[2];
    return cmocka_run_group_tests_name(backend_name, tests, NULL, NULL);
}
