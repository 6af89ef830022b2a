/* backward.c: see backward.h. Two sweeps: forwards, which tensors depend on something trainable; backwards
 * from the last node, which of these a loss reaches, and who sets or adds. */
#include "backward.h"

#include "objectives.h"
#include "rs/host.h"

bool rs_is_cut(const rs_plan_options *options, int node, int input)
{
    bool cut = false;
    for (int i = 0; i < options->cut_count; i++) {
        cut = cut || (options->cuts[i].node == node && options->cuts[i].input == input);
    }
    return cut;
}

bool rs_is_frozen(const rs_plan_options *options, int parameter)
{
    return options->frozen && options->frozen[parameter];
}

rs_mode rs_batch_norm_mode(const rs_node *node, const rs_plan_options *options, rs_mode mode)
{
    return rs_is_frozen(options, node->weight) ? RS_MODE_EVALUATE : mode;
}

static bool learns(const rs_plan_options *options, int parameter)
{
    return parameter >= 0 && !rs_is_frozen(options, parameter);
}

static void mark_dependent(const rs_network *network, const rs_plan_options *options, bool *dependent)
{
    dependent[0] = options->input_gradient;
    for (int i = 1; i < network->node_count; i++) {
        const rs_node *node = &network->nodes[i];
        dependent[i] = learns(options, node->weight) || learns(options, node->bias);
        for (int k = 0; k < rs_op_inputs(node->kind); k++) {
            dependent[i] = dependent[i] || (dependent[node->input[k]] && !rs_is_cut(options, i, k));
        }
    }
}

static void mark_reached(const rs_network *network, const rs_plan_options *options, const bool *dependent,
                         rs_backward *backward)
{
    int last = network->node_count - 1;
    backward->needed[last] = dependent[last];
    for (int i = last; i > 0; i--) {
        const rs_node *node = &network->nodes[i];
        if (dependent[i] && rs_has_weighed_objective(options, i)) {
            backward->source[i] = backward->needed[i] ? RS_PASS_ADD : RS_PASS_SET;
            backward->needed[i] = true;
        }
        if (!backward->needed[i]) {
            continue;
        }
        for (int k = 0; k < rs_op_inputs(node->kind); k++) {
            int input = node->input[k];
            if (dependent[input] && !rs_is_cut(options, i, k)) {
                backward->pass[i][k] = backward->needed[input] ? RS_PASS_ADD : RS_PASS_SET;
                backward->needed[input] = true;
            }
        }
        if (learns(options, node->weight)) {
            backward->reached[node->weight] = true;
        }
        if (learns(options, node->bias)) {
            backward->reached[node->bias] = true;
        }
    }
}

static rs_status check_cuts(const rs_network *network, const rs_plan_options *options, rs_error *error)
{
    for (int i = 0; i < options->cut_count; i++) {
        int node = options->cuts[i].node, input = options->cuts[i].input;
        if (node < 1 || node >= network->node_count || input < 0 ||
            input >= rs_op_inputs(network->nodes[node].kind)) {
            return RS_FAIL(error, RS_USAGE, "a cut before input %d of node %d: there is no such edge", input,
                           node);
        }
    }
    return RS_OK;
}

rs_status rs_backward_analyze(const rs_network *network, const rs_plan_options *options,
                              rs_backward *backward, rs_error *error)
{
    RS_TRY(check_cuts(network, options, error));
    size_t nodes = (size_t)network->node_count;
    bool *dependent = rs_alloc_array(nodes, sizeof(bool));
    *backward = (rs_backward){.needed = rs_alloc_array(nodes, sizeof(bool)),
                              .pass = rs_alloc_array(nodes, sizeof(rs_pass[2])),
                              .source = rs_alloc_array(nodes, sizeof(rs_pass)),
                              .reached = rs_alloc_array((size_t)network->parameter_count, sizeof(bool))};
    rs_status status = RS_OK;
    if (!dependent || !backward->needed || !backward->pass || !backward->source || !backward->reached) {
        rs_backward_release(backward);
        status = RS_FAIL(error, RS_MEMORY, "no memory to plan the backward pass of %zu nodes", nodes);
    } else {
        mark_dependent(network, options, dependent);
        mark_reached(network, options, dependent, backward);
    }
    rs_free(dependent);
    return status;
}

void rs_backward_release(rs_backward *backward)
{
    rs_free(backward->needed);
    rs_free(backward->pass);
    rs_free(backward->source);
    rs_free(backward->reached);
    *backward = (rs_backward){0};
}
