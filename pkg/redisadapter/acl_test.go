package redisadapter

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	rtypes "github.com/zishang520/socket.io-go-redis/types"
	"github.com/zishang520/socket.io/v2/socket"

	"socketio-chat/pkg/redisadapter/internal/cluster"
)

// leastPrivilege is what a Redis user needs in each mode, for the namespaces / and /chat, as deploy/docs
// lists it: a pattern that is subscribed to has to be allowed by the same words.
var leastPrivilege = map[Mode]string{
	PubSub: "&socket.io#/#* &socket.io#/chat#* &socket.io-request#* &socket.io-response#* &socket.io-peers#* &socket.io-heartbeat#* ~socket.io-session* " +
		"+hello +auth +select +ping +publish +subscribe +unsubscribe +psubscribe +punsubscribe +pubsub|numsub +pubsub|channels +get +set +getdel +del +sadd +srem +smembers +expire",
	Sharded: "&socket.io#* &socket.io-peers#* &socket.io-heartbeat#* ~socket.io-session* " +
		"+hello +auth +select +ping +spublish +ssubscribe +sunsubscribe +pubsub|shardnumsub +get +set +getdel +del +sadd +srem +smembers +expire",
	Streams: "&socket.io#* &socket.io-peers#* &socket.io-heartbeat#* ~socket.io ~socket.io-session* " +
		"+hello +auth +select +ping +publish +subscribe +unsubscribe +pubsub|numsub +xadd +xread +xrange +xinfo|stream +time +multi +exec +get +set +getdel +del +sadd +srem +smembers +expire",
}

// nodesPrivilege is what Node's adapters need, and no more.
var nodesPrivilege = map[Mode]string{
	PubSub: "&socket.io#/#* &socket.io#/chat#* &socket.io-request#/* &socket.io-response#/* " +
		"+hello +auth +select +ping +info +client +publish +subscribe +psubscribe +unsubscribe +punsubscribe +pubsub|numsub",
	Sharded: "&socket.io#* +hello +auth +select +ping +info +client +spublish +ssubscribe +sunsubscribe +pubsub|shardnumsub",
}

// allow makes the user app have rules, and nothing else.
func (r *testRedis) allow(rules string) {
	r.tb.Helper()
	args := []any{"ACL", "SETUSER", "app", "reset", "on", ">secret"}
	for _, rule := range strings.Fields(rules) {
		args = append(args, rule)
	}
	r.do(args...)
}

// asApp makes an instance connect as the user app.
func asApp(tb testing.TB, r *testRedis) func(*Builder) {
	return func(b *Builder) {
		c := redis.NewClient(&redis.Options{
			Network: "unix", Addr: r.path, Username: "app", Password: "secret", DialTimeout: time.Second, ReadTimeout: time.Second, DialerRetries: 1,
		})
		tb.Cleanup(func() { c.Close() })
		b.Redis = rtypes.NewRedisClient(context.Background(), c)
	}
}

// In each mode an instance does all it can with the Redis user that the documentation describes.
func TestRedisUserWithLeastPrivilege(t *testing.T) {
	eachMode(t, func(t *testing.T, mode Mode) {
		r := startRedis(t)
		r.allow(leastPrivilege[mode])
		list := []*instance{newInstance(t, r, "alpha", in(mode), asApp(t, r)), newInstance(t, r, "beta", in(mode), asApp(t, r))}
		for _, i := range list {
			i.joined()
			eventually(t, i.name+" sees both", func() bool { return i.builder.Status().Servers == 2 })
		}
		alpha, beta := list[0], list[1]
		bob := beta.connect("bob")
		beta.socket(bob).Join("blue")
		alpha.chat.Broadcast("all", raw("1"))
		bob.want(`["all",1]`)
		_ = alpha.chat.To("blue").Emit("bin", []byte("x"))
		if got := bob.read(); !strings.Contains(got, `"bin"`) {
			t.Fatalf("got %s", got)
		}
		bob.read()
		found := make(chan error, 1)
		alpha.chat.FetchSockets()(func(list []*socket.RemoteSocket, err error) {
			if len(list) != 1 {
				err = errors.Join(err, errors.New("bob is not found"))
			}
			found <- err
		})
		if err := <-found; err != nil {
			t.Error(err)
		}
		for _, i := range list {
			if s := i.builder.Status(); s.Dropped+s.Unknown+s.Rejected+s.Gaps > 0 {
				t.Errorf("%s: %+v", i.name, s)
			}
		}
	})
}

