/* h5.c: checked HDF5 calls, opening, attributes and strings; see h5.h. */
#include "h5.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "rs/host.h"

static void leave_files_alone_at_exit(void)
{
    (void)H5dont_atexit();
}

void rs_h5_begin(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    (void)pthread_once(&once, leave_files_alone_at_exit);
    (void)H5Eset_auto2(H5E_DEFAULT, NULL, NULL); /* the error stack is each thread's own */
}

/* The library's "file write failed: time = ..., errno = 28, ..., total write size = 96, ..." in fewer words. */
static void shorten(const char *text, char *reason, size_t capacity)
{
    const char *number = strstr(text, "errno = "), *size = strstr(text, "total write size = ");
    const int code = number ? (int)strtol(number + strlen("errno = "), NULL, 10) : 0;
    const size_t what = strcspn(text, ":,");
    if (code == 0) {
        (void)snprintf(reason, capacity, "%s", text);
    } else if (size) {
        (void)snprintf(reason, capacity, "%.*s: %s (%llu bytes missing)", (int)what, text, strerror(code),
                       strtoull(size + strlen("total write size = "), NULL, 10));
    } else {
        (void)snprintf(reason, capacity, "%.*s: %s", (int)what, text, strerror(code));
    }
}

/* The innermost entry says what really happened. */
static herr_t keep_innermost(unsigned number, const H5E_error2_t *entry, void *context)
{
    if (number == 0 && entry->desc) {
        shorten(entry->desc, context, 400);
    }
    return 0;
}

rs_status rs_h5_fail(rs_error *error, const char *file, int line, const char *statement)
{
    char reason[400] = "no reason given";
    (void)H5Ewalk2(H5E_DEFAULT, H5E_WALK_UPWARD, keep_innermost, reason);
    (void)H5Eclear2(H5E_DEFAULT);
    return rs_error_set(error, RS_IO, file, line, "HDF5: %s (in %s)", reason, statement);
}

void rs_h5_close(hid_t id)
{
    if (id >= 0) {
        (void)H5Idec_ref(id);
    }
}

/* Our own lock (lock.h) keeps a second writer out; the library's would keep readers out of some network file
 * systems altogether. */
static rs_status file_access(rs_h5_mode mode, hid_t *access, rs_error *error)
{
    static const char clear_mark[] = "clear_status_flags"; /* the library's own name; what h5clear sets */
    hbool_t yes = 1;
    RS_H5(*access = H5Pcreate(H5P_FILE_ACCESS));
    RS_H5(H5Pset_libver_bounds(*access, H5F_LIBVER_V110, H5F_LIBVER_LATEST));
    RS_H5(H5Pset_fclose_degree(*access, H5F_CLOSE_SEMI));
    /* Texts and names go to the file at once: kept back, they would be written when their data set is closed, and a
     * disk that fails then would leave them out without an error. */
    RS_H5(H5Pset_sieve_buf_size(*access, 0));
#if H5_VERSION_GE(1, 10, 7)
    RS_H5(H5Pset_file_locking(*access, 0, 1));
#endif
    if (mode != RS_H5_CREATE) {
        /* Where there may be a writer, the library tries again when a checksum is wrong, waiting twice as long each
         * time from 1 ns on: 28 times are a quarter of a second, the default of 100 would be for ever. */
        RS_H5(H5Pset_metadata_read_attempts(*access, 28));
    }
    if (mode == RS_H5_WRITE) {
        if (H5Pexist(*access, clear_mark) <= 0) {
            return RS_FAIL(error, RS_UNSUPPORTED,
                           "this HDF5 library cannot clear the mark of a killed writer; run h5clear -s and "
                           "h5clear --increment=0 on the file first");
        }
        RS_H5(H5Pset(*access, clear_mark, &yes));
    }
    return RS_OK;
}

