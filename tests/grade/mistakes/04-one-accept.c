/* Lab 04: One accept an event.
 * First cause: Several clients came with one event
 */
static void on_listener(int lfd)
{
	full = accept_step(lfd) == STEP_FULL;
}
