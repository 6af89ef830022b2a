/* compare_weights.c: distances between the weights of two records, tensor by tensor; see compare.h. Tensors match by name and
 * shape. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "compare.h"
#include "export.h"
#include "rs/host.h"

static const char folder[] = "weights/";

/* --- finding ------------------------------------------------------------------------------------------------ */

static rs_status append(rs__comparison *found, const rs__compared *tensor, rs_error *error)
{
    if (found->count == found->capacity) {
        const int capacity = found->capacity ? 2 * found->capacity : 128;
        rs__compared *grown = rs_alloc_array((size_t)capacity, sizeof *grown);
        if (!grown) {
            return RS_FAIL(error, RS_MEMORY, "no memory for the list of tensors");
        }
        if (found->count > 0) {
            memcpy(grown, found->list, (size_t)found->count * sizeof *grown);
        }
        rs_free(found->list);
        found->list = grown;
        found->capacity = capacity;
    }
    found->list[found->count++] = *tensor;
    return RS_OK;
}

static bool is_tensor(const rs_record_item *item)
{
    return strncmp(item->path, folder, sizeof folder - 1) == 0 && item->row.rank <= RS_MAX_RANK;
}

static bool same_shape(const rs_shape *a, const rs_shape *b)
{
    bool same = a->rank == b->rank;
    for (int axis = 0; same && axis < a->rank; axis++) {
        same = a->dim[axis] == b->dim[axis];
    }
    return same;
}

static rs__compared *find(const rs__comparison *found, const char *name)
{
    for (int i = 0; i < found->count; i++) {
        if (strcmp(found->list[i].name, name) == 0) {
            return &found->list[i];
        }
    }
    return NULL;
}

/* A's tensors, then those of B alone. */
static rs_status list_tensors(const rs__pair *pair, rs__comparison *found, rs_error *error)
{
    rs_record_item item;
    for (int i = 0; rs_record_reader_item(pair->place[0].reader, i, &item); i++) {
        if (is_tensor(&item)) {
            const rs__compared tensor = {.name = item.path + sizeof folder - 1,
                                         .shape = item.row,
                                         .order = INT64_MAX,
                                         .where = RS__IN_A};
            RS_TRY(append(found, &tensor, error));
        }
    }
    for (int i = 0; rs_record_reader_item(pair->place[1].reader, i, &item); i++) {
        if (!is_tensor(&item)) {
            continue;
        }
        rs__compared *tensor = find(found, item.path + sizeof folder - 1);
        if (tensor) {
            tensor->where = same_shape(&tensor->shape, &item.row) ? RS__IN_BOTH : RS__OTHER_SHAPE;
        } else {
            const rs__compared other = {.name = item.path + sizeof folder - 1,
                                        .shape = item.row,
                                        .order = INT64_MAX,
                                        .where = RS__IN_B};
            RS_TRY(append(found, &other, error));
        }
    }
    return RS_OK;
}

static rs_status mark_parameters(const rs_record_reader *reader, rs__comparison *found, rs_error *error)
{
    int64_t rows, width;
    RS_TRY(rs_record_reader_series_size(reader, "parameters/count", &rows, &width, error));
    for (int64_t i = 0; i < rows; i++) {
        char name[RS_NAME_MAX];
        RS_TRY(rs_record_reader_name(reader, "parameters/name", i, name, error));
        rs__compared *tensor = find(found, name);
        if (tensor) {
            tensor->order = tensor->parameter ? tensor->order : i;
            tensor->parameter = true;
        }
    }
    return RS_OK;
}

static int by_order(const void *a, const void *b)
{
    const rs__compared *x = a, *y = b;
    return x->order == y->order ? strcmp(x->name, y->name) : (x->order > y->order) - (x->order < y->order);
}

/* --- measuring ---------------------------------------------------------------------------------------------- */

static rs_status measure(const rs__pair *pair, rs__compared *tensor, float *values, rs_difference_sums *all,
                         rs_error *error)
{
    const int64_t count = rs_shape_count(&tensor->shape);
    rs_difference_sums sums = {0};
    for (int side = 0; side < 2; side++) {
        const rs__place *place = &pair->place[side];
        RS_TRY(rs_record_reader_tensor(place->reader, tensor->name, place->first, &tensor->shape,
                                       values + side * count, error));
    }
    rs_difference_add(&pair->metrics, values + count, values, (size_t)count, &sums);
    for (int m = 0; m < pair->metrics.count; m++) {
        tensor->distance[m] = rs_metric_finish(&pair->metrics, m, &sums, count);
    }
    if (tensor->parameter) {
        rs_difference_join(all, &sums);
    }
    return RS_OK;
}

