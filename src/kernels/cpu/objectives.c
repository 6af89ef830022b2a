/* objectives.c: layers' own objectives: measured when their operation has run, their gradients added before it runs
 * backwards. Work is cut into a fixed number of pieces, whose sums are joined in order. */
#include "plan.h"

enum { PIECES = 64 };

/* Sums of one piece: of y and of (y - target)^2. */
typedef struct piece {
    double sums[2];
    char apart[48]; /* pieces of two threads share no cache line */
} piece;

static int64_t planes_of(const rs_plan *plan, const rs__tensor *t)
{
    return plan->count * t->blocks;
}

static int64_t elements_of(const rs_plan *plan, const rs__tensor *t)
{
    return plan->count * t->channels * t->height * t->width;
}

static rs__distance distance_of(const rs_plan *plan, const rs__tensor *t, const rs_objective *objective)
{
    return (rs__distance){.channels = t->channels,
                          .blocks = t->blocks,
                          .positions = t->height * t->width,
                          .target = objective->target,
                          .factor = rs_objective_factor(objective, elements_of(plan, t))};
}

static rs_layer_value measure(const rs_plan *plan, const rs__tensor *t, const rs_objective *objective)
{
    const rs__distance distance = distance_of(plan, t, objective);
    piece pieces[PIECES] = {0};
    int64_t planes = planes_of(plan, t);
#pragma omp parallel for schedule(static) if (rs__worth_threads(planes * distance.positions * 4))
    for (int64_t i = 0; i < PIECES; i++) {
        plan->device->kernels->distance_sums(&distance, planes * i / PIECES, planes * (i + 1) / PIECES,
                                             t->value, pieces[i].sums);
    }
    double sum = 0.0, square = 0.0, count = (double)elements_of(plan, t);
    for (int i = 0; i < PIECES; i++) {
        sum += pieces[i].sums[0];
        square += pieces[i].sums[1];
    }
    return (rs_layer_value){.loss = square / count, .mean = sum / count};
}

void rs__objectives_measure(rs_plan *plan, const rs__op *op)
{
    for (int i = 0; i < plan->options.objective_count; i++) {
        if (plan->options.objectives[i].node == op->output && plan->tensors[op->output].exists) {
            plan->layers[i] = measure(plan, &plan->tensors[op->output], &plan->options.objectives[i]);
        }
    }
}

void rs__objectives_backward(const rs_plan *plan, const rs__op *op, int64_t first, int64_t last)
{
    const rs__tensor *t = &plan->tensors[op->output];
    rs_pass pass = t->exists ? plan->backward.source[op->output] : RS_PASS_NONE;
    for (int i = 0; pass != RS_PASS_NONE && i < plan->options.objective_count; i++) {
        const rs_objective *objective = &plan->options.objectives[i];
        if (objective->node == op->output && objective->weight != 0.0) {
            const rs__distance distance = distance_of(plan, t, objective);
            plan->device->kernels->distance_backward(&distance, first * t->blocks, last * t->blocks, t->again,
                                                     t->gradient, pass);
            pass = RS_PASS_ADD;
        }
    }
}

rs_status rs__cpu_read_layers(rs_plan *plan, double *losses, double *means, rs_error *error)
{
    if (!plan->ran_forward) {
        return RS_FAIL(error, RS_USAGE, "there are no layers to read: no forward pass ran");
    }
    rs_layers_copy(plan->layers, plan->options.objective_count, losses, means);
    return RS_OK;
}
