/* subject.c: see subject.h. */
#include "subject.h"

#include <string.h>

static int add(subject *s, const char *name, rs_op_kind kind, int input, rs_node_attributes attributes)
{
    rs_error error = {0};
    int node = -1;
    const rs_node_spec spec = {.name = name,
                               .kind = kind,
                               .input = {input, input},
                               .attributes = attributes,
                               .block = -1,
                               .weight_initializer = RS_INIT_UNIFORM_FAN_IN,
                               .bias_initializer = RS_INIT_UNIFORM_FAN_IN};
    harness_ok(rs_network_add(s->network, &spec, &node, &error), &error);
    return node;
}

static int add_stage(subject *s, int number, rs_op_kind function, int input)
{
    char name[16];
    const rs_node_attributes conv = {.channels = 7, .kernel = 3, .stride = 1, .padding = 1},
                             norm = {.epsilon = 1e-5, .momentum = 0.1};
    (void)snprintf(name, sizeof name, "conv%d", number);
    int node = add(s, name, RS_OP_CONVOLUTION, input, conv);
    (void)snprintf(name, sizeof name, "bn%d", number);
    node = add(s, name, RS_OP_BATCH_NORM, node, norm);
    (void)snprintf(name, sizeof name, "%s%d", rs_op_name(function), number);
    return add(s, name, function, node, (rs_node_attributes){0});
}

subject subject_make(const rs_check_machine *machine, rs_reduction reduction, bool head)
{
    rs_error error = {0};
    subject s = {.machine = machine};
    harness_ok(rs_network_create("subject", 3, 6, 6, SUBJECT_CLASSES, &s.network, &error), &error);
    int tanh = add_stage(&s, 2, RS_OP_TANH, add_stage(&s, 1, RS_OP_RELU, 0));
    const rs_node_attributes scores = {.channels = SUBJECT_CLASSES, .bias = true},
                             loss = {.reduction = reduction};
    if (head) {
        int node = add(&s, "head", RS_OP_LINEAR, tanh, scores);
        (void)add(&s, "head_loss", RS_OP_SOFTMAX_CROSS_ENTROPY, node, loss);
    }
    int node = add(&s, "pool", RS_OP_GLOBAL_AVERAGE_POOL, tanh, (rs_node_attributes){0});
    node = add(&s, "hidden", RS_OP_LINEAR, node, (rs_node_attributes){.channels = 9, .bias = true});
    node = add(&s, "sigmoid", RS_OP_SIGMOID, node, (rs_node_attributes){0});
    node = add(&s, "fc", RS_OP_LINEAR, node, scores);
    (void)add(&s, "loss", RS_OP_SOFTMAX_CROSS_ENTROPY, node, loss);
    harness_ok(rs_network_finish(s.network, &error), &error);
    return s;
}

static void initialize(const subject *s)
{
    rs_error error = {0};
    const rs_network *network = s->network;
    for (int i = 0; i < network->parameter_count + network->buffer_count; i++) {
        bool buffer = i >= network->parameter_count;
        int index = buffer ? i - network->parameter_count : i;
        const rs_parameter *p = buffer ? &network->buffers[index] : &network->parameters[index];
        float *values = rs_alloc_array((size_t)p->count, sizeof *values);
        rs_parameter_initialize(p, 7, values);
        for (int64_t k = 0; buffer && k < p->count; k++) {
            values[k] += 0.125F * (float)(k + 1); /* not what training would begin with */
        }
        harness_ok(s->machine->backend->write(s->plan, buffer ? RS_SLOT_RUNNING : RS_SLOT_VALUE, index,
                                              values, &error),
                   &error);
        rs_free(values);
    }
}

void subject_open(subject *s, rs_plan_options options)
{
    rs_error error = {0};
    options.batch_size_count = 2;
    options.batch_sizes[0] = SUBJECT_BATCH;
    options.batch_sizes[1] = 1;
    options.training = true;
    options.optimizer = RS_OPTIMIZER_ADAM;
    harness_ok(s->machine->backend->plan_create(s->machine->device, s->network, &options, &s->plan, &error),
               &error);
    initialize(s);
}

void subject_close_plan(subject *s)
{
    s->machine->backend->plan_destroy(s->plan);
    s->plan = NULL;
}

void subject_release(subject *s)
{
    subject_close_plan(s);
    rs_network_destroy(s->network);
    s->network = NULL;
}

void subject_load(const subject *s, int64_t first, int64_t count)
{
    rs_error error = {0};
    double values[SUBJECT_BATCH * SUBJECT_PIXELS];
    float x[SUBJECT_BATCH * SUBJECT_PIXELS];
    int32_t labels[SUBJECT_BATCH];
    rs_fill_values(RS_FILL_NORMAL, 3, "x", values, SUBJECT_BATCH * SUBJECT_PIXELS);
    rs_fill_labels(3, SUBJECT_CLASSES, labels, SUBJECT_BATCH);
    for (int i = 0; i < SUBJECT_BATCH * SUBJECT_PIXELS; i++) {
        x[i] = (float)values[i];
    }
    harness_ok(s->machine->backend->load_values(s->plan, x + first * SUBJECT_PIXELS, labels + first, NULL,
                                                count, &error),
               &error);
}

void subject_run(const subject *s, rs_mode mode, rs_label_choice labels)
{
    rs_error error = {0};
    subject_load(s, 0, SUBJECT_BATCH);
    harness_ok(s->machine->backend->forward(s->plan, mode, &error), &error);
    harness_ok(s->machine->backend->backward(s->plan, labels, &error), &error);
}

void subject_update(const subject *s)
{
    rs_error error = {0};
    rs_measurement measurement = {0};
    const rs_update_options options = {.optimizer = RS_OPTIMIZER_ADAM,
                                       .learning_rate = 1e-2,
                                       .beta1 = 0.9,
                                       .beta2 = 0.999,
                                       .epsilon = 1e-8,
                                       .weight_decay = 0.1};
    harness_ok(s->machine->backend->update(s->plan, &options, &measurement, &error), &error);
}

float *subject_read(const subject *s, rs_slot slot, const char *name, int64_t *count)
{
    rs_error error = {0};
    const rs_network *network = s->network;
    const rs_parameter *list = slot == RS_SLOT_RUNNING ? network->buffers : network->parameters;
    int most = slot == RS_SLOT_RUNNING ? network->buffer_count : network->parameter_count, index = 0;
    while (index < most && strcmp(list[index].name, name) != 0) {
        index++;
    }
    assert_true(index < most);
    float *values = rs_alloc_array((size_t)list[index].count, sizeof *values);
    assert_non_null(values);
    *count = list[index].count;
    harness_ok(s->machine->backend->read(s->plan, slot, index, values, &error), &error);
    return values;
}

bool subject_is_zero(const float *values, int64_t count)
{
    bool zero = true;
    for (size_t i = 0; i < (size_t)count * sizeof *values; i++) {
        zero = zero && ((const unsigned char *)values)[i] == 0;
    }
    return zero;
}
