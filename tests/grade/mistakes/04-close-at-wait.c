/* Lab 04: STEP_WAIT is taken for an error.
 * First cause: The server closed the connection after EAGAIN
 */
static void on_event(struct conn *c, uint32_t events)
{
	enum step w, r = STEP_WAIT;

	if (events & (EPOLLERR | EPOLLHUP)) {
		conn_close(c);
		return;
	}
	while ((w = write_step(c)) == STEP_AGAIN)
		;
	while (w != STEP_CLOSE && (events & EPOLLIN) && wants_input(c)) {
		r = read_step(c);
		if (r != STEP_AGAIN)
			break;
		while ((w = write_step(c)) == STEP_AGAIN)
			;
	}
	if (w == STEP_CLOSE || r == STEP_WAIT || finished(c))
		conn_close(c);
}
