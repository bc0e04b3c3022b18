/* Echo server on libuv, for comparison: its guide's, with back-pressure. */
#include "args.h"
#include "err.h"
#include "net.h"
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

/* What is left of one read, with its request: reading goes on when it has been sent, so
 * that a connection never holds more than one. */
struct rest {
	uv_write_t req;
	char data[];
};

static uv_timer_t retry;

static void must(int rc, const char *what)
{
	if (rc < 0)
		die_usage("%s: %s", what, uv_strerror(rc));
}

static void on_close(uv_handle_t *c)
{
	free(c);
}

static void conn_close(uv_stream_t *c)
{
	if (!uv_is_closing((uv_handle_t *)c))
		uv_close((uv_handle_t *)c, on_close);
}

/* One buffer for all: the bytes are copied before the next read if they must wait. */
static void on_alloc(uv_handle_t *c, size_t suggested, uv_buf_t *room)
{
	static char data[64 * 1024];

	(void)c, (void)suggested;
	*room = uv_buf_init(data, sizeof data);
}

static void on_read(uv_stream_t *c, ssize_t n, const uv_buf_t *room);

static void on_sent(uv_write_t *req, int status)
{
	uv_stream_t *c = req->handle;

	free(req);
	if (status < 0 || uv_read_start(c, on_alloc, on_read) < 0)
		conn_close(c);
}

static int send_rest(uv_stream_t *c, const char *data, size_t n)
{
	struct rest *r = malloc(sizeof *r + n);

	if (!r)
		return UV_ENOMEM;
	memcpy(r->data, data, n);
	uv_buf_t bytes = uv_buf_init(r->data, (unsigned)n);
	int rc = uv_write(&r->req, c, &bytes, 1, on_sent);
	if (rc < 0)
		free(r);
	else
		uv_read_stop(c);
	return rc;
}

static void on_read(uv_stream_t *c, ssize_t n, const uv_buf_t *room)
{
	if (n < 0) { /* UV_EOF too: nothing is owed, or nothing would have been read */
		conn_close(c);
		return;
	}
	if (n == 0)
		return; /* EAGAIN */
	uv_buf_t bytes = uv_buf_init(room->base, (unsigned)n);
	int sent = uv_try_write(c, &bytes, 1);
	if (sent == UV_EAGAIN)
		sent = 0;
	if (sent < 0 ||
		(sent < n && send_rest(c, room->base + sent, (size_t)(n - sent)) < 0))
		conn_close(c);
}

static void on_retry(uv_timer_t *timer);

static void on_client(uv_stream_t *listener, int status)
{
	uv_tcp_t *c;

	if (status < 0)
		return;
	c = malloc(sizeof *c);
	if (!c || uv_tcp_init(listener->loop, c) < 0) {
		free(c); /* nobody else is accepted until this one is */
		uv_timer_start(&retry, on_retry, 100, 0);
		return;
	}
	if (uv_accept(listener, (uv_stream_t *)c) < 0 ||
		uv_read_start((uv_stream_t *)c, on_alloc, on_read) < 0)
		conn_close((uv_stream_t *)c);
}

static void on_retry(uv_timer_t *timer)
{
	on_client(timer->data, 0);
}

static void on_signal(uv_signal_t *handle, int sig)
{
	(void)sig;
	uv_stop(handle->loop);
}

int main(int argc, char **argv)
{
	struct address at = args_server(argc, argv, "echo server: libuv", NULL);
	uv_loop_t *loop = uv_default_loop();
	uv_signal_t term, interrupt;
	uv_tcp_t listener;

	signal(SIGPIPE, SIG_IGN); /* libuv writes with write(2) */
	raise_fd_limit();
	int lfd = listen_tcp(&at);
	must(uv_tcp_init(loop, &listener), "uv_tcp_init");
	must(uv_tcp_open(&listener, lfd), "uv_tcp_open");
	must(uv_listen((uv_stream_t *)&listener, SOMAXCONN, on_client), "uv_listen");
	must(uv_timer_init(loop, &retry), "uv_timer_init");
	retry.data = &listener;
	must(uv_signal_init(loop, &term), "uv_signal_init");
	must(uv_signal_start(&term, on_signal, SIGTERM), "uv_signal_start");
	must(uv_signal_init(loop, &interrupt), "uv_signal_init");
	must(uv_signal_start(&interrupt, on_signal, SIGINT), "uv_signal_start");
	announce(lfd);
	uv_run(loop, UV_RUN_DEFAULT);
	return 0;
}
