/* analyze_hessian.c: `analyze hessian`: second derivatives of the training loss of each snapshot: all of them where the
 * weights are few, else the ends of the spectrum. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "hessian.h"
#include "model.h"
#include "rs/host.h"
#include "rs/text.h"

enum { EXACT_LIMIT = 2500, REAL_COLUMNS = 9, INTEGER_COLUMNS = 9 };

/* Columns of the summary, one value a snapshot. */
typedef enum real_column {
    LOSS,
    NORM,
    RATIO,
    SHARE,
    SMALLEST,
    LARGEST,
    SMALL_RESIDUAL,
    LARGE_RESIDUAL,
    ASYMMETRY
} real_column;
typedef enum integer_column {
    RUN,
    SNAPSHOT,
    WEIGHTS,
    POSITIVE,
    NEGATIVE,
    ZERO,
    POSITIVE_EIGENVALUES,
    CONVERGED,
    PRODUCTS
} integer_column;

static const struct {
    const char *path, *unit, *what;
} reals[REAL_COLUMNS] = {
    [LOSS] = {"loss", "loss", "mean over the samples"},
    [NORM] = {"gradient_norm", "loss/weight", "L2 norm of the gradient by the weights taken"},
    [RATIO] = {"minimal_ratio", "1",
               "share of the weights whose second derivative is positive; NaN where only ends are known"},
    [SHARE] = {"positive_eigenvalue_share", "1",
               "share of positive eigenvalues; NaN where only ends are known"},
    [SMALLEST] = {"smallest", "loss/weight^2", "smallest eigenvalue"},
    [LARGEST] = {"largest", "loss/weight^2", "largest eigenvalue"},
    [SMALL_RESIDUAL] = {"smallest_residual", "loss/weight^2",
                        "|H u - value u| of the smallest; 0: by dsyevd"},
    [LARGE_RESIDUAL] = {"largest_residual", "loss/weight^2", "|H u - value u| of the largest; 0: by dsyevd"},
    [ASYMMETRY] = {"asymmetry", "1",
                   "largest difference between the halves of the matrix over its largest entry"},
};
static const struct {
    const char *path, *what;
} integers[INTEGER_COLUMNS] = {
    [RUN] = {"run", "row of inputs/"},
    [SNAPSHOT] = {"snapshot", "its snapshot"},
    [WEIGHTS] = {"weights", "weights taken"},
    [POSITIVE] = {"positive", "weights with a positive second derivative; -1: not known"},
    [NEGATIVE] = {"negative", "with a negative one"},
    [ZERO] = {"zero", "with none: 0 exactly, as of a unit that no sample reaches"},
    [POSITIVE_EIGENVALUES] = {"positive_eigenvalues",
                              "eigenvalues above weights 2^-52 |largest|; -1: not known"},
    [CONVERGED] =
        {"converged",
         "1: all eigenvalues' residuals are within the tolerance; 0: not, more --iterations are needed"},
    [PRODUCTS] = {"products", "products of the second derivatives with a direction that were taken"},
};

typedef struct study {
    rs__analysis *a;
    int64_t count, at; /* snapshots in all; the one under way */
    double *real[REAL_COLUMNS];
    int64_t *integer[INTEGER_COLUMNS];
    double told, began;

    /* of the run under way */
    rs__model model;
    rs_split *split;
    rs__curvature *curvature;
    double *weights, **running, *gradient;
    int64_t *taken, taken_count;
    bool exact, batch_statistics;
} study;

static rs_status make_columns(study *s, rs_error *error)
{
    bool complete = true;
    for (int i = 0; i < s->a->input_count; i++) {
        s->count += s->a->inputs[i].count;
    }
    for (int i = 0; i < REAL_COLUMNS; i++) {
        s->real[i] = rs_alloc_array((size_t)s->count, sizeof(double));
        complete = complete && s->real[i];
    }
    for (int i = 0; i < INTEGER_COLUMNS; i++) {
        s->integer[i] = rs_alloc_array((size_t)s->count, sizeof(int64_t));
        complete = complete && s->integer[i];
    }
    return complete ? RS_OK : RS_FAIL(error, RS_MEMORY, "no memory for %" PRId64 " snapshots", s->count);
}

