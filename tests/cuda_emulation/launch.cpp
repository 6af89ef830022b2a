/* launch.cpp: what nvcc's stubs call: registration of kernels by name, and launches with checks of their
 * shape.
 *
 * A stub's address stands for its kernel. The CPU build of the kernel is found by name among those that
 * registered themselves (kernel_entry.h); its arguments are copied at the launch. */
#include <map>

#include "standin.hpp"

namespace standin
{

namespace
{

struct Kernels {
    std::map<std::string, const rs_emu_kernel *> built; /* by g++ */
    std::map<const void *, std::string> stubs;          /* by nvcc */
};

Kernels &kernels()
{
    static Kernels *made = new Kernels;
    return *made;
}

struct Configuration {
    dim3 grid, block;
    size_t shared;
    cudaStream_t stream;
};

std::vector<Configuration> &configurations() /* pushed by <<<>>>, popped by its stub */
{
    thread_local std::vector<Configuration> pushed;
    return pushed;
}

bool is_launchable(const char *name, dim3 grid, dim3 block)
{
    uint64_t threads = (uint64_t)block.x * block.y * block.z;
    bool block_fits = threads >= 1 && threads <= 1024 && block.x <= 1024 && block.y <= 1024 && block.z <= 64;
    bool grid_fits = grid.x >= 1 && grid.y >= 1 && grid.z >= 1 && grid.x <= 0x7fffffffu && grid.y <= 65535 &&
                     grid.z <= 65535;
    if (!block_fits || !grid_fits) {
        say("%s: cannot be launched with a grid of (%u, %u, %u) and blocks of (%u, %u, %u)", name, grid.x,
            grid.y, grid.z, block.x, block.y, block.z);
    }
    return block_fits && grid_fits;
}

cudaError_t launch(const void *stub, dim3 grid, dim3 block, void **args, size_t shared, cudaStream_t stream)
{
    auto found = kernels().stubs.find(stub);
    if (found == kernels().stubs.end()) {
        return cudaErrorInvalidDeviceFunction;
    }
    const std::string &name = found->second;
    if (!is_launchable(name.c_str(), grid, block)) {
        return cudaErrorInvalidConfiguration;
    }
    if (shared > 0) {
        stop("%s: the stand-in has no dynamic shared memory (%zu bytes asked for)", name.c_str(), shared);
    }
    const rs_emu_kernel *kernel = find_kernel(name);
    if (!kernel) {
        stop("%s has no CPU build: is it in kernel_list.def?", name.c_str());
    }
    auto bound =
        std::shared_ptr<void>(::operator new(kernel->bytes + 1), [](void *p) { ::operator delete(p); });
    kernel->bind(bound.get(), args);
    Work work;
    work.what = name;
    work.run = [=] { run_kernel(*kernel, bound.get(), grid, block); };
    return enqueue(stream, std::move(work));
}

} // namespace

const rs_emu_kernel *find_kernel(const std::string &name)
{
    auto found = kernels().built.find(name);
    return found == kernels().built.end() ? nullptr : found->second;
}

} // namespace standin

using namespace standin;

extern "C" void rs_emu_register_kernel(const rs_emu_kernel *kernel)
{
    std::lock_guard<std::recursive_mutex> held(gate());
    if (!kernels().built.emplace(kernel->name, kernel).second) {
        stop("two kernels are called %s", kernel->name);
    }
}

STANDIN_API void **__cudaRegisterFatBinary(void *)
{
    return new void *[1]();
}

STANDIN_API void __cudaRegisterFatBinaryEnd(void **)
{
}

STANDIN_API void __cudaUnregisterFatBinary(void **handle)
{
    delete[] handle;
}

STANDIN_API char __cudaInitModule(void **)
{
    return 1;
}

STANDIN_API void __cudaRegisterFunction(void **, const char *stub, char *, const char *name, int, uint3 *,
                                        uint3 *, dim3 *, dim3 *, int *)
{
    std::lock_guard<std::recursive_mutex> held(gate());
    kernels().stubs[stub] = name;
}

STANDIN_API void __cudaRegisterVar(void **, char *, char *, const char *name, int, size_t, int, int)
{
    stop("%s: the stand-in has no variables in device memory", name);
}

STANDIN_API unsigned __cudaPushCallConfiguration(dim3 grid, dim3 block, size_t shared, cudaStream_t stream)
{
    configurations().push_back({grid, block, shared, stream});
    return 0;
}

STANDIN_API cudaError_t __cudaPopCallConfiguration(dim3 *grid, dim3 *block, size_t *shared, void *stream)
{
    if (configurations().empty()) {
        return cudaErrorMissingConfiguration;
    }
    const Configuration &last = configurations().back();
    *grid = last.grid;
    *block = last.block;
    *shared = last.shared;
    *static_cast<cudaStream_t *>(stream) = last.stream;
    configurations().pop_back();
    return cudaSuccess;
}

STANDIN_API cudaError_t __cudaGetKernel(cudaKernel_t *kernel, const void *stub)
{
    *kernel = reinterpret_cast<cudaKernel_t>(const_cast<void *>(stub));
    return cudaSuccess;
}

/* Fails only in the last error: stubs drop what this returns. */
STANDIN_API cudaError_t __cudaLaunchKernel(cudaKernel_t kernel, dim3 grid, dim3 block, void **args,
                                           size_t shared, cudaStream_t stream)
{
    STANDIN_RUNTIME(fallible);
    return call.done(launch(kernel, grid, block, args, shared, stream));
}

STANDIN_API cudaError_t cudaLaunchKernel(const void *stub, dim3 grid, dim3 block, void **args, size_t shared,
                                         cudaStream_t stream)
{
    STANDIN_RUNTIME(fallible);
    return call.done(launch(stub, grid, block, args, shared, stream));
}
