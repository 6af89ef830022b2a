/* document.h: the keys of a network file beside its layers. Internal to network/. */
#ifndef RS_NETWORK_DOCUMENT_H
#define RS_NETWORK_DOCUMENT_H

#include "layer_text.h"

typedef struct rs__document {
    const char *place;
    const char *about;                    /* one line; "" without */
    int channels, height, width, classes; /* of its example; 0 without */
    bool kinds; /* layers without a name are called after their kind, not their position */
    rs__initial initial;
    const char *loss, *reduction; /* NULL: the options' business */
    const rs_yaml *layers;
} rs__document;

/* Texts are borrowed from `root`. USAGE. */
rs_status rs__document_read(const rs_yaml *root, const char *place, rs__document *document, rs_error *error);

#endif
