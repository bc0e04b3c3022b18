#include "probe.h"
#include "err.h"
#include "started.h"
#include "tag.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum {
	MAX_FD = 1 << 20, /* the usual fs.nr_open; a connection above it is not tracked */
	LINE = 1024,
};

/* The calls themselves; ld makes __real_X from X for each --wrap=X. */
int __real_accept4(int, struct sockaddr *, socklen_t *, int);
ssize_t __real_recv(int, void *, size_t, int);
ssize_t __real_send(int, const void *, size_t, int);
ssize_t __real_read(int, void *, size_t);
ssize_t __real_write(int, const void *, size_t);
ssize_t __real_pread(int, void *, size_t, off_t);
int __real_epoll_create1(int);
int __real_epoll_wait(int, struct epoll_event *, int, int);
int __real_epoll_pwait(int, struct epoll_event *, int, int, const sigset_t *);
/* Not in every C library. It is called by who calls it, and is there then. */
__attribute__((weak)) int __real_epoll_pwait2(
	int, struct epoll_event *, int, const struct timespec *, const sigset_t *);
int __real_epoll_ctl(int, int, int, struct epoll_event *);
int __real_poll(struct pollfd *, nfds_t, int);
ssize_t __real_sendfile(int, int, off_t *, size_t);
ssize_t __real_splice(int, off_t *, int, off_t *, size_t, unsigned);
int __real_close(int);
int __real_fcntl(int, int, ...);
int __real_ioctl(int, unsigned long, ...);

int __wrap_accept4(int, struct sockaddr *, socklen_t *, int);
ssize_t __wrap_recv(int, void *, size_t, int);
ssize_t __wrap___recv_chk(int, void *, size_t, size_t, int);
ssize_t __wrap_send(int, const void *, size_t, int);
ssize_t __wrap_read(int, void *, size_t);
ssize_t __wrap___read_chk(int, void *, size_t, size_t);
ssize_t __wrap_write(int, const void *, size_t);
ssize_t __wrap_pread(int, void *, size_t, off_t);
ssize_t __wrap_pread64(int, void *, size_t, off_t);
ssize_t __wrap___pread_chk(int, void *, size_t, off_t, size_t);
ssize_t __wrap___pread64_chk(int, void *, size_t, off_t, size_t);
int __wrap_epoll_create1(int);
int __wrap_epoll_wait(int, struct epoll_event *, int, int);
int __wrap_epoll_pwait(int, struct epoll_event *, int, int, const sigset_t *);
int __wrap_epoll_pwait2(
	int, struct epoll_event *, int, const struct timespec *, const sigset_t *);
int __wrap_epoll_ctl(int, int, int, struct epoll_event *);
int __wrap_poll(struct pollfd *, nfds_t, int);
int __wrap___poll_chk(struct pollfd *, nfds_t, int, size_t);
ssize_t __wrap_sendfile(int, int, off_t *, size_t);
ssize_t __wrap_sendfile64(int, int, off_t *, size_t);
ssize_t __wrap_splice(int, off_t *, int, off_t *, size_t, unsigned);
int __wrap_close(int);
int __wrap_fcntl(int, int, ...);
int __wrap_fcntl64(int, int, ...);
int __wrap_ioctl(int, unsigned long, ...);

static struct probe_page *page; /* NULL: not counting */
static bool tracing;
static bool clocked; /* LAB_TRACE=clock */
static bool probing; /* either of them */
static int64_t start_ns;
static _Atomic uint64_t connection[MAX_FD / 64]; /* one bit a descriptor from accept4 */
static _Thread_local int64_t entered_ns; /* clocked: when this call began */

static int64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t); /* cannot fail: valid clock, valid pointer */
	return t.tv_sec * INT64_C(1000000000) + t.tv_nsec;
}

/* Two servers that count on one page would each be blamed for both. A page whose server
 * has ended is begun again; a forked worker does not come here. */
