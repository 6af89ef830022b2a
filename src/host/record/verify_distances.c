/* verify_distances.c: whether the distances that training recorded follow from the weights that it stored; see verify.h. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "rs/host.h"
#include "rs/snapshot_distances.h"
#include "rs/text.h"
#include "verify.h"

/* Both sum the same float differences in double, in another order: n terms of one sign agree to n 2^-53 at worst. Cosine and
 * correlation are differences of such sums, each of them at most 2. */
static const double relative = 1e-9, absolute = 1e-13;

/* Of one data set. */
typedef struct wrong {
    int64_t count;
    rs_recorded_distance first;
} wrong;

typedef struct check {
    const rs_record_reader *reader;
    rs_metric_list metrics;
    rs_snapshot_distances distances;
    int blocks;
    bool *whole; /* [block] all its tensors are stored */
    rs_distance_check *done;
    wrong wrong[2][RS_MAX_METRICS]; /* [to previous, to initial] */
} check;

static void look(void *context, const rs_recorded_distance *value)
{
    check *c = context;
    const rs_metric_kind kind = c->metrics.metric[value->metric].kind;
    const double a = value->found, b = value->recorded, larger = fmax(fabs(a), fabs(b)), apart = fabs(a - b);
    const bool angle = kind == RS_METRIC_COSINE || kind == RS_METRIC_CORRELATION;
    const bool same = a == b || (isnan(a) && isnan(b)); /* infinities too */
    if (!c->whole[value->group]) {
        return;
    }
    c->done->compared++;
    if (same) {
        return;
    }
    if (apart <= relative * larger + (angle ? absolute : 0.0) && isfinite(larger)) {
        c->done->largest = apart > c->done->largest * larger ? apart / larger : c->done->largest;
        return;
    }
    wrong *w = &c->wrong[value->to_initial][value->metric];
    if (w->count++ == 0) {
        w->first = *value;
    }
}

static rs_status say(const check *c, FILE *stream, rs_error *error)
{
    for (int to = 1; to >= 0; to--) {
        for (int k = 0; k < c->metrics.count; k++) {
            const wrong *w = &c->wrong[to][k];
            char block[RS_NAME_MAX];
            if (w->count == 0) {
                continue;
            }
            RS_TRY(rs_record_reader_name(c->reader, "blocks/name", w->first.group, block, error));
            (void)fprintf(stream,
                          "damaged: steps/distance_to_%s/%s: block %s after step %" PRId64
                          ": recorded %.17g, the stored weights give %.17g (snapshot %" PRId64 "); %" PRId64
                          " such values\n",
                          to ? "initial" : "previous", c->metrics.metric[k].name, block,
                          c->distances.steps[w->first.snapshot], rs_text_plain(w->first.recorded),
                          rs_text_plain(w->first.found), w->first.snapshot, w->count);
            c->done->faults++;
        }
    }
    return RS_OK;
}

/* The metrics that the record has distances by. */
static rs_status list_metrics(rs_record_reader *reader, rs_metric_list *metrics, rs_error *error)
{
    static const char prefix[] = "steps/distance_to_initial/";
    char names[RS_MAX_METRICS * sizeof metrics->metric[0].name] = "";
    rs_record_item item;
    size_t used = 0;
    RS_TRY(rs_record_reader_list(reader, error));
    for (int i = 0; rs_record_reader_item(reader, i, &item); i++) {
        if (strncmp(item.path, prefix, sizeof prefix - 1) == 0 && used < sizeof names) {
            used += (size_t)snprintf(names + used, sizeof names - used, "%s%s", used ? "," : "",
                                     item.path + sizeof prefix - 1);
        }
    }
    if (rs_metric_list_parse(names, metrics, error)) {
        error->status = RS_DATA;
        return RS_DATA;
    }
    return RS_OK;
}

/* Calls `use` for every parameter that counts in a block. */
static rs_status each_tensor(check *c,
                             rs_status (*use)(check *c, const rs_record_tensor *tensor, rs_error *error),
                             rs_error *error)
{
    int64_t rows, width;
    RS_TRY(rs_record_reader_series_size(c->reader, "parameters/shape", &rows, &width, error));
    for (int64_t row = 0; row < rows; row++) {
        rs_record_tensor tensor;
        RS_TRY(rs_record_reader_parameter(c->reader, row, &tensor, error));
        if (tensor.block >= c->blocks) {
            return RS_FAIL(error, RS_DATA, "%s counts in a block that is not there", tensor.name);
        }
        RS_TRY(tensor.block >= 0 ? use(c, &tensor, error) : RS_OK);
    }
    return RS_OK;
}

static rs_status note_missing(check *c, const rs_record_tensor *tensor, rs_error *error)
{
    char path[RS_NAME_MAX + 16];
    (void)error;
    (void)snprintf(path, sizeof path, "weights/%s", tensor->name);
    c->whole[tensor->block] = c->whole[tensor->block] && rs_record_reader_has(c->reader, path);
    return RS_OK;
}

static rs_status follow(check *c, const rs_record_tensor *tensor, rs_error *error)
{
    return c->whole[tensor->block] ? rs_snapshot_distances_add(&c->distances, tensor, tensor->block, error)
                                   : RS_OK;
}

static rs_status recompute(check *c, int64_t snapshots, rs_error *error)
{
    c->whole = rs_alloc_array((size_t)c->blocks, sizeof *c->whole);
    if (!c->whole) {
        return RS_FAIL(error, RS_MEMORY, "no memory for a list of %d blocks", c->blocks);
    }
    memset(c->whole, true, (size_t)c->blocks * sizeof *c->whole);
    RS_TRY(each_tensor(c, note_missing, error));
    RS_TRY(
        rs_snapshot_distances_create(c->reader, &c->metrics, 0, snapshots, c->blocks, &c->distances, error));
    RS_TRY(each_tensor(c, follow, error));
    return rs_snapshot_distances_compare(&c->distances, look, c, error);
}

rs_status rs_record_verify_distances(const char *path, FILE *stream, rs_distance_check *done, rs_error *error)
{
    rs_record_reader *reader = NULL;
    int64_t blocks = 0, width;
    check c = {.done = done};
    *done = (rs_distance_check){0};
    RS_TRY(rs_record_reader_open(path, &reader, error));
    c.reader = reader;
    const int64_t snapshots = rs_record_reader_committed(reader)->snapshots;
    rs_status status = list_metrics(reader, &c.metrics, error);
    if (!status && c.metrics.count > 0 && snapshots > 1) {
        status = rs_record_reader_series_size(reader, "blocks/weights", &blocks, &width, error);
        c.blocks = (int)blocks;
        status = status ? status : recompute(&c, snapshots, error);
        status = status ? status : say(&c, stream, error);
    }
    rs_snapshot_distances_release(&c.distances);
    rs_free(c.whole);
    rs_record_reader_close(reader);
    return status && !strstr(error->text, path) ? rs_error_prefix(error, "%s", path) : status;
}
