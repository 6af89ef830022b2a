/* cost.c: see cost.h. */
#include "cost.h"

static const rs_node *node_of(const rs_network *network, const rs_operation *op)
{
    return &network->nodes[op->node];
}

static double weight_count(const rs_network *network, const rs_operation *op)
{
    int weight = node_of(network, op)->weight;
    return weight < 0 ? 0.0 : (double)network->parameters[weight].count;
}

/* --- arithmetic ------------------------------------------------------------------------------------------- */

static bool passes(const rs_operation *op, int k)
{
    return op->pass[k] != RS_PASS_NONE;
}

/* Every row of the first meets every column of the second; backward, for each factor that has a gradient. */
static double matrix_flops(const rs_network *network, const rs_operation *op, rs_cost_pass pass,
                           int64_t count)
{
    const int64_t *a = network->nodes[op->input[0]].shape, *out = network->nodes[op->output].shape;
    double once = 2.0 * (double)(out[0] * out[1] * out[2] * a[2] * count);
    int products = pass == RS_COST_FORWARD    ? 1
                   : pass == RS_COST_BACKWARD ? (passes(op, 0) ? 1 : 0) + (passes(op, 1) ? 1 : 0)
                                              : 0;
    return once * products;
}

/* Every weight meets every output position once, in each pass. The backward pass of a linear layer is two. */
double rs_cost_flops(const rs_network *network, const rs_operation *op, rs_cost_pass pass, int64_t count)
{
    const rs_node *node = node_of(network, op);
    bool linear = node->kind == RS_OP_LINEAR;
    bool both = linear && pass == RS_COST_BACKWARD && op->pass[0] != RS_PASS_NONE;
    if (node->kind == RS_OP_MATRIX_PRODUCT) {
        return matrix_flops(network, op, pass, count);
    }
    if (node->kind != RS_OP_CONVOLUTION && !linear) {
        return 0.0;
    }
    return (both ? 4.0 : 2.0) * weight_count(network, op) * (double)(node->shape[1] * node->shape[2] * count);
}

/* --- bytes ------------------------------------------------------------------------------------------------ */

static double positions_of(const rs_costs *c, int node)
{
    const int64_t *shape = c->network->nodes[node].shape;
    return (double)(c->count * shape[1] * shape[2]);
}

static double tensor_bytes(const rs_costs *c, int node)
{
    int64_t channels = node == 0 ? c->input_stride : c->network->nodes[node].shape[0];
    return positions_of(c, node) * (double)channels * sizeof(float);
}

/* A gradient is read before it is written where others wrote first, unless the sum is left to its reader. */
static double passed_bytes(const rs_costs *c, const rs_operation *op)
{
    double bytes = 0.0;
    for (int k = 0; k < op->input_count; k++) {
        bool added = op->pass[k] == RS_PASS_ADD && !op->defers;
        double times = op->pass[k] == RS_PASS_NONE ? 0.0 : added ? 2.0 : 1.0;
        bytes += times * tensor_bytes(c, op->input[k]);
    }
    return bytes;
}

/* Whether a convolution leaves its part of the gradient of that node to the reader. */
static bool has_addend(const rs_costs *c, int node)
{
    for (int i = 0; i < c->operations->count; i++) {
        const rs_operation *op = &c->operations->list[i];
        if (op->defers && op->input[0] == node) {
            return true;
        }
    }
    return false;
}

/* A join's ReLU keeps a bit an element, in words of 32 neighbouring channels. */
static double mask_bytes(const rs_costs *c, const rs_operation *op)
{
    int64_t words = (c->network->nodes[op->output].shape[0] + 31) / 32;
    bool kept = op->joined && op->relu;
    return kept ? positions_of(c, op->output) * (double)words * sizeof(uint32_t) : 0.0;
}

/* Forward the statistics, then the values; backward the parameters' gradients, then the inputs'. Again: the values. */
static double norm_bytes(const rs_costs *c, const rs_operation *op, rs_cost_pass pass)
{
    double one = tensor_bytes(c, op->output), mask = mask_bytes(c, op), passed = passed_bytes(c, op);
    double joined = op->joined ? one : 0.0, addend = has_addend(c, op->output) ? one : 0.0;
    if (pass != RS_COST_BACKWARD) {
        return (pass == RS_COST_FORWARD ? 3.0 : 2.0) * one + joined + mask;
    }
    return (passed > 0.0 ? 2.0 : 1.0) * (2.0 * one + addend + mask) + passed;
}

/* Convolutions and linear layers; `out` is read and written once more where a bias is added, and read for its gradient. */
static double product_bytes(const rs_costs *c, const rs_operation *op, rs_cost_pass pass)
{
    double in = tensor_bytes(c, op->input[0]), out = tensor_bytes(c, op->output);
    double weights = weight_count(c->network, op) * sizeof(float), passed = passed_bytes(c, op);
    double bias = node_of(c->network, op)->bias >= 0 ? out : 0.0;
    double data = passed > 0.0 ? out + weights + passed : 0.0;
    switch (pass) {
    case RS_COST_FORWARD:
        return in + weights + out + 2.0 * bias;
    case RS_COST_WEIGHTS:
        return in + out + weights + bias + (node_of(c->network, op)->kind == RS_OP_LINEAR ? data : 0.0);
    default:
        return node_of(c->network, op)->kind == RS_OP_LINEAR ? 0.0 : data;
    }
}

