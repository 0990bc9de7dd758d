package main

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"socketio-chat/pkg/logs/logtest"
	"socketio-chat/pkg/testenv"
)

// secret is a password that needs encoding in a URL.
const (
	secret        = "hunter2/@:#"
	secretEncoded = "hunter2%2F%40%3A%23"
)

// startRedisServer starts a redis-server on a port of 127.0.0.1, with $PORT, $BUS and $DIR in args
// replaced. Ports that were free may be taken meanwhile, so it tries more than once.
func startRedisServer(t *testing.T, args ...string) (port, dir string) {
	t.Helper()
	testenv.Programs(t, "redis-server")
	dir, err := os.MkdirTemp("", "redis") // t.TempDir makes paths too long for a socket
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	for range 5 {
		var ports [2]string
		for i := range ports {
			l, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			_, ports[i], _ = net.SplitHostPort(l.Addr().String())
			l.Close()
		}
		port = ports[0]
		r := strings.NewReplacer("$PORT", port, "$BUS", ports[1], "$DIR", dir)
		own := make([]string, len(args))
		for i, a := range args {
			own[i] = r.Replace(a)
		}
		server := exec.Command("redis-server", own...)
		server.Dir = dir
		if err := server.Start(); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = server.Process.Kill(); _ = server.Wait() })
		for range 1000 {
			if c, err := net.Dial("tcp", "127.0.0.1:"+port); err == nil {
				c.Close()
				return port, dir
			}
			time.Sleep(5 * time.Millisecond) // there is nothing to wait on but the port itself
		}
	}
	t.Fatal("redis-server does not start")
	return "", ""
}

