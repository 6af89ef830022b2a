/* catalog.h: the table of data sets: shapes, normalisation, file names, folders searched, official sources.
 *
 * Everything that loading and fetching know about a set stands in its rs__set. Both take the table entry as
 * an argument, so that a test can pass an entry of its own (small files, a server on loopback). */
#ifndef RS_DATA_CATALOG_H
#define RS_DATA_CATALOG_H

#include <stdint.h>

enum { RS__MAX_FILES = 6 };

typedef enum rs__format {
    RS__FORMAT_IDX,     /* files: train images, train labels, test images, test labels */
    RS__FORMAT_CIFAR,   /* files: the training batches in order, the test batch last */
    RS__FORMAT_SHAPES,  /* no files: drawn by shapes.c */
    RS__FORMAT_FUNCTION /* no files: computed by function.c */
} rs__format;

/* One file that a source offers. */
typedef struct rs__download_item {
    const char *file; /* name behind a base URL */
    uint64_t bytes;
    const char *md5, *sha256; /* lower-case hex; either may be NULL */
} rs__download_item;

typedef struct rs__set {
    const char *name, *title;
    const char *page; /* where a person reads about it */
    rs__format format;
    int channels, height, width, classes;
    float mean, std;
    const char *const *class_names; /* NULL: no classes */

    const char *const *files; /* [file_count] names as the program wants them */
    int file_count;           /* 0: built in */
    uint64_t file_limit;      /* no file is larger than this, unpacked */
    const char *const
        *folders;           /* searched below the data directory, NULL at the end; fetched into the first */
    const char *look_alike; /* a folder of the same set in a form this program can't read; or NULL */

    int64_t train_records, test_records; /* CIFAR: in each file; shapes: the default sizes */
    int label_bytes, label_at; /* CIFAR: bytes of a record before the image; which one is the label */

    const char *const *bases;           /* URLs up to the file name, official first, NULL at the end */
    const rs__download_item *downloads; /* [download_count] data files themselves, or one archive of them */
    int download_count;
} rs__set;

/* The table in the order of `data list`. */
const rs__set *rs__catalog(int *count);
/* NULL when there is none. */
const rs__set *rs__catalog_find(const char *name);

extern const char *const rs__cifar10_names[10],
    *const rs__cifar100_names[100], *const rs__mnist_names[10], *const rs__fashion_names[10],
                                                                    *const rs__shape_names[10];

#endif
