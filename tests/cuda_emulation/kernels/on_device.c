/* on_device.c: see on_device.h. */
#include "on_device.h"

#include <stdlib.h>

enum { MOST_HELD = 512 };

static void *held_on_host[MOST_HELD], *held_on_device[MOST_HELD];
static int host_count, device_count;
static cudaStream_t stream;

cudaStream_t test_stream(void)
{
    if (!stream) {
        cuda_ok(cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking));
    }
    return stream;
}

void *host_new(int64_t bytes)
{
    assert_true(host_count < MOST_HELD);
    void *memory = calloc(1, bytes > 0 ? (size_t)bytes : 1);
    assert_non_null(memory);
    held_on_host[host_count++] = memory;
    return memory;
}

void *device_new(int64_t bytes)
{
    void *memory = NULL;
    assert_true(device_count < MOST_HELD);
    cuda_ok(cudaMalloc(&memory, (size_t)bytes));
    held_on_device[device_count++] = memory;
    return memory;
}

void *device_put(const void *values, int64_t bytes)
{
    void *memory = device_new(bytes);
    cuda_ok(cudaMemcpyAsync(memory, values, (size_t)bytes, cudaMemcpyHostToDevice, test_stream()));
    cuda_ok(cudaStreamSynchronize(test_stream()));
    return memory;
}

void device_get(void *to, const void *from, int64_t bytes)
{
    cuda_ok(cudaMemcpyAsync(to, from, (size_t)bytes, cudaMemcpyDeviceToHost, test_stream()));
    cuda_ok(cudaStreamSynchronize(test_stream()));
}

float *floats_from(const float *device, int64_t count)
{
    float *values = host_new(count * (int64_t)sizeof *values);
    device_get(values, device, count * (int64_t)sizeof *values);
    return values;
}

double *doubles_from(const float *device, int64_t count)
{
    const float *values = floats_from(device, count);
    double *wide = host_new(count * (int64_t)sizeof *wide);
    for (int64_t i = 0; i < count; i++) {
        wide[i] = (double)values[i];
    }
    return wide;
}

float *filled(rs_fill fill, uint64_t seed, int64_t count)
{
    double *wide = host_new(count * (int64_t)sizeof *wide);
    float *values = host_new(count * (int64_t)sizeof *values);
    rs_fill_values(fill, seed, "kernels", wide, count);
    for (int64_t i = 0; i < count; i++) {
        values[i] = (float)wide[i];
    }
    return values;
}

float *device_filled(rs_fill fill, uint64_t seed, int64_t count, float **host)
{
    *host = filled(fill, seed, count);
    return device_put(*host, count * (int64_t)sizeof **host);
}

void close_on_device(const char *what, const float *device, const double *want, int64_t count,
                     double tolerance)
{
    harness_close(what, doubles_from(device, count), want, count, tolerance);
}

int end_of_test(void **state)
{
    (void)state;
    while (host_count > 0) {
        free(held_on_host[--host_count]);
    }
    while (device_count > 0) {
        cuda_ok(cudaFree(held_on_device[--device_count]));
    }
    return 0;
}

int end_of_group(void **state)
{
    (void)state;
    if (stream) {
        cuda_ok(cudaStreamDestroy(stream));
    }
    stream = NULL;
    return 0;
}
