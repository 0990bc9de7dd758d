package classic

import "strings"

// namespaceChannels are the channels of a namespace.
type namespaceChannels struct {
	broadcast string // "socket.io#/chat#", or that and "room#" for a broadcast to one room
	pattern   string // what matches those
	Request   string // "socket.io-request#/chat#"
	Response  string // "socket.io-response#/chat#"
	Peers     string // "socket.io-peers#/chat#": our own instances only
}

func ChannelsOf(key, nsp string) namespaceChannels {
	return namespaceChannels{
		broadcast: key + "#" + nsp + "#",
		pattern:   globEscape(key+"#"+nsp+"#") + "*",
		Request:   key + "-request#" + nsp + "#",
		Response:  key + "-response#" + nsp + "#",
		Peers:     key + "-peers#" + nsp + "#",
	}
}

// specific is the response channel of one instance. Generation 2 nodes do not know it.
func (n namespaceChannels) specific(uid string) string { return n.Response + uid + "#" }

// globEscape makes a Redis pattern that matches exactly name.
func globEscape(name string) string {
	if !strings.ContainsAny(name, `*?[]\`) {
		return name
	}
	return strings.NewReplacer(`*`, `\*`, `?`, `\?`, `[`, `\[`, `]`, `\]`, `\`, `\\`).Replace(name)
}

// responsePattern matches the response channels that belong to one instance each.
func (n namespaceChannels) responsePattern() string { return globEscape(n.Response) + "*#" }
