/* small_primitives.c: see small_primitives.h. */
#include <omp.h>
#include <string.h>

#include "small_primitives.h"

bool rs__small_has_gradient(const rs_plan *plan, int parameter)
{
    return parameter >= 0 && plan->parameters[parameter].reached;
}

bool rs__small_runs(const rs_plan *plan, const rs__op *op, int pass)
{
    const rs_node *node = rs__op_node(plan, op);
    bool wanted = pass == RS__BACKWARD_DATA ? op->pass[0] != RS_PASS_NONE
                                            : rs__small_has_gradient(plan, node->weight) ||
                                                  rs__small_has_gradient(plan, node->bias);
    return pass == RS__FORWARD || (plan->options.training && op->needed && wanted);
}

bool rs__small_has_bias(const rs_plan *plan, const rs__op *op)
{
    return rs__op_node(plan, op)->bias >= 0;
}

static void made_release(rs__made *m)
{
    if (m->primitive) {
        (void)dnnl_primitive_destroy(m->primitive);
    }
    if (m->pd) {
        (void)dnnl_primitive_desc_destroy(m->pd);
    }
    *m = (rs__made){0};
}

static void release_arguments(dnnl_exec_arg_t *arguments, int count)
{
    for (int i = 0; i < count; i++) {
        if (arguments[i].memory) {
            (void)dnnl_memory_destroy(arguments[i].memory);
        }
    }
}

void rs__small_release(rs__op *op)
{
    rs__small *s = op->state;
    for (int t = 0; s && s->callers && t < s->threads; t++) {
        release_arguments(&s->callers[t].arguments[0][0][0], RS__SIZES * RS__CONV_PASSES * RS__ARGUMENTS);
        if (s->callers[t].stream) {
            (void)dnnl_stream_destroy(s->callers[t].stream);
        }
    }
    for (int pass = 0; s && pass < RS__CONV_PASSES; pass++) {
        made_release(&s->pass[RS__TILED][pass]);
        made_release(&s->pass[RS__SINGLE][pass]);
    }
    if (s) {
        made_release(&s->turn);
        release_arguments(s->turned, 2);
        rs__order_release(&s->order);
        rs_free(s->callers);
    }
    rs_free(s);
    op->state = NULL;
}

/* The descriptors of one problem. */
typedef struct problem {
    rs__conv_problem conv;
    rs__md src, blocked, weights, any, bias, dst;
} problem;

static void problem_release(problem *p)
{
    rs__md_destroy(p->src);
    rs__md_destroy(p->blocked);
    rs__md_destroy(p->weights);
    rs__md_destroy(p->any);
    rs__md_destroy(p->bias);
    rs__md_destroy(p->dst);
    if (p->conv.attributes) {
        (void)dnnl_primitive_attr_destroy(p->conv.attributes);
    }
}

static rs_status problem_make(const rs_plan *plan, const rs__op *op, int64_t samples, problem *p,
                              rs_error *error)
{
    const rs_node *node = rs__op_node(plan, op);
    const rs_node_attributes *a = &node->attributes;
    const rs__tensor *in = &plan->tensors[op->input[0]];
    const dnnl_format_tag_t tag = plan->device->kernels->lanes == 16 ? dnnl_nChw16c : dnnl_nChw8c;
    int64_t from = in->plain ? in->channels : rs__whole_vectors(plan, in->channels);
    int64_t to = rs__whole_vectors(plan, node->shape[0]);
    dnnl_dims_t src = {samples, from, in->height, in->width}, bias = {to};
    dnnl_dims_t dst = {samples, to, node->shape[1], node->shape[2]};
    dnnl_dims_t weights = {to, from, a->kernel, a->kernel};
    p->conv = (rs__conv_problem){.algorithm = dnnl_convolution_direct, .engine = plan->device->engine};
    for (int d = 0; d < 2; d++) {
        p->conv.strides[d] = a->stride;
        p->conv.padding[d] = a->padding;
    }
    RS__DNN(error, dnnl_primitive_attr_create(&p->conv.attributes));
    RS__DNN(error, dnnl_primitive_attr_set_scratchpad_mode(p->conv.attributes, dnnl_scratchpad_mode_user));
    RS__DNN(error, rs__md_create(&p->src, 4, src, in->plain ? dnnl_nchw : tag));
    RS__DNN(error, rs__md_create(&p->blocked, 4, src, tag));
    RS__DNN(error, rs__md_create(&p->dst, 4, dst, tag));
    RS__DNN(error, rs__md_create(&p->any, 4, weights, dnnl_format_tag_any));
    RS__DNN(error, rs__md_create(&p->bias, 1, bias, dnnl_a));
    p->conv.dst = p->dst;
    return RS_OK;
}

