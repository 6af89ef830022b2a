/* load.h: what dataset.c offers to the rest of this folder. */
#ifndef RS_DATA_LOAD_H
#define RS_DATA_LOAD_H

#include "catalog.h"
#include "locate.h"
#include "rs/dataset.h"
#include "rs/status.h"

/* Entry of the catalog; USAGE with the names there are and the nearest. */
rs_status rs__dataset_find(const char *name, const rs__set **set, rs_error *error);

/* Loads a set from files already located; `location` NULL for one without files. The request's name,
 * directory and download are not looked at. The caller owns *dataset. */
rs_status rs__dataset_load_from(const rs__set *set, const rs_dataset_request *request,
                                const rs__location *location, rs_dataset **dataset, rs_error *error);

#endif