/* --- one run ---------------------------------------------------------------------------------------------- */

static rs_status allocate(study *s, rs_error *error)
{
    const rs_network *network = s->model.network;
    int64_t size = 0;
    for (int i = 0; i < network->parameter_count; i++) {
        size += network->parameters[i].count;
    }
    s->weights = rs_alloc_array((size_t)size, sizeof *s->weights);
    s->gradient = rs_alloc_array((size_t)size, sizeof *s->gradient);
    s->taken = rs_alloc_array((size_t)size, sizeof *s->taken);
    s->running = rs_alloc_array((size_t)network->buffer_count + 1, sizeof *s->running);
    bool complete = s->weights && s->gradient && s->taken && s->running;
    for (int b = 0; complete && b < network->buffer_count; b++) {
        s->running[b] = rs_alloc_array((size_t)network->buffers[b].count, sizeof **s->running);
        complete = s->running[b];
    }
    return complete ? RS_OK : RS_FAIL(error, RS_MEMORY, "no memory for %" PRId64 " weights", size);
}

static rs_status choose_weights(study *s, rs_error *error)
{
    const rs_network *network = s->model.network;
    int64_t at = 0;
    for (int i = 0; i < network->parameter_count; at += network->parameters[i++].count) {
        for (int64_t k = 0;
             rs__glob_takes(s->a->layer, network->parameters[i].name) && k < network->parameters[i].count;
             k++) {
            s->taken[s->taken_count++] = at + k;
        }
    }
    const char *method = s->a->method ? s->a->method : "auto";
    s->exact = strcmp(method, "exact") == 0 || (strcmp(method, "auto") == 0 && s->taken_count <= EXACT_LIMIT);
    return s->taken_count > 0
               ? RS_OK
               : RS_FAIL(error, RS_USAGE, "--layer %s takes no parameter of %s", s->a->layer, network->name);
}

static rs_status open_run(study *s, const rs__input *input, rs_error *error)
{
    RS_TRY(rs__model_open(s->a, input, false, &s->model, error));
    RS_TRY(rs__model_split(&s->model, s->a->split ? s->a->split : "train", s->a->samples, &s->split, error));
    RS_TRY(allocate(s, error));
    RS_TRY(choose_weights(s, error));
    s->batch_statistics = s->a->statistics && strcmp(s->a->statistics, "batch") == 0;
    const rs__curvature_options options = {.network = s->model.network,
                                           .dataset = s->model.dataset,
                                           .split = s->split,
                                           .samples = s->split->count,
                                           .batch = s->batch_statistics ? s->model.batch : 0,
                                           .batch_statistics = s->batch_statistics,
                                           .running = (const double *const *)s->running,
                                           .threads = (int)s->model.config.threads};
    return rs__curvature_create(&options, &s->curvature, error);
}

static void close_run(study *s)
{
    rs__curvature_destroy(s->curvature);
    for (int b = 0; s->running && b < s->model.network->buffer_count; b++) {
        rs_free(s->running[b]);
    }
    rs_free(s->running);
    rs_free(s->weights);
    rs_free(s->gradient);
    rs_free(s->taken);
    rs__model_close(&s->model);
    s->curvature = NULL;
    s->running = NULL;
    s->weights = s->gradient = NULL;
    s->taken = NULL;
    s->taken_count = 0;
}

static rs_status load_state(study *s, const rs__input *input, int64_t snapshot, rs_error *error)
{
    const rs_network *network = s->model.network;
    float *state;
    RS_TRY(rs__state_read(network, input, snapshot, &state, error));
    const float *at = state;
    for (int64_t i = 0; i < rs__curvature_size(s->curvature); i++) {
        s->weights[i] = (double)*at++;
    }
    for (int b = 0; b < network->buffer_count; b++) {
        for (int64_t i = 0; i < network->buffers[b].count; i++) {
            s->running[b][i] = (double)*at++;
        }
    }
    rs_free(state);
    return RS_OK;
}

