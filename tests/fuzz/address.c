/* common/net.c: address_parse. What it takes is a literal, and comes back the same. */
#include "fuzz.h"
#include "net.h"
#include <arpa/inet.h>
#include <netdb.h>
#include <string.h>

static uint16_t port_of(const struct address *a)
{
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;

	memcpy(&v4, &a->sa, sizeof v4);
	memcpy(&v6, &a->sa, sizeof v6);
	if (a->sa.ss_family == AF_INET) {
		MUST(a->len == sizeof v4);
		return ntohs(v4.sin_port);
	}
	MUST(a->sa.ss_family == AF_INET6 && a->len == sizeof v6);
	return ntohs(v6.sin6_port);
}

/* Input: the text, up to its first 0; its length serves as the port. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct address a, again;
	struct in6_addr v6;
	char back_as[NI_MAXHOST], *host = strndup((const char *)data, size);

	MUST(host);
	uint16_t port = (uint16_t)(size * 4099);
	bool v4 = inet_pton(AF_INET, host, &v6) == 1;
	bool literal = v4 || inet_pton(AF_INET6, host, &v6) == 1;

	if (address_parse(&a, host, port) < 0) {
		MUST(!literal);
	} else {
		MUST(literal || strchr(host, '%')); /* fe80::1%eth0 has a scope */
		MUST(port_of(&a) == port);
		MUST(v4 == (a.sa.ss_family == AF_INET));
		MUST(getnameinfo((struct sockaddr *)&a.sa, a.len, back_as, sizeof back_as,
			     NULL, 0, NI_NUMERICHOST) == 0);
		MUST(address_parse(&again, back_as, port) == 0 && again.len == a.len &&
			memcmp(&again.sa, &a.sa, a.len) == 0);
	}
	free(host);
	return 0;
}
