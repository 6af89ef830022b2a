/* test_update.c: update and measure over arenas of several tensors: the rules to the bit against update.h
 * and closely against formulas in double, every sum against loops in double. */
#include "on_device.h"

/* Tensors of all kinds: with a tail, of one element, of several jobs, one that no loss reaches, one that is not
 * measured, two whose last channels of four are padding. */
typedef struct tensor {
    int64_t count;
    bool reached, measured;
    int padding;
} tensor;
static const tensor tensors[] = {{1000, true, true, 0},
                                 {10, true, true, 0},
                                 {2 * RS_CU_JOB + 77, true, true, 0},
                                 {1, true, true, 0},
                                 {64, false, true, 0},
                                 {5003, true, false, 0},
                                 {RS_CU_JOB, true, true, 0},
                                 {RS_CU_JOB + 108, true, true, 1},
                                 {36, true, true, 3}};
enum { TENSORS = sizeof tensors / sizeof tensors[0], MOST_JOBS = 16, STEPS = 3 };

/* Arenas on the device and what they should hold. A tensor's elements begin at a multiple of 16; what lies
 * between tensors is never touched. */
typedef struct subject {
    rs_cu_update update;
    rs_cu_rates rates;
    int64_t offset[TENSORS], size;
    float *value, *moment1, *moment2, *gradient, *initial; /* by the rules in float */
    double *exact_value, *exact_moment1, *exact_moment2;   /* by the formulas in double */
    double *sum;
    rs_cu_sums want[TENSORS];
} subject;

static bool is_padding(int t, int64_t i)
{
    return i % 4 >= 4 - tensors[t].padding;
}

static void make_jobs(subject *s)
{
    rs_cu_job jobs[MOST_JOBS];
    rs_cu_tensor table[TENSORS];
    int count = 0;
    for (int t = 0; t < TENSORS; t++) {
        s->offset[t] = s->size;
        s->size += (tensors[t].count + 15) / 16 * 16;
        table[t] = (rs_cu_tensor){.first_job = count,
                                  .reached = tensors[t].reached,
                                  .measured = tensors[t].measured,
                                  .padding = tensors[t].padding};
        for (int64_t at = 0; at < tensors[t].count; at += RS_CU_JOB) {
            int64_t rest = tensors[t].count - at;
            jobs[count++] = (rs_cu_job){s->offset[t] + at, (int32_t)(rest < RS_CU_JOB ? rest : RS_CU_JOB), t};
        }
        table[t].jobs = count - table[t].first_job;
    }
    s->update.jobs = device_put(jobs, (int64_t)sizeof(rs_cu_job) * count);
    s->update.tensors = device_put(table, sizeof table);
    s->update.job_count = count;
    s->update.tensor_count = TENSORS;
    s->update.rules = device_new((int64_t)sizeof(rs_rule_f32) * TENSORS);
    s->update.job_sums = device_new((int64_t)sizeof(rs_cu_sums) * count);
    s->update.sums = device_new((int64_t)sizeof(rs_cu_sums) * TENSORS);
    s->update.norms = device_new(sizeof(rs_cu_norms));
    s->update.rates = device_new(sizeof(rs_cu_rates));
}

static double *widened(const float *values, int64_t count)
{
    double *wide = host_new(count * 8);
    for (int64_t i = 0; i < count; i++) {
        wide[i] = (double)values[i];
    }
    return wide;
}

