package helm

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	monitoring "github.com/prometheus-operator/prometheus-operator/pkg/apis/monitoring/v1"
	"helm.sh/helm/v4/pkg/chart/common"
	"helm.sh/helm/v4/pkg/chart/common/util"
	"helm.sh/helm/v4/pkg/chart/v2/loader"
	"helm.sh/helm/v4/pkg/engine"
	apps "k8s.io/api/apps/v1"
	autoscaling "k8s.io/api/autoscaling/v2"
	core "k8s.io/api/core/v1"
	networking "k8s.io/api/networking/v1"
	policy "k8s.io/api/policy/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	"sigs.k8s.io/yaml"
)

// installation is what the chart makes, by kind.
type installation struct {
	deployment *apps.Deployment
	services   map[string]*core.Service
	secret     *core.Secret
	budget     *policy.PodDisruptionBudget
	autoscaler *autoscaling.HorizontalPodAutoscaler
	monitor    *monitoring.ServiceMonitor
	network    *networking.NetworkPolicy
	ingress    *networking.Ingress
}

// render installs the chart as release "talk" with values in the form of `--values`.
func render(t testing.TB, values string) (installation, error) {
	t.Helper()
	chart, err := loader.Load("socketio-chat")
	if err != nil {
		t.Fatal(err)
	}
	given := map[string]any{}
	if err := yaml.UnmarshalStrict([]byte(values), &given); err != nil {
		t.Fatalf("the test's own values: %v", err)
	}
	release := common.ReleaseOptions{Name: "talk", Namespace: "here", Revision: 1, IsInstall: true}
	merged, err := util.ToRenderValues(chart, given, release, common.DefaultCapabilities)
	if err != nil {
		return installation{}, err
	}
	files, err := engine.Render(chart, merged)
	if err != nil {
		return installation{}, err
	}
	made := installation{services: map[string]*core.Service{}}
	for _, name := range slices.Sorted(maps.Keys(files)) {
		if filepath.Ext(name) != ".yaml" {
			continue
		}
		for _, document := range strings.Split(files[name], "\n---\n") {
			if strings.TrimSpace(document) != "" {
				made.add(t, name, document)
			}
		}
	}
	return made, nil
}

// add decodes one document; a member that Kubernetes does not know is an error.
func (in *installation) add(t testing.TB, file, document string) {
	t.Helper()
	var head struct{ Kind string }
	if err := yaml.Unmarshal([]byte(document), &head); err != nil {
		t.Fatalf("%s: %v\n%s", file, err, document)
	}
	decode := func(into any) {
		if err := yaml.UnmarshalStrict([]byte(document), into); err != nil {
			t.Fatalf("%s: %v\n%s", file, err, document)
		}
	}
	switch head.Kind {
	case "Deployment":
		in.deployment = &apps.Deployment{}
		decode(in.deployment)
	case "Service":
		service := &core.Service{}
		decode(service)
		in.services[service.Name] = service
	case "Secret":
		in.secret = &core.Secret{}
		decode(in.secret)
	case "PodDisruptionBudget":
		in.budget = &policy.PodDisruptionBudget{}
		decode(in.budget)
	case "HorizontalPodAutoscaler":
		in.autoscaler = &autoscaling.HorizontalPodAutoscaler{}
		decode(in.autoscaler)
	case "ServiceMonitor":
		in.monitor = &monitoring.ServiceMonitor{}
		decode(in.monitor)
	case "NetworkPolicy":
		in.network = &networking.NetworkPolicy{}
		decode(in.network)
	case "Ingress":
		in.ingress = &networking.Ingress{}
		decode(in.ingress)
	default:
		t.Fatalf("%s: unexpected kind %q", file, head.Kind)
	}
}

func mustRender(t testing.TB, values string) installation {
	t.Helper()
	in, err := render(t, values)
	if err != nil {
		t.Fatal(err)
	}
	return in
}

