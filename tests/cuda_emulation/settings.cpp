/* settings.cpp: the environment variables RS_EMU_..., read once, and the numbers that a seed gives. */
#include <cstdlib>
#include <cstring>
#include <unistd.h>

#include "standin.hpp"

namespace standin
{

namespace
{

const char *variable(const char *name)
{
    const char *value = getenv(name);
    return value ? value : "";
}

bool is_on(const char *name, bool otherwise)
{
    const char *value = variable(name);
    if (*value && strcmp(value, "0") != 0 && strcmp(value, "1") != 0) {
        stop("%s is '%s': 0 or 1 is wanted", name, value);
    }
    return *value ? *value == '1' : otherwise;
}

/* A misspelt one would test something else than is thought. */
void refuse_unknown()
{
    static const char *const names[] = {"ORDER",         "SEED",       "RACES",   "FAIL",   "NO_DRIVER",
                                        "DRIVER",        "NO_DEVICE",  "DEVICES", "MEMORY", "LOADS",
                                        "CUDNN_VERSION", "CUDNN_CUDA", "STATS",   "LEAKS"};
    static const char prefix[] = "RS_EMU_";
    for (char **entry = environ; *entry; entry++) {
        const char *name = *entry + sizeof prefix - 1;
        bool ours = strncmp(*entry, prefix, sizeof prefix - 1) == 0, known = false;
        size_t length = ours ? strcspn(name, "=") : 0;
        for (const char *other : names) {
            known = known || (ours && strlen(other) == length && strncmp(name, other, length) == 0);
        }
        if (ours && !known) {
            stop("%.*s is no variable of the stand-in; tests/cuda_emulation/README.md names them",
                 (int)(length + sizeof prefix - 1), *entry);
        }
    }
}

uint64_t number(const char *name, uint64_t otherwise, const char *wanted = "a whole number")
{
    const char *value = variable(name);
    if (!*value) {
        return otherwise;
    }
    char *end = nullptr;
    uint64_t got = strtoull(value, &end, 10);
    if (*end) {
        stop("%s is '%s': %s is wanted", name, value, wanted);
    }
    return got;
}

Settings read_settings()
{
    Settings made;
    refuse_unknown();
    const char *order = variable("RS_EMU_ORDER");
    made.fail = variable("RS_EMU_FAIL");
    made.driver_version = is_on("RS_EMU_NO_DRIVER", false) ? 0 : (int)number("RS_EMU_DRIVER", CUDART_VERSION);
    made.no_driver = made.driver_version / 1000 < CUDART_VERSION / 1000;
    made.no_device = is_on("RS_EMU_NO_DEVICE", false);
    made.devices = (int)number("RS_EMU_DEVICES", 1);
    made.memory = number("RS_EMU_MEMORY", (uint64_t)8 << 30);
    made.loads = number("RS_EMU_LOADS", 0);
    made.cudnn_version = number("RS_EMU_CUDNN_VERSION", 0);
    made.cudnn_cuda = number("RS_EMU_CUDNN_CUDA", 0);
    made.seed = number("RS_EMU_SEED", 0);
    made.races = is_on("RS_EMU_RACES", false);
    made.report_leaks = is_on("RS_EMU_LEAKS", true);
    made.stats = variable("RS_EMU_STATS");
    made.order = !*order || strcmp(order, "default") == 0 ? Order::forward
                 : strcmp(order, "reverse") == 0          ? Order::reverse
                                                          : Order::seeded;
    made.order_seed =
        made.order == Order::seeded ? number("RS_EMU_ORDER", 0, "default, reverse or a whole number") : 0;
    return made;
}

} // namespace

const Settings &settings()
{
    static const Settings *made = new Settings(read_settings());
    return *made;
}

/* splitmix64. */
uint64_t Random::below(uint64_t limit)
{
    state += 0x9e3779b97f4a7c15u;
    uint64_t z = state;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return (z ^ (z >> 31)) % limit;
}

} // namespace standin
