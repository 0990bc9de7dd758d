package metrics

import (
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"socketio-chat/pkg/admission"
	"socketio-chat/pkg/auth"
	"socketio-chat/pkg/chat"
	"socketio-chat/pkg/forward"
	"socketio-chat/pkg/histogram"
	"socketio-chat/pkg/membudget"
	"socketio-chat/pkg/redisadapter"
	"socketio-chat/pkg/socketio"
)

// limiting exceeds what a connection may do.
func limiting(t *testing.T) *scene {
	s := newScene(t, func(o *socketio.Options) {
		o.Engine.MaxPayload, o.Engine.ControlFrames = 10_000, 1
		o.Limits = socketio.Limits{Attachments: 2, Namespaces: 1, Rooms: 1, MessagesPerSecond: 100, MessageBurst: 10}
	})
	s.io.Of("/more")
	s.alice = s.dial(4, "/chat")
	s.causes("a client wants more than it may have", func() {
		s.alice.send("40/more,")
		s.alice.until("44/more,")
		for i := range 20 {
			s.alice.send(fmt.Sprintf(`42/chat,["enter","room %d"]`, i%2))
		}
		s.alice.send(`453-/chat,["say",1]`)
		s.alice.untilClosed()
		bob := s.poll(4, "/chat")
		answer, err := http.Post(s.http.URL+bob.path, "text/plain", strings.NewReader(strings.Repeat("4", 10_001)))
		if err != nil {
			t.Fatal(err)
		}
		answer.Body.Close()
		carol := s.dial(4, "/chat")
		for range 12 {
			carol.send("3")
		}
		carol.untilClosed()
	}, map[string]float64{
		`chat_limited_total{limit="namespaces"}`:     1,
		`chat_limited_total{limit="attachments"}`:    1,
		`chat_limited_total{limit="payload"}`:        1,
		`chat_limited_total{limit="control frames"}`: 1,
		`chat_slowed_messages_total`:                 1,
		`chat_slowed_seconds_total`:                  0.001,
	})
	if s.scrape()[`chat_limited_total{limit="rooms"}`] == 0 {
		t.Error("a room too many is not counted")
	}
	return s
}

// recovering loses connections and comes back.
func recovering(t *testing.T) *scene {
	s := newScene(t, func(o *socketio.Options) { o.Recovery = socketio.Recovery{For: time.Minute} })
	c := s.dialURL("EIO=4&transport=websocket")
	c.until(`0{"sid"`)
	c.send("40/chat,")
	pid := regexp.MustCompile(`"pid":"([^"]+)"`).FindStringSubmatch(c.until("40/chat,"))
	if pid == nil {
		t.Fatal("no pid")
	}
	say := func() { s.chat.Broadcast("said", socketio.Payload{JSON: []byte(`"x"`)}) }
	say()
	offset := regexp.MustCompile(`"x","([^"]+)"`).FindStringSubmatch(c.until(`"said"`))
	if offset == nil {
		t.Fatal("no offset")
	}
	s.causes("a connection breaks, and things are said", func() {
		c.conn.Close()
		s.eventually("it is noticed", func() bool { return s.io.RecoveryStats().Sessions == 1 })
		say()
	}, map[string]float64{
		`chat_recovery_parked_total`: 1, `chat_recovery_sessions`: 1, `chat_recovery_packets`: 1, `chat_recovery_bytes`: 1,
	})
	s.causes("it comes back, and somebody that never was", func() {
		for _, pid := range []string{pid[1], "nobody"} {
			back := s.dialURL("EIO=4&transport=websocket")
			back.until(`0{"sid"`)
			back.send(`40/chat,{"pid":"` + pid + `","offset":"` + offset[1] + `"}`)
			back.until("40/chat,")
		}
	}, map[string]float64{
		`chat_recovery_recovered_total{from="here"}`: 1, `chat_recovery_replayed_total`: 1, `chat_recovery_sessions`: -1,
	})
	refused := 0.0
	for name, v := range s.scrape() {
		if strings.HasPrefix(name, "chat_recovery_refused_total{") {
			refused += v
		}
	}
	s.seen["chat_recovery_refused_total"] = refused == 1
	for _, name := range []string{"handed_over", "stored"} { // takes several instances: socketio and redisadapter test it
		_, s.seen["chat_recovery_"+name+"_total"] = s.scrape()["chat_recovery_"+name+"_total"]
	}
	return s
}

