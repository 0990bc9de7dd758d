package history

import (
	"context"
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
)

var aclLine = regexp.MustCompile(`(?m)^ *ACL SETUSER chat .*$`)

// All of it works for the Redis users that deploy/docs/redis.md tells operators to make, one for each mode.
func TestRedisUserOfLeastPrivilege(t *testing.T) {
	page, err := os.ReadFile("../../../deploy/docs/redis.md")
	if err != nil {
		t.Fatal(err)
	}
	lines := aclLine.FindAllString(string(page), -1)
	if len(lines) != 3 {
		t.Fatalf("the page has %d ACL lines, want one for each mode", len(lines))
	}
	for n, line := range lines {
		t.Run(fmt.Sprint("line ", n+1), func(t *testing.T) {
			t.Parallel() // each waits until it is the recorder
			runAs(t, line)
		})
	}
}

// runAs does all that a store does as the user that a command makes.
func runAs(t *testing.T, command string) {
	t.Helper()
	r := startRedis(t)
	ctx := context.Background()
	args := []any{}
	for _, word := range strings.Fields(command) {
		args = append(args, word)
	}
	if err := r.client().Do(ctx, args...).Err(); err != nil {
		t.Fatal(err)
	}
	client := redis.NewClient(&redis.Options{Network: "unix", Addr: r.path, Username: "chat", Password: "PASSWORD", MaxRetries: -1})
	defer client.Close()
	s := NewRedis(RedisOptions{Client: client, Limits: Limits{Count: 2, Bytes: 2000, Age: time.Hour}})
	for n := range 20 {
		say(t, s, fmt.Sprint("room", n%7), strings.Repeat("1", 10*n+1))
		say(t, s, "", "1")
	}
	page(t, s, Query{Limit: 1})
	page(t, s, Query{Room: "room1", Limit: 1, After: ID{1, 1}})
	if c, err := s.Claim(ctx, "m"); c.Wait || err != nil {
		t.Error(c, err)
	}
	eventually(t, "it is the recorder", s.rec.leads)
	if err := s.Close(ctx); err != nil {
		t.Error(err)
	}
	if refused, err := r.client().Do(ctx, "ACL", "LOG").Slice(); err != nil || len(refused) > 0 {
		t.Errorf("Redis refused %v, %v", refused, err)
	}
}
