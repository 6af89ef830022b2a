/* rs/network.h: a network as a static graph of named nodes, independent of any backend.
 *
 * Nodes stand in topological order: the inputs of a node have lower indices. Node 0 is the input (C, H, W of
 * one sample), the last node the loss. Shapes leave the batch dimension N out. Every feature map is C, H, W;
 * a vector is C, 1, 1. Forward (y) and backward (dy: the gradient of y) of each operator, per sample unless
 * said:
 *
 *   convolution     y[k] = sum_c x[c] * w[k,c] (cross-correlation) (+ b[k])
 *                   dx = dy * rot180(w), dw = sum_n x * dy, db = sum_n,h,w dy
 *   batch_norm      training: y = w xhat + b, xhat = (x - m) / sqrt(v + eps), with m and v (biased) over
 *                   N, H, W of the batch; n of them: running = (1 - momentum) running + momentum {m, v n/(n-1)};
 *                   n = 1 leaves the variance biased
 *                   db = sum dy, dw = sum dy xhat, dx = w / sqrt(v + eps) (dy - db / n - xhat dw / n)
 *                   evaluation: m and v are the running statistics; dx = w dy / sqrt(v + eps)
 *   relu            y = max(x, 0)
 *                   dx = dy [x > 0]
 *   softplus        y = ln(1 + e^x)
 *                   dx = dy / (1 + e^-x)
 *   sigmoid         y = 1 / (1 + e^-x)
 *                   dx = dy y (1 - y)
 *   tanh            y = tanh x
 *                   dx = dy (1 - y^2)
 *   softmax         y[c] = e^x[c] / sum_k e^x[k], over the channels at every place
 *                   dx[c] = y[c] (dy[c] - sum_k dy[k] y[k])
 *   row_normalize   y[c] = x[c] / s, s = sum_k x[k], over the channels at every place; s = 0 gives what IEEE gives
 *                   dx[c] = (dy[c] - sum_k dy[k] y[k]) / s
 *   flatten         y = x as a vector, in C, H, W order
 *                   dx = dy
 *   repeat          the input's size along `axis` (0: C, 1: H, 2: W) is 1; y holds it `times` times along that axis
 *                   dx = sum of dy along the axis
 *   dropout         training: y = x m / (1 - rate), m in {0, 1}: 0 with probability rate, a function of (seed, node,
 *                   epoch, sample, element); 0 where m is, whatever x
 *                   dx = dy m / (1 - rate)
 *                   evaluation: y = x, dx = dy
 *   add             y = a + b
 *                   da = dy, db = dy
 *   divide          y = a / b, element by element
 *                   da = dy / b, db = -dy a / b^2
 *   matrix_product  a [C, H, K] and b [C, K, W]: y[c] = a[c] b[c], [C, H, W]
 *                   da[c] = dy[c] b[c]^T, db[c] = a[c]^T dy[c]
 *   max_pool        y = max over the window; padding never wins
 *                   the first of equals (row-major) takes dy
 *   average_pool    y = sum over the window / (kernel_h kernel_w); padding counts as zeros (PyTorch's default)
 *                   dx = sum over the windows x is in of dy / (kernel_h kernel_w)
 *   global_average_pool
 *                   y[c] = mean over H, W
 *                   dx = dy / (H W)
 *   linear          y = W x + b, x flattened in C, H, W order
 *                   dW = sum_n dy x^T, db = sum_n dy, dx = W^T dy
 *   softmax_cross_entropy
 *                   loss = r sum_n(-ln softmax(x)[label]), correct = [first argmax x = label]
 *                   dx = r (softmax(x) - onehot(label)); r by the node's reduction: mean 1 / N, sum 1,
 *                   elements 1 / (N classes)
 *   kl_divergence   of the one-hot label from softmax(x), PyTorch's KLDivLoss on log_softmax: its value is that of
 *                   softmax_cross_entropy, and so are correct and dx; KLDivLoss's own default is `elements`
 *   mean_squared_error
 *                   loss = r sum (x - target)^2 over samples and elements; r: mean and elements 1 / (N elements), sum 1
 *                   dx = 2 r (x - target); correct = 0
 *
 * A network has one loss of its own, its last node. Other loss nodes (heads on the way) are computed with it; they
 * count by an objective (rs/backend.h). */
