/* What programs print in the same words: a mask of epoll events, an errno, a JSON string.
 */
#ifndef TEXT_H
#define TEXT_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* The bits of epoll_ctl(2) and their names without EPOLL, in the order of mask_text. The
 * last name is NULL. */
struct event_bit {
	uint32_t bit;
	const char *name;
};
extern const struct event_bit event_bits[];

/* Appends the names of these events to the text in `to`, with | between any two. What
 * does not fit into `room` bytes is cut. */
void mask_text(char *to, size_t room, uint32_t events);

/* The name of an errno that a call on a socket or an epoll set may give, such as EAGAIN;
 * NULL for any other. */
const char *errno_name(int error);

/* What json_text makes of a byte that is no ASCII, and of a control character. */
enum json_bytes {
	JSON_UTF8, /* keeps what is no ASCII, for the text is UTF-8; escapes controls */
	JSON_BYTES, /* escapes both, byte by byte: any bytes become good JSON */
	JSON_ASCII, /* a question mark for both */
};

/* Writes text as a JSON string, with its quotation marks. */
void json_text(FILE *out, const char *text, enum json_bytes bytes);

#endif
