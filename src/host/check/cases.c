/* cases.c: see rs/check.h. To add a case: one line; its name is what --filter matches. */
#include "rs/check.h"

#include <stdio.h>
#include <string.h>

/* clang-format off */
#define P                     RS_CHECK_PREVIOUS
#define WINDOW(k, r, s, p)    .channels = (k), .kernel = (r), .stride = (s), .padding = (p)
#define CONV(k, r, s, p)      {RS_OP_CONVOLUTION, {WINDOW(k, r, s, p)}, {P, P}}
#define CONV_BIAS(k, r, s, p) {RS_OP_CONVOLUTION, {WINDOW(k, r, s, p), .bias = true}, {P, P}}
#define CONV_OF(node, k, r, s, p) {RS_OP_CONVOLUTION, {WINDOW(k, r, s, p)}, {(node), P}}
#define BN                    {RS_OP_BATCH_NORM, {.epsilon = 1e-5, .momentum = 0.1}, {P, P}}
/* For a variance of 0: dx is 0 exactly, the difference of terms of dy / sqrt(epsilon). */
#define BN_EPSILON_1          {RS_OP_BATCH_NORM, {.epsilon = 1.0, .momentum = 0.1}, {P, P}}
#define RELU                  {RS_OP_RELU, {0}, {P, P}}
#define SOFTPLUS              {RS_OP_SOFTPLUS, {0}, {P, P}}
#define DROPOUT(p)            {RS_OP_DROPOUT, {.rate = (p)}, {P, P}}
#define ADD(node)             {RS_OP_ADD, {0}, {P, (node)}} /* the previous node and that one */
#define ADD_OF(a, b)          {RS_OP_ADD, {0}, {(a), (b)}}
#define MAX(r, s, p)          {RS_OP_MAX_POOL, {WINDOW(0, r, s, p)}, {P, P}}
#define AVERAGE(r, s, p)      {RS_OP_AVERAGE_POOL, {WINDOW(0, r, s, p)}, {P, P}}
#define GLOBAL                {RS_OP_GLOBAL_AVERAGE_POOL, {0}, {P, P}}
#define LINEAR(k)             {RS_OP_LINEAR, {.channels = (k), .bias = true}, {P, P}}
#define LINEAR_PLAIN(k)       {RS_OP_LINEAR, {.channels = (k)}, {P, P}}
#define LOSS                  {RS_OP_SOFTMAX_CROSS_ENTROPY, {0}, {P, P}}

#define NORMAL  RS_FILL_NORMAL
#define INTEGER RS_FILL_INTEGER
#define SPREAD  RS_FILL_SPREAD

