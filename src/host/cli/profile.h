/* profile.h: --profile: where the time of the training steps went, as a table. */
#ifndef RS_CLI_PROFILE_H
#define RS_CLI_PROFILE_H

#include <stdio.h>

#include "rs/backend.h"

/* Prints sums by kind of operation, then every operation in the network's order: milliseconds a step, share of the
 * profiled time, GFLOP/s, GB/s, and the share of the measured peak: how long the device's peaks would take for the
 * same work (the longer of arithmetic and memory) by how long it took. Says so when no step was profiled. */
void rs_profile_print(const rs_backend *backend, rs_device *device, const rs_plan *plan, FILE *stream);

#endif
