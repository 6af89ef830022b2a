/* loader.c: batches of a split, gathered ahead by a thread; see rs/dataset.h.
 *
 * Three fixed slots. The caller holds at most one, the thread fills the others:
 *
 *     FREE --thread--> FILLING --thread--> READY --rs_loader_next--> HELD --next rs_loader_next--> FREE
 *
 * Everything in rs_loader below `mutex` is guarded by it, but the bytes of a FILLING slot and the order,
 * which the thread alone touches. rs_loader_start counts up `round`: a batch that was begun in an earlier
 * round is dropped when it is done, so that start and destroy never wait for more than one batch. */
#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <signal.h>
#include <stddef.h>
#include <string.h>

#include "augment.h"
#include "rs/dataset.h"
#include "rs/host.h"
#include "rs/random.h"
#include "rs/tensor.h"

enum { SLOTS = 3, NO_SLOT = -1 };

typedef enum slot_state { SLOT_FREE, SLOT_FILLING, SLOT_READY, SLOT_HELD } slot_state;

typedef struct slot {
    slot_state state;
    int64_t batch; /* of the epoch */
    int64_t count;
    uint8_t *images; /* like the split's arrays; NULL what it has not, or is left out */
    int32_t *labels;
    float *values, *targets;
    int64_t *sample_ids;
} slot;

struct rs_loader {
    const rs_split *split;
    rs_loader_options options;
    size_t sample_size; /* bytes of an image, or values of a sample */
    size_t target_size; /* numbers of a target */
    rs__frame frame;
    uint8_t *scratch; /* an image, for --augment; NULL: images stay as they are */
    int64_t largest_batch, steps;
    uint32_t *order;     /* [split->count], for order_epoch; NULL without shuffle */
    int64_t order_epoch; /* -1: none yet */
    bool has_thread, has_mutex, has_condition;
    pthread_t thread;

    pthread_mutex_t mutex;
    pthread_cond_t changed;
    bool quit, started;
    uint64_t round;
    int64_t epoch;
    int64_t next_fill, next_hand; /* batches of the epoch */
    slot slots[SLOTS];
};

/* Changes image `at` of a batch as its sample's draw in this epoch says. */
static void change_image(const rs_loader *loader, const slot *into, int64_t at, int64_t epoch)
{
    const rs_loader_options *o = &loader->options;
    rs__change change = rs__draw_change(&o->augment, o->augment_seed, epoch, into->sample_ids[at]);
    rs__apply_change(&o->augment, &change, &loader->frame, into->images + (size_t)at * loader->sample_size,
                     loader->scratch);
}

/* Sample `from` of the split becomes sample `to` of a batch. */
static void copy_sample(const rs_loader *loader, slot *into, size_t to, size_t from)
{
    const rs_split *split = loader->split;
    size_t size = loader->sample_size, target = loader->target_size;
    if (into->images) {
        memcpy(into->images + to * size, split->images + from * size, size);
    }
    if (into->values) {
        memcpy(into->values + to * size, split->values + from * size, size * sizeof *into->values);
    }
    if (into->labels) {
        into->labels[to] = split->labels[from];
    }
    if (into->targets) {
        memcpy(into->targets + to * target, split->targets + from * target, target * sizeof *into->targets);
    }
    into->sample_ids[to] = (int64_t)from;
}

/* Puts a batch together. Reads only what does not change while it runs. */
static void gather(rs_loader *loader, slot *into, int64_t epoch, int64_t batch)
{
    const rs_split *split = loader->split;
    int64_t first = batch * loader->options.batch_size, rest = split->count - first;
    if (loader->order && loader->order_epoch != epoch) {
        rs_permutation(loader->options.seed, (uint64_t)epoch, loader->order, (size_t)split->count);
        loader->order_epoch = epoch;
    }
    into->batch = batch;
    into->count = rest < loader->options.batch_size ? rest : loader->options.batch_size;
    for (int64_t i = 0; i < into->count; i++) {
        size_t sample = loader->order ? loader->order[first + i] : (size_t)(first + i);
        copy_sample(loader, into, (size_t)i, sample);
        if (loader->scratch) {
            change_image(loader, into, i, epoch);
        }
    }
}

static int find_slot(const rs_loader *loader, slot_state state)
{
    for (int i = 0; i < SLOTS; i++) {
        if (loader->slots[i].state == state) {
            return i;
        }
    }
    return NO_SLOT;
}

/* Fills one free slot; called and returns with the mutex held, which it releases meanwhile. */
static void fill_slot(rs_loader *loader, slot *into)
{
    uint64_t round = loader->round;
    int64_t epoch = loader->epoch, batch = loader->next_fill;
    into->state = SLOT_FILLING;
    pthread_mutex_unlock(&loader->mutex);
    gather(loader, into, epoch, batch);
    pthread_mutex_lock(&loader->mutex);
    if (loader->round == round) {
        into->state = SLOT_READY;
        loader->next_fill = batch + 1;
        pthread_cond_broadcast(&loader->changed);
    } else {
        into->state = SLOT_FREE;
    }
}

