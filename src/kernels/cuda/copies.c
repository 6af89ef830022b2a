/* copies.c: snapshots of slots that leave while training goes on.
 *
 *     compute stream   ... step | pack slot k | step | step ...
 *     copy stream                        wait | device to host ............ | done k
 *
 * Packing brings values into canonical order, into one of two areas on the device, and costs the training what a pass
 * over the weights costs there. An area is used again when its copy before the last is done. */
#include "plan.h"

enum { ALIGNMENT = 256 };

static size_t item_bytes(const rs__place *place)
{
    size_t bytes = (size_t)place->count * sizeof(float);
    return (bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
}

/* --- memory ----------------------------------------------------------------------------------------------- */

static rs_status make_events(rs__copies *copies, rs_error *error)
{
    const unsigned flags = cudaEventBlockingSync | cudaEventDisableTiming;
    for (int i = 0; i < RS__COPIES; i++) {
        if (!copies->packed[i]) {
            RS__CUDA(error, cudaEventCreateWithFlags(&copies->packed[i], flags));
        }
        if (!copies->done[i]) {
            RS__CUDA(error, cudaEventCreateWithFlags(&copies->done[i], flags));
        }
    }
    return RS_OK;
}

static void release_areas(rs__copies *copies)
{
    for (int i = 0; i < RS__COPIES; i++) {
        rs__memory_release(copies->area[i]);
        copies->area[i] = NULL;
    }
    copies->area_bytes = 0;
}

/* Everything that a snapshot may hold: the first one, before training, has no gradients yet. */
static size_t largest_snapshot(const rs_plan *plan)
{
    const rs_network *network = plan->network;
    size_t bytes = 0;
    for (int i = 0; i < network->parameter_count; i++) {
        const rs__place place = {.count = network->parameters[i].count};
        bytes += item_bytes(&place) * (plan->options.training ? 2 : 1);
    }
    for (int i = 0; i < network->buffer_count; i++) {
        const rs__place place = {.count = network->buffers[i].count};
        bytes += item_bytes(&place);
    }
    return bytes;
}

size_t rs__copies_bytes(const rs_plan *plan)
{
    return RS__COPIES * largest_snapshot(plan);
}

static rs_status make_areas(rs_plan *plan, size_t bytes, rs_error *error)
{
    rs__copies *copies = &plan->copies;
    size_t largest = largest_snapshot(plan);
    RS_TRY(make_events(copies, error));
    if (bytes <= copies->area_bytes) {
        return RS_OK;
    }
    RS__CUDA(error, cudaStreamSynchronize(plan->device->copy));
    release_areas(copies);
    size_t wanted = bytes > largest ? bytes : largest;
    for (int i = 0; i < RS__COPIES; i++) {
        void *area;
        RS_TRY(rs__memory_take(plan->device, wanted, "snapshots on their way", &area, error));
        copies->area[i] = area;
    }
    copies->area_bytes = wanted;
    return RS_OK;
}

void rs__copies_release(rs_plan *plan)
{
    rs__copies *copies = &plan->copies;
    release_areas(copies);
    for (int i = 0; i < RS__COPIES; i++) {
        if (copies->packed[i]) {
            (void)cudaEventDestroy(copies->packed[i]);
        }
        if (copies->done[i]) {
            (void)cudaEventDestroy(copies->done[i]);
        }
    }
}

/* --- copying ---------------------------------------------------------------------------------------------- */

static rs_status place_of(const rs_plan *plan, const rs_copy_item *item, rs__place *place, rs_error *error)
{
    if (item->slot != RS_SLOT_VALUE && item->slot != RS_SLOT_RUNNING && item->slot != RS_SLOT_GRADIENT &&
        item->slot != RS_SLOT_GRADIENT_SUM) {
        return RS_FAIL(error, RS_UNSUPPORTED, "slot %d is not copied while training goes on",
                       (int)item->slot);
    }
    return rs__slot_place(plan, item->slot, item->index, place, error);
}

/* Canonical floats of one item into the area. */
static rs_status pack(const rs_plan *plan, const rs_copy_item *item, const rs__place *place, float *to,
                      rs_error *error)
{
    cudaStream_t stream = plan->device->compute;
    if (item->slot == RS_SLOT_GRADIENT_SUM) {
        RS__CUDA(error, rs_cu_sum_to_canonical(&place->order, place->at, item->divisor, to, stream));
    } else if (place->canonical) {
        RS__CUDA(error, cudaMemcpyAsync(to, place->at, (size_t)place->count * sizeof(float),
                                        cudaMemcpyDeviceToDevice, stream));
    } else {
        RS__CUDA(error, rs_cu_to_canonical(&place->order, place->at, to, stream));
    }
    return RS_OK;
}

static rs_status pack_all(const rs_plan *plan, const rs_copy_item *items, int count, char *area,
                          rs_error *error)
{
    rs__place place;
    size_t at = 0;
    for (int i = 0; i < count; i++) {
        RS_TRY(place_of(plan, &items[i], &place, error));
        RS_TRY(pack(plan, &items[i], &place, (float *)(void *)(area + at), error));
        at += item_bytes(&place);
    }
    return RS_OK;
}

static rs_status send_all(const rs_plan *plan, const rs_copy_item *items, int count, const char *area,
                          rs_error *error)
{
    rs__place place;
    size_t at = 0;
    for (int i = 0; i < count; i++) {
        RS_TRY(place_of(plan, &items[i], &place, error));
        RS__CUDA(error, cudaMemcpyAsync(items[i].values, area + at, (size_t)place.count * sizeof(float),
                                        cudaMemcpyDeviceToHost, plan->device->copy));
        at += item_bytes(&place);
    }
    return RS_OK;
}

static rs_status bytes_of(const rs_plan *plan, const rs_copy_item *items, int count, size_t *bytes,
                          rs_error *error)
{
    rs__place place;
    *bytes = 0;
    for (int i = 0; i < count; i++) {
        RS_TRY(place_of(plan, &items[i], &place, error));
        *bytes += item_bytes(&place);
    }
    return RS_OK;
}

rs_status rs__cuda_copy_begin(rs_plan *plan, const rs_copy_item *items, int count, uint64_t *ticket,
                              rs_error *error)
{
    rs__copies *copies = &plan->copies;
    size_t bytes;
    RS_TRY(bytes_of(plan, items, count, &bytes, error));
    RS_TRY(rs__catch_up(plan, error));
    RS_TRY(make_areas(plan, bytes, error));
    int k = (int)(copies->begun % RS__COPIES);
    if (copies->begun >= RS__COPIES) {
        RS__CUDA(error, cudaStreamWaitEvent(plan->device->compute, copies->done[k], 0));
    }
    RS_TRY(pack_all(plan, items, count, copies->area[k], error));
    RS__CUDA(error, cudaEventRecord(copies->packed[k], plan->device->compute));
    RS__CUDA(error, cudaStreamWaitEvent(plan->device->copy, copies->packed[k], 0));
    RS_TRY(send_all(plan, items, count, copies->area[k], error));
    RS__CUDA(error, cudaEventRecord(copies->done[k], plan->device->copy));
    *ticket = copies->begun++;
    return RS_OK;
}

/* An event that has been recorded again since stands for a later copy: that one's end is this one's, too. */
rs_status rs__cuda_copy_wait(rs_plan *plan, uint64_t ticket, rs_error *error)
{
    RS_TRY(rs__device_use(plan->device, error)); /* the writer's thread may never have chosen one */
    RS__CUDA(error, cudaEventSynchronize(plan->copies.done[ticket % RS__COPIES]));
    return RS_OK;
}
