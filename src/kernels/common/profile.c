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

void rs_profile_add(rs_profile *profile, int row, double seconds, double flops, double bytes)
{
    rs_profile_row *to = &profile->rows[row];
    to->calls++;
    to->seconds += seconds;
    to->flops += flops;
    to->bytes += bytes;
}

void rs_profile_end(rs_profile *profile, int row, double begin, double flops, double bytes)
{
    if (profile->on) {
        rs_profile_add(profile, row, rs_seconds() - begin, flops, bytes);
    }
}

void rs_profile_forget(rs_profile *profile)
{
    profile->holds = false;
}

void rs_profile_hold(rs_profile *profile, double begin)
{
    profile->holds = profile->on;
    profile->held_seconds = profile->on ? rs_seconds() - begin : 0.0;
}

void rs_profile_count_held(rs_profile *profile, int row, double bytes)
{
    if (profile->holds) {
        rs_profile_add(profile, row, profile->held_seconds, 0.0, bytes);
        profile->holds = false;
    }
}

double rs_peaks_seconds(const rs_peaks *peaks, double flops, double bytes)
{
    double arithmetic = peaks->flops > 0.0 ? flops / peaks->flops : 0.0;
    double memory = peaks->bytes > 0.0 ? bytes / peaks->bytes : 0.0;
    return arithmetic > memory ? arithmetic : memory;
}