#ifndef RS_NETWORK_H
#define RS_NETWORK_H

#include <stdbool.h>
#include <stdint.h>

#include "rs/status.h"
#include "rs/tensor.h"

typedef enum rs_op_kind {
#define X(name, text, inputs) RS_OP_##name,
#include "rs/ops.def"
#undef X
    RS_OP_KINDS
} rs_op_kind;
const char *rs_op_name(rs_op_kind kind); /* "batch_norm" */
int rs_op_inputs(rs_op_kind kind);
bool rs_op_is_loss(rs_op_kind kind);

typedef enum rs_initializer {
    RS_INIT_ZERO,
    RS_INIT_ONE,
    RS_INIT_KAIMING_NORMAL_FAN_OUT, /* N(0, 2 / fan_out): ReLU gain */
    /* U(-1/sqrt(fan_in), 1/sqrt(fan_in)): PyTorch's default of linear and convolution, weight and bias */
    RS_INIT_UNIFORM_FAN_IN,
    RS_INIT_KAIMING_UNIFORM, /* U(-b, b), b = sqrt(6 / fan_in): ReLU gain */
    RS_INIT_KAIMING_NORMAL,  /* N(0, 2 / fan_in) */
    RS_INIT_XAVIER_UNIFORM,  /* U(-b, b), b = sqrt(6 / (fan_in + fan_out)) */
    RS_INIT_XAVIER_NORMAL,   /* N(0, 2 / (fan_in + fan_out)) */
    RS_INIT_NORMAL           /* N(0, std^2) */
} rs_initializer;

typedef enum rs_parameter_role {
    RS_ROLE_WEIGHT,       /* convolution [out, in, kh, kw], linear [out, in], batch norm [C] */
    RS_ROLE_BIAS,         /* [out] or [C] */
    RS_ROLE_RUNNING_MEAN, /* [C], a buffer: no gradient, no update by the optimizer */
    RS_ROLE_RUNNING_VARIANCE
} rs_parameter_role;

/* A trainable parameter or a buffer. Names are torchvision's: "layer3.2.conv1.weight". */
typedef struct rs_parameter {
    char name[RS_NAME_MAX];
    rs_parameter_role role;
    rs_shape shape; /* canonical */
    int64_t count;
    rs_initializer initializer;
    double std; /* of RS_INIT_NORMAL */
    int64_t fan_in, fan_out;
    bool head; /* of a classifier beside the network: trained, recorded, not counted among its parameters */
    int node;  /* that uses it */
    int layer; /* index into layers */
    int block; /* whose distance it counts in, or -1 */
} rs_parameter;

/* How a loss sums up over the batch. */
typedef enum rs_reduction { RS_REDUCTION_MEAN, RS_REDUCTION_SUM, RS_REDUCTION_ELEMENTS } rs_reduction;

/* What a node does. Unused fields are 0. */
typedef struct rs_node_attributes {
    int64_t channels;            /* out channels of convolution, features of linear */
    int kernel, stride, padding; /* square windows of convolution and pooling */
    bool bias;                   /* convolution, linear */
    double epsilon, momentum;    /* batch_norm */
    double rate;                 /* dropout: what share is left out, in [0, 1) */
    int axis;                    /* repeat: 0 C, 1 H, 2 W */
    int64_t times;               /* repeat */
    rs_reduction reduction;      /* losses */
} rs_node_attributes;

typedef struct rs_node {
    char name[RS_NAME_MAX]; /* "layer1.0.conv1", unique */
    rs_op_kind kind;
    rs_node_attributes attributes;
    int input[2];                       /* node indices */
    int64_t shape[3];                   /* C, H, W of the output; of the loss 1, 1, 1 */
    int weight, bias;                   /* parameter indices or -1 */
    int running_mean, running_variance; /* buffer indices or -1 */
    int layer;                          /* index into layers */
    char unit[RS_NAME_MAX];             /* the unit it belongs to: its own name where it is one by itself */
    bool head;                          /* of a classifier beside the network */
} rs_node;

