/* info.h: what `info` says of a file, shared by its text and its JSON. */
#ifndef RS_RECORD_INFO_H
#define RS_RECORD_INFO_H

#include <stdio.h>

#include "contents.h"

/* "f32", "text". */
const char *rs__info_type(const rs_content *content);

/* The last committed values of a record; NULL: none of that kind. Of classes an accuracy is recorded, of numbers that are
 * predicted the mean absolute error and R squared. */
enum { RS__INFO_LAST = 4, RS__INFO_VALUES = 4 };
typedef struct rs__info_last {
    const char *label;
    const char *paths[RS__INFO_VALUES]; /* of the data sets: loss, accuracy, mean absolute error, R squared */
} rs__info_last;
extern const rs__info_last rs__info_last_values[RS__INFO_LAST];
/* The last committed value of a series; false where there is none. */
bool rs__info_last_value(const rs_contents *contents, const char *path, double *value);

/* One layer of a record, or a block; borrowed. */
typedef struct rs__info_layers {
    int64_t count;
    char (*names)[RS_NAME_MAX], (*kinds)[RS_NAME_MAX];
    int64_t (*shapes)[3]; /* channels, height, width of its output */
} rs__info_layers;
/* No layers (count 0) where the file has no such tables. The caller frees them. */
rs_status rs__info_read_layers(const rs_contents *contents, rs__info_layers *layers, rs_error *error);
void rs__info_free_layers(rs__info_layers *layers);

/* An attribute of an object of the file: text, or a number. */
typedef struct rs__info_attribute {
    const char *name;
    enum { RS__INFO_TEXT, RS__INFO_INTEGER, RS__INFO_REAL } type;
    const char *text;
    int64_t integer;
    double real;
} rs__info_attribute;
/* Calls `see` with every attribute of `object`, in the order of their names. */
rs_status rs__info_attributes(hid_t object, void (*see)(void *context, const rs__info_attribute *attribute),
                              void *context, rs_error *error);

rs_status rs__info_print(const rs_contents *contents, const char *path, FILE *stream, rs_error *error);
rs_status rs__info_json(const rs_contents *contents, const char *path, FILE *stream, rs_error *error);

#endif
