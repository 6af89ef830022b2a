/* on_device.h: what the tests of kernels share: arrays on the device and on the host that are released
 * together, fills, and comparisons with what plain loops in double say. */
#ifndef RS_TEST_ON_DEVICE_H
#define RS_TEST_ON_DEVICE_H

#include "harness.h"

#include <cuda_runtime_api.h>
#include <math.h>
#include <string.h>

#include "kernels.h"

/* Fails unless a call of CUDA, or a launcher, succeeds. */
#define cuda_ok(expression)                                                                                  \
    do {                                                                                                     \
        cudaError_t cuda_ok_status_ = (expression);                                                          \
        if (cuda_ok_status_ != cudaSuccess) {                                                                \
            fail_msg("%s: %s", #expression, cudaGetErrorString(cuda_ok_status_));                            \
        }                                                                                                    \
    } while (0)

/* Fails unless a launcher refuses its arguments. */
#define refused(expression) assert_int_equal((expression), cudaErrorInvalidValue)

#define COUNT_OF(array) ((int)(sizeof(array) / sizeof(array)[0]))

cudaStream_t test_stream(void);

/* Memory that a test holds until it ends: host memory is zeros, device memory is as it comes. */
void *host_new(int64_t bytes);
void *device_new(int64_t bytes);
void *device_put(const void *values, int64_t bytes);
/* After all that was enqueued. */
void device_get(void *to, const void *from, int64_t bytes);
float *floats_from(const float *device, int64_t count);
double *doubles_from(const float *device, int64_t count);

/* A fill of rs/check.h on the host, as floats. */
float *filled(rs_fill fill, uint64_t seed, int64_t count);
/* The same on the device; *host gets the copy. */
float *device_filled(rs_fill fill, uint64_t seed, int64_t count, float **host);

/* Floats on the device are close to `want`; with tolerance 0 they are equal. */
void close_on_device(const char *what, const float *device, const double *want, int64_t count,
                     double tolerance);

/* For cmocka: releases what a test holds; the group's end gives back the stream. */
int end_of_test(void **state);
int end_of_group(void **state);
#define kernel_test(function) cmocka_unit_test_teardown((function), end_of_test)

#endif
