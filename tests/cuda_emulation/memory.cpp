/* memory.cpp: device and pinned memory: where it lies, what it is for, which bytes have been given a value.
 *
 *     | guard page | canary | what was asked for | rest of the last 256 bytes: canary | guard page |
 *
 * A buffer ends where its last page ends, so that one step past it faults. Device pages are PROT_NONE but
 * while work runs (OpenDevice). Freed device memory keeps its addresses for good, unmapped: nothing else ever
 * lies there. */
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <map>

#include "standin.hpp"

namespace standin
{

namespace
{

enum : size_t { ALIGNMENT = 256, BIG = (size_t)4 << 20 };
enum : uint8_t { CANARY = 0xa5 };

struct Registry {
    std::map<uintptr_t, std::unique_ptr<Block>> blocks; /* by hold */
    std::vector<Block *> device;                        /* live ones */
    size_t device_bytes = 0;
    unsigned long made = 0;
    int open = 0;
};

Registry &registry()
{
    static Registry *made = new Registry;
    return *made;
}

size_t page_size()
{
    static const size_t size = (size_t)sysconf(_SC_PAGESIZE);
    return size;
}

size_t round_up(size_t bytes, size_t to)
{
    return (bytes + to - 1) / to * to;
}

void protect(const Block &block, bool accessible)
{
    if (mprotect((void *)block.map, block.map_end - block.map,
                 accessible ? PROT_READ | PROT_WRITE : PROT_NONE)) {
        stop("mprotect fails: out of mappings?");
    }
}

/* Places a block and fills it with poison and canaries. Null when the system has no memory. */
std::unique_ptr<Block> make_block(size_t bytes, bool pinned)
{
    size_t page = page_size(), inside = round_up(round_up(bytes, ALIGNMENT), page);
    void *hold =
        mmap(nullptr, inside + 2 * page, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (hold == MAP_FAILED) {
        return nullptr;
    }
    auto block = std::make_unique<Block>();
    block->hold = (uintptr_t)hold;
    block->map = block->hold + page;
    block->map_end = block->map + inside;
    block->hold_end = block->map_end + page;
    block->begin = block->map_end - round_up(bytes, ALIGNMENT);
    block->end = block->begin + bytes;
    block->pinned = pinned;
    if (inside >= BIG) {
        (void)madvise((void *)block->map, inside, MADV_HUGEPAGE); /* page tables of big blocks change often */
    }
    protect(*block, true);
    memset((void *)block->map, CANARY, inside);
    fill_poison((void *)block->begin, bytes);
    return block;
}

void check_canaries(const Block &block)
{
    for (uintptr_t at = block.map; at < block.map_end; at++) {
        if (at == block.begin) {
            at = block.end;
        }
        if (at < block.map_end && *(const uint8_t *)at != CANARY) {
            const char *side = at < block.begin ? "before" : "past";
            size_t distance = at < block.begin ? block.begin - at : at - block.end + 1;
            stop("something wrote %zu bytes %s the %s of allocation %lu (%zu bytes)", distance, side,
                 at < block.begin ? "begin" : "end", block.number, (size_t)(block.end - block.begin));
        }
    }
}

Block *add(std::unique_ptr<Block> block)
{
    Registry &all = registry();
    note_owner();
    block->number = ++all.made;
    Block *kept = block.get();
    all.blocks[kept->hold] = std::move(block);
    return kept;
}

Block *live_block(const void *address, size_t bytes, bool pinned)
{
    Block *block = block_at(address);
    uintptr_t at = (uintptr_t)address;
    bool holds = block && !block->freed && block->pinned == pinned && at >= block->begin &&
                 at <= block->end && bytes <= block->end - at;
    return holds && (at < block->end || bytes == 0) ? block : nullptr;
}

/* A live block that begins there. */
Block *whole_block(const void *memory, bool pinned)
{
    Block *block = live_block(memory, 0, pinned);
    return block && block->begin == (uintptr_t)memory ? block : nullptr;
}

/* Gives the pages back and keeps the addresses. */
void retire(Block &block)
{
    size_t bytes = block.hold_end - block.hold;
    int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED;
    if (mmap((void *)block.hold, bytes, PROT_NONE, flags, -1, 0) == MAP_FAILED) {
        stop("cannot unmap freed memory");
    }
    block.freed = true;
    block.written = std::vector<uint8_t>();
    block.traffic.reset();
    block.cells.reset();
}

} // namespace

Block::Block()
    : begin(0), end(0), map(0), map_end(0), hold(0), hold_end(0), number(0), pinned(false), freed(false)
{
}

void fill_poison(void *memory, size_t bytes)
{
    memset(memory, 0xff, bytes);
}

Block *block_at(const void *address)
{
    auto &blocks = registry().blocks;
    auto next = blocks.upper_bound((uintptr_t)address);
    if (next == blocks.begin()) {
        return nullptr;
    }
    Block *block = std::prev(next)->second.get();
    return (uintptr_t)address < block->hold_end ? block : nullptr;
}

Block *device_block(const void *address, size_t bytes)
{
    return live_block(address, bytes, false);
}

Block *pinned_block(const void *address, size_t bytes)
{
    return live_block(address, bytes, true);
}

bool is_device(const void *address)
{
    const Block *block = block_at(address);
    return block && !block->pinned;
}

bool is_pinned(const void *address)
{
    const Block *block = block_at(address);
    return block && block->pinned && !block->freed;
}

std::string describe(const void *address)
{
    const Block *block = block_at(address);
    uintptr_t at = (uintptr_t)address;
    if (!block) {
        return text("%p, host memory", address);
    }
    std::string what =
        text("%s%s memory (allocation %lu, %zu bytes)", block->freed ? "freed " : "",
             block->pinned ? "pinned" : "device", block->number, (size_t)(block->end - block->begin));
    if (at < block->begin) {
        return text("%p, %zu bytes before %s", address, (size_t)(block->begin - at), what.c_str());
    }
    if (at >= block->end) {
        return text("%p, %zu bytes past the end of %s", address, (size_t)(at - block->end), what.c_str());
    }
    return text("%p, byte %zu of %s", address, (size_t)(at - block->begin), what.c_str());
}

size_t device_memory_used()
{
    return registry().device_bytes;
}

static bool has_room(size_t bytes)
{
    return bytes <= settings().memory - std::min(settings().memory, registry().device_bytes);
}

bool occupy_device(size_t bytes)
{
    bool fits = has_room(bytes);
    registry().device_bytes += fits ? bytes : 0;
    return fits;
}

cudaError_t allocate_device(void **memory, size_t bytes)
{
    Registry &all = registry();
    if (!memory) {
        return cudaErrorInvalidValue;
    }
    *memory = nullptr;
    if (bytes == 0) {
        return cudaSuccess;
    }
    if (!has_room(bytes)) {
        return cudaErrorMemoryAllocation;
    }
    auto made = make_block(bytes, false);
    if (!made) {
        return cudaErrorMemoryAllocation;
    }
    Block *block = add(std::move(made));
    block->written.assign((bytes + 7) / 8, 0);
    if (all.open == 0) {
        protect(*block, false);
    }
    all.device.push_back(block);
    all.device_bytes += bytes;
    *memory = (void *)block->begin;
    return cudaSuccess;
}

cudaError_t release_device(void *memory)
{
    Registry &all = registry();
    Block *block = whole_block(memory, false);
    if (!block) {
        say("cudaFree: %s", describe(memory).c_str());
        return cudaErrorInvalidValue;
    }
    {
        OpenDevice open;
        check_canaries(*block);
    }
    all.device.erase(std::find(all.device.begin(), all.device.end(), block));
    all.device_bytes -= block->end - block->begin;
    retire(*block);
    return cudaSuccess;
}

cudaError_t allocate_pinned(void **memory, size_t bytes)
{
    if (!memory) {
        return cudaErrorInvalidValue;
    }
    *memory = nullptr;
    if (bytes == 0) {
        return cudaSuccess;
    }
    auto made = make_block(bytes, true);
    if (!made) {
        return cudaErrorMemoryAllocation;
    }
    *memory = (void *)add(std::move(made))->begin;
    return cudaSuccess;
}

cudaError_t release_pinned(void *memory)
{
    Block *block = whole_block(memory, true);
    if (!block) {
        say("cudaFreeHost: %s", describe(memory).c_str());
        return cudaErrorInvalidValue;
    }
    check_canaries(*block);
    if (pending_work_uses(memory, block->end - block->begin)) {
        stop("pinned memory is freed while work that uses it waits: %s", describe(memory).c_str());
    }
    retire(*block);
    return cudaSuccess;
}

std::vector<std::string> blocks_alive()
{
    std::vector<std::string> found;
    for (const auto &entry : registry().blocks) {
        const Block &block = *entry.second;
        if (!block.freed) {
            found.push_back(text("%s memory: allocation %lu, %zu bytes", block.pinned ? "pinned" : "device",
                                 block.number, (size_t)(block.end - block.begin)));
        }
    }
    return found;
}

OpenDevice::OpenDevice()
{
    if (registry().open++ == 0) {
        for (const Block *block : registry().device) {
            protect(*block, true);
        }
    }
}

OpenDevice::~OpenDevice()
{
    if (--registry().open == 0) {
        for (const Block *block : registry().device) {
            protect(*block, false);
        }
    }
}

} // namespace standin
