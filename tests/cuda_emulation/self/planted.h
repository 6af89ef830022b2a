/* planted.h: the program of planted faults: its launchers, its cases, what they share.
 *
 * A case is a function. It returns 0 when all is as it should be, and WRONG when a planted fault shows as
 * a wrong value. What the stand-in must stop never returns. A status other than the expected one ends the
 * program with UNEXPECTED. */
#ifndef RS_EMU_PLANTED_H
#define RS_EMU_PLANTED_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <vector>

enum { WRONG = 1, UNEXPECTED = 2, THREADS = 64 };

/* Statuses of all three libraries are enumerations with 0 for success. */
#define EXPECT(status, expression)                                                                           \
    do {                                                                                                     \
        long long got_ = (long long)(expression);                                                            \
        if (got_ != (long long)(status)) {                                                                   \
            fprintf(stderr, "%s:%d: %s gives %lld, expected %lld\n", __FILE__, __LINE__, #expression, got_,  \
                    (long long)(status));                                                                    \
            exit(UNEXPECTED);                                                                                \
        }                                                                                                    \
    } while (0)
#define OK(expression) EXPECT(0, expression)

struct planted_case {
    const char *name;
    int (*run)(void);
};
extern const std::vector<planted_case> kernel_cases, memory_cases, stream_cases, graph_cases, cudnn_cases,
    cublas_cases;

/* planted_launch.cu: each launches with THREADS threads a block, on a stream, and gives the launch's
 * status. */
typedef struct CUstream_st *planted_stream;
int launch_double(const float *in, float *out, int64_t count, planted_stream stream);
int launch_double_4(const float *in, float *out, int64_t count, planted_stream stream);
int launch_twice(const float *in, const float *scale, float *out, int64_t count, planted_stream stream);
int launch_past_end(float *out, int64_t count, planted_stream stream);
int launch_block_sum(const float *in, float *out, int blocks, bool forget, planted_stream stream);
int launch_warp_turn(const float *in, float *out, bool meet, planted_stream stream);
int launch_device_turn(const float *in, float *out, bool meet, planted_stream stream); /* two blocks */
int launch_blocks_write(float *out, int apart, planted_stream stream);                 /* two blocks */
int launch_shared_unwritten(float *out, planted_stream stream);
int launch_shared_outside(float *out, int step, planted_stream stream);
int launch_half_barrier(float *out, planted_stream stream);
int launch_two_barriers(float *out, planted_stream stream);
int launch_warp_sum(const float *in, float *out, unsigned lanes, planted_stream stream);
int launch_shuffle_ended(float *out, planted_stream stream);
int launch_last_wins(float *out, int blocks, planted_stream stream);
int launch_much_shared(float *out, planted_stream stream);
int launch_unlisted(float *out, planted_stream stream);
/* An empty kernel of any shape. */
int launch_shape(unsigned grid, unsigned threads, planted_stream stream);

/* planted_main.cpp */
float *device_floats(int64_t count); /* cudaMalloc, nothing written */
float *device_copy(const std::vector<float> &values);
std::vector<float> host_copy(const float *device, int64_t count); /* after the device has done everything */
std::vector<float> counting(int64_t count);                       /* 1, 2, 3 .. */
void release(std::vector<void *> device);

#endif
