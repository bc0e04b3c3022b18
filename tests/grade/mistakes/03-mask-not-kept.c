/* Lab 03: c->events is not updated.
 * First cause: The mask in c->events must always be the one
 */
static int watch(struct conn *c)
{
	uint32_t want = (wants_input(c) ? EPOLLIN : 0) | (c->out.len > 0 ? EPOLLOUT : 0);
	struct epoll_event ev = { .events = want, .data.ptr = c };

	if (want == c->events)
		return 0;
	if (epoll_ctl(epfd, EPOLL_CTL_MOD, c->fd, &ev) < 0)
		return -1;
	return 0;
}