/* A named module that users speak of: "conv1", "layer1.0.bn2", "fc". */
typedef struct rs_layer {
    char name[RS_NAME_MAX];
    rs_op_kind kind;
    int node;
} rs_layer;

/* A block whose movement is measured. */
typedef struct rs_block {
    char name[RS_NAME_MAX]; /* "layer1.0" */
    int depth;              /* 1 .. block_count from the input */
    int64_t weights;        /* number of weights that count */
} rs_block;

/* Read-only once built. */
typedef struct rs_network {
    char name[RS_NAME_MAX]; /* "resnet68-plain" */
    int classes;
    int node_count, parameter_count, buffer_count, layer_count, block_count;
    rs_node *nodes;
    rs_parameter *parameters; /* trainable, in torchvision's order */
    rs_parameter *buffers;    /* running statistics */
    rs_layer *layers;
    rs_block *blocks;
    int64_t weight_count; /* sum of the parameters' counts, without heads */
    char *source;         /* text of the file it was built from; NULL: from none */
    int made_for[3];      /* channels, height, width of that file's example; 0: it has none */
} rs_network;

/* Building: create with the input's shape, add nodes in order, finish. rs_network_add checks the shape and
 * names the node in its error (USAGE); it returns the new node's index through *node. Parameters are named
 * NODE.weight, NODE.bias, NODE.running_mean, NODE.running_var. The caller owns the network. */
rs_status rs_network_create(const char *name, int64_t channels, int64_t height, int64_t width, int classes,
                            rs_network **network, rs_error *error);
typedef struct rs_node_spec {
    const char *name;
    rs_op_kind kind;
    rs_node_attributes attributes;
    int input[2];
    int block; /* index of the block its parameters count in, or -1 */
    rs_initializer weight_initializer, bias_initializer;
    double weight_std, bias_std; /* of RS_INIT_NORMAL */
    bool head;                   /* it belongs to a classifier beside the network, its parameters too */
    const char *unit;            /* unit that it is part of; NULL: one by itself */
} rs_node_spec;
rs_status rs_network_add(rs_network *network, const rs_node_spec *spec, int *node, rs_error *error);
rs_status rs_network_add_block(rs_network *network, const char *name, int *block, rs_error *error);
/* Checks that the last node is a loss (or, for operator cases, any node) and fills the counts. */
rs_status rs_network_finish(rs_network *network, rs_error *error);
void rs_network_destroy(rs_network *network); /* takes NULL */

int rs_network_find_node(const rs_network *network, const char *name);      /* -1 when there is none */
int rs_network_find_parameter(const rs_network *network, const char *name); /* -1 when there is none */

/* --- units and heads ----------------------------------------------------------------------------------------
 * A unit is what experiments with isolated layers and per-layer losses call a layer: every module by itself (linear,
 * convolution, ReLU, dropout, pooling, flatten ..), a named block as a whole; of the ResNets the stem, each block, and
 * the average pool with fc. Losses, heads and the input belong to none. */
typedef struct rs_edge {
    int node, input; /* the edge into input number `input` (0 or 1) of `node` */
} rs_edge;
typedef struct rs_unit {
    char name[RS_NAME_MAX];
    int node; /* whose output is the unit's: its last node */
    int first_edge,
        edge_count; /* in rs_units.edges: what enters it from other units; none from the input alone */
} rs_unit;
typedef struct rs_units {
    int count;
    rs_unit *units; /* from the input to the loss */
    int edge_count;
    rs_edge *
        edges; /* by unit: all of them cut isolates every unit; the loss's own edge {last node, 0} is not there */
} rs_units;
/* The units of a finished network. Free with rs_units_release (takes one that is all 0, or released). MEMORY. */
rs_status rs_network_layers(const rs_network *network, rs_units *units, rs_error *error);
void rs_units_release(rs_units *units);

