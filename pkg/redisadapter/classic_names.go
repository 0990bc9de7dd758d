package redisadapter

import "strings"

// namespaceChannels are the channels of a namespace.
type namespaceChannels struct {
	broadcast string // "socket.io#/chat#", or that and "room#" for a broadcast to one room
	pattern   string // what matches those
	request   string // "socket.io-request#/chat#"
	response  string // "socket.io-response#/chat#"
	peers     string // "socket.io-peers#/chat#": our own instances only
}

func channelsOf(key, nsp string) namespaceChannels {
	return namespaceChannels{
		broadcast: key + "#" + nsp + "#",
		pattern:   globEscape(key+"#"+nsp+"#") + "*",
		request:   key + "-request#" + nsp + "#",
		response:  key + "-response#" + nsp + "#",
		peers:     key + "-peers#" + nsp + "#",
	}
}

// specific is the response channel of one instance. Generation 2 nodes do not know it.
func (n namespaceChannels) specific(uid string) string { return n.response + uid + "#" }

// globEscape makes a Redis pattern that matches exactly name.
func globEscape(name string) string {
	if !strings.ContainsAny(name, `*?[]\`) {
		return name
	}
	return strings.NewReplacer(`*`, `\*`, `?`, `\?`, `[`, `\[`, `]`, `\]`, `\`, `\\`).Replace(name)
}

// responsePattern matches the response channels that belong to one instance each.
func (n namespaceChannels) responsePattern() string { return globEscape(n.response) + "*#" }
