/* settings.c: what plans of some cases are told beside their networks; see rs/check.h. To add one: a line with the case's
 * name. */
#include <string.h>

#include "rs/check.h"

/* clang-format off */
#define ONE(...) {{__VA_ARGS__}}

static const rs_check_settings settings[] = {
    /* layers' own objectives: node, target, weight */
    {.name = "layer_of_conv",            .objectives = ONE(1, 0.3, 90.0)},
    {.name = "layer_at_the_end",         .objectives = ONE(1, -0.5, 70.0)},
    {.name = "layer_beside_the_end",     .objectives = ONE(1, 0.5, 40.0)},
    {.name = "layer_of_fused_relu",      .objectives = ONE(3, 0.5, 50.0)},
    {.name = "layers_of_bn_and_relu",    .objectives = {{2, 0.1, 60.0}, {3, 1.0, 30.0}}},
    {.name = "layer_of_joined_relu",     .objectives = ONE(7, 0.25, 80.0)},
    {.name = "layers_of_residual_block", .objectives = {{5, -0.2, 40.0}, {6, 0.4, 20.0}, {7, 0.25, 30.0}}},
    {.name = "layer_of_dropout",         .objectives = ONE(1, 0.2, 50.0)},
    {.name = "layer_of_vectors",         .objectives = ONE(2, 0.9, 10.0)},
    {.name = "layers_of_network",        .objectives = {{4, 0.5, 3.0}, {4, -1.0, 2.0}, {9, 0.2, 0.5}}},
    {.name = "layers_only_measured",     .objectives = {{2, 0.5, 0.0}, {3, 1.0, 0.0}, {5, 0.0, 0.0}}},
    {.name = "layer_of_sigmoid",         .objectives = ONE(2, 0.5, 30.0)},
    {.name = "layer_of_product",         .objectives = ONE(2, 0.2, 20.0)},
    /* losses on the way: node, nothing, weight */
    {.name = "head_beside_the_loss",     .objectives = ONE(4, 0.0, 0.7)},
    {.name = "head_only_measured",       .objectives = ONE(4, 0.0, 0.0)},
    {.name = "head_twice",               .objectives = {{4, 0.0, 0.25}, {4, 0.0, 0.5}}},
    {.name = "head_without_a_loss",      .objectives = ONE(2, 0.0, 3.0)},
    {.name = "heads_of_squares",         .objectives = {{2, 0.0, 0.4}, {5, 0.0, 2.0}}},
    {.name = "head_and_layer",           .objectives = {{4, 0.0, 0.5}, {2, 0.3, 5.0}}},
    {.name = "head_of_sum",              .objectives = ONE(4, 0.0, 0.1)},
    {.name = "head_behind_a_cut",        .objectives = ONE(4, 0.0, 1.5), .cuts = ONE(5, 0)},
    {.name = "heads_of_isolated_layers", .objectives = {{4, 0.0, 1.0}, {8, 0.0, 1.0}}, .cuts = {{5, 0}, {9, 0}}},
    /* cuts: before node, its input */
    {.name = "cut_in_a_chain",           .cuts = ONE(3, 0)},
    {.name = "cut_at_the_input",         .cuts = ONE(1, 0)},
    {.name = "cut_twice",                .cuts = {{2, 0}, {4, 0}}},
    {.name = "cut_before_the_loss",      .cuts = ONE(2, 0)},
    {.name = "cut_before_the_last",      .cuts = ONE(4, 0)},
    {.name = "cut_of_a_shortcut",        .cuts = ONE(6, 1)},
    {.name = "cut_of_a_branch",          .cuts = ONE(6, 0)},
    {.name = "cut_before_a_join",        .cuts = ONE(8, 1)},
    {.name = "cut_behind_a_norm",        .cuts = ONE(3, 0)},
    {.name = "cut_before_a_norm",        .cuts = ONE(2, 0)},
    {.name = "cut_and_objective",        .objectives = ONE(2, 0.5, 40.0), .cuts = ONE(3, 0)},
    {.name = "cut_of_a_divisor",         .cuts = ONE(4, 1)},
    {.name = "cut_of_a_factor",          .cuts = ONE(3, 0)},
    {.name = "cut_of_one_edge_of_two",   .cuts = ONE(2, 1)},
    /* frozen parameters */
    {.name = "frozen_conv",              .frozen = {"convolution1.weight"}},
    {.name = "frozen_bias",              .frozen = {"convolution1.bias"}},
    {.name = "frozen_weight_not_bias",   .frozen = {"convolution1.weight"}},
    {.name = "frozen_linear",            .frozen = {"linear1.weight", "linear1.bias"}},
    {.name = "frozen_norm",              .frozen = {"batch_norm2.weight", "batch_norm2.bias"}},
    {.name = "frozen_norm_weight",       .frozen = {"batch_norm2.weight"}},
    {.name = "frozen_norm_bias",         .frozen = {"batch_norm2.bias"}},
    {.name = "frozen_norm_relu",         .frozen = {"batch_norm2.weight", "batch_norm2.bias"}},
    {.name = "frozen_join",              .frozen = {"batch_norm5.weight", "batch_norm5.bias"}},
    {.name = "frozen_layers",            .frozen = {"convolution1.weight", "batch_norm2.weight", "batch_norm2.bias"}},
    {.name = "frozen_all",               .frozen = {"linear1.weight", "linear1.bias", "linear3.weight", "linear3.bias"}},
    /* whose labels */
    {.name = "labels_predicted",         .labels = RS_LABELS_PREDICTED},
    {.name = "labels_both",              .labels = RS_LABELS_BOTH},
    {.name = "labels_both_of_sum",       .labels = RS_LABELS_BOTH},
    {.name = "labels_predicted_kl",      .labels = RS_LABELS_PREDICTED},
    {.name = "labels_of_squares",        .labels = RS_LABELS_PREDICTED},
};
/* clang-format on */

const rs_check_settings *rs_check_settings_of(const rs_check_case *c)
{
    static const rs_check_settings none = {0};
    for (size_t i = 0; i < sizeof settings / sizeof settings[0]; i++) {
        if (strcmp(settings[i].name, c->name) == 0) {
            return &settings[i];
        }
    }
    return &none;
}

int rs_check_objective_count(const rs_check_settings *s)
{
    int count = 0;
    while (count < RS_CHECK_OBJECTIVES && s->objectives[count].node > 0) {
        count++;
    }
    return count;
}

int rs_check_cut_count(const rs_check_settings *s)
{
    int count = 0;
    while (count < RS_CHECK_CUTS && s->cuts[count].node > 0) {
        count++;
    }
    return count;
}
