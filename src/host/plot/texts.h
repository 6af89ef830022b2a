/* texts.h: how long texts are on paper, and where they break into lines. */
#ifndef RS_PLOT_TEXTS_H
#define RS_PLOT_TEXTS_H

#include <stddef.h>

#define RS__LINE_HEIGHT 1.4 /* in font sizes */

/* Bytes of the first line of a text: as many words as there is room for, one at least; of one that is too long as much as ends in - . / _ or a
 * comma and has room; and how many lines it makes. */
size_t rs__first_line(const char *text, double font, double room);
int rs__line_count(const char *text, double font, double room, int most);
/* The least room in which it makes no more lines than in `room`, and no word is parted: so that lines are about as long as each other. */
double rs__even_room(const char *text, double font, double room, int most);

/* About how long a text is, in points. */
double rs__text_width(const char *text, double font);

#endif
