package engineio

import (
	"net/http"
	"net/url"
	"slices"
)

// allowOrigin decides whether the page a request comes from may speak with
// this server, and sets the headers that tell the browser so.
//
// Without a list any origin may. Clients of protocol 3 send their requests with
// credentials whatever the page wants, and a browser hides the answer to such a
// request unless it names the origin and allows credentials; that is what the
// Node server of that time sent, and it gives nothing away, since this server
// reads no cookies. Protocol 4 gets the plain "*".
//
// With a list the origin must be in it, letter for letter, or be the origin of
// the page's own host; credentials are then allowed.
func (s *Server) allowOrigin(w http.ResponseWriter, r *http.Request, protocol int) bool {
	h := w.Header()
	origin := r.Header.Get("Origin")
	if len(s.opts.Origins) == 0 {
		if origin == "" || protocol == 4 {
			h.Set("Access-Control-Allow-Origin", "*")
			return true
		}
		h.Set("Access-Control-Allow-Origin", origin)
		h.Set("Access-Control-Allow-Credentials", "true")
		h.Set("Vary", "Origin")
		return true
	}
	h.Set("Vary", "Origin")
	if origin == "" {
		return true
	}
	if !slices.Contains(s.opts.Origins, origin) {
		return sameHost(origin, r.Host)
	}
	h.Set("Access-Control-Allow-Origin", origin)
	h.Set("Access-Control-Allow-Credentials", "true")
	return true
}

// allowSource decides on requests without an Origin header, which browsers leave out
// when a page loads a script, an image or the like: by <script> a page of another origin
// would open a session and, with JSONP, take part in it. With a list of origins such a
// request has to come from one of them, by what the browser says: Sec-Fetch-Site, or
// Referer. What says neither is no browser, or one of before 2020 (2023, Safari) that
// was told to hide the page; it may open a session, which no script can read, but use no JSONP.
func (s *Server) allowSource(r *http.Request, q *query) bool {
	if len(s.opts.Origins) == 0 || r.Header.Get("Origin") != "" || q.sid != "" && q.callback == nil {
		return true
	}
	switch site := r.Header.Get("Sec-Fetch-Site"); {
	case site == "same-origin", site == "none", site == "" && q.callback == nil: // none: the user has typed the address
		return true
	}
	from, err := url.Parse(r.Header.Get("Referer"))
	if err != nil || from.Host == "" {
		return false
	}
	origin := from.Scheme + "://" + from.Host
	return slices.Contains(s.opts.Origins, origin) || sameHost(origin, r.Host)
}

// sameHost tells whether a page is of the host that it asks. Whether that host is
// reached by TLS, a proxy in front may know, this server need not.
func sameHost(origin, host string) bool {
	return host != "" && (origin == "http://"+host || origin == "https://"+host)
}

// answerOptions answers a browser's question about a request, whatever session it is
// for, and OPTIONS of any other kind alike: so does the cors package in Node's server.
func answerOptions(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Access-Control-Allow-Methods", "GET,POST")
	if asked := r.Header.Get("Access-Control-Request-Headers"); asked != "" {
		h.Set("Access-Control-Allow-Headers", asked)
		h.Add("Vary", "Access-Control-Request-Headers")
	}
	w.WriteHeader(http.StatusNoContent)
}
