/* Lab 03: ADD where MOD was meant, and its result is not looked at.
 * First cause: epoll_ctl failed with EEXIST
 */
static int watch(struct conn *c)
{
	uint32_t want = (wants_input(c) ? EPOLLIN : 0) | (c->out.len > 0 ? EPOLLOUT : 0);
	struct epoll_event ev = { .events = want, .data.ptr = c };

	if (want == c->events)
		return 0;
	epoll_ctl(epfd, EPOLL_CTL_ADD, c->fd, &ev);
	c->events = want;
	return 0;
}
