/* guard.h: buffers between guard zones, so that a write beside a buffer is noticed and a read beside it gives NaN.
 */
#ifndef RS_CHECK_GUARD_H
#define RS_CHECK_GUARD_H

#include <stdbool.h>
#include <stddef.h>

/* Zones before and after the data, filled with a NaN of both types. */
typedef struct rs_guarded {
    void *data;
    size_t bytes;
} rs_guarded;

bool rs_guarded_create(size_t bytes,
                       rs_guarded *guarded); /* false: no memory. The data is poisoned like the zones */
bool rs_guarded_intact(const rs_guarded *guarded);
void rs_guarded_release(rs_guarded *guarded); /* takes an empty one */

#endif
