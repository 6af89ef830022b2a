/* contents.c: finds and reads the data sets of a record; see contents.h. */
#include "contents.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "lock.h"
#include "rs/host.h"
#include "rs/result_file.h"

enum { PIECE_BYTES = 4 << 20 };

struct rs_looked_up {
    rs_content content;
    rs_looked_up *next;
};

static bool begins(const char *text, const char *prefix)
{
    return strncmp(text, prefix, strlen(prefix)) == 0;
}

static int table_of(const char *path)
{
    if (strcmp(path, "step") == 0 || begins(path, "steps/")) {
        return RS_TABLE_STEPS;
    }
    if (strcmp(path, "snapshot") == 0 || begins(path, "snapshots/") || begins(path, "weights/") ||
        begins(path, "gradients/")) {
        return RS_TABLE_SNAPSHOTS;
    }
    if (strcmp(path, "epoch") == 0 || begins(path, "epochs/")) {
        return RS_TABLE_EPOCHS;
    }
    return begins(path, "commits/") ? RS_TABLE_COMMITS : -1;
}

/* Gradients have none of the initial state: their first row may never have been written. */
enum { UNWRITTEN_ROW = 1 << 30 };

/* The rows that count fit into what the data set takes in the file. */
static rs_status check_size(const rs_contents *contents, hid_t dataset, const rs_content *content,
                            rs_error *error)
{
    const bool late = begins(content->path, "gradients/");
    int64_t rows = rs_content_rows(contents, content);
    size_t bytes = 0;
    if (late && content->table >= 0 && rows > 0) {
        rows -= 1;
        bytes = content->row_bytes > UNWRITTEN_ROW ? content->row_bytes : 0;
    }
    if (rows > 0 && !rs_multiply((size_t)rows, content->row_bytes, &bytes)) {
        return RS_FAIL(error, RS_DATA, "the size of %s makes no sense", content->path);
    }
    return rs_h5_check_size(dataset, content->path, bytes, error);
}

static rs_status measure(const rs_contents *contents, hid_t dataset, rs_content *content, rs_error *error)
{
    hid_t type = H5I_INVALID_HID, space = H5I_INVALID_HID;
    rs_status status = RS_OK;
    RS_H5_GOTO(type = H5Dget_type(dataset));
    RS_H5_GOTO(space = H5Dget_space(dataset));
    RS_H5_GOTO(content->rank = H5Sget_simple_extent_dims(space, content->dim, NULL));
    content->class = H5Tget_class(type);
    content->type_size = H5Tget_size(type);
    content->row_bytes = content->type_size;
    if (content->rank == 0 || content->type_size == 0 || H5Tis_variable_str(type) > 0) {
        content->table = -1;
    }
    bool empty = false;
    for (int axis = content->table >= 0; axis < content->rank; axis++) {
        const size_t side = content->dim[axis] ? (size_t)content->dim[axis] : 1;
        if (side > INT64_MAX || !rs_multiply(content->row_bytes, side, &content->row_bytes)) {
            status = RS_FAIL(error, RS_DATA, "the shape of %s makes no sense", content->path);
            goto done;
        }
        empty = empty || content->dim[axis] == 0;
    }
    content->row_bytes = empty ? 0 : content->row_bytes;
    status = check_size(contents, dataset, content, error);
done:
    rs_h5_close(space);
    rs_h5_close(type);
    return status;
}

/* Opens a data set and takes its shape; `stored`, which is a walk over its chunks, where a list wants it. */
static rs_status describe(const rs_contents *contents, const char *path, bool stored, rs_content *content,
                          rs_error *error)
{
    hid_t dataset;
    memset(content, 0, sizeof *content);
    if (strlen(path) >= sizeof content->path) {
        return RS_FAIL(error, RS_DATA, "a data set's name is too long: %.40s...", path);
    }
    (void)snprintf(content->path, sizeof content->path, "%s", path);
    content->table = contents->is_result ? -1 : table_of(path);
    RS_H5(dataset = H5Dopen2(contents->file, path, H5P_DEFAULT));
    rs_status status = rs_h5_check_place(dataset, path, error);
    status = status ? status : measure(contents, dataset, content, error);
    content->stored = stored && status == RS_OK ? H5Dget_storage_size(dataset) : 0;
    rs_h5_close(dataset);
    return status;
}

/* --- the list ------------------------------------------------------------------------------------------------- */

