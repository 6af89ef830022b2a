/* html.c: see html.h. */
#include "html.h"

#include <ctype.h>
#include <math.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "rs/status.h"
#include "rs/text.h"

/* --- characters --------------------------------------------------------------------------------------------- */

/* Writes what stands for a character that has no place in a text; false where it has. */
static bool replaced(FILE *file, const unsigned char *s, int length)
{
    bool control = length == 1 && (s[0] < 0x20 || s[0] == 0x7F) && s[0] != '\n' && s[0] != '\t';
    if (length > 0 && !control) {
        return false;
    }
    (void)fputs("\xEF\xBF\xBD", file);
    return true;
}

/* Writes a text; `escape` gives what stands for a character, or NULL for itself. */
static void write_escaped(FILE *file, const char *text, const char *(*escape)(unsigned char c))
{
    const unsigned char *s = (const unsigned char *)(text ? text : "");
    while (*s) {
        int length = rs_text_letter((const char *)s);
        const char *instead = length == 1 ? escape(*s) : NULL;
        if (instead) {
            (void)fputs(instead, file);
        } else if (!replaced(file, s, length)) {
            (void)fwrite(s, 1, (size_t)length, file);
        }
        s += length > 0 ? length : 1;
    }
}

/* --- HTML --------------------------------------------------------------------------------------------------- */

static const char *html_escape(unsigned char c)
{
    switch (c) {
    case '&':
        return "&amp;";
    case '<':
        return "&lt;";
    case '>':
        return "&gt;";
    case '"':
        return "&quot;";
    case '\'':
        return "&#39;";
    default:
        return NULL;
    }
}

void rs__html_text(FILE *file, const char *text)
{
    write_escaped(file, text, html_escape);
}

void rs__html_id(FILE *file, const char *text)
{
    for (const unsigned char *s = (const unsigned char *)text; *s; s++) {
        if (isalnum(*s) || *s == '-') {
            (void)fputc(*s, file);
        } else {
            (void)fprintf(file, "_%02x", *s);
        }
    }
}

enum { SPEC = 16 };

/* Prints one number by its conversion, as printf would. */
static void number(FILE *file, const char spec[SPEC], va_list *values)
{
    size_t end = strlen(spec) - 1;
    char kind = spec[end], size = end > 0 ? spec[end - 1] : '%';
    if (kind == '%') {
        (void)fputc('%', file);
    } else if (strchr("efgEG", kind)) { /* NOLINT(bugprone-branch-clone): each reads another type */
        (void)fprintf(file, spec, va_arg(*values, double));
    } else if (size == 'l') {
        (void)fprintf(file, spec, va_arg(*values, long));
    } else if (size == 'z') {
        (void)fprintf(file, spec, va_arg(*values, size_t));
    } else {
        RS_ASSERT(kind == 'd' || kind == 'u' || kind == 'x');
        (void)fprintf(file, spec, va_arg(*values, int));
    }
}

void rs__html(FILE *file, const char *format, ...)
{
    va_list values;
    va_start(values, format);
    while (*format) {
        size_t plain = strcspn(format, "%");
        (void)fwrite(format, 1, plain, file);
        format += plain;
        if (*format) {
            char spec[SPEC] = "%";
            size_t length = 1 + strcspn(format + 1, "%sdugxfeEG") + 1;
            RS_ASSERT(length < SPEC && format[length - 1]);
            memcpy(spec, format, length);
            if (spec[length - 1] == 's') {
                rs__html_text(file, va_arg(values, const char *));
            } else {
                number(file, spec, &values);
            }
            format += length;
        }
    }
    va_end(values);
}

/* --- the others --------------------------------------------------------------------------------------------- */

static const char *json_escape(unsigned char c)
{
    static const char *const controls[0x20] = {
        "\\u0000", "\\u0001", "\\u0002", "\\u0003", "\\u0004", "\\u0005", "\\u0006", "\\u0007",
        "\\b",     "\\t",     "\\n",     "\\u000b", "\\f",     "\\r",     "\\u000e", "\\u000f",
        "\\u0010", "\\u0011", "\\u0012", "\\u0013", "\\u0014", "\\u0015", "\\u0016", "\\u0017",
        "\\u0018", "\\u0019", "\\u001a", "\\u001b", "\\u001c", "\\u001d", "\\u001e", "\\u001f"};
    switch (c) {
    case '"':
        return "\\\"";
    case '\\':
        return "\\\\";
    case '<':
        return "\\u003c";
    case '&':
        return "\\u0026";
    default:
        return c < 0x20 ? controls[c] : NULL;
    }
}

void rs__report_json_text(FILE *file, const char *text)
{
    (void)fputc('"', file);
    write_escaped(file, text, json_escape);
    (void)fputc('"', file);
}

void rs__report_json_number(FILE *file, double value, int digits)
{
    if (isfinite(value)) {
        (void)fprintf(file, "%.*g", digits, value);
    } else {
        (void)fputs("null", file);
    }
}

static const char *csv_escape(unsigned char c)
{
    return c == '"' ? "\"\"" : NULL;
}

void rs__report_csv_text(FILE *file, const char *text)
{
    (void)fputc('"', file);
    write_escaped(file, text, csv_escape);
    (void)fputc('"', file);
}

static const char *markdown_escape(unsigned char c)
{
    switch (c) {
    case '|':
        return "\\|";
    case '\\':
        return "\\\\";
    case '*':
        return "\\*";
    case '`':
        return "\\`";
    case '[':
        return "\\[";
    case '<':
        return "&lt;";
    case '&':
        return "&amp;";
    case '\n':
    case '\t':
        return " ";
    default:
        return NULL;
    }
}

void rs__report_markdown_text(FILE *file, const char *text)
{
    write_escaped(file, text, markdown_escape);
}
