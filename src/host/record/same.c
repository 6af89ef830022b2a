/* same.c: compares two records; see verify.h. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "contents.h"
#include "rs/config.h"
#include "rs/host.h"
#include "verify.h"

typedef struct comparison {
    const rs_contents *a, *b;
    FILE *stream;
    int differences;
} comparison;

__attribute__((format(printf, 3, 4))) static void differs(comparison *pair, const char *path,
                                                          const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    (void)fprintf(pair->stream, "differs: %s: ", path);
    (void)vfprintf(pair->stream, format, arguments);
    (void)fputc('\n', pair->stream);
    va_end(arguments);
    pair->differences++;
}

/* When a commit falls and how long something took depends on the clock. */
static bool is_of_the_clock(const char *path)
{
    size_t length = strlen(path), suffix = strlen("_seconds");
    return strncmp(path, "commits/", strlen("commits/")) == 0 ||
           (length > suffix && strcmp(path + length - suffix, "_seconds") == 0);
}

/* Keys that say only how a run is run (out, threads, quiet): they change no result. */
static bool is_of_the_run(const char *line)
{
    size_t count, length = strcspn(line, ":");
    const rs_option *table = rs_option_table(&count);
    for (size_t i = 0; i < count; i++) {
        if (table[i].scope == RS_SCOPE_RUN && strlen(table[i].name) == length &&
            strncmp(line, table[i].name, length) == 0) {
            return true;
        }
    }
    return false;
}

/* The next line of a configuration that counts, or NULL. */
static const char *next_line(const char **at, char *line, size_t capacity)
{
    while (**at) {
        size_t length = strcspn(*at, "\n");
        (void)snprintf(line, capacity, "%.*s", (int)length, *at);
        *at += length + ((*at)[length] == '\n');
        if (!is_of_the_run(line)) {
            return line;
        }
    }
    return NULL;
}

static rs_status compare_config(comparison *pair, rs_error *error)
{
    enum { LINE = 2048 };
    char *a = NULL, *b = NULL;
    char lines[2][LINE];
    rs_status status;
    RS_TRY_GOTO(rs_h5_read_string(pair->a->file, "config", &a, error));
    RS_TRY_GOTO(rs_h5_read_string(pair->b->file, "config", &b, error));
    const char *at_a = a, *at_b = b;
    for (;;) {
        const char *line_a = next_line(&at_a, lines[0], LINE), *line_b = next_line(&at_b, lines[1], LINE);
        if (!line_a && !line_b) {
            break;
        }
        if (!line_a || !line_b || strcmp(line_a, line_b) != 0) {
            differs(pair, "config", "\"%s\" and \"%s\"", line_a ? line_a : "(end)",
                    line_b ? line_b : "(end)");
            break;
        }
    }
done:
    rs_free(a);
    rs_free(b);
    return status;
}

static bool same_shape(const rs_content *a, const rs_content *b)
{
    bool same =
        a->class == b->class && a->type_size == b->type_size && a->rank == b->rank && a->table == b->table;
    for (int axis = a->table >= 0; same && axis < a->rank; axis++) {
        same = a->dim[axis] == b->dim[axis];
    }
    return same;
}

/* Reads both in pieces into one buffer of two halves. */
static rs_status compare_rows(comparison *pair, const rs_content *a, const rs_content *b, hid_t first,
                              hid_t second, rs_error *error)
{
    const int64_t rows = rs_content_rows(pair->a, a), piece = rs_content_piece(a);
    if (a->row_bytes == 0) {
        return RS_OK;
    }
    const size_t half = (size_t)(rows < piece ? rows : piece) * a->row_bytes;
    char *bytes = rs_alloc(2 * half);
    rs_status status = bytes ? RS_OK : RS_FAIL(error, RS_MEMORY, "no memory to compare %s", a->path);
    for (int64_t row = 0; row < rows && status == RS_OK; row += piece) {
        const int64_t count = rows - row < piece ? rows - row : piece;
        status = rs_content_read(first, a, row, count, bytes, error);
        if (status == RS_OK) {
            status = rs_content_read(second, b, row, count, bytes + half, error);
        }
        for (int64_t i = 0; status == RS_OK && i < count; i++) {
            const char *left = bytes + (size_t)i * a->row_bytes;
            if (memcmp(left, left + half, a->row_bytes) != 0) {
                differs(pair, a->path, "row %" PRId64 " is the first", row + i);
                rs_free(bytes);
                return RS_OK;
            }
        }
    }
    rs_free(bytes);
    return status;
}

static rs_status compare(comparison *pair, const rs_content *a, const rs_content *b, rs_error *error)
{
    const int64_t rows_a = rs_content_rows(pair->a, a), rows_b = rs_content_rows(pair->b, b);
    hid_t first = H5I_INVALID_HID, second = H5I_INVALID_HID;
    rs_status status = RS_OK;
    if (!same_shape(a, b)) {
        differs(pair, a->path, "its type or shape");
        return RS_OK;
    }
    if (rows_a != rows_b) {
        differs(pair, a->path, "%" PRId64 " and %" PRId64 " committed rows", rows_a, rows_b);
        return RS_OK;
    }
    if (a->table >= 0 && ((int64_t)a->dim[0] < rows_a || (int64_t)b->dim[0] < rows_b)) {
        differs(pair, a->path, "committed rows are missing; see verify");
        return RS_OK;
    }
    RS_H5_GOTO(first = H5Dopen2(pair->a->file, a->path, H5P_DEFAULT));
    RS_H5_GOTO(second = H5Dopen2(pair->b->file, b->path, H5P_DEFAULT));
    RS_TRY_GOTO(compare_rows(pair, a, b, first, second, error));
done:
    rs_h5_close(second);
    rs_h5_close(first);
    return status;
}

static rs_status compare_all(comparison *pair, rs_error *error)
{
    for (int i = 0; i < pair->a->count; i++) {
        const rs_content *a = &pair->a->list[i], *b = rs_contents_find(pair->b, a->path);
        if (!b) {
            differs(pair, a->path, "only in %s", pair->a->path);
        } else if (strcmp(a->path, "config") != 0 && !is_of_the_clock(a->path)) {
            RS_TRY(compare(pair, a, b, error));
        }
    }
    for (int i = 0; i < pair->b->count; i++) {
        if (!rs_contents_find(pair->a, pair->b->list[i].path)) {
            differs(pair, pair->b->list[i].path, "only in %s", pair->b->path);
        }
    }
    return compare_config(pair, error);
}

rs_status rs_record_same(const char *a, const char *b, FILE *stream, int *differences, rs_error *error)
{
    rs_contents left, right;
    *differences = 0;
    RS_TRY(rs_contents_open(a, &left, error));
    rs_status status = rs_contents_open(b, &right, error);
    if (status == RS_OK) {
        comparison pair = {.a = &left, .b = &right, .stream = stream};
        status = compare_all(&pair, error);
        *differences = pair.differences;
        rs_contents_close(&right);
    }
    rs_contents_close(&left);
    return status;
}