static void take_page(struct probe_page *p, const char *file)
{
	int64_t owner = p->pid;

	if (owner != getpid() && p->started != 0 && started(owner) == p->started)
		die_usage("LAB_COUNTS: %s: process %d counts there: end it, or name "
			  "another file",
			file, (int)owner);
	*p = (struct probe_page){ .magic = PROBE_MAGIC,
		.start_ns = start_ns,
		.last_ns = start_ns,
		.pid = getpid(),
		.started = started(getpid()) };
}

/* A file that is not empty and not a page of ours is somebody's data: leave it alone. */
static struct probe_page *open_page(const char *file)
{
	struct stat st;
	int fd = open(file, O_RDWR | O_CREAT | O_CLOEXEC | O_NONBLOCK, 0644);

	if (fd < 0 || fstat(fd, &st) < 0)
		die_errno("LAB_COUNTS: %s", file);
	if (!S_ISREG(st.st_mode))
		die_usage("LAB_COUNTS: %s: not a regular file", file);
	if (st.st_size != 0 && st.st_size != (off_t)sizeof *page)
		die_usage("LAB_COUNTS: %s: holds something else, not counts", file);
	if (flock(fd, LOCK_EX) < 0 || ftruncate(fd, sizeof *page) < 0)
		die_errno("LAB_COUNTS: %s", file);
	struct probe_page *p =
		mmap(NULL, sizeof *p, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (p == MAP_FAILED)
		die_errno("LAB_COUNTS: %s", file);
	if (st.st_size != 0 && p->magic != PROBE_MAGIC)
		die_usage("LAB_COUNTS: %s: holds something else, not counts", file);
	take_page(p, file);
	if (flock(fd, LOCK_UN) < 0) /* close would not: the mapping keeps the file open */
		die_errno("LAB_COUNTS: %s", file);
	__real_close(fd);
	return p;
}

__attribute__((constructor)) static void probe_init(void)
{
	const char *file = getenv("LAB_COUNTS"), *trace = getenv("LAB_TRACE");

	start_ns = now_ns();
	clocked = trace && strcmp(trace, "clock") == 0;
	if (trace && *trace && !clocked && strcmp(trace, "0") != 0 &&
		strcmp(trace, "1") != 0)
		die_usage("LAB_TRACE: '%s' is none of 0, 1, clock", trace);
	tracing = clocked || (trace && *trace == '1');
	if (tracing)
		tag_init();
	if (file && *file)
		page = open_page(file);
	probing = page || tracing;
}

/* The counts need no order among themselves: relaxed is enough, and cheapest. */
static void add(_Atomic uint64_t *counter, uint64_t n)
{
	atomic_fetch_add_explicit(counter, n, memory_order_relaxed);
}

/* The end of a server that was killed is the last that was seen of it. The coarse clock
 * is a word in memory, and good to some milliseconds. */
static void note_time(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC_COARSE, &t);
	atomic_store_explicit(&page->last_ns, t.tv_sec * INT64_C(1000000000) + t.tv_nsec,
		memory_order_relaxed);
}

static void count(enum probe_call call, ssize_t result)
{
	struct probe_tally *t = &page->call[call];
	int error = errno;

	note_time();
	errno = error;
	if (result >= 0)
		add(&t->ok, 1);
	else if (errno == EAGAIN)
		add(&t->eagain, 1);
	else if (errno == EINTR)
		add(&t->eintr, 1);
	else
		add(&t->errors, 1);
}

/* For calls that move bytes: len is what was asked for. */
static void count_bytes(enum probe_call call, size_t len, ssize_t result, bool reads)
{
	struct probe_tally *t = &page->call[call];

	if (result == 0 && len > 0 && reads)
		add(&t->eof, 1);
	else
		count(call, result);
	if (result > 0)
		add(&t->bytes, (uint64_t)result);
}

static void enter(void)
{
	if (clocked)
		entered_ns = now_ns();
}

/* What stands before each line. */
static int tell_time(char *to, size_t room)
{
	int64_t now = now_ns(), since = now - (clocked ? entered_ns : start_ns);
	int s = (int)(since / 1000000000), ns = (int)(since % 1000000000);

	if (!clocked && gettid() == getpid())
		return snprintf(to, room, "%3d.%06d ", s, ns / 1000);
	if (!clocked)
		return snprintf(to, room, "%3d.%06d [%d] ", s, ns / 1000, gettid());
	return snprintf(to, room, "%lld.%09d %d.%09d ", (long long)(now / 1000000000),
		(int)(now % 1000000000), s, ns);
}

