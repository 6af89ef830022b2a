/* provenance.h: what a record says of its data. */
#ifndef RS_DATA_PROVENANCE_H
#define RS_DATA_PROVENANCE_H

#include "catalog.h"
#include "formats.h"
#include "rs/dataset.h"

/* YAML text; the caller frees it. NULL: no memory. No paths and no times are in it: the same data give the same text
 * wherever they lie. */
char *rs__provenance(const rs__set *set, const rs_dataset_request *request, const rs__loaded *loaded);

#endif
