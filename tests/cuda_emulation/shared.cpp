/* shared.cpp: a block's shared memory: poisoned anew for every block, and watched; races in device memory, too.
 *
 * For each word (each byte in arrays of small elements) it is known who wrote and read it last and when,
 * counted in barriers and __syncwarps. Two threads that touch one, one of them writing, without a barrier
 * between them race, whatever order they ran in here; so does reading what nobody has written, or touching
 * what belongs to no array. */
#include <sys/mman.h>

#include "races.hpp"

namespace standin
{

struct DeviceCells {
    std::vector<Cell> of_word;
};

namespace
{

/* Gaps between arrays take no part in the most. */
enum : size_t { MOST = (size_t)48 << 10, GAP = 64, SHARED = 2 * MOST, WORD = 4, MOST_ARRAYS = 16 };

struct Array {
    size_t begin, end, unit;
};

struct Shared {
    char *memory = nullptr;
    std::vector<Cell> cells;
    Array arrays[MOST_ARRAYS]; /* of the block that runs */
    size_t array_count = 0, used = 0, asked = 0;
    uint64_t block = 0;
};
Shared all;

const Array &array_at(size_t at, bool write)
{
    for (size_t i = 0; i < all.array_count; i++) {
        if (at - all.arrays[i].begin < all.arrays[i].end - all.arrays[i].begin) {
            return all.arrays[i];
        }
    }
    stop("shared memory is %s outside of every array (byte %zu)", write ? "written" : "read", at);
}

void make_memory()
{
    void *mapped = mmap(nullptr, SHARED, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (mapped == MAP_FAILED) {
        stop("no memory");
    }
    all.memory = static_cast<char *>(mapped);
    all.cells.resize(SHARED);
}

} // namespace

void shared_new_block()
{
    all.block++;
    thread_clock.first_of_block = ++thread_clock.phase;
    all.used = all.asked = all.array_count = 0;
}

Range shared_memory()
{
    if (!all.memory) {
        make_memory();
    }
    return {all.memory, SHARED};
}

/* Single bytes are left out: neighbours of other threads share their word. */
void device_access(Block &block, uintptr_t address, size_t bytes, bool write)
{
    if (bytes < WORD) {
        return;
    }
    if (!block.cells) {
        block.cells = std::make_shared<DeviceCells>();
        block.cells->of_word.resize((block.end - block.begin + WORD - 1) / WORD);
    }
    for (size_t at = (address - block.begin) / WORD; at * WORD < address + bytes - block.begin; at++) {
        touch_cell(block.cells->of_word[at], write, thread_clock.first_of_launch,
                   [&] { return "device memory, " + describe((const void *)(block.begin + at * WORD)); });
    }
}

void shared_access(uintptr_t address, size_t bytes, bool write)
{
    size_t at = address - (uintptr_t)all.memory, end = at + bytes;
    while (at < end) {
        const Array &array = array_at(at, write);
        size_t cell = array.unit == WORD ? at / WORD * WORD : at;
        touch_cell(all.cells[cell], write, thread_clock.first_of_block,
                   [cell] { return text("shared memory, byte %zu", cell); });
        if (!all.cells[cell].write.in_this_block()) {
            stop("shared memory is read that no thread of the block has written (byte %zu)", at);
        }
        at = cell + array.unit;
    }
}

} // namespace standin

using namespace standin;

extern "C" void *rs_emu_shared(rs_emu_shared_array *array, size_t bytes, size_t alignment, size_t element)
{
    if (array->block != all.block) {
        size_t at = (all.used + alignment - 1) / alignment * alignment;
        all.asked += bytes;
        if (all.asked > MOST || at + bytes > SHARED || all.array_count == MOST_ARRAYS) {
            stop("a block has at most %zu bytes of shared memory, not %zu", (size_t)MOST, all.asked);
        }
        array->block = all.block;
        array->memory = all.memory + at;
        fill_poison(array->memory, bytes);
        all.arrays[all.array_count++] = {at, at + bytes, element % WORD == 0 ? (size_t)WORD : 1};
        all.used = at + bytes + GAP;
    }
    return array->memory;
}
