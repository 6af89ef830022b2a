/* values.cpp: which bytes of device memory have been given a value, and what library calls may read and
 * write. */
#include <algorithm>
#include <cstring>

#include "standin.hpp"

namespace standin
{

namespace
{

enum : uintptr_t { WORD = 4 };

/* Bits first .. first + count - 1 of a byte. */
uint8_t mask_of(size_t first, size_t count)
{
    return (uint8_t)(((1u << count) - 1) << first);
}

void set_few(uint8_t *byte, uint8_t mask, bool value)
{
    *byte = (uint8_t)(value ? *byte | mask : *byte & ~mask);
}

void set_bits(Block &block, uintptr_t address, size_t bytes, bool value)
{
    size_t at = address - block.begin, end = at + bytes;
    uint8_t *bits = block.written.data();
    if (at % 8) {
        size_t count = std::min(bytes, 8 - at % 8);
        set_few(bits + at / 8, mask_of(at % 8, count), value);
        at += count;
    }
    if (at < end) {
        memset(bits + at / 8, value ? 0xff : 0, (end - at) / 8);
        if (end % 8) {
            set_few(bits + end / 8, mask_of(0, end % 8), value);
        }
    }
}

Block &device_range(const void *memory, size_t bytes, const char *what)
{
    Block *block = device_block(memory, bytes);
    if (!block) {
        stop("%s: %zu bytes from %s", what, bytes, describe(memory).c_str());
    }
    return *block;
}

} // namespace

void mark_written(Block &block, uintptr_t address, size_t bytes)
{
    set_bits(block, address, bytes, true);
}

bool is_written(const Block &block, uintptr_t address, size_t bytes)
{
    size_t at = address - block.begin, end = at + bytes;
    const uint8_t *bits = block.written.data();
    if (at % 8) {
        size_t count = std::min(bytes, 8 - at % 8);
        uint8_t mask = mask_of(at % 8, count);
        if ((bits[at / 8] & mask) != mask) {
            return false;
        }
        at += count;
    }
    for (; at + 8 <= end; at += 8) {
        if (bits[at / 8] != 0xff) {
            return false;
        }
    }
    uint8_t rest = at < end ? mask_of(0, end - at) : 0;
    return !rest || (bits[at / 8] & rest) == rest;
}

/* Padding inside a structure has no value and may be copied: one byte of a word is enough. */
bool has_value(const Block &block, uintptr_t address, size_t bytes)
{
    bool has = is_written(block, address, bytes);
    for (uintptr_t word = address / WORD * WORD; !has && word < address + bytes; word += WORD) {
        uintptr_t byte = word, end = std::min(word + WORD, block.end);
        while (byte < end && !is_written(block, byte, 1)) {
            byte++;
        }
        if (byte == end) {
            return false;
        }
    }
    return true;
}

void expect_device(const void *memory, size_t bytes, size_t alignment, const char *what)
{
    (void)device_range(memory, bytes, what);
    if ((uintptr_t)memory % alignment) {
        stop("%s: %p is not aligned to %zu bytes", what, memory, alignment);
    }
}

void expect_readable(const void *memory, size_t bytes, const char *what)
{
    const Block &block = device_range(memory, bytes, what);
    if (!is_written(block, (uintptr_t)memory, bytes)) {
        size_t at = 0;
        while (is_written(block, (uintptr_t)memory + at, 1)) {
            at++;
        }
        stop("%s: reads what nobody has written: %s", what, describe((const char *)memory + at).c_str());
    }
}

void expect_scratch(void *memory, size_t bytes, const char *what)
{
    Block &block = device_range(memory, bytes, what);
    fill_poison(memory, bytes);
    set_bits(block, (uintptr_t)memory, bytes, false);
}

void expect_writable(const void *memory, size_t bytes, const char *what)
{
    mark_written(device_range(memory, bytes, what), (uintptr_t)memory, bytes);
}

} // namespace standin
