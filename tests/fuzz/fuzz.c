/* fuzz.c: see fuzz.h. */
#include "fuzz.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "rs/host.h"

enum { PATH = 64 };
static int files[RS_FUZZ_SLOTS] = {-1, -1, -1, -1};
static char paths[RS_FUZZ_SLOTS][PATH];

static const char *fill(int slot, const void *bytes, size_t count)
{
    RS_ASSERT(files[slot] >= 0 && ftruncate(files[slot], 0) == 0);
    for (size_t done = 0; done < count;) {
        ssize_t written = pwrite(files[slot], (const char *)bytes + done, count - done, (off_t)done);
        RS_ASSERT(written > 0);
        done += (size_t)written;
    }
    return paths[slot];
}

const char *rs_fuzz_file(int slot, const void *bytes, size_t count)
{
    if (files[slot] < 0) {
        files[slot] = memfd_create("input", MFD_CLOEXEC);
        (void)snprintf(paths[slot], sizeof paths[slot], "/proc/self/fd/%d", files[slot]);
    }
    return fill(slot, bytes, count);
}

static void remove_named(void)
{
    for (int slot = 0; slot < RS_FUZZ_SLOTS; slot++) {
        (void)unlink(paths[slot]);
    }
}

const char *rs_fuzz_folder(void)
{
    return access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp";
}

const char *rs_fuzz_named_file(int slot, const void *bytes, size_t count)
{
    if (files[slot] < 0) {
        (void)snprintf(paths[slot], sizeof paths[slot], "%s/resnet_study_fuzz.XXXXXX", rs_fuzz_folder());
        files[slot] = mkostemp(paths[slot], O_CLOEXEC);
        RS_ASSERT(atexit(remove_named) == 0);
    }
    return fill(slot, bytes, count);
}

const char *rs_fuzz_name(const char *path)
{
    return strrchr(path, '/') + 1;
}

uint8_t *rs_fuzz_contents(int slot, size_t *count)
{
    struct stat about;
    RS_ASSERT(fstat(files[slot], &about) == 0);
    *count = (size_t)about.st_size;
    uint8_t *bytes = malloc(*count + 1);
    RS_ASSERT(bytes && pread(files[slot], bytes, *count, 0) == (ssize_t)*count);
    return bytes;
}

FILE *rs_fuzz_nowhere(void)
{
    static FILE *stream;
    if (!stream) {
        stream = fopen("/dev/null", "we");
        RS_ASSERT(stream);
    }
    return stream;
}

bool rs_fuzz_thorough;
static char refusal[sizeof((rs_error *)NULL)->text];

const char *rs_fuzz_refusal(void)
{
    return refusal;
}

void rs_fuzz_settle(rs_status status, const rs_error *error)
{
    if (status == RS_OK) {
        return;
    }
    RS_ASSERT(status == error->status && error->text[0] != '\0');
    RS_ASSERT(memchr(error->text, '\0', sizeof error->text));
    memcpy(refusal, error->text, sizeof refusal);
    if (status == RS_MEMORY) {
        (void)fprintf(stderr, "ran out of memory: %s (%s:%d)\n", error->text, error->file, error->line);
    }
    RS_ASSERT(status != RS_MEMORY);
}

static int accepted;

void rs_fuzz_accept(void)
{
    accepted++;
}

int rs_fuzz_accepted(void)
{
    return accepted;
}

void rs_fuzz_touch(const void *bytes, size_t count)
{
    const volatile unsigned char *at = bytes;
    for (size_t i = 0; i < count; i++) {
        (void)at[i];
    }
}
