package forward

import (
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"syscall"
	"testing"

	"github.com/redis/go-redis/v9"

	"socketio-chat/pkg/engineio"
)

func TestASessionIsReachedThroughAnyInstance(t *testing.T) {
	list := cluster(t, 3, Options{}, engineio.Options{})
	owner := list[0]
	sid := owner.open(t, "EIO=4")
	for i, in := range list {
		if res := do(t, "POST", in.url("EIO=4", sid), "4hello"); res.body != "ok" {
			t.Fatalf("post to %d: %d %q", i, res.status, res.body)
		}
		if res := do(t, "GET", list[(i+1)%3].url("EIO=4", sid), ""); res.body != "4echo hello" {
			t.Fatalf("poll of %d: %d %q", i, res.status, res.body)
		}
	}
	if s := owner.Stats(); s.Served != 4 || s.Polls+s.Posts+s.UnknownOwner != 0 {
		t.Errorf("owner: %+v", s)
	}
	if a, b := list[1].Stats(), list[2].Stats(); a.Polls != 1 || a.Posts != 1 || b.Polls != 1 || b.Posts != 1 {
		t.Errorf("fronts: %+v, %+v", a, b)
	}
}

func TestOptions(t *testing.T) {
	client := redis.NewClient(&redis.Options{Addr: "127.0.0.1:1"})
	defer client.Close()
	if _, err := New(Options{Redis: client, Secret: "fifteen letters"}); !errors.Is(err, errShortSecret) {
		t.Errorf("short secret: %v", err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if _, err := New(Options{Redis: client, Listen: l.Addr().String()}); !errors.Is(err, syscall.EADDRINUSE) {
		t.Errorf("taken address: %v", err)
	}
	// Closing what was never started, twice.
	f, err := New(Options{Redis: client, Listen: "127.0.0.1:0"})
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := f.Close(t.Context()); err != nil {
			t.Error(err)
		}
	}
	f.Start(http.NotFoundHandler(), nil)
	res := httptest.NewRecorder()
	if f.Forward(res, httptest.NewRequest("GET", "/", nil), randomText(sidLen)) {
		t.Error("a closed forwarder forwards")
	}
}

// Ids are unique, of one length, and tell nothing but the tag.
func TestIDs(t *testing.T) {
	f := &Forwarder{tag: randomText(tagLen)}
	seen := make(map[string]bool)
	for range 1000 {
		id := f.NewID()
		if tag, ok := tagOf(id); !ok || tag != f.tag || len(id) != 28 || strings.Trim(id, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_") != "" {
			t.Fatalf("id %q", id)
		}
		seen[id] = true
	}
	if len(seen) != 1000 {
		t.Errorf("%d different ids of 1000", len(seen))
	}
	for _, sid := range []string{"", "__proto__", "fTIyEkRLCX5tdSbZAAAB", strings.Repeat("x", 27), strings.Repeat("x", 29), "abc{efgh" + strings.Repeat("x", 20), "abcdefg\x00" + strings.Repeat("x", 20)} {
		if _, ok := tagOf(sid); ok {
			t.Errorf("%q is taken for an id of ours", sid)
		}
	}
}

// Where an instance listens, and how the others know it.
func TestAddresses(t *testing.T) {
	newClient := startRedis(t)
	for _, tt := range []struct {
		name, listen, advertise string
		want                    string // host
	}{
		{"found by itself; Redis is reached over no network", "", "", "127.0.0.1"},
		{"given host", "", "localhost", "localhost"},
		{"given address that is not of this host", "", "192.0.2.7", "192.0.2.7"},
		{"all interfaces", ":0", "", "127.0.0.1"},
		{"given port", "127.0.0.1:0", "[::1]:7", "::1"},
	} {
		f, err := New(Options{Redis: newClient(), Listen: tt.listen, Advertise: tt.advertise})
		if err != nil {
			t.Fatal(err)
		}
		f.Start(http.NotFoundHandler(), nil)
		eventually(t, "it is registered", func() bool { return f.Stats().Registered })
		host, port, err := net.SplitHostPort(f.Stats().Address)
		_, bound, _ := net.SplitHostPort(f.listener.Addr().String())
		if tt.advertise == "[::1]:7" {
			bound = "7"
		}
		if err != nil || host != tt.want || port != bound {
			t.Errorf("%s: %s, listening on %s", tt.name, f.Stats().Address, f.listener.Addr())
		}
		if err := f.Close(t.Context()); err != nil {
			t.Error(err)
		}
	}
}
