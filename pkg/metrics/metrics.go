package metrics

import (
	"log/slog"
	"net/http"
	"regexp"
	"runtime"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"socketio-chat/pkg/admission"
	"socketio-chat/pkg/auth"
	"socketio-chat/pkg/chat"
	"socketio-chat/pkg/forward"
	"socketio-chat/pkg/httpserver"
	"socketio-chat/pkg/membudget"
	"socketio-chat/pkg/redisadapter"
	"socketio-chat/pkg/socketio"
)

// Sources are the parts whose numbers are shown. A nil function means that the part is not there,
// and neither are its metrics.
type Sources struct {
	// Server is required.
	Server *socketio.Server
	// Cluster tells how the connection to Redis is doing.
	Cluster func() redisadapter.Status
	// Forward is about requests for sessions of other instances.
	Forward func() forward.Stats
	// Limits is about what connections and handshakes were refused.
	Limits func() admission.Stats
	// HTTP is about connections without a session.
	HTTP func() httpserver.Stats
	// Auth is about tokens.
	Auth func() auth.Stats
	// Chat is about messages that were not taken as they came.
	Chat func() chat.Stats
	// Memory is about the memory of the process.
	Memory func() membudget.Stats
	// Draining tells whether the instance is shutting down.
	Draining func() bool
	// Version is the program's, as people write it.
	Version string
	// Logger gets what goes wrong in a scrape. Nil: nothing is logged.
	Logger *slog.Logger
}

// Metrics is an http.Handler that answers scrapes.
type Metrics struct{ handler http.Handler }

// scrapes is how many may run at a time; one too many is answered 503.
const scrapes = 2

// New returns the metrics of the sources, which must not be changed any more.
func New(s Sources) *Metrics {
	registry := prometheus.NewRegistry()
	registry.MustRegister(
		collector{s},
		// How long goroutines wait for a processor is what everybody's latency is made of.
		collectors.NewGoCollector(collectors.WithGoCollectorRuntimeMetrics(
			collectors.GoRuntimeMetricsRule{Matcher: regexp.MustCompile(`^/sched/latencies:seconds$`)})),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
	)
	options := promhttp.HandlerOpts{MaxRequestsInFlight: scrapes, ErrorHandling: promhttp.ContinueOnError}
	if s.Logger != nil {
		options.ErrorLog = slog.NewLogLogger(s.Logger.Handler(), slog.LevelWarn)
	}
	return &Metrics{promhttp.HandlerFor(registry, options)}
}

// ServeHTTP answers a scrape.
func (m *Metrics) ServeHTTP(w http.ResponseWriter, r *http.Request) { m.handler.ServeHTTP(w, r) }

// collector reads the sources.
type collector struct{ Sources }

// Describe sends nothing: which series there are is known when they are collected.
func (collector) Describe(chan<- *prometheus.Desc) {}

// Collect sends everything.
func (c collector) Collect(ch chan<- prometheus.Metric) {
	to := sink{ch}
	to.send(buildInfo, 1, c.Version, runtime.Version())
	if c.Draining != nil {
		to.send(draining, boolean(c.Draining()))
	}
	to.socketIO(c.Server.Stats())
	to.engine(c.Server.Engine())
	to.socketLimits(c.Server)
	if r := c.Server.RecoveryStats(); r.Enabled {
		to.recovery(r)
	}
	if c.Cluster != nil {
		to.cluster(c.Cluster())
	}
	if c.Forward != nil {
		to.forward(c.Forward())
	}
	if c.HTTP != nil {
		h := c.HTTP()
		to.count(limited, h.ClosedIdle, "idle connections")
		to.count(limited, h.ClosedSlow, "slow answers")
		to.count(limited, h.Refused, "descriptors")
		to.count(limited, h.RefusedPages, "pages")
	}
	if c.Limits != nil {
		to.limits(c.Limits())
	}
	if c.Auth != nil {
		to.auth(c.Auth())
	}
	if c.Chat != nil {
		to.chat(c.Chat())
	}
	if c.Memory != nil {
		to.memory(c.Memory())
	}
}

func boolean(b bool) float64 {
	if b {
		return 1
	}
	return 0
}
