/* twin.c: see twin.h. */
#include "twin.h"

#include <string.h>

#include "rs/host.h"

/* [2 count]: copies, then the values themselves; NULL when there is no memory. */
static double **hold(const rs_parameter *list, int count, double **values)
{
    double **made = rs_alloc_array(2 * (size_t)count, sizeof *made);
    for (int i = 0; made && i < count; i++) {
        size_t bytes = (size_t)list[i].count * sizeof(double);
        made[i] = rs_alloc(bytes);
        if (!made[i]) {
            for (int k = 0; k < i; k++) {
                rs_free(made[k]);
            }
            rs_free(made);
            return NULL;
        }
        memcpy(made[i], values[i], bytes);
        made[count + i] = values[i];
    }
    return made;
}

static void let_go(double **values, int count)
{
    for (int i = 0; values && i < count; i++) {
        rs_free(values[i]);
    }
    rs_free(values);
}

rs_status rs_check_twin_open(const rs_check_session *of, const rs_check_data *data, rs_check_twin *twin,
                             rs_error *error)
{
    const rs_network *own = of->network;
    *twin = (rs_check_twin){
        .data = *data, .parameter_count = own->parameter_count, .buffer_count = own->buffer_count};
    twin->data.parameters = hold(own->parameters, own->parameter_count, data->parameters);
    twin->data.buffers = hold(own->buffers, own->buffer_count, data->buffers);
    if (!twin->data.parameters || !twin->data.buffers) {
        return RS_FAIL(error, RS_MEMORY, "no memory for finite differences of %s", of->c->name);
    }
    RS_TRY(rs_check_twin_network(of->c, &twin->network, error));
    return rs_check_session_open_twin(of->c, twin->network, &of->target, &twin->session, error);
}

void rs_check_twin_close(rs_check_twin *twin)
{
    rs_check_session_close(&twin->session);
    let_go(twin->data.parameters, twin->parameter_count);
    let_go(twin->data.buffers, twin->buffer_count);
    rs_network_destroy(twin->network);
    *twin = (rs_check_twin){0};
}
