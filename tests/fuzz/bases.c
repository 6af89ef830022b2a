/* bases.c: see bases.h. */
#include "bases.h"

#include <stdlib.h>

#include "edits.h"
#include "fuzz.h"
#include "rs/host.h"

enum { BASES = 2 };

typedef struct base {
    uint8_t *bytes;
    size_t size;
} base;

static base bases[BASES];

static base load(const char *path)
{
    base read = {.size = 0};
    FILE *stream = fopen(path, "rb");
    RS_ASSERT(stream && fseek(stream, 0, SEEK_END) == 0);
    read.size = (size_t)ftell(stream);
    read.bytes = malloc(read.size);
    rewind(stream);
    RS_ASSERT(read.bytes && fread(read.bytes, 1, read.size, stream) == read.size);
    (void)fclose(stream);
    return read;
}

static void load_once(void)
{
    if (!bases[0].bytes) {
        rs_log_set_level(RS_LOG_ERROR);
        bases[0] = load(RS_FUZZ_CORPUS "/record.good-whole");
        bases[1] = load(RS_FUZZ_CORPUS "/record.good-pca");
        for (int i = 0; i < BASES; i++) {
            rs_fuzz_note(rs_fuzz_named_file(0, bases[i].bytes, bases[i].size));
        }
    }
}

const char *rs_fuzz_edited(const uint8_t *data, size_t size)
{
    load_once();
    const base *begun = &bases[data[0] % 8 == 7];
    const char *path = rs_fuzz_named_file(0, begun->bytes, begun->size);
    rs_fuzz_edit(path, data + 1, size - 1);
    return path;
}

const char *rs_fuzz_unedited(void)
{
    load_once();
    return rs_fuzz_named_file(1, bases[0].bytes, bases[0].size);
}
