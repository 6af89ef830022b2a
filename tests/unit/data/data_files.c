/* data_files.c: see data_files.h. */
#include "data_files.h"

#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

rs_error error;

void ok(rs_status status)
{
    if (status != RS_OK) {
        print_error("%s: %s\n", rs_status_name(status), error.text);
    }
    assert_int_equal(status, RS_OK);
}

void says(const char *text)
{
    if (!strstr(error.text, text)) {
        print_error("\"%s\"\n does not say \"%s\"\n", error.text, text);
        fail();
    }
}

void refused(rs_status status, rs_status expected, const char *text)
{
    if (status != expected) {
        print_error("%s instead of %s, where it should say \"%s\"\n", rs_status_name(status),
                    rs_status_name(expected), text);
    }
    assert_int_equal(status, expected);
    says(text);
}

static char root[] = "/tmp/rs_data_XXXXXX";
static bool made;

static int remove_entry(const char *path, const struct stat *status, int type, struct FTW *where)
{
    (void)status;
    (void)type;
    return where->level > 0 ? remove(path) : 0;
}

void clear_folder(void)
{
    assert_int_equal(nftw(folder(), remove_entry, 8, FTW_DEPTH | FTW_PHYS), 0);
}

static void remove_folder(void)
{
    (void)nftw(root, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
    (void)rmdir(root);
}

const char *folder(void)
{
    if (!made) {
        assert_non_null(mkdtemp(root));
        made = true;
        assert_int_equal(atexit(remove_folder), 0);
    }
    return root;
}

const char *path_of(const char *name)
{
    static char paths[4][512];
    static int turn;
    turn = (turn + 1) % 4;
    assert_in_range(snprintf(paths[turn], sizeof paths[turn], "%s/%s", folder(), name), 1,
                    sizeof paths[turn] - 1);
    return paths[turn];
}

static void make_parents(const char *path)
{
    char parent[512];
    (void)snprintf(parent, sizeof parent, "%s", path);
    for (char *slash = strchr(parent + strlen(folder()) + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        (void)mkdir(parent, 0755);
        *slash = '/';
    }
}

void write_file(const char *name, const void *bytes, size_t count)
{
    const char *path = path_of(name);
    make_parents(path);
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, count, file), count);
    assert_int_equal(fclose(file), 0);
}

void write_gzip(const char *name, const void *bytes, size_t count, bool append)
{
    const char *path = path_of(name);
    make_parents(path);
    gzFile file = gzopen(path, append ? "ab" : "wb");
    assert_non_null(file);
    assert_int_equal(gzwrite(file, bytes, (unsigned)count), count);
    assert_int_equal(gzclose(file), Z_OK);
}

size_t read_back(const char *name, void *bytes, size_t capacity)
{
    FILE *file = fopen(path_of(name), "rb");
    assert_non_null(file);
    size_t count = fread(bytes, 1, capacity, file);
    assert_true(count < capacity);
    assert_int_equal(fclose(file), 0);
    return count;
}

uint8_t made_pixel(int split, int64_t i, int64_t k)
{
    uint32_t mixed = (uint32_t)(i * 40503 + k * 9973 + split * 77) * 2654435761U;
    return (uint8_t)(mixed >> 24);
}

int made_label(int split, int64_t i, int classes)
{
    return (int)((classes - 1 + i * 7 + split * 3) % classes); /* the largest label comes first */
}

void put_u32(unsigned char *into, uint32_t value)
{
    for (int i = 0; i < 4; i++) {
        into[i] = (unsigned char)(value >> (24 - 8 * i));
    }
}

size_t idx_images(unsigned char *into, int split, uint32_t count)
{
    put_u32(into, 0x803);
    put_u32(into + 4, count);
    put_u32(into + 8, 28);
    put_u32(into + 12, 28);
    for (uint32_t i = 0; i < count; i++) {
        for (uint32_t k = 0; k < 28 * 28; k++) {
            into[16 + (size_t)i * 28 * 28 + k] = made_pixel(split, i, k);
        }
    }
    return 16 + (size_t)count * 28 * 28;
}

