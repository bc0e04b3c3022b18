# Coordinated omission: one server that stalls, seen by a client that waits and one that does not.
load "plots/style.gp"
set title "The same stalled server, measured twice"
load "plots/curves.gp"
set key samplen 4
set yrange [10:(text ? 200 : 20) * top("us", 500000)]
says(n) = n eq "open" ? "open loop: counted from when each request was due" : \
	n eq "closed" ? "closed loop: the client waits for a reply before it sends" : n
plot @nothing, for [n in drawn("us", any)] points(n, "us", any) using 2:3 with lines lt style(n) lw 3 title says(n)
if (text) { print footer }
