/* Lab 03: The listener stays armed without room.
 * First cause: accept4 fails again and again
 */
static void on_listener(int lfd)
{
	full = accept_step(lfd) == STEP_FULL;
}
