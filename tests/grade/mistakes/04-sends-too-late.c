/* Lab 04: Asks for room before it sends what was stuck.
 * First cause: it did not read although input was waiting
 */
static void on_event(struct conn *c, uint32_t events)
{
	enum step in = STEP_WAIT, out = STEP_WAIT;

	if (events & (EPOLLERR | EPOLLHUP)) {
		conn_close(c);
		return;
	}
	while ((events & EPOLLIN) && wants_input(c) && (in = read_step(c)) == STEP_AGAIN)
		while ((out = write_step(c)) == STEP_AGAIN)
			;
	while ((out = write_step(c)) == STEP_AGAIN)
		;
	if (in == STEP_CLOSE || out == STEP_CLOSE || finished(c))
		conn_close(c);
}
