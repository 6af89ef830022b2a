/* analyze_pca.c: `analyze pca`: the weights of all snapshots of all runs together. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "analysis.h"
#include "pca.h"
#include "rs/host.h"

enum { SHOWN = 6 };

/* Where each point is from. */
typedef struct places {
    int64_t count;
    int64_t *run, *snapshot, *epoch, *step;
} places;

static rs_status find_places(const rs__analysis *a, places *p, rs_error *error)
{
    int64_t total = 0, at = 0;
    for (int i = 0; i < a->input_count; i++) {
        total += a->inputs[i].count;
    }
    p->run = rs_alloc_array(4 * (size_t)total, sizeof *p->run);
    if (!p->run) {
        return RS_FAIL(error, RS_MEMORY, "no memory for the list of snapshots");
    }
    p->count = total;
    p->snapshot = p->run + total;
    p->epoch = p->snapshot + total;
    p->step = p->epoch + total;
    for (int i = 0; i < a->input_count; i++) {
        for (int64_t s = 0; s < a->inputs[i].count; s++, at++) {
            rs_snapshot_place place;
            RS_TRY(rs_record_reader_snapshot(a->inputs[i].reader, a->inputs[i].first + s, &place, error));
            p->run[at] = i;
            p->snapshot[at] = a->inputs[i].first + s;
            p->epoch[at] = place.epoch;
            p->step[at] = place.step;
        }
    }
    return RS_OK;
}

/* Tensor by tensor, so that only one is in memory for all points. */
static rs_status gather(const rs__analysis *a, const places *p, const rs__tensors *tensors, rs__pca *pca,
                        rs_error *error)
{
    rs_status status = RS_OK;
    float *values = rs_alloc_array((size_t)p->count * (size_t)tensors->largest, sizeof *values);
    if (!values) {
        return RS_FAIL(error, RS_MEMORY,
                       "no memory for %" PRId64 " snapshots of a tensor of %" PRId64
                       " weights; take fewer, or --layer",
                       p->count, tensors->largest);
    }
    for (int t = 0; !status && t < tensors->count; t++) {
        const rs__tensor *tensor = &tensors->list[t];
        for (int64_t i = 0; !status && i < p->count; i++) {
            status = rs_record_reader_tensor(a->inputs[p->run[i]].reader, tensor->name, p->snapshot[i],
                                             &tensor->shape, values + i * tensor->count, error);
        }
        status = status ? status : rs__pca_add(pca, values, tensor->count, error);
    }
    rs_free(values);
    return status;
}

static rs_status put_points(const rs__analysis *a, const places *p, const rs__pca *pca, rs_error *error)
{
    const int64_t n = p->count, k = pca->components;
    RS_TRY(rs__put_integers(a->file, "point/run", "row of inputs/ that the point is from", "point", n, p->run,
                            error));
    RS_TRY(rs__put_integers(a->file, "point/snapshot", "its snapshot in that record", "point", n, p->snapshot,
                            error));
    RS_TRY(rs__put_integers(a->file, "point/epoch", "finished epochs, -1 within one", "point", n, p->epoch,
                            error));
    RS_TRY(rs__put_integers(a->file, "point/step", "finished steps", "point", n, p->step, error));
    const rs_result_array coordinates = {.path = "point/coordinate",
                                         .what = "along each component, from the mean of all points",
                                         .unit = "weight",
                                         .rank = 2,
                                         .dim = {n, k},
                                         .axis = {"point", "component"}};
    RS_TRY(rs_result_reals(a->file, &coordinates, pca->coordinate, error));
    RS_TRY(rs__put_list(a->file, "point/off_plane", "distance to the plane of the first two components",
                        "weight", "point", n, pca->off_plane, error));
    return rs__put_list(a->file, "point/distance", "distance to the mean of all points", "weight", "point", n,
                        pca->distance, error);
}

static rs_status put(const rs__analysis *a, const places *p, const rs__tensors *tensors, const rs__pca *pca,
                     rs_error *error)
{
    const int64_t k = pca->components;
    const char **names = rs_alloc_array((size_t)tensors->count, sizeof *names);
    if (!names) {
        return RS_FAIL(error, RS_MEMORY, "no memory for the names of tensors");
    }
    for (int t = 0; t < tensors->count; t++) {
        names[t] = tensors->list[t].name;
    }
    const rs_result_array array = {
        .path = "tensors",
        .what = "parameters that were taken, all their weights alike: centred, unscaled",
        .unit = "1",
        .rank = 1,
        .dim = {tensors->count},
        .axis = {"tensor"}};
    rs_status status = rs_result_texts(a->file, &array, names, error);
    rs_free(names);
    RS_TRY(status);
    RS_TRY(rs_result_integer(a->file, "weights", tensors->weights, error));
    RS_TRY(rs__put_list(a->file, "component/variance", "of the points along it, over their number less 1",
                        "weight^2", "component", k, pca->variance, error));
    RS_TRY(rs__put_list(a->file, "component/ratio", "explained share of the variance of all components", "1",
                        "component", k, pca->ratio, error));
    return put_points(a, p, pca, error);
}

static void print(const rs__analysis *a, const places *p, const rs__tensors *tensors, const rs__pca *pca)
{
    double sum = 0.0;
    (void)printf("%" PRId64 " snapshots of %d runs, %" PRId64 " weights in %d tensors\n\n", p->count,
                 a->input_count, tensors->weights, tensors->count);
    (void)printf("component  explained      sum\n");
    for (int64_t k = 0; k < pca->components && k < SHOWN; k++) {
        sum += pca->ratio[k];
        (void)printf("%9" PRId64 "  %8.4f%%  %7.3f%%\n", k + 1, 100.0 * pca->ratio[k], 100.0 * sum);
    }
    (void)printf("\nrun  snapshot    epoch         first        second     off plane\n");
    for (int64_t i = 0; i < p->count; i++) {
        const bool edge =
            i == 0 || i == p->count - 1 || p->run[i] != p->run[i - 1] || p->run[i] != p->run[i + 1];
        if (edge || p->count <= 100) {
            const double *c = pca->coordinate + i * pca->components;
            (void)printf("%3" PRId64 "  %8" PRId64 "  %7" PRId64 "  %12.6g  %12.6g  %12.6g\n", p->run[i],
                         p->snapshot[i], p->epoch[i], c[0], pca->components > 1 ? c[1] : 0.0,
                         pca->off_plane[i]);
        }
    }
}

rs_status rs__analyze_pca(rs__analysis *a, rs_error *error)
{
    places where = {0};
    rs__tensors tensors = {0};
    rs__pca pca = {0};
    rs_status status = find_places(a, &where, error);
    status = status ? status : rs__tensors_of(&a->inputs[0], a->layer, &tensors, error);
    status = status ? status : rs__pca_create(where.count, &pca, error);
    status = status ? status : gather(a, &where, &tensors, &pca, error);
    status = status ? status : rs__pca_finish(&pca, tensors.weights, error);
    status = status ? status : put(a, &where, &tensors, &pca, error);
    if (!status) {
        print(a, &where, &tensors, &pca);
    }
    rs__pca_release(&pca);
    rs_free(tensors.list);
    rs_free(where.run);
    return status;
}
