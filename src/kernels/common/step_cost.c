/* step_cost.c: see rs/step_cost.h. */
#include "rs/step_cost.h"

#include <inttypes.h>

#include "cost.h"
#include "rs/host.h"
#include "update.h"

static rs_status check(const rs_network *network, const rs_plan_options *options, int64_t input_stride,
                       rs_error *error)
{
    if (options->batch_size_count < 1 || options->batch_sizes[0] < 1) {
        return RS_FAIL(error, RS_USAGE, "a step has at least one sample");
    }
    if (input_stride < network->nodes[0].shape[0]) {
        return RS_FAIL(error, RS_USAGE, "images of %" PRId64 " channels do not fit in %" PRId64 " floats",
                       network->nodes[0].shape[0], input_stride);
    }
    return RS_OK;
}

static rs_profile_row row_of(const rs_costs *costs, const rs_operation *op, rs_cost_pass pass)
{
    bool runs = rs_cost_runs(costs->network, op, pass);
    return (rs_profile_row){.node = costs->network->nodes[op->node].name,
                            .operation = rs_cost_operation_name(costs->network, op),
                            .pass = rs_cost_pass_name(costs->network, op, pass),
                            .calls = runs ? 1 : 0,
                            .flops = runs ? rs_cost_flops(costs->network, op, pass, costs->count) : 0.0,
                            .bytes = runs ? rs_cost_bytes(costs, op, pass) : 0.0};
}

static rs_profile_row update_row(const rs_costs *costs, const rs_plan_options *options)
{
    const rs_cost_update update = {.elements = rs_cost_elements(costs->network, costs->input_stride),
                                   .moments =
                                       rs_rule_moments(rs_rule_of(options->optimizer, options->momentum)),
                                   .initial = options->keep_initial,
                                   .gradient_sum = options->sum_gradients};
    return (rs_profile_row){.node = "",
                            .operation = "update",
                            .pass = "",
                            .calls = options->training ? 1 : 0,
                            .bytes = options->training ? rs_cost_update_bytes(&update) : 0.0};
}

static rs_status make_rows(const rs_costs *costs, const rs_plan_options *options, rs_profile_row **rows,
                           int *count, rs_error *error)
{
    const rs_operations *operations = costs->operations;
    *count = 0;
    *rows = rs_alloc_array((size_t)operations->count * RS_COST_PASSES + 2, sizeof **rows);
    if (!*rows) {
        return RS_FAIL(error, RS_MEMORY, "no memory for the costs of %d operations", operations->count);
    }
    (*rows)[(*count)++] = (rs_profile_row){
        .node = "", .operation = "batch", .pass = "", .calls = 1, .bytes = rs_cost_batch_bytes(costs)};
    for (int i = 0; i < operations->count; i++) {
        for (int pass = 0; pass < RS_COST_PASSES; pass++) {
            (*rows)[(*count)++] = row_of(costs, &operations->list[i], (rs_cost_pass)pass);
        }
    }
    (*rows)[(*count)++] = update_row(costs, options);
    return RS_OK;
}

rs_status rs_step_cost(const rs_network *network, const rs_plan_options *options, int64_t input_stride,
                       rs_profile_row **rows, int *count, rs_error *error)
{
    rs_backward backward = {0};
    rs_operations operations = {0};
    RS_TRY(check(network, options, input_stride, error));
    RS_TRY(rs_backward_analyze(network, options, &backward, error));
    rs_status status =
        rs_operations_make(network, options, options->training ? &backward : NULL, &operations, error);
    if (status == RS_OK) {
        const rs_costs costs = {.network = network,
                                .operations = &operations,
                                .count = options->batch_sizes[0],
                                .input_stride = input_stride};
        status = make_rows(&costs, options, rows, count, error);
    }
    rs_operations_release(&operations);
    rs_backward_release(&backward);
    return status;
}
