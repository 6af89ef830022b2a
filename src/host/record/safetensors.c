/* safetensors.c: see rs/safetensors.h. The header's JSON is of one form only,
 *
 *     {"NAME": {"dtype": "F32", "shape": [2, 3], "data_offsets": [0, 24]}, "__metadata__": {"KEY": "TEXT"}}
 *
 * so it is read by a scanner without recursion. Names with escapes are skipped as they are: ours have none. */
#include "rs/safetensors.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "rs/host.h"

enum { LENGTH_BYTES = 8, MOST_HEADER = 16 << 20, MOST_TENSORS = 1 << 14, TYPE_BYTES = 8, PIECE = 1 << 16 };

typedef struct tensor {
    char name[RS_NAME_MAX];
    char type[TYPE_BYTES];
    rs_shape shape;
    uint64_t begin, end; /* bytes behind the header */
} tensor;

struct rs_safetensors {
    char *path;
    FILE *stream;
    uint64_t data, bytes; /* where data begin in the file, and how many */
    int count, capacity;
    tensor *list;
};

/* --- scanning ------------------------------------------------------------------------------------------- */
typedef struct scan {
    const char *at, *end;
    bool bad;
} scan;

static char peek(scan *s)
{
    while (s->at < s->end && isspace((unsigned char)*s->at)) {
        s->at++;
    }
    return s->at < s->end ? *s->at : '\0';
}

/* Takes one character if it comes next. */
static bool accept(scan *s, char c)
{
    bool there = !s->bad && peek(s) == c;
    s->at += there;
    return there;
}

static void expect(scan *s, char c)
{
    s->bad = !accept(s, c) || s->bad;
}

/* A string without its quotes; one too long for `text` is cut to nothing: no name of ours is. */
static void read_string(scan *s, char *text, size_t capacity)
{
    size_t length = 0;
    expect(s, '"');
    while (!s->bad && s->at < s->end && *s->at != '"') {
        if (*s->at == '\\') {
            s->at++;
        }
        if (s->at < s->end) {
            if (length + 1 < capacity) {
                text[length] = *s->at;
            }
            length++;
            s->at++;
        }
    }
    text[length < capacity ? length : 0] = '\0';
    expect(s, '"');
}

static uint64_t read_number(scan *s)
{
    uint64_t value = 0;
    s->bad = s->bad || !isdigit((unsigned char)peek(s));
    while (!s->bad && s->at < s->end && isdigit((unsigned char)*s->at)) {
        s->bad = __builtin_mul_overflow(value, 10u, &value) ||
                 __builtin_add_overflow(value, (uint64_t)(*s->at - '0'), &value);
        s->at++;
    }
    return value;
}

/* Up to `most` numbers in brackets; returns how many there were. */
static int read_numbers(scan *s, uint64_t *numbers, int most)
{
    int count = 0;
    expect(s, '[');
    if (accept(s, ']')) {
        return 0;
    }
    do {
        uint64_t value = read_number(s);
        if (count < most) {
            numbers[count] = value;
        }
        count++;
    } while (!s->bad && accept(s, ','));
    expect(s, ']');
    return count;
}

static void read_shape(scan *s, rs_shape *shape)
{
    uint64_t sides[RS_MAX_RANK] = {0};
    int rank = read_numbers(s, sides, RS_MAX_RANK);
    shape->rank = rank; /* beyond RS_MAX_RANK: of no tensor of ours */
    for (int i = 0; i < rank && i < RS_MAX_RANK; i++) {
        s->bad = s->bad || sides[i] > INT64_MAX;
        shape->dim[i] = (int64_t)sides[i];
    }
}