/* --- one snapshot ----------------------------------------------------------------------------------------- */

static rs_status put_list(const study *s, const char *name, const char *what, const char *axis, int64_t count,
                          const double *values, rs_error *error)
{
    char path[64];
    (void)snprintf(path, sizeof path, "measured%" PRId64 "/%s", s->at, name);
    return rs__put_list(s->a->file, path, what, "loss/weight^2", axis, count, values, error);
}

enum { TELL_SECONDS = 20 };

/* Now and then, with the time that the rest needs at most. */
static void tell_progress(study *s, int64_t done, int64_t most, const char *what)
{
    const double now = rs_seconds();
    if (now - s->told > TELL_SECONDS) {
        char left[32];
        s->told = now;
        rs_text_duration((now - s->began) / (double)done * (double)(most - done), left, sizeof left);
        rs_log(RS_LOG_INFO, "%" PRId64 " of %s%" PRId64 " %s, %s%s left", done, s->exact ? "" : "at most ",
               most, what, s->exact ? "" : "at most ", left);
    }
}

static void tell(void *context, int64_t done)
{
    study *s = context;
    tell_progress(s, done, s->taken_count, "rows of second derivatives");
}

static void tell_steps(void *context, int steps)
{
    study *s = context;
    const int64_t most = s->a->iterations < s->taken_count ? s->a->iterations : s->taken_count;
    tell_progress(s, steps, most, "products of second derivatives");
}

static double greatest(int count, const double *values)
{
    double most = values[0];
    for (int i = 1; i < count; i++) {
        most = fmax(most, values[i]);
    }
    return most;
}

static void warn_unconverged(const study *s, const rs__lanczos *l)
{
    const double scale = fmax(fabs(l->smallest[0]), fabs(l->largest[0]));
    rs_log(RS_LOG_WARNING,
           "snapshot %" PRId64
           " of %s: after %d products residuals are up to %.2g of the %d smallest and %.2g of the %d "
           "largest eigenvalues, above --tolerance %g times the greatest (%.4g): these are bounds from "
           "inside, not yet the ends; raise --iterations (now %" PRId64 ")",
           s->integer[SNAPSHOT][s->at], s->a->inputs[s->integer[RUN][s->at]].path, l->steps,
           greatest(l->count, l->smallest_residual), l->count, greatest(l->count, l->largest_residual),
           l->count, l->tolerance, scale, s->a->iterations);
}

static rs_status measure_exact(study *s, const rs__hessian_place *place, rs_error *error)
{
    rs__hessian h;
    rs_status status = rs__hessian_exact(place, tell, s, &h, error);
    if (!status) {
        const double count = (double)h.count;
        s->real[RATIO][s->at] = (double)h.positive / count;
        s->real[SHARE][s->at] = (double)h.positive_eigenvalues / count;
        s->real[SMALLEST][s->at] = h.eigenvalues[0];
        s->real[LARGEST][s->at] = h.eigenvalues[h.count - 1];
        s->real[ASYMMETRY][s->at] = h.asymmetry;
        s->integer[POSITIVE][s->at] = h.positive;
        s->integer[NEGATIVE][s->at] = h.negative;
        s->integer[ZERO][s->at] = h.zero;
        s->integer[POSITIVE_EIGENVALUES][s->at] = h.positive_eigenvalues;
        s->integer[PRODUCTS][s->at] = h.count;
        s->integer[CONVERGED][s->at] = 1;
        status = put_list(s, "diagonal", "second derivative of the loss by each weight taken", "weight",
                          h.count, h.diagonal, error);
    }
    if (!status) {
        status = put_list(s, "eigenvalues", "of the matrix of second derivatives, ascending", "eigenvalue",
                          h.count, h.eigenvalues, error);
    }
    rs__hessian_release(&h);
    return status;
}