const everything = `
redis: {url: "rediss://chat:secret@redis.example:6380/2", adapter: streams}
jwt: {enabled: true, secret: "a secret of 32 bytes and a little more"}
autoscaling: {enabled: true, memory: 80}
serviceMonitor: {enabled: true, labels: {release: prometheus}}
ingress: {enabled: true, className: nginx, tlsSecret: chat-tls}
networkPolicy:
  redisPort: 6380
  redis: [{ipBlock: {cidr: 10.1.0.0/16}}]
  clients: [{namespaceSelector: {matchLabels: {name: ingress}}}]
  extraEgress: [{ports: [{port: 443}]}]
env: {RECOVERY_SECONDS: 60, CORS_ORIGINS: "https://chat.example"}
envFrom: [{secretRef: {name: chat-admin}}]
podLabels: {team: chat}
podAnnotations: {note: "1"}
nodeSelector: {disk: ssd}
tolerations: [{key: chat, operator: Exists}]
imagePullSecrets: [{name: registry}]
service: {annotations: {a: b}}
`

func TestDefaultsOnOneRedis(t *testing.T) {
	in := mustRender(t, `{redis: {url: "redis://redis:6379"}}`)
	spec := in.deployment.Spec
	if spec.Replicas == nil || *spec.Replicas != 3 {
		t.Errorf("replicas: %v", spec.Replicas)
	}
	if in.autoscaler != nil || in.monitor != nil || in.ingress != nil {
		t.Error("made something nobody asked for")
	}
	if in.budget == nil || in.network == nil {
		t.Error("no PodDisruptionBudget or no NetworkPolicy")
	}
	if got := in.secret.StringData; !maps.Equal(got, map[string]string{"REDIS_URL": "redis://redis:6379"}) {
		t.Errorf("secret holds %v", slices.Sorted(maps.Keys(got)))
	}
}

func TestEverythingOn(t *testing.T) {
	in := mustRender(t, everything)
	if in.deployment.Spec.Replicas != nil {
		t.Error("the Deployment fights the autoscaler over the number of replicas")
	}
	if got := in.autoscaler.Spec; got.ScaleTargetRef.Name != in.deployment.Name || len(got.Metrics) != 2 {
		t.Errorf("autoscaler: %+v", got)
	}
	if got := in.ingress.Spec.Rules[0].HTTP.Paths[0].Backend.Service.Name; in.services[got] == nil {
		t.Errorf("the ingress leads to %s", got)
	}
	pod := in.deployment.Spec.Template
	if from := pod.Spec.Containers[0].EnvFrom; len(from) != 1 || from[0].SecretRef.Name != "chat-admin" {
		t.Errorf("more settings come from %v", from)
	}
	if pod.Labels["team"] != "chat" || pod.Annotations["note"] != "1" || pod.Spec.NodeSelector["disk"] != "ssd" {
		t.Errorf("labels %v, annotations %v, nodes %v", pod.Labels, pod.Annotations, pod.Spec.NodeSelector)
	}
}

// Nothing an attacker can use is in reach of a process that was broken into.
func TestPodIsConfined(t *testing.T) {
	pod := mustRender(t, everything).deployment.Spec.Template.Spec
	c := pod.Containers[0].SecurityContext
	switch {
	case !*pod.SecurityContext.RunAsNonRoot, *pod.SecurityContext.RunAsUser == 0,
		pod.SecurityContext.SeccompProfile.Type != core.SeccompProfileTypeRuntimeDefault:
		t.Errorf("pod: %+v", pod.SecurityContext)
	case !*c.ReadOnlyRootFilesystem, *c.AllowPrivilegeEscalation, !slices.Equal(c.Capabilities.Drop, []core.Capability{"ALL"}):
		t.Errorf("container: %+v", c)
	case *pod.AutomountServiceAccountToken:
		t.Error("the pod has a token for the Kubernetes API")
	}
}

