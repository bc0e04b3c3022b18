/* Lab 03: EPOLLOUT is always armed.
 * First cause: EPOLLOUT is armed with nothing to send
 */
static int watch(struct conn *c)
{
	uint32_t want = EPOLLIN | EPOLLOUT;
	struct epoll_event ev = { .events = want, .data.ptr = c };

	if (want == c->events)
		return 0;
	if (epoll_ctl(epfd, EPOLL_CTL_MOD, c->fd, &ev) < 0)
		return -1;
	c->events = want;
	return 0;
}
