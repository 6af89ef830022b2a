/* verify.c: reads every committed row; repairs; see verify.h.
 *
 * The library reads past the end of a cut-off file as zeros, without an error: so every chunk's place is
 * checked against the file's real size, too. */
#include "verify.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#include "contents.h"
#include "file.h"
#include "lock.h"
#include "rs/host.h"
#include "space.h"

typedef struct inspection {
    const rs_contents *contents;
    FILE *stream;
    int faults;
    int64_t first_gradient; /* row from which gradients must be there: the initial state has none */
} inspection;

__attribute__((format(printf, 3, 4))) static void fault(inspection *look, const rs_content *content,
                                                        const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    (void)fprintf(look->stream, "damaged: %s: ", content->path);
    (void)vfprintf(look->stream, format, arguments);
    (void)fputc('\n', look->stream);
    va_end(arguments);
    look->faults++;
}

/* The first row that must be there. */
static int64_t first_row_of(const inspection *look, const rs_content *content)
{
    return strncmp(content->path, "gradients/", strlen("gradients/")) == 0 ? look->first_gradient : 0;
}

/* 1 when snapshot 0 is the state after no step, else 0. */
static rs_status find_first_gradient(inspection *look, rs_error *error)
{
    const rs_content *content = rs_contents_find(look->contents, "snapshots/step");
    int64_t step = 0;
    hid_t dataset;
    look->first_gradient = 1;
    if (!content || content->row_bytes != sizeof step || rs_content_rows(look->contents, content) < 1 ||
        content->dim[0] < 1) {
        return RS_OK; /* what is wrong with it is said where it is inspected */
    }
    RS_H5(dataset = H5Dopen2(look->contents->file, content->path, H5P_DEFAULT));
    rs_status status = rs_content_read(dataset, content, 0, 1, &step, error);
    rs_h5_close(dataset);
    look->first_gradient = status != RS_OK || step == 0;
    return RS_OK;
}

/* Steps `at` to the next chunk of a row's part, as an odometer; false after the last. */
static bool next_chunk(const rs_content *content, const hsize_t *chunk, hsize_t *at)
{
    for (int axis = content->rank - 1; axis > 0; axis--) {
        at[axis] += chunk[axis];
        if (at[axis] < content->dim[axis]) {
            return true;
        }
        at[axis] = 0;
    }
    return false;
}

static rs_status inspect_chunks(inspection *look, hid_t dataset, const rs_content *content, int64_t rows,
                                rs_error *error)
{
    hsize_t chunk[H5S_MAX_RANK] = {0}, at[H5S_MAX_RANK] = {0}, bytes;
    unsigned filters;
    haddr_t address;
    hid_t creation;
    RS_H5(creation = H5Dget_create_plist(dataset));
    int rank = H5Pget_layout(creation) == H5D_CHUNKED ? H5Pget_chunk(creation, H5S_MAX_RANK, chunk) : -1;
    rs_h5_close(creation);
    if (rank < 1 || rank != content->rank) {
        fault(look, content, "it is not stored in chunks of its own rank");
        return RS_OK;
    }
    if (rows <= first_row_of(look, content)) {
        return RS_OK;
    }
    for (int64_t row = first_row_of(look, content) / (int64_t)chunk[0] * (int64_t)chunk[0]; row < rows;
         row += (int64_t)chunk[0]) {
        memset(at, 0, sizeof at);
        at[0] = (hsize_t)row;
        do {
            RS_H5(H5Dget_chunk_info_by_coord(dataset, at, &filters, &address, &bytes));
            if (address == HADDR_UNDEF) {
                fault(look, content, "rows %" PRId64 " on were never written", row);
                return RS_OK;
            }
            if (address + bytes > look->contents->file_bytes) {
                fault(look, content, "rows %" PRId64 " on lie behind the end of the file", row);
                return RS_OK;
            }
        } while (next_chunk(content, chunk, at));
    }
    return RS_OK;
}

/* The scales of rows count from 0: anything else there was torn. */
static bool is_row_number(const rs_content *content)
{
    return strcmp(content->path, "step") == 0 || strcmp(content->path, "epoch") == 0 ||
           strcmp(content->path, "snapshot") == 0;
}