static const rs_check_case cases[] = {
    /* convolutions of the ResNets: stems, 3x3 bodies, 1x1 of bottlenecks and shortcuts, both widths */
    {"conv_7x7_stride2_rgb",      {3, 32, 32},  {4, 3}, NORMAL, {CONV(64, 7, 2, 3)}},
    {"conv_7x7_stride2_grey",     {1, 28, 28},  {4, 3}, NORMAL, {CONV(64, 7, 2, 3)}},
    {"conv_3x3_64_64_8x8",        {64, 8, 8},   {4, 1}, NORMAL, {CONV(64, 3, 1, 1)}},
    {"conv_3x3_64_128_8x8",       {64, 8, 8},   {4, 3}, NORMAL, {CONV(128, 3, 1, 1)}},
    {"conv_3x3_128_128_8x8",      {128, 8, 8},  {4, 2}, NORMAL, {CONV(128, 3, 1, 1)}},
    {"conv_3x3_128_128_7x7",      {128, 7, 7},  {4, 3}, NORMAL, {CONV(128, 3, 1, 1)}},
    {"conv_3x3_256_256_2x2",      {256, 2, 2},  {5, 2}, NORMAL, {CONV(256, 3, 1, 1)}},
    {"conv_3x3_256_256_1x1",      {256, 1, 1},  {8, 3}, NORMAL, {CONV(256, 3, 1, 1)}},
    {"conv_3x3_512_512_1x1",      {512, 1, 1},  {4, 1}, NORMAL, {CONV(512, 3, 1, 1)}},
    {"conv_3x3_stride2_64_128",   {64, 8, 8},   {4, 3}, NORMAL, {CONV(128, 3, 2, 1)}},
    {"conv_3x3_stride2_128_256",  {128, 4, 4},  {4, 3}, NORMAL, {CONV(256, 3, 2, 1)}},
    {"conv_3x3_stride2_256_512",  {256, 2, 2},  {4, 3}, NORMAL, {CONV(512, 3, 2, 1)}},
    {"conv_3x3_stride2_7x7",      {64, 7, 7},   {4, 3}, NORMAL, {CONV(128, 3, 2, 1)}},
    {"conv_1x1_64_128",           {64, 8, 8},   {4, 3}, NORMAL, {CONV(128, 1, 1, 0)}},
    {"conv_1x1_128_512",          {128, 8, 8},  {3, 1}, NORMAL, {CONV(512, 1, 1, 0)}},
    {"conv_1x1_512_128",          {512, 8, 8},  {3, 1}, NORMAL, {CONV(128, 1, 1, 0)}},
    {"conv_1x1_2048_512_1x1",     {2048, 1, 1}, {4, 3}, NORMAL, {CONV(512, 1, 1, 0)}},
    {"conv_1x1_stride2_64_128",   {64, 8, 8},   {4, 3}, NORMAL, {CONV(128, 1, 2, 0)}},
    {"conv_1x1_stride2_128_256",  {128, 4, 4},  {4, 3}, NORMAL, {CONV(256, 1, 2, 0)}},
    {"conv_1x1_stride2_2x2",      {256, 2, 2},  {4, 3}, NORMAL, {CONV(512, 1, 2, 0)}},
    /* odd ones */
    {"conv_one_sample",           {3, 7, 7},    {1, 0}, NORMAL, {CONV(5, 3, 1, 1)}},
    {"conv_one_channel",          {1, 5, 5},    {3, 2}, NORMAL, {CONV(1, 3, 1, 1)}},
    {"conv_17_channels",          {17, 7, 7},   {5, 3}, NORMAL, {CONV(19, 3, 1, 1)}},
    {"conv_wide",                 {5, 3, 11},   {3, 1}, NORMAL, {CONV(7, 3, 1, 1)}},
    {"conv_tall_stride2",         {6, 13, 4},   {3, 2}, NORMAL, {CONV(9, 3, 2, 1)}},
    {"conv_stride2_left_over",    {4, 8, 6},    {3, 2}, NORMAL, {CONV(6, 3, 2, 0)}},
    {"conv_1x1_stride2_odd",      {17, 7, 5},   {3, 2}, NORMAL, {CONV(18, 1, 2, 0)}},
    {"conv_1x1_few_channels",     {4, 7, 7},    {7, 3}, NORMAL, {CONV(8, 1, 2, 0)}},
    {"conv_stride3",              {3, 11, 10},  {2, 1}, NORMAL, {CONV(8, 3, 3, 1)}},
    {"conv_kernel_over_input",    {3, 2, 3},    {3, 2}, NORMAL, {CONV(8, 5, 1, 2)}},
    {"conv_padding_over_kernel",  {2, 3, 3},    {2, 1}, NORMAL, {CONV(4, 2, 1, 2)}},
    {"conv_5x5_bias",             {6, 14, 14},  {3, 2}, NORMAL, {CONV_BIAS(16, 5, 1, 0)}},
    {"conv_bias_17",              {17, 6, 5},   {3, 1}, NORMAL, {CONV_BIAS(18, 3, 1, 1)}},
    {"conv_after_conv",           {3, 9, 8},    {3, 2}, NORMAL, {CONV(17, 3, 1, 1), CONV(16, 3, 2, 1), CONV(5, 1, 1, 0)}},
    {"conv_exact_3x3",            {32, 6, 6},   {3, 2}, INTEGER, {CONV(32, 3, 1, 1)}},
    {"conv_exact_stride2_odd",    {5, 7, 9},    {3, 2}, INTEGER, {CONV_BIAS(7, 3, 2, 1)}},
    {"conv_exact_1x1",            {17, 5, 5},   {3, 1}, INTEGER, {CONV(33, 1, 1, 0)}},
    {"conv_exact_7x7",            {3, 16, 16},  {3, 2}, INTEGER, {CONV(64, 7, 2, 3)}},
    /* batch norm */
    {"bn_64_8x8",                 {64, 8, 8},   {4, 3}, NORMAL, {BN}},
    {"bn_17_7x5",                 {17, 7, 5},   {3, 2}, NORMAL, {BN}},
    {"bn_512_1x1",                {512, 1, 1},  {8, 5}, NORMAL, {BN}},
    {"bn_one_sample",             {3, 5, 4},    {1, 0}, NORMAL, {BN}},
    {"bn_one_value",              {6, 1, 1},    {1, 0}, NORMAL, {BN_EPSILON_1}},
    {"bn_after_conv",             {3, 8, 8},    {4, 3}, NORMAL, {CONV(64, 3, 1, 1), BN}},
    {"bn_softplus_bn",            {16, 4, 4},   {4, 3}, NORMAL, {BN, SOFTPLUS, BN}},
    /* batch norm with ReLU: fused where a backend does */
    {"bn_relu_64_4x4",            {64, 4, 4},   {3, 2}, NORMAL, {BN, RELU}},
    {"bn_relu_17_5x3",            {17, 5, 3},   {3, 2}, NORMAL, {BN, RELU}},
    {"bn_relu_conv",              {16, 5, 5},   {3, 2}, NORMAL, {BN, RELU, CONV(17, 3, 1, 1)}},
    {"conv_bn_relu_64",           {16, 4, 4},   {3, 2}, NORMAL, {CONV(64, 3, 1, 1), BN, RELU}},
    {"conv_bn_relu_stride2",      {17, 7, 7},   {3, 2}, NORMAL, {CONV(33, 3, 2, 1), BN, RELU, CONV(16, 1, 1, 0)}},
    {"stem",                      {3, 16, 16},  {2, 1}, NORMAL, {CONV(16, 7, 2, 3), BN, RELU, MAX(3, 2, 1)}},
    {"stem_smooth",               {3, 32, 32},  {3, 2}, NORMAL, {CONV(64, 7, 2, 3), BN, SOFTPLUS, AVERAGE(3, 2, 1)}},
    /* ReLU, softplus, sums */
    {"relu",                      {17, 7, 5},   {3, 2}, SPREAD, {RELU}},
    {"relu_64_8x8",               {64, 8, 8},   {3, 1}, SPREAD, {RELU}},
    {"relu_exact",                {5, 3, 3},    {3, 2}, INTEGER, {RELU}},
    {"softplus",                  {17, 7, 5},   {3, 2}, NORMAL, {SOFTPLUS}},
    {"softplus_far",              {40, 20, 20}, {2, 1}, SPREAD, {SOFTPLUS}},
    {"conv_softplus",             {5, 7, 6},    {3, 2}, NORMAL, {CONV(17, 3, 1, 1), SOFTPLUS, CONV(6, 3, 2, 1)}},
    {"add_exact_twice_the_same",  {17, 5, 3},   {3, 2}, INTEGER, {ADD_OF(0, 0)}},
    {"add_conv_and_input",        {16, 5, 5},   {3, 2}, NORMAL, {CONV(16, 3, 1, 1), ADD(0)}},
    {"add_conv_twice",            {5, 5, 5},    {3, 2}, NORMAL, {CONV(17, 3, 1, 1), ADD_OF(1, 1), CONV(4, 1, 1, 0)}},
    {"bn_add_relu",               {16, 4, 4},   {3, 2}, NORMAL, {CONV(16, 3, 1, 1), BN, ADD(0), RELU}},
    {"bn_add_softplus",           {16, 4, 4},   {3, 2}, NORMAL, {CONV(16, 3, 1, 1), BN, ADD(0), SOFTPLUS, CONV(8, 1, 1, 0)}},
    {"residual_block",            {16, 4, 4},   {3, 2}, NORMAL,
     {CONV(16, 3, 1, 1), BN, RELU, CONV(16, 3, 1, 1), BN, ADD(0), RELU, CONV(16, 3, 1, 1)}},
    {"residual_block_smooth",     {64, 8, 8},   {3, 2}, NORMAL,
     {CONV(64, 3, 1, 1), BN, SOFTPLUS, CONV(64, 3, 1, 1), BN, ADD(0), SOFTPLUS, CONV(64, 3, 1, 1)}},
    {"residual_block_down",       {17, 7, 7},   {3, 2}, NORMAL,
     {CONV(16, 3, 2, 1), BN, RELU, CONV(16, 3, 1, 1), BN, CONV_OF(0, 16, 1, 2, 0), BN, ADD_OF(5, 7), RELU}},
    {"residual_down_smooth",      {64, 8, 8},   {3, 2}, NORMAL,
     {CONV(128, 3, 2, 1), BN, SOFTPLUS, CONV(128, 3, 1, 1), BN, CONV_OF(0, 128, 1, 2, 0), BN, ADD_OF(5, 7), SOFTPLUS}},
    {"bottleneck_smooth",         {64, 4, 4},   {4, 3}, NORMAL,
     {CONV(32, 1, 1, 0), BN, SOFTPLUS, CONV(32, 3, 1, 1), BN, SOFTPLUS, CONV(64, 1, 1, 0), BN, ADD(0), SOFTPLUS}},
    {"two_users_of_a_relu",       {8, 4, 4},    {3, 2}, NORMAL,
     {BN, RELU, CONV(8, 3, 1, 1), CONV_OF(2, 8, 1, 1, 0), ADD_OF(3, 4), ADD(2)}},
    {"bn_read_twice",             {8, 5, 5},    {3, 2}, NORMAL, {BN, RELU, ADD_OF(2, 1), CONV(9, 3, 1, 1)}},
    /* dropout: any number of channels, in blocks and not; gradients set and added; computed again with --memory lean */
    {"dropout_64_8x8",            {64, 8, 8},   {4, 3}, NORMAL, {DROPOUT(0.5)}},
    {"dropout_17_7x5",            {17, 7, 5},   {3, 2}, NORMAL, {DROPOUT(0.3)}},
    {"dropout_rgb_5x5",           {3, 5, 5},    {3, 2}, NORMAL, {DROPOUT(0.75)}},
    {"dropout_one_value",         {1, 1, 1},    {9, 1}, NORMAL, {DROPOUT(0.5)}},
    {"dropout_exact_20_3x3",      {20, 3, 3},   {3, 2}, INTEGER, {DROPOUT(0.5)}},
    {"dropout_exact_6_7x6",       {6, 7, 6},    {5, 2}, INTEGER, {DROPOUT(0.75)}},
    {"dropout_exact_rate_0",      {5, 4, 4},    {3, 2}, INTEGER, {DROPOUT(0.0)}},
    {"dropout_of_vectors",        {12, 1, 1},   {16, 5}, NORMAL, {LINEAR(37), DROPOUT(0.25), LINEAR(20), DROPOUT(0.1), LINEAR(3)}},
    {"dropout_of_maps",           {5, 6, 5},    {3, 2}, NORMAL, {DROPOUT(0.4), LINEAR(7)}},
    {"dropout_adds",              {9, 4, 3},    {3, 2}, NORMAL, {CONV(9, 3, 1, 1), DROPOUT(0.4), ADD(1), CONV(5, 1, 1, 0)}},
    {"dropout_exact_adds",        {18, 4, 3},   {3, 2}, INTEGER, {ADD_OF(0, 0), DROPOUT(0.5), ADD(1)}},
    {"bn_relu_dropout_conv",      {16, 5, 5},   {3, 2}, NORMAL, {BN, RELU, DROPOUT(0.2), CONV(17, 3, 1, 1)}},
    {"dropout_twice",             {24, 5, 4},   {3, 2}, NORMAL, {BN, DROPOUT(0.3), DROPOUT(0.5), BN, CONV(8, 3, 1, 1)}},
    /* layers' own objectives (below): inside, at the end, of what is fused and what then is not, beside the loss, only measured */
    {"layer_of_conv",             {5, 7, 6},    {3, 2}, NORMAL, {CONV(17, 3, 1, 1), SOFTPLUS, CONV(6, 3, 2, 1)}},
    {"layer_at_the_end",          {17, 5, 3},   {3, 2}, NORMAL, {CONV(9, 3, 1, 1)}},
    {"layer_beside_the_end",      {5, 5, 4},    {3, 2}, NORMAL, {CONV(8, 3, 1, 1), CONV_OF(0, 6, 3, 1, 1)}},
    {"layer_of_fused_relu",       {16, 4, 4},   {3, 2}, NORMAL, {CONV(17, 3, 1, 1), BN, RELU, CONV(8, 1, 1, 0)}},
    {"layers_of_bn_and_relu",     {16, 4, 4},   {3, 2}, NORMAL, {CONV(16, 3, 1, 1), BN, RELU, CONV(8, 1, 1, 0)}},
    {"layer_of_joined_relu",      {16, 4, 4},   {3, 2}, NORMAL,
     {CONV(16, 3, 1, 1), BN, RELU, CONV(16, 3, 1, 1), BN, ADD(0), RELU, CONV(16, 3, 1, 1), ADD(7)}},
    {"layers_of_residual_block",  {16, 4, 4},   {3, 2}, NORMAL,
     {CONV(16, 3, 1, 1), BN, RELU, CONV(16, 3, 1, 1), BN, ADD(0), RELU, CONV(16, 3, 1, 1), ADD(7)}},
    {"layer_of_dropout",          {6, 5, 5},    {3, 2}, NORMAL, {DROPOUT(0.3), CONV(5, 3, 1, 1)}},
    {"layer_of_vectors",          {37, 1, 1},   {7, 2}, NORMAL, {LINEAR(19), SOFTPLUS, LINEAR(3)}},
    {"layers_of_network",         {3, 8, 8},    {4, 3}, NORMAL,
     {CONV(16, 3, 1, 1), BN, SOFTPLUS, CONV(16, 3, 1, 1), BN, ADD(3), SOFTPLUS, GLOBAL, LINEAR(10), LOSS}},
    {"layers_only_measured",      {8, 6, 5},    {4, 3}, NORMAL, {CONV(17, 3, 1, 1), BN, SOFTPLUS, GLOBAL, LINEAR(10), LOSS}},
    /* pooling */
    {"max_pool_3x3_stride2",      {64, 16, 16}, {2, 1}, SPREAD, {MAX(3, 2, 1)}},
    {"max_pool_3x3_14x14",        {64, 14, 14}, {2, 1}, SPREAD, {MAX(3, 2, 1)}},
    {"max_pool_2x2",              {17, 8, 6},   {3, 2}, SPREAD, {MAX(2, 2, 0)}},
    {"max_pool_odd",              {5, 7, 5},    {3, 2}, SPREAD, {MAX(3, 2, 1)}},
    {"max_pool_overlapping",      {5, 6, 7},    {3, 1}, SPREAD, {MAX(3, 1, 1)}},
    {"max_pool_window_over_input", {3, 2, 2},   {2, 1}, SPREAD, {MAX(3, 1, 1)}},
    {"max_pool_exact_ties",       {17, 8, 8},   {3, 2}, INTEGER, {MAX(3, 2, 1)}},
    {"max_pool_after_conv",       {3, 8, 8},    {2, 1}, NORMAL, {CONV(8, 3, 1, 1), MAX(2, 2, 0), CONV(5, 3, 1, 1)}},
    {"average_pool_3x3_stride2",  {64, 16, 16}, {2, 1}, NORMAL, {AVERAGE(3, 2, 1)}},
    {"average_pool_exact_2x2",    {17, 8, 6},   {3, 2}, INTEGER, {AVERAGE(2, 2, 0)}},
    {"average_pool_exact_padded", {5, 6, 5},    {3, 2}, INTEGER, {AVERAGE(4, 2, 2)}},
    {"average_pool_odd",          {5, 7, 5},    {3, 2}, NORMAL, {AVERAGE(3, 1, 1)}},
    {"global_average_pool_2048",  {2048, 2, 2}, {3, 2}, NORMAL, {GLOBAL}},
    {"global_average_pool_odd",   {17, 7, 5},   {3, 2}, NORMAL, {GLOBAL}},
    {"global_average_pool_exact", {17, 4, 4},   {3, 2}, INTEGER, {GLOBAL}},
    {"global_average_pool_1x1",   {33, 1, 1},   {3, 2}, INTEGER, {GLOBAL}},
    /* linear layers and the loss */
    {"linear_128_10",             {128, 1, 1},  {16, 5}, NORMAL, {LINEAR(10)}},
    {"linear_512_100",            {512, 1, 1},  {16, 5}, NORMAL, {LINEAR(100)}},
    {"linear_2048_10",            {2048, 1, 1}, {16, 1}, NORMAL, {LINEAR(10)}},
    {"linear_plain_17_3",         {17, 1, 1},   {1, 0}, NORMAL, {LINEAR_PLAIN(3)}},
    {"linear_of_images",          {5, 7, 3},    {3, 2}, NORMAL, {LINEAR(11), LINEAR(4)}},
    {"linear_exact",              {37, 2, 2},   {5, 3}, INTEGER, {LINEAR(19)}},
    {"linear_of_conv",            {3, 6, 5},    {3, 2}, NORMAL, {CONV(17, 3, 1, 1), SOFTPLUS, LINEAR(10)}},
    {"loss_10",                   {10, 1, 1},   {16, 7}, NORMAL, {LOSS}},
    {"loss_100",                  {100, 1, 1},  {5, 1}, NORMAL, {LOSS}},
    {"loss_far",                  {1000, 1, 1}, {40, 3}, SPREAD, {LOSS}},
    {"loss_of_linear",            {64, 1, 1},   {16, 5}, NORMAL, {LINEAR(10), LOSS}},
    {"head",                      {64, 4, 4},   {8, 3}, NORMAL, {SOFTPLUS, GLOBAL, LINEAR(10), LOSS}},
    {"small_network",             {3, 8, 8},    {4, 3}, NORMAL,
     {CONV(16, 3, 1, 1), BN, SOFTPLUS, CONV(16, 3, 1, 1), BN, ADD(3), SOFTPLUS, GLOBAL, LINEAR(10), LOSS}},
};

