# What herd, accepts, workers and the demo share: servers of several processes.
# shellcheck shell=bash

# workers_up PAGE N CALLS: waits until N workers have made CALLS epoll_ctl each, and sleep.
workers_up() {
	until [ "$(counter "$1" epoll_ctl.calls)" -ge $(($2 * $3)) ]; do pause 0.01; done
	pause 0.05
}
