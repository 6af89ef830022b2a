/* scales.h: dimension labels and scales, so that h5py, HDFView and xarray know what an axis is. */
#ifndef RS_RECORD_SCALES_H
#define RS_RECORD_SCALES_H

#include "h5.h"
#include "layout.h"

rs_status rs_scales_attach(hid_t file, const rs_layout *layout, rs_error *error);

#endif