static subject make_subject(const rs_update_options *options, bool momentum, const char *metrics)
{
    rs_error error = {0};
    subject s = {.update = {.options = *options, .momentum = momentum}};
    make_jobs(&s);
    if (metrics) {
        harness_ok(rs_metric_list_parse(metrics, &s.update.metrics, &error), &error);
    }
    s.update.value = device_filled(RS_FILL_NORMAL, 1, s.size, &s.value);
    s.initial = filled(RS_FILL_NORMAL, 2, s.size);
    for (int64_t i = 0; i < s.size; i++) { /* not far from where it is now */
        s.initial[i] = s.value[i] + 0.01f * s.initial[i];
    }
    s.update.initial = device_put(s.initial, s.size * 4);
    s.gradient = filled(RS_FILL_NORMAL, 3, s.size);
    s.moment1 = host_new(s.size * 4);
    s.moment2 = host_new(s.size * 4);
    s.sum = host_new(s.size * 8);
    s.exact_value = widened(s.value, s.size);
    s.exact_moment1 = host_new(s.size * 8);
    s.exact_moment2 = host_new(s.size * 8);
    rs_rule_kind rule = rs_rule_of(options->optimizer, momentum);
    s.update.moment1 = rs_rule_keeps1(rule) ? device_put(s.moment1, s.size * 4) : NULL;
    s.update.moment2 = rs_rule_keeps2(rule) ? device_put(s.moment2, s.size * 4) : NULL;
    s.update.gradient_sum = device_put(s.sum, s.size * 8);
    return s;
}

/* --- what should come out ------------------------------------------------------------------------------ */

static void expect_differences(const rs_metric_list *list, const float *after, const float *before, int t,
                               rs_difference_sums *sums)
{
    bool products = false;
    for (int m = 0; m < list->count; m++) {
        products = products || list->metric[m].kind >= RS_METRIC_COSINE;
    }
    for (int64_t i = 0; i < tensors[t].count; i++) {
        if (is_padding(t, i)) {
            continue;
        }
        double v = (double)before[i], d = (double)after[i] - v;
        sums->d += products ? d : 0.0;
        sums->v += products ? v : 0.0;
        sums->dv += products ? d * v : 0.0;
        sums->vv += products ? v * v : 0.0;
        sums->dd += d * d;
        sums->abs += fabs(d);
        sums->max = fabs(d) > sums->max || isnan(d) ? fabs(d) : sums->max;
        for (int m = 0; m < list->count; m++) {
            double p = list->metric[m].p;
            if (list->metric[m].kind == RS_METRIC_MINKOWSKI && p != 1.0 && p != 2.0) {
                sums->power[m] += pow(fabs(d), p);
            }
        }
    }
}

/* Adagrad and RMSprop, whose gradients come with their decay. */
static void expect_exact_root(const subject *s, double *w, double *m, double *v, double g, double rate)
{
    const rs_update_options *o = &s->update.options;
    bool adagrad = o->optimizer == RS_OPTIMIZER_ADAGRAD;
    *v = adagrad ? *v + g * g : o->alpha * *v + (1.0 - o->alpha) * g * g;
    double move = g / (sqrt(*v) + o->epsilon);
    if (s->update.momentum) {
        *m = o->momentum * *m + move;
        move = *m;
    }
    *w -= rate * move;
}

/* One weight by the formulas, in double. */
static void expect_exact(subject *s, int64_t i, double clip, double rate, int step)
{
    const rs_update_options *o = &s->update.options;
    double *w = &s->exact_value[i], *m = &s->exact_moment1[i], *v = &s->exact_moment2[i],
           g = (double)s->gradient[i] * clip;
    if (o->optimizer == RS_OPTIMIZER_SGD) {
        g += o->weight_decay * *w;
        if (s->update.momentum) {
            *m = o->momentum * *m + g;
            g = o->nesterov ? g + o->momentum * *m : *m;
        }
        *w -= rate * g;
        return;
    }
    if (o->optimizer == RS_OPTIMIZER_ADAGRAD || o->optimizer == RS_OPTIMIZER_RMSPROP) {
        expect_exact_root(s, w, m, v, g + o->weight_decay * *w, rate);
        return;
    }
    if (o->optimizer == RS_OPTIMIZER_ADAMW) {
        *w -= rate * o->weight_decay * *w;
    } else {
        g += o->weight_decay * *w;
    }
    *m = o->beta1 * *m + (1.0 - o->beta1) * g;
    *v = o->beta2 * *v + (1.0 - o->beta2) * g * g;
    *w -= rate * (*m / (1.0 - pow(o->beta1, step))) / (sqrt(*v / (1.0 - pow(o->beta2, step))) + o->epsilon);
}

