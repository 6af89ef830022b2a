/* print.c: the plan as text, one line per node. */
#include "plan.h"

static const rs__op *op_of(const rs_plan *plan, int node)
{
    for (int i = 0; i < plan->op_count; i++) {
        if (plan->ops[i].node == node) {
            return &plan->ops[i];
        }
    }
    return NULL;
}

static void print_node(const rs_plan *plan, int node, FILE *stream)
{
    const rs__tensor *t = &plan->tensors[node];
    const rs__op *op = op_of(plan, node);
    char algorithm[160] = "", columns[192], layout[16];
    rs_node_describe(plan->network, node, columns, sizeof columns);
    (void)snprintf(layout, sizeof layout, t->plain ? "nchw" : "nChw%dc", plan->device->kernels->lanes);
    if (op && op->kind->describe) {
        op->kind->describe(op, algorithm, sizeof algorithm);
    } else if (op) {
        (void)snprintf(algorithm, sizeof algorithm, "own kernel");
    } else if (node > 0) {
        (void)snprintf(algorithm, sizeof algorithm, "fused");
    }
    (void)fprintf(stream, "%s  %-8s reorders %d  %s\n", columns, t->exists ? layout : "-",
                  op ? op->reorders : 0, algorithm);
}

void rs__cpu_plan_print(const rs_plan *plan, FILE *stream)
{
    int reorders = 0;
    for (int i = 0; i < plan->network->node_count; i++) {
        print_node(plan, i, stream);
    }
    for (int i = 0; i < plan->op_count; i++) {
        reorders += plan->ops[i].reorders;
    }
    (void)fprintf(stream,
                  "%d operations, %d reorders per training step (weights only, unless said), %d outputs "
                  "computed again\n",
                  plan->op_count, reorders, plan->recomputed_count);
}
