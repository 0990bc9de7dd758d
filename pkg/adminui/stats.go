package adminui

import (
	"context"
	"os"
	"time"

	"socketio-chat/pkg/engineio"
	"socketio-chat/pkg/socketio"
)

const (
	statsEvery  = 2 * time.Second
	sampleEvery = time.Second // the page draws a bar for each
)

// serverStats is the event server_stats.
type serverStats struct {
	ServerID       string           `json:"serverId"`
	Hostname       string           `json:"hostname"`
	PID            int              `json:"pid"`
	Uptime         float64          `json:"uptime"` // seconds
	Clients        int              `json:"clientsCount"`
	PollingClients int              `json:"pollingClientsCount"`
	Aggregated     []aggregated     `json:"aggregatedEvents"`
	Namespaces     []namespaceStats `json:"namespaces"`
}

type namespaceStats struct {
	Name    string `json:"name"`
	Sockets int64  `json:"socketsCount"`
}

// aggregated counts what happened in one second.
type aggregated struct {
	Timestamp int64  `json:"timestamp"` // ms
	Type      string `json:"type"`      // rawConnection, rawDisconnection, packetsIn, packetsOut, bytesIn, bytesOut
	SubType   string `json:"subType,omitempty"`
	Count     uint64 `json:"count"`
}

// stats samples the engine's counters. Owned by its goroutine.
type stats struct {
	u       *UI
	host    string
	started time.Time
	last    map[aggregated]uint64 // by type and subtype
	list    []aggregated          // since the last report
}

func newStats(u *UI, host string) *stats {
	s := &stats{u: u, host: host, started: time.Now(), last: map[aggregated]uint64{}}
	s.sample()
	s.list = nil
	return s
}

// run reports until ctx ends.
func (s *stats) run(ctx context.Context) {
	sample, report := time.NewTicker(sampleEvery), time.NewTicker(statsEvery)
	defer sample.Stop()
	defer report.Stop()
	s.send()
	for {
		select {
		case <-ctx.Done():
			return
		case <-sample.C:
			s.sample()
			s.u.upgrades()
		case <-report.C:
			s.send()
		}
	}
}

// sample notes by how much the counters have grown.
func (s *stats) sample() {
	second := time.Now().Truncate(time.Second).UnixMilli()
	count := func(typ, subType string, total uint64) {
		key := aggregated{Type: typ, SubType: subType}
		if grown := total - s.last[key]; grown > 0 {
			s.list = append(s.list, aggregated{second, typ, subType, grown})
			s.last[key] = total
		}
	}
	engine := s.u.io.Engine()
	e, sent := engine.Stats(), engine.Sent()
	packets, bytes := e.Received()
	count("rawConnection", "", e.Opened())
	for _, reason := range engineio.Reasons() {
		count("rawDisconnection", string(reason), e.Closed(reason))
	}
	count("packetsIn", "", packets)
	count("bytesIn", "", bytes)
	count("packetsOut", "", sent.Frames)
	count("bytesOut", "", sent.Bytes)
}

// send reports. It is not volatile: instances that were started together report at the same moments, and a page that takes the report of the one
// would never hear of the other.
func (s *stats) send() {
	engine := s.u.io.Engine()
	open := engine.Census().Open
	all := serverStats{
		ServerID: s.u.opts.ServerID, Hostname: s.host, PID: os.Getpid(), Uptime: time.Since(s.started).Seconds(),
		Clients: engine.Len(), PollingClients: open[0][0] + open[0][1],
		Aggregated: s.list, Namespaces: []namespaceStats{},
	}
	if all.Aggregated == nil {
		all.Aggregated = []aggregated{}
	}
	for _, n := range s.u.namespaces() {
		all.Namespaces = append(all.Namespaces, namespaceStats{n.Name, int64(n.Connected - n.Disconnected)})
	}
	s.list = nil
	s.u.ns.Broadcast("server_stats", all)
}

// namespaces are those that clients can connect to, as far as they are told apart.
func (u *UI) namespaces() (list []socketio.NamespaceStats) {
	for _, n := range u.io.Stats().Namespaces {
		if n.Name != socketio.Other {
			list = append(list, n)
		}
	}
	return list
}
