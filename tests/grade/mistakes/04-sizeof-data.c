/* Lab 04: Appends the whole array.
 * First cause: The server sent more bytes than recv gave it
 */
static enum step read_step(struct conn *c)
{
	char data[READ_SIZE] = { 0 };
	ssize_t n = recv(c->fd, data, sizeof data, 0);

	if (n > 0) {
		if (buf_append(&c->out, data, sizeof data, HIGH_WATER + READ_SIZE) < 0)
			return STEP_CLOSE;
		return STEP_AGAIN;
	}
	if (n == 0) {
		c->eof = true;
		return STEP_WAIT;
	}
	if (errno == EINTR)
		return STEP_AGAIN;
	return errno == EAGAIN ? STEP_WAIT : STEP_CLOSE;
}
