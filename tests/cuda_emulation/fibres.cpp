/* fibres.cpp: runs a kernel, block after block, each thread of a block on a stack of its own.
 *
 * A thread runs until it meets a barrier or an exchange of its warp (warps.cpp), or ends; then the next
 * one runs. As long as threads only end, they all run on one stack, one after another. RS_EMU_ORDER says
 * in which order blocks and threads come: as numbered, backwards, or by lot and anew after each barrier. A
 * block in which nobody can go on is reported. */
#include <setjmp.h>
#include <sys/mman.h>
#include <ucontext.h>

#include <algorithm>
#include <cstring>
#include <numeric>

#include "fibres.hpp"

namespace standin
{

namespace
{

enum : size_t { STACK = (size_t)64 << 10, GUARD = (size_t)4 << 10, MOST_THREADS = 1024 };

struct Fibre {
    ucontext_t first;
    jmp_buf here;
    bool started = false;
};

struct Machine {
    char *stacks = nullptr;
    std::vector<Fibre> fibres;
    std::vector<int> idle;     /* fibres that no thread holds */
    std::vector<int> fibre_of; /* thread -> fibre, or -1 */
    jmp_buf scheduler;
    int fibre = -1; /* that runs now */
    const rs_emu_kernel *kernel = nullptr;
    const void *bound = nullptr;
    std::vector<int> order; /* threads, of this pass */
    size_t at = 0;
    Random random{settings().order_seed};
};

Machine &machine()
{
    static Machine *made = [] {
        Machine *fresh = new Machine;
        void *memory = mmap(nullptr, (STACK + GUARD) * MOST_THREADS, PROT_NONE,
                            MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
        if (memory == MAP_FAILED) {
            stop("no memory for stacks");
        }
        fresh->stacks = static_cast<char *>(memory);
        fresh->fibres.resize(MOST_THREADS);
        for (size_t i = 0; i < MOST_THREADS; i++) {
            if (mprotect(fresh->stacks + i * (STACK + GUARD) + GUARD, STACK, PROT_READ | PROT_WRITE)) {
                stop("no memory for stacks");
            }
            fresh->idle.push_back((int)(MOST_THREADS - 1 - i));
        }
        return fresh;
    }();
    return *made;
}

/* Numbers 0 .. count - 1 in the order that was asked for. */
void fill_order(std::vector<int> &order, size_t count)
{
    order.resize(count);
    std::iota(order.begin(), order.end(), 0);
    if (settings().order == Order::reverse) {
        std::reverse(order.begin(), order.end());
    } else if (settings().order == Order::seeded) {
        for (size_t i = count; i > 1; i--) {
            std::swap(order[i - 1], order[machine().random.below(i)]);
        }
    }
}

void enter(int thread)
{
    Threads &all = threads();
    unsigned t = (unsigned)thread;
    all.current = thread;
    thread_clock.thread = (int16_t)thread;
    thread_clock.warp = (int16_t)(thread / 32);
    thread_clock.meetings = all.meetings[t];
    what_runs.thread = {t % what_runs.block_size.x, t / what_runs.block_size.x % what_runs.block_size.y,
                        t / what_runs.block_size.x / what_runs.block_size.y};
}

/* A thread that has not begun and is next in this pass, or -1. */
int next_fresh()
{
    Machine &m = machine();
    bool fresh = m.at < m.order.size() && threads().state[(size_t)m.order[m.at]] == State::fresh;
    return fresh ? m.order[m.at++] : -1;
}

[[noreturn]] void to_scheduler()
{
    _longjmp(machine().scheduler, 1);
}

void run_thread(int thread)
{
    Machine &m = machine();
    m.fibre_of[(size_t)thread] = m.fibre;
    enter(thread);
    m.kernel->call(m.bound);
    threads().state[(size_t)thread] = State::over;
    threads().over++;
    m.fibre_of[(size_t)thread] = -1;
    thread_ended(thread);
}

/* What a fibre does for good: the threads that nobody has begun, then waits to be given more. */
void fibre_main()
{
    for (;;) {
        for (int thread = next_fresh(); thread >= 0; thread = next_fresh()) {
            run_thread(thread);
        }
        Machine &m = machine();
        Fibre &own = m.fibres[(size_t)m.fibre];
        m.idle.push_back(m.fibre);
        if (_setjmp(own.here) == 0) {
            to_scheduler();
        }
    }
}

void begin_fibre(size_t index)
{
    Machine &m = machine();
    Fibre &fibre = m.fibres[index];
    fibre.started = true;
    if (getcontext(&fibre.first)) {
        stop("getcontext fails");
    }
    fibre.first.uc_stack.ss_sp = m.stacks + index * (STACK + GUARD) + GUARD;
    fibre.first.uc_stack.ss_size = STACK;
    fibre.first.uc_link = nullptr;
    makecontext(&fibre.first, fibre_main, 0);
    setcontext(&fibre.first);
    stop("setcontext fails");
}

void switch_to(int index)
{
    Machine &m = machine();
    m.fibre = index;
    if (_setjmp(m.scheduler) == 0) {
        if (m.fibres[(size_t)index].started) {
            _longjmp(m.fibres[(size_t)index].here, 1);
        }
        begin_fibre((size_t)index);
    }
}

/* Lets every thread run that can; false when none could. */
bool run_pass(size_t count)
{
    Machine &m = machine();
    Threads &all = threads();
    bool ran = false;
    fill_order(m.order, count);
    for (m.at = 0; m.at < count;) {
        int thread = m.order[m.at];
        State state = all.state[(size_t)thread];
        if (state == State::fresh) {
            int idle = m.idle.back();
            m.idle.pop_back();
            switch_to(idle);
            ran = true;
            continue;
        }
        m.at++;
        if (state == State::ready) {
            ran = true;
            all.state[(size_t)thread] = State::running;
            enter(thread);
            switch_to(m.fibre_of[(size_t)thread]);
        }
    }
    return ran;
}

void run_block(size_t count)
{
    Threads &all = threads();
    all.begin(count);
    machine().fibre_of.assign(count, -1);
    shared_new_block();
    while (all.over < count) {
        if (!run_pass(count)) {
            running().in_kernel = false;
            stop("block (%u, %u, %u) can never go on: %zu threads at a barrier, %zu in an exchange of their "
                 "warp, %zu ended, of %zu",
                 running().block.x, running().block.y, running().block.z, all.at_barrier, all.in_exchange,
                 all.over, count);
        }
    }
}

rs_emu_index index_of(dim3 size)
{
    return {size.x, size.y, size.z};
}

} // namespace

Clock thread_clock;

Range fibre_stacks()
{
    return {machine().stacks, (STACK + GUARD) * MOST_THREADS};
}

/* Called by a thread whose state says why; returns when it may go on. */
void pause_thread()
{
    Machine &m = machine();
    if (_setjmp(m.fibres[(size_t)m.fibre].here) == 0) {
        to_scheduler();
    }
}

void run_kernel(const rs_emu_kernel &kernel, const void *bound, dim3 grid, dim3 block)
{
    Machine &m = machine();
    std::vector<int> blocks;
    size_t block_count = (size_t)grid.x * grid.y * grid.z;
    m.kernel = &kernel;
    m.bound = bound;
    what_runs.in_kernel = true;
    what_runs.grid = index_of(grid);
    what_runs.block_size = index_of(block);
    fill_order(blocks, block_count);
    thread_clock.first_of_launch = thread_clock.phase + 1;
    checker_begin(kernel, bound);
    for (int b : blocks) {
        unsigned i = (unsigned)b;
        what_runs.block = {i % grid.x, i / grid.x % grid.y, i / grid.x / grid.y};
        run_block((size_t)block.x * block.y * block.z);
    }
    checker_end();
    what_runs.in_kernel = false;
}

} // namespace standin

using namespace standin;

extern "C" rs_emu_index rs_emu_thread_index(void)
{
    return running().thread;
}

extern "C" rs_emu_index rs_emu_block_index(void)
{
    return running().block;
}

extern "C" rs_emu_index rs_emu_block_size(void)
{
    return running().block_size;
}

extern "C" rs_emu_index rs_emu_grid_size(void)
{
    return running().grid;
}
