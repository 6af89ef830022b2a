/* convolution.c: convolution by oneDNN, for each batch size three primitives: forward, gradient of the input,
 * gradients of weights and bias.
 *
 * Algorithm, by rule and the same in training and evaluation: with --convolution auto Winograd where it was
 * measured faster than direct in every pass (3x3, stride 1, at least 64 channels on both sides, maps of at
 * least 4x4: 1.5 to 2.7 times; 2x2 maps 2 times slower, 1x1 maps 27 times), else direct. Where
 * the library has no Winograd (backend.c) auto is direct, and asking for Winograd is refused.
 *
 * Of few input channels (fewer than 16 with AVX-512) the library's fast kernels take plain [N, C, H, W] alone; for blocked ones
 * it has its reference loops, some hundred times slower. Such an input is copied first, and for the gradient of the weights,
 * where it must be, that of the output, too. */
#include <stdio.h>
#include <string.h>

#include "plan.h"

/* A primitive with its arguments; the memory objects are owned. */
typedef struct run {
    dnnl_primitive_desc_t pd;
    dnnl_primitive_t primitive;
    dnnl_exec_arg_t args[6];
    int arg_count;
} run;

/* What a pass takes from plain copies, where the library has no fast way for it as it lies. */
typedef enum copied { NOTHING, SOURCE, SOURCE_AND_TARGET } copied;

/* Everything of one batch size. */
typedef struct sized {
    run pass[RS__CONV_PASSES];
    /* conversions of weights for forward and backward data, and of the weights' gradient */
    run convert[RS__CONV_PASSES];
    copied copies[RS__CONV_PASSES];
} sized;

typedef struct convolution {
    int sizes;
    sized size[RS_MAX_BATCH_SIZES];
    rs__md master, bias, forward_weights; /* layouts of the arena, the bias, the forward primitive */
    char implementation[RS__CONV_PASSES][40];
    /* Bytes in shared scratch, in this order. */
    size_t scratchpad, converted, summand, source, target;
} convolution;

static void run_release(run *r)
{
    for (int i = 0; i < r->arg_count; i++) {
        (void)dnnl_memory_destroy(r->args[i].memory);
    }
    if (r->primitive) {
        (void)dnnl_primitive_destroy(r->primitive);
    }
    if (r->pd) {
        (void)dnnl_primitive_desc_destroy(r->pd);
    }
    *r = (run){0};
}

static void conv_release(rs__op *op)
{
    convolution *conv = op->state;
    for (int s = 0; conv && s < conv->sizes; s++) {
        for (int p = 0; p < RS__CONV_PASSES; p++) {
            run_release(&conv->size[s].pass[p]);
            run_release(&conv->size[s].convert[p]);
        }
    }
    if (conv) {
        rs__md_destroy(conv->master);
        rs__md_destroy(conv->bias);
        rs__md_destroy(conv->forward_weights);
    }
    rs_free(conv);
    op->state = NULL;
}

static rs_status add_argument(rs_plan *plan, run *r, int argument, rs__md_view md, void *handle,
                              rs_error *error)
{
    RS_ASSERT(r->arg_count < (int)(sizeof r->args / sizeof r->args[0]));
    dnnl_memory_t memory;
    RS__DNN(error, dnnl_memory_create(&memory, md, plan->device->engine, handle));
    r->args[r->arg_count++] = (dnnl_exec_arg_t){argument, memory};
    return RS_OK;
}

static rs_status execute(rs_plan *plan, run *r, rs_error *error)
{
    RS__DNN(error, dnnl_primitive_execute(r->primitive, plan->device->stream, r->arg_count, r->args));
    return RS_OK;
}

/* Whether the rule wants Winograd for this node. */
static bool wants_winograd(const rs_plan *plan, const rs__op *op)
{
    const rs_node *node = rs__op_node(plan, op);
    const rs__tensor *in = &plan->tensors[op->input[0]];
    bool possible = node->attributes.kernel == 3 && node->attributes.stride == 1 && !in->plain;
    switch (plan->options.convolution) {
    case RS_CONVOLUTION_DIRECT:
        return false;
    case RS_CONVOLUTION_WINOGRAD:
        return possible;
    case RS_CONVOLUTION_AUTO:
    case RS_CONVOLUTION_SEARCH: /* refused before */
        break;
    }
    return possible && in->channels >= 64 && node->shape[0] >= 64 && in->height >= 4 && in->width >= 4;
}

