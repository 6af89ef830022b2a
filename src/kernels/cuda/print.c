/* print.c: the plan as text, one line per node. */
#include "plan.h"

static const rs__op *op_of(const rs_plan *plan, int node)
{
    for (int i = 0; i < plan->op_count; i++) {
        if (plan->ops[i].is.node == node) {
            return &plan->ops[i];
        }
    }
    return NULL;
}

static void print_node(const rs_plan *plan, int node, FILE *stream)
{
    const rs__tensor *t = &plan->tensors[node];
    const rs__op *op = op_of(plan, node);
    char algorithm[160] = "", columns[192], layout[16] = "-";
    rs_node_describe(plan->network, node, columns, sizeof columns);
    if (t->exists && t->stride > t->channels) {
        (void)snprintf(layout, sizeof layout, "nhwc%d", (int)t->stride);
    } else if (t->exists) {
        (void)snprintf(layout, sizeof layout, "nhwc");
    }
    if (op && op->kind->describe) {
        op->kind->describe(op, algorithm, sizeof algorithm);
    } else if (op) {
        (void)snprintf(algorithm, sizeof algorithm, "own kernel");
    } else if (node > 0) {
        (void)snprintf(algorithm, sizeof algorithm, "fused");
    }
    (void)fprintf(stream, "%s  %-8s reorders 0  %s\n", columns, layout, algorithm);
}

void rs__cuda_plan_print(const rs_plan *plan, FILE *stream)
{
    for (int i = 0; i < plan->network->node_count; i++) {
        print_node(plan, i, stream);
    }
    (void)fprintf(stream, "%d operations, no reorders, %d outputs computed again; steps as CUDA graphs: %s\n",
                  plan->op_count, plan->lives.again_count, plan->graphs_on ? "yes" : "no");
}
