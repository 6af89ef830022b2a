/* provenance.c: what a record says of its data: where they come from, and what was done to them. */
#include "provenance.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "prepare.h"
#include "rs/host.h"
#include "rs/random.h"
#include "rs/tensor.h"

enum { MOST_CLASSES = 100 };

typedef struct text_buffer {
    char text[16384];
    size_t used;
} text_buffer;

static void append(text_buffer *buffer, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void append(text_buffer *buffer, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    int length =
        vsnprintf(buffer->text + buffer->used, sizeof buffer->text - buffer->used, format, arguments);
    va_end(arguments);
    RS_ASSERT(length >= 0 && buffer->used + (size_t)length < sizeof buffer->text);
    buffer->used += (size_t)length;
}

static void write_source(text_buffer *buffer, const rs__set *set, const rs_dataset_request *request)
{
    append(buffer, "name: %s\n", set->name);
    if (set->format == RS__FORMAT_SHAPES) {
        append(buffer, "source: built-in\nalgorithm: %s\nseed: %" PRIu64 "\n", RS__SHAPES_ALGORITHM,
               request->seed);
    } else if (set->format == RS__FORMAT_FUNCTION) {
        append(buffer,
               "source: built-in\nalgorithm: %s\nfunction: %s\nfrom: %.17g\nto: %.17g\nseed: %" PRIu64 "\n",
               RS__FUNCTION_ALGORITHM, request->function, request->function_from, request->function_to,
               request->split_seed);
    } else {
        append(buffer, "source: files\npage: %s\n", set->page);
    }
}

static void write_class_counts(text_buffer *buffer, const char *split, const rs__part *part, int classes)
{
    int64_t counts[MOST_CLASSES];
    const rs_split seen = {.count = part->count, .labels = part->labels};
    RS_ASSERT(classes <= MOST_CLASSES);
    if (!part->labels) {
        return;
    }
    rs_split_class_counts(&seen, classes, counts);
    append(buffer, "%s_class_counts: [", split);
    for (int c = 0; c < classes; c++) {
        append(buffer, "%s%" PRId64, c ? ", " : "", counts[c]);
    }
    append(buffer, "]\n");
}

static void write_splits(text_buffer *buffer, const rs__set *set, const rs_dataset_request *request,
                         const rs__loaded *loaded)
{
    append(buffer, "train_samples: %" PRId64 "\ntest_samples: %" PRId64 "\n", loaded->train.count,
           loaded->test.count);
    if (request->valid_split) {
        append(buffer, "valid_samples: %" PRId64 "\nvalid_split: %s\nsplit_seed: %" PRIu64 "\n",
               loaded->valid.count, RS__SPLIT_ALGORITHM, request->split_seed);
        append(buffer, "swapped_splits: %s\n", request->swap_splits ? "true" : "false");
    }
    write_class_counts(buffer, "train", &loaded->train, set->classes);
    write_class_counts(buffer, "test", &loaded->test, set->classes);
    write_class_counts(buffer, "valid", &loaded->valid, set->classes);
}

static void write_changes(text_buffer *buffer, const rs__set *set, const rs_dataset_request *request,
                          const rs__loaded *loaded)
{
    if (request->resize) {
        append(buffer, "resize: %d\nresize_algorithm: pillow-bilinear\n", request->resize);
    }
    if (request->normalization && request->normalization[0]) {
        append(buffer, "normalization: %s\n", request->normalization);
        for (int c = 0; c < set->channels; c++) {
            append(buffer, "%s%.9g", c ? ", " : "mean: [", (double)loaded->mean[c]);
        }
        for (int c = 0; c < set->channels; c++) {
            append(buffer, "%s%.9g", c ? ", " : "]\nstd: [", (double)loaded->std[c]);
        }
        append(buffer, "]\n");
    }
    if (request->random_labels > 0.0) {
        append(buffer,
               "random_labels: %.17g\nrandom_labels_seed: %" PRIu64 "\nlabels_drawn: %" PRId64
               "\nlabels_changed: %" PRId64 "\n",
               request->random_labels, request->split_seed, loaded->labels_drawn, loaded->labels_changed);
    }
}

static void write_files(text_buffer *buffer, const rs__loaded *loaded)
{
    append(buffer, "files:%s\n", loaded->note_count ? "" : " []");
    for (int i = 0; i < loaded->note_count; i++) {
        const rs__file_note *note = &loaded->note[i];
        append(buffer, "  - name: %s\n    bytes: %" PRIu64 "\n    sha256: %s\n", note->name, note->bytes,
               note->sha256);
    }
}

char *rs__provenance(const rs__set *set, const rs_dataset_request *request, const rs__loaded *loaded)
{
    text_buffer buffer = {.used = 0};
    write_source(&buffer, set, request);
    write_splits(&buffer, set, request, loaded);
    write_changes(&buffer, set, request, loaded);
    write_files(&buffer, loaded);
    return rs_strdup(buffer.text);
}