static dnnl_format_tag_t block_tag(const rs_plan *plan)
{
    return plan->device->kernels->lanes == 16 ? dnnl_nChw16c : dnnl_nChw8c;
}

/* The descriptors of one problem; destroyed by problem_release. */
typedef struct problem {
    rs__conv_problem conv;
    rs__md src, dst, any;
    rs__md plain_src, plain_dst; /* as [N, C, H, W] */
} problem;

static void problem_release(problem *p)
{
    rs__md_destroy(p->src);
    rs__md_destroy(p->dst);
    rs__md_destroy(p->any);
    rs__md_destroy(p->plain_src);
    rs__md_destroy(p->plain_dst);
    if (p->conv.attributes) {
        (void)dnnl_primitive_attr_destroy(p->conv.attributes);
    }
}

static rs_status problem_make(rs_plan *plan, const rs__op *op, int size, problem *p, rs_error *error)
{
    const rs_node *node = rs__op_node(plan, op);
    const rs__tensor *in = &plan->tensors[op->input[0]], *out = &plan->tensors[op->output];
    const rs_node_attributes *a = &node->attributes;
    int64_t n = plan->options.batch_sizes[size];
    dnnl_dims_t src = {n, in->channels, in->height, in->width};
    dnnl_dims_t dst = {n, out->channels, out->height, out->width};
    dnnl_dims_t weights = {out->channels, in->channels, a->kernel, a->kernel};
    p->conv.engine = plan->device->engine;
    for (int d = 0; d < 2; d++) {
        p->conv.strides[d] = a->stride;
        p->conv.padding[d] = a->padding;
    }
    RS__DNN(error, dnnl_primitive_attr_create(&p->conv.attributes));
    RS__DNN(error, dnnl_primitive_attr_set_scratchpad_mode(p->conv.attributes, dnnl_scratchpad_mode_user));
    RS__DNN(error, rs__md_create(&p->src, 4, src, in->plain ? dnnl_nchw : block_tag(plan)));
    RS__DNN(error, rs__md_create(&p->plain_src, 4, src, dnnl_nchw));
    RS__DNN(error, rs__md_create(&p->plain_dst, 4, dst, dnnl_nchw));
    RS__DNN(error, rs__md_create(&p->dst, 4, dst, block_tag(plan)));
    RS__DNN(error, rs__md_create(&p->any, 4, weights, dnnl_format_tag_any));
    p->conv.src = p->src;
    p->conv.dst = p->dst;
    return RS_OK;
}

static bool is_naive(dnnl_primitive_desc_t pd)
{
    char name[40] = "";
    rs__pd_implementation(pd, name, sizeof name);
    return strncmp(name, "ref", 3) == 0;
}

/* A primitive descriptor for the problem, the first that the library has of: the wanted algorithm with the
 * given weights' layout, the same with a layout of its choice, direct with each. */
static rs_status choose(const rs_plan *plan, const rs__op *op, problem *p, rs__md_view weights,
                        dnnl_primitive_desc_t *pd, rs_error *error)
{
    bool winograd = wants_winograd(plan, op);
    dnnl_status_t status = dnnl_unimplemented;
    for (int attempt = winograd ? 0 : 2; attempt < 4; attempt++) {
        rs__md_view layout = attempt % 2 == 0 ? weights : p->any;
        if (!layout) {
            continue;
        }
        p->conv.algorithm = attempt < 2 ? dnnl_convolution_winograd : dnnl_convolution_direct;
        p->conv.weights = layout;
        dnnl_primitive_desc_t found = NULL;
        status = rs__conv_create(&p->conv, &found);
        if (status == dnnl_success) {
            /* the naive version takes every layout: rather convert the weights */
            if (!is_naive(found) || attempt == 3) {
                *pd = found;
                return RS_OK;
            }
            (void)dnnl_primitive_desc_destroy(found);
        }
    }
    return RS_FAIL(error, RS_DEVICE, "oneDNN has no convolution for %s (status %d)",
                   rs__op_node(plan, op)->name, (int)status);
}

