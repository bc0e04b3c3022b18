/* Echo server on libevent, for comparison: bufferevents, as its book would write it. */
#include "args.h"
#include "err.h"
#include "net.h"
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/listener.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/time.h>

enum { HIGH_WATER = 64 * 1024 };

static struct event_base *base;
static struct event *retry;

static size_t waiting(struct bufferevent *c)
{
	return evbuffer_get_length(bufferevent_get_output(c));
}

static void on_read(struct bufferevent *c, void *arg)
{
	(void)arg;
	if (evbuffer_add_buffer(bufferevent_get_output(c), bufferevent_get_input(c)) < 0)
		bufferevent_free(c);
	else if (waiting(c) >= HIGH_WATER)
		bufferevent_disable(c, EV_READ);
}

/* The output has been sent: of a client that has sent its FIN, or too much at once. */
static void on_sent(struct bufferevent *c, void *eof)
{
	if (eof)
		bufferevent_free(c);
	else if (!(bufferevent_get_enabled(c) & EV_READ))
		bufferevent_enable(c, EV_READ);
}

static void on_event(struct bufferevent *c, short what, void *arg)
{
	(void)arg;
	if (what & BEV_EVENT_EOF && waiting(c) > 0)
		bufferevent_setcb(c, NULL, on_sent, on_event, base); /* arg: eof */
	else if (what & (BEV_EVENT_EOF | BEV_EVENT_ERROR))
		bufferevent_free(c);
}

static void on_client(struct evconnlistener *listener, evutil_socket_t fd,
	struct sockaddr *from, int len, void *arg)
{
	struct bufferevent *c = bufferevent_socket_new(base, fd, BEV_OPT_CLOSE_ON_FREE);

	(void)listener, (void)from, (void)len, (void)arg;
	if (!c) {
		evutil_closesocket(fd);
		return;
	}
	bufferevent_setcb(c, on_read, on_sent, on_event, NULL);
	if (bufferevent_enable(c, EV_READ | EV_WRITE) < 0)
		bufferevent_free(c);
}

static void on_retry(evutil_socket_t fd, short what, void *listener)
{
	(void)fd, (void)what;
	evconnlistener_enable(listener);
}

/* No room for another: without a pause it would be told so without end. */
static void on_full(struct evconnlistener *listener, void *arg)
{
	static const struct timeval soon = { .tv_usec = 100 * 1000 };

	(void)arg;
	if (event_add(retry, &soon) == 0)
		evconnlistener_disable(listener);
}

static void on_signal(evutil_socket_t sig, short what, void *arg)
{
	(void)sig, (void)what, (void)arg;
	event_base_loopbreak(base);
}

int main(int argc, char **argv)
{
	struct address at = args_server(argc, argv, "echo server: libevent", NULL);

	signal(SIGPIPE, SIG_IGN); /* libevent writes with writev(2) */
	raise_fd_limit();
	base = event_base_new();
	if (!base)
		die_usage("event_base_new failed");
	int lfd = listen_tcp(&at);
	if (set_nonblocking(lfd) < 0)
		die_errno("non-blocking listener");
	struct evconnlistener *listener = evconnlistener_new(base, on_client, NULL,
		LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC, 0, lfd);
	struct event *term = evsignal_new(base, SIGTERM, on_signal, NULL);
	struct event *interrupt = evsignal_new(base, SIGINT, on_signal, NULL);
	retry = evtimer_new(base, on_retry, listener);
	if (!listener || !term || !interrupt || !retry || event_add(term, NULL) < 0 ||
		event_add(interrupt, NULL) < 0)
		die_usage("libevent: set-up failed");
	evconnlistener_set_error_cb(listener, on_full);
	announce(lfd);
	event_base_dispatch(base);
	return 0;
}
