/* What scope sees of a process: its descriptors, its epoll sets, its sockets' queues. */
#ifndef SCOPE_H
#define SCOPE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

/* The kernel's numbers, which <netinet/tcp.h> has and <linux/tcp.h> has not. */
enum tcp_state { ESTABLISHED = 1, SYN_SENT = 2, CLOSE_WAIT = 8, LISTENING = 10 };

struct sock {
	uint64_t key; /* its inode; while it waits to be accepted, one made of its cookie
		       */
	const char *type; /* tcp, udp, unix */
	enum tcp_state state;
	uint16_t port; /* its own, of tcp */
	char local[56], peer[56];
	uint32_t unread, unsent; /* of a listener, unread: how many wait for accept */
	bool fin; /* a FIN has come and was not read */
	bool counted; /* the two below are known */
	uint64_t received, acked; /* bytes, from the beginning */
	double since_in, since_out; /* from when on these stand as they are */
};

struct fd {
	int fd;
	const char *type;
	bool blocking, flags_known;
	bool asleep; /* a thread is in a call that waits for it */
	uint64_t inode; /* 0: it has none of its own */
	const struct sock *sock; /* NULL: no queue to be seen */
	int watched; /* by how many registrations, under this number or another */
	uint64_t count; /* expirations of a timerfd, value of an eventfd: not read yet */
	double since; /* from when on all this stands */
	double since_count; /* from when on count is not 0 */
};

struct entry {
	int fd; /* the number it was registered by */
	uint32_t events;
	uint64_t inode;
	const struct fd *is; /* NULL: that number means something else now */
	const struct fd *copy; /* then: another number of the same file, or NULL */
	short ready; /* what poll(2) says, where it was asked, or -1: take_ready */
	double since_ready;
	double since;
};

struct set {
	int fd;
	struct entry *watched;
	size_t n;
};

struct task {
	pid_t tid;
	char state; /* R, S, T … */
	char call[32]; /* that it sleeps in; "": it does not, or we may not know */
	int fd; /* the call's first argument where that is a descriptor, or -1 */
	bool waits; /* in a call that is there to wait: epoll_wait, futex, ... */
	double since; /* from when on it sleeps in that */
};

struct child {
	pid_t pid;
	char name[20];
};

struct look {
	pid_t pid;
	double at;
	char name[32];
	char state; /* R, S, T … as in ps */
	struct fd *fds;
	struct set *sets;
	struct sock *socks; /* all of the machine's, by key */
	struct task *tasks;
	struct child *children;
	size_t n_fds, n_sets, n_socks, n_tasks, n_children;
	size_t limit; /* of descriptors; 0: not known, or none */
	const char *blind; /* why no queue can be seen, or NULL */
	uint64_t cpu_ns, wakeups, returns; /* all threads, from the beginning */
	bool counted; /* returns is known: there is a page of counts */
	double cpu, wakeups_s, returns_s; /* since the look before */
};

struct finding {
	char level; /* '!' sure, '?' a hint, '.' a note */
	int set, fd; /* set -1: in none */
	const char *kind;
	char text[128];
};

struct findings {
	struct finding *list;
	size_t n;
};

/* One look at a process, and what has not changed since `before` (or NULL). False with
 * errno set if it is gone (ESRCH) or not ours to look at. */
bool look_take(struct look *l, pid_t pid, const struct look *before);
void look_free(struct look *l);

/* Every TCP and Unix socket of the process' network namespace, sorted by key. NULL in
 * l->blind means that it worked. */
void diag_enter(pid_t pid);
void diag_take(struct look *l);
const struct sock *diag_find(const struct look *l, uint64_t key);
const char *diag_state(const struct sock *s);

/* The descriptors and the epoll sets. The flags of an ordinary one, a file to open each,
 * only if asked for. False with errno set. */
bool take_fds(struct look *l, pid_t pid, bool flags);

/* What has not changed since the look before keeps its age. */
void age_fds(struct look *l, const struct look *before);

/* It uses the CPU, and never sleeps. */
bool spins(const struct look *l);

/* Asks poll(2) through copies of the descriptors that live for a moment: pidfd_getfd(2),
 * for who may trace the process. Of pipes and inner epoll sets; of a process that spins,
 * of all that is watched level-triggered. */
void take_ready(struct look *l);

/* The threads, and what each sleeps in; marks the descriptors that one sleeps in. */
void take_tasks(struct look *l);

/* A file below /proc/PID, or NULL; and the entry with this fd, the first member, or NULL.
 */
FILE *proc_open(pid_t pid, const char *what);
void *find_fd(const void *list, size_t n, size_t size, int fd);

/* What the second of two looks tells. */
void find_all(const struct look *l, struct findings *out);

/* On stdout. On a screen of so many rows and columns (rows 0: on paper, all of it) each
 * line ends by clearing what is left of the old one. */
void show_text(
	const struct look *l, const struct findings *found, size_t rows, size_t cols);
void show_json(const struct look *l, const struct findings *found);

/* Memory, or the end of the program. */
void *grown(void *list, size_t n, size_t size);

#endif
