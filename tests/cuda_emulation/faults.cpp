/* faults.cpp: what every call goes through: the lock, the count, planned failures, machines that lack
 * something.
 *
 * RS_EMU_FAIL=N fails the Nth fallible call, NAME:N the Nth call of that name, and a "+" behind it every
 * later one too (a device that is lost). Calls that release something never fail so: nobody could do
 * anything about it. */
#include <cstdlib>
#include <map>

#include "standin.hpp"

#define RS_EMU_DEFINING
#include "standin.h"

namespace standin
{

namespace
{

struct Plan {
    std::string name; /* empty: any */
    uint64_t at = 0;  /* 0: none */
    bool stays = false, happened = false;
};

struct Calls {
    std::map<std::string, uint64_t> by_name;
    uint64_t fallible = 0;
    Plan plan;
    uint64_t seen = 0; /* that the plan counts */
};

Plan read_plan(const std::string &words)
{
    Plan plan;
    if (words.empty()) {
        return plan;
    }
    size_t colon = words.find(':');
    std::string digits = colon == std::string::npos ? words : words.substr(colon + 1);
    plan.name = colon == std::string::npos ? "" : words.substr(0, colon);
    plan.stays = !digits.empty() && digits.back() == '+';
    digits = digits.substr(0, digits.size() - (plan.stays ? 1 : 0));
    char *end = nullptr;
    plan.at = strtoull(digits.c_str(), &end, 10);
    if (plan.at == 0 || *end) {
        stop("RS_EMU_FAIL is '%s': N, N+, NAME:N or NAME:N+ is wanted", words.c_str());
    }
    return plan;
}

Calls &calls()
{
    static Calls *made = [] {
        Calls *fresh = new Calls;
        fresh->plan = read_plan(settings().fail);
        return fresh;
    }();
    return *made;
}

/* Counts a call and says whether the plan wants it to fail. */
bool count(const char *name, unsigned traits)
{
    Calls &all = calls();
    all.by_name[name]++;
    if (!(traits & fallible)) {
        return false;
    }
    all.fallible++;
    Plan &plan = all.plan;
    if (plan.at == 0 || (!plan.name.empty() && plan.name != name && !(plan.happened && plan.stays))) {
        return false;
    }
    all.seen++;
    bool fails = all.seen == plan.at || (plan.stays && all.seen > plan.at);
    if (fails && !plan.happened) {
        say("%s fails as planned", name);
    }
    if (fails && plan.stays && !plan.happened) {
        drop_everything();
    }
    plan.happened |= fails;
    return fails;
}

} // namespace

std::recursive_mutex &gate()
{
    static std::recursive_mutex *lock = new std::recursive_mutex;
    return *lock;
}

Call::Call(const char *its_name, unsigned its_traits)
    : name(its_name), refusal(Refusal::none), traits(its_traits), held(gate())
{
    watch_faults();
    if (running().in_host_function) {
        stop("%s: a host function on a stream must not call CUDA", name);
    }
    bool planned = count(name, traits);
    if (settings().no_driver && !(traits & deviceless)) {
        refusal = Refusal::no_driver;
    } else if (settings().no_device && !(traits & deviceless)) {
        refusal = Refusal::no_device;
    } else if (planned) {
        refusal = Refusal::planned;
    } else if ((traits & unsafe) && this_thread_captures()) {
        say("%s: not while this thread captures a stream; the capture is void", name);
        invalidate_captures_of_this_thread();
        refusal = Refusal::capturing;
    }
}

RuntimeCall::RuntimeCall(const char *its_name, unsigned its_traits)
    : Call(its_name, its_traits), refused(cudaSuccess)
{
    switch (refusal) {
    case Refusal::none:
        break;
    case Refusal::planned:
        refused = traits & allocates ? cudaErrorMemoryAllocation : cudaErrorLaunchFailure;
        break;
    case Refusal::no_driver:
        refused = cudaErrorInsufficientDriver;
        break;
    case Refusal::no_device:
        refused = cudaErrorNoDevice;
        break;
    case Refusal::capturing:
        refused = cudaErrorStreamCaptureUnsupported;
        break;
    }
}

cudaError_t RuntimeCall::done(cudaError_t status)
{
    if (status != cudaSuccess && !(traits & quiet)) {
        last_error() = status;
    }
    return status;
}

cudaError_t &last_error()
{
    thread_local cudaError_t last = cudaSuccess;
    return last;
}

bool device_lost()
{
    return calls().plan.stays && calls().plan.happened;
}

/* For write_stats. */
std::string calls_as_json()
{
    std::string line = text("{\"fallible_calls\": %llu, \"calls\": {", (unsigned long long)calls().fallible);
    const char *between = "";
    for (const auto &entry : calls().by_name) {
        line += text("%s\"%s\": %llu", between, entry.first.c_str(), (unsigned long long)entry.second);
        between = ", ";
    }
    return line + "}}";
}

} // namespace standin

extern "C" {

uint64_t rs_emu_calls(const char *name)
{
    std::lock_guard<std::recursive_mutex> held(standin::gate());
    const auto &names = standin::calls().by_name;
    auto found = names.find(name);
    return found == names.end() ? 0 : found->second;
}

uint64_t rs_emu_fallible_calls(void)
{
    std::lock_guard<std::recursive_mutex> held(standin::gate());
    return standin::calls().fallible;
}

void rs_emu_fail(const char *plan)
{
    std::lock_guard<std::recursive_mutex> held(standin::gate());
    standin::calls().plan = standin::read_plan(plan ? plan : "");
    standin::calls().seen = 0;
}
}