// A profile that lies on the nodes can be named, such as the one that lets io_uring be used.
func TestSeccompProfileOfTheNode(t *testing.T) {
	in := mustRender(t, `{replicas: 1, seccompProfile: {type: Localhost, localhostProfile: profiles/io-uring.json}}`)
	p := in.deployment.Spec.Template.Spec.SecurityContext.SeccompProfile
	if p.Type != core.SeccompProfileTypeLocalhost || p.LocalhostProfile == nil || *p.LocalhostProfile != "profiles/io-uring.json" {
		t.Errorf("%+v", p)
	}
}

// The grace period covers the preStop hook, the drain and a margin, whatever they are.
func TestGracePeriodFitsTheDrain(t *testing.T) {
	for values, want := range map[string]int64{
		`{replicas: 1}`: 40,
		`{replicas: 1, drain: {preStopSeconds: 20, seconds: 100}}`: 130,
		`{replicas: 1, drain: {preStopSeconds: 0, seconds: 0}}`:    10,
	} {
		in := mustRender(t, values)
		pod := in.deployment.Spec.Template.Spec
		if got := *pod.TerminationGracePeriodSeconds; got != want {
			t.Errorf("%s: %d s, want %d", values, got, want)
		}
		var hook, drain int64
		if l := pod.Containers[0].Lifecycle; l != nil {
			hook = l.PreStop.Sleep.Seconds
		}
		if _, err := fmt.Sscan(environment(in)["DRAIN_SECONDS"], &drain); err != nil {
			t.Fatal(err)
		}
		if hook+drain+5 > want {
			t.Errorf("%s: hook %d s and drain %d s leave no margin in %d s", values, hook, drain, want)
		}
	}
}

// Probes, services, policies and the monitor name ports and labels that exist.
func TestPartsFitTogether(t *testing.T) {
	in := mustRender(t, everything)
	pod := in.deployment.Spec.Template
	ports := map[string]int32{}
	for _, p := range pod.Spec.Containers[0].Ports {
		ports[p.Name] = p.ContainerPort
	}
	known := func(where string, port intstr.IntOrString) {
		if port.Type == intstr.String && ports[port.StrVal] == 0 {
			t.Errorf("%s: there is no port %q", where, port.StrVal)
		}
	}
	selects := func(where string, labels, object map[string]string) {
		if len(labels) == 0 {
			t.Errorf("%s selects everything", where)
		}
		for k, v := range labels {
			if object[k] != v {
				t.Errorf("%s selects %s=%s, which is not there", where, k, v)
			}
		}
	}
	c := pod.Spec.Containers[0]
	known("liveness", c.LivenessProbe.HTTPGet.Port)
	known("readiness", c.ReadinessProbe.HTTPGet.Port)
	if c.LivenessProbe.HTTPGet.Path != "/healthz" || c.ReadinessProbe.HTTPGet.Path != "/readyz" {
		t.Error("the probes ask at the wrong place")
	}
	selects("deployment", in.deployment.Spec.Selector.MatchLabels, pod.Labels)
	selects("budget", in.budget.Spec.Selector.MatchLabels, pod.Labels)
	selects("network policy", in.network.Spec.PodSelector.MatchLabels, pod.Labels)
	for name, service := range in.services {
		selects(name, service.Spec.Selector, pod.Labels)
		for _, p := range service.Spec.Ports {
			known(name, p.TargetPort)
		}
	}
	for _, rule := range in.network.Spec.Ingress {
		for _, p := range rule.Ports {
			known("network policy", *p.Port)
		}
	}
	watched := 0
	for _, service := range in.services {
		matches := true
		for k, v := range in.monitor.Spec.Selector.MatchLabels {
			matches = matches && service.Labels[k] == v
		}
		if matches && service.Spec.Ports[0].Name == in.monitor.Spec.Endpoints[0].Port {
			watched++
		}
	}
	if watched != 1 {
		t.Errorf("the monitor finds %d services, want the one with the metrics", watched)
	}
}

