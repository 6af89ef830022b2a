/* init_from.c: see init_from.h. A run's file is known by the hash in its name, wherever it lies. Another HDF5 file is known
 * by its path; any other file (safetensors) by its name and a digest of its bytes. */
#include "init_from.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "rs/random.h"

static const char *name_of(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

bool rs__init_from_is_run(const char *path)
{
    static const char form[] = "-xxxxxxxx.h5";
    const char *name = name_of(path);
    const size_t length = strlen(name), tail = sizeof form - 1;
    if (length <= tail) {
        return false;
    }
    const char *at = name + length - tail;
    bool fits = true;
    for (size_t i = 0; i < tail; i++) {
        const bool digit = isdigit((unsigned char)at[i]) || (at[i] >= 'a' && at[i] <= 'f');
        fits = fits && (form[i] == 'x' ? digit : at[i] == form[i]);
    }
    return fits;
}

const char *rs__init_from_key(const rs_config *config)
{
    const bool known = rs__init_from_is_run(config->init_from) || config->init_digest[0];
    return known ? name_of(config->init_from) : config->init_from;
}

bool rs__init_from_same(const rs_config *a, const rs_config *b)
{
    if (a->init_digest[0] && b->init_digest[0] && strcmp(a->init_digest, b->init_digest) != 0) {
        return false;
    }
    const bool known = a->init_digest[0] || b->init_digest[0];
    return known ? strcmp(name_of(a->init_from), name_of(b->init_from)) == 0
                 : strcmp(rs__init_from_key(a), rs__init_from_key(b)) == 0;
}

/* FNV-1a of a file's bytes as 16 digits; false where it is HDF5 or cannot be read. */
static bool digest_of(const char *path, char digest[17])
{
    static const char hdf5[] = "\x89HDF\r\n\x1a\n";
    unsigned char piece[65536];
    uint64_t hash = rs_hash64("");
    size_t length;
    bool first = true;
    FILE *stream = fopen(path, "rb");
    if (!stream) {
        return false;
    }
    bool good = true;
    while (good && (length = fread(piece, 1, sizeof piece, stream)) > 0) {
        good = !(first && length >= sizeof hdf5 - 1 && memcmp(piece, hdf5, sizeof hdf5 - 1) == 0);
        first = false;
        for (size_t i = 0; i < length; i++) {
            hash = (hash ^ piece[i]) * UINT64_C(0x100000001B3);
        }
    }
    good = good && !ferror(stream);
    (void)fclose(stream);
    (void)snprintf(digest, 17, "%016" PRIx64, hash);
    return good;
}

rs_status rs__init_from_resolve(rs_config *config, rs_error *error)
{
    char digest[17];
    if (!config->init_from[0] || rs__init_from_is_run(config->init_from)) {
        return config->init_digest[0]
                   ? RS_FAIL(error, RS_USAGE, "--init-digest is for an --init-from that no run has named")
                   : RS_OK;
    }
    if (!digest_of(config->init_from, digest)) {
        return RS_OK; /* whoever reads it says what is wrong */
    }
    if (config->init_digest[0] && strcmp(config->init_digest, digest) != 0) {
        return RS_FAIL(error, RS_USAGE, "%s: it is not the file that --init-digest %s stands for; now %s",
                       config->init_from, config->init_digest, digest);
    }
    (void)snprintf(config->init_digest, sizeof config->init_digest, "%s", digest);
    return RS_OK;
}