/* The same by update.h. */
static void expect_float(subject *s, int64_t i, const rs_rule_f32 *rule)
{
    float g = s->gradient[i], w = s->value[i], *m = &s->moment1[i], *v = &s->moment2[i];
    switch (rs_rule_of(s->update.options.optimizer, s->update.momentum)) {
    case RS_RULE_SGD:
        s->value[i] = rs_sgd_f32(*rule, g, w);
        break;
    case RS_RULE_MOMENTUM:
        s->value[i] = rs_momentum_f32(*rule, g, w, m);
        break;
    case RS_RULE_ADAGRAD:
        s->value[i] = rs_adagrad_f32(*rule, g, w, v);
        break;
    case RS_RULE_RMSPROP:
        s->value[i] = rs_rmsprop_f32(*rule, g, w, v);
        break;
    case RS_RULE_RMSPROP_MOMENTUM:
        s->value[i] = rs_rmsprop_momentum_f32(*rule, g, w, m, v);
        break;
    default:
        s->value[i] = rs_adam_f32(*rule, g, w, m, v);
    }
}

static double expect_norm(const subject *s)
{
    double squares = 0.0;
    for (int t = 0; t < TENSORS; t++) {
        for (int64_t i = 0; tensors[t].reached && i < tensors[t].count; i++) {
            double g = is_padding(t, i) ? 0.0 : (double)s->gradient[s->offset[t] + i];
            squares += g * g;
        }
    }
    return sqrt(squares);
}

static void expect_tensor(subject *s, int t, double clip, int step)
{
    int64_t at = s->offset[t], count = tensors[t].count;
    rs_update_options options = s->update.options;
    options.learning_rate = s->rates.learning_rate;
    const rs_update_scalars scalars = rs_update_scalars_make(&options, clip, step);
    const rs_rule_f32 rule = rs_rule_make_f32(&scalars);
    float *before = host_new(count * 4);
    rs_cu_sums *want = &s->want[t];
    memcpy(before, s->value + at, (size_t)count * 4);
    for (int64_t i = at; tensors[t].reached && i < at + count; i++) {
        if (is_padding(t, i - at)) { /* left alone */
            continue;
        }
        double g = (double)s->gradient[i];
        want->gradient.abs += fabs(g);
        want->gradient.squares += g * g;
        s->sum[i] += g;
        expect_exact(s, i, clip, options.learning_rate, step);
        expect_float(s, i, &rule);
    }
    if (tensors[t].measured && options.distances && s->update.metrics.count > 0) {
        expect_differences(&s->update.metrics, s->value + at, before, t, &want->to_previous);
        if (s->update.initial) {
            expect_differences(&s->update.metrics, s->value + at, s->initial + at, t, &want->to_initial);
        }
    }
}

/* --- a step, and the comparison ------------------------------------------------------------------------ */

/* All sums in one row; relative to the largest there is, for sums may cancel. */
static void check_sums(const subject *s)
{
    rs_cu_sums got[TENSORS];
    device_get(got, s->update.sums, sizeof got);
    for (int t = 0; t < TENSORS; t++) {
        const double *a = (const double *)&got[t], *b = (const double *)&s->want[t];
        for (size_t i = 0; i < sizeof(rs_cu_sums) / sizeof(double); i++) {
            double size = fabs(b[i]) + 1e-4 * (double)tensors[t].count;
            if (!(fabs(a[i] - b[i]) <= 1e-11 * size)) {
                fail_msg("tensor %d, sum %zu: %.17g instead of %.17g", t, i, a[i], b[i]);
            }
        }
    }
}

static void check_arena(const char *what, const subject *s, const float *device, const float *want,
                        const double *exact)
{
    const float *got = floats_from(device, s->size);
    for (int t = 0; t < TENSORS; t++) {
        for (int64_t i = s->offset[t]; i < s->offset[t] + tensors[t].count; i++) {
            double error = fabs((double)got[i] - exact[i]);
            if (memcmp(&got[i], &want[i], 4) != 0 || !(error <= 1e-5 * (1.0 + fabs(exact[i])))) {
                fail_msg("%s of tensor %d at %lld: %.9g instead of %.9g (%.9g in double)", what, t,
                         (long long)(i - s->offset[t]), (double)got[i], (double)want[i], exact[i]);
            }
        }
    }
}

