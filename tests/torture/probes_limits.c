/* What a server may use: CPU, memory, descriptors, and time to end. */
#include "probes.h"
#include <signal.h>
#include <sys/wait.h>

enum { STUCK_BYTES = 20 << 20 }; /* more than the kernel's buffers hold */

void probe_idle_cpu(void)
{
	did("nothing, then 10 idle connections");
	expect("no CPU is used");
	still_serves();
	calm("without a connection");
	for (int i = 0; i < 10; i++)
		if (!bystander())
			break;
	calm("with 10 idle connections");
	pass("none");
}

void probe_slow_reader_memory(void)
{
	enum { CLIENTS = 10, LIMIT_KB = 8 * 1024 };
	struct client *c[CLIENTS];
	unsigned long long sent = 0;

	did("%d clients send up to %d MB each and read nothing", CLIENTS,
		STUCK_BYTES >> 20);
	expect("less than %d MB more memory", LIMIT_KB / 1024);
	for (int i = 0; i < CLIENTS; i++)
		c[i] = dial_small();
	settle();
	long before = server_memory_kb();
	stuff(c, CLIENTS, STUCK_BYTES);
	for (int i = 0; i < CLIENTS; i++)
		sent += c[i]->sent;
	long more = server_memory_kb() - before;
	sees(MEMORY);
	if (more > LIMIT_KB)
		fail("%ld KB more", more);
	pass("%ld KB more, though %llu MB were sent", more, sent >> 20);
}

void probe_slow_reader_cpu(void)
{
	enum { CLIENTS = 3 };
	struct client *c[CLIENTS];

	did("%d clients send as much as goes and read nothing", CLIENTS);
	expect("no CPU is used while the output is stuck");
	for (int i = 0; i < CLIENTS; i++)
		c[i] = dial_small();
	stuff(c, CLIENTS, STUCK_BYTES);
	calm("while the output is stuck");
	pass("none");
}

/* --- leaks */

static bool prompt = true; /* the server closes too: it is worth waiting for */

/* Comes, and goes in one of several ways. */
static void visit(int kind)
{
	struct client *c = dial();

	switch (kind % 5) {
	case 0: /* politely */
		echo(c, 100);
		break;
	case 1:
		echo(c, 50);
		fin(c);
		hear_eof(c);
		break;
	case 2: /* a RST because of unread answers */
		say(c, 100);
		answered(c);
		break;
	case 3:
		echo(c, 1);
		reset(c);
		break;
	default: /* without a word */
		break;
	}
	hang_up(c);
	prompt = prompt && gone(c);
}

void probe_fd_leak(void)
{
	enum { TIMES = 500 };
	struct client *first, *witness;

	did("%d clients come, and go in five different ways", TIMES);
	expect("no descriptor stays open");
	first = meet();
	witness = bystander();
	hang_up(first);
	settle();
	int before = server_fds();
	for (int i = 0; i < TIMES; i++) {
		visit(i);
		unharmed(witness); /* the end of the one before has been seen */
	}
	fds_return_to(before, "afterwards");
	pass("none of %d", before);
}

/* Growth is a matter of rounds: the first fills the allocator's pools. */
void probe_memory_leak(void)
{
	enum { MOST = 5000, LEAST = 1000, WARM = 1000, EACH = 20, NOISE_KB = 32 };
	long times = MOST / set.slow > LEAST ? MOST / set.slow : LEAST;

	did("%ld clients send 100 bytes, read the answer and leave", times);
	expect("less than %d bytes each stay behind", EACH);
	for (int i = 0; i < WARM; i++)
		visit(0);
	settle();
	long before = server_memory_kb();
	for (long i = 0; i < times; i++)
		visit(0);
	settle();
	long more = server_memory_kb() - before;
	sees(MEMORY);
	if (more * 1024 > EACH * times + NOISE_KB * 1024)
		fail("%ld KB more, %ld bytes each", more, more * 1024 / times);
	pass("%ld KB more", more > 0 ? more : 0);
}

