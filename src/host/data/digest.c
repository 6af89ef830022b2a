/* digest.c: checksums through OpenSSL's EVP interface; see digest.h. */
#include "digest.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "rs/dataset.h"
#include "rs/host.h"

struct rs__digest {
    EVP_MD_CTX *context;
};

rs_status rs__digest_create(rs__digest_kind kind, rs__digest **digest, rs_error *error)
{
    rs__digest *made = rs_alloc_zero(sizeof *made);
    if (!made) {
        return RS_FAIL(error, RS_MEMORY, "out of memory");
    }
    made->context = EVP_MD_CTX_new();
    const EVP_MD *algorithm = kind == RS__MD5 ? EVP_md5() : EVP_sha256();
    if (!made->context || EVP_DigestInit_ex(made->context, algorithm, NULL) != 1) {
        rs__digest_destroy(made);
        return RS_FAIL(error, RS_UNSUPPORTED, "OpenSSL refuses %s here (a FIPS-only configuration?)",
                       kind == RS__MD5 ? "MD5" : "SHA-256");
    }
    *digest = made;
    return RS_OK;
}

void rs__digest_add(rs__digest *digest, const void *bytes, size_t count)
{
    RS_ASSERT(EVP_DigestUpdate(digest->context, bytes, count) == 1);
}

void rs__digest_finish(rs__digest *digest, char hex[RS__HEX_MAX])
{
    unsigned char bytes[EVP_MAX_MD_SIZE];
    unsigned int count = 0;
    RS_ASSERT(EVP_DigestFinal_ex(digest->context, bytes, &count) == 1 && 2 * count < RS__HEX_MAX);
    for (unsigned int i = 0; i < count; i++) {
        (void)snprintf(hex + (size_t)2 * i, 3, "%02x", bytes[i]);
    }
}

void rs__digest_destroy(rs__digest *digest)
{
    if (digest) {
        EVP_MD_CTX_free(digest->context);
        rs_free(digest);
    }
}

static rs_status add_file(rs__digest *digest, const char *path, rs_error *error)
{
    static const size_t chunk = 1 << 18;
    rs_status status = RS_OK;
    int file = rs_files()->open(path, O_RDONLY, 0);
    if (file < 0) {
        return RS_FAIL(error, RS_DATA, "%s: %s", path, strerror(errno));
    }
    unsigned char *bytes = rs_alloc(chunk);
    ssize_t got = bytes ? 1 : 0;
    if (!bytes) {
        status = RS_FAIL(error, RS_MEMORY, "out of memory");
    }
    while (got > 0) {
        got = read(file, bytes, chunk);
        if (got < 0 && errno == EINTR) {
            got = 1;
            continue;
        }
        if (got < 0) {
            status = RS_FAIL(error, RS_DATA, "%s: %s", path, strerror(errno));
        } else if (got > 0) {
            rs__digest_add(digest, bytes, (size_t)got);
        }
    }
    rs_free(bytes);
    (void)close(file);
    return status;
}

rs_status rs__digest_file(rs__digest_kind kind, const char *path, char hex[RS__HEX_MAX], rs_error *error)
{
    rs__digest *digest = NULL;
    RS_TRY(rs__digest_create(kind, &digest, error));
    rs_status status = add_file(digest, path, error);
    if (status == RS_OK) {
        rs__digest_finish(digest, hex);
    }
    rs__digest_destroy(digest);
    return status;
}

rs_status rs_file_sha256(const char *path, char hex[RS_SHA256_TEXT], rs_error *error)
{
    return rs__digest_file(RS__SHA256, path, hex, error);
}
