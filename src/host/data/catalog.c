/* catalog.c: the data sets; see catalog.h. Checksums are of the files as their publishers offer them. */
#include "catalog.h"

#include <stddef.h>
#include <string.h>

#define MIB (UINT64_C(1) << 20)

static const char *const idx_files[] = {"train-images-idx3-ubyte", "train-labels-idx1-ubyte",
                                        "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"};
static const char *const cifar10_files[] = {"data_batch_1.bin", "data_batch_2.bin", "data_batch_3.bin",
                                            "data_batch_4.bin", "data_batch_5.bin", "test_batch.bin"};
static const char *const cifar100_files[] = {"train.bin", "test.bin"};

/* "" is the data directory itself. Fashion-MNIST never: its files bear the names of MNIST's. */
static const char *const mnist_folders[] = {"mnist", "mnist/raw", "MNIST/raw", "MNIST", "", NULL};
static const char *const fashion_folders[] = {"fashion-mnist", "fashion-mnist/raw", "FashionMNIST/raw",
                                              "FashionMNIST", NULL};
static const char *const cifar10_folders[] = {"cifar-10-batches-bin", "cifar10/cifar-10-batches-bin",
                                              "cifar10", "", NULL};
static const char *const cifar100_folders[] = {"cifar-100-binary", "cifar100/cifar-100-binary", "cifar100",
                                               "", NULL};

static const char *const mnist_bases[] = {"https://ossci-datasets.s3.amazonaws.com/mnist/",
                                          "https://storage.googleapis.com/cvdf-datasets/mnist/", NULL};
static const char *const fashion_bases[] = {
    "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
    "https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/master/data/fashion/",
    "https://storage.googleapis.com/tensorflow/tf-keras-datasets/", NULL};
static const char *const cifar_bases[] = {
    "https://www.cs.toronto.edu/~kriz/",
    "https://mindspore-website.obs.cn-north-4.myhuaweicloud.com/notebook/datasets/", NULL};

static const rs__download_item mnist_downloads[] = {
    {"train-images-idx3-ubyte.gz", 9912422, "f68b3c2dcbeaaa9fbdd348bbdeb94873", NULL},
    {"train-labels-idx1-ubyte.gz", 28881, "d53e105ee54ea40749a09fcbcd1e9432", NULL},
    {"t10k-images-idx3-ubyte.gz", 1648877, "9fb629c4189551a2d022fa330f9573f3", NULL},
    {"t10k-labels-idx1-ubyte.gz", 4542, "ec29112dd5afa0611ce80d1b7f02629c", NULL}};
static const rs__download_item fashion_downloads[] = {
    {"train-images-idx3-ubyte.gz", 26421880, "8d4fb7e6c68d591d4c3dfef9ec88bf0d", NULL},
    {"train-labels-idx1-ubyte.gz", 29515, "25c81989df183df01b3e8a0aad5dffbe", NULL},
    {"t10k-images-idx3-ubyte.gz", 4422102, "bef4ecab320f06d8554ea6380940ec79", NULL},
    {"t10k-labels-idx1-ubyte.gz", 5148, "bb300cfdad3c16e7a12a480ee83cd310", NULL}};
static const rs__download_item cifar10_downloads[] = {
    {"cifar-10-binary.tar.gz", 170052171, "c32a1d4ab5d03f1284b67883e8d87530",
     "c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd"}};
static const rs__download_item cifar100_downloads[] = {
    {"cifar-100-binary.tar.gz", 168513733, "03b5dce01913d631647c71ecec9e9cb8",
     "58a81ae192c23a4be8b1804d68e518ed807d710a4eb253b1f2a199162a40d8ec"}};