static rs_status add(rs_contents *contents, const char *path, rs_error *error)
{
    if (contents->count == contents->capacity) {
        int capacity = contents->capacity ? 2 * contents->capacity : 256;
        rs_content *grown = rs_alloc_array((size_t)capacity, sizeof *grown);
        if (!grown) {
            return RS_FAIL(error, RS_MEMORY, "no memory for the list of data sets");
        }
        if (contents->count > 0) {
            memcpy(grown, contents->list, (size_t)contents->count * sizeof *grown);
        }
        rs_free(contents->list);
        contents->list = grown;
        contents->capacity = capacity;
    }
    rs_status status = describe(contents, path, true, &contents->list[contents->count], error);
    contents->count += status == RS_OK;
    return status;
}

typedef struct visit {
    rs_contents *contents;
    rs_error *error;
    rs_status status;
} visit;

static herr_t visit_object(hid_t file, const char *name, const H5O_info_t *info, void *context)
{
    visit *walk = context;
    (void)file;
    if (info->type == H5O_TYPE_DATASET) {
        walk->status = add(walk->contents, name, walk->error);
    }
    return walk->status == RS_OK ? 0 : 1;
}

rs_status rs_contents_list(rs_contents *contents, rs_error *error)
{
    visit walk = {contents, error, RS_OK};
    if (contents->listed) {
        return RS_OK;
    }
    contents->count = 0;
    RS_H5(H5Ovisit2(contents->file, H5_INDEX_NAME, H5_ITER_INC, visit_object, &walk, H5O_INFO_BASIC));
    contents->listed = walk.status == RS_OK;
    return walk.status;
}

/* --- opening -------------------------------------------------------------------------------------------------- */

static bool is_result(hid_t file)
{
    rs_error ignored;
    char *format = NULL;
    const bool found =
        rs_h5_get_text(file, "format", &format, &ignored) == RS_OK && strcmp(format, RS_RESULT_FORMAT) == 0;
    rs_free(format);
    return found;
}

static rs_status read_record(rs_contents *contents, rs_error *error)
{
    RS_TRY(rs_record_check_format(contents->file, error));
    return rs_commits_read(contents->file, &contents->commits, error);
}

static rs_status open_file(const char *path, bool results_too, bool list, rs_contents *contents,
                           rs_error *error)
{
    struct stat about;
    rs_status status;
    memset(contents, 0, sizeof *contents);
    contents->file = H5I_INVALID_HID;
    contents->writer_lives = rs_lock_is_held(path);
    RS_TRY_GOTO(rs_h5_read_mark(path, &contents->mark, error));
    RS_TRY_GOTO(rs_h5_open(path, RS_H5_READ, &contents->file, error));
    contents->is_result = results_too && is_result(contents->file);
    RS_TRY_GOTO(contents->is_result ? RS_OK : read_record(contents, error));
    RS_TRY_GOTO(list ? rs_contents_list(contents, error) : RS_OK);
    contents->path = rs_strdup(path);
    if (!contents->path) {
        status = RS_FAIL(error, RS_MEMORY, "no memory for the path %s", path);
        goto done;
    }
    if (stat(path, &about) != 0) {
        status = RS_FAIL(error, RS_IO, "%s cannot be looked at", path);
        goto done;
    }
    contents->file_bytes = (uint64_t)about.st_size;
done:
    if (status != RS_OK) {
        rs_contents_close(contents);
        /* Whatever keeps a file from being read makes it unusable, not the program fail. */
        error->status = status == RS_IO ? RS_DATA : status;
        return strstr(error->text, path) ? error->status : rs_error_prefix(error, "%s", path);
    }
    return RS_OK;
}

rs_status rs_contents_open(const char *path, rs_contents *contents, rs_error *error)
{
    return open_file(path, false, true, contents, error);
}

rs_status rs_contents_open_any(const char *path, rs_contents *contents, rs_error *error)
{
    return open_file(path, true, true, contents, error);
}

rs_status rs_contents_open_unlisted(const char *path, rs_contents *contents, rs_error *error)
{
    return open_file(path, false, false, contents, error);
}

void rs_contents_close(rs_contents *contents)
{
    rs_h5_close(contents->file);
    contents->file = H5I_INVALID_HID;
    while (contents->looked_up) {
        rs_looked_up *next = contents->looked_up->next;
        rs_free(contents->looked_up);
        contents->looked_up = next;
    }
    rs_free(contents->list);
    rs_free(contents->path);
    contents->list = NULL;
    contents->path = NULL;
}

