/* digest.h: MD5 and SHA-256 of bytes as they pass. */
#ifndef RS_DATA_DIGEST_H
#define RS_DATA_DIGEST_H

#include <stddef.h>

#include "rs/status.h"

enum { RS__HEX_MAX = 65 }; /* bytes of a SHA-256 as text, with its end */

typedef enum rs__digest_kind { RS__MD5, RS__SHA256 } rs__digest_kind;
typedef struct rs__digest rs__digest;

rs_status rs__digest_create(rs__digest_kind kind, rs__digest **digest, rs_error *error);
void rs__digest_add(rs__digest *digest, const void *bytes, size_t count);
/* Lower-case hex of all bytes so far; ends the digest. */
void rs__digest_finish(rs__digest *digest, char hex[RS__HEX_MAX]);
void rs__digest_destroy(rs__digest *digest); /* takes NULL */

/* Of a whole file. DATA when it can't be read. */
rs_status rs__digest_file(rs__digest_kind kind, const char *path, char hex[RS__HEX_MAX], rs_error *error);

#endif