/* One line, one write, so that threads and forks do not mix theirs. */
__attribute__((format(printf, 1, 2))) static void tell(const char *fmt, ...)
{
	char line[LINE];
	int n = tell_time(line, sizeof line);
	va_list ap;

	va_start(ap, fmt);
	n += vsnprintf(line + n, sizeof line - (size_t)n, fmt, ap);
	va_end(ap);
	if (n > LINE - 2)
		n = LINE - 2;
	line[n] = '\n';
	if (__real_write(STDERR_FILENO, line, (size_t)n + 1) < 0)
		return; /* nobody is listening: the server goes on */
}

/* The result, or the name of the error where it is one of the usual ones. */
static const char *outcome(ssize_t result, char text[24])
{
	static const struct {
		int number;
		const char *name;
	} names[] = {
		{ EAGAIN, "EAGAIN" },
		{ EINTR, "EINTR" },
		{ ECONNRESET, "ECONNRESET" },
		{ EPIPE, "EPIPE" },
		{ ETIMEDOUT, "ETIMEDOUT" },
		{ ECONNABORTED, "ECONNABORTED" },
		{ EMFILE, "EMFILE" },
		{ ENFILE, "ENFILE" },
		{ ENOMEM, "ENOMEM" },
		{ ENOBUFS, "ENOBUFS" },
		{ EBADF, "EBADF" },
		{ EEXIST, "EEXIST" },
		{ ENOENT, "ENOENT" },
		{ EINVAL, "EINVAL" },
		{ EPERM, "EPERM" },
	};

	if (result >= 0) {
		snprintf(text, 24, "%zd", result);
		return text;
	}
	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (names[i].number == errno)
			return names[i].name;
	snprintf(text, 24, "errno %d", errno);
	return text;
}

static const char *mask(uint32_t events, char text[64])
{
	static const struct {
		uint32_t bit;
		const char *name;
	} bits[] = {
		{ EPOLLIN, "IN" },
		{ EPOLLOUT, "OUT" },
		{ EPOLLRDHUP, "RDHUP" },
		{ EPOLLPRI, "PRI" },
		{ EPOLLERR, "ERR" },
		{ EPOLLHUP, "HUP" },
		{ EPOLLET, "ET" },
		{ EPOLLONESHOT, "ONESHOT" },
		{ EPOLLEXCLUSIVE, "EXCLUSIVE" },
	};
	size_t n = 0;

	strcpy(text, "0");
	for (size_t i = 0; i < sizeof bits / sizeof *bits; i++)
		if (events & bits[i].bit)
			n += (size_t)sprintf(
				text + n, "%s%s", n ? "|" : "", bits[i].name);
	return text;
}

static void tell_bytes(const char *name, int fd, size_t len, ssize_t result)
{
	char text[24];

	tell("%s(%d, %zu) → %s", name, fd, len, outcome(result, text));
}

/* Puts the program's own data back as well. */
static void tell_events(const char *name, int epfd, struct epoll_event *evs, int n)
{
	char line[LINE - 64], text[64];
	size_t len = 0;

	line[0] = '\0';
	for (int i = 0; i < n; i++) {
		uint64_t data = evs[i].data.u64; /* the struct may be packed */
		int fd = untag(&data);

		evs[i].data.u64 = data;
		if (len < sizeof line - 80)
			len += (size_t)snprintf(line + len, sizeof line - len,
				"%s fd %d %s", i ? "," : ":", fd,
				mask(evs[i].events, text));
	}
	tell("%s(%d) → %s%s", name, epfd, outcome(n, text), line);
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

	return tracing && !clocked && !nonblocking(fd) && __real_poll(&p, 1, 0) == 0;
}

static void tell_wait(const char *name, int fd, size_t len)
{
	tell("%s(%d, %zu) ...waits", name, fd, len);
}

static void saw_bytes(
	enum probe_call call, const char *name, int fd, size_t len, ssize_t n, bool reads)
{
	int saved = errno;

