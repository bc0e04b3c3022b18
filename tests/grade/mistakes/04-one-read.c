/* Lab 04: One recv an event.
 * First cause: The server read once
 */
static void on_event(struct conn *c, uint32_t events)
{
	if (events & (EPOLLERR | EPOLLHUP)) {
		conn_close(c);
		return;
	}
	if ((events & EPOLLIN) && read_step(c) == STEP_CLOSE) {
		conn_close(c);
		return;
	}
	if (write_step(c) == STEP_CLOSE || finished(c))
		conn_close(c);
}
