/* profile.c: see profile.h. */
#include "profile.h"

#include "rs/host.h"

rs_status rs_profile_start(rs_profile *profile, int count, rs_error *error)
{
    rs_profile_release(profile);
    profile->rows = rs_alloc_array((size_t)(count > 0 ? count : 1), sizeof *profile->rows);
    if (!profile->rows) {
        return RS_FAIL(error, RS_MEMORY, "no memory for the profile of %d operations", count);
    }
    for (int i = 0; i < count; i++) {
        profile->rows[i] = (rs_profile_row){.node = "", .operation = "", .pass = ""};
    }
    profile->count = count;
    profile->on = true;
    return RS_OK;
}

void rs_profile_release(rs_profile *profile)
{
    rs_free(profile->rows);
    *profile = (rs_profile){0};
}

double rs_profile_begin(const rs_profile *profile)
{
    return profile->on ? rs_seconds() : 0.0;
}

void rs_profile_end(rs_profile *profile, int row, double begin, double flops, double bytes)
{
    if (!profile->on) {
        return;
    }
    rs_profile_row *to = &profile->rows[row];
    to->calls++;
    to->seconds += rs_seconds() - begin;
    to->flops += flops;
    to->bytes += bytes;
}
