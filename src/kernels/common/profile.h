/* profile.h: the clockwork behind rs_backend.profile_*: rows that a backend fills while it runs.
 *
 * Off, which is the usual state, begin and end cost one comparison each. Whether a batch is for training
 * shows only in the pass that uses it: the time of loading it is held until a forward pass in training mode
 * counts it. */
#ifndef RS_KERNELS_PROFILE_H
#define RS_KERNELS_PROFILE_H

#include "rs/backend.h"

typedef struct rs_profile {
    rs_profile_row *rows; /* owned; the texts are the backend's; NULL: never started */
    int count;
    bool on;
    bool holds; /* a batch was loaded that no pass has counted yet */
    double held_seconds;
} rs_profile;

/* Makes `count` empty rows and switches on. MEMORY. */
rs_status rs_profile_start(rs_profile *profile, int count, rs_error *error);
void rs_profile_release(rs_profile *profile);

/* Seconds of a clock that never goes back; 0 when off. */
double rs_profile_begin(const rs_profile *profile);
/* Adds the time since `begin` and one call of that much work to a row. */
void rs_profile_end(rs_profile *profile, int row, double begin, double flops, double bytes);
/* The same for a time taken elsewhere. */
void rs_profile_add(rs_profile *profile, int row, double seconds, double flops, double bytes);

/* Forgets what is held: another batch takes its place. */
void rs_profile_forget(rs_profile *profile);
/* Holds the time since `begin`, of loading a batch. */
void rs_profile_hold(rs_profile *profile, double begin);
/* Adds what is held, if anything, to a row as one call; once. */
void rs_profile_count_held(rs_profile *profile, int row, double bytes);

#endif
