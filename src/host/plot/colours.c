/* colours.c: see colours.h. Viridis, cividis and plasma are matplotlib's, sampled; Okabe-Ito is from "Color universal
 * design", bright from Paul Tol's "Colour schemes". */
#include "colours.h"

#include <math.h>
#include <string.h>

#include "rs/text.h"

enum { STOPS = 11, LINES = 8 };

static const struct {
    const char *name;
    double end; /* part of the palette that shows on white */
    uint32_t stop[STOPS];
} depths[] = {
    {"viridis",
     0.93,
     {0x440154, 0x482475, 0x414487, 0x355f8d, 0x2a788e, 0x21918c, 0x22a884, 0x44bf70, 0x7ad151, 0xbddf26,
      0xfde725}},
    {"cividis",
     0.93,
     {0x00224e, 0x083370, 0x35456c, 0x4f576c, 0x666970, 0x7d7c78, 0x948e77, 0xaea371, 0xc8b866, 0xe5cf52,
      0xfee838}},
    {"plasma",
     0.90,
     {0x0d0887, 0x41049d, 0x6a00a8, 0x8f0da4, 0xb12a90, 0xcc4778, 0xe16462, 0xf2844b, 0xfca636, 0xfcce25,
      0xf0f921}},
    {"grey",
     0.80,
     {0x000000, 0x1a1a1a, 0x333333, 0x4d4d4d, 0x666666, 0x808080, 0x999999, 0xb3b3b3, 0xcccccc, 0xe6e6e6,
      0xffffff}},
};
static const struct {
    const char *name;
    int count;
    uint32_t colour[LINES];
} lines[] = {
    {"okabe-ito", 7, {0x0072b2, 0xd55e00, 0x009e73, 0xe69f00, 0x56b4e9, 0xcc79a7, 0x000000}},
    {"bright", 7, {0x4477aa, 0xee6677, 0x228833, 0xccbb44, 0x66ccee, 0xaa3377, 0x999999}},
    {"black", 1, {0x000000}},
};
enum { DEPTHS = sizeof depths / sizeof depths[0], KINDS = sizeof lines / sizeof lines[0] };

const char *rs__palette_names(void)
{
    return "viridis, cividis, plasma, grey; okabe-ito, bright, black";
}

static rs_status take(const char *word, rs__palettes *palettes, rs_error *error)
{
    const char *names[DEPTHS + KINDS];
    for (int i = 0; i < DEPTHS; i++) {
        names[i] = depths[i].name;
        if (strcmp(word, names[i]) == 0) {
            palettes->depth = i;
            return RS_OK;
        }
    }
    for (int i = 0; i < KINDS; i++) {
        names[DEPTHS + i] = lines[i].name;
        if (strcmp(word, lines[i].name) == 0) {
            palettes->lines = i;
            return RS_OK;
        }
    }
    const char *nearest = rs_text_nearest(word, names, DEPTHS + KINDS);
    return RS_FAIL(error, RS_USAGE, "--palette %s: there are %s%s%s", word, rs__palette_names(),
                   nearest ? "; nearest " : "", nearest ? nearest : "");
}

rs_status rs__palettes_parse(const char *text, rs__palettes *palettes, rs_error *error)
{
    char word[32];
    *palettes = (rs__palettes){0, 0};
    for (const char *at = text; at && rs_text_next_word(&at, ',', word, sizeof word);) {
        RS_TRY(take(word, palettes, error));
    }
    return RS_OK;
}

/* One byte of a colour between two stops. */
static uint32_t between(uint32_t a, uint32_t b, double part, int shift)
{
    const double from = (double)(a >> shift & 0xffu), to = (double)(b >> shift & 0xffu);
    return (uint32_t)lround(from + (to - from) * part) << shift;
}

uint32_t rs__depth_colour(const rs__palettes *palettes, double level)
{
    const double clamped = level >= 1.0 ? 1.0 : level > 0.0 ? level : 0.0; /* also of NaN */
    const double at = clamped * depths[palettes->depth].end * (STOPS - 1);
    const int first = (int)at < STOPS - 2 ? (int)at : STOPS - 2;
    const uint32_t a = depths[palettes->depth].stop[first], b = depths[palettes->depth].stop[first + 1];
    const double part = at - first;
    return between(a, b, part, 16) | between(a, b, part, 8) | between(a, b, part, 0);
}

uint32_t rs__line_colour(const rs__palettes *palettes, int index, int count)
{
    const int known = lines[palettes->lines].count;
    if (count <= known || known == 1) {
        return lines[palettes->lines].colour[index % known];
    }
    return rs__depth_colour(palettes, (double)index / (double)(count - 1));
}
