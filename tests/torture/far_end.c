/* The server's end of a connection, from the kernel's socket diagnostics: sock_diag(7).
 */
#include "torture.h"
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

static void put_address(__be32 *to, __be16 *port, const struct sockaddr_storage *sa)
{
	const struct sockaddr_in *v4 = (const void *)sa;
	const struct sockaddr_in6 *v6 = (const void *)sa;

	*port = sa->ss_family == AF_INET ? v4->sin_port : v6->sin6_port;
	if (sa->ss_family == AF_INET)
		memcpy(to, &v4->sin_addr, sizeof v4->sin_addr);
	else
		memcpy(to, &v6->sin6_addr, sizeof v6->sin6_addr);
}

static int diag_socket(void)
{
	static int fd = -1;

	if (fd < 0)
		fd = socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);
	return fd;
}

bool far_end(const struct client *c, struct far_end *f)
{
	struct {
		struct nlmsghdr head;
		struct inet_diag_req_v2 body;
	} ask = {
		.head = { .nlmsg_len = sizeof ask,
			.nlmsg_type = SOCK_DIAG_BY_FAMILY,
			.nlmsg_flags = NLM_F_REQUEST },
		.body = { .sdiag_family = (uint8_t)c->here.ss_family,
			.sdiag_protocol = IPPROTO_TCP,
			.idiag_states = ~0U,
			.id = { .idiag_cookie = { INET_DIAG_NOCOOKIE,
					INET_DIAG_NOCOOKIE } } },
	};
	struct {
		struct nlmsghdr head;
		struct inet_diag_msg body;
		char rest[512];
	} answer = { 0 };
	struct inet_diag_sockid *id = &ask.body.id;
	const struct address *at = &shared->at;

	put_address(id->idiag_src, &id->idiag_sport, &at->sa);
	put_address(id->idiag_dst, &id->idiag_dport, &c->here);
	if (send(diag_socket(), &ask, sizeof ask, 0) < 0 ||
		recv(diag_socket(), &answer, sizeof answer, 0) < 0)
		return false;
	if (answer.head.nlmsg_type != SOCK_DIAG_BY_FAMILY ||
		answer.body.id.idiag_dport != id->idiag_dport)
		return false; /* gone, or only the listener fits */
	f->state = answer.body.idiag_state;
	f->unread = answer.body.idiag_rqueue;
	f->unsent = answer.body.idiag_wqueue;
	return true;
}

void need_far_end(const struct client *c)
{
	struct far_end f;

	if (!far_end(c, &f))
		skip("this kernel has no socket diagnostics");
}