/* The weights' layout: the library's choice, but for one sample as for a tile, and of their gradient forward's, so that
 * what groups sum is the arena's. */
static rs__md_view weights_layout(const rs__small *s, const problem *p, int size, int pass)
{
    int as = pass == RS__BACKWARD_WEIGHTS ? RS__FORWARD : pass;
    return size == RS__TILED && as == pass ? p->any
                                           : rs__pd_md(s->pass[RS__TILED][as].pd, dnnl_query_weights_md);
}

static rs_status make_pass(const rs_plan *plan, rs__op *op, problem *p, int size, int pass, rs_error *error)
{
    rs__small *s = op->state;
    rs__made *m = &s->pass[size][pass];
    p->conv.pass = (rs__conv_pass)pass;
    p->conv.src = pass == RS__BACKWARD_DATA ? p->blocked : p->src;
    p->conv.weights = weights_layout(s, p, size, pass);
    p->conv.bias = pass == RS__BACKWARD_DATA || !rs__small_has_bias(plan, op) ? NULL : p->bias;
    p->conv.hint = pass == RS__FORWARD ? NULL : s->pass[size][RS__FORWARD].pd;
    RS__DNN(error, rs__conv_create(&p->conv, &m->pd));
    RS__DNN(error, dnnl_primitive_create(&m->primitive, m->pd));
    size_t bytes = rs__round64(rs__md_bytes(rs__pd_md(m->pd, dnnl_query_scratchpad_md)));
    s->scratchpad = bytes > s->scratchpad ? bytes : s->scratchpad;
    rs__pd_implementation(m->pd, s->implementation[pass], sizeof s->implementation[pass]);
    return RS_OK;
}

static rs_status make_size(const rs_plan *plan, rs__op *op, int size, rs_error *error)
{
    const rs__small *s = op->state;
    problem p = {0};
    rs_status status = problem_make(plan, op, size == RS__TILED ? s->tile : 1, &p, error);
    for (int pass = 0; status == RS_OK && pass < RS__CONV_PASSES; pass++) {
        if (rs__small_runs(plan, op, pass)) {
            status = make_pass(plan, op, &p, size, pass, error);
        }
    }
    problem_release(&p);
    return status;
}

/* Primitives for one thread: the library asks how many there are when it makes them. */
static rs_status make_sizes(const rs_plan *plan, rs__op *op, rs_error *error)
{
    omp_set_num_threads(1);
    rs_status status = make_size(plan, op, RS__TILED, error);
    status = status ? status : make_size(plan, op, RS__SINGLE, error);
    omp_set_num_threads(plan->device->threads);
    return status;
}

static int64_t floats_of(rs__md_view md)
{
    return (int64_t)(rs__md_bytes(md) / sizeof(float));
}

/* The arena keeps the weights as forward reads them, unless channels are padded. */
static rs_status choose_master(rs_plan *plan, const rs__op *op, rs_error *error)
{
    rs__small *s = op->state;
    rs__parameter *parameter = &plan->parameters[rs__op_node(plan, op)->weight];
    rs__md_view forward = rs__pd_md(s->pass[RS__TILED][RS__FORWARD].pd, dnnl_query_weights_md);
    rs__blocking blocking;
    if (!rs__md_blocking(forward, &blocking)) {
        return RS_FAIL(error, RS_DEVICE, "oneDNN has no blocked weights for %s", rs__op_node(plan, op)->name);
    }
    s->weights = floats_of(forward);
    s->padded = s->weights != parameter->count || s->lanes_out != rs__op_node(plan, op)->shape[0];
    return rs__order_make(s->padded ? &s->order : &parameter->order, &blocking, error);
}

