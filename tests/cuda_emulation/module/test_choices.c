/* test_choices.c: which convolutions the module takes when cuDNN answers oddly, when an algorithm fails or wants much
 * memory: what the stand-in is set to do here, some GPU or some version of cuDNN does. */
#include <cudnn.h>
#include <stdlib.h>
#include <string.h>

#include "harness.h"

#include "rs/host.h"
#include "standin.h"

enum { FORWARD, DATA, WEIGHTS };
#define DATA_WINOGRAD   CUDNN_CONVOLUTION_BWD_DATA_ALGO_WINOGRAD_NONFUSED
#define DATA_ALGO_1     CUDNN_CONVOLUTION_BWD_DATA_ALGO_1
#define WEIGHTS_ALGO_1  CUDNN_CONVOLUTION_BWD_FILTER_ALGO_1
#define FORWARD_PRECOMP CUDNN_CONVOLUTION_FWD_ALGO_IMPLICIT_PRECOMP_GEMM
#define MIB(n)          ((size_t)(n) << 20)

/* clang-format off */
#define CONV_OF(node, k, r, s, p) {RS_OP_CONVOLUTION, {.channels = (k), .kernel = (r), .stride = (s), .padding = (p)}, {(node), (node)}}
#define ADD_OF(a, b)              {RS_OP_ADD, {0}, {(a), (b)}}
#define CASE(name)                static const rs_check_case case_##name

CASE(3x3) =         {"3x3",         {16, 6, 6}, {4, 2},       RS_FILL_NORMAL, {CONV_OF(0, 16, 3, 1, 1)}};
CASE(5x5) =         {"5x5",         {4, 6, 6},  {2, 0},       RS_FILL_NORMAL, {CONV_OF(0, 4, 5, 1, 2)}};
/* The second adds to the gradient that the third has set. */
CASE(adding) =      {"adding",      {16, 6, 6}, {4, 0},       RS_FILL_NORMAL,
                     {CONV_OF(0, 16, 3, 1, 1), CONV_OF(1, 16, 3, 1, 1), CONV_OF(1, 16, 3, 1, 1), ADD_OF(2, 3)}};
CASE(1x1) =         {"1x1",         {16, 6, 6}, {4, 2},       RS_FILL_NORMAL,
                     {CONV_OF(0, 8, 1, 1, 0), CONV_OF(0, 8, 1, 1, 0), ADD_OF(1, 2)}};
CASE(1x1_stride2) = {"1x1_stride2", {16, 6, 6}, {4, 0},       RS_FILL_NORMAL, {CONV_OF(0, 8, 1, 2, 0)}};
CASE(large) =       {"large",       {2, 8, 8},  {327680, 0},  RS_FILL_NORMAL, {CONV_OF(0, 2, 3, 1, 1)}};
CASE(too_large) =   {"too_large",   {64, 8, 8}, {1048576, 0}, RS_FILL_NORMAL, {CONV_OF(0, 64, 3, 1, 1)}};
CASE(grey) =        {"grey",        {1, 9, 8},  {3, 0},       RS_FILL_NORMAL, {CONV_OF(0, 16, 3, 2, 1)}};
/* clang-format on */

/* What the stand-in's lists give for the first. */
#define AS_EVER "implicit_precomp_gemm | winograd_nonfused | winograd_nonfused, f32"

static rs_check_machine machine;

static int without_traps(void **state)
{
    (void)state;
    rs_emu_set_trap(NULL);
    rs_emu_fail(NULL);
    return 0;
}

static rs_plan_options options_of(const rs_check_case *c)
{
    return (rs_plan_options){.dtype = RS_F32,
                             .batch_size_count = c->batch[1] ? 2 : 1,
                             .batch_sizes = {c->batch[0], c->batch[1]},
                             .training = true,
                             .keep_all = true,
                             .input_gradient = true,
                             .optimizer = RS_OPTIMIZER_SGD};
}

typedef struct subject {
    rs_network *network;
    rs_plan *plan;
    char *text; /* of plan_print */
} subject;

static subject make(const rs_check_case *c, const rs_plan_options *options)
{
    subject s = {0};
    rs_error error = {0};
    size_t size = 0;
    harness_ok(rs_check_network(c, &s.network, &error), &error);
    harness_ok(machine.backend->plan_create(machine.device, s.network, options, &s.plan, &error), &error);
    FILE *stream = open_memstream(&s.text, &size);
    assert_non_null(stream);
    machine.backend->plan_print(s.plan, stream);
    (void)fclose(stream);
    return s;
}

