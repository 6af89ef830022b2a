/* memory.c: the allocator seam; see rs/host.h. */
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "rs/host.h"
#include "rs/tensor.h"

#define ALIGNMENT 64

static void *system_allocate(void *context, size_t bytes)
{
    (void)context;
    if (bytes > SIZE_MAX - ALIGNMENT) {
        return NULL;
    }
    size_t rounded = (bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    return aligned_alloc(ALIGNMENT, rounded ? rounded : ALIGNMENT);
}

static void system_release(void *context, void *memory)
{
    (void)context;
    free(memory);
}

static const rs_allocator system_allocator = {system_allocate, system_release, NULL};
static const rs_allocator *allocator = &system_allocator;

void rs_set_allocator(const rs_allocator *replacement)
{
    allocator = replacement ? replacement : &system_allocator;
}

static atomic_bool ran_out;

void *rs_alloc(size_t bytes)
{
    void *memory = allocator->allocate(allocator->context, bytes);
    if (!memory) {
        atomic_store(&ran_out, true);
    }
    return memory;
}

bool rs_memory_ran_out(void)
{
    return atomic_load(&ran_out);
}

void *rs_alloc_zero(size_t bytes)
{
    void *memory = rs_alloc(bytes);
    if (memory) {
        memset(memory, 0, bytes);
    }
    return memory;
}

void *rs_alloc_array(size_t count, size_t size)
{
    size_t bytes;
    return rs_multiply(count, size, &bytes) ? rs_alloc_zero(bytes) : NULL;
}

char *rs_strdup(const char *text)
{
    size_t bytes = strlen(text) + 1;
    char *copy = rs_alloc(bytes);
    if (copy) {
        memcpy(copy, text, bytes);
    }
    return copy;
}

void rs_free(void *memory)
{
    if (memory) {
        allocator->release(allocator->context, memory);
    }
}
