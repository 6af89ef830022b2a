/* words.c: initialisations and losses by name; see words.h. */
#include "words.h"

#include <string.h>

typedef struct word {
    const char *text;
    int value;
} word;

static const word initializers[] = {
    {"default", RS_INIT_UNIFORM_FAN_IN},
    {"kaiming-uniform", RS_INIT_KAIMING_UNIFORM},
    {"kaiming-normal", RS_INIT_KAIMING_NORMAL},
    {"kaiming-normal-fan-out", RS_INIT_KAIMING_NORMAL_FAN_OUT},
    {"xavier-uniform", RS_INIT_XAVIER_UNIFORM},
    {"xavier-normal", RS_INIT_XAVIER_NORMAL},
    {"normal", RS_INIT_NORMAL},
    {"zeros", RS_INIT_ZERO},
};
static const word losses[] = {
    {"cross-entropy", RS_OP_SOFTMAX_CROSS_ENTROPY},
    {"kl-divergence", RS_OP_KL_DIVERGENCE},
    {"mse", RS_OP_MEAN_SQUARED_ERROR},
};
static const word reductions[] = {
    {"mean", RS_REDUCTION_MEAN}, {"sum", RS_REDUCTION_SUM}, {"elements", RS_REDUCTION_ELEMENTS}};

static const word *find(const word *words, size_t count, const char *text)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(words[i].text, text) == 0) {
            return &words[i];
        }
    }
    return NULL;
}
#define FIND(words, text) find(words, sizeof(words) / sizeof(words)[0], text)

bool rs__initializer_parse(const char *text, rs_initializer *initializer)
{
    const word *found = FIND(initializers, text);
    *initializer = found ? (rs_initializer)found->value : RS_INIT_ZERO;
    return found != NULL;
}

bool rs__loss_parse(const char *text, rs_op_kind *kind)
{
    const word *found = FIND(losses, text);
    *kind = found ? (rs_op_kind)found->value : RS_OP_KINDS;
    return found != NULL;
}

bool rs__reduction_parse(const char *text, rs_reduction *reduction)
{
    const word *found = FIND(reductions, text);
    *reduction = found ? (rs_reduction)found->value : RS_REDUCTION_MEAN;
    return found != NULL;
}

const char *rs__initializer_words(void)
{
    return "default, kaiming-uniform, kaiming-normal, kaiming-normal-fan-out, xavier-uniform, xavier-normal, "
           "normal, "
           "zeros";
}

const char *rs__loss_words(void)
{
    return "cross-entropy, kl-divergence, mse";
}

const char *rs__reduction_words(void)
{
    return "mean, sum, elements";
}