static rs_status open_flags(const char *path, rs_h5_mode mode, unsigned *flags, rs_error *error)
{
    rs_h5_mark mark;
    if (mode == RS_H5_CREATE) {
        *flags = H5F_ACC_TRUNC;
        return RS_OK;
    }
    RS_TRY(rs_h5_read_mark(path, &mark, error));
    if (!mark.hdf5) {
        return RS_FAIL(error, RS_DATA, "%s is no HDF5 file that this program writes", path);
    }
    if (mode == RS_H5_READ && mark.write && !mark.swmr) {
        return RS_FAIL(error, RS_DATA,
                       "%s was left open by a writer; `resnet_study verify --repair` mends it", path);
    }
    if (mode == RS_H5_READ && !mark.swmr && mark.size < mark.end) {
        return RS_FAIL(
            error, RS_DATA,
            "%s is cut off: its last %llu bytes are not there; is it a copy that did not come through?", path,
            (unsigned long long)(mark.end - mark.size));
    }
    if (mode == RS_H5_READ) {
        *flags = H5F_ACC_RDONLY | (mark.swmr ? H5F_ACC_SWMR_READ : 0u);
    } else {
        *flags = H5F_ACC_RDWR | H5F_ACC_SWMR_WRITE;
    }
    return RS_OK;
}

/* The system stops a write between two pages when the process is killed. Small structures of the library (object
 * headers, index blocks) are rewritten at every commit: one that lay across pages could be torn, and its checksum
 * would make all behind it unreadable. With space managed in pages of the system's size each lies in one. */
static rs_status file_creation(hid_t *creation, rs_error *error)
{
    enum { PAGE = 4096 };
    RS_H5(*creation = H5Pcreate(H5P_FILE_CREATE));
    RS_H5(H5Pset_file_space_strategy(*creation, H5F_FSPACE_STRATEGY_PAGE, false, 1));
    RS_H5(H5Pset_file_space_page_size(*creation, PAGE));
    return RS_OK;
}

rs_status rs_h5_open(const char *path, rs_h5_mode mode, hid_t *file, rs_error *error)
{
    hid_t access = H5I_INVALID_HID, creation = H5I_INVALID_HID;
    unsigned flags = 0;
    rs_status status;
    rs_h5_begin();
    *file = H5I_INVALID_HID;
    RS_TRY_GOTO(open_flags(path, mode, &flags, error));
    RS_TRY_GOTO(file_access(mode, &access, error));
    if (mode == RS_H5_CREATE) {
        RS_TRY_GOTO(file_creation(&creation, error));
        RS_H5_GOTO(*file = H5Fcreate(path, flags, creation, access));
    } else {
        RS_H5_GOTO(*file = H5Fopen(path, flags, access));
    }
    if (mode == RS_H5_WRITE) {
        /* A kill can leave the recorded end of file behind what was written: new chunks would land on old
         * ones. This sets it right, and must come before any other change. */
        RS_H5_GOTO(H5Fincrement_filesize(*file, 0));
    }
done:
    if (status != RS_OK) {
        rs_h5_close(*file);
        *file = H5I_INVALID_HID;
    }
    rs_h5_close(creation);
    rs_h5_close(access);
    return status;
}

rs_status rs_h5_read_mark(const char *path, rs_h5_mark *mark, rs_error *error)
{
    static const unsigned char signature[8] = {0x89, 'H', 'D', 'F', '\r', '\n', 0x1a, '\n'};
    enum { VERSION = 8, OFFSET_BYTES = 9, FLAGS = 11, BASE = 12, END = 28, WRITE_MARK = 1, SWMR_MARK = 4 };
    unsigned char bytes[END + sizeof mark->end];
    uint64_t base;
    struct stat about;
    memset(mark, 0, sizeof *mark);
    int file = rs_files()->open(path, O_RDONLY, 0);
    if (file < 0) {
        return RS_FAIL(error, errno == ENOENT ? RS_DATA : RS_IO, "%s: %s", path, strerror(errno));
    }
    ssize_t got = fstat(file, &about) == 0 ? read(file, bytes, sizeof bytes) : -1;
    (void)close(file);
    if (got != (ssize_t)sizeof bytes || memcmp(bytes, signature, sizeof signature) != 0 ||
        bytes[VERSION] < 3 || bytes[OFFSET_BYTES] != sizeof base) {
        return RS_OK;
    }
    memcpy(&base, bytes + BASE, sizeof base);
    mark->size = (uint64_t)about.st_size;
    memcpy(&mark->end, bytes + END, sizeof mark->end);
    mark->hdf5 = base == 0; /* as our own are */
    mark->write = bytes[FLAGS] & WRITE_MARK;
    mark->swmr = bytes[FLAGS] & SWMR_MARK;
    return RS_OK;
}

