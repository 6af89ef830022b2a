/* dataset.c: from a request to labelled images in memory; see rs/dataset.h.
 *
 *   catalog entry -> locate (or fetch) -> read its format, or draw -> resize -> normalization, validation split, random
 *   labels -> rs_dataset with provenance */
#include "rs/dataset.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "acquire.h"
#include "catalog.h"
#include "formats.h"
#include "load.h"
#include "locate.h"
#include "prepare.h"
#include "provenance.h"
#include "resize.h"
#include "rs/host.h"
#include "rs/tensor.h"
#include "rs/text.h"

int64_t rs__limited(int64_t available, int64_t limit)
{
    return limit > 0 && limit < available ? limit : available;
}

static size_t image_bytes(const rs__set *set)
{
    return (size_t)set->channels * (size_t)set->height * (size_t)set->width;
}

rs_status rs__part_create(const rs__set *set, int64_t count, rs__part *part, rs_error *error)
{
    size_t bytes;
    RS_ASSERT(count >= 0 && !part->images && !part->labels);
    bool sane = rs_multiply((size_t)count, image_bytes(set), &bytes);
    part->images = sane ? rs_alloc(bytes) : NULL;
    part->labels = rs_alloc_array((size_t)count, sizeof *part->labels);
    part->count = count;
    if (!part->images || !part->labels) {
        return RS_FAIL(error, RS_MEMORY, "no memory for %" PRId64 " images of %s (%zu bytes each)", count,
                       set->name, image_bytes(set));
    }
    return RS_OK;
}

static void free_arrays(const rs_split *split)
{
    rs_free((void *)split->images);
    rs_free((void *)split->labels);
    rs_free((void *)split->values);
    rs_free((void *)split->targets);
}

static rs_split as_split(const rs__part *part)
{
    return (rs_split){.count = part->count,
                      .images = part->images,
                      .labels = part->labels,
                      .values = part->values,
                      .targets = part->targets};
}

void rs__loaded_clear(rs__loaded *loaded)
{
    const rs_split splits[] = {as_split(&loaded->train), as_split(&loaded->test), as_split(&loaded->valid)};
    for (int i = 0; i < 3; i++) {
        free_arrays(&splits[i]);
    }
    memset(loaded, 0, sizeof *loaded);
}

static rs_status resize_part(const rs__set *set, const rs__resizer *resizer, int size, rs__part *part,
                             rs_error *error)
{
    size_t planes = (size_t)part->count * (size_t)set->channels,
           from = (size_t)set->height * (size_t)set->width;
    size_t to = (size_t)size * (size_t)size, bytes;
    uint8_t *resized = rs_multiply(planes, to, &bytes) ? rs_alloc(bytes) : NULL;
    if (!resized) {
        return RS_FAIL(error, RS_MEMORY, "no memory for %" PRId64 " images of %s at %d x %d", part->count,
                       set->name, size, size);
    }
    for (size_t i = 0; i < planes; i++) {
        rs__resizer_apply(resizer, part->images + i * from, resized + i * to);
    }
    rs_free(part->images);
    part->images = resized;
    return RS_OK;
}

static rs_status resize_all(const rs__set *set, int size, rs__loaded *loaded, rs_error *error)
{
    rs__resizer *resizer = NULL;
    if (size == 0 || (size == set->height && size == set->width)) {
        return RS_OK;
    }
    RS_TRY(rs__resizer_create(set->height, set->width, size, &resizer, error));
    rs_status status = resize_part(set, resizer, size, &loaded->train, error);
    if (status == RS_OK) {
        status = resize_part(set, resizer, size, &loaded->test, error);
    }
    rs__resizer_destroy(resizer);
    return status;
}

static rs_split give_part(rs__part *part)
{
    rs_split split = as_split(part);
    *part = (rs__part){0};
    return split;
}

static rs_dataset_shape shape_of(const rs__set *set, const rs_dataset_request *request)
{
    return (rs_dataset_shape){.channels = set->channels,
                              .height = request->resize ? request->resize : set->height,
                              .width = request->resize ? request->resize : set->width,
                              .classes = set->classes,
                              .targets = set->format == RS__FORMAT_FUNCTION};
}

/* Moves what was loaded into a new rs_dataset. */
static rs_status assemble(const rs__set *set, const rs_dataset_request *request, rs__loaded *loaded,
                          rs_dataset **dataset, rs_error *error)
{
    rs_dataset *made = rs_alloc_zero(sizeof *made);
    char *provenance = made ? rs__provenance(set, request, loaded) : NULL;
    if (!provenance) {
        rs_free(made);
        return RS_FAIL(error, RS_MEMORY, "out of memory");
    }
    (void)snprintf(made->name, sizeof made->name, "%s", set->name);
    const rs_dataset_shape shape = shape_of(set, request);
    made->channels = shape.channels;
    made->height = shape.height;
    made->width = shape.width;
    made->classes = shape.classes;
    memcpy(made->mean, loaded->mean, sizeof made->mean);
    memcpy(made->std, loaded->std, sizeof made->std);
    made->class_names = set->class_names;
    made->train = give_part(&loaded->train);
    made->test = give_part(&loaded->test);
    made->valid = give_part(&loaded->valid);
    made->provenance = provenance;
    *dataset = made;
    return RS_OK;
}

/* "First N" of a smaller set is all of it; that is said, because a study may have counted on N. */
static void warn_of_limit(const rs__set *set, const char *split, int64_t limit, int64_t count)
{
    if (limit > count) {
        rs_log(RS_LOG_WARNING,
               "%s: %s limit %" PRId64 ", but there are only %" PRId64 " samples: all are used", set->name,
               split, limit, count);
    }
}

