/* rows.c: blocks of rows and how the trainer's thread fills them; see rows.h. */
#include "rows.h"

#include <string.h>
#include <sys/mman.h>

#include "rs/host.h"

/* Snapshots are large, and the training thread is the first to touch them: in huge pages, where the system gives any,
 * that costs a fraction. */
static void prefer_huge_pages(char *bytes, size_t count)
{
#ifdef MADV_HUGEPAGE
    const uintptr_t huge = (uintptr_t)1 << 21;
    const uintptr_t first = ((uintptr_t)bytes + huge - 1) / huge * huge,
                    end = ((uintptr_t)bytes + count) / huge * huge;
    if (end > first) {
        (void)madvise(bytes + (first - (uintptr_t)bytes), end - first, MADV_HUGEPAGE);
    }
#else
    (void)bytes;
    (void)count;
#endif
}

static bool can_be_pinned(const rs_record_spec *spec, const rs_table *table)
{
    return spec->backend && spec->backend->copy_begin && strcmp(table->dimension, "snapshot") == 0;
}

static char *allocate_rows(const rs_record_spec *spec, rs_block_of_rows *block, size_t bytes)
{
    if (block->pinned_by) {
        return spec->backend->pinned_allocate(spec->device, bytes);
    }
    char *made = rs_alloc(bytes);
    if (made) {
        prefer_huge_pages(made, bytes);
    }
    return made;
}

rs_status rs_rows_create(const rs_record_spec *spec, const rs_table *table, rs_block_of_rows *block,
                         rs_error *error)
{
    size_t count = (size_t)table->count, size = (size_t)table->block_rows * table->row_bytes;
    memset(block, 0, sizeof *block);
    block->table = table;
    block->capacity = table->block_rows;
    block->pinned_by = can_be_pinned(spec, table) ? spec : NULL;
    block->items = block->pinned_by ? rs_alloc_array(count, sizeof *block->items) : NULL;
    block->columns = rs_alloc_array(count, sizeof *block->columns);
    char *bytes = block->columns ? allocate_rows(spec, block, size) : NULL;
    if (!bytes || (block->pinned_by && !block->items)) {
        if (block->columns) {
            block->columns[0] = bytes;
        }
        rs_rows_destroy(block);
        return RS_FAIL(error, RS_MEMORY, "no memory for the %s buffer of the record (%zu bytes)",
                       table->dimension, size);
    }
    for (int c = 0; c < table->count; c++) {
        block->columns[c] = bytes;
        bytes += (size_t)block->capacity * table->columns[c].row_bytes;
    }
    return RS_OK;
}

void rs_rows_destroy(rs_block_of_rows *block)
{
    if (block->columns && block->pinned_by) {
        block->pinned_by->backend->pinned_release(block->pinned_by->device, block->columns[0]);
    } else if (block->columns) {
        rs_free(block->columns[0]);
    }
    rs_free(block->columns);
    rs_free(block->items);
    block->columns = NULL;
    block->items = NULL;
}

rs_status rs_rows_wait(const rs_block_of_rows *block, rs_error *error)
{
    const rs_block_copy *copy = &block->copy;
    return copy->backend ? copy->backend->copy_wait(copy->plan, copy->ticket, error) : RS_OK;
}

/* Where the row under way of a column is to be written. */
static void *next_row(const rs_block_of_rows *block, int column)
{
    return block->columns[column] + (size_t)block->rows * block->table->columns[column].row_bytes;
}

static const void *measured(const rs_network *network, const rs_column *column,
                            const rs_measurement *measured)
{
    const int64_t metric = (int64_t)column->index * network->block_count;
    switch (column->source) {
    case RS_FROM_TO_INITIAL:
        return measured->to_initial ? measured->to_initial + metric : NULL;
    case RS_FROM_TO_PREVIOUS:
        return measured->to_previous ? measured->to_previous + metric : NULL;
    case RS_FROM_GRADIENT_ABS_MEAN:
        return measured->gradient_abs_mean;
    case RS_FROM_GRADIENT_ABS_STD:
        return measured->gradient_abs_std;
    default:
        RS_ASSERT(column->source == RS_FROM_GRADIENT_NORMS);
        return measured->gradient_norms;
    }
}