static void read_fields(scan *s, tensor *t)
{
    char key[RS_NAME_MAX];
    uint64_t offsets[2] = {1, 0};
    expect(s, '{');
    do {
        read_string(s, key, sizeof key);
        expect(s, ':');
        if (strcmp(key, "dtype") == 0) {
            read_string(s, t->type, sizeof t->type);
        } else if (strcmp(key, "shape") == 0) {
            read_shape(s, &t->shape);
        } else if (strcmp(key, "data_offsets") == 0) {
            s->bad = read_numbers(s, offsets, 2) != 2 || s->bad;
        } else {
            s->bad = true;
        }
    } while (!s->bad && accept(s, ','));
    expect(s, '}');
    t->begin = offsets[0];
    t->end = offsets[1];
}

static void skip_metadata(scan *s)
{
    char text[RS_NAME_MAX];
    expect(s, '{');
    if (accept(s, '}')) {
        return;
    }
    do {
        read_string(s, text, sizeof text);
        expect(s, ':');
        read_string(s, text, sizeof text);
    } while (!s->bad && accept(s, ','));
    expect(s, '}');
}

/* --- the header ----------------------------------------------------------------------------------------- */
static const tensor *find(const rs_safetensors *file, const char *name)
{
    for (int i = 0; i < file->count; i++) {
        if (strcmp(file->list[i].name, name) == 0) {
            return &file->list[i];
        }
    }
    return NULL;
}

static rs_status append(rs_safetensors *file, const tensor *t, rs_error *error)
{
    if (file->count == file->capacity) {
        int capacity = file->capacity ? 2 * file->capacity : 64;
        tensor *grown = rs_alloc_array((size_t)capacity, sizeof *grown);
        if (!grown) {
            return RS_FAIL(error, RS_MEMORY, "no memory for the list of tensors of %s", file->path);
        }
        if (file->count) {
            memcpy(grown, file->list, (size_t)file->count * sizeof *grown);
        }
        rs_free(file->list);
        file->list = grown;
        file->capacity = capacity;
    }
    file->list[file->count++] = *t;
    return RS_OK;
}

static rs_status bad_header(const rs_safetensors *file, const char *what, rs_error *error)
{
    return RS_FAIL(error, RS_DATA, "%s is no safetensors file: %s", file->path, what);
}

static rs_status read_header(rs_safetensors *file, scan *s, rs_error *error)
{
    expect(s, '{');
    if (accept(s, '}')) {
        return RS_OK;
    }
    do {
        tensor t = {0};
        read_string(s, t.name, sizeof t.name);
        expect(s, ':');
        if (strcmp(t.name, "__metadata__") == 0) {
            skip_metadata(s);
            continue;
        }
        read_fields(s, &t);
        if (!s->bad && (t.begin > t.end || t.end > file->bytes)) {
            return RS_FAIL(error, RS_DATA, "%s: tensor %s lies outside of the file", file->path, t.name);
        }
        if (!s->bad && t.name[0] && find(file, t.name)) {
            return RS_FAIL(error, RS_DATA, "%s has two tensors %s", file->path, t.name);
        }
        if (file->count == MOST_TENSORS) {
            return RS_FAIL(error, RS_DATA, "%s has more than %d tensors", file->path, MOST_TENSORS);
        }
        RS_TRY(s->bad || !t.name[0] ? RS_OK : append(file, &t, error));
    } while (!s->bad && accept(s, ','));
    expect(s, '}');
    return s->bad ? bad_header(file, "its header cannot be read", error) : RS_OK;
}

static rs_status load_header(rs_safetensors *file, rs_error *error)
{
    unsigned char length[LENGTH_BYTES];
    uint64_t header = 0;
    struct stat about;
    if (fstat(fileno(file->stream), &about) != 0 ||
        fread(length, 1, sizeof length, file->stream) != sizeof length) {
        return bad_header(file, "it is too short", error);
    }
    for (int i = LENGTH_BYTES - 1; i >= 0; i--) {
        header = header << 8 | length[i];
    }
    const uint64_t rest = (uint64_t)about.st_size - LENGTH_BYTES;
    if (header == 0 || header > MOST_HEADER || header > rest) {
        return bad_header(file, "the length of its header makes no sense", error);
    }
    file->data = LENGTH_BYTES + header;
    file->bytes = rest - header;
    char *text = rs_alloc((size_t)header);
    if (!text) {
        return RS_FAIL(error, RS_MEMORY, "no memory for the header of %s (%" PRIu64 " bytes)", file->path,
                       header);
    }
    scan s = {.at = text, .end = text + header};
    rs_status status = fread(text, 1, (size_t)header, file->stream) == header
                           ? read_header(file, &s, error)
                           : bad_header(file, "it is cut off", error);
    rs_free(text);
    return status;
}

