/* output.h: some files that appear together: each is written as NAME.part, and only when all are whole and synced do they
 * get their names. Nothing that stands there is replaced unless asked. */
#ifndef RS_INSPECT_OUTPUT_H
#define RS_INSPECT_OUTPUT_H

#include <stdbool.h>
#include <stdio.h>

#include "rs/status.h"

typedef struct rs__outputs rs__outputs;

/* Makes the directory where it is missing. The caller ends it with finish or abandon. */
rs_status rs__outputs_begin(const char *directory, bool overwrite, rs__outputs **outputs, rs_error *error);
/* A file of that name, which may be below a folder ("weights_2/fc.bias.npy"), one at a time. USAGE when it exists and
 * nothing is to be replaced. */
rs_status rs__outputs_open(rs__outputs *outputs, const char *name, FILE **stream, rs_error *error);
/* Writes out and syncs the open file; IO with its path and why (a full disk). */
rs_status rs__outputs_close(rs__outputs *outputs, rs_error *error);
/* Gives all files their names. Always frees; on failure no .part is left. */
rs_status rs__outputs_finish(rs__outputs *outputs, rs_error *error);
void rs__outputs_abandon(rs__outputs *outputs); /* removes what was written; takes NULL */

/* The files in the order they were made: path of file `index`, from 0; NULL past the last. */
const char *rs__outputs_path(const rs__outputs *outputs, int index);

#endif