static void release(subject *s)
{
    machine.backend->plan_destroy(s->plan);
    rs_network_destroy(s->network);
    free(s->text);
}

static void says(const subject *s, const char *words)
{
    if (!strstr(s->text, words)) {
        fail_msg("not \"%s\" in\n%s", words, s->text);
    }
}

static void chooses(const rs_check_case *c, const rs_plan_options *options, const char *words)
{
    subject s = make(c, options);
    says(&s, words);
    release(&s);
}

static void refuses(const rs_check_case *c, const rs_plan_options *options, rs_status status,
                    const char *words)
{
    rs_network *network = NULL;
    rs_plan *plan = NULL;
    rs_error error = {0};
    harness_ok(rs_check_network(c, &network, &error), &error);
    harness_fails(machine.backend->plan_create(machine.device, network, options, &plan, &error), status,
                  &error, words);
    rs_network_destroy(network);
}

static float *noise(const char *name, int64_t count)
{
    double *values = rs_alloc_array((size_t)count, sizeof *values);
    float *floats = rs_alloc_array((size_t)count, sizeof *floats);
    assert_true(values && floats);
    rs_fill_values(RS_FILL_NORMAL, 1, name, values, count);
    for (int64_t i = 0; i < count; i++) {
        floats[i] = (float)values[i];
    }
    rs_free(values);
    return floats;
}

/* One pass there and back: the output, then the input's gradient, which the caller frees. */
static float *run(const subject *s, int64_t batch, int64_t *count)
{
    const rs_backend *backend = machine.backend;
    const rs_node *last = &s->network->nodes[s->network->node_count - 1], *first = &s->network->nodes[0];
    int64_t out = batch * last->shape[0] * last->shape[1] * last->shape[2];
    int64_t in = batch * first->shape[0] * first->shape[1] * first->shape[2];
    float *x = noise("x", in), *dy = noise("dy", out);
    float *got = rs_alloc_array((size_t)(out + in), sizeof *got);
    rs_error error = {0};
    assert_non_null(got);
    for (int i = 0; i < s->network->parameter_count; i++) {
        float *w = noise(s->network->parameters[i].name, s->network->parameters[i].count);
        harness_ok(backend->write(s->plan, RS_SLOT_VALUE, i, w, &error), &error);
        rs_free(w);
    }
    harness_ok(backend->load_values(s->plan, x, NULL, NULL, batch, &error), &error);
    harness_ok(backend->forward(s->plan, RS_MODE_TRAIN, &error), &error);
    harness_ok(backend->write_gradient(s->plan, dy, &error), &error);
    harness_ok(backend->backward(s->plan, RS_LABELS_TRUE, &error), &error);
    harness_ok(backend->read_node(s->plan, RS_NODE_OUTPUT, s->network->node_count - 1, got, &error), &error);
    harness_ok(backend->read_node(s->plan, RS_NODE_GRADIENT, 0, got + out, &error), &error);
    rs_free(x);
    rs_free(dy);
    *count = out + in;
    return got;
}

static void set_trap(int pass, int algorithm, int size_answer, int run_answer, size_t workspace)
{
    const rs_emu_trap trap = {.pass = pass,
                              .algorithm = algorithm,
                              .size_answer = size_answer,
                              .run_answer = run_answer,
                              .workspace = workspace};
    rs_emu_set_trap(&trap);
}

/* --- answers ---------------------------------------------------------------------------------------------- */

static void an_odd_answer_is_a_no(void **state)
{
    const rs_plan_options options = options_of(&case_3x3);
    (void)state;
    chooses(&case_3x3, &options, AS_EVER);
    set_trap(DATA, DATA_WINOGRAD, CUDNN_STATUS_BAD_PARAM, 0, 0);
    chooses(&case_3x3, &options, "implicit_precomp_gemm | algo_1 | winograd_nonfused");
}

static void without_a_list(void **state)
{
    const rs_plan_options options = options_of(&case_3x3);
    (void)state;
    rs_emu_fail("cudnnGetConvolutionBackwardDataAlgorithm_v7:1");
    chooses(&case_3x3, &options, "implicit_precomp_gemm | algo_1 | winograd_nonfused");
}