/* The same; where only the naive version takes input and output as they lie, the first that takes copies of them. */
static rs_status choose_copies(const rs_plan *plan, const rs__op *op, problem *p, rs__md_view weights,
                               dnnl_primitive_desc_t *pd, copied *copies, rs_error *error)
{
    const copied most = p->conv.pass == RS__FORWARD            ? SOURCE
                        : p->conv.pass == RS__BACKWARD_WEIGHTS ? SOURCE_AND_TARGET
                                                               : NOTHING;
    *copies = NOTHING;
    RS_TRY(choose(plan, op, p, weights, pd, error));
    for (int c = SOURCE; c <= (int)most && is_naive(*pd); c++) {
        rs_error ignored = {0};
        dnnl_primitive_desc_t other = NULL;
        p->conv.src = p->plain_src;
        p->conv.dst = c == SOURCE_AND_TARGET ? p->plain_dst : p->dst;
        if (choose(plan, op, p, weights, &other, &ignored) == RS_OK && !is_naive(other)) {
            (void)dnnl_primitive_desc_destroy(*pd);
            *pd = other;
            *copies = (copied)c;
        } else if (other) {
            (void)dnnl_primitive_desc_destroy(other);
        }
        p->conv.src = p->src;
        p->conv.dst = p->dst;
    }
    return RS_OK;
}

/* The layout of the weights in the arena: the forward primitive's where it has no padding. */
static rs_status choose_master(rs_plan *plan, const rs__op *op, convolution *conv, rs_error *error)
{
    rs__md_view wanted = rs__pd_md(conv->size[0].pass[RS__FORWARD].pd, dnnl_query_weights_md);
    rs__parameter *parameter = &plan->parameters[rs__op_node(plan, op)->weight];
    rs__blocking blocking;
    bool dense = rs__md_blocking(wanted, &blocking) &&
                 rs__md_bytes(wanted) == (size_t)parameter->count * sizeof(float);
    RS__DNN(error, rs__md_clone(&conv->forward_weights, wanted));
    if (dense) {
        RS__DNN(error, rs__md_clone(&conv->master, wanted));
        return rs__order_make(&parameter->order, &blocking, error);
    }
    const rs_shape *shape = &plan->network->parameters[rs__op_node(plan, op)->weight].shape;
    dnnl_dims_t dims = {shape->dim[0], shape->dim[1], shape->dim[2], shape->dim[3]};
    RS__DNN(error, rs__md_create(&conv->master, 4, dims, dnnl_oihw));
    return RS_OK;
}

static dnnl_query_t weights_query(rs__conv_pass pass)
{
    return pass == RS__BACKWARD_WEIGHTS ? dnnl_query_diff_weights_md : dnnl_query_weights_md;
}

/* Makes the conversion between the arena's layout and the pass's, where they differ. */
static rs_status prepare_conversion(rs_plan *plan, rs__op *op, convolution *conv, int size, int pass,
                                    rs_error *error)
{
    sized *s = &conv->size[size];
    rs__md_view used = rs__pd_md(s->pass[pass].pd, weights_query((rs__conv_pass)pass));
    if (rs__md_equal(used, conv->master)) {
        return RS_OK;
    }
    bool out = pass == RS__BACKWARD_WEIGHTS;
    dnnl_engine_t engine = plan->device->engine;
    run *r = &s->convert[pass];
    RS__DNN(error, dnnl_reorder_primitive_desc_create(&r->pd, out ? used : conv->master, engine,
                                                      out ? conv->master : used, engine, NULL));
    RS__DNN(error, dnnl_primitive_create(&r->primitive, r->pd));
    size_t bytes = rs__round64(rs__md_bytes(used));
    conv->converted = bytes > conv->converted ? bytes : conv->converted;
    op->reorders += size == 0;
    return RS_OK;
}

static bool has_gradient(const rs_plan *plan, int parameter)
{
    return parameter >= 0 && plan->parameters[parameter].reached;
}

static bool runs_pass(const rs_plan *plan, const rs__op *op, int pass)
{
    const rs_node *node = rs__op_node(plan, op);
    if (pass == RS__FORWARD) {
        return true;
    }
    bool wanted = pass == RS__BACKWARD_DATA
                      ? op->pass[0] != RS_PASS_NONE
                      : has_gradient(plan, node->weight) || has_gradient(plan, node->bias);
    return plan->options.training && op->needed && wanted;
}