/* Values that are measured as double and kept as float; NULL for another source. */
static const double *measured_wide(const rs_column *column, const rs_step_row *row)
{
    switch (column->source) {
    case RS_FROM_LAYER_LOSSES:
        return row->measurement->layer_losses;
    case RS_FROM_LAYER_OUTPUTS:
        return row->measurement->layer_means;
    case RS_FROM_HEAD_LOSSES:
        return row->head_losses;
    case RS_FROM_HEAD_ACCURACIES:
        return row->head_accuracies;
    default:
        return NULL;
    }
}

static void add_measured(void *to, const rs_network *network, const rs_column *column, const rs_step_row *row)
{
    const double *wide = measured_wide(column, row);
    if (wide) {
        for (int64_t i = 0; i < column->count; i++) {
            ((float *)to)[i] = (float)wide[i];
        }
        return;
    }
    const void *values = measured(network, column, row->measurement);
    RS_ASSERT(values); /* the layout has the column because somebody wanted it */
    memcpy(to, values, column->row_bytes);
}

void rs_rows_add_step(rs_block_of_rows *block, const rs_network *network, const rs_step_row *row)
{
    const double numbers[] = {[RS_STEP_LOSS] = row->loss,
                              [RS_STEP_TASK_LOSS] = row->task_loss,
                              [RS_STEP_ACCURACY] = row->accuracy,
                              [RS_STEP_LEARNING_RATE] = row->learning_rate,
                              [RS_STEP_GRADIENT_NORM] = row->measurement->gradient_norm,
                              [RS_STEP_GRADIENT_NORM_CLIPPED] = row->measurement->gradient_norm_clipped,
                              [RS_STEP_SENSITIVITY_BATCH] = row->sensitivity.batch,
                              [RS_STEP_SENSITIVITY_SAMPLE] = row->sensitivity.sample};
    for (int c = 0; c < block->table->count; c++) {
        const rs_column *column = &block->table->columns[c];
        if (column->source != RS_FROM_ROW) {
            add_measured(next_row(block, c), network, column, row);
        } else if (column->index == RS_STEP_INDEX) {
            memcpy(next_row(block, c), &row->step, sizeof row->step);
        } else {
            memcpy(next_row(block, c), &numbers[column->index], sizeof numbers[0]);
        }
    }
    block->rows++;
}

void rs_rows_add_epoch(rs_block_of_rows *block, const rs_epoch_row *row)
{
    const double numbers[] = {[RS_EPOCH_TRAIN_LOSS] = row->train_loss,
                              [RS_EPOCH_TRAIN_ACCURACY] = row->train_accuracy,
                              [RS_EPOCH_VALID_LOSS] = row->valid_loss,
                              [RS_EPOCH_VALID_ACCURACY] = row->valid_accuracy,
                              [RS_EPOCH_TEST_LOSS] = row->test_loss,
                              [RS_EPOCH_TEST_ACCURACY] = row->test_accuracy,
                              [RS_EPOCH_TRAIN_SECONDS] = row->train_seconds,
                              [RS_EPOCH_VALID_SECONDS] = row->valid_seconds,
                              [RS_EPOCH_RECORD_SECONDS] = row->record_seconds,
                              [RS_EPOCH_VALID_MEAN_ABSOLUTE_ERROR] = row->valid_fit.mean_absolute_error,
                              [RS_EPOCH_VALID_R_SQUARED] = row->valid_fit.r_squared,
                              [RS_EPOCH_TEST_MEAN_ABSOLUTE_ERROR] = row->test_fit.mean_absolute_error,
                              [RS_EPOCH_TEST_R_SQUARED] = row->test_fit.r_squared};
    memcpy(next_row(block, 0), &row->epoch, sizeof row->epoch);
    for (int c = 1; c < block->table->count; c++) {
        memcpy(next_row(block, c), &numbers[block->table->columns[c].index], sizeof numbers[0]);
    }
    block->rows++;
}

