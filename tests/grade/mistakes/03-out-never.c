/* Lab 03: Nobody asks for EPOLLOUT.
 * First cause: has no EPOLLOUT
 */
static int watch(struct conn *c)
{
	uint32_t want = (wants_input(c) ? EPOLLIN : 0);
	struct epoll_event ev = { .events = want, .data.ptr = c };

	if (want == c->events)
		return 0;
	if (epoll_ctl(epfd, EPOLL_CTL_MOD, c->fd, &ev) < 0)
		return -1;
	c->events = want;
	return 0;
}
