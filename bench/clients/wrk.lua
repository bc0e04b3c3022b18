-- wrk against an echo server. The first request is only looked at, at the start, and has to
-- be one. What is sent from then on is a response of 64 bytes: it comes back and is one.
local asked = false

function request()
	if not asked then
		asked = true
		return "GET / HTTP/1.1\r\nHost: echo\r\n\r\n"
	end
	return "HTTP/1.1 200 OK\r\nContent-Length: 25\r\n\r\nTwenty-five bytes of body"
end
