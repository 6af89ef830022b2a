/* edits.c: see edits.h. An edit is a byte that says what, one that says of which of the file's objects, and more of its own. */
#include "edits.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "h5.h"
#include "rs/host.h"

enum {
    MOST_PATHS = 256,
    PATH = 64,
    MOST_EDITS = 24,
    MOST_RANK = 5,
    VALUES = 4096,
    LONG = 1000,
    LARGE = 1000000
};

typedef struct editor {
    hid_t file;
    const uint8_t *at, *end;
} editor;

/* Objects of the files before they are changed (rs_fuzz_note), and some that a record may also have. */
static char paths[MOST_PATHS][PATH] = {"network_file", "head",          "weights/x", "steps/x",
                                       "epochs/x",     "gradients/new", "layers",    "steps"};
static int path_count = 8;

static herr_t note_path(hid_t file, const char *name, const H5O_info_t *info, void *context)
{
    (void)file;
    (void)info;
    (void)context;
    if (path_count < MOST_PATHS && strlen(name) < PATH) {
        strcpy(paths[path_count++], name);
    }
    return 0;
}

static unsigned next(editor *e)
{
    return e->at < e->end ? *e->at++ : 0u;
}

static const char *next_path(editor *e)
{
    return paths[next(e) % (unsigned)path_count];
}

/* Small numbers mostly, and those at which arithmetic breaks. */
static hsize_t next_size(editor *e)
{
    static const hsize_t large[] = {63,
                                    64,
                                    255,
                                    65536,
                                    (hsize_t)1 << 20,
                                    INT32_MAX,
                                    UINT32_MAX,
                                    4294967296,
                                    INT64_MAX,
                                    UINT64_MAX,
                                    (hsize_t)1 << 40,
                                    (hsize_t)1 << 61,
                                    (hsize_t)1 << 62,
                                    (hsize_t)1 << 63,
                                    4096,
                                    1000};
    const unsigned byte = next(e);
    return byte < 0xf0 ? byte % 12 : large[byte & 15];
}

static hid_t next_type(editor *e)
{
    const unsigned kind = next(e) % 12;
    hid_t type = H5I_INVALID_HID;
    switch (kind) {
    case 0:
        return H5Tcopy(H5T_IEEE_F32LE);
    case 1:
        return H5Tcopy(H5T_IEEE_F64BE);
    case 2:
        return H5Tcopy(H5T_STD_I64LE);
    case 3:
        return H5Tcopy(H5T_STD_U8LE);
    case 4: /* text of variable length */
        type = H5Tcopy(H5T_C_S1);
        (void)H5Tset_size(type, H5T_VARIABLE);
        return type;
    case 5:
        type = H5Tcreate(H5T_COMPOUND, 16);
        (void)H5Tinsert(type, "a", 0, H5T_STD_I64LE);
        (void)H5Tinsert(type, "b", 8, H5T_IEEE_F64LE);
        return type;
    case 6:
        return H5Tvlen_create(H5T_STD_I64LE);
    case 7: {
        const hsize_t two = 2;
        return H5Tarray_create2(H5T_IEEE_F32LE, 1, &two);
    }
    case 8:
        return H5Tcopy(H5T_STD_REF_OBJ);
    case 9:
        return H5Tcreate(H5T_OPAQUE, (size_t)next_size(e) % 100 + 1);
    default: /* text of fixed length */
        type = H5Tcopy(H5T_C_S1);
        (void)H5Tset_size(type, (size_t)(next_size(e) % INT32_MAX) + 1);
        return type;
    }
}

static hid_t next_space(editor *e, bool growing)
{
    hsize_t dim[MOST_RANK], most[MOST_RANK];
    const int rank = (int)(next(e) % (MOST_RANK + 1));
    for (int i = 0; i < rank; i++) {
        dim[i] = next_size(e);
        most[i] = growing && i == 0 ? H5S_UNLIMITED : dim[i];
    }
    return rank == 0 ? H5Screate(next(e) % 8 ? H5S_SCALAR : H5S_NULL) : H5Screate_simple(rank, dim, most);
}

static hid_t next_layout(editor *e, hid_t space, bool growing)
{
    hid_t creation = H5Pcreate(H5P_DATASET_CREATE);
    hsize_t chunk[MOST_RANK], dim[H5S_MAX_RANK] = {0};
    const unsigned how = next(e);
    const int rank = H5Sget_simple_extent_dims(space, dim, NULL);
    for (int i = 0; i < rank; i++) { /* an index of many chunks is as long as they are many, if only zeros */
        const hsize_t least = dim[i] / LONG < UINT32_MAX ? dim[i] / LONG : UINT32_MAX;
        chunk[i] = next(e) % 8 + 1 + least;
    }
    if (rank > 0 && rank <= MOST_RANK && (growing || how % 3 == 0)) {
        (void)H5Pset_chunk(creation, rank, chunk);
        if (how & 0x10) {
            (void)H5Pset_deflate(creation, 9);
        }
    } else if (how % 3 == 1) {
        (void)H5Pset_layout(creation, H5D_COMPACT);
    }
    if (how & 0x20) {
        (void)H5Pset_alloc_time(creation, H5D_ALLOC_TIME_EARLY);
    }
    (void)H5Pset_create_intermediate_group(creation, 1);
    return creation;
}

