/* operations.c: see operations.h. */
#include "operations.h"

#include "objectives.h"
#include "rs/host.h"

/* How many edges leave each node, and one node that they lead to. */
typedef struct consumers {
    int *count, *any;
} consumers;

/* What is used while operations are made. */
typedef struct making {
    const rs_network *network;
    const rs_plan_options *options;
    consumers consumers;
    rs_operation *at; /* [node] the operation that the node is */
    bool *taken;      /* [node] has no operation of its own */
    bool *set;        /* [node] something before it has set its gradient */
    int *writer;      /* [node] whose operation writes its output; -1: none */
    rs_operations *made;
} making;

static void count_consumers(making *m)
{
    const rs_network *network = m->network;
    for (int i = 1; i < network->node_count; i++) {
        for (int k = 0; k < rs_op_inputs(network->nodes[i].kind); k++) {
            m->consumers.count[network->nodes[i].input[k]]++;
            m->consumers.any[network->nodes[i].input[k]] = i;
        }
    }
}

/* The only consumer of a node if it is of that kind and gradients come back from it, else -1. */
static int sole_consumer(const making *m, int node, rs_op_kind kind)
{
    const consumers *c = &m->consumers;
    const rs_node *by = &m->network->nodes[c->any[node]];
    if (c->count[node] != 1 || by->kind != kind) {
        return -1;
    }
    return rs_is_cut(m->options, c->any[node], by->input[0] == node ? 0 : 1) ? -1 : c->any[node];
}

/* Takes what follows a batch norm into its operation. */
static void fuse_norm(making *m, rs_operation *op)
{
    int relu = sole_consumer(m, op->node, RS_OP_RELU);
    int add = sole_consumer(m, op->node, RS_OP_ADD);
    if (relu < 0 && add >= 0 && !m->taken[add] && !rs_has_objective(m->options, add)) {
        relu = sole_consumer(m, add, RS_OP_RELU);
        if (relu < 0) {
            return;
        }
        const int *summands = m->network->nodes[add].input;
        op->input[1] = summands[0] == op->node ? summands[1] : summands[0];
        op->input_count = 2;
        op->joined = true;
        m->taken[add] = m->made->hidden[add] = true;
    }
    if (relu >= 0) {
        op->relu = true;
        op->output = relu;
        m->taken[relu] = m->made->hidden[op->node] = true;
    }
}

/* Of two batch norms that meet in an add the later one is fused: the other must be a tensor by then. */
static void make_each(making *m)
{
    for (int i = m->network->node_count - 1; i > 0; i--) {
        const rs_node *node = &m->network->nodes[i];
        m->at[i] = (rs_operation){.node = i,
                                  .output = i,
                                  .input_count = rs_op_inputs(node->kind),
                                  .input = {node->input[0], node->input[1]}};
        if (node->kind == RS_OP_BATCH_NORM && !rs_has_objective(m->options, i)) {
            fuse_norm(m, &m->at[i]);
        }
    }
}

/* Puts the operations in the order of their outputs and drops nodes that were taken in. */
static void put_in_order(making *m)
{
    int nodes = m->network->node_count;
    for (int i = 0; i < nodes; i++) {
        m->writer[i] = -1;
    }
    for (int i = 1; i < nodes; i++) {
        if (!m->taken[i]) {
            m->writer[m->at[i].output] = i;
        }
    }
    for (int i = 1; i < nodes; i++) {
        if (m->writer[i] >= 0) {
            m->made->list[m->made->count++] = m->at[m->writer[i]];
        }
    }
}

/* Whether the gradient crosses to an operation's input number k: of a join's second, over the add's edge. */
static bool crosses(const making *m, const rs_operation *op, int k)
{
    if (!op->joined || k == 0) {
        return !rs_is_cut(m->options, op->node, k);
    }
    int add = m->network->nodes[op->output].input[0];
    return !rs_is_cut(m->options, add, m->network->nodes[add].input[0] == op->node ? 1 : 0);
}