static rs_status inspect_values(inspection *look, hid_t dataset, const rs_content *content, int64_t rows,
                                rs_error *error)
{
    const int64_t piece = rs_content_piece(content);
    if (content->row_bytes == 0) {
        return RS_OK; /* rows without numbers, however many */
    }
    char *values = rs_alloc((size_t)(rows < piece ? rows : piece) * content->row_bytes);
    rs_status status = values ? RS_OK : RS_FAIL(error, RS_MEMORY, "no memory to read %s", content->path);
    for (int64_t row = 0; row < rows && status == RS_OK; row += piece) {
        const int64_t count = rows - row < piece ? rows - row : piece;
        if (rs_content_read(dataset, content, row, count, values, error) != RS_OK) {
            fault(look, content, "rows %" PRId64 " on cannot be read: %s", row, error->text);
            break;
        }
        for (int64_t i = 0; is_row_number(content) && content->row_bytes == sizeof(int64_t) && i < count;
             i++) {
            int64_t number;
            memcpy(&number, values + (size_t)i * sizeof number, sizeof number);
            if (number != row + i) {
                fault(look, content, "row %" PRId64 " says %" PRId64, row + i, number);
                break;
            }
        }
    }
    rs_free(values);
    return status;
}

static rs_status inspect(inspection *look, const rs_content *content, rs_error *error)
{
    const int64_t rows = rs_content_rows(look->contents, content);
    hid_t dataset = H5Dopen2(look->contents->file, content->path, H5P_DEFAULT);
    rs_status status = RS_OK;
    if (dataset < 0) {
        fault(look, content, "it cannot be opened");
        return RS_OK;
    }
    if (content->table < 0) {
        haddr_t place = H5Dget_offset(dataset);
        if (content->stored > 0 &&
            (place == HADDR_UNDEF || place + content->stored > look->contents->file_bytes)) {
            fault(look, content, "it lies behind the end of the file");
        }
        status = inspect_values(look, dataset, content, 1, error);
    } else if (rows > (int64_t)content->dim[0]) {
        fault(look, content, "%" PRIu64 " rows of %" PRId64 " committed", (uint64_t)content->dim[0], rows);
    } else if (rows > 0) {
        status = inspect_chunks(look, dataset, content, rows, error);
        if (status == RS_OK) {
            status = inspect_values(look, dataset, content, rows, error);
        }
    }
    rs_h5_close(dataset);
    return status;
}

rs_status rs_record_verify(const char *path, FILE *stream, int *faults, rs_error *error)
{
    rs_contents contents;
    rs_status status = RS_OK;
    *faults = 0;
    RS_TRY(rs_contents_open(path, &contents, error));
    inspection look = {.contents = &contents, .stream = stream};
    status = find_first_gradient(&look, error);
    for (int i = 0; i < contents.count && status == RS_OK; i++) {
        status = inspect(&look, &contents.list[i], error);
    }
    if (status == RS_OK && contents.commits.count < contents.commits.extent) {
        (void)fprintf(stream, "note: %" PRId64 " commit rows were cut off and do not count\n",
                      contents.commits.extent - contents.commits.count);
    }
    *faults = look.faults;
    rs_contents_close(&contents);
    return status;
}

static rs_status settle_state(hid_t file, rs_error *error)
{
    char *state = NULL;
    RS_TRY(rs_h5_read_string(file, "state", &state, error));
    bool running = strcmp(state, rs_run_state_name(RS_RUN_RUNNING)) == 0;
    rs_free(state);
    return running ? rs_h5_write_string(file, "state", rs_run_state_name(RS_RUN_INTERRUPTED), error) : RS_OK;
}

rs_status rs_record_repair(const char *path, rs_error *error)
{
    hid_t file = H5I_INVALID_HID;
    int lock = -1;
    rs_h5_mark mark;
    rs_status status;
    RS_TRY(rs_h5_read_mark(path, &mark, error));
    RS_TRY(rs_lock_take(path, false, &lock, error));
    RS_TRY_GOTO(rs_record_check_before_writing(path, lock, error));
    RS_TRY_GOTO(rs_h5_open(path, RS_H5_WRITE, &file, error));
    RS_TRY_GOTO(rs_record_check_format(file, error));
    RS_TRY_GOTO(settle_state(file, error));
    RS_H5_GOTO(H5Fflush(file, H5F_SCOPE_GLOBAL));
    RS_TRY_GOTO(rs_h5_sync(file, error));
done:
    if (file >= 0 && H5Fclose(file) < 0 && status == RS_OK) {
        status = rs_h5_fail(error, __FILE__, __LINE__, "H5Fclose(file)");
    }
    if (status == RS_OK && rs_files()->fsync(lock) != 0) {
        status = RS_FAIL(error, RS_IO, "fsync of %s: %s", path, strerror(errno));
    }
    rs_space_release(lock); /* what a killed writer had reserved */
    (void)close(lock);
    return status;
}
