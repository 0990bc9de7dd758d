package classic

import "testing"

func TestGlobEscape(t *testing.T) {
	if got := globEscape(`/a*b?c[d]e\f`); got != `/a\*b\?c\[d\]e\\f` {
		t.Error(got)
	}
}
