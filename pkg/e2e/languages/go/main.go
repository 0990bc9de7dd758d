// Command go is a chatter on the Go client of socket.io v3, for the end-to-end tests; see ../doc.go.
package main

import (
	"bufio"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"sync"
	"time"

	"github.com/zishang520/socket.io/clients/engine/v3/transports"
	"github.com/zishang520/socket.io/clients/socket/v3"
	"github.com/zishang520/socket.io/v3/pkg/types"
)

func main() {
	if len(os.Args) != 3 {
		fmt.Fprintln(os.Stderr, "usage: go URL polling|websocket|default")
		os.Exit(2)
	}
	if err := run(os.Args[1], os.Args[2]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(url, transport string) error {
	opts := socket.DefaultOptions()
	// An attempt that is refused ends with this timeout only in v3.0.6: 20 s unless something else is set.
	opts.SetTimeout(2 * time.Second)
	opts.SetReconnectionDelay(300)
	opts.SetReconnectionDelayMax(1000)
	switch transport {
	case "polling":
		opts.SetTransports(types.NewSet(transports.Polling))
	case "websocket":
		opts.SetTransports(types.NewSet(transports.WebSocket))
	}
	client, err := socket.Connect(url+"/chat", opts)
	if err != nil {
		return fmt.Errorf("connect to %s: %w", url, err)
	}
	client.On("connect", func(...any) { tell("connect", client.Id()) })
	client.On("disconnect", func(reason ...any) { tell("disconnect", reason[0]) })
	client.On("msgToClient", func(args ...any) { tell("heard", args[0]) })

	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var payload any
		if err := json.Unmarshal(lines.Bytes(), &payload); err != nil {
			return fmt.Errorf("read %q: %w", lines.Text(), err)
		}
		if err := client.Emit("msgToServer", toBytes(payload)); err != nil {
			return fmt.Errorf("emit: %w", err)
		}
	}
	client.Disconnect()
	return lines.Err()
}

var mu sync.Mutex // of standard output

func tell(what string, value any) {
	mu.Lock()
	defer mu.Unlock()
	line, err := json.Marshal(map[string]any{what: fromBytes(value)})
	if err != nil {
		fmt.Fprintln(os.Stderr, "cannot tell", err)
		return
	}
	fmt.Println(string(line))
}

// toBytes turns {"$bytes":"…"} into what the client sends as an attachment.
func toBytes(v any) any {
	switch v := v.(type) {
	case map[string]any:
		if text, ok := v["$bytes"].(string); ok {
			if b, err := base64.StdEncoding.DecodeString(text); err == nil {
				return types.NewBytesBuffer(b)
			}
		}
		for k := range v {
			v[k] = toBytes(v[k])
		}
	case []any:
		for i := range v {
			v[i] = toBytes(v[i])
		}
	}
	return v
}

// fromBytes is the way back.
func fromBytes(v any) any {
	switch v := v.(type) {
	case map[string]any:
		for k := range v {
			v[k] = fromBytes(v[k])
		}
	case []any:
		for i := range v {
			v[i] = fromBytes(v[i])
		}
	case types.BufferInterface:
		return map[string]any{"$bytes": base64.StdEncoding.EncodeToString(v.Bytes())}
	case io.Reader:
		b, _ := io.ReadAll(v) // in memory
		return map[string]any{"$bytes": base64.StdEncoding.EncodeToString(b)}
	}
	return v
}