int64_t rs_content_rows(const rs_contents *contents, const rs_content *content)
{
    if (contents->commits.count == 0 && content->table >= 0) {
        return 0;
    }
    if (content->table == RS_TABLE_COMMITS) {
        return contents->commits.count;
    }
    return content->table < 0 ? 1
                              : rs_position_rows(&contents->commits.position, (rs_table_kind)content->table);
}

const rs_content *rs_contents_find(const rs_contents *contents, const char *path)
{
    for (int i = 0; i < contents->count; i++) {
        if (strcmp(contents->list[i].path, path) == 0) {
            return &contents->list[i];
        }
    }
    return NULL;
}

/* --- one by one ------------------------------------------------------------------------------------------------ */

bool rs_contents_has(const rs_contents *contents, const char *path)
{
    H5O_info_t object;
    if (contents->listed) {
        return rs_contents_find(contents, path) != NULL;
    }
    return rs_h5_has(contents->file, path) &&
           H5Oget_info_by_name2(contents->file, path, &object, H5O_INFO_BASIC, H5P_DEFAULT) >= 0 &&
           object.type == H5O_TYPE_DATASET;
}

rs_status rs_contents_look_up(rs_contents *contents, const char *path, const rs_content **content,
                              rs_error *error)
{
    *content = NULL;
    if (contents->listed) {
        *content = rs_contents_find(contents, path);
        return RS_OK;
    }
    for (const rs_looked_up *at = contents->looked_up; at; at = at->next) {
        if (strcmp(at->content.path, path) == 0) {
            *content = &at->content;
            return RS_OK;
        }
    }
    if (!rs_contents_has(contents, path)) {
        return RS_OK;
    }
    rs_looked_up *made = rs_alloc_zero(sizeof *made);
    if (!made) {
        return RS_FAIL(error, RS_MEMORY, "no memory for what %s holds", contents->path);
    }
    rs_status status = describe(contents, path, false, &made->content, error);
    if (status) {
        rs_free(made);
        error->status = status == RS_IO ? RS_DATA : status;
        return rs_error_prefix(error, "%s", contents->path);
    }
    made->next = contents->looked_up;
    contents->looked_up = made;
    *content = &made->content;
    return RS_OK;
}

int64_t rs_content_piece(const rs_content *content)
{
    return content->row_bytes < PIECE_BYTES
               ? (int64_t)(PIECE_BYTES / (content->row_bytes ? content->row_bytes : 1))
               : 1;
}

rs_status rs_content_read_as(hid_t dataset, const rs_content *content, int64_t first, int64_t rows,
                             hid_t type, void *values, rs_error *error)
{
    hsize_t start[H5S_MAX_RANK] = {(hsize_t)first}, count[H5S_MAX_RANK];
    hid_t space = H5I_INVALID_HID, memory = H5I_INVALID_HID;
    rs_status status = RS_OK;
    memcpy(count, content->dim, sizeof count);
    count[0] = (hsize_t)rows;
    RS_H5_GOTO(space = H5Dget_space(dataset));
    RS_H5_GOTO(memory = H5Screate_simple(content->rank, count, NULL));
    RS_H5_GOTO(H5Sselect_hyperslab(space, H5S_SELECT_SET, start, NULL, count, NULL));
    RS_H5_GOTO(H5Dread(dataset, type, memory, space, H5P_DEFAULT, values));
done:
    rs_h5_close(memory);
    rs_h5_close(space);
    return status;
}

rs_status rs_content_read(hid_t dataset, const rs_content *content, int64_t first, int64_t rows, void *values,
                          rs_error *error)
{
    hid_t type = H5I_INVALID_HID;
    rs_status status = RS_OK;
    RS_H5_GOTO(type = H5Dget_type(dataset));
    const H5T_class_t class = H5Tget_class(type);
    if ((class != H5T_INTEGER && class != H5T_FLOAT && class != H5T_STRING) ||
        H5Tis_variable_str(type) != 0) {
        /* Others may hold pointers to memory that the library gives away. */
        status = RS_FAIL(error, RS_DATA, "%s holds neither numbers nor texts of one length", content->path);
    } else if (content->table < 0) {
        RS_H5_GOTO(H5Dread(dataset, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, values));
    } else {
        status = rs_content_read_as(dataset, content, first, rows, type, values, error);
    }
done:
    rs_h5_close(type);
    return status;
}
