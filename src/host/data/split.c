/* split.c: the validation split, and labels drawn at random. */
#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "prepare.h"
#include "rs/host.h"
#include "rs/random.h"
#include "rs/tensor.h"

/* Orders of their own, that no epoch's order of samples is. */
#define SPLIT_ORDER  "data/valid-split"
#define LABEL_ORDER  "data/random-labels/samples"
#define LABEL_STREAM "data/random-labels/labels"

/* The first `some` of a permutation of `count`, marked. The caller frees it; NULL: no memory. */
static bool *draw_some(uint64_t seed, const char *order_name, int64_t count, int64_t some)
{
    uint32_t *order = rs_alloc_array((size_t)count, sizeof *order);
    bool *drawn = rs_alloc_zero((size_t)count * sizeof *drawn);
    if (!order || !drawn) {
        rs_free(order);
        rs_free(drawn);
        return NULL;
    }
    rs_permutation(seed, rs_hash64(order_name), order, (size_t)count);
    for (int64_t i = 0; i < some; i++) {
        drawn[order[i]] = true;
    }
    rs_free(order);
    return drawn;
}

/* Moves the drawn rows of one array to another and closes the gaps. Both NULL: there is no such array. */
static void divide_rows(void *rows, void *valid, size_t row_bytes, int64_t count, const bool *drawn)
{
    unsigned char *from = rows, *kept = rows, *moved = valid;
    for (int64_t i = 0; rows && i < count; i++, from += row_bytes) {
        if (drawn[i]) {
            memcpy(moved, from, row_bytes);
            moved += row_bytes;
        } else {
            memmove(kept, from, row_bytes);
            kept += row_bytes;
        }
    }
}

/* The arrays of `like`, for `count` samples. */
static rs_status allocate_like(const rs__part *like, int64_t count, size_t image_bytes, rs__part *part,
                               rs_error *error)
{
    size_t samples = (size_t)count;
    part->count = count;
    part->images = like->images ? rs_alloc_array(samples, image_bytes) : NULL;
    part->labels = like->labels ? rs_alloc_array(samples, sizeof *part->labels) : NULL;
    part->values = like->values ? rs_alloc_array(samples, sizeof *part->values) : NULL;
    part->targets = like->targets ? rs_alloc_array(samples, sizeof *part->targets) : NULL;
    bool complete = !like->images == !part->images && !like->labels == !part->labels &&
                    !like->values == !part->values && !like->targets == !part->targets;
    return complete ? RS_OK
                    : RS_FAIL(error, RS_MEMORY, "no memory for %" PRId64 " validation samples", count);
}

static rs_status check_division(const rs_dataset_request *request, int64_t count, rs_error *error)
{
    int64_t valid = request->valid_split;
    if (valid < 0 || (valid > 0 && valid >= count)) {
        return RS_FAIL(error, RS_USAGE,
                       "a validation split of %" PRId64 " of %" PRId64 " training samples: 1 to %" PRId64
                       " can be taken",
                       valid, count, count - 1);
    }
    if (request->swap_splits && valid == 0) {
        return RS_FAIL(error, RS_USAGE, "there is no validation split to swap with the training samples");
    }
    return RS_OK;
}

rs_status rs__divide(const rs_dataset_request *request, size_t image_bytes, rs__loaded *loaded,
                     rs_error *error)
{
    rs__part *train = &loaded->train, *valid = &loaded->valid;
    RS_TRY(check_division(request, train->count, error));
    if (request->valid_split == 0) {
        return RS_OK;
    }
    bool *drawn = draw_some(request->split_seed, SPLIT_ORDER, train->count, request->valid_split);
    if (!drawn) {
        return RS_FAIL(error, RS_MEMORY, "no memory for the order of %" PRId64 " samples", train->count);
    }
    rs_status status = allocate_like(train, request->valid_split, image_bytes, valid, error);
    if (status == RS_OK) {
        divide_rows(train->images, valid->images, image_bytes, train->count, drawn);
        divide_rows(train->labels, valid->labels, sizeof *train->labels, train->count, drawn);
        divide_rows(train->values, valid->values, sizeof *train->values, train->count, drawn);
        divide_rows(train->targets, valid->targets, sizeof *train->targets, train->count, drawn);
        train->count -= valid->count;
        if (request->swap_splits) {
            rs__part others = *train;
            *train = *valid;
            *valid = others;
        }
    }
    rs_free(drawn);
    return status;
}

/* Uniform over the classes but for some 1e-9 of them, since 2^32 is not a multiple. */
static int32_t draw_label(uint64_t seed, int64_t sample, int classes)
{
    uint32_t word = rs_philox_at(seed, rs_hash64(LABEL_STREAM), (uint64_t)sample).word[0];
    return (int32_t)(((uint64_t)word * (uint64_t)classes) >> 32);
}

rs_status rs__randomize_labels(const rs__set *set, const rs_dataset_request *request, rs__loaded *loaded,
                               rs_error *error)
{
    rs__part *train = &loaded->train;
    if (!(request->random_labels >= 0.0 && request->random_labels <= 1.0)) {
        return RS_FAIL(error, RS_USAGE, "random labels for a share of %g: 0 to 1", request->random_labels);
    }
    if (request->random_labels == 0.0) {
        return RS_OK;
    }
    if (!train->labels) {
        return RS_FAIL(error, RS_USAGE, "random labels: the data set %s has none", set->name);
    }
    int64_t some = (int64_t)llround(request->random_labels * (double)train->count);
    bool *drawn = draw_some(request->split_seed, LABEL_ORDER, train->count, some);
    if (!drawn) {
        return RS_FAIL(error, RS_MEMORY, "no memory for the order of %" PRId64 " samples", train->count);
    }
    for (int64_t i = 0; i < train->count; i++) {
        int32_t label = drawn[i] ? draw_label(request->split_seed, i, set->classes) : train->labels[i];
        loaded->labels_changed += label != train->labels[i];
        train->labels[i] = label;
    }
    loaded->labels_drawn = some;
    rs_free(drawn);
    return RS_OK;
}

void rs_split_class_counts(const rs_split *split, int classes, int64_t *counts)
{
    memset(counts, 0, (size_t)classes * sizeof *counts);
    for (int64_t i = 0; split->labels && i < split->count; i++) {
        RS_ASSERT(split->labels[i] >= 0 && split->labels[i] < classes);
        counts[split->labels[i]]++;
    }
}
