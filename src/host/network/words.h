/* words.h: initialisations and losses by their names in options and network files. Internal to network/. */
#ifndef RS_NETWORK_WORDS_H
#define RS_NETWORK_WORDS_H

#include "rs/network.h"

/* false when there is no such word. */
bool rs__initializer_parse(const char *word, rs_initializer *initializer);
bool rs__loss_parse(const char *word, rs_op_kind *kind);
bool rs__reduction_parse(const char *word, rs_reduction *reduction);
/* The words, with ", ". */
const char *rs__initializer_words(void);
const char *rs__loss_words(void);
const char *rs__reduction_words(void);

/* What the file says of the loss, and what the options say; words, or NULL and "auto" for nothing. USAGE where they
 * contradict each other, or do not go with labels or targets. */
rs_status rs__loss_choose(const rs_network_options *options, const char *file_loss,
                          const char *file_reduction, rs_op_kind *kind, rs_reduction *reduction,
                          rs_error *error);
/* Whether what enters a loss fits the data: as many numbers as a target has (classes are the graph's to check). */
rs_status rs__loss_check_width(const rs_network *network, int scores, rs_op_kind kind, rs_error *error);
/* Dropout and initialisation of the options. */
rs_status rs__override(rs_network *network, const rs_network_options *options, rs_error *error);

#endif