static rs_status prepare_pass(rs_plan *plan, rs__op *op, convolution *conv, int size, int pass, problem *p,
                              rs_error *error)
{
    run *r = &conv->size[size].pass[pass];
    p->conv.pass = (rs__conv_pass)pass;
    p->conv.hint = pass == RS__FORWARD ? NULL : conv->size[size].pass[RS__FORWARD].pd;
    p->conv.bias = pass == RS__BACKWARD_DATA ? NULL : conv->bias;
    rs__md blocked = NULL;
    if (pass == RS__BACKWARD_DATA && plan->tensors[op->input[0]].plain) {
        dnnl_dims_t dims = {plan->options.batch_sizes[size], plan->tensors[op->input[0]].channels,
                            plan->tensors[op->input[0]].height, plan->tensors[op->input[0]].width};
        RS__DNN(error, rs__md_create(&blocked, 4, dims, block_tag(plan)));
        p->conv.src = blocked;
    }
    rs__md_view layout = pass == RS__FORWARD ? conv->forward_weights : conv->master;
    copied *copies = &conv->size[size].copies[pass];
    rs_status status = choose_copies(plan, op, p, layout, &r->pd, copies, error);
    rs__md_destroy(blocked);
    p->conv.src = p->src;
    RS_TRY(status);
    RS__DNN(error, dnnl_primitive_create(&r->primitive, r->pd));
    size_t bytes = rs__round64(rs__md_bytes(rs__pd_md(r->pd, dnnl_query_scratchpad_md)));
    conv->scratchpad = bytes > conv->scratchpad ? bytes : conv->scratchpad;
    op->reorders += size == 0 ? (int)*copies : 0;
    if (size == 0) {
        rs__pd_implementation(r->pd, conv->implementation[pass], sizeof conv->implementation[pass]);
    }
    if (pass == RS__FORWARD && size == 0) {
        RS_TRY(choose_master(plan, op, conv, error));
    }
    return prepare_conversion(plan, op, conv, size, pass, error);
}

static rs_status prepare_size(rs_plan *plan, rs__op *op, convolution *conv, int size, rs_error *error)
{
    problem p = {0};
    rs_status status = problem_make(plan, op, size, &p, error);
    for (int pass = 0; status == RS_OK && pass < RS__CONV_PASSES; pass++) {
        if (runs_pass(plan, op, pass)) {
            status = prepare_pass(plan, op, conv, size, pass, &p, error);
        }
    }
    problem_release(&p);
    return status;
}

/* Bytes of the plain copy of a tensor, for the largest batch. */
static size_t plain_bytes(const rs_plan *plan, const rs__tensor *t)
{
    const int64_t floats = rs__largest_batch(plan) * t->channels * t->height * t->width;
    return rs__round64((size_t)floats * sizeof(float));
}

/* Room for the copies that any pass of any size takes. */
static void size_copies(const rs_plan *plan, const rs__op *op, convolution *conv)
{
    copied most = NOTHING;
    for (int i = 0; i < conv->sizes * RS__CONV_PASSES; i++) {
        const copied one = conv->size[i / RS__CONV_PASSES].copies[i % RS__CONV_PASSES];
        most = one > most ? one : most;
    }
    conv->source = most >= SOURCE && !plan->tensors[op->input[0]].plain
                       ? plain_bytes(plan, &plan->tensors[op->input[0]])
                       : 0;
    conv->target = most == SOURCE_AND_TARGET ? plain_bytes(plan, &plan->tensors[op->output]) : 0;
}

static rs_status conv_prepare(rs_plan *plan, rs__op *op, rs_error *error)
{
    convolution *conv = rs_alloc_array(1, sizeof *conv);
    if (!conv) {
        return RS_FAIL(error, RS_MEMORY, "no memory for the convolution %s", rs__op_node(plan, op)->name);
    }
    op->state = conv;
    conv->sizes = plan->options.batch_size_count;
    if (rs__op_node(plan, op)->bias >= 0) {
        dnnl_dims_t dims = {rs__op_node(plan, op)->shape[0]};
        RS__DNN(error, rs__md_create(&conv->bias, 1, dims, dnnl_a));
    }
    for (int size = 0; size < conv->sizes; size++) {
        RS_TRY(prepare_size(plan, op, conv, size, error));
    }
    const rs__tensor *in = &plan->tensors[op->input[0]];
    if (op->pass[0] == RS_PASS_ADD && !op->defers) {
        conv->summand = rs__round64((size_t)(rs__largest_batch(plan) * in->blocks *
                                             plan->device->kernels->lanes * in->height * in->width) *
                                    sizeof(float));
    }
    size_copies(plan, op, conv);
    op->shared_bytes = conv->scratchpad + conv->converted + conv->summand + conv->source + conv->target;
    return RS_OK;
}