/* The conversion of weights for the input's gradient. */
static rs_status make_turn(const rs_plan *plan, rs__op *op, rs_error *error)
{
    rs__small *s = op->state;
    if (!rs__small_runs(plan, op, RS__BACKWARD_DATA)) {
        return RS_OK;
    }
    rs__md_view from = rs__pd_md(s->pass[RS__TILED][RS__FORWARD].pd, dnnl_query_weights_md);
    rs__md_view to = rs__pd_md(s->pass[RS__TILED][RS__BACKWARD_DATA].pd, dnnl_query_weights_md);
    s->turns = !rs__md_equal(from, to);
    if (s->turns) {
        dnnl_engine_t engine = plan->device->engine;
        RS__DNN(error, dnnl_reorder_primitive_desc_create(&s->turn.pd, from, engine, to, engine, NULL));
        RS__DNN(error, dnnl_primitive_create(&s->turn.primitive, s->turn.pd));
        s->turned_weights = floats_of(to);
        op->reorders = 1;
    }
    return RS_OK;
}

rs_status rs__small_make(rs_plan *plan, rs__op *op, rs_error *error)
{
    RS_TRY(make_sizes(plan, op, error));
    RS_TRY(choose_master(plan, op, error));
    return make_turn(plan, op, error);
}

/* --- calling ---------------------------------------------------------------------------------------------- */

static rs_status add_argument(const rs_plan *plan, dnnl_exec_arg_t *to, int argument, rs__md_view md,
                              void *handle, rs_error *error)
{
    to->arg = argument;
    RS__DNN(error, dnnl_memory_create(&to->memory, md, plan->device->engine, handle));
    return RS_OK;
}

/* What a pass reads, writes, and has of weights and bias, in the order of their places. */
typedef struct signature {
    int argument[RS__ARGUMENTS];
    dnnl_query_t query[RS__ARGUMENTS];
} signature;

static const signature signatures[RS__CONV_PASSES] = {
    [RS__FORWARD] = {{DNNL_ARG_SRC, DNNL_ARG_DST, DNNL_ARG_WEIGHTS, DNNL_ARG_SCRATCHPAD, DNNL_ARG_BIAS},
                     {dnnl_query_src_md, dnnl_query_dst_md, dnnl_query_weights_md, dnnl_query_scratchpad_md}},
    [RS__BACKWARD_DATA] = {{DNNL_ARG_DIFF_DST, DNNL_ARG_DIFF_SRC, DNNL_ARG_WEIGHTS, DNNL_ARG_SCRATCHPAD},
                           {dnnl_query_diff_dst_md, dnnl_query_diff_src_md, dnnl_query_weights_md,
                            dnnl_query_scratchpad_md}},
    [RS__BACKWARD_WEIGHTS] = {{DNNL_ARG_SRC, DNNL_ARG_DIFF_DST, DNNL_ARG_DIFF_WEIGHTS, DNNL_ARG_SCRATCHPAD,
                               DNNL_ARG_DIFF_BIAS},
                              {dnnl_query_src_md, dnnl_query_diff_dst_md, dnnl_query_diff_weights_md,
                               dnnl_query_scratchpad_md}},
};

static int argument_count(const rs_plan *plan, const rs__op *op, int pass)
{
    return rs__small_has_bias(plan, op) && pass != RS__BACKWARD_DATA ? RS__ARGUMENTS : RS__OF_BIAS;
}

