/* guard.c: see rs/check.h. Every byte of a zone is 0xff: a NaN as float and as double. */
#include "rs/check.h"

#include <string.h>

#include "rs/host.h"

enum { ZONE = 256, POISON = 0xff };

bool rs_guarded_create(size_t bytes, rs_guarded *guarded)
{
    unsigned char *memory = rs_alloc(bytes + 2 * (size_t)ZONE);
    *guarded = (rs_guarded){0};
    if (!memory) {
        return false;
    }
    memset(memory, POISON, bytes + 2 * (size_t)ZONE);
    *guarded = (rs_guarded){memory + ZONE, bytes};
    return true;
}

bool rs_guarded_intact(const rs_guarded *guarded)
{
    const unsigned char *data = guarded->data, *before = data - ZONE, *after = data + guarded->bytes;
    for (size_t i = 0; i < ZONE; i++) {
        if (before[i] != POISON || after[i] != POISON) {
            return false;
        }
    }
    return true;
}

void rs_guarded_release(rs_guarded *guarded)
{
    if (guarded->data) {
        rs_free((unsigned char *)guarded->data - ZONE);
    }
    *guarded = (rs_guarded){0};
}