/* Who sets and who adds, in the order in which operations run backwards (the last input of one first). */
static void find_passes(making *m, const rs_backward *backward)
{
    for (int i = m->made->count - 1; i >= 0; i--) {
        rs_operation *op = &m->made->list[i];
        op->needed = backward->needed[op->output];
        for (int k = op->input_count - 1; k >= 0 && op->needed; k--) {
            int input = op->input[k];
            if (crosses(m, op, k) && backward->needed[input]) {
                op->pass[k] = m->set[input] ? RS_PASS_ADD : RS_PASS_SET;
                m->set[input] = true;
            }
        }
    }
}

/* Whether the node is a join's ReLU: of one operation, or of several, where an objective looks at what would be in it. */
static bool ends_join(const making *m, int node)
{
    const rs_node *relu = &m->network->nodes[node], *add = &m->network->nodes[relu->input[0]];
    bool norm = false;
    if (relu->kind != RS_OP_RELU || add->kind != RS_OP_ADD || m->consumers.count[relu->input[0]] != 1) {
        return false;
    }
    for (int k = 0; k < 2; k++) {
        int input = add->input[k];
        norm = norm || (m->network->nodes[input].kind == RS_OP_BATCH_NORM && m->consumers.count[input] == 1);
    }
    return norm;
}

/* A convolution that is the last to add to the gradient of a join's output leaves the sum to the join; where objectives
 * break the join up, too: the same sums, whatever is measured. */
static void find_deferred(const making *m)
{
    for (int i = 0; i < m->made->count; i++) {
        const rs_operation *join = &m->made->list[i];
        bool found = !(join->needed && ends_join(m, join->output));
        /* The first consumer is the last backwards. */
        for (int k = i + 1; k < m->made->count && !found; k++) {
            rs_operation *op = &m->made->list[k];
            found = op->needed &&
                    (op->input[0] == join->output || (op->input_count > 1 && op->input[1] == join->output));
            if (found && m->network->nodes[op->node].kind == RS_OP_CONVOLUTION &&
                op->pass[0] == RS_PASS_ADD) {
                op->defers = true;
            }
        }
    }
}

static bool allocate(making *m)
{
    size_t nodes = (size_t)m->network->node_count;
    m->consumers.count = rs_alloc_array(3 * nodes, sizeof(int));
    m->taken = rs_alloc_array(2 * nodes, sizeof(bool));
    m->at = rs_alloc_array(nodes, sizeof(rs_operation));
    m->made->list = rs_alloc_array(nodes, sizeof(rs_operation));
    m->made->hidden = rs_alloc_array(nodes, sizeof(bool));
    if (!m->consumers.count || !m->taken || !m->at || !m->made->list || !m->made->hidden) {
        return false;
    }
    m->consumers.any = m->consumers.count + nodes;
    m->writer = m->consumers.any + nodes;
    m->set = m->taken + nodes;
    return true;
}

rs_status rs_operations_make(const rs_network *network, const rs_plan_options *options,
                             const rs_backward *backward, rs_operations *operations, rs_error *error)
{
    making m = {.network = network, .options = options, .made = operations};
    rs_status status = RS_OK;
    *operations = (rs_operations){0};
    if (!allocate(&m)) {
        rs_operations_release(operations);
        status = RS_FAIL(error, RS_MEMORY, "no memory to plan %d nodes", network->node_count);
    } else {
        count_consumers(&m);
        make_each(&m);
        put_in_order(&m);
        if (backward) {
            find_passes(&m, backward);
        }
        if (!options->keep_all) {
            find_deferred(&m);
        }
    }
    rs_free(m.consumers.count);
    rs_free(m.taken);
    rs_free(m.at);
    return status;
}

void rs_operations_release(rs_operations *operations)
{
    rs_free(operations->list);
    rs_free(operations->hidden);
    *operations = (rs_operations){0};
}