static rs_status bind_pass(const rs_plan *plan, const rs__op *op, rs__caller *c, int size, int pass,
                           rs_error *error)
{
    const rs__small *s = op->state;
    const signature *of = &signatures[pass];
    rs__pd_view pd = s->pass[size][pass].pd;
    for (int i = 0; i < RS__OF_BIAS; i++) {
        RS_TRY(add_argument(plan, &c->arguments[size][pass][i], of->argument[i], rs__pd_md(pd, of->query[i]),
                            NULL, error));
    }
    if (argument_count(plan, op, pass) == RS__ARGUMENTS) {
        dnnl_dims_t dims = {s->lanes_out};
        rs__md md = NULL;
        RS__DNN(error, rs__md_create(&md, 1, dims, dnnl_a));
        rs_status status = add_argument(plan, &c->arguments[size][pass][RS__OF_BIAS],
                                        of->argument[RS__OF_BIAS], md, NULL, error);
        rs__md_destroy(md);
        return status;
    }
    return RS_OK;
}

static rs_status bind_turn(const rs_plan *plan, const rs__op *op, float *weights, float *turned,
                           rs_error *error)
{
    rs__small *s = op->state;
    rs__md_view from = rs__pd_md(s->pass[RS__TILED][RS__FORWARD].pd, dnnl_query_weights_md);
    rs__md_view to = rs__pd_md(s->pass[RS__TILED][RS__BACKWARD_DATA].pd, dnnl_query_weights_md);
    RS_TRY(add_argument(plan, &s->turned[0], DNNL_ARG_FROM, from, weights, error));
    return add_argument(plan, &s->turned[1], DNNL_ARG_TO, to, turned, error);
}

rs_status rs__small_bind(const rs_plan *plan, rs__op *op, float *weights, float *turned, rs_error *error)
{
    rs__small *s = op->state;
    s->threads = plan->device->threads;
    s->callers = rs_alloc_array((size_t)s->threads, sizeof *s->callers);
    if (!s->callers) {
        return RS_FAIL(error, RS_MEMORY, "no memory for the convolution %s", rs__op_node(plan, op)->name);
    }
    for (int t = 0; t < s->threads; t++) {
        RS__DNN(error,
                dnnl_stream_create(&s->callers[t].stream, plan->device->engine, dnnl_stream_default_flags));
        for (int pass = 0; pass < RS__CONV_PASSES; pass++) {
            if (rs__small_runs(plan, op, pass)) {
                RS_TRY(bind_pass(plan, op, &s->callers[t], RS__TILED, pass, error));
                RS_TRY(bind_pass(plan, op, &s->callers[t], RS__SINGLE, pass, error));
            }
        }
    }
    return s->turns ? bind_turn(plan, op, weights, turned, error) : RS_OK;
}

static void set_handle(const dnnl_exec_arg_t *argument, const void *handle)
{
    dnnl_status_t status = dnnl_memory_set_data_handle(argument->memory, (void *)(uintptr_t)handle);
    RS_ASSERT(status == dnnl_success);
}

/* In the calling thread. */
void rs__small_call(const rs_plan *plan, const rs__op *op, int64_t samples, int pass, const rs__small_work *w)
{
    rs__small *s = op->state;
    rs__caller *c = &s->callers[omp_get_thread_num()];
    int size = samples == s->tile ? RS__TILED : RS__SINGLE, count = argument_count(plan, op, pass);
    dnnl_exec_arg_t *arguments = c->arguments[size][pass];
    RS_ASSERT(samples == s->tile || samples == 1);
    set_handle(&arguments[RS__MAPS_IN], w->in);
    set_handle(&arguments[RS__MAPS_OUT], w->out);
    set_handle(&arguments[RS__OF_WEIGHTS], w->weights);
    set_handle(&arguments[RS__SCRATCHPAD], w->scratchpad);
    if (count == RS__ARGUMENTS) {
        set_handle(&arguments[RS__OF_BIAS], w->bias);
    }
    dnnl_status_t status = dnnl_primitive_execute(s->pass[size][pass].primitive, c->stream, count, arguments);
    RS_ASSERT(status == dnnl_success);
}

void rs__small_turn(rs_plan *plan, const rs__op *op)
{
    const rs__small *s = op->state;
    if (s->turns) {
        dnnl_status_t status = dnnl_primitive_execute(s->turn.primitive, plan->device->stream, 2, s->turned);
        RS_ASSERT(status == dnnl_success);
    }
}