static rs_status read_gradient(const rs_column *column, const rs_snapshot_moment *moment, bool mean,
                               double *scratch, float *values, rs_error *error)
{
    if (!mean) {
        return moment->backend->read(moment->plan, RS_SLOT_GRADIENT, column->index, values, error);
    }
    RS_TRY(moment->backend->read(moment->plan, RS_SLOT_GRADIENT_SUM, column->index, scratch, error));
    const double steps = (double)moment->gradient_steps;
    for (int64_t i = 0; i < column->count; i++) {
        values[i] = (float)(scratch[i] / steps);
    }
    return RS_OK;
}

/* The columns of a snapshot that come from the plan, as items of a copy. Returns how many. */
static int list_items(rs_block_of_rows *block, const rs_snapshot_moment *moment, bool mean)
{
    int count = 0;
    for (int c = 0; c < block->table->count; c++) {
        const rs_column *column = &block->table->columns[c];
        rs_copy_item item = {.slot = RS_SLOT_VALUE, .index = column->index, .values = next_row(block, c)};
        if (column->source == RS_FROM_BUFFER) {
            item.slot = RS_SLOT_RUNNING;
        } else if (column->source == RS_FROM_GRADIENT) {
            item.slot = mean ? RS_SLOT_GRADIENT_SUM : RS_SLOT_GRADIENT;
            item.divisor = (double)moment->gradient_steps;
        }
        if (column->source != RS_FROM_ROW &&
            (column->source != RS_FROM_GRADIENT || moment->index >= column->first_row)) {
            block->items[count++] = item;
        }
    }
    return count;
}

static rs_status begin_copy(rs_block_of_rows *block, const rs_snapshot_moment *moment, bool mean,
                            rs_error *error)
{
    int count = list_items(block, moment, mean);
    block->copy = (rs_block_copy){.backend = moment->backend, .plan = moment->plan};
    return moment->backend->copy_begin(moment->plan, block->items, count, &block->copy.ticket, error);
}

static rs_status read_column(const rs_column *column, const rs_snapshot_moment *moment, bool mean,
                             double *scratch, void *values, rs_error *error)
{
    switch (column->source) {
    case RS_FROM_PARAMETER:
        return moment->backend->read(moment->plan, RS_SLOT_VALUE, column->index, values, error);
    case RS_FROM_BUFFER:
        return moment->backend->read(moment->plan, RS_SLOT_RUNNING, column->index, values, error);
    default:
        RS_ASSERT(column->source == RS_FROM_GRADIENT);
        return moment->index >= column->first_row
                   ? read_gradient(column, moment, mean, scratch, values, error)
                   : RS_OK;
    }
}

rs_status rs_rows_add_snapshot(rs_block_of_rows *block, const rs_snapshot_moment *moment, bool mean,
                               double *scratch, rs_error *error)
{
    const int64_t numbers[] = {[RS_SNAPSHOT_INDEX] = moment->index,
                               [RS_SNAPSHOT_EPOCH] = moment->epoch,
                               [RS_SNAPSHOT_STEP] = moment->step};
    for (int c = 0; c < block->table->count; c++) {
        const rs_column *column = &block->table->columns[c];
        if (column->source == RS_FROM_ROW) {
            memcpy(next_row(block, c), &numbers[column->index], sizeof numbers[0]);
        } else if (!block->pinned_by) {
            RS_TRY(read_column(column, moment, mean, scratch, next_row(block, c), error));
        }
    }
    if (block->pinned_by) {
        RS_TRY(begin_copy(block, moment, mean, error));
    }
    block->rows++;
    return RS_OK;
}