// Keys and passwords come from Secrets and stand nowhere else.
func TestSecretsStayInTheSecret(t *testing.T) {
	for name, in := range map[string]installation{
		"made here":      mustRender(t, everything),
		"made elsewhere": mustRender(t, `{redis: {existingSecret: r}, jwt: {enabled: true, existingSecret: j}}`),
	} {
		text, err := yaml.Marshal(in.deployment)
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(text), "secret of 32 bytes") || strings.Contains(string(text), "rediss://") {
			t.Errorf("%s: the Deployment holds a secret", name)
		}
		from := map[string]string{}
		for _, e := range in.deployment.Spec.Template.Spec.Containers[0].Env {
			if e.ValueFrom != nil && e.ValueFrom.SecretKeyRef != nil {
				from[e.Name] = e.ValueFrom.SecretKeyRef.Name
			}
		}
		want := map[string]string{"REDIS_URL": "talk-socketio-chat", "AUTH_JWT_SECRET": "talk-socketio-chat"}
		if name == "made elsewhere" {
			want = map[string]string{"REDIS_URL": "r", "AUTH_JWT_SECRET": "j"}
			if in.secret != nil {
				t.Error("made a Secret beside those that exist")
			}
		}
		if !maps.Equal(from, want) {
			t.Errorf("%s: %v, want %v", name, from, want)
		}
	}
}

func TestWrongValuesAreRefused(t *testing.T) {
	for values, want := range map[string]string{
		`{}`: "needs redis.url",
		`{replicas: 1, autoscaling: {enabled: true}}`:       "needs redis.url",
		`{replicas: 1, jwt: {enabled: true}}`:               "needs jwt.secret",
		`{replica: 1}`:                                      "replica",
		`{replicas: 1, redis: {adapter: carrier-pigeon}}`:   "adapter",
		`{replicas: 1, env: {DRAIN_SECONDS: "5"}}`:          "DRAIN_SECONDS",
		`{replicas: 1, env: {drain_seconds: "5"}}`:          "drain_seconds",
		`{replicas: 1, seccompProfile: {type: Unconfined}}`: "seccompProfile",
		`{replicas: 1, seccompProfile: {type: Localhost}}`:  "localhostProfile",
	} {
		if _, err := render(t, values); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want something about %q", values, err, want)
		}
	}
}

// The server itself accepts the environment that the chart gives it.
func TestServerAcceptsItsSettings(t *testing.T) {
	server := filepath.Join(t.TempDir(), "chat-server")
	if out, err := exec.Command("go", "build", "-C", "../..", "-o", server, "./cmd/chat-server").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	help, err := exec.Command(server, "--help").Output()
	if err != nil {
		t.Fatal(err)
	}
	for name := range environment(mustRender(t, everything)) {
		listed := regexp.MustCompile(`(?m)^  ` + name + `(=|$)`).Match(help) // with its default, if it has one
		if !listed && name != "GOMEMLIMIT" {
			t.Errorf("the server has no setting %s", name)
		}
	}
	for _, values := range []string{`{replicas: 1}`, `{redis: {url: "redis://redis:6379"}}`, everything} {
		// The check of health reads the settings first: 2 says that they are wrong, 1
		// that no server runs here, which is so.
		check := exec.Command(server, "healthcheck")
		check.Dir = t.TempDir()
		check.Env = []string{"PATH=" + os.Getenv("PATH")}
		for name, value := range environment(mustRender(t, values)) {
			check.Env = append(check.Env, name+"="+value)
		}
		out, err := check.CombinedOutput()
		var exit *exec.ExitError
		if !errors.As(err, &exit) || exit.ExitCode() != 1 {
			t.Errorf("%s: %v\n%s", values, err, out)
		}
	}
}

// environment is what the container finds in its variables.
func environment(in installation) map[string]string {
	all := map[string]string{}
	for _, e := range in.deployment.Spec.Template.Spec.Containers[0].Env {
		switch from := e.ValueFrom; {
		case from == nil:
			all[e.Name] = e.Value
		case from.SecretKeyRef != nil && in.secret != nil:
			all[e.Name] = in.secret.StringData[from.SecretKeyRef.Key]
		case from.FieldRef != nil:
			all[e.Name] = "10.2.3.4"
		case from.ResourceFieldRef != nil:
			all[e.Name] = "536870912"
		}
	}
	return all
}
