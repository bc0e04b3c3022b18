/* Lab 03: recv of 0 closes at once.
 * First cause: recv returned 0 and the server closed at once
 */
static void on_event(struct conn *c, uint32_t events)
{
	if (events & (EPOLLERR | EPOLLHUP)) {
		conn_close(c);
		return;
	}
	if ((events & EPOLLIN) && (read_step(c) == STEP_CLOSE || c->eof)) {
		conn_close(c);
		return;
	}
	if (write_step(c) == STEP_CLOSE || finished(c) || watch(c) < 0)
		conn_close(c);
}
