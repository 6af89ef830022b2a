/* data.c: the values of a case: input, parameters, running statistics, cotangent, labels, targets; see session.h. */
#include <math.h>
#include <string.h>

#include "rs/host.h"
#include "rs/random.h"
#include "session.h"

/* Weights keep the size of what they multiply; batch norm's are of either sign; integers stay integers. */
static void fill_parameter(const rs_check_case *c, const rs_parameter *p, uint64_t seed, double *values)
{
    bool exact = c->fill == RS_FILL_INTEGER, vector = p->shape.rank == 1;
    rs_fill fill = exact                                 ? RS_FILL_INTEGER
                   : vector && p->role == RS_ROLE_WEIGHT ? RS_FILL_SIZED
                                                         : RS_FILL_NORMAL;
    double scale = exact || fill == RS_FILL_SIZED ? 1.0 : vector ? 0.5 : 1.0 / sqrt((double)p->fan_in);
    rs_fill_values(fill, seed, p->name, values, p->count);
    for (int64_t i = 0; i < p->count; i++) {
        values[i] = (double)(float)(values[i] * scale);
    }
}

/* Means around 0, variances 0.5 .. 2. */
static void fill_buffer(const rs_parameter *p, uint64_t seed, double *values)
{
    if (p->role == RS_ROLE_RUNNING_MEAN) {
        rs_fill_values(RS_FILL_NORMAL, seed, p->name, values, p->count);
        return;
    }
    for (int64_t i = 0; i < p->count; i++) {
        values[i] = (double)(float)rs_uniform(seed, rs_hash64(p->name), (uint64_t)i, 0.5, 2.0);
    }
}

static double **create_list(const rs_parameter *list, int count)
{
    double **values = rs_alloc_array((size_t)count, sizeof *values);
    bool complete = values != NULL;
    for (int i = 0; complete && i < count; i++) {
        values[i] = rs_alloc_array((size_t)list[i].count, sizeof **values);
        complete = values[i] != NULL;
    }
    for (int i = 0; values && !complete && i < count; i++) {
        rs_free(values[i]);
    }
    if (!complete) {
        rs_free(values);
        return NULL;
    }
    return values;
}

static void destroy_list(double **values, int count)
{
    for (int i = 0; values && i < count; i++) {
        rs_free(values[i]);
    }
    rs_free(values);
}

static void fill_data(const rs_check_case *c, const rs_network *network, uint64_t seed, rs_check_data *data)
{
    int last = rs_check_last(network);
    rs_fill cotangent = c->fill == RS_FILL_INTEGER ? RS_FILL_INTEGER : RS_FILL_NORMAL;
    rs_fill_values(c->fill, seed, "x", data->x, c->batch[0] * rs_check_node_size(network, 0));
    rs_fill_values(cotangent, seed, "dy", data->dy, c->batch[0] * rs_check_node_size(network, last));
    rs_fill_values(cotangent, seed, "targets", data->targets, c->batch[0] * rs_check_target_size(network));
    rs_fill_labels(seed, network->classes, data->labels, c->batch[0]);
    for (int i = 0; i < network->parameter_count; i++) {
        fill_parameter(c, &network->parameters[i], seed, data->parameters[i]);
    }
    for (int i = 0; i < network->buffer_count; i++) {
        fill_buffer(&network->buffers[i], seed, data->buffers[i]);
    }
}

rs_status rs_check_data_create(const rs_check_case *c, const rs_network *network, uint64_t seed,
                               rs_check_data **data, rs_error *error)
{
    size_t n = (size_t)c->batch[0], last = (size_t)rs_check_last(network);
    rs_check_data *made = rs_alloc_zero(sizeof *made);
    if (made) {
        made->x = rs_alloc_array(n * (size_t)rs_check_node_size(network, 0), sizeof(double));
        made->dy = rs_alloc_array(n * (size_t)rs_check_node_size(network, (int)last), sizeof(double));
        made->targets = rs_alloc_array(n * (size_t)rs_check_target_size(network), sizeof(double));
        made->labels = rs_alloc_array(n, sizeof(int32_t));
        made->parameters = create_list(network->parameters, network->parameter_count);
        made->buffers = create_list(network->buffers, network->buffer_count);
    }
    if (!made || !made->x || !made->dy || !made->labels || !made->targets || !made->parameters ||
        !made->buffers) {
        rs_check_data_destroy(network, made);
        return RS_FAIL(error, RS_MEMORY, "no memory for the values of case %s", c->name);
    }
    fill_data(c, network, seed, made);
    *data = made;
    return RS_OK;
}

void rs_check_data_destroy(const rs_network *network, rs_check_data *data)
{
    if (!data) {
        return;
    }
    destroy_list(data->parameters, network->parameter_count);
    destroy_list(data->buffers, network->buffer_count);
    rs_free(data->x);
    rs_free(data->dy);
    rs_free(data->labels);
    rs_free(data->targets);
    rs_free(data);
}
