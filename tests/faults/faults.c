/* A preload library that makes life hard for a server, and never unfair:
 *
 *   LD_PRELOAD=build/faults.so LAB_FAULTS=SEED[,malloc] [LAB_FAULTS_LOG=FILE] SERVER ...
 *
 * The nth accept, the nth read, the nth write and the nth wait of a process draw the same
 * lot for the same SEED. A correct server returns every byte nevertheless, because a
 * manual page announces each of these faults:
 *
 *   short                read(2), write(2), send(2): fewer bytes than asked for is no
 *                        error. The size is halved, or cut to 1, before the call
 *   EINTR                signal(7): any call that may wait. Nothing was done
 *   EAGAIN               recv(2), send(2): where O_NONBLOCK or MSG_DONTWAIT allow it
 *   ECONNABORTED         accept(2): to be treated like EAGAIN, by retrying
 *   EMFILE ENFILE        accept(2). The call is not made: the client stays in the
 *   ENOMEM ENOBUFS       backlog
 *   NULL (if ,malloc)    malloc(3): one in 50, once somebody was accepted. A connection
 *                        may go, the others stay
 *
 * Never more than two errors in a row. epoll(7) promises a new edge after EAGAIN and lets
 * a server take a short read for one; after such a lie the kernel would send none. So
 * each is preceded by an EPOLL_CTL_MOD with the same mask and data: it makes the kernel
 * look again, and report again. Where that cannot be done, there is no lie.
 *
 * Only accepted stream sockets are touched: no file, no pipe, no connection made outward.
 * An edge-triggered listener hears nothing new after EMFILE: to retry is its own duty.
 *
 * AddressSanitizer needs ASAN_OPTIONS=verify_asan_link_order=0. valgrind keeps malloc for
 * itself unless told --soname-synonyms=somalloc=nouserintercepts.
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
	MAX_FD = 1 << 16, /* a descriptor above it is left alone */
	IN_A_ROW = 2,
};

enum call { ACCEPT, RECV, SEND, WAIT, MEMORY, CALLS };
static const char *const call_names[CALLS] = { "accept", "recv", "send", "wait",
	"malloc" };

enum fault { SHORT, INTR, AGAIN, ABORTED, NO_FD, NO_FILE, NO_MEM, NO_BUFS, FAULTS };
static const struct {
	const char *name;
	int number;
} faults[FAULTS] = {
	[SHORT] = { "short", 0 },
	[INTR] = { "EINTR", EINTR },
	[AGAIN] = { "EAGAIN", EAGAIN },
	[ABORTED] = { "ECONNABORTED", ECONNABORTED },
	[NO_FD] = { "EMFILE", EMFILE },
	[NO_FILE] = { "ENFILE", ENFILE },
	[NO_MEM] = { "ENOMEM", ENOMEM },
	[NO_BUFS] = { "ENOBUFS", ENOBUFS },
};

/* What is known of a descriptor. */
static struct {
	_Atomic bool accepted;
	_Atomic int sets; /* epoll sets it was added to */
	int epfd; /* the last of them, and what was asked of it */
	struct epoll_event ev;
} known[MAX_FD];

static pthread_mutex_t asking = PTHREAD_MUTEX_INITIALIZER; /* epoll_ctl and known[].ev */
static bool on, lean; /* LAB_FAULTS is set; so is ,malloc */
static _Atomic bool serving, uses_epoll; /* somebody was accepted; epoll_ctl was called */
static uint64_t seed;
static _Atomic uint64_t drawn[CALLS], done[CALLS][FAULTS];
static _Atomic unsigned row[CALLS]; /* errors since the last call that was let through */

/* One interposer: a name of its own in C and libc's name for the linker, so that no
 * header's idea of the function is in the way. dlsym(3) finds the next one of that name;
 * a libc that lacks it (musl has no fortified ones) leaves NULL, and then nobody calls
 * it. */