// Sessions that are left in Redis need no more than that.
func TestRedisUserWithLeastPrivilegeKeepsSessions(t *testing.T) {
	r := startRedis(t)
	r.allow(leastPrivilege[PubSub])
	store := (&Builder{Redis: func() *rtypes.RedisClient { b := &Builder{}; asApp(t, r)(b); return b.Redis }()}).Redis.Client
	ctx := context.Background()
	for _, err := range []error{
		store.Set(ctx, "socket.io-session#/chat#p", "x", time.Minute).Err(), store.Set(ctx, "socket.io-session-log#/chat#l", "x", time.Minute).Err(),
		store.Get(ctx, "socket.io-session-log#/chat#l").Err(), store.GetDel(ctx, "socket.io-session#/chat#p").Err(), store.Del(ctx, "socket.io-session#/chat#p").Err(),
		store.SAdd(ctx, "socket.io-session-last#/chat", "x").Err(), store.Expire(ctx, "socket.io-session-last#/chat", time.Minute).Err(), store.SRem(ctx, "socket.io-session-last#/chat", "y").Err(), store.SMembers(ctx, "socket.io-session-last#/chat").Err(),
	} {
		if err != nil {
			t.Error(err)
		}
	}
}

// Whatever is missing is named. What can be done without does not keep an instance from joining.
func TestMissingPermissionIsNamed(t *testing.T) {
	spared := map[string]bool{ // without these it joins
		"&socket.io-peers#*": true, "&socket.io-heartbeat#*": true, "~socket.io-session*": true, "+hello": true, "+auth": true, "+select": true,
		"+unsubscribe": true, "+punsubscribe": true, "+sunsubscribe": true, "+pubsub|numsub": true, "+pubsub|shardnumsub": true, "+pubsub|channels": true,
		"+get": true, "+set": true, "+getdel": true, "+del": true, "+sadd": true, "+srem": true, "+smembers": true, "+expire": true, "+xrange": true, "+time": true, "+xadd": true, "~socket.io": false,
	}
	names := map[string]string{ // what is said, where it is not the rule itself
		"&socket.io#/chat#*": "channel socket.io#/chat#*", "&socket.io#/#*": "channel socket.io#/#*", "&socket.io#*": "channel socket.io#/",
		"&socket.io-request#*": "channel socket.io-request#/", "&socket.io-response#*": "channel socket.io-response#/", "~socket.io": "key socket.io",
		"+xinfo|stream": "command XINFO",
	}
	eachMode(t, func(t *testing.T, mode Mode) {
		rules := strings.Fields(leastPrivilege[mode])
		for n, rule := range rules {
			t.Run(rule, func(t *testing.T) {
				r := startRedis(t)
				r.allow(strings.Join(slices.Delete(slices.Clone(rules), n, n+1), " "))
				i := newInstance(t, r, "alpha", in(mode), asApp(t, r))
				if spared[rule] {
					i.joined()
					return
				}
				var denied *PermissionError
				eventually(t, "it is named", func() bool { return errors.As(i.builder.Status().LastError, &denied) })
				want, ok := names[rule]
				if !ok {
					want = "command " + strings.ToUpper(strings.TrimPrefix(rule, "+"))
				}
				if !strings.HasPrefix(denied.Missing, want) || i.builder.Status().Joined {
					t.Errorf("%q is missing, want %q", denied.Missing, want)
				}
			})
		}
	})
}

// With what suffices for Node's adapter an instance joins: heartbeats take its response channel, and it
// does without its peers.
func TestRedisUserOfNodesAdapterIsEnough(t *testing.T) {
	for mode, rules := range nodesPrivilege {
		t.Run(string(mode), func(t *testing.T) {
			r := startRedis(t)
			r.allow(rules)
			list := []*instance{newInstance(t, r, "alpha", in(mode), asApp(t, r)), newInstance(t, r, "beta", in(mode), asApp(t, r))}
			for _, i := range list {
				i.joined()
				eventually(t, i.name+" sees both", func() bool { return i.builder.Status().Servers == 2 })
			}
			alpha, beta := list[0], list[1]
			bob := beta.connect("bob")
			beta.socket(bob).Join("blue")
			alpha.chat.Broadcast("all", raw("1"))
			bob.want(`["all",1]`)
			if mode == Sharded { // its room has a channel of its own, which beta subscribes to in its own time
				eventually(t, "beta listens to the room", func() bool {
					list, _ := r.do("PUBSUB", "SHARDNUMSUB", cluster.ChannelsOf("socket.io", "/chat").Specific("blue")).([]any)
					return len(list) == 2 && list[1] == int64(1)
				})
			}
			_ = alpha.chat.To("blue").Emit("bin", []byte("x"))
			bob.read()
			bob.read()
			found := make(chan error, 1)
			alpha.chat.FetchSockets()(func(_ []*socket.RemoteSocket, err error) { found <- err })
			if err := <-found; err != nil {
				t.Error(err)
			}
			if s := beta.builder.Status(); !s.Joined || s.Rejected > 0 || s.Gaps > 0 {
				t.Errorf("%+v", s)
			}
		})
	}
}
