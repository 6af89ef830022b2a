/* planned.c: how large a record will be, from its layout: chunks are counted exactly, the library's own
 * structures by what they were measured to take, rounded up. */
#include "recorder_state.h"

enum {
    FILE_BYTES = 64 << 10,   /* superblock, groups, attributes, small tables */
    DATASET_BYTES = 1100,    /* header, labels, scales, first index blocks of one data set */
    PAGE_BYTES = 4096,       /* larger chunks take whole pages */
    CHUNK_INDEX_BYTES = 24,  /* of a chunk's entry in the extensible array */
    CHECKPOINT_FIXED = 4096, /* sections' names and small state */
    /* per weight: value, initial value, two moments (float), gradient sum (double) */
    CHECKPOINT_PER_WEIGHT = 4 * 4 + 8
};

static uint64_t column_bytes(const rs_column *column, int64_t rows)
{
    /* Chunks of rows that are never written are never made. */
    const int64_t unused = column->first_row / column->chunk_rows;
    const int64_t used = (rows + column->chunk_rows - 1) / column->chunk_rows - unused;
    uint64_t chunks = used > 0 ? (uint64_t)used : 0;
    uint64_t bytes = (uint64_t)column->chunk_rows * rs_column_type_size(column->type);
    for (int axis = 0; axis < column->row.rank; axis++) {
        int64_t parts = (column->row.dim[axis] + column->chunk.dim[axis] - 1) / column->chunk.dim[axis];
        chunks *= (uint64_t)parts;
        bytes *= (uint64_t)column->chunk.dim[axis];
    }
    if (bytes > PAGE_BYTES) {
        bytes = (bytes + PAGE_BYTES - 1) / PAGE_BYTES * PAGE_BYTES;
    }
    return DATASET_BYTES + chunks * (bytes + CHUNK_INDEX_BYTES);
}

uint64_t rs_layout_planned_bytes(const rs_layout *layout, const rs_record_spec *spec)
{
    uint64_t bytes = FILE_BYTES;
    for (int t = 0; t < RS_TABLES; t++) {
        for (int c = 0; c < layout->table[t].count; c++) {
            bytes += column_bytes(&layout->table[t].columns[c], layout->table[t].planned_rows);
        }
    }
    return bytes + 512 * (uint64_t)(spec->network->parameter_count + spec->network->layer_count +
                                    spec->network->block_count);
}

void rs_recorder_planned_bytes(const rs_record_spec *spec, uint64_t *record, uint64_t *checkpoint)
{
    rs_layout layout;
    rs_error error;
    *record = 0;
    if (rs_layout_create(spec, &layout, &error) == RS_OK) {
        *record = rs_layout_planned_bytes(&layout, spec);
    }
    rs_layout_destroy(&layout);
    *checkpoint = CHECKPOINT_FIXED + (uint64_t)CHECKPOINT_PER_WEIGHT * (uint64_t)spec->network->weight_count;
    for (int i = 0; i < spec->network->buffer_count; i++) {
        *checkpoint += 4 * (uint64_t)spec->network->buffers[i].count;
    }
    *checkpoint += 256 * (uint64_t)(spec->network->parameter_count + spec->network->buffer_count);
}

uint64_t rs_table_growth(const rs_table *table, int64_t from, int64_t to)
{
    uint64_t bytes = 0;
    for (int c = 0; c < table->count && to > from; c++) {
        bytes += column_bytes(&table->columns[c], to) - column_bytes(&table->columns[c], from);
    }
    return bytes;
}