/* --- descriptors run out */

enum { SPARE = 2, WAITING = 8, MOST_CLIENTS = 256 };

/* More clients than descriptors, all of them with a message for the server. */
static int crowd(struct client **c)
{
	int room, n;

	still_serves();
	settle();
	room = limit_fds(SPARE);
	n = room + WAITING < MOST_CLIENTS ? room + WAITING : MOST_CLIENTS;
	freeze(); /* to learn of all of them at once */
	for (int i = 0; i < n; i++) {
		c[i] = dial();
		say(c[i], 100);
	}
	thaw();
	return n;
}

void probe_fd_limit_spin(void)
{
	struct client *c[MOST_CLIENTS];
	int served = 0, n;

	did("descriptors for %d more clients, and %d too many", SPARE, WAITING);
	expect("those within are served, no CPU is used for those who wait");
	struct client *idle = meet();
	bool span = spins();
	hang_up(idle);
	n = crowd(c);
	sees(SILENCE);
	if (!answered(c[0]))
		fail("nobody is answered");
	if (!span)
		calm("while clients wait for a descriptor");
	for (int i = 0; i < n; i++)
		if (readable(c[i], 0)) {
			hear(c[i]);
			echo(c[i], 100);
			served++;
		}
	unlimit_fds();
	pass("%d served, no CPU", served);
}

/* The next of those who wait that has been answered. */
static struct client *next_served(struct client **c, int n)
{
	struct silence s = silence_starts();

	do {
		for (int i = 0; i < n; i++)
			if (c[i]->fd >= 0 && readable(c[i], 0))
				return c[i];
		nap(1);
	} while (!silence_lasts(&s));
	return NULL;
}

void probe_fd_limit_strands(void)
{
	struct client *c[MOST_CLIENTS], *next;
	int n;

	did("%d clients wait for a descriptor, the others leave one by one", WAITING);
	expect("everyone is served in the end, though nobody new comes");
	n = crowd(c);
	for (int left = n; left > 0; left--) {
		next = next_served(c, n);
		sees(SILENCE);
		if (!next)
			fail("%d of %d served, then silence", n - left, n);
		hear(next);
		hang_up(next);
	}
	unlimit_fds();
	pass("all %d served", n);
}

/* --- the end */

static void ends_by(int sig)
{
	double end =
		now() + 2 * (double)set.slow; /* a busy machine has a second to spare */
	pid_t pids[MAX_PIDS];
	char how[80];

	if (kill(shared->pid, sig) < 0)
		fail("it has ended before");
	while (!shared->exited && now() < end)
		nap(5);
	sees(LATE);
	if (!shared->exited)
		fail("it does not end");
	sees(GONE);
	if (shared->status != 0 && server_gone(how, sizeof how))
		fail("%s", how);
	sees(LATE);
	end = now() + 0.5;
	while (server_pids(pids) > 0)
		if (now() > end)
			fail("it has ended, but its children live on");
		else
			nap(5);
}

void probe_clean_exit(void)
{
	enum { CLIENTS = 5 };
	struct client *c[CLIENTS];

	expect("exit status 0 within a second");
	did("SIGTERM, with %d idle clients", CLIENTS);
	meet();
	for (int i = 1; i < CLIENTS; i++)
		dial();
	ends_by(SIGTERM);
	fresh_server();

	did("SIGTERM, with output stuck");
	for (int i = 0; i < CLIENTS; i++)
		c[i] = dial_small();
	stuff(c, CLIENTS, STUCK_BYTES);
	ends_by(SIGTERM);
	fresh_server();

	did("SIGINT, with an idle client");
	meet();
	ends_by(SIGINT);
	fresh_server();
	did("SIGTERM with idle clients and with output stuck, SIGINT");
	pass("exit status 0");
}