static rs_status put_ends(study *s, const rs__lanczos *l, rs_error *error)
{
    RS_TRY(put_list(s, "smallest", "from the smallest up", "eigenvalue", l->count, l->smallest, error));
    RS_TRY(put_list(s, "smallest_residual", "|H u - value u| of each", "eigenvalue", l->count,
                    l->smallest_residual, error));
    RS_TRY(put_list(s, "largest", "from the largest down", "eigenvalue", l->count, l->largest, error));
    return put_list(s, "largest_residual", "|H u - value u| of each", "eigenvalue", l->count,
                    l->largest_residual, error);
}

static rs_status measure_ends(study *s, const rs__hessian_place *place, rs_error *error)
{
    const size_t wanted = (size_t)s->a->eigenvalues;
    double *values = rs_alloc_array(4 * wanted, sizeof *values);
    rs__lanczos l = {.iterations = (int)s->a->iterations,
                     .wanted = (int)wanted,
                     .tolerance = s->a->tolerance,
                     .seed = (uint64_t)s->a->seed,
                     .tell = tell_steps,
                     .listener = s,
                     .smallest = values,
                     .largest = values + wanted,
                     .smallest_residual = values + 2 * wanted,
                     .largest_residual = values + 3 * wanted};
    rs_status status = values ? rs__hessian_ends(place, &l, error)
                              : RS_FAIL(error, RS_MEMORY, "no memory for %zu eigenvalues", wanted);
    if (!status) {
        s->real[RATIO][s->at] = s->real[SHARE][s->at] = s->real[ASYMMETRY][s->at] = (double)NAN;
        s->real[SMALLEST][s->at] = l.smallest[0];
        s->real[LARGEST][s->at] = l.largest[0];
        s->real[SMALL_RESIDUAL][s->at] = l.smallest_residual[0];
        s->real[LARGE_RESIDUAL][s->at] = l.largest_residual[0];
        s->integer[POSITIVE][s->at] = s->integer[NEGATIVE][s->at] = s->integer[ZERO][s->at] = -1;
        s->integer[POSITIVE_EIGENVALUES][s->at] = -1;
        s->integer[PRODUCTS][s->at] = l.steps;
        s->integer[CONVERGED][s->at] = l.converged;
        status = put_ends(s, &l, error);
        if (!l.converged) {
            warn_unconverged(s, &l);
        }
    }
    rs_free(values);
    return status;
}

static void print_heading(const study *s)
{
    (void)printf("%s: %" PRId64 " of %" PRId64 " weights, %s; %" PRId64 " samples in batches of %" PRId64
                 "; batch norm: %s\n",
                 s->model.network->name, s->taken_count, rs__curvature_size(s->curvature),
                 s->exact ? "all second derivatives" : "ends of the spectrum by Lanczos", s->split->count,
                 rs__curvature_batch(s->curvature),
                 s->model.network->buffer_count == 0 ? "none"
                 : s->batch_statistics               ? "statistics of each batch"
                                                     : "running statistics");
    (void)printf(
        "run  snapshot          loss  |gradient|   positive  negative      zero   ratio  eigenvalues > 0"
        "     smallest      largest    residual\n");
}

static void print_row(const study *s)
{
    const int64_t i = s->at;
    (void)printf("%3" PRId64 "  %8" PRId64 "  %12.6g  %10.4g  ", s->integer[RUN][i], s->integer[SNAPSHOT][i],
                 s->real[LOSS][i], s->real[NORM][i]);
    if (s->exact) {
        (void)printf("%9" PRId64 " %9" PRId64 " %9" PRId64 "  %6.4f  %15.4f", s->integer[POSITIVE][i],
                     s->integer[NEGATIVE][i], s->integer[ZERO][i], s->real[RATIO][i], s->real[SHARE][i]);
    } else {
        (void)printf("%9s %9s %9s  %6s  %15s", "-", "-", "-", "-", "-");
    }
    (void)printf("  %11.5g  %11.5g  %10.2e\n", s->real[SMALLEST][i], s->real[LARGEST][i],
                 fmax(s->real[SMALL_RESIDUAL][i], s->real[LARGE_RESIDUAL][i]));
    (void)fflush(stdout);
}

