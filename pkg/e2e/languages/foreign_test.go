package languages

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/gobwas/ws"
	"github.com/gobwas/ws/wsutil"
	"github.com/zishang520/socket.io/v2/socket"

	"socketio-chat/pkg/socketio"
)

// Clients that cannot be run here, as their sources and those of the HTTP and WebSocket libraries beneath them say that they write: the order
// and spelling of what is in the request, what goes along with a POST, and packets that other clients do not send.

// relay serves /chat with what the chat does.
func relay(t *testing.T) string {
	io := socketio.NewServer(socketio.Options{})
	chat := io.Of("/chat")
	socketio.On(chat, "msgToServer", func(_ context.Context, _ *socket.Socket, in socketio.Payload) error {
		chat.Broadcast("msgToClient", in)
		return nil
	})
	server := httptest.NewServer(io)
	t.Cleanup(func() {
		server.CloseClientConnections()
		server.Close()
		ctx, cancel := context.WithCancel(context.Background())
		cancel() // nobody polls any more
		_ = io.Close(ctx)
	})
	return strings.TrimPrefix(server.URL, "http://")
}

const (
	patience = 20 * time.Second

	textEvent    = `["msgToServer",{"name":"a","text":"안녕 👍"}]`
	textHeard    = `["msgToClient",{"name":"a","text":"안녕 👍"}]`
	bytesEvent   = `["msgToServer",{"_placeholder":true,"num":0}]`
	bytesHeard   = `["msgToClient",{"_placeholder":true,"num":0}]`
	record       = "\x1e"
	javaFields   = "Accept: */*\r\nConnection: Keep-Alive\r\nAccept-Encoding: gzip\r\nUser-Agent: okhttp/3.12.12\r\n"
	rustFields   = "accept: */*\r\n"
	swiftFields  = "Accept: */*\r\nConnection: keep-alive\r\nUser-Agent: Chat/1 CFNetwork/1490.0.4 Darwin/23.2.0\r\nAccept-Language: ko-KR,ko;q=0.9\r\nAccept-Encoding: gzip, deflate\r\n"
	sampleKey    = "dGhlIHNhbXBsZSBub25jZQ=="
	sampleAccept = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="
)

func TestForeignPollers(t *testing.T) {
	for _, client := range []struct {
		name        string
		query       string // of the handshake
		session     string // of what follows; %s is the session
		fields      string
		contentType string // of POSTs; "": there is none
		posts       []string
		want        []string
	}{
		{
			// engine.io-client-java 2: the query is a hash map's; a text body has its type twice in the source and once on the wire.
			"Java (OkHttp 3)", "t=PbK3q1x&EIO=4&transport=polling", "t=PbK3q1y&EIO=4&sid=%s&transport=polling", javaFields, "text/plain;charset=UTF-8",
			[]string{"40/chat,", "42/chat," + textEvent + record + "451-/chat," + bytesEvent + record + "bAQID"},
			[]string{"40/chat,", "42/chat," + textHeard, "451-/chat," + bytesHeard + record + "bAQID"},
		},
		{
			// SocketIOClient for .NET: text and attachments go in POSTs of their own, one behind the other; only what follows the handshake has t.
			"C# (HttpClient)", "EIO=4&transport=polling", "EIO=4&transport=polling&sid=%s&t=1764367200", "", "text/plain; charset=utf-8",
			[]string{"40/chat,", "42/chat," + textEvent, "451-/chat," + bytesEvent, "bAQID"},
			[]string{"40/chat,", "42/chat," + textHeard, "451-/chat," + bytesHeard + record + "bAQID"},
		},
		{
			// rust_engineio: bodies have no type, and a pong that nobody asked for comes first.
			"Rust (reqwest)", "EIO=4&transport=polling", "EIO=4&transport=polling&sid=%s", rustFields, "",
			[]string{"3", "40/chat,", "42/chat," + textEvent, "451-/chat," + bytesEvent, "bAQID"},
			[]string{"40/chat,", "42/chat," + textHeard, "451-/chat," + bytesHeard + record + "bAQID"},
		},
		{
			// socket.io-client-swift 15: no EIO at the handshake, lengths in units of UTF-16, attachments always as base64.
			"Swift 15 (URLSession)", "transport=polling&b64=1", "transport=polling&b64=1&sid=%s", swiftFields, "text/plain; charset=UTF-8",
			[]string{"1:28:40/chat,", "51:42/chat," + textEvent, "55:451-/chat," + bytesEvent + "6:b4AQID"},
			[]string{"8:40/chat,", "51:42/chat," + textHeard, "55:451-/chat," + bytesHeard + "6:b4AQID"},
		},
	} {
		t.Run(client.name, func(t *testing.T) {
			address := relay(t)
			ask := func(method, query, body string) string {
				t.Helper()
				text := fmt.Sprintf("%s /socket.io/?%s HTTP/1.1\r\nHost: %s\r\n%s", method, query, address, client.fields)
				if method == http.MethodPost {
					if client.contentType != "" {
						text += "Content-Type: " + client.contentType + "\r\n"
					}
					text += fmt.Sprintf("Content-Length: %d\r\n", len(body))
				}
				res, answer := exchange(t, address, text+"\r\n"+body)
				// The clients in Java and C# fail over an answer whose type they are not told.
				if res.StatusCode != http.StatusOK || res.Header.Get("Content-Type") == "" || res.Header.Get("Content-Encoding") != "" {
					t.Fatalf("%s %s %q: %s, %v: %q", method, query, body, res.Status, res.Header, answer)
				}
				return answer
			}
			open := ask(http.MethodGet, client.query, "")
			m := regexp.MustCompile(`"sid":"([\w-]+)"`).FindStringSubmatch(open)
			if m == nil {
				t.Fatalf("opened with %q", open)
			}
			session := fmt.Sprintf(client.session, m[1])
			for _, body := range client.posts {
				if answer := ask(http.MethodPost, session, body); answer != "ok" {
					t.Fatalf("POST %q: %q", body, answer)
				}
			}
			got := ""
			for _, want := range client.want {
				for !strings.Contains(got, want) {
					got += ask(http.MethodGet, session, "") + record
				}
				_, got, _ = strings.Cut(got, want)
			}
		})
	}
}

