# What each connection did when: a state machine over the server's trace, one row a stretch of
# time. Variable: lab (its name).

function row(c, what, from, to) {
	if (to > from) printf "%s\t%d\t%s\t%s\t%.3f\t%.3f\n", lab, c, who[c], what, from, to
}
function enter(c, what, at) {
	if (what == state[c]) return
	row(c, state[c], since[c], at)
	state[c] = what; since[c] = at
}
function idle(c) { return blocked[c] ? "blocked" : unread[c] ? "readable" : "waiting" }
function told(c, mask) {
	if (mask ~ /OUT/) blocked[c] = 0
	if (mask ~ /IN|HUP|ERR/) unread[c] = 1
	enter(c, idle(c), end)
}
BEGIN { who[1] = who[2] = "quick"; who[3] = "slow" }
{
	split($1, part, "."); if (!base) base = part[1]
	end = (part[1] - base) * 1e6 + part[2] / 1e3; begin = end - $2 * 1e6
	call = $3; sub(/\(.*/, "", call)
	fd = $3; gsub(/^[^(]*\(|[,)].*/, "", fd); fd += 0
	asked = $4 + 0; result = $NF
	if (call == "accept4" && result ~ /^[0-9]/) {
		of[result] = ++n; state[n] = "waiting"; since[n] = end
	}
	if (call == "epoll_ctl") edge[$5 + 0] = /\|ET/
	if (call == "epoll_wait")
		for (i = 6; i < NF; i++) if ($i == "fd" && of[$(i + 1)]) told(of[$(i + 1)], $(i + 2))
	if (!(c = of[fd])) next
	if (call == "recv" || call == "splice") {
		enter(c, "recv", begin)
		# An edge is reported once: what is left stays unread.
		unread[c] = edge[fd] && result ~ /^[0-9]/ && result + 0 == asked
		enter(c, idle(c), end)
	}
	if (call == "send") {
		enter(c, "send", begin)
		blocked[c] = result ~ /EAGAIN/ || result ~ /^[0-9]/ && result + 0 < asked
		enter(c, idle(c), end)
	}
	if (call == "close") { enter(c, "closed", begin); delete of[fd] }
}
END { for (fd in of) enter(of[fd], "closed", end) }