/* Writes what is left of the list, again and again, into the first values of a data set. */
static void fill(editor *e, hid_t dataset, hid_t type)
{
    static unsigned char bytes[VALUES];
    hid_t space = H5Dget_space(dataset), memory = H5I_INVALID_HID;
    hsize_t start[H5S_MAX_RANK] = {0}, dim[H5S_MAX_RANK], all = 1;
    const int rank = H5Sget_simple_extent_dims(space, dim, NULL);
    const size_t size = H5Tget_size(type), kept = next(e) % 64 + 1;
    double whole = 1.0;
    for (int i = 0; i < rank; i++) {
        whole *= (double)dim[i];
        dim[i] = dim[i] < 4 ? dim[i] : 4;
        all *= dim[i];
    }
    for (size_t i = 0; i < VALUES; i++) {
        bytes[i] = e->at < e->end ? e->at[i % kept % (size_t)(e->end - e->at)] : (unsigned char)i;
    }
    e->at += (size_t)(e->end - e->at) < kept ? (size_t)(e->end - e->at) : kept;
    const H5T_class_t kind = H5Tget_class(type);
    const bool plain = kind == H5T_INTEGER || kind == H5T_FLOAT || kind == H5T_VLEN ||
                       (kind == H5T_STRING && !H5Tis_variable_str(type));
    static hvl_t lists[VALUES / sizeof(hvl_t)];
    for (size_t i = 0; i < VALUES / sizeof(hvl_t); i++) {
        lists[i] = (hvl_t){2, bytes};
    }
    const void *values = kind == H5T_VLEN ? (const void *)lists : bytes;
    if (plain && rank >= 0 && all > 0 && size > 0 && all <= VALUES / size && whole < LARGE) {
        if (rank > 0) {
            memory = H5Screate_simple(rank, dim, NULL);
            (void)H5Sselect_hyperslab(space, H5S_SELECT_SET, start, NULL, dim, NULL);
        }
        (void)H5Dwrite(dataset, type, rank > 0 ? memory : H5S_ALL, rank > 0 ? space : H5S_ALL, H5P_DEFAULT,
                       values);
    }
    rs_h5_close(memory);
    rs_h5_close(space);
}

/* Another data set in the place of what there is. A file may promise any size that it does not have to store. */
static void replace(editor *e, const char *path, bool growing)
{
    hid_t links = H5Pcreate(H5P_LINK_CREATE), type = next_type(e), space = next_space(e, growing);
    hid_t creation = next_layout(e, space, growing), dataset;
    const hssize_t points = H5Sget_simple_extent_npoints(space);
    const bool early = next(e) % 2 && points >= 0 && (size_t)points * H5Tget_size(type) < VALUES;
    (void)H5Pset_alloc_time(creation, early ? H5D_ALLOC_TIME_EARLY : H5D_ALLOC_TIME_INCR);
    (void)H5Pset_create_intermediate_group(links, 1);
    (void)H5Ldelete(e->file, path, H5P_DEFAULT);
    dataset = H5Dcreate2(e->file, path, type, space, links, creation, H5P_DEFAULT);
    if (dataset >= 0 && points > 0 && points < VALUES) {
        fill(e, dataset, type);
    }
    rs_h5_close(dataset);
    rs_h5_close(creation);
    rs_h5_close(space);
    rs_h5_close(type);
    rs_h5_close(links);
}

static void overwrite(editor *e, const char *path)
{
    hid_t dataset = H5Dopen2(e->file, path, H5P_DEFAULT), type = H5I_INVALID_HID;
    if (dataset >= 0) {
        type = H5Dget_type(dataset);
        fill(e, dataset, type);
    }
    rs_h5_close(type);
    rs_h5_close(dataset);
}

static void grow(editor *e, const char *path)
{
    hid_t dataset = H5Dopen2(e->file, path, H5P_DEFAULT), space = H5I_INVALID_HID;
    hsize_t dim[H5S_MAX_RANK];
    if (dataset >= 0) {
        space = H5Dget_space(dataset);
        if (H5Sget_simple_extent_dims(space, dim, NULL) > 0) {
            dim[0] = next_size(e);
            (void)H5Dset_extent(dataset, dim);
        }
    }
    rs_h5_close(space);
    rs_h5_close(dataset);
}

