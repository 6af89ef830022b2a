/* groups.h: runs that differ in their seeds alone, and what tells one group from the others. */
#ifndef RS_PLOT_GROUPS_H
#define RS_PLOT_GROUPS_H

#include "colours.h"
#include "inputs.h"

typedef struct rs__group {
    int count;
    const rs__input **runs; /* [count], borrowed */
    char *label; /* what differs from the other groups: "ResNet-18 plain"; of one group: what it is */
    uint32_t colour;
    int dash; /* RS__SOLID ... of chart.h: plain networks beside residual ones are dashed */
} rs__group;

typedef struct rs__groups {
    int count;
    rs__group *list;
} rs__groups;

/* Groups the records among the inputs, in the order of their settings: of keys, panels and the report's tables. Runs are of one group when their configurations differ in options of
 * how to run and of seeds alone; of two that begin from other records, those must be of one group, too, or the same. The option `ignored` (NULL: none)
 * neither counts nor is told. */
rs_status rs__groups_make(const rs__inputs *inputs, const rs__palettes *palettes, const char *ignored,
                          rs__groups *groups, rs_error *error);
void rs__groups_free(rs__groups *groups); /* takes a zeroed one */

/* What a run is, for people: "ResNet-18 plain on CIFAR-10". */
void rs__describe_run(const rs_config *config, char *text, size_t capacity);
/* "ResNet-18 plain", "nn", without the data: rs_plot_network_name of a configuration. */
void rs__describe_network(const rs_config *config, char *text, size_t capacity);
const char *rs__describe_data(const rs_config *config); /* "CIFAR-10" */
/* The options of its data by which one configuration differs from the others, beside which data they are: "swap splits"; or "". */
void rs__describe_differences(const rs_config *const *configs, int count, int index, char *text,
                              size_t capacity);
/* The value of an option as people write it: "0.05"; "" for no such option. */
void rs__option_value(const rs_config *config, const char *name, char *text, size_t capacity);

#endif
