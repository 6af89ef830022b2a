/* warps.cpp: where threads of a block meet: barriers of the block, exchanges of the lanes of a warp.
 *
 * All threads of a barrier, and all lanes of an exchange, must be at the same place of the source. A lane
 * must be in the mask it names, and the mask may name no lane that has ended or that the block does not
 * have. */
#include <algorithm>
#include <cstring>

#include "fibres.hpp"

namespace standin
{

namespace
{

enum { LANES = 32 };
const uint64_t NOTHING = ~(uint64_t)0; /* a NaN, of any type */

struct Exchange {
    rs_emu_exchange_kind kind;
    uint32_t mask, arrived = 0;
    rs_emu_site site;
    uint64_t value[LANES];
    int argument[LANES], width[LANES];
};

struct Meetings {
    std::vector<std::vector<Exchange>> of_warp; /* that have begun and are not complete */
    rs_emu_site barrier{};
};

Meetings &meetings()
{
    static Meetings *made = new Meetings;
    return *made;
}

bool same_place(rs_emu_site a, rs_emu_site b)
{
    return a.line == b.line && strcmp(a.file, b.file) == 0;
}

const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

/* Lanes of a warp that the block has and that have not ended. */
uint32_t alive_lanes(size_t warp)
{
    const Threads &all = threads();
    uint32_t alive = 0;
    for (size_t lane = 0; lane < LANES && warp * LANES + lane < all.state.size(); lane++) {
        alive |= all.state[warp * LANES + lane] == State::over ? 0 : 1u << lane;
    }
    return alive;
}

/* What a shuffle reads for a lane: its source, itself where there is none in its part of the warp. */
int source_of(const Exchange &e, int lane)
{
    int width = e.width[lane], first = lane / width * width, argument = e.argument[lane];
    int source = e.kind == RS_EMU_SHUFFLE        ? first + (argument & (width - 1))
                 : e.kind == RS_EMU_SHUFFLE_UP   ? lane - argument
                 : e.kind == RS_EMU_SHUFFLE_DOWN ? lane + argument
                                                 : lane ^ argument;
    return source < first || source >= first + width ? lane : source;
}

uint64_t result_of(const Exchange &e, int lane)
{
    if (e.kind == RS_EMU_SYNCWARP) {
        return 0;
    }
    if (e.kind == RS_EMU_BALLOT) {
        uint64_t votes = 0;
        for (int other = 0; other < LANES; other++) {
            votes |= e.mask >> other & 1 && e.value[other] ? (uint64_t)1 << other : 0;
        }
        return votes;
    }
    int source = source_of(e, lane);
    return e.mask >> source & 1 ? e.value[source] : NOTHING;
}

/* Everybody has come: hands out the results. A __syncwarp also orders what its lanes did before and after. */
void complete(const Exchange &e, size_t warp)
{
    Threads &all = threads();
    uint32_t latest = 0;
    for (size_t lane = 0; lane < LANES; lane++) {
        size_t thread = warp * LANES + lane;
        if (e.mask >> lane & 1) {
            all.result[thread] = result_of(e, (int)lane);
            all.state[thread] = State::ready;
            all.in_exchange--;
            latest = std::max(latest, all.meetings[thread]);
        }
    }
    for (size_t lane = 0; lane < LANES && e.kind == RS_EMU_SYNCWARP; lane++) {
        if (e.mask >> lane & 1) {
            all.meetings[warp * LANES + lane] = latest + 1;
        }
    }
}

/* The exchange with that mask that waits for lanes, or a new one. */
Exchange &exchange_for(size_t warp, rs_emu_exchange_kind kind, uint32_t mask, rs_emu_site site)
{
    auto &waiting = meetings().of_warp[warp];
    for (Exchange &e : waiting) {
        if (e.mask == mask) {
            if (e.kind != kind || !same_place(e.site, site)) {
                stop("lanes of a warp are at two exchanges with the mask %08x: %s:%d and %s:%d", mask,
                     base_name(e.site.file), e.site.line, base_name(site.file), site.line);
            }
            return e;
        }
    }
    Exchange fresh{};
    fresh.kind = kind;
    fresh.mask = mask;
    fresh.site = site;
    waiting.push_back(fresh);
    return waiting.back();
}

} // namespace

Threads &threads()
{
    static Threads *made = new Threads;
    return *made;
}

void Threads::begin(size_t count)
{
    state.assign(count, State::fresh);
    meetings.assign(count, 0);
    result.assign(count, 0);
    at_barrier = in_exchange = over = 0;
    standin::meetings().of_warp.assign((count + LANES - 1) / LANES, {});
}

void thread_ended(int thread)
{
    for (const Exchange &e : meetings().of_warp[(size_t)thread / LANES]) {
        if (e.mask >> thread % LANES & 1) {
            stop("a thread ended that an exchange of its warp waits for (%s:%d, mask %08x)",
                 base_name(e.site.file), e.site.line, e.mask);
        }
    }
}

} // namespace standin

using namespace standin;

extern "C" void rs_emu_barrier(rs_emu_site site)
{
    Threads &all = threads();
    if (all.over > 0) {
        stop("__syncthreads (%s:%d) after %zu threads of the block have ended", base_name(site.file),
             site.line, all.over);
    }
    if (all.at_barrier == 0) {
        meetings().barrier = site;
    } else if (!same_place(meetings().barrier, site)) {
        stop("threads of a block are at two barriers: %s:%d and %s:%d", base_name(meetings().barrier.file),
             meetings().barrier.line, base_name(site.file), site.line);
    }
    all.state[(size_t)all.current] = State::at_barrier;
    if (++all.at_barrier == all.state.size()) {
        all.at_barrier = 0;
        all.state.assign(all.state.size(), State::ready);
        thread_clock.phase++;
    }
    pause_thread();
}

extern "C" uint64_t rs_emu_exchange(rs_emu_exchange_kind kind, uint32_t mask, uint64_t value, int argument,
                                    int width, rs_emu_site site)
{
    Threads &all = threads();
    size_t thread = (size_t)all.current, warp = thread / LANES, lane = thread % LANES;
    if (!(mask >> lane & 1)) {
        stop("lane %zu is not in the mask %08x that it names (%s:%d)", lane, mask, base_name(site.file),
             site.line);
    }
    if (mask & ~alive_lanes(warp)) {
        stop("the mask %08x names lanes %08x that have ended or that the block does not have (%s:%d)", mask,
             mask & ~alive_lanes(warp), base_name(site.file), site.line);
    }
    if (width < 1 || width > LANES || (width & (width - 1))) {
        stop("a shuffle of width %d (%s:%d)", width, base_name(site.file), site.line);
    }
    Exchange &e = exchange_for(warp, kind, mask, site);
    e.value[lane] = value;
    e.argument[lane] = argument;
    e.width[lane] = width;
    e.arrived |= 1u << lane;
    all.state[thread] = State::in_exchange;
    all.in_exchange++;
    if (e.arrived == mask) {
        complete(e, warp);
        auto &waiting = meetings().of_warp[warp];
        waiting.erase(waiting.begin() + (&e - waiting.data()));
    }
    pause_thread();
    return all.result[thread];
}
