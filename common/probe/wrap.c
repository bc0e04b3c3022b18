/* The wrappers: each makes the call, and hands its result to tally.c and trace.c. */
#include "probe.h"
#include "real.h"
#include "tally.h"
#include "trace.h"
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdlib.h>

static bool probing; /* counting, or tracing, or both */

__attribute__((constructor)) static void probe_init(void)
{
	bool tracing = trace_init(), counting = tally_init();

	probing = tracing || counting;
}

static void enter(void)
{
	if (probing)
		trace_enter();
}

/* errno is the call's own, whatever happens here. */
static void saw(enum probe_call call, const char *name, int fd, ssize_t result)
{
	int saved = errno;

	tally_call(call, result);
	trace_call(name, fd, result);
	errno = saved;
}

static void saw_bytes(
	enum probe_call call, const char *name, int fd, size_t len, ssize_t n, bool reads)
{
	int saved = errno;

	tally_bytes(call, len, n, reads);
	trace_bytes(name, fd, len, n);
	errno = saved;
}

static void saw_events(const char *name, int epfd, struct epoll_event *evs, int n)
{
	int saved = errno;

	tally_events(n);
	trace_events(name, epfd, evs, n);
	errno = saved;
}

static bool nonblocking(int fd)
{
	int flags = __real_fcntl(fd, F_GETFL);

	return flags < 0 || flags & O_NONBLOCK;
}

/* A call on a blocking descriptor that is not ready will wait: it is shown while it does.
 * It asks without waiting itself, so no signal can be lost here. */
static bool will_wait(int fd, short ready)
{
	struct pollfd p = { .fd = fd, .events = ready };

	return probing && trace_shows_waits() && !nonblocking(fd) &&
	       __real_poll(&p, 1, 0) == 0;
}

ssize_t __wrap_recv(int fd, void *to, size_t len, int flags)
{
	if (!(flags & MSG_DONTWAIT) && will_wait(fd, POLLIN))
		trace_wait_bytes("recv", fd, len);
	enter();

	ssize_t n = __real_recv(fd, to, len, flags);

	if (probing)
		saw_bytes(PROBE_RECV, "recv", fd, len, n, true);
	return n;
}

ssize_t __wrap___recv_chk(int fd, void *to, size_t len, size_t room, int flags)
{
	if (len > room)
		abort(); /* what _FORTIFY_SOURCE promises */
	return __wrap_recv(fd, to, len, flags);
}

/* A socket that is writable may not have room for all of len, and one that is not may
 * have: only the call itself can say that it will wait. */
static ssize_t send_shown(int fd, const char *from, size_t len, int flags)
{
	ssize_t n = __real_send(fd, from, len, flags | MSG_DONTWAIT);
	size_t sent = n > 0 ? (size_t)n : 0;

	if (sent == len || (n < 0 && errno != EAGAIN) || nonblocking(fd))
		return n;
	trace_wait_bytes("send", fd, len);
	n = __real_send(fd, from + sent, len - sent, flags);
	if (n < 0)
		return sent > 0 ? (ssize_t)sent : n;
	return (ssize_t)sent + n;
}

ssize_t __wrap_send(int fd, const void *from, size_t len, int flags)
{
	bool shown = probing && trace_shows_waits() && !(flags & MSG_DONTWAIT);
	enter();

	ssize_t n = shown ? send_shown(fd, from, len, flags)
			  : __real_send(fd, from, len, flags);

	if (probing)
		saw_bytes(PROBE_SEND, "send", fd, len, n, false);
	return n;
}

ssize_t __wrap_read(int fd, void *to, size_t len)
{
	if (will_wait(fd, POLLIN))
		trace_wait_bytes("read", fd, len);
	enter();

	ssize_t n = __real_read(fd, to, len);

	if (probing)
		saw_bytes(PROBE_READ, "read", fd, len, n, true);
	return n;
}

ssize_t __wrap___read_chk(int fd, void *to, size_t len, size_t room)
{
	if (len > room)
		abort();
	return __wrap_read(fd, to, len);
}

ssize_t __wrap_write(int fd, const void *from, size_t len)
{
	if (will_wait(fd, POLLOUT))
		trace_wait_bytes("write", fd, len);
	enter();

	ssize_t n = __real_write(fd, from, len);

	if (probing)
		saw_bytes(PROBE_WRITE, "write", fd, len, n, false);
	return n;
}

ssize_t __wrap_pread(int fd, void *to, size_t len, off_t at)
{
	enter();

	ssize_t n = __real_pread(fd, to, len, at);

	if (probing)
		saw_bytes(PROBE_PREAD, "pread", fd, len, n, true);
	return n;
}

ssize_t __wrap_pread64(int fd, void *to, size_t len, off_t at)
{
	return __wrap_pread(fd, to, len, at);
}

ssize_t __wrap___pread_chk(int fd, void *to, size_t len, off_t at, size_t room)
{
	if (len > room)
		abort();
	return __wrap_pread(fd, to, len, at);
}

ssize_t __wrap___pread64_chk(int fd, void *to, size_t len, off_t at, size_t room)
{
	return __wrap___pread_chk(fd, to, len, at, room);
}

