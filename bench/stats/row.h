/* The answer: rows of named cells, as TAB-separated text or as JSON. */
#ifndef STATS_ROW_H
#define STATS_ROW_H

#include <stdbool.h>
#include <stddef.h>

/* The answer is held back until all of it is known: what fails prints no half of it.
 * failures: servers that gave no trial. resampled: by --seed. */
void rows_begin(size_t failures, bool resampled);

/* The same, with lines to copy in front, and the names of the columns even if no row
 * comes.
 */
void rows_begin_with(char *const *line, size_t lines, const char *names);

/* A cell of the row. The name and the text must live until row_end. NaN: no number. */
void put_text(const char *name, const char *text);
void put_number(const char *name, double number);
void put_count(const char *name, size_t count);

void row_end(void);

/* Prints all of it. */
void rows_end(void);

#endif
