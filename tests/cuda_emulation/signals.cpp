/* signals.cpp: before the program dies of a bad address, says whose address it was: the host's code on a
 * device pointer, a kernel past its buffer, freed memory. */
#include <signal.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>

#include "standin.hpp"

namespace standin
{

namespace
{

enum : size_t { SIGNAL_STACK = (size_t)1 << 16 };

void on_bad_address(int number, siginfo_t *info, void *)
{
    const Block *block = block_at(info->si_addr);
    if (what_runs.work && what_runs.runner == gettid()) {
        stop("bad address in work of the device: %s", describe(info->si_addr).c_str());
    }
    if (block) {
        stop("host code touches %s", describe(info->si_addr).c_str());
    }
    signal(number, SIG_DFL); /* not ours: it faults again, as without the stand-in */
}

/* A stack of its own: the fault may be that a fibre's is full. */
void give_signal_stack()
{
    thread_local bool given = false;
    if (given) {
        return;
    }
    given = true;
    stack_t stack = {};
    stack.ss_sp = mmap(nullptr, SIGNAL_STACK, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    stack.ss_size = SIGNAL_STACK;
    if (stack.ss_sp != MAP_FAILED) {
        (void)sigaltstack(&stack, nullptr);
    }
}

} // namespace

void watch_faults()
{
    static const bool watching = [] {
        struct sigaction action = {};
        action.sa_sigaction = on_bad_address;
        action.sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER;
        return sigaction(SIGSEGV, &action, nullptr) == 0 && sigaction(SIGBUS, &action, nullptr) == 0;
    }();
    (void)watching;
    give_signal_stack();
}

} // namespace standin
