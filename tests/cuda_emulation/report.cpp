/* report.cpp: messages. What breaks a rule of the device ends the program, with the kernel, block and
 * thread. */
#include <cstdarg>
#include <cstdio>
#include <cstdlib>

#include "standin.hpp"

namespace standin
{

namespace
{

std::string where()
{
    std::string place;
    if (what_runs.work) {
        place += text(" [while %s ran", what_runs.work);
        if (what_runs.in_kernel) {
            place += text(": block (%u, %u, %u) of (%u, %u, %u), thread (%u, %u, %u) of (%u, %u, %u)",
                          what_runs.block.x, what_runs.block.y, what_runs.block.z, what_runs.grid.x,
                          what_runs.grid.y, what_runs.grid.z, what_runs.thread.x, what_runs.thread.y,
                          what_runs.thread.z, what_runs.block_size.x, what_runs.block_size.y,
                          what_runs.block_size.z);
        }
        place += "]";
    }
    return place;
}

std::string format_list(const char *format, va_list arguments)
{
    char line[2048];
    vsnprintf(line, sizeof line, format, arguments);
    return line;
}

} // namespace

Running what_runs;

std::string text(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    std::string line = format_list(format, arguments);
    va_end(arguments);
    return line;
}

void say(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    std::string line = format_list(format, arguments);
    va_end(arguments);
    fprintf(stderr, "cuda stand-in: %s\n", line.c_str());
}

void stop(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    std::string line = format_list(format, arguments);
    va_end(arguments);
    fprintf(stderr, "cuda stand-in: %s%s\n", line.c_str(), where().c_str());
    fflush(stderr);
    abort();
}

} // namespace standin