// certify makes a certificate authority and a certificate for 127.0.0.1 that servers and clients may
// use: ca.crt, tls.crt, tls.key.
func certify(t *testing.T, dir string) {
	t.Helper()
	keys := [2]*ecdsa.PrivateKey{}
	for i := range keys {
		var err error
		if keys[i], err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader); err != nil {
			t.Fatal(err)
		}
	}
	authority := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test authority"}, NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	leaf := &x509.Certificate{
		SerialNumber: big.NewInt(2), NotAfter: time.Now().Add(time.Hour), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}
	ca, err := x509.CreateCertificate(rand.Reader, authority, authority, keys[0].Public(), keys[0])
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.CreateCertificate(rand.Reader, leaf, authority, keys[1].Public(), keys[0])
	if err != nil {
		t.Fatal(err)
	}
	key, err := x509.MarshalPKCS8PrivateKey(keys[1])
	if err != nil {
		t.Fatal(err)
	}
	for name, block := range map[string]*pem.Block{
		"ca.crt": {Type: "CERTIFICATE", Bytes: ca}, "tls.crt": {Type: "CERTIFICATE", Bytes: cert}, "tls.key": {Type: "PRIVATE KEY", Bytes: key},
	} {
		if err := os.WriteFile(filepath.Join(dir, name), pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// chatOver starts two instances with the same settings and lets one client of each chat.
func chatOver(t *testing.T, settings ...string) {
	t.Helper()
	settings = append(settings, "CHAT_JOIN_NOTICE=false")
	var log logtest.Buffer
	t.Cleanup(func() {
		if t.Failed() {
			t.Log(log.String())
		}
	})
	one, two := startLogged(t, &log, settings...), startLogged(t, &log, settings...)
	for _, in := range []*instance{one, two} {
		eventually(t, "instance is ready", func() bool { return in.ready(t) })
	}
	alice, bob := startPolling(t, one), startPolling(t, two)
	for _, p := range []*poller{alice, bob} {
		p.post("40/chat,")
		p.pollUntil("40/chat,{")
	}
	alice.post(`42/chat,["msgToServer","over there"]`)
	bob.pollUntil(`42/chat,["msgToClient","over there"]`)
	if out, err := announceTo(t, settings, "--text", "a word"); err != nil || out != "announced to 2 instances\n" {
		t.Errorf("announced: %q, %v", out, err)
	}
	for _, p := range []*poller{alice, bob} {
		p.pollUntil(`42/chat,["msgToClient",{"name":"admin","text":"a word"}]`)
	}
	if strings.Contains(log.String(), "hunter2") {
		t.Error("the log has the password")
	}
	for p, in := range map[*poller]*instance{alice: one, bob: two} {
		in.stop()
		p.pollUntilLetGo()
		if err := <-in.result; err != nil {
			t.Errorf("ended with %v", err)
		}
	}
}

// Users, passwords, databases, sockets and TLS, on a Redis that lets nobody in otherwise.
func TestRedisURL(t *testing.T) {
	t.Chdir(t.TempDir())
	certs := t.TempDir()
	certify(t, certs)
	file := func(name string) string { return filepath.Join(certs, name) }
	acl := []string{"--save", "", "--bind", "127.0.0.1", "--unixsocket", "$DIR/s",
		"--user", "default", "off", "--user", "chat", "on", ">" + secret, "~*", "&*", "+@all"}
	plain, dir := startRedisServer(t, append(acl, "--port", "$PORT")...)
	safe, _ := startRedisServer(t, append(acl, "--port", "0", "--tls-port", "$PORT", "--tls-auth-clients", "yes",
		"--tls-cert-file", file("tls.crt"), "--tls-key-file", file("tls.key"), "--tls-ca-cert-file", file("ca.crt"))...)
	user := "chat:" + secretEncoded + "@"
	tlsFiles := []string{"REDIS_TLS_CA=" + file("ca.crt"), "REDIS_TLS_CERT=" + file("tls.crt"), "REDIS_TLS_KEY=" + file("tls.key")}

	t.Run("user, password and database", func(t *testing.T) { chatOver(t, "REDIS_URL=redis://"+user+"127.0.0.1:"+plain+"/3") })
	t.Run("socket", func(t *testing.T) { chatOver(t, "REDIS_URL=unix://"+user+dir+"/s?db=2") })
	t.Run("TLS", func(t *testing.T) { chatOver(t, append(tlsFiles, "REDIS_URL=rediss://"+user+"127.0.0.1:"+safe)...) })
	t.Run("TLS and streams", func(t *testing.T) {
		chatOver(t, append(tlsFiles, "REDIS_ADAPTER=streams", "REDIS_URL=rediss://"+user+"127.0.0.1:"+safe+"/1")...)
	})
	for name, refused := range map[string]struct {
		settings []string
		log      string
	}{
		"wrong password":         {[]string{"REDIS_URL=redis://chat:hunter2@127.0.0.1:" + plain}, "WRONGPASS"},
		"no password":            {[]string{"REDIS_URL=redis://127.0.0.1:" + plain}, "NOAUTH"},
		"unknown authority":      {[]string{"REDIS_URL=rediss://" + user + "127.0.0.1:" + safe}, "unknown authority"},
		"no client certificate":  {[]string{"REDIS_URL=rediss://" + user + "127.0.0.1:" + safe, tlsFiles[0]}, "certificate required"},
		"name not in it":         {append(tlsFiles, "REDIS_URL=rediss://"+user+"localhost:"+safe), "certificate"},
		"database out of range":  {[]string{"REDIS_URL=redis://" + user + "127.0.0.1:" + plain + "/999"}, "DB index"},
		"TLS where there's none": {append(tlsFiles, "REDIS_URL=rediss://"+user+"127.0.0.1:"+plain), "tls"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel() // each takes the time that a server waits in vain for its Redis at the end
			var log logtest.Buffer
			in := startLogged(t, &log, refused.settings...)
			eventually(t, "the log says "+refused.log, func() bool { return strings.Contains(log.String(), refused.log) })
			if in.ready(t) || strings.Contains(log.String(), "hunter2") {
				t.Errorf("ready, or a password in the log: %s", log.String())
			}
			in.stop()
			<-in.result
		})
	}
}

// REDIS_URL leads through a Sentinel that has a password of its own, and to a Redis Cluster.
func TestRedisURLOfSeveralServers(t *testing.T) {
	t.Chdir(t.TempDir())
	master, _ := startRedisServer(t, "--port", "$PORT", "--save", "", "--bind", "127.0.0.1", "--requirepass", secret)
	conf := filepath.Join(t.TempDir(), "conf")
	text := fmt.Sprintf("bind 127.0.0.1\nrequirepass %q\nsentinel monitor chat 127.0.0.1 %s 1\nsentinel auth-pass chat %q\n", "sentinel-hunter2", master, secret)
	if err := os.WriteFile(conf, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	sentinel, _ := startRedisServer(t, conf, "--sentinel", "--port", "$PORT")
	t.Run("Sentinel", func(t *testing.T) {
		chatOver(t, "REDIS_URL=redis+sentinel://:"+secretEncoded+"@127.0.0.1:1,127.0.0.1:"+sentinel+"/1?master=chat&sentinel_password=sentinel-hunter2")
	})

	certs := t.TempDir()
	certify(t, certs)
	file := func(name string) string { return filepath.Join(certs, name) }
	node, _ := startRedisServer(t, "--port", "0", "--tls-port", "$PORT", "--cluster-port", "$BUS", "--cluster-enabled", "yes", "--cluster-announce-ip", "127.0.0.1", "--tls-cluster", "yes",
		"--save", "", "--bind", "127.0.0.1", "--requirepass", secret, "--tls-auth-clients", "no",
		"--tls-cert-file", file("tls.crt"), "--tls-key-file", file("tls.key"), "--tls-ca-cert-file", file("ca.crt"))
	c := redis.NewClient(&redis.Options{Addr: "127.0.0.1:" + node, Password: secret, TLSConfig: &tls.Config{InsecureSkipVerify: true}}) //nolint:gosec // to set it up
	defer c.Close()
	if err := c.Do(context.Background(), "CLUSTER", "ADDSLOTSRANGE", 0, 16383).Err(); err != nil {
		t.Fatal(err)
	}
	for _, mode := range []string{"pubsub", "sharded", "streams"} {
		t.Run("Redis Cluster, "+mode, func(t *testing.T) {
			chatOver(t, "REDIS_URL=rediss+cluster://:"+secretEncoded+"@127.0.0.1:"+node+",127.0.0.1:1", "REDIS_TLS_CA="+file("ca.crt"), "REDIS_ADAPTER="+mode)
		})
	}
}
