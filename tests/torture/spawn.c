/* The supervisor: starts server and attacker, and bounds them. */
#include "err.h"
#include "stop.h"
#include "torture.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
	TICK_MS = 10,
	MAX_SAID = 64 * 1024, /* bytes of output that a server may have */
	MAX_PROCESSES = 256,
	START_S = 5,
	STOP_S = 1,
	PROBE_S = 30,
	KILL_S = 5,
};

struct settings set;
struct shared *shared;

struct pipe_end {
	int fd; /* -1 at its end */
	char text[MAX_SAID + 1];
	size_t len;
};

static struct pipe_end out = { .fd = -1 }, err = { .fd = -1 };
static pid_t server, attacker;
static const char *outlaw; /* the bound that the server has broken */
static const char greedy[] = "eats memory without end";

void supervise_init(void)
{
	shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE,
		MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (shared == MAP_FAILED)
		die_errno("mmap");
	/* What a server forks and forgets becomes a child of this process, not of init.
	 */
	if (prctl(PR_SET_CHILD_SUBREAPER, 1) < 0)
		die_errno("prctl PR_SET_CHILD_SUBREAPER");
	shared->at = set.at;
}

/* --- bounds */

static void listen_to(struct pipe_end *p)
{
	char bytes[4096];
	ssize_t n;

	while (p->fd >= 0 && (n = read(p->fd, bytes, sizeof bytes)) != -1) {
		size_t room = MAX_SAID - p->len;

		if (n == 0) {
			close(p->fd);
			p->fd = -1;
			return;
		}
		if ((size_t)n > room) {
			outlaw = "floods its output";
			return;
		}
		memcpy(p->text + p->len, bytes, (size_t)n);
		p->len += (size_t)n;
		p->text[p->len] = '\0';
	}
}

/* Returns how many there were. */
static size_t signal_tree(int sig)
{
	pid_t pids[MAX_PIDS];
	size_t n = 0;

	if (sig == SIGSTOP)
		stop_children_of(getpid(), attacker, pids, &n);
	else
		children_of(getpid(), attacker, pids, &n);
	if (n == 0 && server && !shared->exited)
		pids[n++] = server; /* a kernel without lists of children */
	for (size_t i = 0; i < n; i++)
		kill(pids[i], sig);
	return n;
}

static void measure(void)
{
	pid_t pids[MAX_PIDS];
	size_t n = 0;
	long kb = 0;

	children_of(getpid(), attacker, pids, &n);
	for (size_t i = 0; i < n; i++)
		kb += memory_kb(pids[i]);
	if (n > MAX_PROCESSES)
		outlaw = "forks without end";
	else if (kb > set.memory_mb * 1024)
		outlaw = greedy;
}

/* Buries the dead; returns whether the attacker is among them. */
static bool reap(int *attacker_status)
{
	int status;
	pid_t pid;
	bool over = false;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
		if (pid == server) {
			shared->status = status;
			shared->exited = true;
		} else if (pid == attacker) {
			*attacker_status = status;
			over = true;
		}
	return over;
}

static void watch(void)
{
	struct pollfd p[] = { { .fd = out.fd, .events = POLLIN },
		{ .fd = err.fd, .events = POLLIN } };

	poll(p, 2, TICK_MS); /* a signal that cuts it short does no harm */
	listen_to(&out);
	listen_to(&err);
	measure();
	if (outlaw) {
		signal_tree(SIGSTOP); /* those that fork must not outrun the killing */
		signal_tree(SIGKILL);
	}
}

/* --- the server's life */

static void in_environment(const char *name, const char *first, const char *sep)
{
	const char *old = getenv(name);
	char *text;

	if (asprintf(&text, "%s%s%s", first, old && *old ? sep : "", old ? old : "") < 0)
		_exit(127);
	if (setenv(name, text, 1) < 0)
		_exit(127);
	free(text);
}

/* The preload lies next to this program. */
static void faults_path(char *path, size_t size)
{
	ssize_t n = readlink("/proc/self/exe", path, size - sizeof "/faults.so");
	char *slash;

	path[n > 0 ? n : 0] = '\0';
	slash = strrchr(path, '/');
	strcpy(slash ? slash : path, "/faults.so");
}

