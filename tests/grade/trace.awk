# Reads a server's own trace (LAB_TRACE=clock) twice, up to the moment `at` (seconds; with 0 and
# silence up to the last pause of a tenth of a second, else to its end), and prints what it says about the failure:
#   why     the one word that the table `reasons` explains
#   failed  calls that failed and should not have, with their number
#   last    the last calls, at most five lines
#   said    the last line that is no call: the server's own words
# All state is about one process: `one=0` says that there are several, and leaves out `why`.

function number(s) { return s ~ /^[0-9]+$/ }
function has(mask, bit) { return index("|" mask "|", "|" bit "|") > 0 }
function owed(fd) { return got[fd] - sent[fd] }

FNR == 1 { pass++ }
!/^[0-9]+\.[0-9]+ [0-9]+\.[0-9]+ / { said_last = $0; next }

# First reading: where to stop.
pass == 1 {
	if (at > 0 ? $1 <= at : seen != "silence" || $1 - before > 0.09)
		stop = at > 0 || seen != "silence" ? FNR : FNR - 1
	before = $1
	total = FNR
	next
}

# What follows the pause is the end of the server: a few calls. A server that spins has none.
pass == 2 && !begun++ && at <= 0 && total - stop > 50 { stop = total }
{ text = $0; sub(/^[^ ]+ [^ ]+ /, "", text) }

