/* Lab 04: on_listener is still to be written.
 * First cause: still empty: on_listener. Write it first
 */
static void on_listener(int lfd)
{
	(void)lfd;
	/* You may want these, unused so far: */
	(void)accept_step;
}