static rs_status read_files(const rs__set *set, const rs_dataset_request *request,
                            const rs__location *location, rs__loaded *loaded, rs_error *error)
{
    rs_status (*load)(const rs__set *, const rs__location *, int64_t, int64_t, rs__loaded *, rs_error *) =
        set->format == RS__FORMAT_IDX ? rs__idx_load : rs__cifar_load;
    rs_status status = load(set, location, request->train_limit, request->test_limit, loaded, error);
    if (status == RS_OK) {
        warn_of_limit(set, "training", request->train_limit, loaded->train.count);
        warn_of_limit(set, "test", request->test_limit, loaded->test.count);
    }
    return status;
}

static rs_status read_or_draw(const rs__set *set, const rs_dataset_request *request,
                              const rs__location *location, rs__loaded *loaded, rs_error *error)
{
    if (location) {
        return read_files(set, request, location, loaded, error);
    }
    return set->format == RS__FORMAT_FUNCTION ? rs__function_draw(request, loaded, error)
                                              : rs__shapes_draw(set, request->seed, request->train_limit,
                                                                request->test_limit, loaded, error);
}

/* The order of these steps is told in rs/dataset.h. */
static rs_status load_and_prepare(const rs__set *set, const rs_dataset_request *request,
                                  const rs__location *location, rs__loaded *loaded, rs_error *error)
{
    size_t side = (size_t)request->resize;
    size_t bytes = side ? (size_t)set->channels * side * side : image_bytes(set);
    RS_TRY(read_or_draw(set, request, location, loaded, error));
    RS_TRY(resize_all(set, request->resize, loaded, error));
    RS_TRY(rs__normalize(set, request, bytes, loaded, error));
    RS_TRY(rs__divide(request, bytes, loaded, error));
    return rs__randomize_labels(set, request, loaded, error);
}

rs_status rs__dataset_load_from(const rs__set *set, const rs_dataset_request *request,
                                const rs__location *location, rs_dataset **dataset, rs_error *error)
{
    rs__loaded loaded = {0};
    rs_status status = load_and_prepare(set, request, location, &loaded, error);
    if (status == RS_OK) {
        status = assemble(set, request, &loaded, dataset, error);
    }
    rs__loaded_clear(&loaded);
    return status;
}

rs_status rs__dataset_find(const char *name, const rs__set **set, rs_error *error)
{
    int count;
    const rs__set *sets = rs__catalog(&count);
    const char *names[16];
    char list[256] = "";
    *set = rs__catalog_find(name);
    if (*set) {
        return RS_OK;
    }
    for (int i = 0; i < count && i < 16; i++) {
        size_t used = strlen(list);
        names[i] = sets[i].name;
        (void)snprintf(list + used, sizeof list - used, "%s%s", i ? ", " : "", sets[i].name);
    }
    const char *nearest = rs_text_nearest(name, names, count < 16 ? count : 16);
    return RS_FAIL(error, RS_USAGE, "no data set \"%.100s\": not one of %s%s%s", name, list,
                   nearest ? "; nearest " : "", nearest ? nearest : "");
}

/* A missing set comes from its official source or not at all. */
static rs_status fetch_missing(const rs__set *set, const rs_dataset_request *request, const char *directory,
                               rs__location *location, rs_error *error)
{
    const rs__acquire_options options = {.stop = request->stop};
    RS_TRY(rs__acquire(set, directory, &options, error));
    return rs__locate(set, directory, location) ? RS_OK : rs__locate_fail(set, directory, error);
}

static rs_status find_set(const rs_dataset_request *request, const rs__set **found, rs_error *error)
{
    RS_TRY(rs__dataset_find(request->name, found, error));
    const rs__set *set = *found;
    if (request->train_limit < 0 || request->test_limit < 0 || request->resize < 0) {
        return RS_FAIL(error, RS_USAGE, "limits and resize of a data set are 0 or more");
    }
    if (set->format == RS__FORMAT_FUNCTION && request->resize > 0) {
        return RS_FAIL(error, RS_USAGE, "resize is of images; the data set %s has numbers", set->name);
    }
    return RS_OK;
}

rs_status rs_dataset_shape_of(const rs_dataset_request *request, rs_dataset_shape *shape, rs_error *error)
{
    const rs__set *set = NULL;
    RS_TRY(find_set(request, &set, error));
    *shape = shape_of(set, request);
    return RS_OK;
}

rs_status rs_dataset_load(const rs_dataset_request *request, rs_dataset **dataset, rs_error *error)
{
    const rs__set *set = NULL;
    char directory[PATH_MAX];
    rs__location location;
    RS_TRY(find_set(request, &set, error));
    if (set->file_count == 0) {
        return rs__dataset_load_from(set, request, NULL, dataset, error);
    }
    RS_TRY(
        rs__data_directory(request->directory ? request->directory : "", directory, sizeof directory, error));
    if (!rs__locate(set, directory, &location)) {
        RS_TRY(request->download ? fetch_missing(set, request, directory, &location, error)
                                 : rs__locate_fail(set, directory, error));
    }
    rs_status status = rs__dataset_load_from(set, request, &location, dataset, error);
    if (status == RS_DATA) {
        size_t used = strlen(error->text);
        (void)snprintf(error->text + used, sizeof error->text - used,
                       "; get whole files with: resnet_study data fetch %s", set->name);
    }
    return status;
}

void rs_dataset_destroy(rs_dataset *dataset)
{
    if (dataset) {
        free_arrays(&dataset->train);
        free_arrays(&dataset->test);
        free_arrays(&dataset->valid);
        rs_free(dataset->provenance);
        rs_free(dataset);
    }
}

const char *const *rs_dataset_class_names(const char *name, int *count)
{
    const rs__set *set = rs__catalog_find(name);
    *count = set && set->class_names ? set->classes : 0;
    return *count > 0 ? set->class_names : NULL;
}
