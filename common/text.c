#include "text.h"
#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <sys/epoll.h>

const struct event_bit event_bits[] = {
	{ EPOLLIN, "IN" },
	{ EPOLLPRI, "PRI" },
	{ EPOLLOUT, "OUT" },
	{ EPOLLRDHUP, "RDHUP" },
	{ EPOLLERR, "ERR" },
	{ EPOLLHUP, "HUP" },
	{ (uint32_t)EPOLLET, "ET" },
	{ EPOLLONESHOT, "ONESHOT" },
	{ EPOLLEXCLUSIVE, "EXCLUSIVE" },
	{ EPOLLWAKEUP, "WAKEUP" },
	{ 0, NULL },
};

void mask_text(char *to, size_t room, uint32_t events)
{
	for (const struct event_bit *b = event_bits; b->name; b++) {
		size_t n = strlen(to);

		if (events & b->bit)
			snprintf(to + n, room - n, "%s%s", n ? "|" : "", b->name);
	}
}

const char *errno_name(int error)
{
	static const struct {
		int number;
		const char *name;
	} names[] = {
		{ EAGAIN, "EAGAIN" },
		{ EBADF, "EBADF" },
		{ ECONNABORTED, "ECONNABORTED" },
		{ ECONNREFUSED, "ECONNREFUSED" },
		{ ECONNRESET, "ECONNRESET" },
		{ EEXIST, "EEXIST" },
		{ EINPROGRESS, "EINPROGRESS" },
		{ EINTR, "EINTR" },
		{ EINVAL, "EINVAL" },
		{ ELOOP, "ELOOP" },
		{ EMFILE, "EMFILE" },
		{ ENFILE, "ENFILE" },
		{ ENOBUFS, "ENOBUFS" },
		{ ENOENT, "ENOENT" },
		{ ENOMEM, "ENOMEM" },
		{ ENOTCONN, "ENOTCONN" },
		{ EPERM, "EPERM" },
		{ EPIPE, "EPIPE" },
		{ ETIMEDOUT, "ETIMEDOUT" },
	};

	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (names[i].number == error)
			return names[i].name;
	return NULL;
}

void json_text(FILE *out, const char *text, enum json_bytes bytes)
{
	putc('"', out);
	for (const char *s = text; *s; s++) {
		unsigned char c = (unsigned char)*s;
		bool plain = c >= ' ' && (c <= '~' || bytes == JSON_UTF8);

		if (c == '"' || c == '\\')
			fprintf(out, "\\%c", c);
		else if (plain)
			putc(c, out);
		else if (bytes == JSON_ASCII)
			putc('?', out);
		else if (c == '\n' && bytes == JSON_UTF8)
			fputs("\\n", out);
		else
			fprintf(out, "\\u%04x", c);
	}
	putc('"', out);
}