// exchange sends one request over a connection of its own and reads the answer.
func exchange(t *testing.T, address, request string) (*http.Response, string) {
	t.Helper()
	conn, err := net.DialTimeout("tcp", address, patience)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(patience))
	if _, err := io.WriteString(conn, request); err != nil {
		t.Fatal(err)
	}
	res, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatalf("%q: %v", request, err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res, string(body)
}

func TestForeignWebSockets(t *testing.T) {
	for _, client := range []struct{ name, query, fields string }{
		{"Java (OkHttp 3)", "EIO=4&transport=websocket", "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: %s\r\nSec-WebSocket-Version: 13\r\nAccept-Encoding: gzip\r\nUser-Agent: okhttp/3.12.12\r\n"},
		{"Java (OkHttp 4)", "transport=websocket&EIO=4", "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: %s\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Extensions: permessage-deflate\r\nAccept-Encoding: gzip\r\nUser-Agent: okhttp/4.12.0\r\n"},
		{"Swift 16 (Starscream)", "transport=websocket&EIO=4", "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: %s\r\nOrigin: http://chat.example\r\nSec-WebSocket-Extensions: permessage-deflate; client_max_window_bits; server_max_window_bits=15\r\n"},
		{"C# (ClientWebSocket)", "EIO=4&transport=websocket", "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: %s\r\n"},
		{"Rust (tungstenite)", "EIO=4&transport=websocket", "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: %s\r\n"},
		{"Dart (dart:io)", "EIO=4&transport=websocket", "user-agent: Dart/3.5 (dart:io)\r\nconnection: Upgrade\r\ncache-control: no-cache\r\naccept-encoding: gzip\r\nsec-websocket-version: 13\r\nsec-websocket-extensions: permessage-deflate; client_max_window_bits\r\nupgrade: websocket\r\nsec-websocket-key: %s\r\n"},
	} {
		t.Run(client.name, func(t *testing.T) {
			address := relay(t)
			conn, err := net.DialTimeout("tcp", address, patience)
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			_ = conn.SetDeadline(time.Now().Add(patience))
			fmt.Fprintf(conn, "GET /socket.io/?%s HTTP/1.1\r\nHost: %s\r\n"+client.fields+"\r\n", client.query, address, sampleKey)
			in := bufio.NewReader(conn)
			res, err := http.ReadResponse(in, nil)
			if err != nil {
				t.Fatal(err)
			}
			res.Body.Close()
			if res.StatusCode != http.StatusSwitchingProtocols || res.Header.Get("Sec-WebSocket-Accept") != sampleAccept || res.Header.Get("Sec-WebSocket-Extensions") != "" {
				t.Fatalf("%s, %v", res.Status, res.Header)
			}
			rw := struct {
				io.Reader
				io.Writer
			}{in, conn}
			want := func(op ws.OpCode, prefix string) {
				t.Helper()
				data, got, err := wsutil.ReadServerData(rw)
				if err != nil || got != op || !strings.HasPrefix(string(data), prefix) {
					t.Fatalf("got %q (%v), %v; want %q", data, got, err, prefix)
				}
			}
			want(ws.OpText, `0{"sid":"`)
			for _, text := range []string{"40/chat,", "42/chat," + textEvent, "451-/chat," + bytesEvent} {
				if err := wsutil.WriteClientText(rw, []byte(text)); err != nil {
					t.Fatal(err)
				}
			}
			if err := wsutil.WriteClientBinary(rw, []byte{1, 2, 3}); err != nil {
				t.Fatal(err)
			}
			want(ws.OpText, "40/chat,")
			want(ws.OpText, "42/chat,"+textHeard)
			want(ws.OpText, "451-/chat,"+bytesHeard)
			want(ws.OpBinary, "\x01\x02\x03")
		})
	}
}
