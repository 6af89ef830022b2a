/* test_chunks.c: rows come back as they were written, whichever way chunks cut a row: whole chunks go
 * straight to their place, and what is no piece of a row must not. */
#include <setjmp.h> /* cmocka.h needs these four first */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "file.h"
#include "fixture.h"
#include "rs/host.h"

enum { ROWS = 2, LONGEST = 4 * 4 * 3 * 3 };
static const char tensor[] = "weights/layer1.0.conv1.weight"; /* 4 x 4 x 3 x 3 */

static char folder[] = "/tmp/rs_chunks_XXXXXX";
static char path[128];
static rs_error error;

static void ok(rs_status status)
{
    if (status != RS_OK) {
        fail_msg("%s: %s", rs_status_name(status), error.text);
    }
}

static int column_named(const rs_table *table, const char *name)
{
    for (int c = 0; c < table->count; c++) {
        if (strcmp(table->columns[c].path, name) == 0) {
            return c;
        }
    }
    fail_msg("no column %s", name);
    return -1;
}

/* Two rows of all columns; the tensor's element i of both together is i. */
static void fill(rs_block_of_rows *block, int tensor_column)
{
    assert_true(block->capacity >= ROWS);
    for (int c = 0; c < block->table->count; c++) {
        memset(block->columns[c], 0, ROWS * block->table->columns[c].row_bytes);
    }
    for (int i = 0; i < ROWS * LONGEST; i++) {
        ((float *)(void *)block->columns[tensor_column])[i] = (float)i;
    }
    block->rows = ROWS;
}

/* Writes two rows into a file whose chunks of the tensor have that shape, and reads them back. */
static void expect_rows_back(const fixture *made, const int64_t chunk[4])
{
    rs_layout layout;
    rs_record_file record;
    rs_block_of_rows block;
    float got[ROWS * LONGEST];
    ok(rs_layout_create(&made->spec, &layout, &error));
    rs_table *table = &layout.table[RS_TABLE_SNAPSHOTS];
    const int c = column_named(table, tensor);
    assert_int_equal(table->columns[c].count, LONGEST);
    table->columns[c].chunk_rows = 1;
    memcpy(table->columns[c].chunk.dim, chunk, 4 * sizeof *chunk);
    ok(rs_record_file_create(path, &made->spec, &layout, &record, &error));
    ok(rs_rows_create(&made->spec, table, &block, &error));
    fill(&block, c);
    ok(rs_record_file_write(&record, &block, 0, &error));
    ok(rs_column_read(&table->columns[c], record.columns[RS_TABLE_SNAPSHOTS][c].dataset, 0, ROWS, got,
                      &error));
    for (int i = 0; i < ROWS * LONGEST; i++) {
        if (!(got[i] == (float)i)) {
            fail_msg("chunks of %d x %d x %d x %d: element %d reads %g", (int)chunk[0], (int)chunk[1],
                     (int)chunk[2], (int)chunk[3], i, (double)got[i]);
        }
    }
    ok(rs_record_file_close(&record, &error));
    rs_rows_destroy(&block);
    rs_layout_destroy(&layout);
}

static void rows_come_back_from_any_chunks(void **state)
{
    (void)state;
    static fixture made;
    static const int64_t chunks[][4] = {{4, 4, 3, 3}, {1, 4, 3, 3}, {2, 4, 3, 3}, {3, 4, 3, 3},
                                        {1, 1, 3, 3}, {1, 2, 3, 3}, {1, 1, 1, 3}, {1, 1, 1, 1},
                                        {2, 2, 3, 3}, {4, 4, 1, 3}, {1, 4, 3, 1}, {2, 1, 3, 3}};
    fixture_init(&made, false, ROWS);
    rs_h5_begin();
    for (size_t i = 0; i < sizeof chunks / sizeof *chunks; i++) {
        expect_rows_back(&made, chunks[i]);
    }
}

static int begin(void **state)
{
    (void)state;
    if (!mkdtemp(folder)) {
        return -1;
    }
    (void)snprintf(path, sizeof path, "%s/run.h5", folder);
    return 0;
}

static int end(void **state)
{
    (void)state;
    (void)unlink(path);
    return rmdir(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(rows_come_back_from_any_chunks)};
    return cmocka_run_group_tests(tests, begin, end);
}
