/* named.h: the texts of networks/, put into the program when it is built. Internal to network/. */
#ifndef RS_NETWORK_NAMED_H
#define RS_NETWORK_NAMED_H

#include <stddef.h>

typedef struct rs__named_text {
    const char *name;
    const unsigned char *text; /* with a zero at its end */
    size_t length;             /* without it */
} rs__named_text;
/* Made by cmake/networks.cmake. */
extern const rs__named_text rs__named_texts[];
extern const int rs__named_count;

#endif