static void set_environment(unsigned needs)
{
	char path[4096], faults[64];

	in_environment("ASAN_OPTIONS",
		needs & LEAN ? "verify_asan_link_order=0:quarantine_size_mb=0:"
			       "thread_local_quarantine_size_kb=0"
			     : "verify_asan_link_order=0",
		":");
	if (needs & LEAN)
		in_environment("VALGRIND_OPTS", "--freelist-vol=0", " ");
	if (!(needs & (SHORT_IO | NO_MEMORY)))
		return;
	faults_path(path, sizeof path);
	in_environment("LD_PRELOAD", path, ":");
	snprintf(faults, sizeof faults, "%ld%s", set.seed,
		needs & NO_MEMORY ? ",malloc" : "");
	if (setenv("LAB_FAULTS", faults, 1) < 0)
		_exit(127);
}

#ifdef __GLIBC__
typedef __rlimit_resource_t resource;
#else
typedef int resource; /* as getrlimit(2) has it */
#endif

static void limit(resource what, rlim_t soft)
{
	struct rlimit l;

	if (getrlimit(what, &l) == 0 && soft < l.rlim_max) {
		l.rlim_cur = soft;
		setrlimit(what, &l);
	}
}

/* Ignored signals outlive exec(3): a server must not inherit an ignored SIGPIPE. */
static void default_signals(void)
{
	sigset_t none;

	for (int sig = 1; sig < NSIG; sig++)
		signal(sig, SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

static bool names_a_port(const char *word)
{
	return strcmp(word, "-p") == 0 || strncmp(word, "--port", 6) == 0;
}

static _Noreturn void become_server(unsigned needs, int out_fd, int err_fd, pid_t parent)
{
	static char port[] = "--port", zero[] = "0";
	char *command = strdup(set.spawn), *rest = command;
	/* A word takes two bytes, itself and a blank; beside them --port, 0 and NULL. */
	char **argv = calloc(strlen(set.spawn) / 2 + 4, sizeof *argv);
	bool has_port = false;
	size_t n = 0;

	default_signals();
	setsid();
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
	if (!command || !argv || getppid() != parent || null < 0 || dup2(null, 0) < 0 ||
		dup2(out_fd, 1) < 0 || dup2(err_fd, 2) < 0)
		_exit(127);
	limit(RLIMIT_CORE, 0);
	limit(RLIMIT_NOFILE, set.server_fds);
	if (geteuid() != 0)
		limit(RLIMIT_NPROC, 4096);
	while ((argv[n] = strtok_r(rest, " \t", &rest))) {
		has_port = has_port || names_a_port(argv[n]);
		n++;
	}
	if (!has_port) {
		argv[n++] = port;
		argv[n++] = zero;
	}
	argv[n] = NULL;
	set_environment(needs);
	execvp(argv[0], argv);
	dprintf(2, "%s: %s\n", argv[0], strerror(errno));
	_exit(127);
}

static void open_pipe(int ends[2])
{
	if (pipe2(ends, O_CLOEXEC) < 0)
		die_errno("pipe");
	if (set_nonblocking(ends[0]) < 0)
		die_errno("non-blocking pipe");
}

/* `listening on ADDR:PORT`, and an IPv6 address in brackets. More lines may follow. */
static bool parse_ready(const char *line)
{
	char host[128];
	const char *colon = memrchr(line, ':', strcspn(line, "\n"));
	char *end;

	if (strncmp(line, "listening on ", 13) != 0 || !colon)
		return false;
	const char *from = line + 13;
	size_t len = (size_t)(colon - from);
	if (len > 1 && from[0] == '[' && from[len - 1] == ']') {
		from++;
		len -= 2;
	}
	long port = strtol(colon + 1, &end, 10);
	if (len >= sizeof host || *end != '\n' || port < 1 || port > 65535)
		return false;
	memcpy(host, from, len);
	host[len] = '\0';
	return address_parse(&shared->at, host, (uint16_t)port) == 0;
}

static bool server_start(unsigned needs)
{
	int o[2], e[2], ignored;
	pid_t parent = getpid();

	open_pipe(o);
	open_pipe(e);
	out = (struct pipe_end){ .fd = o[0] };
	err = (struct pipe_end){ .fd = e[0] };
	outlaw = NULL;
	shared->exited = false;
	fflush(stdout);
	server = fork();
	if (server < 0)
		die_errno("fork");
	if (server == 0)
		become_server(needs, o[1], e[1], parent);
	shared->pid = server;
	close(o[1]);
	close(e[1]);

	double end = now() + START_S * (double)set.slow;
	while (!strchr(out.text, '\n') && !shared->exited && !outlaw && !stopping &&
		now() < end) {
		watch();
		reap(&ignored);
	}
	listen_to(&out);
	listen_to(&err);
	return parse_ready(out.text);
}

/* Nothing that the server ever started outlives this. */
static void kill_tree(void)
{
	double end = now() + KILL_S;
	int ignored;

	while (signal_tree(SIGSTOP) > 0 && now() < end) {
		signal_tree(SIGKILL);
		nap(1);
		reap(&ignored);
	}
}

static void server_stop(void)
{
	double end = now() + STOP_S * (double)set.slow;
	int ignored;

	if (!shared->exited) {
		signal_tree(SIGCONT);
		kill(server, SIGTERM);
	}
	while (!shared->exited && !outlaw && now() < end) {
		watch();
		reap(&ignored);
	}
	kill_tree();
	listen_to(&out);
	listen_to(&err);
	if (out.fd >= 0)
		close(out.fd);
	if (err.fd >= 0)
		close(err.fd);
	out.fd = err.fd = -1;
	server = 0;
}

/* --- one probe */

static void attack(const struct probe *p)
{
	default_signals();
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	did("%s", p->reason);
	if (p->needs & FROZEN)
		survives_freezing();
	p->run();
	skip("the probe reached no verdict");
}

__attribute__((format(printf, 3, 4))) static void judge(
	struct result *r, enum verdict v, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(r->saw, sizeof r->saw, fmt, ap);
	va_end(ap);
	r->verdict = v;
}

/* Until the attacker has ended: with its verdict, without one, or not at all. */
static void follow(const struct probe *p, struct result *r)
{
	double end = now() + PROBE_S * (double)set.slow;
	int status = 0;
	bool over = false;

	while (!over && !stopping && now() < end) {
		watch();
		over = reap(&status);
		if (shared->fresh && !over) {
			server_stop();
			if (!server_start(p->needs))
				outlaw = "does not start again";
			shared->fresh = false;
		}
	}
	if (!over) {
		kill(attacker, SIGKILL);
		waitpid(attacker, &status, 0);
	}
	attacker = 0;
	*r = shared->result;
	if (r->at <= 0)
		r->at = now();
	if (!over) {
		r->seen = LATE;
		judge(r, FAIL, "no verdict within %.0f s", PROBE_S * (double)set.slow);
	} else if (r->verdict == NONE) {
		judge(r, FAIL, "the probe itself ended with status 0x%x",
			(unsigned)status);
	}
	if (outlaw) {
		r->seen = outlaw == greedy ? MEMORY : OTHER;
		judge(r, FAIL, "the server %s", outlaw);
	}
}

/* What ASan, UBSan, LeakSanitizer or valgrind said, if that is how the server ended. */
static void memory_report(struct result *r)
{
	const char *said = strstr(err.text, "Sanitizer: ");
	int status = shared->status;

	if (!said)
		said = strstr(err.text, "runtime error: ");
	if (!said && strncmp(err.text, "==", 2) == 0)
		said = err.text;
	if (!said || !shared->exited || !WIFEXITED(status) || WEXITSTATUS(status) == 0)
		return;
	r->seen = GONE;
	r->at = now();
	judge(r, FAIL, "exit status %d, and on stderr: %.*s", WEXITSTATUS(status),
		(int)strcspn(said, "\n"), said);
}

static bool impossible(const struct probe *p, struct result *r)
{
	char path[4096];

	if (!set.spawn && (p->needs & PROCESS)) {
		judge(r, SKIP, "needs the server's process: --spawn");
		return true;
	}
	faults_path(path, sizeof path);
	if ((p->needs & (SHORT_IO | NO_MEMORY)) && access(path, R_OK) < 0) {
		judge(r, SKIP, "needs faults.so next to this program");
		return true;
	}
	return false;
}

bool supervise(const struct probe *p, struct result *r)
{
	double start = now();

	*r = (struct result){ 0 };
	if (impossible(p, r))
		return true;
	shared->result = (struct result){ 0 };
	if (set.spawn && !server_start(p->needs)) {
		if (!stopping)
			fprintf(stderr,
				"%s: no 'listening on ADDR:PORT' on stdout within %d s "
				"from '%s'%s%.*s\n",
				program_invocation_short_name, START_S, set.spawn,
				err.len ? ": " : "", (int)strcspn(err.text, "\n"),
				err.text);
		server_stop();
		return false;
	}
	attacker = fork();
	if (attacker < 0)
		die_errno("fork");
	if (attacker == 0)
		attack(p);
	follow(p, r);
	if (set.spawn) {
		server_stop();
		if (r->verdict == PASS)
			memory_report(r);
	}
	r->seconds = now() - start;
	return true;
}
