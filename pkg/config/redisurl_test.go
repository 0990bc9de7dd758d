package config

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"log/slog"
	"math/big"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"
)

func TestRedisURLs(t *testing.T) {
	for _, tt := range []struct {
		url   string
		want  RedisTarget
		shown string
	}{
		{"redis://redis", RedisTarget{Kind: RedisServer, Addrs: []string{"redis:6379"}}, "redis://redis:6379"},
		{"REDIS://redis:7000/", RedisTarget{Kind: RedisServer, Addrs: []string{"redis:7000"}}, "redis://redis:7000"},
		{"redis://:p%40ss@10.0.0.1/15", RedisTarget{Kind: RedisServer, Addrs: []string{"10.0.0.1:6379"}, Password: "p@ss", DB: 15}, "redis://10.0.0.1:6379/15"},
		{"rediss://chat:a:b@c@[::1]:1", RedisTarget{Kind: RedisServer, TLS: true, Addrs: []string{"[::1]:1"}, User: "chat", Password: "a:b@c"}, "rediss://[::1]:1"},
		{"redis://[fe80::1]", RedisTarget{Kind: RedisServer, Addrs: []string{"[fe80::1]:6379"}}, "redis://[fe80::1]:6379"},
		{"unix:///run/redis%20x.sock?db=2", RedisTarget{Kind: RedisServer, Unix: true, Addrs: []string{"/run/redis x.sock"}, DB: 2}, "unix:///run/redis x.sock"},
		{"unix://u:p@/run/r", RedisTarget{Kind: RedisServer, Unix: true, Addrs: []string{"/run/r"}, User: "u", Password: "p"}, "unix:///run/r"},
		{"redis+cluster://a:7000, b:7001,c", RedisTarget{Kind: RedisCluster, Addrs: []string{"a:7000", "b:7001", "c:6379"}}, "redis+cluster://a:7000,b:7001,c:6379"},
		{"rediss+cluster://u:p@a/0", RedisTarget{Kind: RedisCluster, TLS: true, Addrs: []string{"a:6379"}, User: "u", Password: "p"}, "rediss+cluster://a:6379"},
		{"redis+sentinel://u:p@a,b:1/3?master=chat&sentinel_user=s&sentinel_password=q%26",
			RedisTarget{Kind: RedisSentinel, Addrs: []string{"a:26379", "b:1"}, User: "u", Password: "p", DB: 3, Master: "chat", SentinelUser: "s", SentinelPassword: "q&"},
			"redis+sentinel://a:26379,b:1/3?master=chat"},
		{"rediss+sentinel://a?master=m", RedisTarget{Kind: RedisSentinel, TLS: true, Addrs: []string{"a:26379"}, Master: "m"}, "rediss+sentinel://a:26379?master=m"},
	} {
		c, err := Load([]string{"REDIS_URL=" + tt.url}, "")
		if err != nil {
			t.Errorf("%s: %v", tt.url, err)
			continue
		}
		if !c.Redis.Configured() || !reflect.DeepEqual(c.Redis.Target(), tt.want) {
			t.Errorf("%s: got %#v", tt.url, c.Redis.Target())
		}
		if c.Redis.String() != tt.shown {
			t.Errorf("%s is shown as %s", tt.url, c.Redis)
		}
	}
}

