/* function.c: samples of a function of one number: what it takes and what it gives, as a network sees them.
 *
 * Training samples are drawn uniformly, each from (seed, its place) alone, so that more samples begin like fewer;
 * test samples are evenly spaced. A place is computed in double and rounded to float; the target is the
 * function, in double, of that rounded place. */
#include <inttypes.h>
#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "formats.h"
#include "rs/host.h"
#include "rs/random.h"
#include "rs/tensor.h"
#include "rs/text.h"

#define PI 3.14159265358979323846

enum { FUNCTION_MOST = 100000000 }; /* samples in a split */

/* sin(5 pi x) / (5 pi x) */
static double sinc(double x)
{
    double angle = 5.0 * PI * x;
    return angle == 0.0 ? 1.0 : sin(angle) / angle;
}

static double sin_log(double x)
{
    return sin(x) + log(x + 1.0);
}

static double sinc_log(double x)
{
    return sinc(x) + log(x + 1.0);
}

typedef struct formula {
    const char *name;
    double (*value)(double x);
    bool has_log; /* of x + 1 */
} formula;

static const formula formulas[] = {
    {"sin-log", sin_log, true}, {"sinc", sinc, false}, {"sinc-log", sinc_log, true}};

enum { FORMULAS = sizeof formulas / sizeof *formulas };

static rs_status find_formula(const char *name, const formula **found, rs_error *error)
{
    const char *names[FORMULAS];
    for (int i = 0; i < FORMULAS; i++) {
        names[i] = formulas[i].name;
        if (name && strcmp(name, names[i]) == 0) {
            *found = &formulas[i];
            return RS_OK;
        }
    }
    if (!name || !*name) {
        return RS_FAIL(error, RS_USAGE, "the data set function needs one: sin-log, sinc or sinc-log");
    }
    const char *nearest = rs_text_nearest(name, names, FORMULAS);
    return RS_FAIL(error, RS_USAGE, "no function \"%.100s\": not one of sin-log, sinc, sinc-log%s%s", name,
                   nearest ? "; nearest " : "", nearest ? nearest : "");
}

static rs_status check_range(const formula *f, const rs_dataset_request *request, rs_error *error)
{
    double from = request->function_from, to = request->function_to;
    if (!isfinite(from) || !isfinite(to) || !((float)from < (float)to) || !isfinite((float)(to - from))) {
        return RS_FAIL(error, RS_USAGE, "%s from %g to %g: the range needs two numbers, the smaller first",
                       f->name, from, to);
    }
    if (f->has_log && !((double)(float)from > -1.0)) {
        return RS_FAIL(error, RS_USAGE, "%s from %g: ln(x + 1) needs x above -1", f->name, from);
    }
    return RS_OK;
}

static rs_status check_counts(const rs_dataset_request *request, rs_error *error)
{
    int64_t train = request->function_samples, valid = request->function_valid;
    if (train < 1 || valid < 1 || train > FUNCTION_MOST || valid > FUNCTION_MOST) {
        return RS_FAIL(error, RS_USAGE,
                       "%" PRId64 " training and %" PRId64 " validation samples of a function: 1 to %d each",
                       train, valid, FUNCTION_MOST);
    }
    return RS_OK;
}

static rs_status allocate(int64_t count, rs__part *part, rs_error *error)
{
    part->values = rs_alloc_array((size_t)count, sizeof *part->values);
    part->targets = rs_alloc_array((size_t)count, sizeof *part->targets);
    part->count = count;
    return part->values && part->targets
               ? RS_OK
               : RS_FAIL(error, RS_MEMORY, "no memory for %" PRId64 " samples of a function", count);
}

static void set_sample(rs__part *part, int64_t i, const formula *f, double x)
{
    part->values[i] = (float)x;
    part->targets[i] = (float)f->value((double)part->values[i]);
}

/* `all` evenly spaced places have both ends among them; of one alone, the first. */
static double even_place(const rs_dataset_request *request, int64_t i, int64_t all)
{
    double from = request->function_from, to = request->function_to;
    return i == 0 ? from : i == all - 1 ? to : from + (to - from) * ((double)i / (double)(all - 1));
}

rs_status rs__function_draw(const rs_dataset_request *request, rs__loaded *loaded, rs_error *error)
{
    const formula *f = NULL;
    const uint64_t stream = rs_hash64("function/train");
    RS_TRY(find_formula(request->function, &f, error));
    RS_TRY(check_range(f, request, error));
    RS_TRY(check_counts(request, error));
    RS_TRY(allocate(rs__limited(request->function_samples, request->train_limit), &loaded->train, error));
    RS_TRY(allocate(rs__limited(request->function_valid, request->test_limit), &loaded->test, error));
    for (int64_t i = 0; i < loaded->train.count; i++) {
        double x = rs_uniform(request->split_seed, stream, (uint64_t)i, request->function_from,
                              request->function_to);
        set_sample(&loaded->train, i, f, x);
    }
    for (int64_t i = 0; i < loaded->test.count; i++) {
        set_sample(&loaded->test, i, f, even_place(request, i, request->function_valid));
    }
    return RS_OK;
}
