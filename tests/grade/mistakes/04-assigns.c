/* Lab 04: = where == was meant.
 * First cause: its timeout is not -1
 */
static void on_listener(int lfd)
{
	enum step s;

	while ((s = accept_step(lfd)) == STEP_AGAIN)
		;
	full = s = STEP_FULL;
}