rs_status rs_h5_sync(hid_t file, rs_error *error)
{
    int *descriptor;
    RS_H5(H5Fget_vfd_handle(file, H5P_DEFAULT, (void **)&descriptor));
    if (rs_files()->fsync(*descriptor) != 0) {
        return RS_FAIL(error, RS_IO, "fsync failed: %s", strerror(errno));
    }
    return RS_OK;
}

static rs_status bytes_of_file(hid_t dataset, uint64_t *bytes, rs_error *error)
{
    int *descriptor;
    struct stat about;
    hid_t file = H5I_INVALID_HID;
    rs_status status = RS_OK;
    RS_H5_GOTO(file = H5Iget_file_id(dataset));
    RS_H5_GOTO(H5Fget_vfd_handle(file, H5P_DEFAULT, (void **)&descriptor));
    if (fstat(*descriptor, &about) != 0) {
        status = RS_FAIL(error, RS_IO, "the file's size: %s", strerror(errno));
        goto done;
    }
    *bytes = (uint64_t)about.st_size;
done:
    rs_h5_close(file);
    return status;
}

static rs_status is_packed(hid_t dataset, bool *packed, rs_error *error)
{
    hid_t creation;
    RS_H5(creation = H5Dget_create_plist(dataset));
    *packed = H5Pget_layout(creation) == H5D_CHUNKED && H5Pget_nfilters(creation) > 0;
    rs_h5_close(creation);
    return RS_OK;
}

rs_status rs_h5_check_size(hid_t dataset, const char *path, uint64_t bytes, rs_error *error)
{
    enum { SMALL = 1 << 20, DEFLATE_MOST = 1032 }; /* that many bytes at most become one */
    enum { GROWN = 2 }; /* unpacked: a kill can leave a list longer by a chunk that was not written */
    uint64_t file = 0;
    bool packed = false;
    if (bytes <= SMALL) {
        return RS_OK;
    }
    RS_TRY(bytes_of_file(dataset, &file, error));
    if (bytes <= file) {
        return RS_OK;
    }
    const uint64_t stored = H5Dget_storage_size(dataset);
    const uint64_t held = stored < file ? stored : file;
    RS_TRY(is_packed(dataset, &packed, error));
    if (bytes / (packed ? DEFLATE_MOST : GROWN) > held) {
        return RS_FAIL(error, RS_DATA,
                       "%s says that it has %llu bytes, but takes %llu in the file; see resnet_study verify",
                       path, (unsigned long long)bytes, (unsigned long long)held);
    }
    return RS_OK;
}

bool rs_h5_has(hid_t file, const char *path)
{
    char part[1024];
    H5L_info_t link;
    if (strlen(path) >= sizeof part) {
        return false;
    }
    for (const char *at = path;; at++) {
        const size_t name = strcspn(at, "/");
        if (name == 0 || (name == 1 && *at == '.')) {
            return false;
        }
        at += name;
        (void)snprintf(part, sizeof part, "%.*s", (int)(at - path), path);
        if (H5Lexists(file, part, H5P_DEFAULT) <= 0 || H5Lget_info(file, part, &link, H5P_DEFAULT) < 0 ||
            link.type != H5L_TYPE_HARD) {
            return false;
        }
        if (*at == '\0') {
            return true;
        }
    }
}

rs_status rs_h5_check_place(hid_t dataset, const char *path, rs_error *error)
{
    hid_t creation;
    RS_H5(creation = H5Dget_create_plist(dataset));
    const bool elsewhere = H5Pget_layout(creation) == H5D_VIRTUAL || H5Pget_external_count(creation) != 0;
    rs_h5_close(creation);
    return elsewhere
               ? RS_FAIL(
                     error, RS_DATA,
                     "%s has its values in other files, as nothing that this program writes; they are not "
                     "touched",
                     path)
               : RS_OK;
}

