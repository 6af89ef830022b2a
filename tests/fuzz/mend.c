/* mend.c: see mend.h. Without it every change to a checkpoint, and nearly every one to a record, would be refused for its
 * checksum and try nothing else. Of HDF5 the superblock, object headers and headers of indices and heaps are mended; its
 * specification of the file format (version 3) has their layout. */
#include "mend.h"

#include <stdbool.h>
#include <string.h>
#include <zlib.h>

static uint64_t number(const uint8_t *at, size_t bytes)
{
    uint64_t value = 0;
    for (size_t i = bytes; i > 0; i--) {
        value = value << 8 | at[i - 1];
    }
    return value;
}

static void put(uint8_t *at, uint32_t value)
{
    for (int i = 0; i < 4; i++) {
        at[i] = (uint8_t)(value >> 8 * i);
    }
}

/* --- checkpoints: src/host/record/checkpoint.c --------------------------------------------------------------- */

static void mend_checkpoint(uint8_t *data, size_t size)
{
    enum { START = 16, HEADER = 24, NAME = 4, BYTES = 8, DATA_CRC = 16, HEADER_CRC = 20 };
    uint32_t sections = 0;
    for (size_t at = START; size >= HEADER && at <= size - HEADER; sections++) {
        uint8_t *head = data + at, *behind = head + HEADER;
        const bool end = memcmp(head, "END!", 4) == 0;
        if (end) {
            put(head + NAME, sections);
        }
        const uint64_t name = end ? 0 : number(head + NAME, 4), bytes = end ? 0 : number(head + BYTES, 8);
        const size_t room = size - at - HEADER;
        if (name > room || bytes > room - name) {
            return;
        }
        if (!end) {
            put(head + DATA_CRC, (uint32_t)crc32_z(0, behind + name, (size_t)bytes));
        }
        put(head + HEADER_CRC, (uint32_t)crc32_z(crc32_z(0, head, HEADER_CRC), behind, (size_t)name));
        if (end) {
            return;
        }
        at += HEADER + (size_t)(name + bytes);
    }
}

/* --- HDF5 ------------------------------------------------------------------------------------------------------ */

static uint32_t turn(uint32_t x, int bits)
{
    return x << bits | x >> (32 - bits);
}

/* Bob Jenkins's lookup3 (hashlittle), by bytes. */
static uint32_t jenkins(const uint8_t *bytes, size_t count)
{
    static const int mixing[6] = {4, 6, 8, 16, 19, 4}, ending[7] = {14, 11, 25, 16, 4, 14, 24};
    uint32_t v[3];
    v[0] = v[1] = v[2] = 0xdeadbeef + (uint32_t)count;
    for (; count > 12; bytes += 12, count -= 12) {
        for (int i = 0; i < 3; i++) {
            v[i] += (uint32_t)number(bytes + 4 * i, 4);
        }
        for (int i = 0; i < 6; i++) { /* a -= c, a ^= c turned, c += b; then of b, a; of c, b; again */
            uint32_t *a = &v[i % 3], *b = &v[(i + 1) % 3], *c = &v[(i + 2) % 3];
            *a -= *c;
            *a ^= turn(*c, mixing[i]);
            *c += *b;
        }
    }
    for (size_t i = 0; i < count; i++) {
        v[i / 4] += (uint32_t)bytes[i] << 8 * (i % 4);
    }
    for (int i = 0; count > 0 && i < 7; i++) { /* c ^= b, c -= b turned; then of a, c; of b, a; again */
        uint32_t *to = &v[(i + 2) % 3], from = v[(i + 1) % 3];
        *to ^= from;
        *to -= turn(from, ending[i]);
    }
    return v[2];
}

/* The checksum of `count` bytes lies behind them. */
static void mend_block(uint8_t *data, size_t size, size_t at, uint64_t count)
{
    if (at <= size && count <= size - at && size - at - (size_t)count >= 4) {
        put(data + at + count, jenkins(data + at, (size_t)count));
    }
}

/* Messages of an object header from `at` to `end`: those that say where more of them lie. */
static void mend_continued(uint8_t *data, size_t size, size_t at, size_t end, bool ordered, int depth)
{
    enum { CONTINUED = 0x10, SIGNATURE = 4, CHECKSUM = 4 };
    const size_t head = ordered ? 6 : 4;
    while (depth > 0 && end - at >= head) {
        const size_t bytes = (size_t)number(data + at + 1, 2);
        const uint8_t *body = data + at + head;
        if (bytes > end - at - head) {
            return;
        }
        if (data[at] == CONTINUED && bytes >= 16) {
            const uint64_t place = number(body, 8), length = number(body + 8, 8);
            if (place < size && length <= size - place && length > SIGNATURE + CHECKSUM) {
                mend_continued(data, size, (size_t)place + SIGNATURE, (size_t)(place + length) - CHECKSUM,
                               ordered, depth - 1);
                mend_block(data, size, (size_t)place, length - CHECKSUM);
            }
        }
        at += head + bytes;
    }
}

static void mend_object(uint8_t *data, size_t size, size_t at)
{
    enum { FLAGS = 5, FIXED = 6, TIMES = 0x20, PHASES = 0x10, ORDERED = 0x04, DEPTH = 8 };
    const uint8_t flags = data[at + FLAGS];
    const size_t width = (size_t)1 << (flags & 3);
    const size_t before = FIXED + (flags & TIMES ? 16u : 0u) + (flags & PHASES ? 4u : 0u);
    if (before + width > size - at) {
        return;
    }
    const uint64_t messages = number(data + at + before, width);
    if (messages <= size - at - before - width) {
        const size_t first = at + before + width;
        mend_continued(data, size, first, first + (size_t)messages, flags & ORDERED, DEPTH);
        mend_block(data, size, at, before + width + messages);
    }
}

static void mend_hdf5(uint8_t *data, size_t size)
{
    static const struct {
        char signature[5];
        size_t bytes; /* before the checksum */
    } headers[] = {{"BTHD", 34}, {"FRHP", 142}, {"EAHD", 68}, {"FAHD", 24}};
    enum { SUPERBLOCK = 44, LEAST = 8 };
    mend_block(data, size, 0, SUPERBLOCK);
    for (size_t at = SUPERBLOCK; size >= LEAST && at <= size - LEAST; at++) {
        if (memcmp(data + at, "OHDR", 4) == 0) {
            mend_object(data, size, at);
        }
        for (size_t i = 0; i < sizeof headers / sizeof headers[0]; i++) {
            if (memcmp(data + at, headers[i].signature, 4) == 0) {
                mend_block(data, size, at, headers[i].bytes);
            }
        }
    }
}

void rs_fuzz_mend(uint8_t *data, size_t size)
{
    if (size > 8 && memcmp(data, "RSCKPT\r\n", 8) == 0) {
        mend_checkpoint(data, size);
    } else if (size > 8 && memcmp(data, "\x89HDF\r\n\x1a\n", 8) == 0) {
        mend_hdf5(data, size);
    }
}