static void nothing_is_left(void **state)
{
    const rs_plan_options options = options_of(&case_5x5);
    (void)state;
    set_trap(DATA, DATA_ALGO_1, CUDNN_STATUS_SUBLIBRARY_LOADING_FAILED, 0, 0);
    refuses(&case_5x5, &options, RS_DEVICE, "CUDNN_STATUS_SUBLIBRARY_LOADING_FAILED");
}

/* What is chosen must not depend on what is free. */
static void no_memory_is_no_answer(void **state)
{
    const rs_plan_options options = options_of(&case_3x3);
    (void)state;
    set_trap(DATA, DATA_WINOGRAD, CUDNN_STATUS_INTERNAL_ERROR_DEVICE_ALLOCATION_FAILED, 0, 0);
    refuses(&case_3x3, &options, RS_MEMORY, "cudnnGetConvolutionBackwardDataWorkspaceSize");
}

/* --- algorithms that fail when they run ---------------------------------------------------------------------- */

/* The next one wants more workspace than there was for the first. */
static void what_fails_gives_way(void **state)
{
    const rs_plan_options options = options_of(&case_3x3);
    int64_t count = 0;
    float *want[2];
    (void)state;
    subject s = make(&case_3x3, &options);
    for (int k = 0; k < 2; k++) {
        want[k] = run(&s, case_3x3.batch[k], &count);
    }
    release(&s);
    set_trap(DATA, DATA_WINOGRAD, 0, CUDNN_STATUS_NOT_SUPPORTED, 0);
    set_trap(DATA, DATA_ALGO_1, 0, 0, MIB(64));
    s = make(&case_3x3, &options);
    says(&s, "implicit_precomp_gemm | algo_1 | winograd_nonfused, f32, workspace 64.0 MiB");
    for (int k = 0; k < 2; k++) {
        float *got = run(&s, case_3x3.batch[k], &count);
        harness_close_floats("with another algorithm", got, want[k], count, 1e-6);
        rs_free(got);
        rs_free(want[k]);
    }
    release(&s);
}

static void what_fails_when_it_adds_gives_way(void **state)
{
    const rs_plan_options options = options_of(&case_adding);
    const rs_emu_trap trap = {.pass = DATA,
                              .algorithm = DATA_WINOGRAD,
                              .run_answer = CUDNN_STATUS_NOT_SUPPORTED_SHAPE,
                              .only_adding = 1};
    int64_t count = 0;
    (void)state;
    rs_emu_set_trap(&trap);
    subject s = make(&case_adding, &options);
    assert_null(strstr(s.text, "| winograd_nonfused |"));
    rs_free(run(&s, case_adding.batch[0], &count));
    release(&s);
}

/* TF32 is allowed, not demanded. */
static void what_fails_in_tf32_runs_in_float(void **state)
{
    rs_plan_options options = options_of(&case_5x5);
    const rs_emu_trap trap = {
        .pass = DATA, .algorithm = DATA_ALGO_1, .run_answer = CUDNN_STATUS_NOT_SUPPORTED, .only_tf32 = 1};
    (void)state;
    options.tf32 = true;
    chooses(&case_5x5, &options, "implicit_precomp_gemm | algo_1 | algo_1, tf32, workspace");
    rs_emu_set_trap(&trap);
    chooses(&case_5x5, &options, "implicit_precomp_gemm | algo_1 | algo_1, tf32 and f32, workspace");
}

/* The text is what a record keeps. */
static void another_for_the_smaller_batch_is_told(void **state)
{
    const rs_plan_options options = options_of(&case_3x3);
    (void)state;
    rs_emu_fail("cudnnConvolutionBackwardData:2"); /* the trial of the second size */
    subject s = make(&case_3x3, &options);
    says(&s, AS_EVER);
    says(&s, ", others for smaller batches");
    release(&s);
}

static void everything_fails(void **state)
{
    const rs_plan_options options = options_of(&case_3x3);
    (void)state;
    set_trap(WEIGHTS, CUDNN_CONVOLUTION_BWD_FILTER_ALGO_WINOGRAD_NONFUSED, 0, CUDNN_STATUS_NOT_SUPPORTED, 0);
    set_trap(WEIGHTS, WEIGHTS_ALGO_1, 0, CUDNN_STATUS_EXECUTION_FAILED, 0);
    refuses(&case_3x3, &options, RS_DEVICE, "CUDNN_STATUS_EXECUTION_FAILED");
}

