/* fetch_fixture.h: a set of two small files in tiny.tar.gz, another of four files, the server of fetch_server.py, and
 * what can be seen of a fetch afterwards. For tests of fetching, called with PYTHON and fetch_server.py. */
#ifndef RS_TESTS_FETCH_FIXTURE_H
#define RS_TESTS_FETCH_FIXTURE_H

#include "data_files.h"

#include <signal.h>

#include "acquire.h"
#include "locate.h"

enum { BREAK_AT = 100000, MOST_BASES = 6 }; /* as in fetch_server.py */

extern const char *python, *script; /* to be set by main */
extern int port, tls_port;          /* of the server; tls_port 0: it can't make a certificate */
extern char directory[96];          /* this test's data directory: not there at its beginning */
extern char said[4096];             /* log messages since then */

extern rs__set tiny;   /* train.bin, test.bin in tiny.tar.gz, with its SHA-256 */
extern rs__set digits; /* four .gz files, with their MD5 */
extern rs__download_item tiny_item;
extern const char *const idx_packed[4];
extern const char *bases[MOST_BASES + 1]; /* of both sets */
extern char base_text[MOST_BASES][128];

int fetch_begin(void **state); /* of a group of tests: starts the server */
int fetch_end(void **state);
int set_up(void **state); /* of a test */

const char *served_path(const char *name);           /* in the server's folder; good for three more calls */
const char *url(const char *mode, const char *name); /* of the server */
void set_bases(const char *const modes[]);           /* the server in these modes, NULL at the end */
const char *requests(void);                          /* log of the server since the test began */
int count_requests(void);
void forget_requests(void);

extern const rs__acquire_options quickly;
rs_status fetch(const rs__set *set);
rs_status fetch_in_modes(const char *first, const char *second); /* tiny from one or two bases */
rs_status fetch_from(const rs__set *set, const char *from);

const char *in_directory(const char *name); /* path in the data directory; good for three more calls */
bool exists(const char *name);              /* there */
uint64_t bytes_of(const char *path);        /* 0 when there is none */
void check_same_bytes(const char *a, const char *b);
void check_there(void);   /* tiny is in place, byte for byte, and no leftovers are */
void check_nothing(void); /* nothing of tiny is in place */
uint64_t part_bytes(void);
void put_part(const void *bytes, size_t count); /* as if left by an earlier download of tiny */

#endif