static void check_gradient_sum(const subject *s)
{
    double *got = host_new(s->size * 8);
    device_get(got, s->update.gradient_sum, s->size * 8);
    for (int t = 0; t < TENSORS; t++) {
        int64_t at = s->offset[t];
        assert_memory_equal(got + at, s->sum + at, (size_t)tensors[t].count * 8);
    }
}

static void check_norms(const subject *s, double norm, double clip)
{
    rs_cu_norms got;
    device_get(&got, s->update.norms, sizeof got);
    assert_true(fabs(got.gradient_norm - norm) <= 1e-12 * norm);
    assert_true(fabs(got.clip - clip) <= 1e-12);
    assert_true(fabs(got.gradient_norm_clipped - norm * clip) <= 1e-12 * norm);
}

static void step(subject *s, int number)
{
    s->rates.learning_rate = 0.01 / number;
    s->update.gradient = device_put(s->gradient, s->size * 4);
    cuda_ok(cudaMemcpyAsync((void *)(uintptr_t)s->update.rates, &s->rates, sizeof s->rates,
                            cudaMemcpyHostToDevice, test_stream()));
    cuda_ok(rs_cu_update_begin(&s->update, test_stream()));
    cuda_ok(rs_cu_update_apply(&s->update, test_stream()));
    cuda_ok(rs_cu_update_finish(&s->update, test_stream()));
    double norm = expect_norm(s), clip = rs_clip_coefficient(s->update.options.clip_norm, norm);
    memset(s->want, 0, sizeof s->want);
    for (int t = 0; t < TENSORS; t++) {
        expect_tensor(s, t, clip, number);
    }
    check_norms(s, norm, clip);
    check_sums(s);
    check_gradient_sum(s);
    check_arena("value", s, s->update.value, s->value, s->exact_value);
    if (s->update.moment1) {
        check_arena("moment1", s, s->update.moment1, s->moment1, s->exact_moment1);
    }
    if (s->update.moment2) {
        check_arena("moment2", s, s->update.moment2, s->moment2, s->exact_moment2);
    }
}

static void check_step_counts(const subject *s)
{
    rs_cu_tensor table[TENSORS];
    device_get(table, s->update.tensors, sizeof table);
    for (int t = 0; t < TENSORS; t++) {
        assert_int_equal(table[t].steps, tensors[t].reached ? STEPS : 0);
    }
}

static void run(const rs_update_options *options, bool momentum, const char *metrics)
{
    subject s = make_subject(options, momentum, metrics);
    for (int number = 1; number <= STEPS; number++) {
        step(&s, number);
        for (int64_t i = 0; i < s.size; i++) {
            s.gradient[i] = 0.5f * s.gradient[(i * 7 + 3) % s.size] - 0.1f;
        }
    }
    check_step_counts(&s);
}

#define ALL_METRICS "minkowski:1,minkowski:2.5,euclidean,chebyshev,cosine,correlation,minkowski:3,manhattan"

static const rs_update_options sgd = {.optimizer = RS_OPTIMIZER_SGD, .weight_decay = 1e-2};
static const rs_update_options adam = {
    .optimizer = RS_OPTIMIZER_ADAM, .beta1 = 0.9, .beta2 = 0.999, .epsilon = 1e-8, .weight_decay = 1e-2};

static void plain_sgd(void **state)
{
    run(&sgd, false, NULL);
    end_of_test(state);
    rs_update_options o = sgd;
    o.distances = true;
    run(&o, false, "minkowski:1,minkowski:2,chebyshev");
    end_of_test(state);
    o.clip_norm = 3.0;
    run(&o, false, ALL_METRICS);
}

static void sgd_with_momentum(void **state)
{
    rs_update_options o = sgd;
    o.momentum = 0.9;
    run(&o, true, NULL);
    end_of_test(state);
    o.nesterov = true;
    o.distances = true;
    run(&o, true, "cosine");
    end_of_test(state);
    run(&o, true, "minkowski:4");
}

