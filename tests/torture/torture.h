/* torture attacks a TCP echo server. Three processes, each with one job:
 *
 *   supervisor (main.c, spawn.c)   starts the other two, bounds them, prints verdicts
 *   attacker (probes_*, client.c)  one per probe: forked, ends with pass, fail or skip
 *   server                         the victim, fresh for every probe
 *
 * The attacker may end anywhere, hang or crash: the supervisor goes on. What they tell
 * each other stands in one page of shared memory. */
#ifndef TORTURE_H
#define TORTURE_H

#include "net.h"
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum verdict { NONE, PASS, FAIL, SKIP };

/* What a client, or a look at the process, saw when a probe failed. */
enum seen {
	OTHER,
	WRONG_BYTE,
	SURPLUS, /* more bytes than were sent */
	RESET,
	END_OF_STREAM,
	NO_CONNECTION,
	GONE, /* the server has ended */
	SILENCE,
	LATE,
	CPU,
	MEMORY,
	DESCRIPTORS,
};

struct result {
	enum verdict verdict;
	char did[256], expected[256], saw[512];
	enum seen seen; /* of a failure */
	double at; /* CLOCK_MONOTONIC, seconds: when it was seen */
	double seconds;
};

enum needs {
	PROCESS = 1, /* only with --spawn: freezes, counts or limits the server */
	SHORT_IO = 2, /* the server runs on faults.so */
	NO_MEMORY = 4, /* ... and its malloc(3) fails */
	LEAN = 8, /* memory checkers must not keep what was freed */
	FROZEN =
		16, /* the server must survive SIGSTOP; whether it does is eintr's case */
};

struct probe {
	const char *name;
	const char *reason;
	void (*run)(void); /* never returns: ends in pass, fail or skip */
	unsigned needs; /* of enum needs */
};

extern const struct probe probes[];
extern const size_t nprobes;

struct settings {
	const char *spawn; /* the command, NULL with --port */
	struct address at; /* where the server listens */
	long slow; /* every wait takes this many times longer */
	long seed;
	long memory_mb;
	unsigned long server_fds; /* RLIMIT_NOFILE that the server is started with */
};

extern struct settings set;

struct shared {
	struct result result; /* the attacker writes, the supervisor reads at its end */
	atomic_bool fresh; /* the attacker asks for a new server, the supervisor clears */
	atomic_int pid; /* of the server, 0 when torture did not start it */
	atomic_bool exited;
	atomic_int status; /* from waitpid(2), once exited */
	struct address at;
};

extern struct shared *shared;

/* --- spawn.c: the supervisor's side */

void supervise_init(void);
/* Runs one probe against a fresh server. Returns false with a line on stderr when no
 * server came up. */
bool supervise(const struct probe *p, struct result *r);

/* --- report.c */

enum style { HUMAN, TAP, JSON };
void report_start(enum style style, size_t n);
void report_one(enum style style, const struct probe *p, const struct result *r);
void report_end(enum style style, const struct probe *const *chosen,
	const struct result *results, size_t n);
const char *verdict_word(enum verdict v);
const char *seen_word(enum seen s); /* a constant; the words of --json */

/* --- proc.c: one process, as /proc shows it. A process that is gone has no threads, no
 * descriptors, no children, and no memory. */

enum { MAX_PIDS = 512 };

/* Calls `each` with every number that names an entry of the directory. */
void each_number(const char *path, void (*each)(int number, void *arg), void *arg);
/* Appends all descendants of parent, without `except` and those below it. */
void children_of(pid_t parent, pid_t except, pid_t *pids, size_t *n);
/* The same, and each is stopped as soon as it is found: those that fork without end leave
 * little of the CPU for a look at all of them. */
void stop_children_of(pid_t parent, pid_t except, pid_t *pids, size_t *n);
long memory_kb(pid_t pid); /* RssAnon */
int fds_of(pid_t pid);
bool all_threads(pid_t pid, char state); /* as in stat; zombies do not count */
bool stopped(pid_t pid); /* ... by SIGSTOP */

struct cpu_time {
	double had, waited; /* seconds on a CPU, and in the queue for one */
};
void add_cpu_time(pid_t pid, struct cpu_time *sum);

/* --- process.c: the server's processes as a whole */

struct client;

/* All descendants of the supervisor but the attacker: a server that forks, or that
 * leaves its process group, stays in the list. */
size_t server_pids(pid_t *pids);
bool parallel(void); /* have they more than one thread between them? */