static rs_status measure_all(const rs__pair *pair, rs__comparison *found, rs_error *error)
{
    rs_difference_sums all = {0};
    for (int i = 0; i < found->count; i++) {
        rs__compared *tensor = &found->list[i];
        const int64_t count = rs_shape_count(&tensor->shape);
        if (tensor->where != RS__IN_BOTH) {
            continue;
        }
        float *values = count >= 0 ? rs_alloc_array((size_t)count, 2 * sizeof *values) : NULL;
        if (!values) {
            return RS_FAIL(error, RS_MEMORY, "no memory for two times %s", tensor->name);
        }
        rs_status status = measure(pair, tensor, values, &all, error);
        rs_free(values);
        RS_TRY(status);
        found->elements += tensor->parameter ? count : 0;
    }
    for (int m = 0; m < pair->metrics.count; m++) {
        found->all[m] = rs_metric_finish(&pair->metrics, m, &all, found->elements);
    }
    return RS_OK;
}

rs_status rs__compare_weights(const rs__pair *pair, rs__comparison *found, rs_error *error)
{
    memset(found, 0, sizeof *found);
    if (pair->place[0].count == 0 || pair->place[1].count == 0) {
        return RS_OK;
    }
    RS_TRY(list_tensors(pair, found, error));
    RS_TRY(mark_parameters(pair->place[0].reader, found, error));
    RS_TRY(mark_parameters(pair->place[1].reader, found, error));
    if (found->count > 0) {
        qsort(found->list, (size_t)found->count, sizeof *found->list, by_order);
    }
    return measure_all(pair, found, error);
}

void rs__comparison_free(rs__comparison *found)
{
    rs_free(found->list);
    memset(found, 0, sizeof *found);
}

/* --- printing ----------------------------------------------------------------------------------------------- */

static void print_distances(const double *distances, int count, FILE *stream)
{
    for (int m = 0; m < count; m++) {
        (void)fprintf(stream, " %14.7g", isnan(distances[m]) ? NAN : distances[m]);
    }
    (void)fputc('\n', stream);
}

static void print_matches(const rs__comparison *found, const rs_metric_list *metrics, FILE *stream)
{
    (void)fprintf(stream, "  %-40s %10s", "tensor", "elements");
    for (int m = 0; m < metrics->count; m++) {
        (void)fprintf(stream, " %14s", metrics->metric[m].name);
    }
    (void)fputc('\n', stream);
    for (int i = 0; i < found->count; i++) {
        const rs__compared *tensor = &found->list[i];
        if (tensor->where == RS__IN_BOTH) {
            (void)fprintf(stream, "  %-40s %10" PRId64, tensor->name, rs_shape_count(&tensor->shape));
            print_distances(tensor->distance, metrics->count, stream);
        }
    }
    if (found->elements > 0) {
        (void)fprintf(stream, "  %-40s %10" PRId64, "all parameters, as one vector", found->elements);
        print_distances(found->all, metrics->count, stream);
    }
}

void rs__comparison_print(const rs__comparison *found, const rs_metric_list *metrics, FILE *stream)
{
    static const char *const titles[] = {
        [RS__IN_A] = "only in A", [RS__IN_B] = "only in B", [RS__OTHER_SHAPE] = "of another shape in B"};
    int counts[4] = {0};
    for (int i = 0; i < found->count; i++) {
        counts[found->list[i].where]++;
    }
    (void)fprintf(stream, "\nweights: %d tensors in both\n", counts[RS__IN_BOTH]);
    if (counts[RS__IN_BOTH] > 0) {
        print_matches(found, metrics, stream);
    }
    for (int where = RS__IN_A; where <= RS__OTHER_SHAPE; where++) {
        if (counts[where] > 0) {
            (void)fprintf(stream, "%s: %d tensors\n", titles[where], counts[where]);
        }
        for (int i = 0; i < found->count; i++) {
            char shape[96];
            if ((int)found->list[i].where == where) {
                rs_shape_text(&found->list[i].shape, shape, sizeof shape);
                (void)fprintf(stream, "  %-40s %s\n", found->list[i].name, shape);
            }
        }
    }
}

void rs__comparison_csv(const rs__comparison *found, const rs_metric_list *metrics, FILE *stream)
{
    static const char *const places[] = {
        [RS__IN_BOTH] = "both", [RS__IN_A] = "A", [RS__IN_B] = "B", [RS__OTHER_SHAPE] = "other shape"};
    (void)fputs("tensor,kind,shape,elements,in", stream);
    for (int m = 0; m < metrics->count; m++) {
        (void)fprintf(stream, ",%s", metrics->metric[m].name);
    }
    (void)fputc('\n', stream);
    for (int i = 0; i < found->count; i++) {
        const rs__compared *tensor = &found->list[i];
        char shape[96];
        rs_shape_text(&tensor->shape, shape, sizeof shape);
        rs__csv_text(stream, tensor->name);
        (void)fprintf(stream, ",%s,", tensor->parameter ? "parameter" : "statistic");
        rs__csv_text(stream, shape);
        (void)fprintf(stream, ",%" PRId64 ",%s", rs_shape_count(&tensor->shape), places[tensor->where]);
        for (int m = 0; m < metrics->count; m++) {
            (void)fputc(',', stream);
            if (tensor->where == RS__IN_BOTH) {
                rs__csv_number(stream, tensor->distance[m]);
            }
        }
        (void)fputc('\n', stream);
    }
}