// A wrong URL is explained without repeating any of it.
func TestRefusedRedisURLs(t *testing.T) {
	for url, hint := range map[string]string{
		"hunter2:6379":                                    "it begins with a scheme such as redis://",
		"http://hunter2":                                  "the scheme is none of",
		"rediss+unix://hunter2":                           "the scheme is none of",
		"redis://hunter2@host":                            "user:password",
		"redis://hunter2:@host":                           "a user without a password",
		"redis://:hunter2%zz@host":                        "a % that begins no code",
		"redis://:hunter2#@host":                          "a # in it",
		"redis://:hun/ter2@host":                          "address 1 is not host or host:port",
		"redis://:hun?ter2@host":                          "address 1 is not host or host:port",
		"redis://":                                        "address 1 is not host or host:port",
		"redis://hunter2:":                                "address 1 is not host or host:port",
		"redis://hunter2:65536":                           "address 1 is not host or host:port",
		"redis://hunter2:0x1":                             "address 1 is not host or host:port",
		"redis://[::1":                                    "address 1 is not host or host:port",
		"redis+cluster://a,hunter2:x":                     "address 2 is not host or host:port",
		"redis+cluster://hunter2,":                        "address 2 is not host or host:port",
		"redis+cluster://hunter2,hunter2":                 "address 2 is there twice",
		"redis://a,hunter2":                               "several addresses belong to",
		"redis://a/hunter2":                               "the database, after the addresses, is a whole number",
		"redis://a/1/2":                                   "the database, after the addresses, is a whole number",
		"redis://a/99999999999":                           "the database, after the addresses, is a whole number",
		"redis+cluster://hunter2/1":                       "no database but 0",
		"redis://a?hunter2=1":                             "an option that is not known; there are none here, but db for unix",
		"redis+cluster://a?hunter2=1":                     "an option that is not known; there are none here",
		"redis+sentinel://a?master=m&hunter2=1":           "there are master, sentinel_user and sentinel_password",
		"redis+sentinel://hunter2":                        "?master= gives the name",
		"redis+sentinel://a?master=m&master=hunter2":      "option master is there twice",
		"redis+sentinel://a?master=m&sentinel_user=huntr": "a sentinel_user without a sentinel_password",
		"redis://a?%zz=hunter2":                           "not a list of option=value",
		"unix://hunter2/path":                             "three slashes",
		"unix://":                                         "three slashes",
		"unix:///hunter2?db=x":                            "the database",
	} {
		_, err := Load([]string{"REDIS_URL=" + url}, "")
		if err == nil {
			t.Errorf("%s is accepted", url)
			continue
		}
		text := err.Error()
		if !strings.Contains(text, "REDIS_URL=(hidden): must be redis://") || !strings.Contains(text, hint) || strings.Contains(text, "hunt") {
			t.Errorf("%s: %s", url, text)
		}
	}
}

func FuzzRedisURL(f *testing.F) {
	f.Add("redis://u:p@a:1,b/0?master=x")
	f.Add("rediss+sentinel://[::1]:1?master=a&sentinel_user=b&sentinel_password=c")
	f.Fuzz(func(t *testing.T, text string) {
		target, err := parseRedisURL(text)
		if err != nil {
			if !isSafe(err) {
				t.Errorf("%q: the hint may repeat the value: %v", text, err)
			}
			return
		}
		if len(target.Addrs) == 0 || target.Kind == "" {
			t.Errorf("%q: %+v", text, target)
		}
	})
}

// However a Config is printed, passwords are not in it.
func TestRedisPasswordsStayHidden(t *testing.T) {
	c, err := Load([]string{"REDIS_URL=redis+sentinel://chat:hunter2@a?master=m&sentinel_password=hunter3"}, "")
	if err != nil {
		t.Fatal(err)
	}
	var log strings.Builder
	slog.New(slog.NewJSONHandler(&log, nil)).Info("x", "config", c, "redis", c.Redis, "target", *c.Redis.URL, "password", c.Redis.URL.Password)
	text, err := json.Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	all := log.String() + string(text) + fmt.Sprintf("%v %+v %#v %s %q", c.Redis, c, *c.Redis.URL, c.Redis.URL.Password, c.Redis.URL.Password)
	if strings.Contains(all, "hunter") {
		t.Error(all)
	}
	if !strings.Contains(log.String(), "REDIS_URL\":\"(hidden) (environment)") {
		t.Error(log.String())
	}
	if p := c.Redis.URL.Password.Reveal(); p != "hunter2" {
		t.Error(p)
	}
}

