package result

import (
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"
)

func TestSaveAndLoad(t *testing.T) {
	h := NewHistogram()
	h.Record(100)
	want := &Run{
		Version: Version, Label: "안", Started: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC),
		Settings: Settings{Servers: []string{"http://127.0.0.1:1"}, Clients: 3, Senders: 1, Rate: 0.5, Size: 32},
		Window:   Window{Seconds: 2, Deliveries: 1000, Processes: []Usage{{PID: 1, Name: "x", CPU: 0.5}, {PID: 2, CPU: 0.25}}},
		Counts:   Counts{Sent: 1, Lost: 2},
		Latency:  h.Latency(),
		Samples:  []Sample{{At: 1, Phase: "measuring", Processes: []Moment{{PID: 1, Cores: 0.5, RSS: 1 << 40}}}},
	}
	path := filepath.Join(t.TempDir(), "run.json")
	if err := want.Save(path); err != nil {
		t.Fatal(err)
	}
	got, err := Load(path)
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("%v\n%+v, want\n%+v", err, got, want)
	}
}

func TestLoadRefuses(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{"other.json": `{"version":99}`, "none.json": `{}`, "broken.json": `{"ver`, "text.json": "hello"} {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := Load(path); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := Load(filepath.Join(dir, "missing.json")); err == nil {
		t.Error("loaded what is not there")
	}
}

func TestDerivedFigures(t *testing.T) {
	w := Window{Seconds: 2, Deliveries: 1000, Processes: []Usage{{CPU: 0.003}, {CPU: 0.001}}}
	if w.Rate() != 500 || w.CPU() != 0.004 || w.MicrosPerDelivery() != 4 {
		t.Errorf("rate %v, CPU %v, %v µs each", w.Rate(), w.CPU(), w.MicrosPerDelivery())
	}
	if none := (Window{}); none.Rate() != 0 || none.MicrosPerDelivery() != 0 {
		t.Error("an empty window has figures")
	}
	for _, c := range []Counts{{Lost: 1}, {Duplicates: 1}, {Reordered: 1}, {Damaged: 1}, {Left: 1}} {
		if c.Faultless() {
			t.Errorf("%+v is called faultless", c)
		}
	}
	if !(Counts{Sent: 1, Expected: 2, Delivered: 2, Notices: 3, Foreign: 4}).Faultless() {
		t.Error("good counts are called faulty")
	}
}

func TestThisMachine(t *testing.T) {
	if m := ThisMachine(); m.Cores < 1 || m.OS == "" {
		t.Errorf("%+v", m)
	}
}