bool have_process(void);
bool server_gone(char *how, size_t size); /* has it ended, and how */
bool dies(char *how, size_t size); /* ... or is about to */
void freeze(void); /* SIGSTOP; returns once every thread stands still */
void thaw(void);
void survives_freezing(void); /* skips if SIGSTOP and SIGCONT alone kill it */
/* The kernel itself stops the server when c's next answer comes: in the middle of
 * send(2), before the server does anything else (F_SETSIG, fcntl(2)). */
void freeze_on_answer(const struct client *c);
void wait_frozen(const struct client *c); /* skips where the kernel did not do it */
void settle(void); /* waits, bounded, until all threads sleep and use no CPU */
/* Waiting for the server to do something. */
struct silence {
	double end; /* of patience */
	double looked; /* at the server, which costs too much to do all the time */
	double since, cpu; /* it has slept since then, and had used so much CPU */
};
struct silence silence_starts(void);
/* Is it of no use to wait on? Patience is at its end, or the server has slept for half a
 * second without a step: the timers of an echo server are shorter, and a wait for a CPU
 * is not sleep. */
bool silence_lasts(struct silence *s);
double idle_cpu(void); /* percent of a core, while nothing happens */
bool spins(void); /* ... which is more than a server that waits can use */
void calm(const char *when); /* fails if it does */
double cpu_seconds(void);
long server_memory_kb(void);
int server_fds(void);
void fds_return_to(int before, const char *after);
/* Lets every process of the server open k descriptors more; returns how many in all. */
int limit_fds(int k);
void unlimit_fds(void);
/* How many connections the limits of server and attacker allow, at most `wanted`. */
long fd_room(long wanted);

/* --- client.c, talk.c, far_end.c: the attacker's sockets. Every byte that a client sends
 * is a function of its position in the stream, and every byte that comes back is
 * compared. Whatever goes wrong in here ends the probe with a fail. */

struct client {
	int fd; /* non-blocking, -1 once closed */
	unsigned key;
	uint64_t sent, got;
	bool eof;
	struct sockaddr_storage here; /* how the server's side of it is found */
};

/* The server's end of a connection, from the kernel's socket diagnostics. */
struct far_end {
	unsigned state; /* TCP_ESTABLISHED … */
	unsigned unread, unsent; /* bytes in its two queues */
};

/* What one turn reads even of a server with a budget (07's is 32 KB). To send more at
 * once, and not frozen, leaves it to chance whether a server that forgets the rest is
 * caught. */
enum { A_TURN = 30 * 1000 };

struct client *dial(void);
struct client *meet(void); /* ... and waits for a first answer */
struct client *dial_small(void); /* with a receive buffer that is soon full */
struct client *dial_start(void); /* does not wait for the connection */
bool dial_done(struct client *c, int ms); /* ... this does */
size_t push(struct client *c, size_t n); /* sends up to n bytes without waiting */
void say(struct client *c, size_t n); /* sends n bytes, the kernel must take them */
size_t take(struct client *c, size_t n); /* reads up to n bytes, without waiting */
void hear(struct client *c); /* all that was sent comes back */
void hear_eof(struct client *c); /* ... and then the server's FIN */
void echo(struct client *c, size_t n); /* n bytes there and back */
/* One more client, already answered; NULL from a server that has only one at a time. */
struct client *bystander(void);
void unharmed(struct client *bystander); /* it is answered still */
void pump(struct client **c, size_t k, uint64_t n, size_t piece); /* all at once */
void stuff(struct client **c, size_t k, uint64_t most); /* sends until nothing goes */
bool readable(struct client *c, int ms);
bool answered(struct client *c); /* waits; false if silence is the answer */
size_t unread(const struct client *c); /* bytes waiting here */
void delivered(const struct client *c); /* waits until the far kernel has all of it */
void widen(struct client *c); /* lets it receive as fast as others */
void fin(struct client *c);
void hang_up(struct client *c); /* close: a FIN, or a RST if something is unread */
void reset(struct client *c); /* a RST */
bool gone(const struct client *c); /* waits until the server has closed it as well */
void fresh_server(void); /* kills this one and starts another */
void leave_all(void); /* every client goes, one RST at a time */
bool far_end(const struct client *c, struct far_end *f);
void need_far_end(const struct client *c); /* skips where there are no diagnostics */
bool answers(void); /* is a new client answered? Never ends the probe */
void forgive_drops(void); /* ... one of several, from now on */
void still_serves(void); /* ... fails if not */

/* --- verdict.c */

void did(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void expect(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
_Noreturn void pass(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* What the next fail() is about; without it that is OTHER, or GONE. */
void sees(enum seen what);
_Noreturn void fail(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
_Noreturn void skip(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

double now(void); /* seconds, monotonic */
double patience(void); /* how long, in seconds, a server may take for a step */
void nap(int ms);

#endif
