/* shim.h: what the kernels' headers (.cuh) see when g++ compiles them for the stand-in.
 *
 * A CUDA thread is a fibre: __syncthreads, __syncwarp, shuffles and votes are calls that let the others
 * run. Shared arrays are declared by RS_CU_SHARED(type, name, count) and are real arrays of that size,
 * poisoned for every block. The file is compiled with -fsanitize=thread against callbacks of the
 * stand-in's own (checker.cpp), so that every access to memory is seen. A library of kernels ends in
 * RS_EMU_KERNEL(name) for each. */
#ifndef RS_EMU_SHIM_H
#define RS_EMU_SHIM_H

#ifdef __CUDACC__
#error "shim.h is for g++: nvcc has the real thing"
#endif

#include <math.h>
#include <stdint.h>
#include <string.h>

#include <new>
#include <tuple>
#include <type_traits>
#include <utility>

#include <vector_functions.h>
#include <vector_types.h>

#include "kernel_entry.h"

#define RS_EMU 1

#ifndef __launch_bounds__
#define __launch_bounds__(...)
#endif

#define threadIdx (rs_emu_thread_index())
#define blockIdx  (rs_emu_block_index())
#define blockDim  (rs_emu_block_size())
#define gridDim   (rs_emu_grid_size())
#define warpSize  32

#define RS_CU_SHARED(type, name, count)                                                                      \
    static rs_emu_shared_array rs_emu_array_of_##name;                                                       \
    type(&name)[count] =                                                                                     \
        *static_cast<type(*)[count]>(rs_emu_shared(&rs_emu_array_of_##name, sizeof(type) * (count),          \
                                                   alignof(type) < 16 ? 16 : alignof(type), sizeof(type)))

/* --- barriers, shuffles, votes -------------------------------------------------------------------------- */

#define RS_EMU_HERE                    (rs_emu_site{__FILE__, __LINE__})
#define __syncthreads()                rs_emu_barrier(RS_EMU_HERE)
#define __syncwarp(...)                rs_emu_lanes_meet(RS_EMU_HERE, ##__VA_ARGS__)
#define __shfl_sync(...)               rs_emu_shuffle(RS_EMU_HERE, RS_EMU_SHUFFLE, __VA_ARGS__)
#define __shfl_up_sync(...)            rs_emu_shuffle(RS_EMU_HERE, RS_EMU_SHUFFLE_UP, __VA_ARGS__)
#define __shfl_down_sync(...)          rs_emu_shuffle(RS_EMU_HERE, RS_EMU_SHUFFLE_DOWN, __VA_ARGS__)
#define __shfl_xor_sync(...)           rs_emu_shuffle(RS_EMU_HERE, RS_EMU_SHUFFLE_XOR, __VA_ARGS__)
#define __ballot_sync(mask, predicate) rs_emu_vote(RS_EMU_HERE, (mask), (predicate) ? 1 : 0)
#define __any_sync(mask, predicate)    (rs_emu_vote(RS_EMU_HERE, (mask), (predicate) ? 1 : 0) != 0)
#define __all_sync(mask, predicate)    (rs_emu_vote(RS_EMU_HERE, (mask), (predicate) ? 0 : 1) == 0)

static inline void rs_emu_lanes_meet(rs_emu_site site, unsigned mask = 0xffffffffu)
{
    (void)rs_emu_exchange(RS_EMU_SYNCWARP, mask, 0, 0, 32, site);
}

static inline unsigned rs_emu_vote(rs_emu_site site, unsigned mask, int value)
{
    return (unsigned)rs_emu_exchange(RS_EMU_BALLOT, mask, (uint64_t)value, 0, 32, site);
}

template <typename T>
static inline T rs_emu_shuffle(rs_emu_site site, rs_emu_exchange_kind kind, unsigned mask, T value,
                               int argument, int width = 32)
{
    static_assert(sizeof(T) == 4 || sizeof(T) == 8, "shuffles move 4 or 8 bytes");
    uint64_t bits = 0;
    memcpy(&bits, &value, sizeof value);
    bits = rs_emu_exchange(kind, mask, bits, argument, width, site);
    memcpy(&value, &bits, sizeof value);
    return value;
}

