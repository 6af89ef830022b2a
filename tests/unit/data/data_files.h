/* data_files.h: small data sets in a temporary folder, and assertions on statuses, for the tests of data sets. */
#ifndef RS_TESTS_DATA_FILES_H
#define RS_TESTS_DATA_FILES_H

#include <setjmp.h> /* cmocka.h needs these four first */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdbool.h>

#include "rs/dataset.h"

extern rs_error error; /* of the last call under test */

/* Fail unless the status is the expected one; a failure must say `text`, too. */
void ok(rs_status status);
void refused(rs_status status, rs_status expected, const char *text);
/* The error's text also holds this. */
void says(const char *text);

/* A folder of this process's own, made at the first call and removed at its end. */
const char *folder(void);
const char *path_of(const char *name); /* folder()/NAME; good until the fourth call after this one */
void clear_folder(void);               /* removes all that is in it */

/* Writes one file below the folder, and the folders that lead to it. */
void write_file(const char *name, const void *bytes, size_t count);
/* The same as a gzip member; `append` puts it behind what is there. */
void write_gzip(const char *name, const void *bytes, size_t count, bool append);
size_t read_back(const char *name, void *bytes, size_t capacity); /* returns its size */

/* Byte k of image i in a made-up split: every image differs from every other. */
uint8_t made_pixel(int split, int64_t i, int64_t k);
int made_label(int split, int64_t i, int classes);

enum { TRAIN, TEST };                        /* splits */
enum { IDX_TRAIN = 7, IDX_TEST = 4 };        /* images in them */
enum { CIFAR_RECORDS = 3, CIFAR_TESTS = 2 }; /* in each training file; in the test file */
enum { CIFAR10_RECORD = 3073, CIFAR100_RECORD = 3074 };

/* Contents of IDX files; return the bytes used. Headers may lie: they say what they are told. */
size_t idx_images(unsigned char *into, int split, uint32_t count);
size_t idx_labels(unsigned char *into, int split, uint32_t count);
void put_u32(unsigned char *into, uint32_t value); /* big-endian */

/* The four IDX files in one folder below folder(), with this between name and extension of each. */
typedef struct idx_names {
    const char *before; /* "-": train-images-idx3-ubyte, ".": train-images.idx3-ubyte */
    bool gzip_images, gzip_labels;
} idx_names;
void write_idx(const char *below, idx_names names);

/* Contents of a batch file: records of `label_bytes` (1: label; 2: coarse, fine) and an image. Images number
 * from `first` in their split. */
size_t cifar_records(unsigned char *into, int split, int64_t first, int count, int label_bytes);
void write_cifar10(const char *below);
void write_cifar100(const char *below);

/* Fail unless a split is the beginning of the made-up one. */
void check_split(const rs_dataset *dataset, const rs_split *split, int which, int64_t count);

#endif
