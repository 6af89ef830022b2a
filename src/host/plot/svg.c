/* svg.c: see svg.h. One pass over the text: what stands within a tag is looked at, the rest copied. */
#include "svg.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rs/host.h"

/* A text of XML; control characters, which it may not have, become blanks. */
static void put_escaped(FILE *out, const char *text)
{
    for (; *text; text++) {
        switch (*text) {
        case '<':
            (void)fputs("&lt;", out);
            break;
        case '>':
            (void)fputs("&gt;", out);
            break;
        case '&':
            (void)fputs("&amp;", out);
            break;
        case '"':
            (void)fputs("&quot;", out);
            break;
        default:
            (void)fputc((unsigned char)*text < ' ' ? ' ' : *text, out);
        }
    }
}

static bool begins(const char *text, const char *with)
{
    return strncmp(text, with, strlen(with)) == 0;
}

/* What is written for the piece of a tag that begins at `at`; returns how much of it that was, 0: nothing of note. */
static size_t put_piece(FILE *out, const char *at, const char *prefix)
{
    static const char *const pointers[] = {" id=\"", " id='", "href='#", "href=\"#", "url(#"};
    for (size_t i = 0; prefix && i < sizeof pointers / sizeof pointers[0]; i++) {
        if (begins(at, pointers[i])) {
            (void)fprintf(out, "%s%s", pointers[i], prefix);
            return strlen(pointers[i]);
        }
    }
    static const char image[] = "<image ";
    if (begins(at, image)) { /* cells of a map: with edges, not blurred into each other */
        (void)fprintf(out, "%simage-rendering=\"optimizeSpeed\" style=\"image-rendering: pixelated\" ",
                      image);
        return sizeof image - 1;
    }
    static const char family[] = "font-family=\"";
    if (begins(at, family)) {
        const char *name = at + sizeof family - 1;
        const size_t length = strcspn(name, "\"");
        const bool helvetica = length == 9 && begins(name, "Helvetica");
        (void)fprintf(out, "%s%.*s, %ssans-serif", family, (int)length, name, helvetica ? "Arial, " : "");
        return sizeof family - 1 + length;
    }
    return 0;
}

static const char *skip(const char *at, const char *end_tag)
{
    const char *end = strstr(at, end_tag);
    return end ? end + strlen(end_tag) : at;
}

static void put_body(FILE *out, const char *at, const char *prefix, const char *title, const char *alt)
{
    static const char own_title[] = "<title>Gnuplot</title>";
    static const char no_name[] =
        "<title>gnuplot_plot_"; /* of what has no title: a pointer is told nothing */
    bool in_tag = false;
    while (*at) {
        if (begins(at, no_name)) {
            at = skip(at, "</title>");
            continue;
        }
        if (begins(at, own_title)) {
            (void)fputs("<title>", out);
            put_escaped(out, title);
            (void)fputs("</title>\n<desc>", out);
            put_escaped(out, alt);
            (void)fputs("</desc>", out);
            at = skip(at, "</desc>");
            continue;
        }
        in_tag = *at == '<' || (in_tag && *at != '>');
        const size_t taken = in_tag ? put_piece(out, at, prefix) : 0;
        if (taken == 0) {
            (void)fputc(*at++, out);
        }
        at += taken;
    }
}

rs_status rs__svg_clean(const char *svg, const char *prefix, const char *title, const char *alt, char **clean,
                        rs_error *error)
{
    char *text = NULL;
    size_t length = 0;
    const char *start = strstr(svg, "<svg");
    *clean = NULL;
    if (!start || !strstr(svg, "</svg>")) {
        return RS_FAIL(error, RS_FAILED, "gnuplot wrote no whole SVG");
    }
    FILE *out = open_memstream(&text, &length);
    if (!out) {
        return RS_FAIL(error, RS_MEMORY, "no memory for an SVG");
    }
    (void)fprintf(out, "%.*s<svg role=\"img\" aria-label=\"", prefix ? 0 : (int)(start - svg), svg);
    put_escaped(out, title);
    (void)fputc('"', out);
    put_body(out, start + strlen("<svg"), prefix, title, alt);
    const bool whole = !ferror(out);
    if (fclose(out) == 0 && whole) {
        *clean = rs_strdup(text);
    }
    free(text);
    return *clean ? RS_OK : RS_FAIL(error, RS_MEMORY, "no memory for an SVG");
}