	if (page)
		count_bytes(call, len, n, reads);
	if (tracing)
		tell_bytes(name, fd, len, n);
	errno = saved;
}

static void saw(enum probe_call call, const char *name, int fd, ssize_t result)
{
	int saved = errno;
	char text[24];

	if (page)
		count(call, result);
	if (tracing)
		tell("%s(%d) → %s", name, fd, outcome(result, text));
	errno = saved;
}

ssize_t __wrap_recv(int fd, void *to, size_t len, int flags)
{
	if (!(flags & MSG_DONTWAIT) && will_wait(fd, POLLIN))
		tell_wait("recv", fd, len);
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
	tell_wait("send", fd, len);
	n = __real_send(fd, from + sent, len - sent, flags);
	if (n < 0)
		return sent > 0 ? (ssize_t)sent : n;
	return (ssize_t)sent + n;
}

ssize_t __wrap_send(int fd, const void *from, size_t len, int flags)
{
	bool shown = tracing && !clocked && !(flags & MSG_DONTWAIT);
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
		tell_wait("read", fd, len);
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
		tell_wait("write", fd, len);
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

static bool is_connection(int fd)
{
	return fd >= 0 && fd < MAX_FD && atomic_load(&connection[fd / 64]) >> fd % 64 & 1;
}

/* A byte that passes goes through two: from a connection into a pipe, and from there to a
 * connection. */
ssize_t __wrap_splice(int from, off_t *in, int to, off_t *out, size_t len, unsigned flags)
{
	enter();

	ssize_t n = __real_splice(from, in, to, out, len, flags);

	if (probing)
		saw_bytes(PROBE_SPLICE, "splice", from, len, n, true);
	if (page && n > 0 && is_connection(to))
		add(&page->spliced_out, (uint64_t)n);
	return n;
}

int __wrap_accept4(int lfd, struct sockaddr *sa, socklen_t *len, int flags)
{
	if (will_wait(lfd, POLLIN))
		tell("accept4(%d) ...waits", lfd);
	enter();

	int fd = __real_accept4(lfd, sa, len, flags);

	if (!probing)
		return fd;
	if (page && fd >= 0) {
		add(&page->opened, 1);
		if (fd < MAX_FD)
			atomic_fetch_or(&connection[fd / 64], UINT64_C(1) << fd % 64);
	}
	saw(PROBE_ACCEPT4, "accept4", lfd, fd);
	return fd;
}

int __wrap_close(int fd)
{
	bool ours = false; /* a connection */

	/* Forgotten before the call: after it another thread may be given the number.
	 * Counted after it: who sees the count must not find the descriptor. */
	if (page && fd >= 0 && fd < MAX_FD) {
		uint64_t bit = UINT64_C(1) << fd % 64;

		ours = atomic_fetch_and(&connection[fd / 64], ~bit) & bit;
	}
	enter();

	int result = __real_close(fd);

	if (ours)
		add(&page->closed, 1);
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

static void saw_events(const char *name, int epfd, struct epoll_event *evs, int n)
{
	int saved = errno;

	if (page) {
		count(PROBE_EPOLL_WAIT, n);
		if (n > 0)
			add(&page->events, (uint64_t)n);
		if (n == 0)
			add(&page->timeouts, 1);
	}
	if (tracing)
		tell_events(name, epfd, evs, n);
	errno = saved;
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
	static const char *const ops[] = { "?", "ADD", "DEL", "MOD" };
	struct epoll_event named, *passed = ev;

	if (tracing && ev && op != EPOLL_CTL_DEL) {
		named = *ev;
		named.data.u64 = tag(fd, ev->data.u64);
		passed = &named;
	}
	enter();

	int result = __real_epoll_ctl(epfd, op, fd, passed);

	if (!probing)
		return result;
	int saved = errno;
	if (page)
		count(PROBE_EPOLL_CTL, result);
	if (tracing) {
		char bits[64], text[24];

		tell("epoll_ctl(%d, %s, %d, %s) → %s", epfd, ops[op & 3], fd,
			ev ? mask(ev->events, bits) : "NULL", outcome(result, text));
	}
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