/* The objectives of layers in cases of these names: node, target, weight. */
static const struct {
    const char *name;
    rs_objective objectives[RS_CHECK_OBJECTIVES]; /* node 0: end of the list */
} layers[] = {
    {"layer_of_conv",            {{1, 0.3, 90.0}}},
    {"layer_at_the_end",         {{1, -0.5, 70.0}}},
    {"layer_beside_the_end",     {{1, 0.5, 40.0}}},
    {"layer_of_fused_relu",      {{3, 0.5, 50.0}}},
    {"layers_of_bn_and_relu",    {{2, 0.1, 60.0}, {3, 1.0, 30.0}}},
    {"layer_of_joined_relu",     {{7, 0.25, 80.0}}},
    {"layers_of_residual_block", {{5, -0.2, 40.0}, {6, 0.4, 20.0}, {7, 0.25, 30.0}}},
    {"layer_of_dropout",         {{1, 0.2, 50.0}}},
    {"layer_of_vectors",         {{2, 0.9, 10.0}}},
    {"layers_of_network",        {{4, 0.5, 3.0}, {4, -1.0, 2.0}, {9, 0.2, 0.5}}},
    {"layers_only_measured",     {{2, 0.5, 0.0}, {3, 1.0, 0.0}, {5, 0.0, 0.0}}},
};
/* clang-format on */

