// Package blankline lets net/http bear what small clients and middleboxes send between two
// requests, as Node's servers do: empty lines before a request line, and a request that comes
// while the one before is still being answered.
//
// A server SHOULD ignore an empty line before a request line (RFC 9112, 2.2); net/http does so
// after a POST only, and answers 400 otherwise. Clients that poll on one connection may send a
// POST behind a poll that waits; net/http begins with it when the poll has been answered, which the
// POST may be needed for. A handler can hear of it, and answer.
//
// # Use
//
//	server := &http.Server{Handler: blankline.Handler(h), ConnContext: blankline.Context}
//	server.Serve(blankline.Listen(l))
//	…
//	case <-blankline.Behind(r.Context()): // another request waits for this one's answer
//
// # What it looks at
//
// Bytes are passed on as they come, but for CR and LF where a request begins. To know where that
// is, the heads of requests are read along, line by line as net/http reads them, and bodies of a
// plain Content-Length are counted. Anything else (Transfer-Encoding, Upgrade, a folded field, two
// lengths) ends that for the rest of the connection: then nothing is dropped any more, and Behind
// stays silent. A request with both a Content-Length and a Transfer-Encoding is refused.
//
// # Concurrency
//
// Read is called by one goroutine at a time, as net/http does. Behind and Handler may be
// called from any.
package blankline
