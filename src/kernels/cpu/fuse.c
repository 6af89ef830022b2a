/* fuse.c: what each operation of common/operations.h is here. */
#include "plan.h"

static const rs__op_class *class_of(rs_op_kind kind)
{
    switch (kind) {
    case RS_OP_CONVOLUTION:
        return &rs__op_convolution;
    case RS_OP_BATCH_NORM:
        return &rs__op_batch_norm;
    case RS_OP_RELU:
        return &rs__op_relu;
    case RS_OP_SOFTPLUS:
        return &rs__op_softplus;
    case RS_OP_SIGMOID:
        return &rs__op_sigmoid;
    case RS_OP_TANH:
        return &rs__op_tanh;
    case RS_OP_SOFTMAX:
        return &rs__op_softmax;
    case RS_OP_ROW_NORMALIZE:
        return &rs__op_row_normalize;
    case RS_OP_FLATTEN:
        return &rs__op_flatten;
    case RS_OP_REPEAT:
        return &rs__op_repeat;
    case RS_OP_DIVIDE:
        return &rs__op_divide;
    case RS_OP_MATRIX_PRODUCT:
        return &rs__op_matrix_product;
    case RS_OP_DROPOUT:
        return &rs__op_dropout;
    case RS_OP_ADD:
        return &rs__op_add;
    case RS_OP_MAX_POOL:
        return &rs__op_max_pool;
    case RS_OP_AVERAGE_POOL:
        return &rs__op_average_pool;
    case RS_OP_GLOBAL_AVERAGE_POOL:
        return &rs__op_global_pool;
    case RS_OP_LINEAR:
        return &rs__op_linear;
    case RS_OP_SOFTMAX_CROSS_ENTROPY:
    case RS_OP_KL_DIVERGENCE:
        return &rs__op_loss;
    case RS_OP_MEAN_SQUARED_ERROR:
        return &rs__op_mean_squared_error;
    default:
        return NULL;
    }
}

static const rs__op_class *class_of_node(const rs_plan *plan, int node)
{
    rs_op_kind kind = plan->network->nodes[node].kind;
    if (kind == RS_OP_LINEAR && rs__is_small_linear(plan->device, plan->network, node)) {
        return &rs__op_small_linear;
    }
    if (rs__is_grey_convolution(plan, node)) {
        return &rs__op_grey_convolution;
    }
    return rs__is_small_convolution(plan, node) ? &rs__op_small_convolution : class_of(kind);
}

static void take_over(const rs_plan *plan, const rs_operation *from, rs__op *to)
{
    *to = (rs__op){.kind = class_of_node(plan, from->node),
                   .node = from->node,
                   .output = from->output,
                   .input_count = from->input_count,
                   .input = {from->input[0], from->input[1]},
                   .pass = {from->pass[0], from->pass[1]},
                   .needed = from->needed,
                   .relu = from->relu,
                   .joined = from->joined,
                   .pool = from->pool,
                   .defers = from->defers};
}

/* 16; of convolutions one for each 8 samples, up to 64: as many threads have work. */
static int groups_of(const rs_plan *plan)
{
    enum { FEWEST = 16, MOST = 64, SAMPLES = 8 };
    int64_t wanted = 0;
    for (int i = 0; i < plan->op_count; i++) {
        if (plan->ops[i].kind == &rs__op_small_convolution) {
            wanted = rs__largest_batch(plan) / SAMPLES;
        }
    }
    return wanted < FEWEST ? FEWEST : wanted > MOST ? MOST : (int)wanted;
}

rs_status rs__plan_fuse(rs_plan *plan, rs_error *error)
{
    const rs_network *network = plan->network;
    RS_TRY(rs_operations_make(network, &plan->options, plan->options.training ? &plan->backward : NULL,
                              &plan->operations, error));
    rs__join_chains(plan);
    plan->ops = rs_alloc_array((size_t)plan->operations.count, sizeof(rs__op));
    if (!plan->ops) {
        return RS_FAIL(error, RS_MEMORY, "no memory to plan %d operations", plan->operations.count);
    }
    plan->op_count = plan->operations.count;
    for (int i = 0; i < plan->op_count; i++) {
        take_over(plan, &plan->operations.list[i], &plan->ops[i]);
        if (!plan->ops[i].kind) {
            const rs_node *node = &network->nodes[plan->ops[i].node];
            return RS_FAIL(error, RS_UNSUPPORTED, "%s: no %s here", node->name, rs_op_name(node->kind));
        }
    }
    plan->groups = groups_of(plan);
    for (int i = 0; i < network->node_count; i++) {
        plan->tensors[i].exists = plan->tensors[i].exists && !plan->operations.hidden[i];
    }
    return RS_OK;
}
