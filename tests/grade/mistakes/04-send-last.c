/* Lab 04: Reads all it may, then sends, and does not read on.
 * First cause: The server read up to HIGH_WATER
 */
static void on_event(struct conn *c, uint32_t events)
{
	enum step s = STEP_WAIT;

	while ((events & EPOLLIN) && wants_input(c) && (s = read_step(c)) == STEP_AGAIN)
		;
	if (s == STEP_CLOSE) {
		conn_close(c);
		return;
	}
	while ((s = write_step(c)) == STEP_AGAIN)
		;
	if (s == STEP_CLOSE || finished(c))
		conn_close(c);
}