rs_status rs_h5_open_dataset(hid_t file, const char *path, hid_t *dataset, rs_error *error)
{
    if (!rs_h5_has(file, path)) {
        return RS_FAIL(error, RS_DATA, "data set %s is missing", path);
    }
    RS_H5(*dataset = H5Dopen2(file, path, H5P_DEFAULT));
    return rs_h5_check_place(*dataset, path, error);
}

static rs_status text_type(hid_t *type, rs_error *error)
{
    RS_H5(*type = H5Tcopy(H5T_C_S1));
    RS_H5(H5Tset_size(*type, H5T_VARIABLE));
    RS_H5(H5Tset_cset(*type, H5T_CSET_UTF8));
    return RS_OK;
}

rs_status rs_h5_put_text(hid_t object, const char *name, const char *text, rs_error *error)
{
    hid_t type = H5I_INVALID_HID, space = H5I_INVALID_HID, attribute = H5I_INVALID_HID;
    rs_status status;
    RS_TRY_GOTO(text_type(&type, error));
    RS_H5_GOTO(space = H5Screate(H5S_SCALAR));
    RS_H5_GOTO(attribute = H5Acreate2(object, name, type, space, H5P_DEFAULT, H5P_DEFAULT));
    RS_H5_GOTO(H5Awrite(attribute, type, &text));
done:
    rs_h5_close(attribute);
    rs_h5_close(space);
    rs_h5_close(type);
    return status;
}

rs_status rs_h5_put_int(hid_t object, const char *name, int64_t value, rs_error *error)
{
    hid_t space = H5I_INVALID_HID, attribute = H5I_INVALID_HID;
    rs_status status = RS_OK;
    RS_H5_GOTO(space = H5Screate(H5S_SCALAR));
    RS_H5_GOTO(attribute = H5Acreate2(object, name, H5T_STD_I64LE, space, H5P_DEFAULT, H5P_DEFAULT));
    RS_H5_GOTO(H5Awrite(attribute, H5T_NATIVE_INT64, &value));
done:
    rs_h5_close(attribute);
    rs_h5_close(space);
    return status;
}

static rs_status open_attribute(hid_t object, const char *name, hid_t *attribute, rs_error *error)
{
    *attribute = H5I_INVALID_HID;
    if (H5Aexists(object, name) <= 0) {
        return RS_FAIL(error, RS_DATA, "attribute %s is missing", name);
    }
    RS_H5(*attribute = H5Aopen(object, name, H5P_DEFAULT));
    return RS_OK;
}

rs_status rs_h5_get_text(hid_t object, const char *name, char **text, rs_error *error)
{
    hid_t type = H5I_INVALID_HID, attribute = H5I_INVALID_HID, stored = H5I_INVALID_HID;
    hid_t space = H5I_INVALID_HID;
    char *value = NULL;
    rs_status status;
    RS_TRY_GOTO(text_type(&type, error));
    RS_TRY_GOTO(open_attribute(object, name, &attribute, error));
    RS_H5_GOTO(stored = H5Aget_type(attribute));
    RS_H5_GOTO(space = H5Aget_space(attribute));
    if (H5Tis_variable_str(stored) <= 0 || H5Sget_simple_extent_npoints(space) != 1) {
        status = RS_FAIL(error, RS_DATA, "attribute %s is no text", name);
        goto done;
    }
    RS_H5_GOTO(H5Aread(attribute, type, &value));
    *text = rs_strdup(value ? value : "");
    (void)H5free_memory(value);
    if (!*text) {
        status = RS_FAIL(error, RS_MEMORY, "no memory for attribute %s", name);
    }
done:
    rs_h5_close(space);
    rs_h5_close(stored);
    rs_h5_close(attribute);
    rs_h5_close(type);
    return status;
}

