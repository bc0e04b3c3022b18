/* Lab 03: The new mask comes without data.ptr.
 * First cause: set ev.data.ptr = c
 */
static int watch(struct conn *c)
{
	uint32_t want = (wants_input(c) ? EPOLLIN : 0) | (c->out.len > 0 ? EPOLLOUT : 0);
	struct epoll_event ev = { .events = want };

	if (want == c->events)
		return 0;
	if (epoll_ctl(epfd, EPOLL_CTL_MOD, c->fd, &ev) < 0)
		return -1;
	c->events = want;
	return 0;
}