# A call that had not returned by then: the server waits in it.
FNR > stop && stop {
	if (at > 0 && !blocked && $1 - $2 < at - 0.3 && text !~ /^(epoll_wait|poll)/) {
		blocked = text
		sub(/\(.*/, "", blocked)
	}
	next
}

{
	call = text; sub(/\(.*/, "", call)
	result = text; sub(/.*→ /, "", result)
	args = text; sub(/^[^(]*\(/, "", args); sub(/\) →.*/, "", args)
	split(args, arg, ", ")
	fd = arg[1]
	keep(call == "epoll_wait" || call == "epoll_ctl" ? short(text) : text)
}

function short(s) { sub(/\([0-9]+, /, "(", s); sub(/epoll_wait\([0-9]+\)/, "epoll_wait()", s); return s }
function keep(s) {
	if (s == line[lines]) { times[lines]++; return }
	line[++lines] = s
	times[lines] = 1
	delete line[lines - 60]
	delete times[lines - 60]
}

function touch(f) { active[f] = FNR }

call == "accept4" {
	listener = fd; accepted = result; asked_again = 0
	if (number(result)) {
		fd = result
		alive[fd] = 1; got[fd] = sent[fd] = eof[fd] = broken[fd] = rest[fd] = 0
		event[fd] = last[fd] = ""; reads[fd] = taken[fd] = sends[fd] = 0
		touch(fd)
		useless = 0
	} else if (result == "EAGAIN" && !retry) useless++
	else if (result != "EINTR") fails(call " → " result)
}
call == "epoll_ctl" {
	fd = arg[3]; op = arg[2]
	if (number(result)) { mask[fd] = op == "DEL" ? "" : arg[4] }
	else {
		fails("epoll_ctl(" op ", fd " fd ") → " result)
		if (!refused) refused = result
	}
}
call == "epoll_wait" {
	retry = result == "0" # a timeout: main tries to accept again
	if (result ~ /:/) {
		sub(/^[^:]*: /, "", result)
		n = split(result, told, ", ")
		for (i = 1; i <= n; i++) {
			split(told[i], word, " ") # fd N MASK
			event[word[2]] = word[3]
			reads[word[2]] = taken[word[2]] = sends[word[2]] = 0
			if (word[2] == listener && has(word[3], "OUT")) strange++
		}
	}
}
call == "recv" || call == "read" {
	last[fd] = call; said[fd] = result; touch(fd); reads[fd]++
	if (result == "0") eof[fd] = 1
	else if (number(result)) { got[fd] += result; taken[fd] += result }
	else bad(fd)
}
call == "send" || call == "write" {
	last[fd] = call; said[fd] = result; touch(fd); sends[fd]++
	if (rest[fd] > 0 && arg[2] + 0 < rest[fd]) lost = 1
	if (number(result)) { sent[fd] += result; rest[fd] = arg[2] - result }
	else bad(fd)
	if (sent[fd] > got[fd]) more = 1
}
call == "close" && (fd in alive) {
	why = parting(fd)
	if (why != "") { parted = why }
	delete alive[fd]
	mask[fd] = ""
}

function bad(f) {
	if (result == "EBADF" || result == "ENOTSOCK") fails(call " → " result)
	if (result != "EAGAIN" && result != "EINTR") broken[f] = 1
}
function fails(s) { failures[s]++; if (failures[s] == 1) order[++kinds] = s }

# Why this close is no proper end; empty where it is one.
function parting(f) {
	if (broken[f] || has(event[f], "ERR") || has(event[f], "HUP")) return ""
	if (eof[f]) return owed(f) > 0 ? "closed-at-fin" : ""
	if (owed(f) > 69632) return "above-mark" # HIGH_WATER and one read: more than buf_append takes
	if (said[f] == "EAGAIN" && reads[f] + sends[f] > 0) return "closed-at-eagain" # since its last event
	if (has(event[f], "RDHUP")) return "closed-at-rdhup"
	return last[f] == "" ? "closed-untouched" : "closed-early"
}

# Why nothing more happens on this connection; empty where all was done.
function stuck(f,   m) {
	m = mask[f]
	if (eof[f] && owed(f) == 0) return "no-fin"
	if (m == "") return "not-registered"
	if (owed(f) > 0 && !has(m, "OUT")) return "out-not-armed"
	if (has(m, "ONESHOT")) return "not-armed-again"
	if (!has(m, "ET")) return owed(f) == 0 && !has(m, "IN") ? "in-not-armed" : ""
	if (owed(f) > 0 && has(event[f], "OUT") && !sends[f]) return "out-ignored"
	if (owed(f) > 0 && said[f] != "EAGAIN") return last[f] ~ /send|write/ ? "one-send" : "nothing-sent"
	if (has(event[f], "IN") && !reads[f] && owed(f) == 0) return sends[f] ? "sent-then-slept" : "in-ignored"
	if (last[f] == "" || said[f] == "EAGAIN" || eof[f] || owed(f) > 60000) return ""
	if (taken[f] > 60000 && owed(f) == 0) return "stopped-at-mark"
	return reads[f] == 1 ? "one-read" : "not-drained"
}

function latest_stuck(   f, best, when, why) {
	when = 0
	for (f in alive)
		if ((why = stuck(f)) != "" && active[f] > when) { when = active[f]; best = why }
	return best
}

function going_round(s) {
	if (s ~ /^accept4.*→ E[^A]/) return "spin-accept"
	if (s ~ /^accept4.*EAGAIN/) return "spin-listener"
	if (s ~ /^(send|write).*EAGAIN/) return "spin-send"
	if (s ~ /^(recv|read).*EAGAIN/) return "spin-recv"
	if (s ~ /^(recv|read).*→ 0$/) return "spin-fin"
	if (s ~ /^epoll_wait.*[ |](ERR|HUP)/) return "spin-hup"
	if (s ~ /^epoll_wait.*RDHUP/) return "spin-rdhup"
	if (s ~ /^epoll_wait.* OUT$/) return "spin-out"
	if (s ~ /^epoll_wait.* IN(.OUT)?$/) return "spin-in"
	if (s ~ /^epoll_wait.*→ 0$/) return "spin-timeout"
	return ""
}

# What goes round: the commonest of the last lines.
function spinning(   i, s, n, kind, most, best) {
	for (i = lines; i > lines - 60 && i > 0; i--) {
		s = line[i]
		kind = going_round(s)
		if (kind != "") n[kind] += times[i]
	}
	if (n["spin-accept"] > 5) return "spin-accept"
	if (n["spin-timeout"] > 2) return "spin-timeout"
	if (n["spin-listener"] > 5) return "event-without-data"
	for (kind in n) if (n[kind] > most) { most = n[kind]; best = kind }
	return most > 2 ? best : ""
}

function open_for_ever(   f) {
	for (f in alive) if (has(event[f], "ERR") || has(event[f], "HUP")) return "hup-ignored"
	for (f in alive) if (eof[f] && owed(f) == 0) return "no-fin"
	return ""
}

function reason() {
	if (refused ~ /^(EEXIST|ENOENT|EBADF|EINVAL|EPERM)$/) return "ctl-" refused
	if (refused != "" && refused !~ /^ENO/) return "ctl-failed"
	if (seen == "surplus" || seen == "wrong byte") return more ? "sent-more" : lost ? "short-lost" : ""
	if (seen == "reset" || seen == "end of stream") return parted
	if (seen == "cpu") return spinning()
	if (seen == "descriptors") return open_for_ever()
	if (seen == "memory" || seen == "gone" || seen == "no connection") return ""
	if (blocked != "") return "blocks-in-" blocked
	if (strange > 2 || useless > 3) return "event-without-data"
	why = latest_stuck()
	if (why == "" && times[lines] > 1000) why = spinning()
	if (why == "" && number(accepted) && has(mask[listener], "ET")) why = "one-accept"
	if (why == "" && accepted ~ /^(EMFILE|ENFILE)$/) why = "not-tried-again"
	return why
}

END {
	print "why\t" (one ? reason() : refused ~ /^(EEXIST|ENOENT|EBADF|EINVAL|EPERM)$/ ? "ctl-" refused : "")
	for (i = 1; i <= kinds; i++)
		print "failed\t" order[i] (failures[order[i]] > 1 ? ", " failures[order[i]] " times" : "")
	if (said_last != "") print "said\t" said_last
	for (i = lines > 5 ? lines - 4 : 1; i <= lines; i++)
		print "last\t" line[i] (times[i] > 1 ? ", " times[i] " times" : "")
}
