package forward

import (
	"crypto/rand"
	"encoding/base64"
)

// Lengths in characters. A session id is a tag and a part that nobody can
// guess; its length tells it from those of Node's servers, which have 20.
const (
	tagLen    = 8
	secretLen = 20 // 120 bits
	sidLen    = tagLen + secretLen
)

func randomText(chars int) string {
	b := make([]byte, chars/4*3)
	_, _ = rand.Read(b) // never fails
	return base64.RawURLEncoding.EncodeToString(b)
}

// tagOf returns the tag of a session id, also of one that is made up; false if it cannot
// be an id of ours.
func tagOf(sid string) (string, bool) {
	if len(sid) != sidLen {
		return "", false
	}
	return sid[:tagLen], isBase64(sid)
}

func isTag(s string) bool { return len(s) == tagLen && isBase64(s) }

func isBase64(s string) bool {
	for i := range len(s) {
		c := s[i]
		if !('a' <= c|0x20 && c|0x20 <= 'z' || '0' <= c && c <= '9' || c == '-' || c == '_') {
			return false
		}
	}
	return true
}