/* Parts of shared scratch. */
static void *converted_at(const rs_plan *plan, const convolution *conv)
{
    return (char *)plan->shared + conv->scratchpad;
}

static float *summand_at(const rs_plan *plan, const convolution *conv)
{
    return (float *)((char *)plan->shared + conv->scratchpad + conv->converted);
}

static float *source_at(const rs_plan *plan, const convolution *conv)
{
    return (float *)((char *)plan->shared + conv->scratchpad + conv->converted + conv->summand);
}

static float *target_at(const rs_plan *plan, const convolution *conv)
{
    return source_at(plan, conv) + conv->source / sizeof(float);
}

static rs_status bind_conversion(rs_plan *plan, const convolution *conv, run *r, rs__md_view used,
                                 float *arena, bool out, rs_error *error)
{
    void *converted = converted_at(plan, conv);
    RS_TRY(add_argument(plan, r, DNNL_ARG_FROM, out ? used : conv->master, out ? converted : (void *)arena,
                        error));
    return add_argument(plan, r, DNNL_ARG_TO, out ? conv->master : used, out ? (void *)arena : converted,
                        error);
}

static rs_status bind_pass(rs_plan *plan, rs__op *op, sized *s, int pass, rs_error *error)
{
    const convolution *conv = op->state;
    const rs_node *node = rs__op_node(plan, op);
    const rs__tensor *in = &plan->tensors[op->input[0]], *out = &plan->tensors[op->output];
    run *r = &s->pass[pass];
    bool gradients = pass == RS__BACKWARD_WEIGHTS;
    float *arena = (gradients ? plan->gradient : plan->value) + plan->parameters[node->weight].offset;
    rs__md_view used = rs__pd_md(r->pd, weights_query((rs__conv_pass)pass));
    void *weights = arena;
    if (s->convert[pass].pd) {
        RS_TRY(bind_conversion(plan, conv, &s->convert[pass], used, arena, gradients, error));
        weights = converted_at(plan, conv);
    }
    RS_TRY(add_argument(plan, r, gradients ? DNNL_ARG_DIFF_WEIGHTS : DNNL_ARG_WEIGHTS, used, weights, error));
    if (pass == RS__BACKWARD_DATA) {
        float *to = op->defers                   ? in->addend
                    : op->pass[0] == RS_PASS_ADD ? summand_at(plan, conv)
                                                 : in->gradient;
        RS_TRY(add_argument(plan, r, DNNL_ARG_DIFF_SRC, rs__pd_md(r->pd, dnnl_query_diff_src_md), to, error));
    } else {
        float *from = s->copies[pass] && !in->plain ? source_at(plan, conv)
                      : gradients                   ? in->again
                                                    : in->value;
        RS_TRY(add_argument(plan, r, DNNL_ARG_SRC, rs__pd_md(r->pd, dnnl_query_src_md), from, error));
    }
    bool forward = pass == RS__FORWARD;
    RS_TRY(add_argument(plan, r, forward ? DNNL_ARG_DST : DNNL_ARG_DIFF_DST,
                        rs__pd_md(r->pd, forward ? dnnl_query_dst_md : dnnl_query_diff_dst_md),
                        forward                                ? out->value
                        : s->copies[pass] == SOURCE_AND_TARGET ? target_at(plan, conv)
                                                               : out->gradient,
                        error));
    if (conv->bias && pass != RS__BACKWARD_DATA) {
        float *bias = (gradients ? plan->gradient : plan->value) + plan->parameters[node->bias].offset;
        RS_TRY(
            add_argument(plan, r, gradients ? DNNL_ARG_DIFF_BIAS : DNNL_ARG_BIAS, conv->bias, bias, error));
    }
    return add_argument(plan, r, DNNL_ARG_SCRATCHPAD, rs__pd_md(r->pd, dnnl_query_scratchpad_md),
                        plan->shared, error);
}

static rs_status conv_bind(rs_plan *plan, rs__op *op, rs_error *error)
{
    convolution *conv = op->state;
    for (int size = 0; size < conv->sizes; size++) {
        for (int pass = 0; pass < RS__CONV_PASSES; pass++) {
            if (conv->size[size].pass[pass].pd) {
                RS_TRY(bind_pass(plan, op, &conv->size[size], pass, error));
            }
        }
    }
    return RS_OK;
}

