/* inputs.c: see inputs.h. */
#include "inputs.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "rs/host.h"
#include "rs/text.h"

static rs_status take_snapshots(const char *text, rs__input *input, rs_error *error)
{
    char word[64];
    const char *range = strstr(text, "..");
    int64_t last = 0;
    RS_TRY(rs_record_reader_find_snapshot(input->reader, "last", &last, error));
    if (strcmp(text, "all") == 0) {
        input->count = last + 1;
        return RS_OK;
    }
    if (!range) {
        input->count = 1;
        return rs_record_reader_find_snapshot(input->reader, text, &input->first, error);
    }
    (void)snprintf(word, sizeof word, "%.*s", (int)(range - text), text);
    RS_TRY(rs_record_reader_find_snapshot(input->reader, word, &input->first, error));
    RS_TRY(rs_record_reader_find_snapshot(input->reader, range + 2, &last, error));
    if (last < input->first) {
        return RS_FAIL(error, RS_USAGE, "@%s: the first snapshot comes after the last", text);
    }
    input->count = last - input->first + 1;
    return RS_OK;
}

/* The @ that begins the snapshots, or the end of the text: a file may have one in its name. */
static size_t path_length(const char *argument)
{
    const char *at = strrchr(argument, '@');
    return at && at > argument && access(argument, F_OK) != 0 ? (size_t)(at - argument) : strlen(argument);
}

rs_status rs__run_open(const char *argument, const char *otherwise, rs__input *input, rs_error *error)
{
    const size_t length = path_length(argument);
    memset(input, 0, sizeof *input);
    input->path = rs_strdup(argument);
    if (!input->path) {
        return RS_FAIL(error, RS_MEMORY, "no memory for %s", argument);
    }
    input->path[length] = '\0';
    rs_config_default(&input->config);
    RS_TRY(rs_record_reader_open(input->path, &input->reader, error));
    RS_TRY(take_snapshots(argument[length] ? argument + length + 1 : otherwise, input, error));
    RS_TRY(rs_file_sha256(input->path, input->sha256, error));
    return rs_config_read_yaml(&input->config, rs_record_reader_config(input->reader), input->path, error);
}

void rs__run_close(rs__input *input)
{
    rs_record_reader_close(input->reader);
    rs_free(input->path);
    memset(input, 0, sizeof *input);
}

/* Whether one glob takes the name, or its beginning up to one of its dots. */
static bool takes(const char *glob, const char *name)
{
    char part[RS_NAME_MAX];
    (void)snprintf(part, sizeof part, "%s", name);
    for (;;) {
        if (rs_text_glob(glob, part)) {
            return true;
        }
        char *dot = strrchr(part, '.');
        if (!dot) {
            return false;
        }
        *dot = '\0';
    }
}

bool rs__glob_takes(const char *globs, const char *name)
{
    char glob[RS_NAME_MAX];
    if (!globs || !*globs) {
        return strncmp(name, "heads.", strlen("heads.")) != 0;
    }
    while (rs_text_next_word(&globs, ',', glob, sizeof glob)) {
        if (takes(glob, name)) {
            return true;
        }
    }
    return false;
}

rs_status rs__tensors_of(const rs__input *input, const char *globs, rs__tensors *tensors, rs_error *error)
{
    int64_t rows, width;
    memset(tensors, 0, sizeof *tensors);
    RS_TRY(rs_record_reader_series_size(input->reader, "parameters/shape", &rows, &width, error));
    if (width != RS_MAX_RANK || rows < 1 || rows > INT32_MAX) {
        return RS_FAIL(error, RS_DATA, "%s: parameters/shape is not as a record has it", input->path);
    }
    tensors->list = rs_alloc_array((size_t)rows, sizeof *tensors->list);
    if (!tensors->list) {
        return RS_FAIL(error, RS_MEMORY, "no memory for the list of tensors of %s", input->path);
    }
    for (int64_t row = 0; row < rows; row++) {
        rs__tensor *tensor = &tensors->list[tensors->count];
        RS_TRY(rs_record_reader_parameter(input->reader, row, tensor, error));
        if (rs__glob_takes(globs, tensor->name)) {
            tensors->count++;
            tensors->weights += tensor->count;
            tensors->largest = tensor->count > tensors->largest ? tensor->count : tensors->largest;
        }
    }
    return tensors->count > 0 ? RS_OK
                              : RS_FAIL(error, RS_USAGE,
                                        "--layer %s takes no parameter of %s; `resnet_study info` lists them",
                                        globs, input->path);
}
