/* chains.c: a max pool takes in the ReLU before or behind it, a small convolution the max pool behind it, and a linear layer
 * the flatten before it:
 *
 *     convolution -> relu -> max_pool        one operation; what lies between its parts never leaves the cache
 *     convolution -> max_pool -> relu
 *     flatten -> linear                  where the flatten moves nothing (rs__flatten_moves)
 *
 * where no other consumer, no objective and no cut edge is in between. A ReLU and a maximum can change places: the largest
 * of a window passes it or none does, and the first of the largest gets the gradient either way. */
#include "objectives.h"
#include "plan.h"

int rs__reader_of(const rs_network *network, int node)
{
    int reader = -1, count = 0;
    for (int i = node + 1; i < network->node_count; i++) {
        for (int k = 0; k < rs_op_inputs(network->nodes[i].kind); k++) {
            if (network->nodes[i].input[k] == node) {
                reader = i;
                count++;
            }
        }
    }
    return count == 1 ? reader : -1;
}

static rs_op_kind kind_of(const rs_plan *plan, const rs_operation *op)
{
    return plan->network->nodes[op->node].kind;
}

/* Whether b can take the place of a's output. */
static bool follows(const rs_plan *plan, const rs_operation *a, const rs_operation *b)
{
    return b->input_count == 1 && b->input[0] == a->output && rs__reader_of(plan->network, a->output) >= 0 &&
           !rs_has_objective(&plan->options, a->output) && !rs_is_cut(&plan->options, b->node, 0);
}

/* Makes one operation of two, if they are such. */
typedef bool joiner(const rs_plan *plan, const rs_operation *a, const rs_operation *b, rs_operation *joined);

static bool join_relu(const rs_plan *plan, const rs_operation *a, const rs_operation *b, rs_operation *joined)
{
    const bool before = kind_of(plan, a) == RS_OP_RELU && kind_of(plan, b) == RS_OP_MAX_POOL;
    const bool behind = kind_of(plan, a) == RS_OP_MAX_POOL && kind_of(plan, b) == RS_OP_RELU;
    if (!(before || behind) || a->relu || b->relu || !follows(plan, a, b)) {
        return false;
    }
    *joined = *a;
    joined->node = before ? b->node : a->node;
    joined->output = b->output;
    joined->needed = b->needed;
    joined->relu = true;
    return true;
}

static bool join_pool(const rs_plan *plan, const rs_operation *a, const rs_operation *b, rs_operation *joined)
{
    if (kind_of(plan, a) != RS_OP_CONVOLUTION || kind_of(plan, b) != RS_OP_MAX_POOL || a->pool != 0 ||
        !follows(plan, a, b) || !rs__is_small_convolution(plan, a->node)) {
        return false;
    }
    *joined = *a;
    joined->output = b->output;
    joined->needed = b->needed;
    joined->relu = b->relu;
    joined->pool = b->node;
    return true;
}

/* A gradient that is added to what others wrote would be rounded otherwise by the product than by the flatten. */
static bool join_flatten(const rs_plan *plan, const rs_operation *a, const rs_operation *b,
                         rs_operation *joined)
{
    if (kind_of(plan, a) != RS_OP_FLATTEN || kind_of(plan, b) != RS_OP_LINEAR || a->pass[0] == RS_PASS_ADD ||
        rs__flatten_moves(plan, a->node) || !follows(plan, a, b)) {
        return false;
    }
    *joined = *b;
    joined->input[0] = a->input[0];
    joined->pass[0] = a->pass[0];
    return true;
}

static void join_neighbours(rs_plan *plan, joiner *join)
{
    rs_operations *all = &plan->operations;
    int kept = 0;
    for (int i = 0; i < all->count; i++) {
        rs_operation joined;
        if (kept > 0 && join(plan, &all->list[kept - 1], &all->list[i], &joined)) {
            all->hidden[all->list[kept - 1].output] = true;
            all->list[kept - 1] = joined;
        } else {
            all->list[kept++] = all->list[i];
        }
    }
    all->count = kept;
}

void rs__join_chains(rs_plan *plan)
{
    if (!plan->options.keep_all) {
        join_neighbours(plan, join_relu);
        join_neighbours(plan, join_pool);
        join_neighbours(plan, join_flatten);
    }
}