/* Makes the copies that the pass takes. */
static void copy_plain(rs_plan *plan, const rs__op *op, int pass)
{
    const convolution *conv = op->state;
    const copied copies = conv->size[plan->size_index].copies[pass];
    const rs__tensor *in = &plan->tensors[op->input[0]], *out = &plan->tensors[op->output];
    if (copies >= SOURCE && !in->plain) {
        rs__tensor_copy(plan, in, false, RS__TO_CANONICAL, pass == RS__FORWARD ? in->value : in->again,
                        source_at(plan, conv), plan->count);
    }
    if (copies == SOURCE_AND_TARGET) {
        rs__tensor_copy(plan, out, false, RS__TO_CANONICAL, out->gradient, target_at(plan, conv),
                        plan->count);
    }
}

/* Converts where the pass needs it, and runs it. */
static rs_status run_pass(rs_plan *plan, rs__op *op, int pass, rs_error *error)
{
    convolution *conv = op->state;
    sized *s = &conv->size[plan->size_index];
    bool converts = s->convert[pass].pd != NULL;
    copy_plain(plan, op, pass);
    if (converts && pass != RS__BACKWARD_WEIGHTS) {
        RS_TRY(execute(plan, &s->convert[pass], error));
    }
    RS_TRY(execute(plan, &s->pass[pass], error));
    if (converts && pass == RS__BACKWARD_WEIGHTS) {
        RS_TRY(execute(plan, &s->convert[pass], error));
    }
    return RS_OK;
}

static rs_status conv_forward(rs_plan *plan, rs__op *op, rs_mode mode, rs_error *error)
{
    (void)mode;
    return run_pass(plan, op, RS__FORWARD, error);
}

/* The library computes both: of a frozen one it is dropped. */
static void drop_gradient(rs_plan *plan, int parameter)
{
    if (parameter >= 0 && !plan->parameters[parameter].reached) {
        const rs__parameter *p = &plan->parameters[parameter];
        memset(plan->gradient + p->offset, 0, (size_t)p->count * sizeof(float));
    }
}

static rs_status weights_backward(rs_plan *plan, rs__op *op, rs_error *error)
{
    double begin = rs__timer_begin(plan);
    RS_TRY(run_pass(plan, op, RS__BACKWARD_WEIGHTS, error));
    drop_gradient(plan, rs__op_node(plan, op)->weight);
    drop_gradient(plan, rs__op_node(plan, op)->bias);
    rs__timer_end(plan, op, RS__TIMED_WEIGHTS, begin);
    return RS_OK;
}

static rs_status conv_backward(rs_plan *plan, rs__op *op, rs_error *error)
{
    if (runs_pass(plan, op, RS__BACKWARD_WEIGHTS)) {
        RS_TRY(weights_backward(plan, op, error));
    }
    if (op->pass[0] == RS_PASS_NONE) {
        return RS_OK;
    }
    double begin = rs__timer_begin(plan);
    RS_TRY(run_pass(plan, op, RS__BACKWARD_DATA, error));
    if (op->pass[0] == RS_PASS_ADD && !op->defers) {
        const rs__tensor *in = &plan->tensors[op->input[0]];
        rs__elements_pass(plan, in, summand_at(plan, op->state), in->gradient, RS_PASS_ADD);
    }
    rs__timer_end(plan, op, RS__TIMED_DATA, begin);
    return RS_OK;
}

static void conv_describe(const rs__op *op, char *text, size_t capacity)
{
    const convolution *conv = op->state;
    (void)snprintf(text, capacity, "%s | %s | %s", conv->implementation[RS__FORWARD],
                   conv->implementation[RS__BACKWARD_DATA][0] ? conv->implementation[RS__BACKWARD_DATA] : "-",
                   conv->implementation[RS__BACKWARD_WEIGHTS][0] ? conv->implementation[RS__BACKWARD_WEIGHTS]
                                                                 : "-");
}

const rs__op_class rs__op_convolution = {
    .prepare = conv_prepare,
    .bind = conv_bind,
    .forward = conv_forward,
    .backward = conv_backward,
    .release = conv_release,
    .describe = conv_describe,
    .times_itself = true,
    .needs_input = true,
};
