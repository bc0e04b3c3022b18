/* Lab 03: EPOLLIN is always armed.
 * First cause: The server read on although output above HIGH_WATER
 */
static int watch(struct conn *c)
{
	uint32_t want = EPOLLIN | (c->out.len > 0 ? EPOLLOUT : 0);
	struct epoll_event ev = { .events = want, .data.ptr = c };

	if (want == c->events)
		return 0;
	if (epoll_ctl(epfd, EPOLL_CTL_MOD, c->fd, &ev) < 0)
		return -1;
	c->events = want;
	return 0;
}
