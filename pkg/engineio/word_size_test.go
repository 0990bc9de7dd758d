package engineio

import "testing"

// A length of 2^31-1 must not wrap where an int has 32 bits: run with GOARCH=386.
func TestPayloadV3BinaryLengthOfAllBits(t *testing.T) {
	body := append([]byte{1, 2, 1, 4, 7, 4, 8, 3, 6, 4, 7, frameEnd}, "\x04abc"...)
	ps, err := decodePayloadV3Binary(body)
	if err != nil || len(ps) != 1 || string(ps[0].data) != "abc" {
		t.Errorf("got %+v, %v", ps, err)
	}
}
