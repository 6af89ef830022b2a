/* held.c: splits that live on the device: images as bytes, values as node 0 has them. */
#include <inttypes.h>

#include "plan.h"

const rs__held *rs__held_find(const rs_plan *plan, const rs_split *split)
{
    for (int i = 0; split && i < plan->held_count; i++) {
        if (plan->held[i].split == split) {
            return &plan->held[i];
        }
    }
    return NULL;
}

/* --- sizes ------------------------------------------------------------------------------------------------ */

enum { IMAGES, VALUES, LABELS, TARGETS, PARTS };

/* 0 for what the split has not. Targets that no loss takes stay where they are. */
static void find_bytes(const rs_plan *plan, const rs_split *split, size_t bytes[PARTS])
{
    size_t count = (size_t)split->count;
    bytes[IMAGES] = split->values ? 0 : count * rs__image_bytes(plan);
    bytes[VALUES] = split->values ? count * (size_t)rs__sample_floats(&plan->tensors[0]) * sizeof(float) : 0;
    bytes[LABELS] = split->labels ? count * sizeof(int32_t) : 0;
    bytes[TARGETS] = split->targets ? count * (size_t)plan->target_floats * sizeof(float) : 0;
}

/* Snapshots need room for their copies, later: samples must not take it. */
static rs_status check_room(const rs_plan *plan, const rs_split *split, rs_error *error)
{
    size_t bytes[PARTS];
    uint64_t left, samples = 0, copies = plan->copies.area_bytes ? 0 : rs__copies_bytes(plan);
    find_bytes(plan, split, bytes);
    for (int i = 0; i < PARTS; i++) {
        samples += bytes[i];
    }
    RS_TRY(rs__memory_free_bytes(&left, error));
    if (samples + copies > left) {
        return RS_FAIL(error, RS_MEMORY,
                       "%" PRIu64 " bytes of %s leave too little of the GPU's memory (%" PRIu64
                       " bytes are free)",
                       samples, split->values ? "values" : "images", left);
    }
    return RS_OK;
}

/* --- copying ---------------------------------------------------------------------------------------------- */

/* As it is; nothing where there is nothing, or after an error. */
static rs_status upload(const rs_plan *plan, const void *from, size_t bytes, const char *what, void **to,
                        rs_error *error)
{
    *to = NULL;
    if (bytes == 0) {
        return RS_OK;
    }
    RS_TRY(rs__memory_take(plan->device, bytes, what, to, error));
    rs_status status = rs__to_device(plan, *to, from, bytes, error);
    if (status) {
        rs__memory_release(*to);
        *to = NULL;
    }
    return status;
}

/* Through shared scratch, a batch at a time, into the order of node 0. */
static rs_status upload_values(const rs_plan *plan, const rs_split *split, float *to, rs_error *error)
{
    int64_t most = rs__largest_batch(plan), floats = rs__sample_floats(&plan->tensors[0]);
    int64_t canonical = plan->tensors[0].channels * rs__positions(&plan->tensors[0]);
    for (int64_t at = 0; at < split->count; at += most) {
        int64_t count = split->count - at < most ? split->count - at : most;
        const rs_cu_order order = rs__input_order(plan, count);
        RS_TRY(rs__to_device(plan, plan->shared, split->values + at * canonical,
                             (size_t)(count * canonical) * sizeof(float), error));
        RS__CUDA(error, rs_cu_from_canonical(&order, plan->shared, to + at * floats, plan->device->compute));
    }
    return RS_OK;
}

static rs_status upload_split(const rs_plan *plan, rs__held *held, rs_error *error)
{
    const rs_split *split = held->split;
    size_t bytes[PARTS];
    void *memory;
    find_bytes(plan, split, bytes);
    RS_TRY(upload(plan, split->images, bytes[IMAGES], "the images of a split", &memory, error));
    held->images = memory;
    if (bytes[VALUES] > 0) {
        RS_TRY(rs__memory_take(plan->device, bytes[VALUES], "the values of a split", &memory, error));
        held->values = memory;
        RS_TRY(upload_values(plan, split, held->values, error));
    }
    RS_TRY(upload(plan, split->labels, bytes[LABELS], "the labels of a split", &memory, error));
    held->labels = memory;
    RS_TRY(upload(plan, split->targets, bytes[TARGETS], "the targets of a split", &memory, error));
    held->targets = memory;
    RS__CUDA(error, cudaStreamSynchronize(plan->device->compute));
    return RS_OK;
}

static void release_held(rs__held *held)
{
    rs__memory_release(held->images);
    rs__memory_release(held->values);
    rs__memory_release(held->labels);
    rs__memory_release(held->targets);
    *held = (rs__held){0};
}

rs_status rs__cuda_hold_split(rs_plan *plan, const rs_split *split, rs_error *error)
{
    RS_TRY(split->values ? RS_OK : rs__check_images(plan, error));
    if (rs__held_find(plan, split)) {
        return RS_OK;
    }
    if (plan->held_count == RS__HELD) {
        return RS_FAIL(error, RS_MEMORY, "a plan holds at most %d splits", RS__HELD);
    }
    RS_TRY(rs__check_labels(plan, split->labels, split->count, error));
    RS_TRY(rs__check_targets(plan, split->targets, error));
    RS_TRY(check_room(plan, split, error));
    RS_TRY(rs__catch_up(plan, error));
    rs__held *held = &plan->held[plan->held_count];
    *held = (rs__held){.split = split};
    rs_status status = upload_split(plan, held, error);
    if (status) {
        (void)cudaStreamSynchronize(plan->device->compute);
        release_held(held);
        return status;
    }
    plan->held_count++;
    return RS_OK;
}

void rs__held_release(rs_plan *plan)
{
    for (int i = 0; i < plan->held_count; i++) {
        release_held(&plan->held[i]);
    }
    plan->held_count = 0;
}
