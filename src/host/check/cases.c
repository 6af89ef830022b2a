/* cases.c: see rs/check.h. To add a case: one line; its name is what --filter matches. */
#include "rs/check.h"

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
#define LINEAR_OF(node, k)    {RS_OP_LINEAR, {.channels = (k), .bias = true}, {(node), P}}
#define SIGMOID               {RS_OP_SIGMOID, {0}, {P, P}}
#define SIGMOID_OF(node)      {RS_OP_SIGMOID, {0}, {(node), P}}
#define TANH                  {RS_OP_TANH, {0}, {P, P}}
#define TANH_OF(node)         {RS_OP_TANH, {0}, {(node), P}}
#define SOFTMAX               {RS_OP_SOFTMAX, {0}, {P, P}}
#define SOFTMAX_OF(node)      {RS_OP_SOFTMAX, {0}, {(node), P}}
#define ROWS                  {RS_OP_ROW_NORMALIZE, {0}, {P, P}}
#define FLATTEN               {RS_OP_FLATTEN, {0}, {P, P}}
#define FLATTEN_OF(node)      {RS_OP_FLATTEN, {0}, {(node), P}}
#define REPEAT(a, n)          {RS_OP_REPEAT, {.axis = (a), .times = (n)}, {P, P}}
#define REPEAT_OF(node, a, n) {RS_OP_REPEAT, {.axis = (a), .times = (n)}, {(node), P}}
#define DIVIDE(a, b)          {RS_OP_DIVIDE, {0}, {(a), (b)}}
#define PRODUCT(a, b)         {RS_OP_MATRIX_PRODUCT, {0}, {(a), (b)}}
#define LOSS_OF(node)         {RS_OP_SOFTMAX_CROSS_ENTROPY, {0}, {(node), P}}
#define LOSS_BY(r)            {RS_OP_SOFTMAX_CROSS_ENTROPY, {.reduction = RS_REDUCTION_##r}, {P, P}}
#define KL_BY(r)              {RS_OP_KL_DIVERGENCE, {.reduction = RS_REDUCTION_##r}, {P, P}}
#define SQUARES               {RS_OP_MEAN_SQUARED_ERROR, {0}, {P, P}}
#define SQUARES_BY(r)         {RS_OP_MEAN_SQUARED_ERROR, {.reduction = RS_REDUCTION_##r}, {P, P}}

