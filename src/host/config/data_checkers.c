/* data_checkers.c: what --normalization, --augment and --function take. Their grammar is in rs/data_options.h. */
#include <stdio.h>
#include <string.h>

#include "checkers.h"
#include "rs/data_options.h"
#include "rs/text.h"

static void add(char canonical[RS_TEXT_MAX], const char *name, double amount)
{
    size_t used = strlen(canonical);
    const char *comma = used ? "," : "";
    if (amount > 0.0) {
        (void)snprintf(canonical + used, RS_TEXT_MAX - used, "%s%s:%.15g", comma, name, amount);
    } else {
        (void)snprintf(canonical + used, RS_TEXT_MAX - used, "%s%s", comma, name);
    }
}

rs_status rs__normalization_check(const char *text, char canonical[RS_TEXT_MAX], rs_error *error)
{
    rs_normalization given;
    RS_TRY(rs_normalization_parse(text, &given, error));
    canonical[0] = '\0';
    if (given.of_training) {
        add(canonical, "train", 0.0);
    }
    for (int i = 0; i < given.count; i++) {
        size_t used = strlen(canonical);
        (void)snprintf(canonical + used, RS_TEXT_MAX - used, "%s%.15g/%.15g", i ? "," : "", given.mean[i],
                       given.std[i]);
    }
    return RS_OK;
}

/* In the order in which they are done. */
rs_status rs__augment_check(const char *text, char canonical[RS_TEXT_MAX], rs_error *error)
{
    rs_augmentation given;
    RS_TRY(rs_augmentation_parse(text, &given, error));
    canonical[0] = '\0';
    if (given.flip) {
        add(canonical, "flip", 0.0);
    }
    if (given.crop > 0) {
        add(canonical, "crop", given.crop);
    }
    if (given.rotate > 0.0) {
        add(canonical, "rotate", given.rotate);
    }
    if (given.jitter > 0.0) {
        add(canonical, "jitter", given.jitter);
    }
    return RS_OK;
}

rs_status rs__function_check(const char *text, char canonical[RS_TEXT_MAX], rs_error *error)
{
    static const char *const functions[] = {"sin-log", "sinc", "sinc-log"};
    enum { FUNCTIONS = sizeof functions / sizeof functions[0] };
    bool known = *text == '\0';
    for (int i = 0; i < FUNCTIONS; i++) {
        known = known || strcmp(text, functions[i]) == 0;
    }
    (void)snprintf(canonical, RS_TEXT_MAX, "%s", text);
    if (known) {
        return RS_OK;
    }
    const char *nearest = rs_text_nearest(text, functions, FUNCTIONS);
    return RS_FAIL(error, RS_USAGE, "not one of sin-log, sinc, sinc-log%s%s", nearest ? "; nearest " : "",
                   nearest ? nearest : "");
}