/* Nothing of the trial is left in the plan. */
static void trials_leave_nothing(void **state)
{
    const rs_plan_options options = options_of(&case_3x3);
    rs_error error = {0};
    float gradient[16 * 16 * 9];
    (void)state;
    subject s = make(&case_3x3, &options);
    harness_fails(machine.backend->forward(s.plan, RS_MODE_TRAIN, &error), RS_USAGE, &error,
                  "before any batch");
    harness_ok(machine.backend->read(s.plan, RS_SLOT_GRADIENT, 0, gradient, &error), &error);
    for (size_t i = 0; i < sizeof gradient / sizeof gradient[0]; i++) {
        assert_true(gradient[i] == 0.0F);
    }
    release(&s);
}

/* --- workspaces ------------------------------------------------------------------------------------------- */

/* Of the last resort, whatever it is. */
static void a_large_workspace_is_given(void **state)
{
    const rs_plan_options options = options_of(&case_5x5);
    (void)state;
    set_trap(DATA, DATA_ALGO_1, 0, 0, MIB(600));
    set_trap(WEIGHTS, WEIGHTS_ALGO_1, 0, 0, MIB(601));
    chooses(&case_5x5, &options, "implicit_precomp_gemm | algo_1 | algo_1, f32, workspace 601.0 MiB");
}

/* With large tensors more is no reason to take a slower one; with small ones it is. */
static void the_limit_grows_with_the_tensors(void **state)
{
    rs_plan_options large = options_of(&case_large);
    const rs_plan_options small = options_of(&case_3x3);
    (void)state;
    large.training = large.keep_all = large.input_gradient = false;
    set_trap(FORWARD, FORWARD_PRECOMP, 0, 0, MIB(600));
    chooses(&case_large, &large, "implicit_precomp_gemm | - | -, f32, workspace 600.0 MiB");
    chooses(&case_3x3, &small, "winograd_nonfused | winograd_nonfused | winograd_nonfused");
}

/* --- searches --------------------------------------------------------------------------------------------- */

/* The stand-in has timed the last one with tensor cores, and lists that first. */
static void a_search_for_float_takes_times_of_float(void **state)
{
    rs_plan_options options = options_of(&case_3x3);
    (void)state;
    options.convolution = RS_CONVOLUTION_SEARCH;
    chooses(&case_3x3, &options, AS_EVER ", searched");
}

/* Lines with that beginning. */
static int lines_of(const char *text, const char *beginning)
{
    int lines = 0;
    for (const char *at = text; (at = strstr(at, beginning)); at++) {
        lines += at == text || at[-1] == '\n';
    }
    return lines;
}

static void only_what_is_allowed_is_taken_over(void **state)
{
    static const char *const key = "data of 4: 16x6x6 to 16x6x6, kernel 3, stride 1, padding 1";
    static const struct {
        const char *numbers, *words;
    } kept[] = {{"1 3", "| algo_1 |"},             /* as it is kept */
                {"0 3", "| winograd_nonfused |"},  /* is not deterministic */
                {"1 0", "| winograd_nonfused |"},  /* in TF32 */
                {"99 3", "| winograd_nonfused |"}, /* of another cuDNN */
                {"1 99", "| winograd_nonfused |"}};
    rs_plan_options options = options_of(&case_3x3);
    char text[160];
    (void)state;
    options.convolution = RS_CONVOLUTION_SEARCH;
    for (size_t i = 0; i < sizeof kept / sizeof kept[0]; i++) {
        (void)snprintf(text, sizeof text, "%s = %s\n", key, kept[i].numbers);
        options.choices = text;
        subject s = make(&case_3x3, &options);
        says(&s, kept[i].words);
        assert_int_equal(lines_of(machine.backend->plan_choices(s.plan), key), 1);
        release(&s);
    }
}

/* What was kept is asked for in plain float, and is not to be had: the list is of TF32 all the same. */
static void a_no_leaves_its_arithmetic_to_none(void **state)
{
    rs_plan_options options = options_of(&case_3x3);
    (void)state;
    options.tf32 = true;
    options.convolution = RS_CONVOLUTION_SEARCH;
    options.choices = "forward of 4: 16x6x6 to 16x6x6, kernel 3, stride 1, padding 1 = 0 3\n";
    set_trap(FORWARD, CUDNN_CONVOLUTION_FWD_ALGO_IMPLICIT_GEMM, CUDNN_STATUS_NOT_SUPPORTED, 0, 0);
    chooses(&case_3x3, &options,
            "implicit_precomp_gemm | winograd_nonfused | winograd_nonfused, tf32, searched");
}

