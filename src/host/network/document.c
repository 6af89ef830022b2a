/* document.c: the top of a network file; see document.h. */
#include "document.h"

#include <string.h>

#include "words.h"

static rs_status read_example(const rs_yaml *item, const char *place, rs__document *d, rs_error *error)
{
    static const char *const keys[] = {"input", "classes"};
    RS_TRY(rs_yaml_expect(item, RS_YAML_MAP, place, error));
    const rs_yaml *input = rs_yaml_get(item, "input"), *classes = rs_yaml_get(item, "classes");
    for (const rs_yaml *next = item->first; next; next = next->next) {
        if (next != input && next != classes) {
            return rs__unknown_key(next, place, "example", keys, 2, error);
        }
    }
    if (!input || !classes) {
        return RS_FAIL_AT(place, item->line, error,
                          "example needs input (channels, height, width) and classes");
    }
    int64_t value = 0;
    RS_TRY(rs__read_integer(classes, place, 1, 1 << 20, &value, error));
    d->classes = (int)value;
    RS_TRY(rs_yaml_expect(input, RS_YAML_LIST, place, error));
    int *const sizes[] = {&d->channels, &d->height, &d->width};
    const rs_yaml *next = input->first;
    for (int i = 0; i < 3 && next; i++, next = next->next) {
        const rs_yaml number = {
            .kind = next->kind, .line = next->line, .key = input->key, .text = next->text};
        RS_TRY(rs__read_integer(&number, place, 1, 1 << 16, &value, error));
        *sizes[i] = (int)value;
    }
    return d->width > 0 && !next
               ? RS_OK
               : RS_FAIL_AT(place, input->line, error,
                            "input has three numbers: channels, height, width, as in [3, 32, 32]");
}

static rs_status read_names(const rs_yaml *item, const char *place, rs__document *d, rs_error *error)
{
    const char *text;
    RS_TRY(rs_yaml_text(item, place, &text, error));
    d->kinds = strcmp(text, "kinds") == 0;
    return d->kinds || strcmp(text, "positions") == 0
               ? RS_OK
               : RS_FAIL_AT(place, item->line, error, "names %.40s: not positions or kinds", text);
}

static rs_status read_loss(const rs_yaml *item, const char *place, rs__document *d, rs_error *error)
{
    rs_op_kind kind;
    RS_TRY(rs_yaml_text(item, place, &d->loss, error));
    return rs__loss_parse(d->loss, &kind)
               ? RS_OK
               : RS_FAIL_AT(place, item->line, error, "loss %.40s: not one of %s", d->loss, rs__loss_words());
}

static rs_status read_reduction(const rs_yaml *item, const char *place, rs__document *d, rs_error *error)
{
    rs_reduction reduction;
    RS_TRY(rs_yaml_text(item, place, &d->reduction, error));
    return rs__reduction_parse(d->reduction, &reduction)
               ? RS_OK
               : RS_FAIL_AT(place, item->line, error, "reduction %.40s: not one of %s", d->reduction,
                            rs__reduction_words());
}

static rs_status read_about(const rs_yaml *item, const char *place, rs__document *d, rs_error *error)
{
    return rs_yaml_text(item, place, &d->about, error);
}

static rs_status read_layers(const rs_yaml *item, const char *place, rs__document *d, rs_error *error)
{
    d->layers = item;
    return rs_yaml_expect(item, RS_YAML_LIST, place, error);
}

static const struct {
    const char *key;
    rs_status (*read)(const rs_yaml *item, const char *place, rs__document *d, rs_error *error);
} readers[] = {
    {"about", read_about}, {"example", read_example},     {"names", read_names},
    {"loss", read_loss},   {"reduction", read_reduction}, {"layers", read_layers},
};
enum { READERS = sizeof readers / sizeof readers[0] };

static rs_status read_item(const rs_yaml *item, const char *place, rs__document *d, rs_error *error)
{
    const char *allowed[READERS + 3];
    for (int i = 0; i < READERS; i++) {
        if (strcmp(item->key, readers[i].key) == 0) {
            return readers[i].read(item, place, d, error);
        }
        allowed[i] = readers[i].key;
    }
    bool taken;
    RS_TRY(rs__initial_read(item, place, &d->initial, &taken, error));
    allowed[READERS] = "initialization";
    allowed[READERS + 1] = "std";
    allowed[READERS + 2] = "bias_initialization";
    return taken ? RS_OK : rs__unknown_key(item, place, "a network file", allowed, READERS + 3, error);
}

rs_status rs__document_read(const rs_yaml *root, const char *place, rs__document *document, rs_error *error)
{
    *document = (rs__document){.place = place,
                               .about = "",
                               .initial = {.weight = RS_INIT_UNIFORM_FAN_IN, .bias = RS_INIT_UNIFORM_FAN_IN}};
    RS_TRY(rs_yaml_expect(root, RS_YAML_MAP, place, error));
    for (const rs_yaml *item = root->first; item; item = item->next) {
        RS_TRY(read_item(item, place, document, error));
    }
    if (!document->layers || !document->layers->first) {
        return RS_FAIL_AT(place, root->line, error,
                          "a network needs its layers: a list under the key layers");
    }
    return RS_OK;
}
