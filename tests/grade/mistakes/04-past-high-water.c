/* Lab 04: Reads until EAGAIN, whatever waits in out.
 * First cause: The server read on although output above HIGH_WATER
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
	while (w != STEP_CLOSE && (events & EPOLLIN) && !c->eof) {
		r = read_step(c);
		if (r != STEP_AGAIN)
			break;
		while ((w = write_step(c)) == STEP_AGAIN)
			;
	}
	if (w == STEP_CLOSE || r == STEP_CLOSE || finished(c))
		conn_close(c);
}