static const rs__set sets[] = {
    {.name = "cifar10",
     .title = "CIFAR-10: 60,000 colour photographs, 32x32, 10 classes",
     .page = "https://www.cs.toronto.edu/~kriz/cifar.html",
     .format = RS__FORMAT_CIFAR,
     .channels = 3,
     .height = 32,
     .width = 32,
     .classes = 10,
     .mean = 0.5F,
     .std = 0.5F,
     .class_names = rs__cifar10_names,
     .files = cifar10_files,
     .file_count = 6,
     .file_limit = 64 * MIB,
     .folders = cifar10_folders,
     .look_alike = "cifar-10-batches-py",
     .train_records = 10000,
     .test_records = 10000,
     .label_bytes = 1,
     .label_at = 0,
     .bases = cifar_bases,
     .downloads = cifar10_downloads,
     .download_count = 1},
    {.name = "cifar100",
     .title = "CIFAR-100: 60,000 colour photographs, 32x32, 100 classes (fine labels)",
     .page = "https://www.cs.toronto.edu/~kriz/cifar.html",
     .format = RS__FORMAT_CIFAR,
     .channels = 3,
     .height = 32,
     .width = 32,
     .classes = 100,
     .mean = 0.5F,
     .std = 0.5F,
     .class_names = rs__cifar100_names,
     .files = cifar100_files,
     .file_count = 2,
     .file_limit = 256 * MIB,
     .folders = cifar100_folders,
     .look_alike = "cifar-100-python",
     .train_records = 50000,
     .test_records = 10000,
     .label_bytes = 2,
     .label_at = 1,
     .bases = cifar_bases,
     .downloads = cifar100_downloads,
     .download_count = 1},
    {.name = "mnist",
     .title = "MNIST: 70,000 handwritten digits, 28x28 grey, 10 classes",
     .page = "http://yann.lecun.com/exdb/mnist/",
     .format = RS__FORMAT_IDX,
     .channels = 1,
     .height = 28,
     .width = 28,
     .classes = 10,
     .mean = 0.1307F,
     .std = 0.3081F,
     .class_names = rs__mnist_names,
     .files = idx_files,
     .file_count = 4,
     .file_limit = 1024 * MIB,
     .folders = mnist_folders,
     .bases = mnist_bases,
     .downloads = mnist_downloads,
     .download_count = 4},
    {.name = "fashion-mnist",
     .title = "Fashion-MNIST: 70,000 pieces of clothing, 28x28 grey, 10 classes",
     .page = "https://github.com/zalandoresearch/fashion-mnist",
     .format = RS__FORMAT_IDX,
     .channels = 1,
     .height = 28,
     .width = 28,
     .classes = 10,
     .mean = 0.5F,
     .std = 0.5F,
     .class_names = rs__fashion_names,
     .files = idx_files,
     .file_count = 4,
     .file_limit = 1024 * MIB,
     .folders = fashion_folders,
     .bases = fashion_bases,
     .downloads = fashion_downloads,
     .download_count = 4},
    {.name = "shapes",
     .title = "shapes: drawn by the program, 32x32 colour, 10 classes, any size",
     .page = "",
     .format = RS__FORMAT_SHAPES,
     .channels = 3,
     .height = 32,
     .width = 32,
     .classes = 10,
     .mean = 0.5F,
     .std = 0.5F,
     .class_names = rs__shape_names,
     .train_records = 10000,
     .test_records = 2000},
    {.name = "function",
     .title = "function: values of --function, any number",
     .page = "",
     .format = RS__FORMAT_FUNCTION,
     .channels = 1,
     .height = 1,
     .width = 1,
     .classes = 1,
     .mean = 0.0F,
     .std = 1.0F},
};

const rs__set *rs__catalog(int *count)
{
    *count = (int)(sizeof sets / sizeof *sets);
    return sets;
}

const rs__set *rs__catalog_find(const char *name)
{
    for (size_t i = 0; i < sizeof sets / sizeof *sets; i++) {
        if (strcmp(sets[i].name, name) == 0) {
            return &sets[i];
        }
    }
    return NULL;
}