func TestRedisRules(t *testing.T) {
	dir := t.TempDir()
	cert, key := selfSigned(t, dir, "a"), filepath.Join(dir, "a.key")
	other := selfSigned(t, dir, "b")
	text := filepath.Join(dir, "text")
	if err := os.WriteFile(text, []byte("hello"), 0o600); err != nil {
		t.Fatal(err)
	}
	for environ, want := range map[string]string{
		"REDIS_URL=redis://a REDIS_HOST=b REDIS_PORT=1":                            "REDIS_URL and REDIS_HOST, REDIS_PORT: both say where Redis is",
		"REDIS_URL=redis://a REDIS_PORT=1":                                         "REDIS_URL and REDIS_HOST, REDIS_PORT: both say where Redis is",
		"REDIS_URL=redis://a REDIS_TLS_CA=" + cert:                                 "have no effect without TLS",
		"REDIS_TLS_CA=" + cert:                                                     "have no effect without TLS",
		"REDIS_URL=rediss://a REDIS_TLS_CA=" + text:                                "there is no certificate in it",
		"REDIS_URL=rediss://a REDIS_TLS_CA=/does/not/exist":                        "no such file",
		"REDIS_URL=rediss://a REDIS_TLS_CERT=" + cert:                              "belong together",
		"REDIS_URL=rediss://a REDIS_TLS_KEY=" + key:                                "belong together",
		"REDIS_URL=rediss://a REDIS_TLS_KEY=/does/not/exist":                       "no such file",
		"REDIS_URL=rediss://a REDIS_TLS_CERT=" + other + " REDIS_TLS_KEY=" + key:   "no certificate and its private key",
		"REDIS_URL=rediss://a REDIS_TLS_CERT=" + cert + " REDIS_TLS_KEY=" + key:    "",
		"REDIS_URL=rediss+cluster://a,b REDIS_TLS_CA=" + cert:                      "",
		"REDIS_HOST=a REDIS_PORT=1":                                                "",
		"REDIS_HOST=a REDIS_PORT=1 REDIS_USERNAME=u":                               "REDIS_PASSWORD is not",
		"REDIS_HOST=a REDIS_PORT=1 REDIS_TLS=true REDIS_TLS_CA=" + cert:            "",
		"REDIS_URL=rediss+sentinel://a?master=x REDIS_TLS_CA=" + cert + " HOST=::": "",
	} {
		c, err := Load(strings.Split(environ, " "), "")
		switch {
		case want == "" && err != nil, want != "" && (err == nil || !strings.Contains(err.Error(), want)):
			t.Errorf("%s: %v", environ, err)
		case want == "" && c.Redis.Target().TLS != (c.Redis.TLS() != nil):
			t.Errorf("%s: TLS is %v", environ, c.Redis.TLS())
		}
	}
	c, err := Load([]string{"REDIS_URL=rediss://a", "REDIS_TLS_CA=" + cert, "REDIS_TLS_CERT=" + cert, "REDIS_TLS_KEY=" + key}, "")
	if err != nil {
		t.Fatal(err)
	}
	settings := c.Redis.TLS()
	pair, err := settings.GetClientCertificate(nil)
	if err != nil || len(pair.Certificate) != 1 || settings.RootCAs == nil || settings.InsecureSkipVerify {
		t.Errorf("%+v, %v", settings, err)
	}
	// Renewed and broken meanwhile: an error, not no certificate.
	if err := os.WriteFile(key, []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := settings.GetClientCertificate(nil); err == nil || errors.Is(err, os.ErrNotExist) {
		t.Errorf("broken key: %v", err)
	}
}

// selfSigned writes name.crt and name.key and returns the path of the first.
func selfSigned(t *testing.T, dir, name string) string {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour)}
	cert, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, name+".crt")
	for file, block := range map[string]*pem.Block{
		path: {Type: "CERTIFICATE", Bytes: cert}, filepath.Join(dir, name+".key"): {Type: "PRIVATE KEY", Bytes: private},
	} {
		if err := os.WriteFile(file, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return path
}

// TestRedisBesideHost: what a Node application's .env has beside host and port counts; beside a URL it is named as ignored.
func TestRedisBesideHost(t *testing.T) {
	beside := []string{"REDIS_USERNAME=chat", "REDIS_PASSWORD=hunter2", "REDIS_DB=3", "REDIS_TLS=true"}
	c, err := Load(append([]string{"REDIS_HOST=redis", "REDIS_PORT=6380"}, beside...), "")
	if err != nil || len(c.Warnings) != 0 {
		t.Fatal(err, c.Warnings)
	}
	want := RedisTarget{Kind: RedisServer, Addrs: []string{"redis:6380"}, TLS: true, User: "chat", Password: "hunter2", DB: 3}
	if got := c.Redis.Target(); !reflect.DeepEqual(got, want) || c.Redis.TLS() == nil {
		t.Errorf("got %#v", got)
	}
	if text := c.Redis.String(); text != "rediss://redis:6380/3" {
		t.Errorf("it is shown as %s", text)
	}
	if text := fmt.Sprintf("%+v %s", c, c.LogValue()); strings.Contains(text, "hunter2") {
		t.Errorf("the password is shown: %s", text)
	}
	for reason, environ := range map[string][]string{"REDIS_URL says all": {"REDIS_URL=redis://redis"}, "there is no REDIS_HOST": nil} {
		c, err := Load(append(environ, beside...), "")
		if err != nil || len(c.Warnings) != len(beside) {
			t.Errorf("%v: %v, warns %q", environ, err, c.Warnings)
		}
		for _, warning := range c.Warnings {
			if !strings.Contains(warning, reason) || strings.Contains(warning, "hunter2") {
				t.Errorf("%v: warns %q", environ, warning)
			}
		}
	}
}
