/* export.h: the formats of `export`. Each writes its files of one record through rs__outputs. */
#ifndef RS_INSPECT_EXPORT_H
#define RS_INSPECT_EXPORT_H

#include "arguments.h"
#include "output.h"

/* What is exported. */
typedef struct rs__export {
    const rs_record_reader *reader;
    rs__outputs *outputs;
    int64_t first, count; /* snapshots, of the formats of tensors */
    const char *layers;   /* globs of tensors, or NULL: all */
    bool gradients;       /* beside the weights */
} rs__export;

rs_status rs__export_csv(const rs__export *what, rs_error *error);
rs_status rs__export_json(const rs__export *what, rs_error *error);
rs_status rs__export_yaml(const rs__export *what, rs_error *error);
rs_status rs__export_safetensors(const rs__export *what, rs_error *error);
rs_status rs__export_npy(const rs__export *what, rs_error *error);

/* A field of CSV: in quotes where it holds a comma, a quote or a line's end. */
void rs__csv_text(FILE *stream, const char *text);
/* A number to the bit: 17 digits, or nan, inf, -inf. */
void rs__csv_number(FILE *stream, double value);

#endif
