/* move.c: from one stage of a run to the next: a plan with other edits of the backward graph, to which the whole state
 * moves. Parameters that no loss reaches any more keep their moments and step counts. */
#include <string.h>

#include "internal.h"
#include "rs/host.h"

/* One slot on its way. */
typedef struct carried {
    rs_slot slot;
    int index;
    void *values;
} carried;

typedef struct luggage {
    int count, capacity;
    carried *list;
} luggage;

static rs_status make_room(luggage *all, rs_error *error)
{
    if (all->count < all->capacity) {
        return RS_OK;
    }
    int capacity = all->capacity ? 2 * all->capacity : 64;
    carried *grown = rs_alloc_array((size_t)capacity, sizeof *grown);
    if (!grown) {
        return RS_FAIL(error, RS_MEMORY, "no memory to move %d tensors to another plan", capacity);
    }
    if (all->count) {
        memcpy(grown, all->list, (size_t)all->count * sizeof *grown);
    }
    rs_free(all->list);
    all->list = grown;
    all->capacity = capacity;
    return RS_OK;
}

static rs_status take_out(rs_trainer *trainer, void *context, const char *name, rs_slot slot, int index,
                          void *buffer, size_t bytes, rs_error *error)
{
    luggage *all = context;
    (void)buffer;
    if (slot == RS_SLOT_GRADIENT && trainer->position.batches == 0) {
        return RS_OK; /* of the epoch before, whose snapshot has it: parameters that no loss reaches have none now */
    }
    RS_TRY(make_room(all, error));
    carried *item = &all->list[all->count];
    *item = (carried){.slot = slot, .index = index, .values = rs_alloc(bytes)};
    if (!item->values) {
        return RS_FAIL(error, RS_MEMORY, "no memory to move %s to another plan", name);
    }
    all->count++;
    return trainer->options.backend->read(trainer->plan, slot, index, item->values, error);
}

static rs_status put_in(rs_trainer *trainer, const luggage *all, rs_error *error)
{
    for (int i = 0; i < all->count; i++) {
        const carried *item = &all->list[i];
        RS_TRY(trainer->options.backend->write(trainer->plan, item->slot, item->index, item->values, error));
    }
    return RS_OK;
}

static void drop(luggage *all)
{
    for (int i = 0; i < all->count; i++) {
        rs_free(all->list[i].values);
    }
    rs_free(all->list);
}

/* The old plan goes before the new one comes: there need not be room for both. */
static rs_status replace_plan(rs_trainer *trainer, unsigned stage, rs_error *error)
{
    const rs_backend *backend = trainer->options.backend;
    char *choices = NULL;
    if (strcmp(trainer->options.config->convolution, "search") == 0) {
        choices = rs_strdup(backend->plan_choices(trainer->plan));
        if (!choices) {
            return RS_FAIL(error, RS_MEMORY, "no memory to keep the choices of a search");
        }
    }
    rs__destroy_loaders(trainer);
    backend->plan_destroy(trainer->plan);
    trainer->plan = NULL;
    rs__layers_set_stage(trainer, stage);
    rs_status status = rs__make_plan(trainer, choices, error);
    rs_free(choices);
    return status ? status : rs__make_loaders(trainer, error);
}

rs_status rs__enter_stage(rs_trainer *trainer, int64_t epoch, rs_error *error)
{
    unsigned stage = rs__stage_of(trainer->options.config, epoch);
    luggage all = {0};
    if (stage == trainer->stage) {
        return RS_OK;
    }
    RS_TRY(rs__wait_for_observers(trainer, error)); /* they may still copy from the old plan */
    rs_status status = rs__visit_slots(trainer, take_out, &all, error);
    status = status ? status : replace_plan(trainer, stage, error);
    status = status ? status : put_in(trainer, &all, error);
    drop(&all);
    return status;
}
