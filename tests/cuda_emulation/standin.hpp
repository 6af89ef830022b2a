/* standin.hpp: what the files of the stand-in share.
 *
 * Every call of the three libraries begins with a Call: it takes the one lock, is counted, and may be
 * refused (a planned failure, a machine without a device, a call that a capture forbids). Work is enqueued
 * as a closure and runs later (streams.cpp). What a real device would let pass or answer with garbage ends
 * the program by stop(). */
#ifndef RS_EMU_STANDIN_HPP
#define RS_EMU_STANDIN_HPP

#include <cuda_runtime_api.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "kernel_entry.h"

#define STANDIN_API extern "C" __attribute__((visibility("default")))

namespace standin
{

/* --- report.cpp ----------------------------------------------------------------------------------------- */

/* Prints "cuda stand-in: ...", what is running, and aborts. */
[[noreturn]] void stop(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* Prints a line and goes on: why a call returns an error. */
void say(const char *format, ...) __attribute__((format(printf, 1, 2)));
std::string text(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* What runs now, for messages: work that a queue began, a kernel's thread. */
struct Running {
    const char *work = nullptr;
    int runner = 0; /* the thread of the host that runs it */
    bool in_kernel = false;
    bool in_host_function = false;
    rs_emu_index thread{}, block{}, block_size{}, grid{};
};
extern Running what_runs;
inline Running &running()
{
    return what_runs;
}

/* --- settings.cpp --------------------------------------------------------------------------------------- */

enum class Order { forward, reverse, seeded };
struct Settings {
    std::string fail;     /* RS_EMU_FAIL */
    bool no_driver;       /* RS_EMU_NO_DRIVER, or one of an older major version */
    bool no_device;       /* RS_EMU_NO_DEVICE */
    int driver_version;   /* RS_EMU_DRIVER, as 13000; 0: none */
    int devices;          /* RS_EMU_DEVICES */
    size_t memory;        /* RS_EMU_MEMORY, bytes */
    size_t loads;         /* RS_EMU_LOADS, bytes that cuDNN's kernels take when the first of them runs */
    size_t cudnn_version; /* RS_EMU_CUDNN_VERSION; 0: the library's own */
    size_t cudnn_cuda;    /* RS_EMU_CUDNN_CUDA: what it is made for, as 13000; 0: the library's own */
    uint64_t seed;        /* RS_EMU_SEED; 0: only what is waited for runs, as late as can be */
    Order order;          /* RS_EMU_ORDER: default, reverse or a number */
    uint64_t order_seed;
    bool races;             /* RS_EMU_RACES: look for them in device memory */
    bool report_leaks; /* RS_EMU_LEAKS, on */
    std::string stats; /* RS_EMU_STATS: a file that gets JSON lines at exit */
};
const Settings &settings();

/* Numbers that depend on the seed and on how many were drawn before. */
class Random
{
  public:
    explicit Random(uint64_t seed) : state(seed)
    {
    }
    uint64_t below(uint64_t limit);

  private:
    uint64_t state;
};

/* --- faults.cpp: calls and planned failures ------------------------------------------------------------- */

enum Trait : unsigned {
    plain = 0,
    fallible = 1,   /* RS_EMU_FAIL counts it */
    allocates = 2,  /* and then it is out of memory */
    unsafe = 4,     /* forbidden to a thread that captures a stream */
    deviceless = 8, /* answers on a machine without a device too */
    quiet = 16      /* leaves the last error as it is */
};

std::recursive_mutex &gate();

class Call
{
  public:
    Call(const char *name, unsigned traits);
    const char *const name;

  protected:
    enum class Refusal { none, planned, no_driver, no_device, capturing };
    Refusal refusal;
    const unsigned traits;

  private:
    std::unique_lock<std::recursive_mutex> held;
};

class RuntimeCall : public Call
{
  public:
    RuntimeCall(const char *name, unsigned traits);
    cudaError_t refused;                  /* cudaSuccess: go on */
    cudaError_t done(cudaError_t status); /* remembers it as the last error */
};
/* Begins a function of the runtime; leaves `call`. */
#define STANDIN_RUNTIME(traits)                                                                              \
    standin::RuntimeCall call(__func__, (traits));                                                           \
    if (call.refused != cudaSuccess) {                                                                       \
        return call.done(call.refused);                                                                      \
    }

cudaError_t &last_error(); /* of this thread */
bool device_lost();        /* a planned failure that stays has happened */

/* --- objects.cpp: handles that are alive ---------------------------------------------------------------- */

void object_made(const void *object, const char *kind);
bool object_alive(const void *object, const char *kind);
void object_gone(const void *object);
void note_owner(); /* this process answers for what is left over */

/* --- memory.cpp ----------------------------------------------------------------------------------------- */

struct Traffic;
struct DeviceCells;
struct Block {
    uintptr_t begin, end;     /* what was asked for */
    uintptr_t map, map_end;   /* its pages */
    uintptr_t hold, hold_end; /* with guard pages */
    unsigned long number;
    bool pinned, freed;
    std::vector<uint8_t> written; /* device: a bit for each byte that has been given a value */
    std::shared_ptr<Traffic> traffic;   /* when counted */
    std::shared_ptr<DeviceCells> cells; /* when races are looked for */
    Block();
};

Block *block_at(const void *address); /* that holds it, guard pages included; freed ones too; or null */
Block *device_block(const void *address, size_t bytes); /* a live one that holds all of the range, or null */
Block *pinned_block(const void *address, size_t bytes);
bool is_device(const void *address);
bool is_pinned(const void *address);
std::string describe(const void *address); /* "byte 8 of 64 bytes of device memory (allocation 3)" */
size_t device_memory_used();
bool occupy_device(size_t bytes); /* for good, by nobody's allocation; false: there is not so much */
cudaError_t allocate_device(void **memory, size_t bytes);
cudaError_t release_device(void *memory);
cudaError_t allocate_pinned(void **memory, size_t bytes);
cudaError_t release_pinned(void *memory);

void fill_poison(void *memory, size_t bytes);

/* values.cpp */
void mark_written(Block &block, uintptr_t address, size_t bytes);
bool is_written(const Block &block, uintptr_t address, size_t bytes);
/* Whether a kernel may read them. */
bool has_value(const Block &block, uintptr_t address, size_t bytes);

/* What library calls read and write: stop unless it is device memory, aligned, and, when read, has values. */
void expect_readable(const void *memory, size_t bytes, const char *what);
void expect_writable(const void *memory, size_t bytes, const char *what);
/* A workspace: filled with poison, and nobody has written it any more. */
void expect_scratch(void *memory, size_t bytes, const char *what);
/* At the call: only that the range is device memory. */
void expect_device(const void *memory, size_t bytes, size_t alignment, const char *what);

/* While one lives the processor may touch device memory. */
class OpenDevice
{
  public:
    OpenDevice();
    ~OpenDevice();
    OpenDevice(const OpenDevice &) = delete;
};
void watch_faults(); /* signals.cpp: says what a bad address was before the program dies of it */

/* --- streams.cpp ---------------------------------------------------------------------------------------- */

struct Range {
    const void *begin;
    size_t bytes;
};
struct Work {
    std::string what;
    std::function<void()> run; /* empty: a mark */
    std::vector<Range> lands;  /* pinned memory that is not whole before it has run */
    std::vector<Range> takes;  /* pinned memory that must stay as it is until it has run */
};
cudaError_t enqueue(cudaStream_t stream, Work work);
cudaError_t finish_stream(cudaStream_t stream);
void finish_everything();
void drop_everything(); /* a lost device runs nothing any more */
bool pending_work_uses(const void *memory, size_t bytes);
bool valid_stream(cudaStream_t stream);
bool stream_is_captured(cudaStream_t stream);

/* --- graphs.cpp ----------------------------------------------------------------------------------------- */

struct GraphNode {
    Work work;
    std::vector<int> after;
};
struct GraphNodes {
    std::vector<GraphNode> nodes;
};
struct Capture;
bool this_thread_captures();
void invalidate_captures_of_this_thread();
bool anything_captures();
std::vector<int> graph_order(const GraphNodes &graph);

/* --- fibres.cpp, shared.cpp, checker.cpp, traffic.cpp --------------------------------------------------- */

const rs_emu_kernel *find_kernel(const std::string &name);
void run_kernel(const rs_emu_kernel &kernel, const void *bound, dim3 grid, dim3 block);
/* Where the stacks of all fibres lie. */
Range fibre_stacks();

/* The thread that runs, for races: `phase` grows with each block and each barrier, `meetings` with each __syncwarp. */
struct Clock {
    uint64_t phase = 0, first_of_block = 0, first_of_launch = 0;
    int16_t thread = 0, warp = 0;
    uint32_t meetings = 0;
};
extern Clock thread_clock;
void shared_new_block();
Range shared_memory();
void shared_access(uintptr_t address, size_t bytes, bool write);

/* Races in device memory are looked for with RS_EMU_RACES=1: it takes eight times the memory. */
void device_access(Block &block, uintptr_t address, size_t bytes, bool write);

void checker_begin(const rs_emu_kernel &kernel, const void *bound);
void checker_end();

bool traffic_wanted();
void traffic_begin(const char *kernel);
void traffic_count(Block &block, uintptr_t address, size_t bytes, bool write);
void traffic_end();
void write_stats();

/* --- gemm.cpp, convolve.cpp: the arithmetic of library calls -------------------------------------------- */

/* c[i * ldc + j] += sum over d of a[i * ai + d * ad] * b[d * bd + j * bj]; float products and short float
 * sums, joined in double. One thread computes it. */
struct Product {
    int64_t m, n, depth;
    const float *a;
    int64_t ai, ad;
    const float *b;
    int64_t bd, bj;
    double *c;
    int64_t ldc;
};
void multiply_add(const Product &product);
/* As tensor cores read it: ten bits of mantissa. */
float to_tf32(float value);
/* A whole array so rounded, or nothing where `wanted` is false. */
std::vector<float> rounded_copy(const float *values, int64_t count, bool wanted);

/* out = alpha * result + beta * out; out is not read where beta is 0. */
struct Blend {
    double alpha, beta;
    void put(float *out, double result) const
    {
        *out = (float)(beta == 0 ? alpha * result : alpha * result + beta * (double)*out);
    }
};

/* x [n, h, w, c], filter [k, r, s, c], y [n, p, q, k]; cross-correlation. */
struct Convolution {
    int64_t n, c, h, w, k, r, s, p, q;
    int64_t pad_h, pad_w, stride_h, stride_w, dilation_h, dilation_w;
};
void convolve(const Convolution &shape, const float *x, const float *filter, float *y, Blend blend);
void convolve_data(const Convolution &shape, const float *filter, const float *dy, float *dx, Blend blend);
void convolve_filter(const Convolution &shape, const float *x, const float *dy, float *dfilter, Blend blend);

} // namespace standin

#endif
