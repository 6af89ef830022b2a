/* fuse.c: from nodes to operations.
 *
 *     x -> batch_norm -> relu            one pass instead of two
 *     x -> batch_norm -> add -> relu     one instead of three; the other summand is read in that pass
 *                 other /
 *
 * where batch norm and add have no other consumer. The operation stands at the place of the ReLU, where both
 * summands exist, and writes only the ReLU's output. */
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
        return &rs__op_loss;
    default:
        return NULL;
    }
}

/* How many edges leave each node, and one node that they lead to. */
typedef struct consumers {
    int *count, *any;
} consumers;

static rs_status count_consumers(const rs_network *network, consumers *c, rs_error *error)
{
    c->count = rs_alloc_array((size_t)network->node_count, sizeof(int));
    c->any = rs_alloc_array((size_t)network->node_count, sizeof(int));
    if (!c->count || !c->any) {
        return RS_FAIL(error, RS_MEMORY, "no memory to plan %d nodes", network->node_count);
    }
    for (int i = 1; i < network->node_count; i++) {
        for (int k = 0; k < rs_op_inputs(network->nodes[i].kind); k++) {
            c->count[network->nodes[i].input[k]]++;
            c->any[network->nodes[i].input[k]] = i;
        }
    }
    return RS_OK;
}

/* The only consumer of a node if it is of that kind, else -1. */
static int sole_consumer(const rs_network *network, const consumers *c, int node, rs_op_kind kind)
{
    return c->count[node] == 1 && network->nodes[c->any[node]].kind == kind ? c->any[node] : -1;
}

/* Takes what follows a batch norm into its operation. `taken` marks nodes that have no operation of their
 * own. */
static void fuse_norm(rs_plan *plan, const consumers *c, rs__op *op, bool *taken)
{
    const rs_network *network = plan->network;
    int relu = sole_consumer(network, c, op->node, RS_OP_RELU);
    int add = sole_consumer(network, c, op->node, RS_OP_ADD);
    if (relu < 0 && add >= 0 && !taken[add]) {
        relu = sole_consumer(network, c, add, RS_OP_RELU);
        if (relu < 0) {
            return;
        }
        const int *summands = network->nodes[add].input;
        op->input[1] = summands[0] == op->node ? summands[1] : summands[0];
        op->input_count = 2;
        op->joined = true;
        taken[add] = true;
        plan->tensors[add].exists = false;
    }
    if (relu >= 0) {
        op->relu = true;
        op->output = relu;
        taken[relu] = true;
        plan->tensors[op->node].exists = false;
    }
}

/* Of two batch norms that meet in an add the later one is fused: the other must be a tensor by then. */
static void make_ops(rs_plan *plan, const consumers *c, bool *taken)
{
    const rs_network *network = plan->network;
    for (int i = network->node_count - 1; i > 0; i--) {
        const rs_node *node = &network->nodes[i];
        rs__op *op = &plan->ops[i];
        *op = (rs__op){.kind = class_of(node->kind),
                       .node = i,
                       .output = i,
                       .input_count = rs_op_inputs(node->kind),
                       .input = {node->input[0], node->input[1]}};
        if (node->kind == RS_OP_BATCH_NORM) {
            fuse_norm(plan, c, op, taken);
        }
    }
}

/* Puts the operations in the order of their outputs and drops nodes that were taken in. */
static void order_ops(rs_plan *plan, const bool *taken, int *place)
{
    int nodes = plan->network->node_count;
    for (int i = 0; i < nodes; i++) {
        place[i] = -1;
    }
    for (int i = 1; i < nodes; i++) {
        if (!taken[i]) {
            place[plan->ops[i].output] = i;
        }
    }
    rs__op *all = plan->ops + nodes; /* the second half of the allocation */
    plan->op_count = 0;
    for (int i = 1; i < nodes; i++) {
        if (place[i] >= 0) {
            all[plan->op_count++] = plan->ops[place[i]];
        }
    }
    for (int i = 0; i < plan->op_count; i++) {
        plan->ops[i] = all[i];
    }
}

/* A convolution that is the last to add to the gradient of a join's output leaves the sum to the join. Not where
 * every gradient is to be readable. */
static void find_deferred(rs_plan *plan)
{
    for (int i = 0; i < plan->op_count && !plan->options.keep_all; i++) {
        const rs__op *join = &plan->ops[i];
        bool found = !(join->joined && join->relu && join->needed);
        /* The first consumer is the last backwards. */
        for (int k = i + 1; k < plan->op_count && !found; k++) {
            rs__op *op = &plan->ops[k];
            found = op->needed &&
                    (op->input[0] == join->output || (op->input_count > 1 && op->input[1] == join->output));
            if (found && op->kind == &rs__op_convolution && op->pass[0] == RS_PASS_ADD) {
                op->defers = true;
            }
        }
    }
}

/* Who sets and who adds, in the order in which operations run backwards (the last input of one first). */
static void find_passes(rs_plan *plan, bool *set)
{
    for (int i = plan->op_count - 1; i >= 0 && plan->options.training; i--) {
        rs__op *op = &plan->ops[i];
        op->needed = plan->backward.needed[op->output];
        for (int k = op->input_count - 1; k >= 0 && op->needed; k--) {
            int input = op->input[k];
            if (plan->backward.needed[input]) {
                op->pass[k] = set[input] ? RS_PASS_ADD : RS_PASS_SET;
                set[input] = true;
            }
        }
    }
}

rs_status rs__plan_fuse(rs_plan *plan, rs_error *error)
{
    size_t nodes = (size_t)plan->network->node_count;
    consumers c = {0};
    rs_status status = count_consumers(plan->network, &c, error);
    bool *taken = rs_alloc_array(2 * nodes, sizeof(bool));
    int *place = rs_alloc_array(nodes, sizeof(int));
    plan->ops = rs_alloc_array(2 * nodes, sizeof(rs__op));
    if (status == RS_OK && (!taken || !place || !plan->ops)) {
        status = RS_FAIL(error, RS_MEMORY, "no memory to plan %zu nodes", nodes);
    }
    if (status == RS_OK) {
        make_ops(plan, &c, taken);
        order_ops(plan, taken, place);
        find_passes(plan, taken + nodes);
        find_deferred(plan);
    }
    rs_free(c.count);
    rs_free(c.any);
    rs_free(taken);
    rs_free(place);
    return status;
}
