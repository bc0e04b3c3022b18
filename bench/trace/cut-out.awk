# Rows of states.awk from the first byte to the last, in µs; and in the file `head`, where a
# closer look looks: the slow client's request arrives.
{ row[NR] = $0 }
$4 == "recv" && !found++ { zero = $5 - 20 }
$4 == "send" { last = $6 }
$2 == 3 && $4 == "recv" && !from { from = $5 - 30 }
from && (!begun || NR - begun < 30) && $6 < from + 10000 { begun = begun ? begun : NR; near = $6 }
END {
	printf "# zoom: %.0f %.0f\n", from - zero, near - zero + 10 > head
	print "server", "connection", "client", "state", "from_us", "to_us"
	for (i = 1; i <= NR; i++) {
		$0 = row[i]; from = $5 - zero; to = $6 - zero
		if (from < 0) from = 0
		if (to > last - zero + 2000) to = last - zero + 2000
		if (to > from) printf "%s\t%s\t%s\t%s\t%.3f\t%.3f\n", $1, $2, $3, $4, from, to
	}
}
