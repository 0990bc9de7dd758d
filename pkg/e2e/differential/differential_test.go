//go:build unix

package differential

import (
	"flag"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
)

var (
	programs = flag.Int("programs", 150, "how many programs to compare")
	first    = flag.Uint64("seed", 1, "the first program's seed; the others follow")
)

func TestServersAnswerAlike(t *testing.T) {
	if testing.Short() {
		t.Skip("starts three servers")
	}
	addresses := startServers(t)
	known, different := map[string]int{}, 0
	for seed := *first; seed < *first+uint64(*programs) && different < 20; seed++ {
		p := newProgram(seed)
		servers := []string{ours, node4}
		if p.protocol == 3 {
			servers = []string{ours, node2, node4}
		}
		got := playAll(t, addresses, servers, p)
		for again := 0; again < 2 && got != nil && lateFor(got[ours], got[node4]); again++ {
			got = playAll(t, addresses, servers, p)
		}
		if t.Failed() && got == nil {
			return
		}
		if slices.ContainsFunc(servers[1:], func(s string) bool { return slices.Equal(got[ours], got[s]) }) {
			continue
		}
		reason := explain(p, got)
		if reason == "" && p.protocol == 3 && likeNewer(t, addresses, p, got) {
			reason = "where Node's two servers differ in what ends a connection, protocol 3 is answered as by the newer one"
		}
		if reason != "" {
			known[reason]++
			continue
		}
		different++
		t.Errorf("different answers to\n%s%s", p, parting(got, servers))
	}
	for reason, n := range known {
		t.Logf("%d of %d differ: %s", n, *programs, reason)
	}
}

// lateFor says whether ours told the client that its session is unknown, and theirs the end itself: whether a poll is taken
// before a POST that was written behind it and ends the session is chance where several threads serve.
func lateFor(ours, theirs []string) bool {
	n := len(ours) - 1
	return n >= 0 && len(theirs) == n+2 && slices.Equal(ours[:n], theirs[:n]) &&
		strings.Contains(ours[n], ending+"refused: 400") && strings.Contains(ours[n], "Session ID unknown") &&
		strings.HasSuffix(theirs[n], ": 1") && strings.HasSuffix(theirs[n+1], ending+"close packet")
}

// likeNewer says whether ours answers as socket.io 2.4.1 up to a step that, taken alone, it answers as 4.8.4.
func likeNewer(t *testing.T, addresses map[string]string, p program, got map[string][]string) bool {
	t.Helper()
	step := parts(got[ours], got[node2])
	if step < 0 {
		return false
	}
	alone := playAll(t, addresses, []string{ours, node2, node4}, p.alone(step))
	return alone != nil && slices.Equal(alone[ours], alone[node4]) && !slices.Equal(alone[ours], alone[node2])
}

// playAll plays a program on several servers at the same time; nil after a failure.
func playAll(t *testing.T, addresses map[string]string, servers []string, p program) map[string][]string {
	t.Helper()
	transcripts, errs := make([][]string, len(servers)), make([]error, len(servers))
	var all sync.WaitGroup
	for i, s := range servers {
		all.Go(func() { transcripts[i], errs[i] = play(t.Context(), addresses[s], p) })
	}
	all.Wait()
	got := map[string][]string{}
	for i, s := range servers {
		if errs[i] != nil {
			t.Errorf("%s: %v\n%s\n  %s", s, errs[i], p, strings.Join(transcripts[i], "\n  "))
			return nil
		}
		got[s] = transcripts[i]
	}
	return got
}

// parting shows where transcripts part.
func parting(got map[string][]string, servers []string) string {
	same := 0
	for same < len(got[ours]) && !slices.ContainsFunc(servers, func(s string) bool {
		return same >= len(got[s]) || got[s][same] != got[ours][same]
	}) {
		same++
	}
	var b strings.Builder
	for _, s := range servers {
		fmt.Fprintf(&b, "%s, after %d equal lines\n  %.1500s\n", s, same, strings.Join(got[s][same:], "\n  "))
	}
	return b.String()
}