/* --- products --------------------------------------------------------------------------------------------- */

static void products_instead_of_1x1(void **state)
{
    static const rs_convolution_choice all[] = {RS_CONVOLUTION_AUTO, RS_CONVOLUTION_DIRECT,
                                                RS_CONVOLUTION_SEARCH};
    rs_plan_options options = options_of(&case_1x1);
    int64_t count = 0;
    (void)state;
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
        options.convolution = all[i];
        uint64_t convolutions = rs_emu_calls("cudnnConvolutionForward"),
                 products = rs_emu_calls("cublasSgemm_v2");
        subject s = make(&case_1x1, &options);
        says(&s, "sgemm | sgemm | sgemm, f32, workspace");
        rs_free(run(&s, case_1x1.batch[1], &count));
        assert_int_equal(rs_emu_calls("cudnnConvolutionForward") - convolutions, 0);
        assert_int_equal(rs_emu_calls("cublasSgemm_v2") - products, 6);
        release(&s);
    }
}

static void no_products_elsewhere(void **state)
{
    rs_plan_options options = options_of(&case_1x1);
    const rs_plan_options stride2 = options_of(&case_1x1_stride2);
    (void)state;
    options.tf32 = true;
    chooses(&case_1x1, &options, "algo_1, tf32");
    chooses(&case_1x1_stride2, &stride2, "algo_1, f32");
}

/* --- shapes ----------------------------------------------------------------------------------------------- */

static void more_elements_than_cudnn_counts(void **state)
{
    const rs_plan_options options = options_of(&case_too_large);
    (void)state;
    refuses(&case_too_large, &options, RS_UNSUPPORTED, "use a smaller --batch-size");
}

/* Grey images have four channels where tensor cores compute. */
static void grey_images(void **state)
{
    rs_plan_options options = options_of(&case_grey);
    int64_t count = 0, tf32_count = 0;
    (void)state;
    subject exact = make(&case_grey, &options);
    options.tf32 = true;
    subject rough = make(&case_grey, &options);
    assert_null(strstr(exact.text, "nhwc4"));
    says(&rough, "nhwc4");
    float *want = run(&exact, case_grey.batch[0], &count),
          *got = run(&rough, case_grey.batch[0], &tf32_count);
    assert_int_equal(count, tf32_count);
    harness_close_floats("in TF32", got, want, count, 2e-3);
    rs_free(want);
    rs_free(got);
    release(&exact);
    release(&rough);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(an_odd_answer_is_a_no, without_traps),
        cmocka_unit_test_teardown(without_a_list, without_traps),
        cmocka_unit_test_teardown(nothing_is_left, without_traps),
        cmocka_unit_test_teardown(no_memory_is_no_answer, without_traps),
        cmocka_unit_test_teardown(what_fails_gives_way, without_traps),
        cmocka_unit_test_teardown(what_fails_when_it_adds_gives_way, without_traps),
        cmocka_unit_test_teardown(what_fails_in_tf32_runs_in_float, without_traps),
        cmocka_unit_test_teardown(another_for_the_smaller_batch_is_told, without_traps),
        cmocka_unit_test_teardown(everything_fails, without_traps),
        cmocka_unit_test_teardown(trials_leave_nothing, without_traps),
        cmocka_unit_test_teardown(a_large_workspace_is_given, without_traps),
        cmocka_unit_test_teardown(the_limit_grows_with_the_tensors, without_traps),
        cmocka_unit_test_teardown(a_search_for_float_takes_times_of_float, without_traps),
        cmocka_unit_test_teardown(only_what_is_allowed_is_taken_over, without_traps),
        cmocka_unit_test_teardown(a_no_leaves_its_arithmetic_to_none, without_traps),
        cmocka_unit_test_teardown(products_instead_of_1x1, without_traps),
        cmocka_unit_test_teardown(no_products_elsewhere, without_traps),
        cmocka_unit_test_teardown(more_elements_than_cudnn_counts, without_traps),
        cmocka_unit_test_teardown(grey_images, without_traps),
    };
    if (!rs_emu_present()) {
        print_message("skipped: cuDNN's answers are the stand-in's alone to change\n");
        return 77;
    }
    return harness_run(tests, &machine, "cuda", 1);
}
