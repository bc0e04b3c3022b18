/* Lab 04: Repeats send until all is gone.
 * First cause: The server repeats send on a full socket
 */
static void on_event(struct conn *c, uint32_t events)
{
	enum step w, r = STEP_WAIT;

	if (events & (EPOLLERR | EPOLLHUP)) {
		conn_close(c);
		return;
	}
	do {
		if (events & EPOLLIN)
			r = read_step(c);
		while ((w = write_step(c)) != STEP_CLOSE && c->out.len > 0)
			;
	} while (w != STEP_CLOSE && r == STEP_AGAIN);
	if (w == STEP_CLOSE || r == STEP_CLOSE || finished(c))
		conn_close(c);
}
