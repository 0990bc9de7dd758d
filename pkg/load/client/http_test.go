//go:build linux

package client

import "testing"

// responses are answers of servers, whole.
var responses = []struct {
	name, wire, body string
	status           int
	close            bool
}{
	{"length", "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 2\r\n\r\nok", "ok", 200, false},
	{"length, other case", "HTTP/1.1 400 Bad Request\r\ncontent-length:4\r\nCONNECTION: Close\r\n\r\nnope", "nope", 400, true},
	{"chunks", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\n4ab\r\n2;x=y\r\ncd\r\n0\r\n\r\n", "4abcd", 200, false},
	{"empty", "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", "", 200, false},
}

func parseResponse(b []byte) (h head, body []byte, used int, err error) {
	if h, err = parseHead(b); err != nil {
		return h, nil, 0, err
	}
	body, used, err = parseBody(h, b[h.headLen:])
	return h, body, h.headLen + used, err
}

func TestParseResponse(t *testing.T) {
	for _, tt := range responses {
		h, body, used, err := parseResponse([]byte(tt.wire + "HTTP/1.1 next"))
		if err != nil || h.status != tt.status || h.close != tt.close || string(body) != tt.body || used != len(tt.wire) {
			t.Errorf("%s: %+v %q, %d of %d bytes, %v", tt.name, h, body, used, len(tt.wire), err)
		}
		for i := range len(tt.wire) {
			if _, _, _, err := parseResponse([]byte(tt.wire[:i])); err != errIncomplete {
				t.Errorf("%s: first %d bytes: %v", tt.name, i, err)
			}
		}
	}
}

func TestParseResponseRefuses(t *testing.T) {
	for name, wire := range map[string]string{
		"no HTTP":         "SSH-2.0-OpenSSH_9.2p1\r\n\r\n",
		"no status":       "HTTP/1.1 abc\r\n\r\n",
		"no length":       "HTTP/1.1 200 OK\r\n\r\n",
		"negative length": "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
		"chunk size":      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n",
		"chunk end":       "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nabc\r\n",
	} {
		if _, _, _, err := parseResponse([]byte(wire)); err == nil || err == errIncomplete {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func FuzzParseResponse(f *testing.F) {
	for _, r := range responses {
		f.Add([]byte(r.wire))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		if _, body, used, err := parseResponse(b); err == nil && (used > len(b) || len(body) > used) {
			t.Errorf("%d bytes of body, %d used of %d", len(body), used, len(b))
		}
	})
}