/* An epsilon that keeps quotients of gradients near 0 from being all rounding. */
static void adagrad_and_rmsprop(void **state)
{
    static const rs_optimizer_kind kinds[] = {RS_OPTIMIZER_ADAGRAD, RS_OPTIMIZER_RMSPROP,
                                              RS_OPTIMIZER_RMSPROP};
    for (int k = 0; k < COUNT_OF(kinds); k++) {
        rs_update_options o = {.optimizer = kinds[k],
                               .epsilon = 1e-2,
                               .alpha = 0.9,
                               .weight_decay = 1e-2,
                               .momentum = k == 2 ? 0.8 : 0.0};
        run(&o, k == 2, NULL);
        end_of_test(state);
        o.distances = true;
        run(&o, k == 2, "euclidean,cosine");
        end_of_test(state);
        o.clip_norm = 3.0;
        run(&o, k == 2, ALL_METRICS);
        end_of_test(state);
    }
}

static void adam_and_adamw(void **state)
{
    rs_update_options o = adam;
    o.clip_norm = 1e9; /* clips nothing */
    run(&o, false, NULL);
    end_of_test(state);
    o.distances = true;
    o.epsilon = 0.0; /* 0 / 0 behind a tensor's last element must not show */
    run(&o, false, "euclidean,correlation");
    end_of_test(state);
    o.epsilon = 1e-8;
    o.optimizer = RS_OPTIMIZER_ADAMW;
    o.clip_norm = 0.5;
    run(&o, false, ALL_METRICS);
}

static void without_initial_and_sums(void **state)
{
    (void)state;
    rs_update_options o = adam;
    o.distances = true;
    subject s = make_subject(&o, false, "euclidean,minkowski:3");
    s.update.initial = NULL;
    double *sum = s.update.gradient_sum;
    s.update.gradient_sum = NULL;
    s.update.gradient = device_put(s.gradient, s.size * 4);
    s.rates.learning_rate = 0.01;
    s.update.rates = device_put(&s.rates, sizeof s.rates);
    cuda_ok(rs_cu_update_begin(&s.update, test_stream()));
    cuda_ok(rs_cu_update_apply(&s.update, test_stream()));
    cuda_ok(rs_cu_update_finish(&s.update, test_stream()));
    double *untouched = host_new(s.size * 8);
    device_get(untouched, sum, s.size * 8);
    assert_memory_equal(untouched, s.sum, (size_t)s.size * 8);
    for (int t = 0; t < TENSORS; t++) {
        if (tensors[t].reached) {
            expect_tensor(&s, t, 1.0, 1);
        }
    }
    check_sums(&s);
    check_arena("value", &s, s.update.value, s.value, s.exact_value);
}

/* Of the tensor with one element, to the bit: sums in double differ in their last one only. */
static void small_whole_powers_are_products(void **state)
{
    enum { SINGLE = 3 };
    (void)state;
    rs_update_options o = sgd;
    o.distances = true;
    subject s = make_subject(&o, false, "minkowski:3,minkowski:5,minkowski:7,minkowski:8");
    s.update.gradient = device_put(s.gradient, s.size * 4);
    s.rates.learning_rate = 0.1;
    s.update.rates = device_put(&s.rates, sizeof s.rates);
    for (int number = 1; number <= STEPS; number++) {
        float before = floats_from(s.update.value, s.size)[s.offset[SINGLE]];
        rs_cu_sums got[TENSORS];
        cuda_ok(rs_cu_update_begin(&s.update, test_stream()));
        cuda_ok(rs_cu_update_apply(&s.update, test_stream()));
        cuda_ok(rs_cu_update_finish(&s.update, test_stream()));
        device_get(got, s.update.sums, sizeof got);
        double d = fabs((double)floats_from(s.update.value, s.size)[s.offset[SINGLE]] - (double)before);
        for (int m = 0; m < s.update.metrics.count; m++) {
            double product = d;
            for (int i = 1; i < (int)s.update.metrics.metric[m].p; i++) {
                product *= d;
            }
            assert_true(got[SINGLE].to_previous.power[m] == product);
        }
    }
}