#define NORMAL  RS_FILL_NORMAL
#define INTEGER RS_FILL_INTEGER
#define SPREAD  RS_FILL_SPREAD
#define SIZED   RS_FILL_SIZED

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
    /* sigmoid and tanh: maps, vectors, behind what is fused, gradients set and added */
    {"sigmoid",                   {17, 7, 5},   {3, 2}, NORMAL, {SIGMOID}},
    {"sigmoid_64_8x8",            {64, 8, 8},   {3, 1}, NORMAL, {SIGMOID}},
    {"sigmoid_far",               {40, 20, 20}, {2, 1}, SPREAD, {SIGMOID}},
    {"conv_sigmoid_conv",         {5, 7, 6},    {3, 2}, NORMAL, {CONV(17, 3, 1, 1), SIGMOID, CONV(6, 3, 2, 1)}},
    {"bn_sigmoid",                {16, 4, 4},   {4, 3}, NORMAL, {CONV(17, 3, 1, 1), BN, SIGMOID, CONV(8, 1, 1, 0)}},
    {"sigmoid_adds",              {9, 4, 3},    {3, 2}, NORMAL, {SIGMOID, ADD(0), SIGMOID_OF(2), ADD(2)}},
    {"sigmoid_mlp",               {20, 1, 1},   {9, 4}, NORMAL, {LINEAR(37), SIGMOID, LINEAR(20), SIGMOID, LINEAR(3)}},
    {"layer_of_sigmoid",          {12, 1, 1},   {5, 2}, NORMAL, {LINEAR(21), SIGMOID, LINEAR(4)}},
    {"tanh",                      {17, 7, 5},   {3, 2}, NORMAL, {TANH}},
    {"tanh_64_8x8",               {64, 8, 8},   {3, 1}, NORMAL, {TANH}},
    {"tanh_far",                  {10, 20, 20}, {2, 1}, SPREAD, {TANH}},
    {"conv_tanh_conv",            {5, 7, 6},    {3, 2}, NORMAL, {CONV(17, 3, 1, 1), TANH, CONV(6, 3, 2, 1)}},
    {"bn_tanh_pool",              {16, 6, 6},   {4, 3}, NORMAL, {CONV(17, 3, 1, 1), BN, TANH, AVERAGE(2, 2, 0)}},
    {"tanh_adds",                 {9, 4, 3},    {3, 2}, NORMAL, {TANH, ADD(0), TANH_OF(2), ADD(2)}},
    {"tanh_mlp",                  {20, 1, 1},   {9, 4}, NORMAL, {LINEAR(37), TANH, LINEAR(20), TANH, LINEAR(3)}},
    /* softmax and row normalisation, over the channels at every place */
    {"softmax_10",                {10, 1, 1},   {16, 5}, NORMAL, {SOFTMAX}},
    {"softmax_maps",              {17, 5, 3},   {3, 2}, NORMAL, {SOFTMAX}},
    {"softmax_64_4x4",            {64, 4, 4},   {4, 3}, NORMAL, {SOFTMAX}},
    {"softmax_one_channel",       {1, 3, 4},    {3, 2}, NORMAL, {SOFTMAX, ADD(0)}},
    {"softmax_far",               {1000, 1, 1}, {20, 3}, SPREAD, {SOFTMAX}},
    {"softmax_of_linear",         {37, 1, 1},   {9, 4}, NORMAL, {LINEAR(19), SOFTMAX, LINEAR(3)}},
    {"softmax_adds",              {6, 4, 3},    {3, 2}, NORMAL, {SOFTMAX, ADD(0), SOFTMAX_OF(2), ADD(2)}},
    {"softmax_of_conv",           {5, 6, 5},    {3, 2}, NORMAL, {CONV(18, 3, 1, 1), SOFTMAX, CONV(4, 1, 1, 0)}},
    {"row_normalize_10",          {10, 1, 1},   {16, 5}, NORMAL, {SOFTPLUS, ROWS}},
    {"row_normalize_maps",        {17, 5, 3},   {3, 2}, NORMAL, {SIGMOID, ROWS}},
    {"row_normalize_64_4x4",      {64, 4, 4},   {4, 3}, NORMAL, {SOFTPLUS, ROWS}},
    {"row_normalize_one_channel", {1, 3, 4},    {3, 2}, SIZED,  {ROWS, ADD(0)}},
    {"row_normalize_adds",        {6, 4, 3},    {3, 2}, NORMAL, {SOFTPLUS, ROWS, ADD(1), CONV(4, 1, 1, 0)}},
    {"row_normalize_of_linear",   {37, 1, 1},   {9, 4}, NORMAL, {LINEAR(19), SIGMOID, ROWS, LINEAR(3)}},
    /* flatten and repeat */
    {"flatten_exact",             {17, 3, 2},   {3, 2}, INTEGER, {FLATTEN}},
    {"flatten_exact_vector",      {33, 1, 1},   {3, 2}, INTEGER, {FLATTEN}},
    {"flatten_exact_twice",       {5, 4, 3},    {3, 2}, INTEGER, {FLATTEN, FLATTEN_OF(0), ADD(1)}},
    {"flatten_adds_exact",        {16, 4, 4},   {3, 2}, INTEGER, {ADD_OF(0, 0), FLATTEN, FLATTEN_OF(1), ADD(2)}},
    {"flatten_between",           {3, 8, 7},    {3, 2}, NORMAL, {CONV(17, 3, 2, 1), SOFTPLUS, FLATTEN, LINEAR(12), TANH, LINEAR(4)}},
    {"flatten_of_pool",           {6, 8, 8},    {3, 2}, SPREAD, {MAX(2, 2, 0), FLATTEN, LINEAR(5)}},
    {"repeat_channels_exact",     {1, 4, 5},    {3, 2}, INTEGER, {REPEAT(0, 6)}},
    {"repeat_rows_exact",         {5, 1, 3},    {3, 2}, INTEGER, {REPEAT(1, 4)}},
    {"repeat_columns_exact",      {17, 3, 1},   {3, 2}, INTEGER, {REPEAT(2, 7)}},
    {"repeat_once_exact",         {5, 1, 4},    {3, 2}, INTEGER, {REPEAT(1, 1)}},
    {"repeat_a_value",            {1, 1, 1},    {9, 1}, NORMAL, {REPEAT(0, 12), LINEAR(5)}},
    {"repeat_a_vector",           {12, 1, 1},   {4, 3}, NORMAL, {REPEAT(1, 6), REPEAT(2, 5), CONV(7, 3, 1, 1)}},
    {"repeat_adds",               {6, 1, 4},    {3, 2}, NORMAL, {REPEAT(1, 3), REPEAT_OF(0, 1, 3), ADD(1), CONV(5, 1, 1, 0)}},
    {"repeat_of_global",          {16, 4, 4},   {3, 2}, NORMAL, {GLOBAL, REPEAT(1, 4), REPEAT(2, 4), ADD(0), CONV(5, 3, 1, 1)}},
    /* division and matrix products */
    {"divide",                    {17, 5, 3},   {3, 2}, SIZED,  {CONV(17, 3, 1, 1), DIVIDE(1, 0)}},
    {"divide_64_8x8",             {64, 8, 8},   {3, 1}, SIZED,  {TANH, DIVIDE(1, 0)}},
    {"divide_vectors",            {10, 1, 1},   {16, 5}, NORMAL, {LINEAR(10), SOFTPLUS, DIVIDE(0, 2), LINEAR(3)}},
    {"divide_adds",               {9, 4, 3},    {3, 2}, SIZED,  {CONV(9, 3, 1, 1), SIGMOID, DIVIDE(1, 2), ADD(2), DIVIDE(4, 0), ADD(1)}},
    {"divide_by_row_sums",        {6, 4, 3},    {3, 2}, NORMAL, {SOFTPLUS, GLOBAL, REPEAT(1, 4), REPEAT(2, 3), DIVIDE(0, 4)}},
    {"product_of_squares",        {6, 5, 5},    {3, 2}, NORMAL, {CONV(6, 3, 1, 1), PRODUCT(1, 0)}},
    {"product_exact_same",        {5, 4, 4},    {3, 2}, INTEGER, {PRODUCT(0, 0)}},
    {"product_exact",             {17, 7, 7},   {3, 2}, INTEGER, {ADD_OF(0, 0), PRODUCT(0, 1)}},
    {"product_exact_64_16x16",    {64, 16, 16}, {2, 1}, INTEGER, {ADD_OF(0, 0), PRODUCT(1, 0)}},
    {"product_of_oblongs",        {6, 4, 3},    {3, 2}, NORMAL, {CONV(6, 2, 1, 0), PRODUCT(0, 1)}},
    {"product_of_tall_and_wide",  {8, 9, 4},    {3, 2}, NORMAL, {CONV(8, 2, 2, 0), PRODUCT(0, 1), CONV(3, 1, 1, 0)}},
    {"product_outer",             {6, 4, 1},    {3, 2}, NORMAL, {GLOBAL, REPEAT(2, 5), PRODUCT(0, 2)}},
    {"product_of_numbers",        {12, 1, 1},   {5, 2}, NORMAL, {LINEAR(12), PRODUCT(0, 1), LINEAR(4)}},
    {"product_adds",              {5, 6, 6},    {3, 2}, NORMAL, {CONV(5, 3, 1, 1), PRODUCT(1, 0), ADD(1), PRODUCT(3, 3), ADD(3)}},
    {"product_softmax_product",   {8, 6, 6},    {3, 2}, NORMAL,
     {CONV(8, 1, 1, 0), CONV_OF(0, 8, 1, 1, 0), PRODUCT(1, 2), SOFTMAX, CONV_OF(0, 8, 1, 1, 0), PRODUCT(4, 5), ADD(0)}},
    {"layer_of_product",          {5, 4, 4},    {3, 2}, NORMAL, {CONV(5, 3, 1, 1), PRODUCT(0, 1), CONV(3, 1, 1, 0)}},
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
    {"linear_of_maps",            {32, 3, 4},   {5, 3}, NORMAL, {LINEAR(70)}},
    {"linear_of_maps_exact",      {16, 4, 3},   {5, 3}, INTEGER, {LINEAR(67)}},
    {"linear_of_conv",            {3, 6, 5},    {3, 2}, NORMAL, {CONV(17, 3, 1, 1), SOFTPLUS, LINEAR(10)}},
    {"loss_10",                   {10, 1, 1},   {16, 7}, NORMAL, {LOSS}},
    {"loss_100",                  {100, 1, 1},  {5, 1}, NORMAL, {LOSS}},
    {"loss_far",                  {1000, 1, 1}, {40, 3}, SPREAD, {LOSS}},
    {"loss_of_linear",            {64, 1, 1},   {16, 5}, NORMAL, {LINEAR(10), LOSS}},
    {"head",                      {64, 4, 4},   {8, 3}, NORMAL, {SOFTPLUS, GLOBAL, LINEAR(10), LOSS}},
    {"small_network",             {3, 8, 8},    {4, 3}, NORMAL,
     {CONV(16, 3, 1, 1), BN, SOFTPLUS, CONV(16, 3, 1, 1), BN, ADD(3), SOFTPLUS, GLOBAL, LINEAR(10), LOSS}},
    {"loss_sum",                  {64, 1, 1},   {16, 5}, NORMAL, {LINEAR(10), LOSS_BY(SUM)}},
    {"loss_elements",             {64, 1, 1},   {16, 5}, NORMAL, {LINEAR(10), LOSS_BY(ELEMENTS)}},
    {"kl_mean",                   {64, 1, 1},   {16, 5}, NORMAL, {LINEAR(10), KL_BY(MEAN)}},
    {"kl_sum",                    {64, 1, 1},   {16, 5}, NORMAL, {LINEAR(10), KL_BY(SUM)}},
    {"kl_elements_100",           {100, 1, 1},  {5, 1}, NORMAL, {KL_BY(ELEMENTS)}},
    {"kl_far",                    {1000, 1, 1}, {40, 3}, SPREAD, {KL_BY(ELEMENTS)}},
    {"squares_1",                 {5, 1, 1},    {16, 7}, NORMAL, {LINEAR(1), SQUARES}},
    {"squares_10",                {64, 1, 1},   {16, 5}, NORMAL, {LINEAR(10), SQUARES}},
    {"squares_sum",               {64, 1, 1},   {16, 5}, NORMAL, {LINEAR(10), SQUARES_BY(SUM)}},
    {"squares_elements",          {64, 1, 1},   {16, 5}, NORMAL, {LINEAR(10), SQUARES_BY(ELEMENTS)}},
    {"squares_of_maps",           {17, 5, 3},   {3, 2}, NORMAL, {SQUARES}},
    {"squares_of_conv",           {3, 6, 5},    {3, 2}, NORMAL, {CONV(17, 3, 1, 1), SOFTPLUS, CONV(5, 3, 1, 1), SQUARES}},
    {"squares_exact",             {8, 2, 2},    {4, 2}, INTEGER, {ADD_OF(0, 0), SQUARES}},
    {"squares_exact_sum",         {17, 3, 1},   {3, 2}, INTEGER, {ADD_OF(0, 0), SQUARES_BY(SUM)}},
    {"squares_regression",        {1, 1, 1},    {64, 31}, NORMAL, {LINEAR(14), TANH, LINEAR(10), SIGMOID, LINEAR(10), TANH, LINEAR(1), SQUARES}},
    {"loss_of_cnn",               {1, 12, 12},  {4, 3}, NORMAL,
     {CONV_BIAS(6, 5, 1, 0), TANH, AVERAGE(2, 2, 0), FLATTEN, LINEAR(17), SIGMOID, LINEAR(10), LOSS_BY(SUM)}},
    /* losses on the way (settings.c says what they weigh) */
    {"head_beside_the_loss",      {20, 1, 1},   {9, 4}, NORMAL,
     {LINEAR(17), SOFTPLUS, LINEAR(10), LOSS, LINEAR_OF(2, 12), TANH, LINEAR(10), LOSS}},
    {"head_only_measured",        {20, 1, 1},   {9, 4}, NORMAL,
     {LINEAR(17), SOFTPLUS, LINEAR(10), LOSS, LINEAR_OF(2, 12), TANH, LINEAR(10), LOSS}},
    {"head_not_asked_for",        {20, 1, 1},   {9, 4}, NORMAL,
     {LINEAR(17), SOFTPLUS, LINEAR(10), LOSS, LINEAR_OF(2, 12), TANH, LINEAR(10), LOSS}},
    {"head_twice",                {20, 1, 1},   {9, 4}, NORMAL,
     {LINEAR(17), SOFTPLUS, LINEAR(10), LOSS, LINEAR_OF(2, 12), TANH, LINEAR(10), LOSS}},
    {"head_and_layer",            {20, 1, 1},   {9, 4}, NORMAL,
     {LINEAR(17), SOFTPLUS, LINEAR(10), LOSS, LINEAR_OF(2, 12), TANH, LINEAR(10), LOSS_BY(SUM)}},
    {"head_of_sum",               {20, 1, 1},   {9, 4}, NORMAL,
     {LINEAR(17), SOFTPLUS, LINEAR(10), KL_BY(SUM), LINEAR_OF(2, 12), TANH, LINEAR(10), KL_BY(ELEMENTS)}},
    {"head_behind_a_cut",         {20, 1, 1},   {9, 4}, NORMAL,
     {LINEAR(17), SOFTPLUS, LINEAR(10), LOSS, LINEAR_OF(2, 12), TANH, LINEAR(10), LOSS}},
    {"heads_of_isolated_layers",  {20, 1, 1},   {9, 4}, NORMAL,
     {LINEAR(17), TANH, LINEAR(10), LOSS, LINEAR_OF(2, 12), TANH, LINEAR(10), LOSS, LINEAR_OF(6, 11), TANH, LINEAR(10), LOSS}},
    {"heads_of_squares",          {7, 1, 1},    {9, 4}, NORMAL,
     {LINEAR(3), SQUARES, LINEAR_OF(1, 3), TANH, SQUARES, LINEAR_OF(4, 3), SQUARES}},
    {"head_without_a_loss",       {20, 1, 1},   {9, 4}, NORMAL, {LINEAR(7), LOSS, LINEAR_OF(1, 7)}},
    /* cuts, which settings.c has, too */
    {"cut_in_a_chain",            {5, 7, 6},    {3, 2}, NORMAL, {CONV(17, 3, 1, 1), SOFTPLUS, CONV_BIAS(6, 3, 2, 1), TANH, CONV(4, 1, 1, 0)}},
    {"cut_at_the_input",          {5, 7, 6},    {3, 2}, NORMAL, {CONV(17, 3, 1, 1), SOFTPLUS, CONV(6, 3, 2, 1)}},
    {"cut_twice",                 {12, 1, 1},   {5, 2}, NORMAL, {LINEAR(9), TANH, LINEAR(8), TANH, LINEAR(10), LOSS}},
    {"cut_before_the_loss",       {12, 1, 1},   {5, 2}, NORMAL, {LINEAR(10), LOSS}},
    {"cut_before_the_last",       {16, 4, 4},   {3, 2}, NORMAL, {CONV(17, 3, 1, 1), BN, RELU, LINEAR(10), LOSS}},
    {"cut_of_a_shortcut",         {16, 4, 4},   {3, 2}, NORMAL,
     {CONV(16, 3, 1, 1), SOFTPLUS, CONV(16, 3, 1, 1), BN, TANH, ADD(2), SOFTPLUS, CONV(8, 1, 1, 0)}},
    {"cut_of_a_branch",           {16, 4, 4},   {3, 2}, NORMAL,
     {CONV(16, 3, 1, 1), SOFTPLUS, CONV(16, 3, 1, 1), BN, TANH, ADD(2), SOFTPLUS, CONV(8, 1, 1, 0)}},
    {"cut_before_a_join",         {16, 4, 4},   {3, 2}, NORMAL,
     {CONV(16, 3, 1, 1), BN, RELU, CONV(16, 3, 1, 1), BN, ADD(3), RELU, ADD(3), CONV(8, 3, 1, 1)}},
    {"cut_behind_a_norm",         {16, 4, 4},   {3, 2}, NORMAL, {CONV(17, 3, 1, 1), BN, RELU, CONV(8, 1, 1, 0)}},
    {"cut_before_a_norm",         {16, 4, 4},   {3, 2}, NORMAL, {CONV(17, 3, 1, 1), BN, RELU, CONV(8, 1, 1, 0)}},
    {"cut_and_objective",         {5, 7, 6},    {3, 2}, NORMAL, {CONV(17, 3, 1, 1), SOFTPLUS, CONV(6, 3, 2, 1)}},
    {"cut_of_a_divisor",          {9, 4, 3},    {3, 2}, NORMAL, {CONV(9, 3, 1, 1), SOFTPLUS, CONV_OF(0, 9, 3, 1, 1), DIVIDE(3, 2)}},
    {"cut_of_a_factor",           {6, 5, 5},    {3, 2}, NORMAL, {CONV(6, 3, 1, 1), CONV_OF(0, 6, 3, 1, 1), PRODUCT(1, 2)}},
    {"cut_of_one_edge_of_two",    {6, 5, 5},    {3, 2}, NORMAL, {CONV(6, 3, 1, 1), PRODUCT(1, 1)}},
    /* frozen parameters */
    {"frozen_conv",               {5, 7, 6},    {3, 2}, NORMAL, {CONV(17, 3, 1, 1), SOFTPLUS, CONV(6, 3, 2, 1)}},
    {"frozen_bias",               {5, 7, 6},    {3, 2}, NORMAL, {CONV_BIAS(17, 3, 1, 1), SOFTPLUS, CONV(6, 3, 2, 1)}},
    {"frozen_weight_not_bias",    {5, 7, 6},    {3, 2}, NORMAL, {CONV_BIAS(17, 3, 1, 1), SOFTPLUS, CONV(6, 3, 2, 1)}},
    {"frozen_linear",             {12, 1, 1},   {5, 2}, NORMAL, {LINEAR(9), TANH, LINEAR(10), LOSS}},
    {"frozen_norm",               {16, 4, 4},   {4, 3}, NORMAL, {CONV(17, 3, 1, 1), BN, SOFTPLUS, CONV(8, 1, 1, 0)}},
    {"frozen_norm_weight",        {16, 4, 4},   {4, 3}, NORMAL, {CONV(17, 3, 1, 1), BN, SOFTPLUS, CONV(8, 1, 1, 0)}},
    {"frozen_norm_bias",          {16, 4, 4},   {4, 3}, NORMAL, {CONV(17, 3, 1, 1), BN, SOFTPLUS, CONV(8, 1, 1, 0)}},
    {"frozen_norm_relu",          {16, 4, 4},   {3, 2}, NORMAL, {CONV(17, 3, 1, 1), BN, RELU, CONV(8, 1, 1, 0)}},
    {"frozen_join",               {16, 4, 4},   {3, 2}, NORMAL,
     {CONV(16, 3, 1, 1), BN, RELU, CONV(16, 3, 1, 1), BN, ADD(0), RELU, CONV(16, 3, 1, 1), ADD(7)}},
    {"frozen_layers",             {3, 8, 8},    {4, 3}, NORMAL,
     {CONV(16, 3, 1, 1), BN, SOFTPLUS, CONV(16, 3, 1, 1), BN, ADD(3), SOFTPLUS, GLOBAL, LINEAR(10), LOSS}},
    {"frozen_all",                {12, 1, 1},   {5, 2}, NORMAL, {LINEAR(9), TANH, LINEAR(10), LOSS}},
    /* whose labels backward takes */
    {"labels_predicted",          {64, 1, 1},   {16, 5}, NORMAL, {LINEAR(10), LOSS}},
    {"labels_both",               {64, 1, 1},   {16, 5}, NORMAL, {LINEAR(10), LOSS}},
    {"labels_both_of_sum",        {64, 1, 1},   {16, 5}, NORMAL, {LINEAR(10), LOSS_BY(SUM)}},
    {"labels_predicted_kl",       {64, 1, 1},   {16, 5}, NORMAL, {LINEAR(10), KL_BY(ELEMENTS)}},
    {"labels_of_squares",         {64, 1, 1},   {16, 5}, NORMAL, {LINEAR(10), SQUARES}},
};

/* clang-format on */

const rs_check_case *rs_check_cases(size_t *count)
{
    *count = sizeof cases / sizeof cases[0];
    return cases;
}
