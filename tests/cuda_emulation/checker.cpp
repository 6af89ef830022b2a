/* checker.cpp: every access of a kernel to memory. g++ puts calls of __tsan_read4 and the like in front of
 * each (-fsanitize=thread); these here are not that sanitizer's, they are ours.
 *
 * A thread may touch its own stack, its arguments, constants of the kernels' image (reading), shared
 * memory, and device memory inside of an allocation; what it reads there must have been given a value.
 * Anything else ends the program. */
#include <link.h>

#include "standin.hpp"

namespace standin
{

namespace
{

struct Checker {
    bool on = false;
    uintptr_t stacks = 0, stack_bytes = 0, shared = 0, shared_bytes = 0;
    uintptr_t arguments = 0, argument_bytes = 0;
    std::vector<Range> image; /* of the kernel: code and constants */
    Block *last = nullptr;    /* that was touched */
    bool traffic = false, races = false;
};

Checker checker;

struct Search {
    uintptr_t function;
    std::vector<Range> *image;
};

/* dl_iterate_phdr: the segments of the image that holds a function. */
int collect(dl_phdr_info *info, size_t, void *data)
{
    const Search &search = *static_cast<Search *>(data);
    std::vector<Range> found;
    bool holds = false;
    for (int i = 0; i < info->dlpi_phnum; i++) {
        const auto &segment = info->dlpi_phdr[i];
        if (segment.p_type == PT_LOAD) {
            uintptr_t begin = info->dlpi_addr + segment.p_vaddr;
            holds |= search.function - begin < segment.p_memsz;
            found.push_back({(const void *)begin, segment.p_memsz});
        }
    }
    if (holds) {
        *search.image = found;
    }
    return holds;
}

bool is_constant(uintptr_t address)
{
    for (const Range &range : checker.image) {
        if (address - (uintptr_t)range.begin < range.bytes) {
            return true;
        }
    }
    return false;
}

/* The usual case: whole words of 4, 8 or 16 bytes. False: look closer. */
inline bool touch_words(Block &block, uintptr_t address, size_t bytes, bool write)
{
    size_t at = address - block.begin;
    uint8_t *bits = block.written.data() + at / 8;
    if (bytes == 4 && at % 4 == 0) {
        uint8_t mask = at % 8 ? 0xf0 : 0x0f;
        *bits = write ? *bits | mask : *bits;
        return (*bits & mask) == mask;
    }
    if ((bytes == 8 || bytes == 16) && at % 8 == 0) {
        if (write) {
            bits[0] = bits[bytes / 16] = 0xff;
        }
        return bits[0] == 0xff && bits[bytes / 16] == 0xff;
    }
    return false;
}

void touch_device(Block &block, uintptr_t address, size_t bytes, bool write)
{
    if (touch_words(block, address, bytes, write)) {
        /* nothing to say */
    } else if (write) {
        mark_written(block, address, bytes);
    } else if (!has_value(block, address, bytes)) {
        stop("a kernel reads %zu bytes that nobody has written: %s", bytes,
             describe((const void *)address).c_str());
    }
    if (checker.races) {
        device_access(block, address, bytes, write);
    }
    if (checker.traffic) {
        traffic_count(block, address, bytes, write);
    }
}

void touch_other(uintptr_t address, size_t bytes, bool write)
{
    const void *at = (const void *)address;
    if (Block *block = device_block(at, bytes)) {
        checker.last = block;
        touch_device(*block, address, bytes, write);
        return;
    }
    bool argument = address - checker.arguments < checker.argument_bytes;
    if (!write && (argument || is_constant(address))) {
        return;
    }
    stop("a kernel %s %zu bytes at %s", write ? "writes" : "reads", bytes, describe(at).c_str());
}

inline void touch(const void *memory, size_t bytes, bool write)
{
    if (!checker.on) {
        return;
    }
    uintptr_t address = (uintptr_t)memory;
    Block *last = checker.last;
    if (address - checker.stacks < checker.stack_bytes) {
        return;
    }
    if (last && address >= last->begin && address + bytes <= last->end) {
        touch_device(*last, address, bytes, write);
    } else if (address - checker.shared < checker.shared_bytes) {
        shared_access(address, bytes, write);
    } else {
        touch_other(address, bytes, write);
    }
}

} // namespace

void checker_begin(const rs_emu_kernel &kernel, const void *bound)
{
    Search search = {(uintptr_t)kernel.function, &checker.image};
    (void)dl_iterate_phdr(collect, &search);
    checker.stacks = (uintptr_t)fibre_stacks().begin;
    checker.stack_bytes = fibre_stacks().bytes;
    checker.shared = (uintptr_t)shared_memory().begin;
    checker.shared_bytes = shared_memory().bytes;
    checker.arguments = (uintptr_t)bound;
    checker.argument_bytes = kernel.bytes;
    checker.last = nullptr;
    checker.traffic = traffic_wanted();
    checker.races = settings().races;
    checker.on = true;
    if (checker.traffic) {
        traffic_begin(kernel.name);
    }
}

void checker_end()
{
    checker.on = false;
    if (checker.traffic) {
        traffic_end();
    }
}

} // namespace standin

#define ACCESS(bytes)                                                                                        \
    STANDIN_API void __tsan_read##bytes(void *at)                                                            \
    {                                                                                                        \
        standin::touch(at, bytes, false);                                                                    \
    }                                                                                                        \
    STANDIN_API void __tsan_write##bytes(void *at)                                                           \
    {                                                                                                        \
        standin::touch(at, bytes, true);                                                                     \
    }                                                                                                        \
    STANDIN_API void __tsan_volatile_read##bytes(void *at)                                                   \
    {                                                                                                        \
        standin::touch(at, bytes, false);                                                                    \
    }                                                                                                        \
    STANDIN_API void __tsan_volatile_write##bytes(void *at)                                                  \
    {                                                                                                        \
        standin::touch(at, bytes, true);                                                                     \
    }
ACCESS(1)
ACCESS(2)
ACCESS(4)
ACCESS(8)
ACCESS(16)

/* A GPU reads and writes only at multiples of the size. */
#define UNALIGNED(bytes)                                                                                     \
    STANDIN_API void __tsan_unaligned_read##bytes(void *at)                                                  \
    {                                                                                                        \
        standin::touch(at, bytes, false);                                                                    \
    }                                                                                                        \
    STANDIN_API void __tsan_unaligned_write##bytes(void *at)                                                 \
    {                                                                                                        \
        standin::touch(at, bytes, true);                                                                     \
    }
UNALIGNED(2)
UNALIGNED(4)
UNALIGNED(8)
UNALIGNED(16)

STANDIN_API void __tsan_read_range(void *at, size_t bytes)
{
    standin::touch(at, bytes, false);
}

STANDIN_API void __tsan_write_range(void *at, size_t bytes)
{
    standin::touch(at, bytes, true);
}

/* -fsanitize=alignment: a pointer that is used as its type is not aligned to. The first word of the description is
 * the place in the source, the third the logarithm of the alignment. */
struct Misaligned {
    const char *file;
    uint32_t line, column;
    const void *type;
    unsigned char log_alignment;
};
STANDIN_API void __ubsan_handle_type_mismatch_v1(const Misaligned *what, const void *at)
{
    standin::stop("%s:%u: an address that is not aligned to %u bytes: %s", what->file, what->line,
                  1u << what->log_alignment, standin::describe(at).c_str());
}

STANDIN_API void __tsan_init(void)
{
}

STANDIN_API void __tsan_func_entry(void *)
{
}

STANDIN_API void __tsan_func_exit(void)
{
}