size_t idx_labels(unsigned char *into, int split, uint32_t count)
{
    put_u32(into, 0x801);
    put_u32(into + 4, count);
    for (uint32_t i = 0; i < count; i++) {
        into[8 + i] = (unsigned char)made_label(split, i, 10);
    }
    return 8 + count;
}

static void write_one_idx(const char *below, const char *what, const char *dash, const char *rest, bool gzip,
                          const unsigned char *bytes, size_t count)
{
    char name[256];
    (void)snprintf(name, sizeof name, "%s/%s%s%s%s", below, what, dash, rest, gzip ? ".gz" : "");
    if (gzip) {
        write_gzip(name, bytes, count, false);
    } else {
        write_file(name, bytes, count);
    }
}

void write_idx(const char *below, idx_names names)
{
    static unsigned char bytes[16 + IDX_TRAIN * 28 * 28];
    static const char *const split_names[] = {"train", "t10k"};
    static const uint32_t counts[] = {IDX_TRAIN, IDX_TEST};
    for (int split = 0; split < 2; split++) {
        char what[32];
        (void)snprintf(what, sizeof what, "%s-images", split_names[split]);
        write_one_idx(below, what, names.before, "idx3-ubyte", names.gzip_images, bytes,
                      idx_images(bytes, split, counts[split]));
        (void)snprintf(what, sizeof what, "%s-labels", split_names[split]);
        write_one_idx(below, what, names.before, "idx1-ubyte", names.gzip_labels, bytes,
                      idx_labels(bytes, split, counts[split]));
    }
}

size_t cifar_records(unsigned char *into, int split, int64_t first, int count, int label_bytes)
{
    size_t used = 0;
    for (int64_t i = first; i < first + count; i++) {
        if (label_bytes == 2) {
            into[used++] = (unsigned char)(19 - i % 20); /* coarse: nobody asks for it */
        }
        into[used++] = (unsigned char)made_label(split, i, label_bytes == 2 ? 100 : 10);
        for (int64_t k = 0; k < 3072; k++) {
            into[used++] = made_pixel(split, i, k);
        }
    }
    return used;
}

static void write_cifar(const char *below, const char *name, int split, int64_t first, int count,
                        int label_bytes)
{
    static unsigned char bytes[CIFAR_RECORDS * CIFAR100_RECORD];
    char path[256];
    (void)snprintf(path, sizeof path, "%s/%s", below, name);
    write_file(path, bytes, cifar_records(bytes, split, first, count, label_bytes));
}

void write_cifar10(const char *below)
{
    for (int file = 0; file < 5; file++) {
        char name[32];
        (void)snprintf(name, sizeof name, "data_batch_%d.bin", file + 1);
        write_cifar(below, name, TRAIN, (int64_t)file * CIFAR_RECORDS, CIFAR_RECORDS, 1);
    }
    write_cifar(below, "test_batch.bin", TEST, 0, CIFAR_TESTS, 1);
}

void write_cifar100(const char *below)
{
    write_cifar(below, "train.bin", TRAIN, 0, CIFAR_RECORDS, 2);
    write_cifar(below, "test.bin", TEST, 0, CIFAR_TESTS, 2);
}

void check_split(const rs_dataset *dataset, const rs_split *split, int which, int64_t count)
{
    int64_t bytes = (int64_t)dataset->channels * dataset->height * dataset->width;
    assert_int_equal(split->count, count);
    for (int64_t i = 0; i < count; i++) {
        assert_int_equal(split->labels[i], made_label(which, i, dataset->classes));
        for (int64_t k = 0; k < bytes; k++) {
            if (split->images[i * bytes + k] != made_pixel(which, i, k)) {
                fail_msg("split %d, image %d, byte %d: %d instead of %d", which, (int)i, (int)k,
                         split->images[i * bytes + k], made_pixel(which, i, k));
            }
        }
    }
}
