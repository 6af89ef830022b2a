/* rs/dataset.h: labelled images in memory as bytes, or samples of a function as numbers, and batches of them. */
#ifndef RS_DATASET_H
#define RS_DATASET_H

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "rs/data_options.h"
#include "rs/status.h"

typedef struct rs_split {
    int64_t count;
    const uint8_t *images; /* [count, C, H, W] bytes; NULL where there are values */
    const int32_t *labels; /* [count], 0 .. classes - 1; NULL where there are targets */
    const float *values;   /* [count, C, H, W] as the network takes them; NULL where there are images */
    const float *targets;  /* [count, classes]; NULL where there are labels */
} rs_split;

typedef struct rs_dataset {
    char name[32];
    int channels, height, width;
    int classes; /* or numbers in a target */
    float mean[RS_MAX_CHANNELS],
        std[RS_MAX_CHANNELS];       /* x = (byte / 255 - mean) / std, each step in float32 */
    const char *const *class_names; /* [classes] */
    rs_split train, test;
    rs_split valid;   /* cut off from the training samples; count 0: the test set serves */
    char *provenance; /* YAML text: source, file names, sizes and sha256 of each file read */
} rs_dataset;

/* What is done with a data set before training. All is 0, NULL or "" where nothing is asked for.
 *
 * In this order: the first N samples; resize; the numbers of "train" normalization, of all training images; the
 * validation samples leave the training samples; the two change places; labels drawn at random. Nothing but resize
 * and normalization ever touches the test samples. */
typedef struct rs_dataset_request {
    const char *name; /* cifar10 cifar100 mnist fashion-mnist shapes function */
    const char
        *directory; /* "" : $RS_DATA_DIR, else $XDG_CACHE_HOME/resnet_study, else ~/.cache/resnet_study */
    bool download;  /* fetch it when it is missing */
    int64_t train_limit, test_limit; /* first N; 0: all */
    int resize;    /* side after torchvision-exact bilinear resize of the bytes; 0: as it is */
    uint64_t seed; /* of shapes only: always 0 in the program, so that "shapes" is one data set */
    const volatile sig_atomic_t *stop; /* or NULL; once it is not 0, a download ends with INTERRUPTED */

    uint64_t split_seed;       /* of the validation split, random labels and a function's samples */
    int64_t valid_split;       /* so many training samples become the validation samples; 0: none */
    bool swap_splits;          /* train on those, validate on the others */
    double random_labels;      /* share of the training labels (after the split) drawn anew; 0 .. 1 */
    const char *normalization; /* as rs_normalization_parse takes it; "": the data set's own */

    const char *function; /* of "function" alone, as the next four: sin-log, sinc, sinc-log */
    double function_from, function_to;
    int64_t function_samples; /* training samples, uniform on [from, to) */
    int64_t function_valid;   /* the test samples: evenly spaced, both ends among them */
} rs_dataset_request;

/* Loads (and fetches, when allowed and missing) a data set. The caller owns *dataset. DATA names file,
 * offset, remedy. */
rs_status rs_dataset_load(const rs_dataset_request *request, rs_dataset **dataset, rs_error *error);
void rs_dataset_destroy(rs_dataset *dataset); /* takes NULL */

/* What the samples of a data set will be, as rs_dataset says it. */
typedef struct rs_dataset_shape {
    int channels, height, width;
    int classes;  /* or numbers in a target */
    bool targets; /* in place of labels */
} rs_dataset_shape;
/* The shape that a request asks for, without loading anything. USAGE: unknown name, or a request that loading refuses for
 * what it says. */
rs_status rs_dataset_shape_of(const rs_dataset_request *request, rs_dataset_shape *shape, rs_error *error);

/* counts [classes]: how many samples of a split have each label. All 0 of a split with targets. */
void rs_split_class_counts(const rs_split *split, int classes, int64_t *counts);

/* What the labels of a data set mean, in label order: [*count], for ever; NULL and 0 where it has no labels or is not known. */
const char *const *rs_dataset_class_names(const char *name, int *count);

/* One batch, borrowed from a loader until the next call of rs_loader_next. */
typedef struct rs_batch {
    int64_t count; /* samples, <= the plan's largest batch size and one of its sizes */
    const uint8_t
        *images; /* [count, C, H, W] bytes; NULL from a loader that leaves them out, and with values */
    const int32_t *labels;     /* [count]; NULL with targets */
    const float *values;       /* [count, C, H, W] instead of images, or NULL (also left out) */
    const float *targets;      /* [count, classes of the data set] instead of labels, or NULL */
    const int64_t *sample_ids; /* [count] place in the split */
    const rs_split *split;     /* that it is of; NULL: of changed images, or not known */
    int64_t epoch;             /* from 0 */
} rs_batch;

/* Batches of a split, gathered by a prefetch thread that runs ahead by two batches. The thread enters no
 * OpenMP, no BLAS. With shuffle the order of epoch e (from 0) is rs_permutation(seed, e); without, as stored.
 * The last, smaller batch is kept. */
typedef struct rs_loader rs_loader;
typedef struct rs_loader_options {
    int64_t batch_size; /* 0: all samples at once */
    bool shuffle;
    uint64_t seed;
    bool prefetch;         /* false: gather in the caller's thread (same batches) */
    bool leave_out_images; /* whoever takes the batches has the split already; also leaves out values */
    /* Images are changed as they are gathered: a function of (augment_seed, epoch, place in the split), so that
     * batches, threads and resume change nothing. Such batches need their images (USAGE with leave_out_images) and
     * have no batch.split, whose images are others. Only the training loader asks for it. */
    rs_augmentation augment;
    uint64_t augment_seed;
} rs_loader_options;
/* `dataset` is borrowed and outlives the loader; `split` is one of its splits. */
rs_status rs_loader_create(const rs_dataset *dataset, const rs_split *split, const rs_loader_options *options,
                           rs_loader **loader, rs_error *error);
void rs_loader_destroy(rs_loader *loader);        /* takes NULL; stops the thread */
int64_t rs_loader_steps(const rs_loader *loader); /* batches in an epoch */
/* Begins an epoch at a batch (0: its start; more when a run resumes mid-epoch). */
rs_status rs_loader_start(rs_loader *loader, int64_t epoch, int64_t first_batch, rs_error *error);
/* The next batch, or count 0 after the last. Waits for the prefetch thread. */
rs_status rs_loader_next(rs_loader *loader, rs_batch *batch, rs_error *error);

/* Bilinear resize as torchvision's Resize on a PIL image: Pillow's integer arithmetic, horizontal pass first,
 * rounded to bytes after each. One channel: in [height, width], out [size, size]. */
rs_status rs_resize_bytes(const uint8_t *in, int height, int width, uint8_t *out, int size, rs_error *error);

/* SHA-256 of a file as lower-case hex: what a result says of the files it was computed from. DATA when it can't be read. */
enum { RS_SHA256_TEXT = 65 };
rs_status rs_file_sha256(const char *path, char hex[RS_SHA256_TEXT], rs_error *error);

/* The commands `data list` and `data fetch NAME [--from DIR|ARCHIVE|URL] [--data-dir DIR]`; argv[0] is
 * "data". Returns the exit status of the program. */
int rs_command_data(int argc, char **argv);

#endif
