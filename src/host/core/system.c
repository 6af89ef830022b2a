/* system.c: clock, file operations and the services handed to backends; see rs/host.h. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/statvfs.h>
#include <time.h>
#include <unistd.h>

#include "rs/host.h"

static double monotonic_seconds(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

static double (*current_clock)(void) = monotonic_seconds;

double rs_seconds(void)
{
    return current_clock();
}

void rs_set_clock(double (*replacement)(void))
{
    current_clock = replacement ? replacement : monotonic_seconds;
}

void rs_wait_briefly(char **argv)
{
    if (getenv("OMP_WAIT_POLICY") || getenv("GOMP_SPINCOUNT")) {
        return;
    }
    if (setenv("OMP_WAIT_POLICY", "passive", 1) == 0 && setenv("GOMP_SPINCOUNT", "20000", 1) == 0) {
        (void)execv("/proc/self/exe", argv);
    }
}

static int system_open(const char *path, int flags, mode_t mode)
{
    return open(path, flags | O_CLOEXEC, mode);
}

static int system_free_bytes(const char *directory, uint64_t *bytes)
{
    struct statvfs file_system;
    if (statvfs(directory, &file_system) != 0) {
        return -1;
    }
    *bytes = (uint64_t)file_system.f_bavail * file_system.f_frsize;
    return 0;
}

static int system_reserve(int file, off_t from, off_t bytes)
{
    return fallocate(file, FALLOC_FL_KEEP_SIZE, from, bytes);
}

static const rs_file_operations system_files = {
    .open = system_open,
    .write = write,
    .fsync = fsync,
    .rename = rename,
    .unlink = unlink,
    .free_bytes = system_free_bytes,
    .reserve = system_reserve,
};
static const rs_file_operations *current_files = &system_files;

const rs_file_operations *rs_files(void)
{
    return current_files;
}

void rs_set_files(const rs_file_operations *operations)
{
    current_files = operations ? operations : &system_files;
}

const rs_host_services *rs_services(void)
{
    static const rs_host_services services = {
        .size = sizeof(rs_host_services),
        .log = rs_log,
        .allocate = rs_alloc,
        .release = rs_free,
    };
    return &services;
}