/* --- intrinsics ----------------------------------------------------------------------------------------- */

template <typename To, typename From> static inline To rs_emu_bits(From from)
{
    static_assert(sizeof(To) == sizeof(From), "same size");
    To to;
    memcpy(&to, &from, sizeof to);
    return to;
}

static inline unsigned __float_as_uint(float x)
{
    return rs_emu_bits<unsigned>(x);
}
static inline int __float_as_int(float x)
{
    return rs_emu_bits<int>(x);
}
static inline float __uint_as_float(unsigned x)
{
    return rs_emu_bits<float>(x);
}
static inline float __int_as_float(int x)
{
    return rs_emu_bits<float>(x);
}
static inline int __popc(unsigned x)
{
    return __builtin_popcount(x);
}
static inline int __popcll(unsigned long long x)
{
    return __builtin_popcountll(x);
}
static inline int __ffs(unsigned x)
{
    return __builtin_ffs((int)x);
}
static inline int __clz(unsigned x)
{
    return x ? __builtin_clz(x) : 32;
}
#define rsqrtf(x) (1.0f / sqrtf(x)) /* newer C libraries have a function of that name */
static inline float __fdividef(float a, float b)
{
    return a / b;
}
static inline float __fmul_rn(float a, float b)
{
    return a * b;
}
static inline float __fadd_rn(float a, float b)
{
    return a + b;
}
static inline float __fmaf_rn(float a, float b, float c)
{
    return fmaf(a, b, c);
}
static inline float __fdiv_rn(float a, float b)
{
    return a / b;
}
static inline float __fsqrt_rn(float x)
{
    return sqrtf(x);
}

/* Loads and stores with a hint to the caches. */
template <typename T> static inline T __ldg(const T *from)
{
    return *from;
}
template <typename T> static inline T __ldcs(const T *from)
{
    return *from;
}
template <typename T> static inline T __ldcg(const T *from)
{
    return *from;
}
template <typename T> static inline void __stcs(T *to, T value)
{
    *to = value;
}
template <typename T> static inline void __stcg(T *to, T value)
{
    *to = value;
}

/* CUDA's are in the global namespace, for mixed signs too; of floats they are fmin and fmax, which lose a
 * NaN. */
template <typename A, typename B> static inline typename std::common_type<A, B>::type min(A a, B b)
{
    using T = typename std::common_type<A, B>::type;
    if constexpr (std::is_floating_point<T>::value) {
        return fmin((T)a, (T)b);
    } else {
        return (T)b < (T)a ? (T)b : (T)a;
    }
}
template <typename A, typename B> static inline typename std::common_type<A, B>::type max(A a, B b)
{
    using T = typename std::common_type<A, B>::type;
    if constexpr (std::is_floating_point<T>::value) {
        return fmax((T)a, (T)b);
    } else {
        return (T)a < (T)b ? (T)b : (T)a;
    }
}

/* --- registering kernels -------------------------------------------------------------------------------- */

template <auto function> struct rs_emu_thunk;
template <typename... A, void (*function)(A...)> struct rs_emu_thunk<function> {
    using Bound = std::tuple<A...>;
    static_assert((std::is_trivially_copyable<A>::value && ...), "a kernel's arguments are copied as bytes");

    template <size_t... I> static void bind_each(void *bound, void **args, std::index_sequence<I...>)
    {
        (void)args;
        new (bound) Bound(*static_cast<A *>(args[I])...);
    }
    static void bind(void *bound, void **args)
    {
        bind_each(bound, args, std::index_sequence_for<A...>());
    }
    static void call(const void *bound)
    {
        std::apply(function, *static_cast<const Bound *>(bound));
    }
    static rs_emu_kernel describe(const char *name)
    {
        return rs_emu_kernel{name, reinterpret_cast<const void *>(function), sizeof(Bound), bind, call};
    }
};

struct rs_emu_registration {
    rs_emu_kernel kernel;
    explicit rs_emu_registration(const rs_emu_kernel &described) : kernel(described)
    {
        rs_emu_register_kernel(&kernel);
    }
};

#define RS_EMU_KERNEL(name)                                                                                  \
    static rs_emu_registration rs_emu_registration_of_##name(rs_emu_thunk<&name>::describe(#name));

#endif