static void *prefetch(void *context)
{
    rs_loader *loader = context;
    pthread_mutex_lock(&loader->mutex);
    while (!loader->quit) {
        int free_slot = find_slot(loader, SLOT_FREE);
        if (loader->started && loader->next_fill < loader->steps && free_slot != NO_SLOT) {
            fill_slot(loader, &loader->slots[free_slot]);
        } else {
            pthread_cond_wait(&loader->changed, &loader->mutex);
        }
    }
    pthread_mutex_unlock(&loader->mutex);
    return NULL;
}

/* The thread takes no signals: they are for the program's own. */
static rs_status start_thread(rs_loader *loader, rs_error *error)
{
    sigset_t all, before;
    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before);
    int failed = pthread_create(&loader->thread, NULL, prefetch, loader);
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (failed) {
        return RS_FAIL(error, RS_FAILED, "can't start the prefetch thread: %s", strerror(failed));
    }
    loader->has_thread = true;
    return RS_OK;
}

/* Memory for as many samples, where it is wanted; false: there is none. */
static bool allocate_array(bool wanted, size_t samples, size_t sample_bytes, void **array)
{
    *array = wanted ? rs_alloc_array(samples, sample_bytes) : NULL;
    return !wanted || *array;
}

static bool allocate_slot(const rs_loader *loader, slot *made)
{
    const rs_split *split = loader->split;
    size_t samples = (size_t)loader->largest_batch, size = loader->sample_size, target = loader->target_size;
    bool inputs = !loader->options.leave_out_images, numbers = split->values != NULL;
    return allocate_array(inputs && !numbers, samples, size, (void **)&made->images) &&
           allocate_array(inputs && numbers, samples, size * sizeof(float), (void **)&made->values) &&
           allocate_array(!split->targets, samples, sizeof *made->labels, (void **)&made->labels) &&
           allocate_array(split->targets, samples, target * sizeof(float), (void **)&made->targets) &&
           allocate_array(true, samples, sizeof *made->sample_ids, (void **)&made->sample_ids);
}

static rs_status allocate_slots(rs_loader *loader, rs_error *error)
{
    for (int i = 0; i < SLOTS; i++) {
        if (!allocate_slot(loader, &loader->slots[i])) {
            return RS_FAIL(error, RS_MEMORY, "no memory for %d batches of %" PRId64 " samples of %zu numbers",
                           SLOTS, loader->largest_batch, loader->sample_size);
        }
    }
    if (loader->options.shuffle) {
        loader->order = rs_alloc_array((size_t)loader->split->count, sizeof *loader->order);
        if (!loader->order) {
            return RS_FAIL(error, RS_MEMORY, "no memory for the order of %" PRId64 " samples",
                           loader->split->count);
        }
    }
    return RS_OK;
}

static rs_status set_up_augmentation(rs_loader *loader, rs_error *error)
{
    const rs_loader_options *o = &loader->options;
    if (!rs_augmentation_any(&o->augment)) {
        return RS_OK;
    }
    if (o->leave_out_images || loader->split->values) {
        return RS_FAIL(error, RS_USAGE, "augmentation changes the images of batches; these have none");
    }
    RS_TRY(rs__augment_check_frame(&o->augment, &loader->frame, error));
    loader->scratch = rs_alloc(loader->sample_size);
    return loader->scratch ? RS_OK : RS_FAIL(error, RS_MEMORY, "no memory for an image");
}

static rs_status set_up(rs_loader *loader, rs_error *error)
{
    RS_TRY(set_up_augmentation(loader, error));
    RS_TRY(allocate_slots(loader, error));
    loader->has_mutex = pthread_mutex_init(&loader->mutex, NULL) == 0;
    loader->has_condition = pthread_cond_init(&loader->changed, NULL) == 0;
    if (!loader->has_mutex || !loader->has_condition) {
        return RS_FAIL(error, RS_FAILED, "can't make the locks of the prefetch thread");
    }
    return loader->options.prefetch ? start_thread(loader, error) : RS_OK;
}