/* Gives units classifiers of their own, behind all other nodes but before the last loss (whose index grows; units, and
 * indices of what was there, stay): heads.UNIT.pool (global_average_pool, where the output is a map) -> heads.UNIT
 * (linear, PyTorch's default initialisation) -> heads.UNIT.loss (softmax_cross_entropy). chosen[units->count]: which;
 * NULL: all but the last. losses[units->count]: the index of each head's loss node, -1 without a head; may be NULL.
 * USAGE: the network ends in no loss, has fewer than two classes, has such heads already. After a failure the network is
 * good for rs_network_destroy only. */
rs_status rs_network_add_heads(rs_network *network, const rs_units *units, const bool *chosen, int *losses,
                               rs_error *error);

/* "layer1.0.conv1  convolution  128x8x8  147456": name, kind, output shape and number of parameters, in columns: how every
 * backend begins a node's line in its plan. */
void rs_node_describe(const rs_network *network, int node, char *text, size_t capacity);

/* Floating-point operations of one sample's forward pass: 2 per multiply-add of convolutions, linear
 * layers and matrix products. */
int64_t rs_network_flops(const rs_network *network);

/* Initial value of a parameter or buffer, canonical order, a function of (seed, name) alone. */
void rs_parameter_initialize(const rs_parameter *parameter, uint64_t seed, float *values);

/* --- ResNets of study A
 * ---------------------------------------------------------------------------------------- */
typedef struct rs_resnet_options {
    int depth;                            /* 18 26 34 50 68 101: chooses block kind and counts */
    bool plain;                           /* no shortcuts */
    bool standard;                        /* standard width; false: even */
    int blocks[4];                        /* blocks per stage; all 0: the depth's own */
    int channels, height, width, classes; /* of the data */
    bool smooth; /* for comparing arithmetic only: softplus for ReLU, average for max pooling */
} rs_resnet_options;
rs_status rs_resnet_build(const rs_resnet_options *options, rs_network **network, rs_error *error);

/* --- networks from files, named networks ------------------------------------------------------------------------
 * networks/README.md has the format of the files. */
typedef struct rs_network_options {
    int channels, height, width, classes; /* of the data; classes: or numbers in a target */
    bool targets;                         /* the data has targets, no labels */
    const char *loss;                     /* "auto", "cross-entropy", "kl-divergence", "mse" */
    const char *reduction;                /* "mean", "sum", "elements" */
    double dropout;                       /* rate of every dropout layer, or -1: the network's own */
    const char *initialization; /* of all weights of convolutions and linear layers; "own", "default" .. */
    double initialization_std;  /* of "normal" */
} rs_network_options;
/* What holds where nobody says anything, for data of that shape and labels of that many classes. */
rs_network_options rs_network_options_default(int channels, int height, int width, int classes);

/* The network that a text describes; its name is that of `place` without folder and .yaml. Errors begin with
 * place:line and name the layer. The network keeps a copy of the text (source). USAGE; MEMORY. The caller's. */
rs_status rs_network_from_yaml(const char *text, size_t length, const char *place,
                               const rs_network_options *options, rs_network **network, rs_error *error);
/* From a file, or one of the program's own by its name; which of them a text is: rs_yaml_is_path. DATA: the file
 * cannot be read. USAGE: unknown name, with the nearest; else as above. */
rs_status rs_network_named(const char *name_or_file, const rs_network_options *options, rs_network **network,
                           rs_error *error);
/* Loss, dropout and initialisation of `options` for a network that was built otherwise and ends in a loss
 * (rs_resnet_build). USAGE: they do not go together. */
rs_status rs_network_adjust(rs_network *network, const rs_network_options *options, rs_error *error);

/* The program's own networks, by name in natural order of their numbers. */
int rs_network_name_count(void);
const char *rs_network_name_at(int index);
/* The text of that network; NULL when there is none of that name. */
const char *rs_network_source(const char *name);
/* Whether it is a file's name (which need not be there) or a network of the program's own: USAGE, with the nearest. */
rs_status rs_network_check_name(const char *name_or_file, rs_error *error);

/* The command `networks [NAME|FILE] [--yaml]`; argv[0] is "networks". Returns the exit status of the program. */
int rs_command_networks(int argc, char **argv);

#endif
