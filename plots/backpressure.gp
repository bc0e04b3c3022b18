# What a reply that does not fit costs: arming and disarming EPOLLOUT, or nothing.
load "plots/style.gp"
metric = "epoll_ctl_per_blocked"
set title "epoll_ctl calls for each reply that blocked"
if (!text) { set ylabel "epoll_ctl per blocked reply" }
set yrange [-0.15:1.25 * top(metric, 2.5)]
set ytics 1
if (!text) {
	set arrow 1 from graph 0, first 2 to graph 1, first 2 nohead lt 40
	set label 1 "model, level-triggered: arm and disarm" at graph 0.99, first 2 right offset 0, 0.6 textcolor rgb "#555555"
	set label 2 "model, edge-triggered: registered once" at graph 0.99, first 0 right offset 0, 1.8 textcolor rgb "#555555"
}
room = text ? 0.7 : 1.6
load "plots/dots.gp"
if (text) { print footer }
