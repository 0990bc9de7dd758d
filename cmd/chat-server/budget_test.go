package main

import (
	"encoding/binary"
	"fmt"
	"net/http"
	"os"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gobwas/ws"
)

const (
	budgetMiB  = 300
	pullersMiB = 250 // of each kind of holder
	bigMessage = 900_000
)

// pulls are the ways to make a server hold memory, each by as many clients as it takes for pullersMiB.
var pulls = []struct {
	name string
	pull func(c *rudeClient)
}{
	{"half a frame", func(c *rudeClient) { c.open().join().say(halfFrame()) }},
	{"before the namespace is joined", func(c *rudeClient) { c.open().say(halfFrame()) }},
	{"attachments that wait for the last", func(c *rudeClient) {
		c.open().join().frame(`452-/chat,["x",{"_placeholder":true,"num":0},{"_placeholder":true,"num":1}]`)
		frame, _ := ws.CompileFrame(ws.MaskFrameInPlace(ws.NewBinaryFrame(make([]byte, bigMessage))))
		c.say(string(frame))
	}},
	{"a queue that nobody reads", func(c *rudeClient) { c.open().join() }},
	{"poll answers that nobody fetches", func(c *rudeClient) { c.joinPolling() }},
	{"half a POST", func(c *rudeClient) {
		c.joinPolling()
		c.dial().say("POST " + c.target("polling") + " HTTP/1.1\r\nHost: x\r\nContent-Length: 900001\r\n\r\n" + strings.Repeat("x", bigMessage))
	}},
	{"messages to all, which recovery keeps", func(c *rudeClient) {
		c.open().join().frame(`42/chat,["msgToServer",{"name":"big","text":"` + strings.Repeat("x", bigMessage) + `"}]`)
	}},
}

// lenient does not mind that a client is refused.
type lenient struct{ testing.TB }

func (lenient) Error(...any) {}

// halfFrame is the beginning of a frame of 1,000,000 bytes.
func halfFrame() string {
	head := append([]byte{0x81, 0xff}, binary.BigEndian.AppendUint64(nil, 1_000_000)...)
	return string(head) + "mask" + strings.Repeat("x", bigMessage)
}

// A server of 300 MiB on which every holder is pulled at once, for several times as much: it stays within
// that, answers all the time, and serves clients afterwards.
func TestMemoryBudget(t *testing.T) {
	if testing.Short() || raceDetector {
		t.Skip("moves a gigabyte and measures memory; run without -short and -race")
	}
	p := startProcess(t, fmt.Sprint("MEMORY_BYTES=", budgetMiB<<20), "RECOVERY_SECONDS=60", fmt.Sprint("RECOVERY_BYTES=", pullersMiB<<20),
		"CHAT_JOIN_NOTICE=false", "METRICS_ADDR=127.0.0.1:0")
	go func() { // the process must not wait for us to read
		for p.log.Scan() {
			continue
		}
	}()
	url := "http://" + p.listening.Addr
	var all sync.WaitGroup
	start := make(chan struct{})
	for _, way := range pulls {
		for range pullersMiB << 20 / bigMessage / 10 {
			all.Go(func() {
				<-start
				for range 10 {
					c := &rudeClient{t: lenient{t}, addr: p.listening.Addr, eio: 4, patience: 3 * time.Second}
					way.pull(c)
					t.Cleanup(c.leave)
				}
			})
		}
	}
	close(start)
	pulled := make(chan struct{})
	go func() { all.Wait(); close(pulled) }()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for done := false; !done; {
		select {
		case <-pulled:
			done = true
		case <-tick.C:
			if status, _ := get(t, url+"/healthz"); status != http.StatusOK {
				t.Fatalf("not alive: %d", status)
			}
		}
	}
	t.Cleanup(func() {
		if t.Failed() {
			_, text := get(t, "http://"+p.listening.Metrics+"/metrics")
			t.Log(regexp.MustCompile(`(?m)^(chat_memory|chat_recovery_bytes|chat_connections|chat_out|go_mem|go_gor).*$`).FindAllString(text, -1))
		}
	})
	eventually(t, "a client gets in and hears itself", func() bool {
		alice := &rudeClient{t: lenient{t}, addr: p.listening.Addr, eio: 4, patience: 3 * time.Second}
		defer alice.leave()
		alice.open().join().frame(`42/chat,["msgToServer","after all that"]`)
		for alice.hear(); len(alice.last) > 0; alice.hear() {
			if strings.Contains(string(alice.last), "after all that") {
				return true
			}
		}
		return false
	})
	_, text := get(t, "http://"+p.listening.Metrics+"/metrics")
	refused, shed := metricSum(text, "chat_memory_refused_total"), metricSum(text, "chat_memory_shed_total")
	peak := peakMiB(t, p.Process.Pid)
	t.Logf("of %d MiB at most %d were resident; %v new sessions were refused, %v things shed", budgetMiB, peak, refused, shed)
	if peak > budgetMiB {
		t.Errorf("%d MiB were resident, more than %d", peak, budgetMiB)
	}
	if refused == 0 || shed == 0 {
		t.Errorf("%v refused, %v shed:\n%s", refused, shed, text)
	}
}

// metricSum adds up all samples of a metric.
func metricSum(text, name string) (sum float64) {
	for _, m := range regexp.MustCompile(`(?m)^`+name+`(?:\{.*\})? (\S+)$`).FindAllStringSubmatch(text, -1) {
		v, _ := strconv.ParseFloat(m[1], 64)
		sum += v
	}
	return sum
}

// peakMiB is the most memory of a process that was resident at a time.
func peakMiB(t testing.TB, pid int) int {
	t.Helper()
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		t.Skip("needs /proc: ", err)
	}
	m := regexp.MustCompile(`VmHWM:\s+(\d+) kB`).FindSubmatch(b)
	kb, _ := strconv.Atoi(string(m[1]))
	return kb >> 10
}
