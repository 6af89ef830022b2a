/* cores.c: how many threads a process may use; see rs/host.h. */
#include <sched.h>
#include <stdlib.h>

#include "rs/host.h"

/* OMP_NUM_THREADS as a number; 0 where it is none. Of a list for nested regions ("4,2") the first. */
static int wanted_threads(void)
{
    const char *text = getenv("OMP_NUM_THREADS");
    char *end = NULL;
    long threads = text ? strtol(text, &end, 10) : 0;
    return text && end != text && (*end == '\0' || *end == ',') && threads > 0 && threads < 4096
               ? (int)threads
               : 0;
}

int rs_usable_cores(void)
{
    cpu_set_t set;
    int cores = sched_getaffinity(0, sizeof set, &set) == 0 && CPU_COUNT(&set) > 0 ? CPU_COUNT(&set) : 1;
    int wanted = wanted_threads();
    return wanted > 0 && wanted < cores ? wanted : cores;
}