/* A NaN in one tensor shows in its sums and in the norm, and nowhere else. */
static void not_a_number(void **state)
{
    (void)state;
    rs_update_options o = sgd;
    o.distances = true;
    subject s = make_subject(&o, false, "chebyshev,minkowski:3");
    s.gradient[s.offset[2] + RS_CU_JOB + 5] = NAN;
    s.update.gradient = device_put(s.gradient, s.size * 4);
    s.update.rates = device_put(&s.rates, sizeof s.rates);
    cuda_ok(rs_cu_update_begin(&s.update, test_stream()));
    cuda_ok(rs_cu_update_apply(&s.update, test_stream()));
    cuda_ok(rs_cu_update_finish(&s.update, test_stream()));
    rs_cu_sums got[TENSORS];
    rs_cu_norms norms;
    device_get(got, s.update.sums, sizeof got);
    device_get(&norms, s.update.norms, sizeof norms);
    assert_true(isnan(norms.gradient_norm));
    for (int t = 0; t < TENSORS; t++) {
        assert_true((t == 2) == (bool)isnan(got[t].gradient.abs));
        assert_true((t == 2) == (bool)isnan(got[t].to_previous.max));
        assert_true((t == 2) == (bool)isnan(got[t].to_initial.max));
        assert_true((t == 2) == (bool)isnan(got[t].to_initial.power[1]));
    }
}

/* Weights do not depend on what is measured. */
static void measuring_changes_nothing(void **state)
{
    (void)state;
    rs_update_options o = adam;
    float *values[3];
    int64_t size = 0;
    for (int k = 0; k < 3; k++) {
        o.distances = k > 0;
        subject s = make_subject(&o, false, k == 2 ? ALL_METRICS : "euclidean");
        s.update.gradient = device_put(s.gradient, s.size * 4);
        s.rates.learning_rate = 0.1;
        s.update.rates = device_put(&s.rates, sizeof s.rates);
        cuda_ok(rs_cu_update_begin(&s.update, test_stream()));
        cuda_ok(rs_cu_update_apply(&s.update, test_stream()));
        values[k] = floats_from(s.update.value, s.size);
        size = s.size;
    }
    assert_memory_equal(values[1], values[0], (size_t)size * 4);
    assert_memory_equal(values[2], values[0], (size_t)size * 4);
}

static void arguments(void **state)
{
    (void)state;
    subject s = make_subject(&adam, false, NULL);
    rs_cu_update bad = s.update;
    s.update.gradient = bad.gradient = bad.value;
    bad.moment2 = NULL;
    refused(rs_cu_update_apply(&bad, test_stream()));
    bad.options.optimizer = RS_OPTIMIZER_ADAGRAD;
    refused(rs_cu_update_apply(&bad, test_stream()));
    bad = s.update;
    bad.options.optimizer = RS_OPTIMIZER_RMSPROP;
    bad.momentum = true;
    bad.moment1 = NULL;
    refused(rs_cu_update_apply(&bad, test_stream()));
    bad = s.update;
    bad.value = NULL;
    refused(rs_cu_update_apply(&bad, test_stream()));
    bad = s.update;
    bad.rates = NULL;
    refused(rs_cu_update_begin(&bad, test_stream()));
    bad = s.update;
    bad.norms = NULL;
    refused(rs_cu_update_finish(&bad, test_stream()));
    refused(rs_cu_update_begin(NULL, test_stream()));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        kernel_test(plain_sgd),
        kernel_test(sgd_with_momentum),
        kernel_test(adam_and_adamw),
        kernel_test(adagrad_and_rmsprop),
        kernel_test(small_whole_powers_are_products),
        kernel_test(not_a_number),
        kernel_test(measuring_changes_nothing),
        kernel_test(without_initial_and_sums),
        kernel_test(arguments),
    };
    return cmocka_run_group_tests(tests, NULL, end_of_group);
}