static rs_status measure(study *s, int run, int64_t snapshot, rs_error *error)
{
    const rs__hessian_place place = {
        .curvature = s->curvature, .weights = s->weights, .count = s->taken_count, .taken = s->taken};
    double square = 0.0;
    RS_TRY(load_state(s, &s->a->inputs[run], snapshot, error));
    rs__curvature_product(s->curvature, s->weights, NULL, &s->real[LOSS][s->at], s->gradient, NULL);
    for (int64_t i = 0; i < s->taken_count; i++) {
        square += s->gradient[s->taken[i]] * s->gradient[s->taken[i]];
    }
    s->real[NORM][s->at] = sqrt(square);
    s->integer[RUN][s->at] = run;
    s->integer[SNAPSHOT][s->at] = snapshot;
    s->integer[WEIGHTS][s->at] = s->taken_count;
    s->began = rs_seconds();
    return s->exact ? measure_exact(s, &place, error) : measure_ends(s, &place, error);
}

static rs_status measure_run(study *s, int run, rs_error *error)
{
    rs__input *input = &s->a->inputs[run];
    rs_status status = open_run(s, input, error);
    if (!status) {
        print_heading(s);
    }
    for (int64_t k = 0; !status && k < input->count; k++, s->at++) {
        status = measure(s, run, input->first + k, error);
        if (!status) {
            print_row(s);
        }
    }
    if (!status && run == 0) {
        status = rs_result_integer(s->a->file, "samples", s->split->count, error);
        status = status ? status
                        : rs_result_integer(s->a->file, "batch", rs__curvature_batch(s->curvature), error);
    }
    close_run(s);
    return status;
}

static rs_status put_columns(const study *s, rs_error *error)
{
    for (int i = 0; i < REAL_COLUMNS; i++) {
        RS_TRY(rs__put_list(s->a->file, reals[i].path, reals[i].what, reals[i].unit, "measured", s->count,
                            s->real[i], error));
    }
    for (int i = 0; i < INTEGER_COLUMNS; i++) {
        RS_TRY(rs__put_integers(s->a->file, integers[i].path, integers[i].what, "measured", s->count,
                                s->integer[i], error));
    }
    return RS_OK;
}

static rs_status put_conditions(const study *s, rs_error *error)
{
    rs_result_file *file = s->a->file;
    const bool batch = s->a->statistics && strcmp(s->a->statistics, "batch") == 0;
    RS_TRY(rs_result_text(file, "loss_function",
                          "the run's, as a mean over the samples, without weight decay", error));
    RS_TRY(rs_result_text(file, "split", s->a->split ? s->a->split : "train", error));
    RS_TRY(rs_result_text(file, "batch_norm",
                          batch ? "statistics of each batch, with their own derivatives"
                                : "running statistics, constant",
                          error));
    RS_TRY(rs_result_text(file, "dropout", "none: everything passes", error));
    RS_TRY(rs_result_text(file, "arithmetic", "double, exact products by complex steps of 2^-300", error));
    RS_TRY(rs_result_integer(file, "seed", s->a->seed, error));
    return put_columns(s, error);
}

rs_status rs__analyze_hessian(rs__analysis *a, rs_error *error)
{
    static study s;
    memset(&s, 0, sizeof s);
    s.a = a;
    s.told = rs_seconds();
    rs_status status = make_columns(&s, error);
    for (int run = 0; !status && run < a->input_count; run++) {
        status = measure_run(&s, run, error);
    }
    status = status ? status : put_conditions(&s, error);
    for (int i = 0; i < REAL_COLUMNS; i++) {
        rs_free(s.real[i]);
    }
    for (int i = 0; i < INTEGER_COLUMNS; i++) {
        rs_free(s.integer[i]);
    }
    return status;
}