// otherParts sets what parts count that have their own tests of how it comes about.
func otherParts(t *testing.T) *scene {
	s := newScene(t)
	s.causes("Redis does this and that", func() {
		var h histogram.Histogram
		h.Observe(3 * time.Millisecond)
		s.cluster = redisadapter.Status{
			Joined: true, Servers: 3, Queued: 4, QueuedLen: 5, Published: 6, Received: 7, Dropped: 8, Unknown: 9,
			Rejected: 10, Gaps: 11, Overruns: 12, Missed: 13, Lags: h.Snapshot(),
		}
	}, map[string]float64{
		`chat_redis_joined`: 1, `chat_cluster_instances`: 3, `chat_redis_queued_messages`: 4, `chat_redis_queued_bytes`: 5,
		`chat_redis_published_total`: 6, `chat_redis_received_total`: 7, `chat_redis_publish_errors_total{reason="dropped"}`: 8,
		`chat_redis_publish_errors_total{reason="unknown"}`: 9, `chat_redis_rejected_total`: 10, `chat_redis_gaps_total`: 11,
		`chat_redis_overruns_total`: 12, `chat_redis_missed_total`: 13, `chat_redis_lag_seconds_count`: 1, `chat_redis_lag_seconds_sum`: 0.003,
		`chat_redis_lag_seconds_bucket{le="0.0025"}`: 0, `chat_redis_lag_seconds_bucket{le="0.005"}`: 1,
	})
	s.causes("requests are forwarded", func() {
		s.forward = forward.Stats{
			Polls: 1, Posts: 2, Upgrades: 3, Refused: 4, Served: 5, UnknownOwner: 6, Unreachable: 7, Denied: 8, Broken: 9,
			Canceled: 10, Intruders: 11, Tunnels: 12, Peers: 13, Registered: true,
		}
	}, map[string]float64{
		`chat_forwarded_total{kind="poll"}`: 1, `chat_forwarded_total{kind="post"}`: 2, `chat_forwarded_total{kind="upgrade"}`: 3,
		`chat_forwarded_total{kind="refused upgrade"}`: 4, `chat_forward_served_total`: 5,
		`chat_forward_failures_total{reason="unknown owner"}`: 6, `chat_forward_failures_total{reason="unreachable"}`: 7,
		`chat_forward_failures_total{reason="denied"}`: 8, `chat_forward_failures_total{reason="broken"}`: 9,
		`chat_forward_failures_total{reason="canceled"}`: 10, `chat_forward_intruders_total`: 11,
		`chat_forward_tunnels`: 12, `chat_forward_peers`: 13, `chat_forward_registered`: 1,
	})
	s.causes("too many come", func() {
		s.limits = admission.Stats{
			Addresses: 1, RefusedConnections: 2, RefusedConnectionsAddress: 3, RefusedHandshakes: 4,
			RefusedHandshakesAddress: 5, ForwardedFromUntrustedPeers: 6,
		}
	}, map[string]float64{
		`chat_addresses`: 1, `chat_limited_total{limit="connections"}`: 2, `chat_limited_total{limit="connections of an address"}`: 3,
		`chat_limited_total{limit="handshakes"}`: 4, `chat_limited_total{limit="handshakes of an address"}`: 5,
		`chat_untrusted_proxy_headers_total`: 6,
	})
	s.causes("tokens are good and bad", func() {
		s.auth = auth.Stats{
			Accepted: 1, RefusedMissing: 2, RefusedMalformed: 3, RefusedSignature: 4, RefusedExpired: 5, RefusedClaims: 6,
			RefusedNoKeys: 7, Expired: 8, KeyReads: 9, KeyReadFailures: 10, Keys: 11, Renewed: 12, Revoked: 13,
		}
	}, map[string]float64{
		`chat_auth_accepted_total`: 1, `chat_auth_refused_total{reason="missing"}`: 2, `chat_auth_refused_total{reason="malformed"}`: 3,
		`chat_auth_refused_total{reason="signature"}`: 4, `chat_auth_refused_total{reason="expired"}`: 5,
		`chat_auth_refused_total{reason="claims"}`: 6, `chat_auth_refused_total{reason="no keys"}`: 7, `chat_auth_expired_total`: 8,
		`chat_auth_key_reads_total`: 9, `chat_auth_key_read_failures_total`: 10, `chat_auth_keys`: 11,
		`chat_auth_renewed_total`: 12, `chat_auth_revoked_total`: 13,
	})
	s.causes("memory is short", func() {
		s.memory = membudget.Stats{Limit: 1000, Used: 900, Refused: 2, Shed: map[string]uint64{"connections": 3}, ShedBytes: 400}
	}, map[string]float64{
		`chat_memory_limit_bytes`: 1000, `chat_memory_used_bytes`: 900, `chat_memory_refused_total`: 2,
		`chat_memory_shed_total{what="connections"}`: 3, `chat_memory_shed_bytes_total`: 400,
	})
	s.causes("messages are not as they should be", func() {
		s.messages = chat.Stats{RefusedInvalid: 1, RefusedUnnamed: 2, NamesReplaced: 3}
	}, map[string]float64{
		`chat_messages_refused_total{reason="invalid"}`: 1, `chat_messages_refused_total{reason="unnamed"}`: 2, `chat_names_replaced_total`: 3,
	})
	return s
}
