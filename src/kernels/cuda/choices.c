/* choices.c: the algorithms that a plan has chosen, as text: one line for each pass, batch size and shape,
 *
 *     forward of 256: 128x8x8 to 128x8x8, kernel 3, stride 1, padding 1 = 1 3
 *
 * (algorithm and arithmetic by cuDNN's numbers). Layers of the same shape share a line, so that each is asked or timed
 * once; a run that is resumed begins with the text of the first one and chooses the same. */
#include <stdio.h>
#include <string.h>

#include "convolution.h"
#include "rs/host.h"

rs_status rs__choices_begin(rs_plan *plan, rs_error *error)
{
    bool given = plan->options.convolution == RS_CONVOLUTION_SEARCH && plan->options.choices;
    plan->choices = rs_strdup(given ? plan->options.choices : "");
    plan->options.choices = NULL; /* borrowed for plan_create alone */
    return plan->choices ? RS_OK : RS_FAIL(error, RS_MEMORY, "no memory for a plan's choices");
}

/* A key's line; NULL: none. */
static char *find_line(const rs_plan *plan, const char *key)
{
    size_t length = strlen(key);
    for (char *line = plan->choices; *line; line += strcspn(line, "\n"), line += *line == '\n') {
        if (strncmp(line, key, length) == 0 && strncmp(line + length, " = ", 3) == 0) {
            return line;
        }
    }
    return NULL;
}

bool rs__choices_find(const rs_plan *plan, const char *key, int *algorithm, int *math)
{
    const char *line = find_line(plan, key);
    return line && sscanf(line + strlen(key), " = %d %d", algorithm, math) == 2;
}

void rs__choices_drop(rs_plan *plan, const char *key)
{
    char *line = find_line(plan, key);
    if (line) {
        char *next = line + strcspn(line, "\n");
        next += *next == '\n';
        memmove(line, next, strlen(next) + 1);
    }
}

rs_status rs__choices_add(rs_plan *plan, const char *key, int algorithm, int math, rs_error *error)
{
    rs__choices_drop(plan, key);
    size_t before = strlen(plan->choices), capacity = before + strlen(key) + 32;
    char *text = rs_alloc(capacity);
    if (!text) {
        return RS_FAIL(error, RS_MEMORY, "no memory for a plan's choices");
    }
    (void)snprintf(text, capacity, "%s%s = %d %d\n", plan->choices, key, algorithm, math);
    rs_free(plan->choices);
    plan->choices = text;
    return RS_OK;
}

const char *rs__cuda_plan_choices(const rs_plan *plan)
{
    return plan->choices;
}