/* Of two factors: each gradient is made from the other one. */
static double factor_bytes(const rs_costs *c, const rs_operation *op, double out)
{
    double first = passes(op, 1) ? tensor_bytes(c, op->input[0]) : 0.0;
    double second = passes(op, 0) ? tensor_bytes(c, op->input[1]) : 0.0;
    return first + second + (passes(op, 0) && passes(op, 1) ? out : 0.0);
}

/* What else backward reads beside the gradient of the output, once. */
static double kept_bytes(const rs_costs *c, const rs_operation *op)
{
    double in = tensor_bytes(c, op->input[0]), out = tensor_bytes(c, op->output);
    switch (node_of(c->network, op)->kind) {
    case RS_OP_RELU:
    case RS_OP_SIGMOID:
    case RS_OP_TANH:
    case RS_OP_SOFTMAX:
        return out;
    case RS_OP_SOFTPLUS:
    case RS_OP_ROW_NORMALIZE:
    case RS_OP_MEAN_SQUARED_ERROR: /* the targets */
        return in;
    case RS_OP_DIVIDE: /* the divisor; and the dividend for its gradient */
        return in + (passes(op, 1) ? in : 0.0);
    case RS_OP_MATRIX_PRODUCT:
        return factor_bytes(c, op, out);
    case RS_OP_ADD: /* the gradient again, for the second input */
        return passes(op, 0) && passes(op, 1) ? out : 0.0;
    case RS_OP_MAX_POOL: /* a byte for each choice */
        return out / sizeof(float);
    default:
        return 0.0;
    }
}

/* The loss is a number for each sample: only its scores count, and their gradient. */
static double other_bytes(const rs_costs *c, const rs_operation *op, rs_cost_pass pass)
{
    rs_op_kind kind = node_of(c->network, op)->kind;
    bool loss = rs_op_is_loss(kind), kept = kind == RS_OP_MAX_POOL || kind == RS_OP_MEAN_SQUARED_ERROR;
    double in = 0.0, out = loss ? 0.0 : tensor_bytes(c, op->output), passed = passed_bytes(c, op);
    for (int k = 0; k < op->input_count; k++) {
        in += tensor_bytes(c, op->input[k]);
    }
    if (pass == RS_COST_FORWARD) {
        return in + out + (kept ? kept_bytes(c, op) : 0.0);
    }
    return pass == RS_COST_BACKWARD && passed > 0.0 ? (loss ? in : out) + kept_bytes(c, op) + passed : 0.0;
}

double rs_cost_bytes(const rs_costs *costs, const rs_operation *op, rs_cost_pass pass)
{
    switch (node_of(costs->network, op)->kind) {
    case RS_OP_BATCH_NORM:
        return norm_bytes(costs, op, pass);
    case RS_OP_CONVOLUTION:
    case RS_OP_LINEAR:
        return product_bytes(costs, op, pass);
    default:
        return other_bytes(costs, op, pass);
    }
}

bool rs_cost_runs(const rs_network *network, const rs_operation *op, rs_cost_pass pass)
{
    bool convolution = node_of(network, op)->kind == RS_OP_CONVOLUTION;
    return pass == RS_COST_FORWARD || (pass == RS_COST_BACKWARD && op->needed) ||
           (pass == RS_COST_DATA && convolution && op->needed && op->pass[0] != RS_PASS_NONE);
}

double rs_cost_batch_bytes(const rs_costs *costs)
{
    return positions_of(costs, 0) * (double)costs->network->nodes[0].shape[0] + tensor_bytes(costs, 0);
}

/* --- update ----------------------------------------------------------------------------------------------- */

/* Value and moments are read and written, the gradient and the initial value read; a sum is doubles, read and written. */
double rs_cost_update_bytes(const rs_cost_update *update)
{
    int arrays = 3 + 2 * update->moments + (update->initial ? 1 : 0) + (update->gradient_sum ? 4 : 0) +
                 (update->clips ? 1 : 0);
    return (double)update->elements * arrays * (double)sizeof(float);
}

int64_t rs_cost_elements(const rs_network *network, int64_t input_stride)
{
    int64_t elements = 0;
    for (int i = 0; i < network->parameter_count; i++) {
        const rs_parameter *p = &network->parameters[i];
        const rs_node *node = &network->nodes[p->node];
        bool padded = p->role == RS_ROLE_WEIGHT && node->kind == RS_OP_CONVOLUTION && node->input[0] == 0;
        int64_t own = padded ? p->count / network->nodes[0].shape[0] * input_stride : p->count;
        elements += (own + 15) / 16 * 16;
    }
    return elements;
}

/* --- names ------------------------------------------------------------------------------------------------ */

const char *rs_cost_operation_name(const rs_network *network, const rs_operation *op)
{
    rs_op_kind kind = node_of(network, op)->kind;
    if (kind == RS_OP_BATCH_NORM && op->relu) {
        return op->joined ? "batch_norm + add + relu" : "batch_norm + relu";
    }
    if (kind == RS_OP_CONVOLUTION && op->pool > 0) {
        return op->relu ? "convolution + max_pool + relu" : "convolution + max_pool";
    }
    if (kind == RS_OP_MAX_POOL && op->relu) {
        return "max_pool + relu";
    }
    return rs_op_name(kind);
}

const char *rs_cost_pass_name(const rs_network *network, const rs_operation *op, rs_cost_pass pass)
{
    static const char *const names[2][RS_COST_PASSES] = {{"forward", "backward", "again"},
                                                         {"forward", "weights", "data"}};
    return names[node_of(network, op)->kind == RS_OP_CONVOLUTION ? 1 : 0][pass];
}
