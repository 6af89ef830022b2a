/* short_memory.h: an allocator that fails from the N-th request on, for tests of what happens then. */
#ifndef RS_TESTS_SHORT_MEMORY_H
#define RS_TESTS_SHORT_MEMORY_H

#include <stdlib.h>

#include "rs/host.h"

static int requests_left;

static void *allocate_while_left(void *context, size_t bytes)
{
    (void)context;
    return requests_left-- > 0 ? aligned_alloc(64, (bytes + 63) / 64 * 64 + 64) : NULL;
}

static void release(void *context, void *memory)
{
    (void)context;
    free(memory);
}

/* Calls `attempt` with 0, 1, 2, ... requests granted until it succeeds; each failure must be MEMORY. Returns
 * the number of requests it took. */
static int count_requests(rs_status (*attempt)(rs_error *error))
{
    static const rs_allocator allocator = {.allocate = allocate_while_left, .release = release};
    int granted = 0;
    for (;; granted++) {
        rs_error error = {0};
        requests_left = granted;
        rs_set_allocator(&allocator);
        rs_status status = attempt(&error);
        rs_set_allocator(NULL);
        if (status == RS_OK) {
            return granted;
        }
        assert_int_equal(status, RS_MEMORY);
        assert_in_range(granted, 0, 10000);
    }
}

#endif
