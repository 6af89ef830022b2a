/* replay.c: a main in libFuzzer's place, for any compiler: every file named on the command line goes through the target once.
 * One called TARGET.good-... must be accepted: a corpus whose files are all refused at their first byte tests nothing. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "mend.h"

/* A copy of exactly its size, so that the sanitizers see a read beyond it. */
static uint8_t *load(const char *path, size_t *size)
{
    FILE *stream = fopen(path, "rb");
    long end = stream && fseek(stream, 0, SEEK_END) == 0 ? ftell(stream) : -1;
    uint8_t *bytes = end >= 0 ? malloc((size_t)end + (end == 0)) : NULL;
    *size = end >= 0 ? (size_t)end : 0;
    if (!bytes || fseek(stream, 0, SEEK_SET) != 0 || fread(bytes, 1, *size, stream) != *size) {
        (void)fprintf(stderr, "%s: cannot be read\n", path);
        exit(1);
    }
    (void)fclose(stream);
    return bytes;
}

static void fail(const char *path, const char *what)
{
    (void)fprintf(stderr, "%s: %s\n", path, what);
    exit(1);
}

/* The fuzzers would otherwise break what they mean to mend. */
static void check_mending(const char *path, const uint8_t *bytes, size_t size)
{
    uint8_t *copy = malloc(size + 1);
    if (!copy) {
        fail(path, "no memory");
    }
    memcpy(copy, bytes, size);
    rs_fuzz_mend(copy, size);
    if (memcmp(copy, bytes, size) != 0) {
        fail(path, "its checksums are right, and mend.c changes them");
    }
    free(copy);
}

int main(int argc, char **argv)
{
    rs_fuzz_thorough = true;
    for (int i = 1; i < argc; i++) {
        size_t size;
        uint8_t *bytes = load(argv[i], &size);
        (void)fprintf(stderr, "%s\n", argv[i]); /* the last one named is the one that fails */
        const int before = rs_fuzz_accepted();
        (void)LLVMFuzzerTestOneInput(bytes, size);
        if (strstr(argv[i], ".good-")) {
            if (rs_fuzz_accepted() == before) {
                (void)fprintf(stderr, "%s\n", rs_fuzz_refusal());
                fail(argv[i], "refused, though it is whole; make_corpus.py makes it anew");
            }
            check_mending(argv[i], bytes, size);
        }
        free(bytes);
    }
    (void)fprintf(stderr, "%d inputs\n", argc - 1);
    return argc > 1 ? 0 : 1;
}