// NOLINTBEGIN(bugprone-macro-parentheses): they make declarations, not values
#define NEXT(name) \
	(next_##name ? next_##name \
		     : (*(void **)&next_##name = dlsym(RTLD_NEXT, #name), next_##name))
#define DECLARE(type, name, params) \
	static type(*next_##name) params; \
	type faulty_##name params __asm__(#name)
#define INTERPOSE(type, name, params, args, failed, failure) \
	DECLARE(type, name, params); \
	type faulty_##name params \
	{ \
		return (failed) ? failure : NEXT(name) args; \
	}
// NOLINTEND(bugprone-macro-parentheses)
DECLARE(int, accept, (int, struct sockaddr *, socklen_t *));
DECLARE(int, accept4, (int, struct sockaddr *, socklen_t *, int));
DECLARE(int, close, (int));
DECLARE(void *, calloc, (size_t, size_t));
DECLARE(int, epoll_ctl, (int, int, int, struct epoll_event *));

static uint64_t mix(uint64_t z) /* splitmix64's */
{
	z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
	return z ^ z >> 31;
}

/* The next random number of this kind of call, below n. */
static unsigned draw(enum call c, unsigned n)
{
	uint64_t step = atomic_fetch_add(&drawn[c], 1) + 1;

	return (unsigned)(mix(mix(seed * CALLS + c) +
				  step * UINT64_C(0x9e3779b97f4a7c15)) %
			  n);
}

/* True, with errno set: this call is to fail. */
static bool fails(enum call c, enum fault f)
{
	if (f == FAULTS || atomic_fetch_add(&row[c], 1) >= IN_A_ROW) {
		row[c] = 0;
		return false;
	}
	done[c][f]++;
	errno = faults[f].number;
	return true;
}

static bool in_range(int fd)
{
	return fd >= 0 && fd < MAX_FD;
}

static bool is_client(int fd)
{
	int type;
	socklen_t len = sizeof type;

	return in_range(fd) && known[fd].accepted &&
	       getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &len) == 0 &&
	       type == SOCK_STREAM;
}

static bool never_waits(int fd, int flags)
{
	return (flags & MSG_DONTWAIT) || (fcntl(fd, F_GETFL) & O_NONBLOCK);
}

/* True if the program, after a lie about fd, will hear of it again. Without epoll it asks
 * anew by itself; what is not in a set yet is looked at when it is added; after ONESHOT
 * the program re-arms it, and nobody may do so in its place. */
static bool heard_again(int fd, enum fault f)
{
	bool good = false;

	pthread_mutex_lock(&asking);
	if (known[fd].sets == 0)
		good = f == SHORT || !uses_epoll;
	else if (known[fd].ev.events & EPOLLONESHOT)
		good = f == SHORT;
	else if (known[fd].sets == 1) /* EPOLLEXCLUSIVE: EINVAL */
		good = NEXT(epoll_ctl)(
			       known[fd].epfd, EPOLL_CTL_MOD, fd, &known[fd].ev) == 0;
	pthread_mutex_unlock(&asking);
	return good;
}

/* Before a read or a write: may make *len smaller. True, with errno set: fail instead. */
static bool transfer_fails(enum call c, int fd, size_t *len, int flags)
{
	const int plain = MSG_DONTWAIT | MSG_NOSIGNAL | MSG_MORE; /* not PEEK, OOB … */

	if (!on || *len == 0 || (flags & ~plain) || !is_client(fd))
		return false;
	unsigned r = draw(c, 64);
	if (r < 4)
		return fails(c, INTR);
	if (r < 8 && never_waits(fd, flags) && heard_again(fd, AGAIN))
		return fails(c, AGAIN);
	if (r >= 8 && r < 24 && *len > 1 && heard_again(fd, SHORT)) {
		*len = r < 16 ? *len / 2 : 1;
		done[c][SHORT]++;
	}
	return fails(c, FAULTS);
}

static bool accept_fails(void)
{
	static const enum fault by[] = { INTR, INTR, INTR, ABORTED, ABORTED, ABORTED,
		NO_FD, NO_FILE, NO_MEM, NO_BUFS };
	unsigned r = on ? draw(ACCEPT, 40) : 40;

	return on && fails(ACCEPT, r < sizeof by / sizeof *by ? by[r] : FAULTS);
}

static void forget(int fd)
{
	if (in_range(fd)) {
		known[fd].accepted = false;
		known[fd].sets = 0;
	}
}

static int accepted(int fd)
{
	forget(fd);
	if (in_range(fd))
		known[fd].accepted = true;
	serving = serving || fd >= 0;
	return fd;
}

int faulty_accept(int lfd, struct sockaddr *at, socklen_t *len)
{
	return accept_fails() ? -1 : accepted(NEXT(accept)(lfd, at, len));
}

int faulty_accept4(int lfd, struct sockaddr *at, socklen_t *len, int flags)
{
	return accept_fails() ? -1 : accepted(NEXT(accept4)(lfd, at, len, flags));
}

int faulty_close(int fd)
{
	forget(fd);
	return NEXT(close)(fd);
}

int faulty_epoll_ctl(int epfd, int op, int fd, struct epoll_event *ev)
{
	pthread_mutex_lock(&asking);
	int rc = NEXT(epoll_ctl)(epfd, op, fd, ev);
	uses_epoll = true;
	if (rc == 0 && in_range(fd)) {
		known[fd].sets += (op == EPOLL_CTL_ADD) - (op == EPOLL_CTL_DEL);
		known[fd].epfd = epfd;
		if (op != EPOLL_CTL_DEL)
			known[fd].ev = *ev;
	}
	pthread_mutex_unlock(&asking);
	return rc;
}

static bool wait_fails(void)
{
	return on && fails(WAIT, draw(WAIT, 10) == 0 ? INTR : FAULTS);
}

static bool memory_fails(void)
{
	return lean && serving && fails(MEMORY, draw(MEMORY, 50) == 0 ? NO_MEM : FAULTS);
}

// clang-format off
INTERPOSE(ssize_t, recv, (int fd, void *to, size_t n, int flags), (fd, to, n, flags),
	transfer_fails(RECV, fd, &n, flags), -1)
INTERPOSE(ssize_t, __recv_chk, (int fd, void *to, size_t n, size_t room, int flags),
	(fd, to, n, room, flags), transfer_fails(RECV, fd, &n, flags), -1)
INTERPOSE(ssize_t, read, (int fd, void *to, size_t n), (fd, to, n),
	transfer_fails(RECV, fd, &n, 0), -1)
INTERPOSE(ssize_t, __read_chk, (int fd, void *to, size_t n, size_t room), (fd, to, n, room),
	transfer_fails(RECV, fd, &n, 0), -1)
INTERPOSE(ssize_t, send, (int fd, const void *from, size_t n, int flags), (fd, from, n, flags),
	transfer_fails(SEND, fd, &n, flags), -1)
INTERPOSE(ssize_t, write, (int fd, const void *from, size_t n), (fd, from, n),
	transfer_fails(SEND, fd, &n, 0), -1)

INTERPOSE(int, epoll_wait, (int epfd, struct epoll_event *evs, int n, int ms),
	(epfd, evs, n, ms), wait_fails(), -1)
INTERPOSE(int, epoll_pwait, (int epfd, struct epoll_event *evs, int n, int ms, const sigset_t *set),
	(epfd, evs, n, ms, set), wait_fails(), -1)
INTERPOSE(int, poll, (struct pollfd *fds, nfds_t n, int ms), (fds, n, ms), wait_fails(), -1)
INTERPOSE(int, __poll_chk, (struct pollfd *fds, nfds_t n, int ms, size_t room),
	(fds, n, ms, room), wait_fails(), -1)

INTERPOSE(void *, malloc, (size_t n), (n), memory_fails(), NULL)
INTERPOSE(void *, realloc, (void *old, size_t n), (old, n), memory_fails(), NULL)
// clang-format on

/* The trap: dlsym(3) may itself call calloc(3), without end. It copes with NULL. */
void *faulty_calloc(size_t n, size_t size)
{
	static bool resolving;

	if (resolving || memory_fails())
		return NULL;
	resolving = !next_calloc;
	NEXT(calloc);
	resolving = false;
	return next_calloc(n, size);
}

__attribute__((constructor)) static void begin(void)
{
	const char *text = getenv("LAB_FAULTS");
	char *end;

	if (!text || !*text)
		return;
	errno = 0;
	seed = strtoull(text, &end, 10);
	lean = strcmp(end, ",malloc") == 0;
	if (*text < '0' || *text > '9' || errno || (*end && !lean)) {
		dprintf(STDERR_FILENO,
			"%s: LAB_FAULTS: '%s' is not SEED or SEED,malloc\n",
			program_invocation_short_name, text);
		_exit(2);
	}
	on = true;
}

__attribute__((destructor)) static void end(void)
{
	const char *file = getenv("LAB_FAULTS_LOG"), *comma = "";
	char line[1024];

	if (!serving || !on || !file || !*file)
		return;
	on = lean = false;
	int n = sprintf(line, "seed %llu:", (unsigned long long)seed);
	for (int c = 0; c < CALLS; c++)
		for (int f = 0; f < FAULTS; f++)
			if (done[c][f]) {
				n += sprintf(line + n, "%s %s %s %llu", comma,
					call_names[c], faults[f].name,
					(unsigned long long)done[c][f]);
				comma = ",";
			}
	line[n++] = '\n';
	int fd = open(file, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
	if (fd < 0 || NEXT(write)(fd, line, (size_t)n) != n)
		dprintf(STDERR_FILENO, "LAB_FAULTS_LOG: %s: %s\n", file, strerror(errno));
	NEXT(close)(fd);
}
