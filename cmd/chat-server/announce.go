package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"
	rtypes "github.com/zishang520/socket.io-go-redis/types"

	"socketio-chat/pkg/chat"
	"socketio-chat/pkg/config"
	"socketio-chat/pkg/redisadapter"
)

// announceTimeout bounds the wait for Redis.
const announceTimeout = 8 * time.Second

// announcement is a message from outside, in the form in which the page shows messages.
type announcement struct {
	Name string `json:"name"`
	Text string `json:"text"`
}

// parseAnnouncement reads what follows "announce" in the arguments.
func parseAnnouncement(args []string) (announcement, error) {
	a := announcement{}
	flags := flag.NewFlagSet("announce", flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	flags.StringVar(&a.Name, "name", "admin", "")
	flags.StringVar(&a.Text, "text", "", "")
	switch err := flags.Parse(args); {
	case errors.Is(err, flag.ErrHelp):
		return a, err
	case err != nil:
		return a, fmt.Errorf("announce: %w; %w", err, errUsage)
	case flags.NArg() > 0 && a.Text == "":
		return a, fmt.Errorf("announce: the text comes after --text: chat-server announce --text %q; %w", strings.Join(flags.Args(), " "), errUsage)
	case flags.NArg() > 0:
		return a, fmt.Errorf("announce: %q is left over; a text of several words needs quotes; %w", flags.Args(), errUsage)
	case a.Text == "":
		return a, fmt.Errorf("announce: --text is missing or empty; %w", errUsage)
	}
	return a, nil
}

// fromStdin is the text that stands for what standard input holds.
const fromStdin = "-"

// maxAnnouncement bounds what is read from there, in bytes. It fits into every server's MAX_PAYLOAD_BYTES that is not tiny.
const maxAnnouncement = 64 << 10

// readText takes the text from stdin if the arguments say so.
func (a *announcement) readText(stdin io.Reader) error {
	if a.Text != fromStdin {
		return nil
	}
	text, err := io.ReadAll(io.LimitReader(stdin, maxAnnouncement+1))
	switch {
	case err != nil:
		return fmt.Errorf("announce: cannot read the text from standard input: %w", err)
	case len(text) > maxAnnouncement:
		return fmt.Errorf("announce: the text on standard input has more than %d bytes", maxAnnouncement)
	}
	if a.Text = strings.TrimRight(string(text), "\r\n"); a.Text == "" {
		return errors.New("announce: there is no text on standard input")
	}
	return nil
}

// announce says it to everybody in the chat, through the Redis that joins the instances.
func announce(ctx context.Context, r config.Redis, a announcement, stdin io.Reader, stdout io.Writer) error {
	if err := a.readText(stdin); err != nil {
		return err
	}
	if !r.Configured() {
		return errors.New("announce: there is no Redis to reach the chat through; set REDIS_URL, or REDIS_HOST and REDIS_PORT, as the servers have them")
	}
	ctx, cancel := context.WithTimeout(ctx, announceTimeout)
	defer cancel()
	redis.SetLogger(redisLog{slog.New(slog.DiscardHandler)}) // errors are returned as well
	client := newRedisClient(r)
	defer client.Close()
	to := &redisadapter.Builder{
		Redis: rtypes.NewRedisClient(ctx, client), Mode: redisadapter.Mode(r.Adapter), StreamLength: r.StreamLength,
	}
	instances, err := to.Announce(ctx, chat.Namespace, chat.MsgToClient, a)
	switch {
	case errors.Is(err, redisadapter.ErrNobody):
		return fmt.Errorf("announce: nobody heard it: %w at Redis %s; REDIS_ADAPTER and the database must be those of the servers", err, r)
	case err != nil:
		return fmt.Errorf("announce: through Redis %s: %w", r, err)
	}
	s := "s"
	if instances == 1 {
		s = ""
	}
	_, err = fmt.Fprintf(stdout, "announced to %d instance%s\n", instances, s)
	return err
}
