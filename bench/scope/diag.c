/* The queues of sockets, by sock_diag(7): what `ss` shows, for each inode. */
#include "scope.h"
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/sock_diag.h>
#include <linux/tcp.h>
#include <linux/unix_diag.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#define PENDING (UINT64_C(1) << 63) /* no inode is as large */

static const char *elsewhere; /* set if its network namespace is closed to us */

void diag_enter(pid_t pid)
{
	char path[64];
	struct stat its, ours;

	snprintf(path, sizeof path, "/proc/%d/ns/net", (int)pid);
	if (stat(path, &its) < 0 || stat("/proc/self/ns/net", &ours) < 0 ||
		its.st_ino == ours.st_ino)
		return;
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || setns(fd, CLONE_NEWNET) < 0)
		elsewhere = "it is in another network namespace";
	if (fd >= 0)
		close(fd);
}

const char *diag_state(const struct sock *s)
{
	static const char *const names[] = { "?", "ESTAB", "SYN-SENT", "SYN-RECV",
		"FIN-WAIT-1", "FIN-WAIT-2", "TIME-WAIT", "CLOSE", "CLOSE-WAIT",
		"LAST-ACK", "LISTEN", "CLOSING" };

	return s->state < sizeof names / sizeof *names ? names[s->state] : "?";
}

static void address(char *text, size_t size, int family, const void *a, uint16_t port)
{
	char host[INET6_ADDRSTRLEN];

	inet_ntop(family, a, host, sizeof host);
	snprintf(text, size, family == AF_INET6 ? "[%s]:%u" : "%s:%u", host, port);
}

static void take_info(struct sock *s, const struct rtattr *a)
{
	struct tcp_info info = { 0 };
	size_t len = RTA_PAYLOAD(a),
	       last = offsetof(struct tcp_info, tcpi_bytes_received);

	if (len < last + sizeof info.tcpi_bytes_received)
		return; /* Linux < 4.1 */
	memcpy(&info, RTA_DATA(a), len < sizeof info ? len : sizeof info);
	s->counted = true;
	s->received = info.tcpi_bytes_received;
	s->acked = info.tcpi_bytes_acked;
}

static void take_inet(struct sock *s, const struct nlmsghdr *h, bool udp)
{
	const struct inet_diag_msg *m = NLMSG_DATA(h);
	const struct rtattr *a = (const struct rtattr *)(m + 1);
	unsigned len = h->nlmsg_len - (unsigned)NLMSG_LENGTH(sizeof *m);

	s->key = m->idiag_inode;
	if (s->key == 0) /* accepted by nobody yet, or closed and dying */
		s->key = PENDING | (uint64_t)m->id.idiag_cookie[1] << 32 |
			 m->id.idiag_cookie[0];
	s->type = udp ? "udp" : "tcp";
	s->state = m->idiag_state;
	s->port = ntohs(m->id.idiag_sport);
	address(s->local, sizeof s->local, m->idiag_family, m->id.idiag_src, s->port);
	if (s->state != LISTENING && m->id.idiag_dport)
		address(s->peer, sizeof s->peer, m->idiag_family, m->id.idiag_dst,
			ntohs(m->id.idiag_dport));
	s->unread = m->idiag_rqueue;
	s->unsent = m->idiag_wqueue;
	/* The FIN has a place in the queue, the last: it is there for as long as unread.
	 */
	if (udp)
		return; /* it has no end */
	s->fin = s->state >= CLOSE_WAIT && s->state != LISTENING && s->unread > 0;
	s->unread -= s->fin;
	for (; RTA_OK(a, len); a = RTA_NEXT(a, len))
		if (a->rta_type == INET_DIAG_INFO)
			take_info(s, a);
}

static void take_unix(struct sock *s, const struct nlmsghdr *h)
{
	const struct unix_diag_msg *m = NLMSG_DATA(h);
	const struct rtattr *a = (const struct rtattr *)(m + 1);
	unsigned len = h->nlmsg_len - (unsigned)NLMSG_LENGTH(sizeof *m);

	s->key = m->udiag_ino;
	s->type = "unix";
	s->state = m->udiag_state;
	for (; RTA_OK(a, len); a = RTA_NEXT(a, len)) {
		if (a->rta_type == UNIX_DIAG_NAME) {
			size_t n = RTA_PAYLOAD(a);

			n = n < sizeof s->local ? n : sizeof s->local - 1;
			memcpy(s->local, RTA_DATA(a), n);
			if (n > 0 && s->local[0] == '\0')
				s->local[0] = '@'; /* abstract */
		} else if (a->rta_type == UNIX_DIAG_RQLEN) {
			struct unix_diag_rqlen q;

			memcpy(&q, RTA_DATA(a), sizeof q);
			s->unread = q.udiag_rqueue;
			s->unsent = q.udiag_wqueue;
		}
	}
}

