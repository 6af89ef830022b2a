/* arena.c: taking memory from the system. */
#include <string.h>
#include <sys/mman.h>

#include "plan.h"

#define HUGE_PAGE ((size_t)2 << 20)

rs_status rs__memory_take(const rs_device *device, size_t bytes, void **memory, rs_error *error)
{
    *memory = device->services->allocate(bytes ? bytes : 64);
    if (!*memory) {
        return RS_FAIL(error, RS_MEMORY, "no memory for an arena of %zu bytes", bytes);
    }
    char *start = *memory;
#ifdef MADV_HUGEPAGE
    size_t skip = (HUGE_PAGE - (uintptr_t)start % HUGE_PAGE) % HUGE_PAGE;
    if (bytes > skip + HUGE_PAGE) { /* a wish: the kernel may refuse it */
        (void)madvise(start + skip, (bytes - skip) / HUGE_PAGE * HUGE_PAGE, MADV_HUGEPAGE);
    }
#endif
    return RS_OK;
}

rs_status rs__memory_take_zeroed(const rs_device *device, size_t bytes, void **memory, rs_error *error)
{
    RS_TRY(rs__memory_take(device, bytes, memory, error));
    char *start = *memory;
#pragma omp parallel for schedule(static)
    for (size_t at = 0; at < bytes; at += HUGE_PAGE) {
        memset(start + at, 0, bytes - at < HUGE_PAGE ? bytes - at : HUGE_PAGE);
    }
    return RS_OK;
}
