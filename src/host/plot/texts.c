/* texts.c: see texts.h. */
#include "texts.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "rs/host.h"

/* Widths of Helvetica's letters, roughly, in font sizes. */
static double letter_width(unsigned char c)
{
    if (strchr("ijltf.,:;'!|I ()[]/", c)) {
        return 0.30;
    }
    if (strchr("mwMW%@", c)) {
        return 0.86;
    }
    return c >= 'A' && c <= 'Z' ? 0.68 : 0.555;
}

double rs__text_width(const char *text, double font)
{
    double width = 0.0;
    for (const unsigned char *c = (const unsigned char *)text; c && *c; c++) {
        if ((*c & 0xc0u) != 0x80u) { /* not within a letter of several bytes */
            width += *c < 0x80u ? letter_width(*c) : 0.7;
        }
    }
    return width * font;
}

/* Bytes of the longest part of one word that has room, 0 where there is none. */
static size_t part_of_word(const char *text, size_t word, double font, double room)
{
    size_t part = 0;
    char start[256];
    for (size_t i = 1; i < word && i < sizeof start; i++) {
        (void)snprintf(start, sizeof start, "%.*s", (int)i, text);
        if (rs__text_width(start, font) > room) {
            break;
        }
        part = strchr("-./_,", text[i - 1]) ? i : part;
    }
    return part;
}

size_t rs__first_line(const char *text, double font, double room)
{
    size_t length = strcspn(text, " ");
    char *words = rs_strdup(text);
    if (words) {
        words[length] = '\0';
        const size_t part = rs__text_width(words, font) > room ? part_of_word(text, length, font, room) : 0;
        words[length] = text[length];
        if (part > 0) {
            rs_free(words);
            return part;
        }
    }
    while (words && text[length]) {
        const size_t longer = length + 1 + strcspn(text + length + 1, " ");
        words[longer] = '\0';
        if (rs__text_width(words, font) > room) {
            break;
        }
        words[longer] = text[longer];
        length = longer;
    }
    rs_free(words);
    return length;
}

int rs__line_count(const char *text, double font, double room, int most)
{
    int lines = 0;
    for (const char *at = text; at && *at && lines < most; lines++) {
        at += rs__first_line(at, font, room);
        at += *at == ' ';
    }
    return lines;
}

double rs__even_room(const char *text, double font, double room, int most)
{
    const int lines = rs__line_count(text, font, room, most + 1);
    double even = 0.0;
    if (lines > most) {
        return room;
    }
    for (const char *word = text; *word;) { /* a part that reaches from blank to blank */
        char part[256];
        const size_t length = strcspn(word, " ");
        (void)snprintf(part, sizeof part, "%.*s", (int)length, word);
        even = fmax(even, rs__text_width(part, font));
        word += length + (word[length] == ' ');
    }
    even = fmax(even, rs__text_width(text, font) / (lines > 0 ? lines : 1));
    while (even < room && rs__line_count(text, font, even, most + 1) > lines) {
        even += 0.25 * font;
    }
    return fmin(even, room);
}
