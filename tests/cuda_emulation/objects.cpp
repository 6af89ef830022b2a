/* objects.cpp: streams, events, graphs, handles and descriptors that are alive, and the report of what
 * leaked.
 *
 * The report comes when the process that made the objects exits, and ends it with status 86. */
#include <unistd.h>

#include <cstdio>
#include <map>

#include "standin.hpp"

#define RS_EMU_DEFINING
#include "standin.h"

namespace standin
{

std::vector<std::string> blocks_alive(); /* memory.cpp */

namespace
{

enum { LEAKED = 86, MOST_SHOWN = 20 };

struct Objects {
    std::map<const void *, const char *> alive;
    pid_t owner = 0; /* forked children are not asked about what their parent made */
};

Objects &objects()
{
    static Objects *made = new Objects;
    return *made;
}

std::vector<std::string> leaks()
{
    std::vector<std::string> found = blocks_alive();
    for (const auto &entry : objects().alive) {
        found.push_back(entry.second);
    }
    return found;
}

__attribute__((destructor)) void report()
{
    std::lock_guard<std::recursive_mutex> held(gate());
    write_stats();
    if (!settings().report_leaks || device_lost() || objects().owner != getpid()) {
        return;
    }
    std::vector<std::string> found = leaks();
    if (found.empty()) {
        return;
    }
    fflush(nullptr);
    say("%zu not released:", found.size());
    for (size_t i = 0; i < found.size() && i < MOST_SHOWN; i++) {
        say("  %s", found[i].c_str());
    }
    _exit(LEAKED);
}

} // namespace

void object_made(const void *object, const char *kind)
{
    objects().owner = getpid();
    objects().alive[object] = kind;
}

bool object_alive(const void *object, const char *kind)
{
    auto found = objects().alive.find(object);
    return found != objects().alive.end() && std::string(found->second) == kind;
}

void object_gone(const void *object)
{
    objects().alive.erase(object);
}

void note_owner()
{
    objects().owner = getpid();
}

} // namespace standin

extern "C" size_t rs_emu_alive(void)
{
    std::lock_guard<std::recursive_mutex> held(standin::gate());
    return standin::leaks().size();
}
