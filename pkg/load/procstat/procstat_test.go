package procstat

import (
	"os"
	"path/filepath"
	"testing"
	"time"
)

const statLine = "4242 (we) ird (na) S 1 4242 4242 0 -1 4194560 1200 0 0 0 " +
	"150 25 0 0 20 0 7 0 987654 1234567890 300 18446744073709551615 1 1 0 0 0 0 0 0 0 0 0 0 17 1 0 0 0 0 0\n"

// fakeProc is a proc file system with one process.
func fakeProc(t testing.TB, files map[string]string) FS {
	t.Helper()
	root := t.TempDir()
	for name, content := range files {
		path := filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return FS(root)
}

func TestRead(t *testing.T) {
	fs := fakeProc(t, map[string]string{"4242/stat": statLine})
	got, err := fs.Read(4242)
	want := Sample{
		Name: "we) ird (na", User: 1500 * time.Millisecond, System: 250 * time.Millisecond,
		RSS: 300 * int64(os.Getpagesize()), Threads: 7, Started: 987654,
	}
	if err != nil || got != want {
		t.Errorf("%+v, %v; want %+v", got, err, want)
	}
	if got.CPU() != 1750*time.Millisecond {
		t.Errorf("CPU %v", got.CPU())
	}
	if _, err := fs.Read(1); err == nil {
		t.Error("read a process that is not there")
	}
}

func TestParseStatTruncated(t *testing.T) {
	// Field 24, the resident pages, is the last one read: anything shorter must be refused, never misread.
	last := len("4242 (we) ird (na) S 1 4242 4242 0 -1 4194560 1200 0 0 0 150 25 0 0 20 0 7 0 987654 1234567890 ")
	for i := range last {
		if s, err := parseStat([]byte(statLine[:i])); err == nil {
			t.Errorf("read %+v from the first %d bytes", s, i)
		}
	}
}

func TestResident(t *testing.T) {
	fs := fakeProc(t, map[string]string{
		"7/smaps_rollup": "00400000-7ffd [rollup]\nRss:             1234 kB\nPss:              99 kB\n",
		"8/smaps_rollup": "00400000-7ffd [rollup]\nPss:              99 kB\n",
	})
	if got, err := fs.Resident(7); err != nil || got != 1234<<10 {
		t.Errorf("%d, %v", got, err)
	}
	if _, err := fs.Resident(8); err == nil {
		t.Error("no Rss line, and no error")
	}
}

func TestBusyLeavesOutIdleAndWaiting(t *testing.T) {
	fs := fakeProc(t, map[string]string{"stat": "cpu  100 20 3 9999 8888 4 5 777 0 0\ncpu0 1 1 1 1 1 1 1 1 0 0\n"})
	if got, err := fs.Busy(); err != nil || got != 132*tick {
		t.Errorf("%v, %v; want %v", got, err, 132*tick)
	}
	for _, bad := range []string{"", "cpu 1 2\n", "intr 1 2 3 4 5 6 7 8\n", "cpu a 2 3 4 5 6 7 8\n"} {
		if _, err := fakeProc(t, map[string]string{"stat": bad}).Busy(); err == nil {
			t.Errorf("%q: no error", bad)
		}
	}
}

func TestOfThisProcess(t *testing.T) {
	s, err := Proc.Read(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	if s.RSS <= 0 || s.Threads <= 0 || s.Name == "" {
		t.Errorf("%+v", s)
	}
	if rss, err := Proc.Resident(os.Getpid()); err != nil || rss <= 0 {
		t.Errorf("resident %d, %v", rss, err)
	}
	if busy, err := Proc.Busy(); err != nil || busy <= 0 {
		t.Errorf("busy %v, %v", busy, err)
	}
}

func TestKernel(t *testing.T) {
	fs := fakeProc(t, map[string]string{
		"meminfo":      "MemTotal:       1000 kB\nSlab:             24 kB\nSReclaimable:  7 kB\n",
		"net/sockstat": "sockets: used 17\nTCP: inuse 3 orphan 0 tw 0 alloc 4 mem 5\nUDP: inuse 0 mem 9\n",
	})
	if got, err := fs.Kernel(); err != nil || got != 24<<10+5*int64(os.Getpagesize()) {
		t.Errorf("%d, %v", got, err)
	}
	if got, err := Proc.Kernel(); err != nil || got <= 0 {
		t.Errorf("this machine's: %d, %v", got, err)
	}
	for name, files := range map[string]map[string]string{
		"nothing":   {},
		"no slab":   {"meminfo": "MemTotal: 1 kB\n", "net/sockstat": "TCP: mem 1\n"},
		"no memory": {"meminfo": "Slab: 1 kB\n", "net/sockstat": "TCP: inuse 1 mem\n"},
		"no number": {"meminfo": "Slab: many kB\n", "net/sockstat": "TCP: mem 1\n"},
	} {
		if got, err := fakeProc(t, files).Kernel(); err == nil {
			t.Errorf("%s: %d", name, got)
		}
	}
}
