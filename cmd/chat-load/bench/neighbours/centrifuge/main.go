// Command centrifuge serves one channel with github.com/centrifugal/centrifuge, the library of Centrifugo: everybody may
// subscribe and publish. It is a neighbour in the bench of cmd/chat-load, and reads HOST and NODE_PORT as the others do.
package main

import (
	"fmt"
	"net"
	"net/http"
	"os"

	"github.com/centrifugal/centrifuge"
)

func main() {
	if err := serve(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func serve() error {
	node, err := centrifuge.New(centrifuge.Config{})
	if err != nil {
		return err
	}
	node.OnConnect(func(c *centrifuge.Client) {
		c.OnSubscribe(func(_ centrifuge.SubscribeEvent, reply centrifuge.SubscribeCallback) {
			reply(centrifuge.SubscribeReply{}, nil)
		})
		c.OnPublish(func(_ centrifuge.PublishEvent, reply centrifuge.PublishCallback) {
			reply(centrifuge.PublishReply{}, nil)
		})
	})
	if err := node.Run(); err != nil {
		return err
	}
	sockets := centrifuge.NewWebsocketHandler(node, centrifuge.WebsocketConfig{})
	http.HandleFunc("/connection/websocket", func(w http.ResponseWriter, r *http.Request) {
		anybody := centrifuge.SetCredentials(r.Context(), &centrifuge.Credentials{})
		sockets.ServeHTTP(w, r.WithContext(anybody))
	})
	return http.ListenAndServe(net.JoinHostPort(os.Getenv("HOST"), os.Getenv("NODE_PORT")), nil)
}