rs_status rs_safetensors_open(const char *path, rs_safetensors **file, rs_error *error)
{
    rs_safetensors *made = rs_alloc_zero(sizeof *made);
    rs_status status = RS_OK;
    if (!made || !(made->path = rs_strdup(path))) {
        rs_safetensors_close(made);
        return RS_FAIL(error, RS_MEMORY, "no memory to read %s", path);
    }
    made->stream = fopen(path, "rb");
    status =
        made->stream ? load_header(made, error) : RS_FAIL(error, RS_DATA, "%s: %s", path, strerror(errno));
    if (status) {
        rs_safetensors_close(made);
        return status;
    }
    *file = made;
    return RS_OK;
}

void rs_safetensors_close(rs_safetensors *file)
{
    if (!file) {
        return;
    }
    if (file->stream) {
        (void)fclose(file->stream);
    }
    rs_free(file->list);
    rs_free(file->path);
    rs_free(file);
}

bool rs_safetensors_has(const rs_safetensors *file, const char *name)
{
    return find(file, name) != NULL;
}

/* --- values --------------------------------------------------------------------------------------------- */
static bool same_shape(const rs_shape *a, const rs_shape *b)
{
    bool same = a->rank == b->rank;
    for (int i = 0; same && i < a->rank; i++) {
        same = a->dim[i] == b->dim[i];
    }
    return same;
}

static rs_status read_doubles(const rs_safetensors *file, float *values, size_t count, rs_error *error)
{
    double piece[PIECE / sizeof(double)];
    const size_t most = sizeof piece / sizeof piece[0];
    for (size_t done = 0; done < count;) {
        size_t now = count - done < most ? count - done : most;
        if (fread(piece, sizeof(double), now, file->stream) != now) {
            return bad_header(file, "it is cut off", error);
        }
        for (size_t i = 0; i < now; i++) {
            values[done + i] = (float)piece[i];
        }
        done += now;
    }
    return RS_OK;
}

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "values are read as they lie in the file");

rs_status rs_safetensors_read(const rs_safetensors *file, const char *name, const rs_shape *shape,
                              float *values, rs_error *error)
{
    const tensor *t = find(file, name);
    const size_t count = (size_t)rs_shape_count(shape);
    if (!t) {
        return RS_FAIL(error, RS_DATA, "%s has no tensor %s", file->path, name);
    }
    const bool wide = strcmp(t->type, "F64") == 0;
    if (!wide && strcmp(t->type, "F32") != 0) {
        return RS_FAIL(error, RS_DATA, "%s: %s is of type %s; F32 and F64 can be read", file->path, name,
                       t->type);
    }
    if (!same_shape(&t->shape, shape) ||
        t->end - t->begin != count * (wide ? sizeof(double) : sizeof(float))) {
        return RS_FAIL(error, RS_DATA, "%s: %s has another shape than in this network", file->path, name);
    }
    if (fseeko(file->stream, (off_t)(file->data + t->begin), SEEK_SET) != 0) {
        return RS_FAIL(error, RS_DATA, "%s: %s", file->path, strerror(errno));
    }
    if (wide) {
        return read_doubles(file, values, count, error);
    }
    return fread(values, sizeof(float), count, file->stream) == count
               ? RS_OK
               : bad_header(file, "it is cut off", error);
}
