/* test_optimizers.c GOLDEN BACKEND: update rules against PyTorch, ten steps each; see ../golden/make_optimizers.py. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "harness.h"

enum { STEPS = 10, FIRST = 5, SECOND = 3, VALUES = FIRST + SECOND };

/* Float against PyTorch's float, which fuses multiply and add and takes its clipping norm in float. */
#define F64_TOLERANCE 1e-14
#define F32_TOLERANCE 2e-7

typedef struct rule {
    char name[64];
    rs_update_options options;
    double weight[VALUES], gradient[STEPS][VALUES], f64[STEPS][VALUES], f32[STEPS][VALUES];
} rule;

static const char *golden_path, *backend_name;

static void read_values(FILE *file, const char *word, double values[VALUES])
{
    char line[1024];
    assert_non_null(fgets(line, sizeof line, file));
    assert_true(strncmp(line, word, strlen(word)) == 0);
    char *at = line + strlen(word);
    for (int i = 0; i < VALUES; i++) {
        char *end;
        values[i] = strtod(at, &end);
        assert_ptr_not_equal(at, end);
        at = end;
    }
}

static rs_optimizer_kind optimizer_of(const char *kind)
{
    static const char *const names[] = {[RS_OPTIMIZER_SGD] = "sgd",
                                        [RS_OPTIMIZER_ADAM] = "adam",
                                        [RS_OPTIMIZER_ADAMW] = "adamw",
                                        [RS_OPTIMIZER_ADAGRAD] = "adagrad",
                                        [RS_OPTIMIZER_RMSPROP] = "rmsprop"};
    int found = -1;
    for (int i = 0; i < (int)(sizeof names / sizeof names[0]); i++) {
        found = strcmp(kind, names[i]) == 0 ? i : found;
    }
    assert_true(found >= 0);
    return (rs_optimizer_kind)found;
}

/* The next rule of the file; false at its end. */
static bool read_rule(FILE *file, rule *r)
{
    char line[1024], kind[16];
    int nesterov;
    do {
        if (!fgets(line, sizeof line, file)) {
            return false;
        }
    } while (line[0] == '#');
    rs_update_options o = {0};
    assert_int_equal(sscanf(line, "rule %63s %15s %lf %lf %lf %lf %lf %lf %d %lf %lf", r->name, kind,
                            &o.learning_rate, &o.beta1, &o.beta2, &o.epsilon, &o.momentum, &o.weight_decay,
                            &nesterov, &o.clip_norm, &o.alpha),
                     11);
    o.nesterov = nesterov;
    o.optimizer = optimizer_of(kind);
    r->options = o;
    read_values(file, "weight", r->weight);
    for (int i = 0; i < STEPS; i++) {
        read_values(file, "gradient", r->gradient[i]);
    }
    for (int i = 0; i < STEPS; i++) {
        read_values(file, "f64", r->f64[i]);
    }
    for (int i = 0; i < STEPS; i++) {
        read_values(file, "f32", r->f32[i]);
    }
    return true;
}

/* Two linear layers whose weights have FIRST and SECOND elements. */
static rs_network *make_network(void)
{
    rs_error error = {0};
    rs_network *network;
    int node;
    rs_node_spec first = {.name = "first", .kind = RS_OP_LINEAR, .attributes = {.channels = 1}, .block = -1};
    rs_node_spec second = {.name = "second",
                           .kind = RS_OP_LINEAR,
                           .attributes = {.channels = SECOND},
                           .input = {1},
                           .block = -1};
    harness_ok(rs_network_create("rules", FIRST, 1, 1, 1, &network, &error), &error);
    harness_ok(rs_network_add(network, &first, &node, &error), &error);
    harness_ok(rs_network_add(network, &second, &node, &error), &error);
    harness_ok(rs_network_finish(network, &error), &error);
    return network;
}

static void write_both(const rs_backend *backend, rs_plan *plan, rs_dtype dtype, rs_slot slot,
                       const double values[VALUES])
{
    rs_error error = {0};
    float narrow[VALUES];
    for (int i = 0; i < VALUES; i++) {
        narrow[i] = (float)values[i];
    }
    for (int i = 0; i < 2; i++) {
        int at = i ? FIRST : 0;
        const void *part = dtype == RS_F64 ? (const void *)(values + at) : (const void *)(narrow + at);
        harness_ok(backend->write(plan, slot, i, part, &error), &error);
    }
}

static void read_both(const rs_backend *backend, rs_plan *plan, rs_dtype dtype, double values[VALUES])
{
    rs_error error = {0};
    float narrow[VALUES];
    for (int i = 0; i < 2; i++) {
        int at = i ? FIRST : 0;
        void *part = dtype == RS_F64 ? (void *)(values + at) : (void *)(narrow + at);
        harness_ok(backend->read(plan, RS_SLOT_VALUE, i, part, &error), &error);
    }
    for (int i = 0; dtype == RS_F32 && i < VALUES; i++) {
        values[i] = (double)narrow[i];
    }
}

static void follow_rule(const rule *r, const rs_backend *backend, rs_device *device, rs_dtype dtype)
{
    rs_error error = {0};
    rs_network *network = make_network();
    rs_plan_options options = {.dtype = dtype,
                               .batch_size_count = 1,
                               .batch_sizes = {1},
                               .training = true,
                               .optimizer = r->options.optimizer,
                               .momentum = r->options.momentum != 0.0};
    rs_plan *plan;
    rs_measurement measurement = {0};
    char what[128];
    harness_ok(backend->plan_create(device, network, &options, &plan, &error), &error);
    write_both(backend, plan, dtype, RS_SLOT_VALUE, r->weight);
    for (int i = 0; i < STEPS; i++) {
        double got[VALUES];
        write_both(backend, plan, dtype, RS_SLOT_GRADIENT, r->gradient[i]);
        harness_ok(backend->update(plan, &r->options, &measurement, &error), &error);
        read_both(backend, plan, dtype, got);
        (void)snprintf(what, sizeof what, "%s, %s, step %d", r->name, backend->name, i + 1);
        harness_close(what, got, dtype == RS_F64 ? r->f64[i] : r->f32[i], VALUES,
                      dtype == RS_F64 ? F64_TOLERANCE : F32_TOLERANCE);
    }
    backend->plan_destroy(plan);
    rs_network_destroy(network);
}

static void every_rule_follows_pytorch(void **state)
{
    (void)state;
    FILE *file = fopen(golden_path, "r");
    assert_non_null(file);
    rs_check_machine machine;
    harness_open(&machine, backend_name, 1);
    rs_device_info info;
    machine.backend->info(machine.device, &info);
    static rule r;
    int rules = 0;
    for (; read_rule(file, &r); rules++) {
        if (info.capabilities & RS_CAN_F64) {
            follow_rule(&r, machine.backend, machine.device, RS_F64);
        }
        follow_rule(&r, machine.backend, machine.device, RS_F32);
    }
    assert_int_equal(rules, 19);
    harness_close_machine(&machine);
    (void)fclose(file);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(every_rule_follows_pytorch)};
    if (argc != 3) {
        return 2;
    }
    golden_path = argv[1];
    backend_name = argv[2];
    return cmocka_run_group_tests_name(backend_name, tests, NULL, NULL);
}