struct dump {
	int family, protocol;
};

/* False, with errno set, if the kernel refuses. */
static bool answers(int nl, struct look *l, size_t *room, const struct dump *what)
{
	static _Alignas(8) char data[1 << 16];

	for (;;) {
		ssize_t n = recv(nl, data, sizeof data, 0);
		unsigned len = (unsigned)n;

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
		for (struct nlmsghdr *h = (void *)data; NLMSG_OK(h, len);
			h = NLMSG_NEXT(h, len)) {
			if (h->nlmsg_type == NLMSG_DONE)
				return true;
			if (h->nlmsg_type == NLMSG_ERROR) {
				errno = -((struct nlmsgerr *)NLMSG_DATA(h))->error;
				return false;
			}
			if (l->n_socks == *room) {
				*room = 2 * *room + 64;
				l->socks = grown(l->socks, *room, sizeof *l->socks);
			}
			struct sock *s = &l->socks[l->n_socks++];
			*s = (struct sock){ .since_in = l->at, .since_out = l->at };
			if (what->family == AF_UNIX)
				take_unix(s, h);
			else
				take_inet(s, h, what->protocol == IPPROTO_UDP);
		}
	}
}

static bool ask(int nl, const struct dump *what)
{
	struct {
		struct nlmsghdr h;
		union {
			struct inet_diag_req_v2 inet;
			struct unix_diag_req local;
		} r;
	} q = { .h = { .nlmsg_len = sizeof q,
			.nlmsg_type = SOCK_DIAG_BY_FAMILY,
			.nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP } };

	if (what->family == AF_UNIX)
		q.r.local = (struct unix_diag_req){ .sdiag_family = AF_UNIX,
			.udiag_states = UINT32_MAX,
			.udiag_show = UDIAG_SHOW_NAME | UDIAG_SHOW_RQLEN };
	else
		q.r.inet = (struct inet_diag_req_v2){ .sdiag_family =
							      (uint8_t)what->family,
			.sdiag_protocol = (uint8_t)what->protocol,
			.idiag_ext = 1 << (INET_DIAG_INFO - 1),
			.idiag_states = UINT32_MAX & ~(1U << 6) }; /* not TIME-WAIT */
	return send(nl, &q, sizeof q, 0) == (ssize_t)sizeof q;
}

static int by_key(const void *a, const void *b)
{
	uint64_t x = ((const struct sock *)a)->key, y = ((const struct sock *)b)->key;

	return (x > y) - (x < y);
}

void diag_take(struct look *l)
{
	static const struct dump dumps[] = { { AF_INET, IPPROTO_TCP },
		{ AF_INET6, IPPROTO_TCP }, { AF_UNIX, 0 }, { AF_INET, IPPROTO_UDP },
		{ AF_INET6, IPPROTO_UDP } };
	size_t room = 0;
	int nl = -1;

	l->blind = elsewhere;
	if (!elsewhere)
		nl = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);
	if (!elsewhere && nl < 0)
		l->blind = strerror(errno);
	/* A kernel without IPv6 or without diagnostics for Unix sockets still has the
	 * first. */
	for (int i = 0; nl >= 0 && i < 5; i++)
		if ((!ask(nl, &dumps[i]) || !answers(nl, l, &room, &dumps[i])) && i == 0)
			l->blind = strerror(errno);
	if (nl >= 0)
		close(nl);
	if (l->n_socks > 0)
		qsort(l->socks, l->n_socks, sizeof *l->socks, by_key);
}

const struct sock *diag_find(const struct look *l, uint64_t key)
{
	const struct sock want = { .key = key };

	if (l->n_socks == 0 || key == 0)
		return NULL;
	return bsearch(&want, l->socks, l->n_socks, sizeof want, by_key);
}