rs_status rs_loader_create(const rs_dataset *dataset, const rs_split *split, const rs_loader_options *options,
                           rs_loader **loader, rs_error *error)
{
    if (options->batch_size < 0) {
        return RS_FAIL(error, RS_USAGE, "batch size %" PRId64 ": must be 1 or more, or 0 for all samples",
                       options->batch_size);
    }
    if (split->count < 0 || split->count > UINT32_MAX) {
        return RS_FAIL(error, RS_USAGE, "%" PRId64 " samples in a split: at most %" PRIu32, split->count,
                       UINT32_MAX);
    }
    rs_loader *made = rs_alloc_zero(sizeof *made);
    if (!made) {
        return RS_FAIL(error, RS_MEMORY, "out of memory");
    }
    made->split = split;
    made->options = *options;
    if (options->batch_size == 0) {
        made->options.batch_size = split->count ? split->count : 1;
    }
    int64_t size = made->options.batch_size;
    made->frame = (rs__frame){dataset->channels, dataset->height, dataset->width};
    made->sample_size = (size_t)dataset->channels * (size_t)dataset->height * (size_t)dataset->width;
    made->target_size = (size_t)dataset->classes;
    made->largest_batch = split->count < size ? split->count : size;
    made->steps = split->count / size + (split->count % size != 0);
    made->order_epoch = -1;
    rs_status status = set_up(made, error);
    if (status != RS_OK) {
        rs_loader_destroy(made);
        return status;
    }
    *loader = made;
    return RS_OK;
}

void rs_loader_destroy(rs_loader *loader)
{
    if (!loader) {
        return;
    }
    if (loader->has_thread) {
        pthread_mutex_lock(&loader->mutex);
        loader->quit = true;
        pthread_cond_broadcast(&loader->changed);
        pthread_mutex_unlock(&loader->mutex);
        (void)pthread_join(loader->thread, NULL);
    }
    if (loader->has_condition) {
        (void)pthread_cond_destroy(&loader->changed);
    }
    if (loader->has_mutex) {
        (void)pthread_mutex_destroy(&loader->mutex);
    }
    for (int i = 0; i < SLOTS; i++) {
        rs_free(loader->slots[i].images);
        rs_free(loader->slots[i].labels);
        rs_free(loader->slots[i].values);
        rs_free(loader->slots[i].targets);
        rs_free(loader->slots[i].sample_ids);
    }
    rs_free(loader->order);
    rs_free(loader->scratch);
    rs_free(loader);
}

int64_t rs_loader_steps(const rs_loader *loader)
{
    return loader->steps;
}

rs_status rs_loader_start(rs_loader *loader, int64_t epoch, int64_t first_batch, rs_error *error)
{
    if (epoch < 0 || first_batch < 0 || first_batch > loader->steps) {
        return RS_FAIL(error, RS_USAGE,
                       "epoch %" PRId64 ", batch %" PRId64 ": an epoch has batches 0 to %" PRId64, epoch,
                       first_batch, loader->steps);
    }
    pthread_mutex_lock(&loader->mutex);
    loader->started = true;
    loader->round++;
    loader->epoch = epoch;
    loader->next_fill = loader->next_hand = first_batch;
    for (int i = 0; i < SLOTS; i++) {
        if (loader->slots[i].state == SLOT_READY) { /* a held batch stays with the caller */
            loader->slots[i].state = SLOT_FREE;
        }
    }
    pthread_cond_broadcast(&loader->changed);
    pthread_mutex_unlock(&loader->mutex);
    return RS_OK;
}

static int find_ready(const rs_loader *loader)
{
    for (int i = 0; i < SLOTS; i++) {
        if (loader->slots[i].state == SLOT_READY && loader->slots[i].batch == loader->next_hand) {
            return i;
        }
    }
    return NO_SLOT;
}

/* The slot of the next batch; the mutex is held. */
static int take_next(rs_loader *loader)
{
    int held = find_slot(loader, SLOT_HELD);
    if (held != NO_SLOT) {
        loader->slots[held].state = SLOT_FREE;
        pthread_cond_broadcast(&loader->changed);
    }
    if (loader->next_hand >= loader->steps) {
        return NO_SLOT;
    }
    int ready = find_ready(loader);
    while (ready == NO_SLOT) {
        if (loader->has_thread) {
            pthread_cond_wait(&loader->changed, &loader->mutex);
        } else {
            fill_slot(loader, &loader->slots[find_slot(loader, SLOT_FREE)]);
        }
        ready = find_ready(loader);
    }
    loader->slots[ready].state = SLOT_HELD;
    loader->next_hand++;
    return ready;
}

rs_status rs_loader_next(rs_loader *loader, rs_batch *batch, rs_error *error)
{
    *batch = (rs_batch){0};
    pthread_mutex_lock(&loader->mutex);
    bool started = loader->started;
    int taken = started ? take_next(loader) : NO_SLOT;
    pthread_mutex_unlock(&loader->mutex);
    if (!started) {
        return RS_FAIL(error, RS_FAILED, "a batch was asked for before rs_loader_start");
    }
    if (taken != NO_SLOT) {
        const slot *from = &loader->slots[taken];
        *batch = (rs_batch){.count = from->count,
                            .images = from->images,
                            .labels = from->labels,
                            .values = from->values,
                            .targets = from->targets,
                            .sample_ids = from->sample_ids,
                            .split = loader->scratch ? NULL : loader->split,
                            .epoch = loader->epoch};
    }
    return RS_OK;
}
