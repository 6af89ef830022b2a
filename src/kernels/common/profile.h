/* profile.h: the clockwork behind rs_backend.profile_*: rows that a backend fills while it runs.
 *
 * Off, which is the usual state, begin and end cost one comparison each. */
#ifndef RS_KERNELS_PROFILE_H
#define RS_KERNELS_PROFILE_H

#include "rs/backend.h"

typedef struct rs_profile {
    rs_profile_row *rows; /* owned; the texts are the backend's; NULL: never started */
    int count;
    bool on;
} rs_profile;

/* Makes `count` empty rows and switches on. MEMORY. */
rs_status rs_profile_start(rs_profile *profile, int count, rs_error *error);
void rs_profile_release(rs_profile *profile);

/* Seconds of a clock that never goes back; 0 when off. */
double rs_profile_begin(const rs_profile *profile);
/* Adds the time since `begin` and one call of that much work to a row. */
void rs_profile_end(rs_profile *profile, int row, double begin, double flops, double bytes);

#endif
