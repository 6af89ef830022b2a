/* free_memory.c: see free_memory.h. */
#include "free_memory.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "rs/text.h"

/* The number behind `key` at the start of a line of a file, or UINT64_MAX. */
static uint64_t number_in(const char *path, const char *key)
{
    FILE *file = fopen(path, "r");
    char line[256];
    uint64_t value = UINT64_MAX;
    while (file && fgets(line, sizeof line, file)) {
        unsigned long long number;
        size_t length = strlen(key);
        if (strncmp(line, key, length) == 0 && sscanf(line + length, "%llu", &number) == 1) {
            value = number;
            break;
        }
    }
    if (file) {
        (void)fclose(file);
    }
    return value;
}

/* What the machine has left, or the container, where that is less. */
static uint64_t machine_free_memory(void)
{
    uint64_t kib = number_in("/proc/meminfo", "MemAvailable:");
    uint64_t machine = kib == UINT64_MAX ? kib : kib * 1024;
    uint64_t limit = number_in("/sys/fs/cgroup/memory.max", "");
    uint64_t used = number_in("/sys/fs/cgroup/memory.current", "");
    uint64_t cache = number_in("/sys/fs/cgroup/memory.stat", "inactive_file ");
    if (limit == UINT64_MAX || used == UINT64_MAX) {
        return machine;
    }
    used -= cache != UINT64_MAX && cache < used ? cache : 0;
    uint64_t left = limit > used ? limit - used : 0;
    return left < machine ? left : machine;
}

static uint64_t (*current)(void) = machine_free_memory;

uint64_t rs_free_memory(void)
{
    return current();
}

void rs_set_free_memory(uint64_t (*replacement)(void))
{
    current = replacement ? replacement : machine_free_memory;
}

rs_status rs_memory_refuse(const rs_memory_need *need, rs_error *error)
{
    char needed[32], left[32], lean[32], advice[160];
    rs_text_bytes(need->bytes, needed, sizeof needed);
    rs_text_bytes(need->left, left, sizeof left);
    rs_text_bytes(need->lean, lean, sizeof lean);
    if (need->lean > 0 && need->lean <= need->left) {
        (void)snprintf(advice, sizeof advice, "use --memory lean, which needs %s, or a smaller --batch-size",
                       lean);
    } else if (need->lean > 0 && need->lean < need->bytes) {
        (void)snprintf(advice, sizeof advice,
                       "use a smaller --batch-size; --memory lean helps, but needs %s at this one", lean);
    } else {
        (void)snprintf(advice, sizeof advice, "use a smaller --batch-size");
    }
    return RS_FAIL(error, RS_MEMORY, "%s needs %s of %s at batch size %" PRId64 ", but %s are free; %s",
                   need->network, needed, need->memory, need->batch, left, advice);
}