static rs_status integer(hid_t object, const char *name, int64_t *value, bool write, rs_error *error)
{
    hid_t attribute = H5I_INVALID_HID, type = H5I_INVALID_HID, space = H5I_INVALID_HID;
    rs_status status;
    RS_TRY_GOTO(open_attribute(object, name, &attribute, error));
    RS_H5_GOTO(type = H5Aget_type(attribute));
    RS_H5_GOTO(space = H5Aget_space(attribute));
    if (H5Tget_class(type) != H5T_INTEGER || H5Sget_simple_extent_npoints(space) != 1) {
        status = RS_FAIL(error, RS_DATA, "attribute %s is no integer", name);
        goto done;
    }
    if (write) {
        RS_H5_GOTO(H5Awrite(attribute, H5T_NATIVE_INT64, value));
    } else {
        RS_H5_GOTO(H5Aread(attribute, H5T_NATIVE_INT64, value));
    }
done:
    rs_h5_close(space);
    rs_h5_close(type);
    rs_h5_close(attribute);
    return status;
}

rs_status rs_h5_get_int(hid_t object, const char *name, int64_t *value, rs_error *error)
{
    return integer(object, name, value, false, error);
}

rs_status rs_h5_set_int(hid_t object, const char *name, int64_t value, rs_error *error)
{
    return integer(object, name, &value, true, error);
}

rs_status rs_h5_string_type(size_t bytes, hid_t *type, rs_error *error)
{
    RS_H5(*type = H5Tcopy(H5T_C_S1));
    RS_H5(H5Tset_size(*type, bytes ? bytes : 1));
    RS_H5(H5Tset_strpad(*type, H5T_STR_NULLPAD));
    RS_H5(H5Tset_cset(*type, H5T_CSET_UTF8));
    return RS_OK;
}

/* Opens a fixed-length string data set of one element. */
static rs_status open_string(hid_t file, const char *path, hid_t *dataset, hid_t *type, size_t *bytes,
                             rs_error *error)
{
    hid_t space = H5I_INVALID_HID;
    rs_status status;
    RS_TRY_GOTO(rs_h5_open_dataset(file, path, dataset, error));
    RS_H5_GOTO(*type = H5Dget_type(*dataset));
    RS_H5_GOTO(space = H5Dget_space(*dataset));
    if (H5Tget_class(*type) != H5T_STRING || H5Tis_variable_str(*type) != 0 ||
        H5Sget_simple_extent_npoints(space) != 1) {
        status = RS_FAIL(error, RS_DATA, "data set %s is no single text", path);
        goto done;
    }
    *bytes = H5Tget_size(*type);
    status = rs_h5_check_size(*dataset, path, *bytes, error);
done:
    rs_h5_close(space);
    return status;
}

rs_status rs_h5_read_string(hid_t file, const char *path, char **text, rs_error *error)
{
    hid_t dataset = H5I_INVALID_HID, type = H5I_INVALID_HID;
    size_t bytes = 0;
    rs_status status;
    *text = NULL;
    RS_TRY_GOTO(open_string(file, path, &dataset, &type, &bytes, error));
    *text = rs_alloc_zero(bytes + 1);
    if (!*text) {
        status = RS_FAIL(error, RS_MEMORY, "no memory for %s (%zu bytes)", path, bytes);
        goto done;
    }
    RS_H5_GOTO(H5Dread(dataset, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, *text));
done:
    if (status != RS_OK) {
        rs_free(*text);
        *text = NULL;
    }
    rs_h5_close(type);
    rs_h5_close(dataset);
    return status;
}

rs_status rs_h5_write_string(hid_t file, const char *path, const char *text, rs_error *error)
{
    hid_t dataset = H5I_INVALID_HID, type = H5I_INVALID_HID;
    size_t bytes = 0;
    char *padded = NULL;
    rs_status status;
    RS_TRY_GOTO(open_string(file, path, &dataset, &type, &bytes, error));
    if (strlen(text) > bytes) {
        status =
            RS_FAIL(error, RS_FAILED, "%s has room for %zu bytes, not for %zu", path, bytes, strlen(text));
        goto done;
    }
    padded = rs_alloc_zero(bytes);
    if (!padded) {
        status = RS_FAIL(error, RS_MEMORY, "no memory for %s (%zu bytes)", path, bytes);
        goto done;
    }
    memcpy(padded, text, strlen(text));
    RS_H5_GOTO(H5Dwrite(dataset, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, padded));
done:
    rs_free(padded);
    rs_h5_close(type);
    rs_h5_close(dataset);
    return status;
}