/* What is left of the list is the text of a data set such as config. */
static void put_text(editor *e, const char *path)
{
    const size_t length = (size_t)(e->end - e->at) % 512 + 1;
    char text[513] = {0};
    hid_t type = H5Tcopy(H5T_C_S1), space = H5Screate(H5S_SCALAR), dataset;
    for (size_t i = 0; i < length; i++) {
        text[i] = (char)next(e);
    }
    (void)H5Tset_size(type, length);
    (void)H5Ldelete(e->file, path, H5P_DEFAULT);
    dataset = H5Dcreate2(e->file, path, type, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    if (dataset >= 0) {
        (void)H5Dwrite(dataset, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, text);
    }
    rs_h5_close(dataset);
    rs_h5_close(space);
    rs_h5_close(type);
}

static void attribute(editor *e, const char *path)
{
    static const char *const names[] = {"format", "schema_version", "device", "seed",    "commit",  "network",
                                        "what",   "unit",           "kind",   "threads", "resumed", "other"};
    static unsigned char bytes[VALUES];
    const char *name = names[next(e) % (sizeof names / sizeof names[0])];
    hid_t object = H5Oopen(e->file, next(e) % 2 ? "/" : path, H5P_DEFAULT), type = next_type(e);
    hid_t space = next_space(e, false), made = H5I_INVALID_HID;
    const hssize_t points = H5Sget_simple_extent_npoints(space);
    const size_t size = H5Tget_size(type);
    if (object >= 0 && points >= 0 && (size_t)points <= VALUES / size) {
        (void)H5Adelete(object, name);
        made = H5Acreate2(object, name, type, space, H5P_DEFAULT, H5P_DEFAULT);
    }
    for (size_t i = 0; i < 16; i++) {
        bytes[i] = (unsigned char)next(e);
    }
    if (made >= 0 && H5Tis_variable_str(type) > 0 && points == 1) {
        char text[17] = {0};
        const char *value = text;
        memcpy(text, bytes, 16);
        (void)H5Awrite(made, type, &value);
    } else if (made >= 0 && points > 0 && (size_t)points <= VALUES / size && H5Tget_class(type) != H5T_VLEN &&
               H5Tget_class(type) != H5T_REFERENCE && H5Tis_variable_str(type) <= 0) {
        (void)H5Awrite(made, type, bytes);
    }
    rs_h5_close(made);
    rs_h5_close(space);
    rs_h5_close(type);
    rs_h5_close(object);
}

static void link_to(editor *e, const char *path)
{
    const char *target = next_path(e);
    (void)H5Ldelete(e->file, path, H5P_DEFAULT);
    switch (next(e) % 5) {
    case 0:
        (void)H5Lcreate_soft(target, e->file, path, H5P_DEFAULT, H5P_DEFAULT);
        break;
    case 1:
        (void)H5Lcreate_external("/proc/self/exe", target, e->file, path, H5P_DEFAULT, H5P_DEFAULT);
        break;
    case 2: /* a folder within itself */
        (void)H5Lcreate_hard(e->file, "/", e->file, path, H5P_DEFAULT, H5P_DEFAULT);
        break;
    case 3:
        rs_h5_close(H5Gcreate2(e->file, path, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT));
        break;
    default:
        (void)H5Lcreate_hard(e->file, target, e->file, path, H5P_DEFAULT, H5P_DEFAULT);
    }
}

static void edit(editor *e)
{
    const unsigned what = next(e) % 10;
    const char *path = next_path(e);
    switch (what) {
    case 0:
        (void)H5Ldelete(e->file, path, H5P_DEFAULT);
        break;
    case 1:
    case 2:
        replace(e, path, false);
        break;
    case 3:
        replace(e, path, true);
        break;
    case 4:
    case 5:
        overwrite(e, path);
        break;
    case 6:
        grow(e, path);
        break;
    case 7:
        put_text(e, next(e) % 2 ? "config" : path);
        break;
    case 8:
        attribute(e, path);
        break;
    default:
        link_to(e, path);
    }
}

static hid_t open_file(const char *path)
{
    hid_t access = H5Pcreate(H5P_FILE_ACCESS);
    rs_h5_begin();
    (void)H5Pset_libver_bounds(access, H5F_LIBVER_V110, H5F_LIBVER_LATEST);
    (void)H5Pset_fclose_degree(access, H5F_CLOSE_STRONG);
    hid_t file = H5Fopen(path, H5F_ACC_RDWR, access);
    RS_ASSERT(file >= 0);
    rs_h5_close(access);
    return file;
}

void rs_fuzz_note(const char *path)
{
    hid_t file = open_file(path);
    (void)H5Ovisit2(file, H5_INDEX_NAME, H5_ITER_INC, note_path, NULL, H5O_INFO_BASIC);
    (void)H5Fclose(file);
}

void rs_fuzz_edit(const char *path, const uint8_t *list, size_t count)
{
    editor e = {.file = open_file(path), .at = list, .end = list + count};
    for (int i = 0; i < MOST_EDITS && e.at < e.end; i++) {
        edit(&e);
    }
    (void)H5Fclose(e.file);
}
