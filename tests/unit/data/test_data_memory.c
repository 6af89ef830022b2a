/* test_data_memory.c: each allocation in turn is refused: the status is MEMORY, all memory comes back, nothing
 * crashes. */
#include "data_files.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "load.h"
#include "rs/host.h"

enum { SHRED = 0x5a };

static atomic_int requests, held;        /* requests so far; pieces not yet released */
static int refused_request, refused_all; /* from 1; whether all after it are refused as well */

/* Memory comes filled with something, so that nothing passes for being zero by luck. */
static void *allocate(void *context, size_t bytes)
{
    (void)context;
    int request = ++requests;
    if (request == refused_request || (refused_all && request > refused_request)) {
        return NULL;
    }
    size_t whole = (bytes + 63) / 64 * 64 + 64;
    void *memory = aligned_alloc(64, whole);
    assert_non_null(memory);
    memset(memory, SHRED, whole);
    held++;
    return memory;
}

static void release(void *context, void *memory)
{
    (void)context;
    held--;
    free(memory);
}

/* Refuses request 1, 2, ... of `attempt`, which takes back what it made, until it gets through. */
static void check_all(rs_status (*attempt)(void), int least)
{
    static const rs_allocator allocator = {.allocate = allocate, .release = release};
    for (refused_all = 0; refused_all < 2; refused_all++) {
        rs_status status = RS_MEMORY;
        for (refused_request = 1; status != RS_OK; refused_request++) {
            requests = held = 0;
            error = (rs_error){0};
            rs_set_allocator(&allocator);
            status = attempt();
            rs_set_allocator(NULL);
            assert_int_equal(held, 0);
            if (status != RS_OK) {
                refused(status, RS_MEMORY, "memory");
                assert_true(requests >= refused_request);
            }
            assert_in_range(refused_request, 1, 1000);
        }
        assert_int_equal(refused_request - 2, requests); /* it got through because it asked for no more */
        assert_true(requests >= least);
    }
}

static rs_status load(const char *name, int resize)
{
    rs_dataset *dataset = NULL;
    rs_dataset_request request = {
        .name = name, .directory = folder(), .train_limit = 6, .test_limit = 3, .resize = resize};
    rs_status status = rs_dataset_load(&request, &dataset, &error);
    assert_true((status == RS_OK) == (dataset != NULL));
    rs_dataset_destroy(dataset);
    return status;
}

static rs_status load_idx(void)
{
    return load("mnist", 32);
}

static rs_status draw_shapes(void)
{
    return load("shapes", 0);
}

static rs_status draw_resized_shapes(void)
{
    return load("shapes", 20);
}

/* A validation split and random labels. */
static rs_status load_prepared(void)
{
    rs_dataset *dataset = NULL;
    rs_dataset_request request = {.name = "shapes",
                                  .train_limit = 6,
                                  .test_limit = 3,
                                  .valid_split = 2,
                                  .random_labels = 0.5,
                                  .normalization = "train"};
    rs_status status = rs_dataset_load(&request, &dataset, &error);
    assert_true((status == RS_OK) == (dataset != NULL));
    rs_dataset_destroy(dataset);
    return status;
}

static rs_status draw_function(void)
{
    rs_dataset *dataset = NULL;
    rs_dataset_request request = {.name = "function",
                                  .function = "sin-log",
                                  .function_from = 1.0,
                                  .function_to = 5.0,
                                  .function_samples = 20,
                                  .function_valid = 5,
                                  .valid_split = 4};
    rs_status status = rs_dataset_load(&request, &dataset, &error);
    assert_true((status == RS_OK) == (dataset != NULL));
    rs_dataset_destroy(dataset);
    return status;
}

static rs_status load_cifar(void)
{
    rs__location location;
    rs_dataset *dataset = NULL;
    rs_dataset_request request = {.name = "cifar10", .resize = 16};
    rs__set set = *rs__catalog_find("cifar10");
    set.train_records = CIFAR_RECORDS;
    set.test_records = CIFAR_TESTS;
    assert_true(rs__locate(&set, folder(), &location));
    rs_status status = rs__dataset_load_from(&set, &request, &location, &dataset, &error);
    assert_true((status == RS_OK) == (dataset != NULL));
    rs_dataset_destroy(dataset);
    return status;
}

static rs_status run_loader(bool prefetch)
{
    static const uint8_t images[20] = {0};
    static const int32_t labels[20] = {0};
    static const rs_dataset dataset = {.channels = 1,
                                       .height = 1,
                                       .width = 1,
                                       .classes = 1,
                                       .train = {.count = 20, .images = images, .labels = labels}};
    rs_loader_options options = {
        .batch_size = 3, .shuffle = true, .prefetch = prefetch, .augment = {.flip = true}};
    rs_loader *loader = NULL;
    rs_batch batch;
    rs_status status = rs_loader_create(&dataset, &dataset.train, &options, &loader, &error);
    assert_true((status == RS_OK) == (loader != NULL));
    if (status == RS_OK) { /* no epoch takes memory */
        int before = requests;
        ok(rs_loader_start(loader, 0, 0, &error));
        ok(rs_loader_next(loader, &batch, &error));
        assert_int_equal(batch.count, 3);
        assert_int_equal(requests, before);
    }
    rs_loader_destroy(loader);
    return status;
}

static rs_status run_prefetching_loader(void)
{
    return run_loader(true);
}

static rs_status run_plain_loader(void)
{
    return run_loader(false);
}

static rs_status resize_image(void)
{
    uint8_t in[12] = {0}, out[25];
    return rs_resize_bytes(in, 3, 4, out, 5, &error);
}

static void test_idx(void **state)
{
    (void)state;
    for (int gzip = 0; gzip < 2; gzip++) {
        clear_folder();
        write_idx("mnist", (idx_names){"-", gzip, gzip});
        check_all(load_idx, gzip ? 20 : 12);
    }
}

static void test_cifar(void **state)
{
    (void)state;
    clear_folder();
    write_cifar10("cifar10");
    check_all(load_cifar, 12);
}

static void test_shapes(void **state)
{
    (void)state;
    check_all(draw_shapes, 6);
    check_all(draw_resized_shapes, 12);
    check_all(load_prepared, 12);
    check_all(draw_function, 10);
}

static void test_loader(void **state)
{
    (void)state;
    check_all(run_prefetching_loader, 12);
    check_all(run_plain_loader, 12);
}

static void test_resize(void **state)
{
    (void)state;
    check_all(resize_image, 8);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_idx), cmocka_unit_test(test_cifar),
                                       cmocka_unit_test(test_shapes), cmocka_unit_test(test_loader),
                                       cmocka_unit_test(test_resize)};
    return cmocka_run_group_tests_name("memory of data sets", tests, NULL, NULL);
}
