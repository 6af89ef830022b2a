/* fibres.hpp: the threads of the block that runs, as fibres.cpp and warps.cpp share them. */
#ifndef RS_EMU_FIBRES_HPP
#define RS_EMU_FIBRES_HPP

#include "standin.hpp"

namespace standin
{

enum class State : uint8_t { fresh, running, ready, at_barrier, in_exchange, over };

struct Threads {
    std::vector<State> state;
    std::vector<uint32_t> meetings; /* __syncwarps, for races */
    std::vector<uint64_t> result;   /* of the exchange a thread waited for */
    size_t at_barrier = 0, in_exchange = 0, over = 0;
    int current = 0;
    void begin(size_t count);
};
Threads &threads();

void pause_thread();
/* Checks that nobody waits for a thread that has ended. */
void thread_ended(int thread);

} // namespace standin

#endif
