/* lives.c: gives common/lives.h what it must know of this backend's tensors and operations, and takes over what it
 * finds. */
#include "plan.h"

static void describe(const rs_plan *plan, rs__lives *lives)
{
    size_t samples = (size_t)rs__largest_batch(plan) * sizeof(float);
    lives->training = plan->options.training;
    lives->keep_all = plan->options.keep_all;
    lives->has_loss = plan->has_loss;
    lives->readable = rs__readable_node(plan);
    for (int i = 0; i < plan->network->node_count; i++) {
        const rs__tensor *t = &plan->tensors[i];
        rs__tensor blocked = *t; /* as gradients always are */
        blocked.plain = false;
        if (t->exists) {
            lives->tensors[i].value_bytes = samples * (size_t)rs__sample_floats(plan, t);
            lives->tensors[i].gradient_bytes = samples * (size_t)rs__sample_floats(plan, &blocked);
        }
    }
    for (int i = 0, first = 0; i < plan->op_count; i++) {
        const rs__op_class *kind = plan->ops[i].kind;
        first = plan->ops[i].segment_end > 0 ? i : first;
        lives->ops[i] =
            (rs__life_op){.repeats = kind->recompute != NULL,
                          .first_together = first,
                          .end_together = plan->ops[first].segment_end,
                          .needs_input = kind->needs_input,
                          .needs_second = kind->needs_second,
                          .needs_output = kind->needs_output ||
                                          rs_has_weighed_objective(&plan->options, plan->ops[i].output)};
    }
}

static void take_over(rs_plan *plan, const rs__lives *lives)
{
    for (int i = 0; i < plan->network->node_count; i++) {
        for (int k = 0; k < RS__SPANS; k++) {
            plan->tensors[i].spans[k] = lives->tensors[i].spans[k];
        }
    }
    for (int i = 0; i < plan->op_count; i++) {
        plan->ops[i].first_recomputed = lives->ops[i].first_again;
        plan->ops[i].end_recomputed = lives->ops[i].end_again;
    }
    for (int i = 0; i < lives->again_count; i++) {
        plan->recomputed[i] = lives->again[i];
    }
    plan->recomputed_count = lives->again_count;
    plan->activation_bytes = lives->bytes;
}

rs_status rs__plan_lives(rs_plan *plan, rs_memory_choice memory, rs_error *error)
{
    rs__lives lives = {0};
    rs_status status = rs__lives_make(&plan->operations, plan->network->node_count, &lives, error);
    if (status == RS_OK) {
        describe(plan, &lives);
        status = rs__lives_place(&lives, memory, error);
    }
    if (status == RS_OK) {
        take_over(plan, &lives);
    }
    rs__lives_release(&lives);
    return status;
}
