/* races.hpp: who touched a word last, and whether a thread that touches it now is ordered after that.
 *
 * Phases number blocks and their barriers: a touch is over for a later phase of the same block, and for another
 * launch. Within a phase __syncwarp orders the lanes of a warp. Between blocks of a launch there is no order. */
#ifndef RS_EMU_RACES_HPP
#define RS_EMU_RACES_HPP

#include <algorithm>

#include "standin.hpp"

namespace standin
{

/* A touch by one thread or by several: the latest, which a later thread must be ordered after. */
struct Touch {
    enum : int16_t { SEVERAL = -1 };
    uint64_t phase = 0;
    int16_t thread = 0, warp = 0;
    uint32_t meetings = 0;

    bool in_this_block() const
    {
        return phase >= thread_clock.first_of_block;
    }

    /* Over for the thread that runs; `since`: phases before that are long over. */
    bool is_before(uint64_t since) const
    {
        const Clock &clock = thread_clock;
        bool same_warp = warp == clock.warp && meetings < clock.meetings;
        return phase < since || (in_this_block() && (phase < clock.phase || same_warp));
    }

    bool is_own() const
    {
        return in_this_block() && thread == thread_clock.thread;
    }

    bool races(uint64_t since) const
    {
        return !is_before(since) && !is_own();
    }

    void set()
    {
        phase = thread_clock.phase;
        thread = thread_clock.thread;
        warp = thread_clock.warp;
        meetings = thread_clock.meetings;
    }

    /* One more: of those that are not over the phase stays, so that a writer meets them all. */
    void add(uint64_t since)
    {
        if (is_before(since) || is_own()) {
            set();
            return;
        }
        thread = SEVERAL;
        if (warp != thread_clock.warp || !in_this_block()) {
            warp = SEVERAL; /* only a barrier orders them */
        }
        meetings = std::max(meetings, thread_clock.meetings);
    }

    std::string who() const
    {
        return thread == SEVERAL  ? "several threads"
               : in_this_block() ? text("thread %d of the block", thread)
                                 : text("thread %d of another block", thread);
    }
};

struct Cell {
    Touch write, read;
};

/* Stops at a race; `place` says where, as in "shared memory, byte 8". */
template <typename Place> void touch_cell(Cell &cell, bool write, uint64_t since, Place place)
{
    const Touch *other = cell.write.races(since) ? &cell.write : write && cell.read.races(since) ? &cell.read : nullptr;
    if (other) {
        stop("a race in %s: a thread %s what %s touched, and no barrier is between them", place().c_str(),
             write ? "writes" : "reads", other->who().c_str());
    }
    if (write) {
        cell.write.set();
    } else {
        cell.read.add(since);
    }
}

} // namespace standin

#endif