const rs_check_case *rs_check_cases(size_t *count)
{
    *count = sizeof cases / sizeof cases[0];
    return cases;
}

const rs_objective *rs_check_objectives(const rs_check_case *c, int *count)
{
    *count = 0;
    for (size_t i = 0; i < sizeof layers / sizeof layers[0]; i++) {
        if (strcmp(layers[i].name, c->name) == 0) {
            while (*count < RS_CHECK_OBJECTIVES && layers[i].objectives[*count].node > 0) {
                (*count)++;
            }
            return layers[i].objectives;
        }
    }
    return NULL;
}

static int source(int from, int previous)
{
    return from == RS_CHECK_PREVIOUS ? previous : from;
}

static rs_status add_nodes(const rs_check_case *c, rs_network *network, rs_error *error)
{
    for (int i = 0; i < RS_CHECK_NODES && c->ops[i].kind != RS_OP_INPUT; i++) {
        const rs_check_op *op = &c->ops[i];
        char name[RS_NAME_MAX];
        int node;
        (void)snprintf(name, sizeof name, "%s%d", rs_op_name(op->kind), i + 1);
        rs_node_spec spec = {.name = name,
                             .kind = op->kind,
                             .attributes = op->attributes,
                             .input = {source(op->from[0], i), source(op->from[1], i)},
                             .block = -1};
        RS_TRY(rs_network_add(network, &spec, &node, error));
    }
    return rs_network_finish(network, error);
}

/* Scores of a loss at the end: the channels before it. */
static int classes_of(const rs_check_case *c)
{
    int64_t channels = c->shape[0];
    for (int i = 0; i < RS_CHECK_NODES && c->ops[i].kind != RS_OP_INPUT; i++) {
        channels = c->ops[i].attributes.channels ? c->ops[i].attributes.channels : channels;
    }
    return (int)channels;
}

rs_status rs_check_network(const rs_check_case *c, rs_network **network, rs_error *error)
{
    rs_network *made;
    RS_TRY(rs_network_create(c->name, c->shape[0], c->shape[1], c->shape[2], classes_of(c), &made, error));
    rs_status status = add_nodes(c, made, error);
    if (status) {
        rs_network_destroy(made);
        return rs_error_prefix(error, "case %s", c->name);
    }
    *network = made;
    return RS_OK;
}

bool rs_check_has_kinks(const rs_check_case *c)
{
    for (int i = 0; i < RS_CHECK_NODES; i++) {
        if (c->ops[i].kind == RS_OP_RELU || c->ops[i].kind == RS_OP_MAX_POOL) {
            return true;
        }
    }
    return false;
}