ssize_t __wrap_sendfile(int to, int from, off_t *offset, size_t len)
{
	enter();

	ssize_t n = __real_sendfile(to, from, offset, len);

	if (probing)
		saw_bytes(PROBE_SENDFILE, "sendfile", to, len, n, true);
	return n;
}

ssize_t __wrap_sendfile64(int to, int from, off_t *offset, size_t len)
{
	return __wrap_sendfile(to, from, offset, len);
}

ssize_t __wrap_splice(int from, off_t *in, int to, off_t *out, size_t len, unsigned flags)
{
	enter();

	ssize_t n = __real_splice(from, in, to, out, len, flags);

	if (!probing)
		return n;
	saw_bytes(PROBE_SPLICE, "splice", from, len, n, true);
	tally_spliced(to, n);
	return n;
}

int __wrap_accept4(int lfd, struct sockaddr *sa, socklen_t *len, int flags)
{
	if (will_wait(lfd, POLLIN))
		trace_wait("accept4", lfd);
	enter();

	int fd = __real_accept4(lfd, sa, len, flags);

	if (!probing)
		return fd;
	tally_opened(fd);
	saw(PROBE_ACCEPT4, "accept4", lfd, fd);
	return fd;
}

int __wrap_close(int fd)
{
	bool ours = probing && tally_forget(fd); /* a connection */

	enter();

	int result = __real_close(fd);

	if (ours)
		tally_closed();
	if (probing)
		saw(PROBE_CLOSE, "close", fd, result);
	return result;
}

int __wrap_epoll_create1(int flags)
{
	enter();

	int epfd = __real_epoll_create1(flags);

	if (probing)
		saw(PROBE_EPOLL_CREATE1, "epoll_create1", flags, epfd);
	return epfd;
}

int __wrap_epoll_wait(int epfd, struct epoll_event *evs, int max, int timeout)
{
	enter();

	int n = __real_epoll_wait(epfd, evs, max, timeout);

	if (probing)
		saw_events("epoll_wait", epfd, evs, n);
	return n;
}

int __wrap_epoll_pwait(
	int epfd, struct epoll_event *evs, int max, int timeout, const sigset_t *mask)
{
	enter();

	int n = __real_epoll_pwait(epfd, evs, max, timeout, mask);

	if (probing)
		saw_events("epoll_pwait", epfd, evs, n);
	return n;
}

int __wrap_epoll_pwait2(int epfd, struct epoll_event *evs, int max,
	const struct timespec *timeout, const sigset_t *mask)
{
	enter();

	int n = __real_epoll_pwait2(epfd, evs, max, timeout, mask);

	if (probing)
		saw_events("epoll_pwait2", epfd, evs, n);
	return n;
}

int __wrap_epoll_ctl(int epfd, int op, int fd, struct epoll_event *ev)
{
	struct epoll_event tagged;
	struct epoll_event *passed = probing ? trace_tag(op, fd, ev, &tagged) : ev;

	enter();

	int result = __real_epoll_ctl(epfd, op, fd, passed);

	if (!probing)
		return result;
	int saved = errno;
	tally_call(PROBE_EPOLL_CTL, result);
	trace_ctl(epfd, op, fd, ev, result);
	errno = saved;
	return result;
}

int __wrap_poll(struct pollfd *fds, nfds_t n, int timeout)
{
	enter();

	int result = __real_poll(fds, n, timeout);

	if (probing)
		saw(PROBE_POLL, "poll", (int)n, result);
	return result;
}

int __wrap___poll_chk(struct pollfd *fds, nfds_t n, int timeout, size_t room)
{
	if (n > room / sizeof *fds)
		abort();
	return __wrap_poll(fds, n, timeout);
}

/* Both take one more argument or none; passing a word on, used or not, serves for both.
 */
int __wrap_fcntl(int fd, int cmd, ...)
{
	va_list ap;

	va_start(ap, cmd);
	enter();

	int result = __real_fcntl(fd, cmd, va_arg(ap, void *));
	va_end(ap);
	if (probing)
		saw(PROBE_FCNTL, "fcntl", fd, result);
	return result;
}

int __wrap_fcntl64(int fd, int cmd, ...)
{
	va_list ap;

	va_start(ap, cmd);
	int result = __wrap_fcntl(fd, cmd, va_arg(ap, void *));
	va_end(ap);
	return result;
}

int __wrap_ioctl(int fd, unsigned long request, ...)
{
	va_list ap;

	va_start(ap, request);
	enter();

	int result = __real_ioctl(fd, request, va_arg(ap, void *));
	va_end(ap);
	if (probing)
		saw(PROBE_IOCTL, "ioctl", fd, result);
	return result;
}

#ifdef __SANITIZE_THREAD__
/* It knows that EPOLL_CTL_ADD hands a descriptor to whoever gets the event, and takes one
 * that EPOLL_CTL_MOD hands on for used by two threads at once. */
const char *__tsan_default_suppressions(void);

const char *__tsan_default_suppressions(void)
{
	/* The call itself, by either of its names, and not its wrapper. */
	return "race:interceptor_epoll_ctl\nrace:^epoll_ctl$\n";
}
#endif
