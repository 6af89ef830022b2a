/* traffic.cpp: how many bytes of device memory a kernel moves, by the rule of standin.h, and the
 * statistics at exit. */
#include <cstdio>
#include <map>

#include "standin.hpp"

#define RS_EMU_DEFINING
#include "standin.h"

namespace standin
{

std::string calls_as_json(); /* faults.cpp */

enum : size_t { SECTOR = 32, HOT = 8 };

/* Bytes asked for in each sector of a block, in the launch that runs. */
struct Traffic {
    std::vector<uint32_t> read, written;
    std::vector<uint32_t> touched; /* sectors that are not zero in either */
};

namespace
{

struct Tally {
    bool wanted = !settings().stats.empty();
    std::map<std::string, rs_emu_traffic> of_kernel;
    rs_emu_traffic *now = nullptr;
    std::vector<Block *> blocks; /* that the launch touched */
};

Tally &tally()
{
    static Tally *made = new Tally;
    return *made;
}

Traffic &traffic_of(Block &block)
{
    if (!block.traffic) {
        size_t sectors =
            (block.end - block.begin + SECTOR - 1) / SECTOR; /* blocks begin at multiples of 256 */
        block.traffic = std::make_shared<Traffic>();
        block.traffic->read.assign(sectors, 0);
        block.traffic->written.assign(sectors, 0);
    }
    return *block.traffic;
}

/* Adds one sector, one way, to the totals. */
void add_sector(uint32_t asked, uint64_t *moved, uint64_t *distinct, uint64_t *asked_all, uint64_t *hot)
{
    if (asked == 0) {
        return;
    }
    size_t times = (asked + SECTOR - 1) / SECTOR;
    bool is_hot = times > HOT;
    *moved += SECTOR * (is_hot ? 1 : times);
    *distinct += SECTOR;
    *asked_all += asked;
    *hot += SECTOR * (is_hot ? 1 : 0);
}

} // namespace

bool traffic_wanted()
{
    return tally().wanted;
}

void traffic_begin(const char *kernel)
{
    tally().now = &tally().of_kernel[kernel];
    tally().now->launches++;
}

void traffic_count(Block &block, uintptr_t address, size_t bytes, bool write)
{
    Traffic &traffic = traffic_of(block);
    size_t at = address - block.begin, end = at + bytes;
    if (traffic.touched.empty()) {
        tally().blocks.push_back(&block);
    }
    while (at < end) {
        size_t sector = at / SECTOR, next = (sector + 1) * SECTOR;
        size_t part = (next < end ? next : end) - at;
        if (traffic.read[sector] + traffic.written[sector] == 0) {
            traffic.touched.push_back((uint32_t)sector);
        }
        (write ? traffic.written : traffic.read)[sector] += (uint32_t)part;
        at += part;
    }
}

void traffic_end()
{
    rs_emu_traffic &now = *tally().now;
    for (Block *block : tally().blocks) {
        Traffic &traffic = *block->traffic;
        for (uint32_t sector : traffic.touched) {
            add_sector(traffic.read[sector], &now.read, &now.read_distinct, &now.read_asked, &now.hot);
            add_sector(traffic.written[sector], &now.written, &now.written_distinct, &now.written_asked,
                       &now.hot);
            traffic.read[sector] = traffic.written[sector] = 0;
        }
        traffic.touched.clear();
    }
    tally().blocks.clear();
}

void write_stats()
{
    const std::string &path = settings().stats;
    FILE *file = path.empty() || rs_emu_fallible_calls() == 0 ? nullptr : fopen(path.c_str(), "a");
    if (!file) {
        return;
    }
    fprintf(file, "%s\n", calls_as_json().c_str());
    for (const auto &entry : tally().of_kernel) {
        const rs_emu_traffic &t = entry.second;
        fprintf(file,
                "{\"kernel\": \"%s\", \"launches\": %llu, \"read\": %llu, \"written\": %llu, "
                "\"read_distinct\": %llu, "
                "\"written_distinct\": %llu, \"read_asked\": %llu, \"written_asked\": %llu, \"hot\": %llu}\n",
                entry.first.c_str(), (unsigned long long)t.launches, (unsigned long long)t.read,
                (unsigned long long)t.written, (unsigned long long)t.read_distinct,
                (unsigned long long)t.written_distinct, (unsigned long long)t.read_asked,
                (unsigned long long)t.written_asked, (unsigned long long)t.hot);
    }
    fclose(file);
}

} // namespace standin

extern "C" {

void rs_emu_traffic_reset(void)
{
    std::lock_guard<std::recursive_mutex> held(standin::gate());
    standin::tally().wanted = true;
    standin::tally().of_kernel.clear();
}

int rs_emu_traffic_of(const char *kernel, rs_emu_traffic *traffic)
{
    std::lock_guard<std::recursive_mutex> held(standin::gate());
    auto found = standin::tally().of_kernel.find(kernel);
    if (found == standin::tally().of_kernel.end()) {
        return 0;
    }
    *traffic = found->second;
    return 1;
}
}
