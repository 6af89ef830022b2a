/* read_record.h: everything that the program reads of a record. */
#ifndef RS_FUZZ_READ_RECORD_H
#define RS_FUZZ_READ_RECORD_H

#include <stdbool.h>

/* The ways to read one: info as text, as JSON, of gradients; verify; verify --same; the readers of records and of results;
 * compare; verify --repair. `which` chooses one, a replay takes all. Whether it was taken for a record or a result. */
enum { RS_FUZZ_READERS = 8 };
bool rs_fuzz_read_record(int slot, const char *path, const char *other, unsigned which);

/* compare, and what export makes tables of (read_compare.c). */
void rs_fuzz_compare(const char *a, const char *b);

#endif
