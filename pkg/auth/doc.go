// Package auth decides who may join a namespace by a JSON Web Token (RFC 7519), and for how long.
//
// # Use
//
//	verifier, err := auth.New(auth.Options{JWKS: "https://id.example/jwks.json", Issuer: "https://id.example/"})
//	guard := auth.Protect(namespace, verifier, logger)
//	…
//	who := auth.IdentityOf(sock) // in a handler; nil: not authenticated
//	…
//	guard.Close(); verifier.Close()
//
// # What happens
//
//	CONNECT ─► token of the client ─► Verifier: signature, times, issuer, audience, name
//	              │                       │
//	              │ auth.token (4.x)      ├─ Refusal ─► connect_error {"message":…,"data":{"code":…}}
//	              │ ?token= (1.x, 2.x)    │             (a plain string for protocol 3), log, Stats
//	              │ Authorization         └─ Identity ─► Socket.Data; its time in the Guard's heap
//	                                                        │ expired
//	                                                        ▼
//	                                       "exception" event, then the client is disconnected
//
// Every CONNECT is checked, whatever the connection did before. The first of these that is there
// counts, and nothing else is tried when it is wrong: "token" in what the client sends with the
// CONNECT (the auth object, or the query of the namespace in protocol 3), "token" in the query of
// the connection, and the Authorization header with the scheme Bearer.
//
// # Renewal and revocation
//
// A client whose token ends within Options.Warn gets auth:expiring {"expires":…,"seconds":…}. It may send
// auth:refresh with a fresh token, a text or {"token":…}, as often as once a second, and is acknowledged with a
// [Renewal]. The fresh token has to be of the same subject (without one, of the same name). If it is refused the
// client stays until its old token ends.
//
// A token whose key id (kid) is in Options.Revoked is refused. Clients whose token names a key that the key set
// does not have any more are disconnected when the set has been read, with the code token_revoked; so are those of
// [Guard.Revoke]. A token without a key id is not revoked by one.
//
// # What is refused
//
// An algorithm has to be one of Options.Algorithms and has to fit the kind of the key: no public
// key is ever used as an HMAC secret, and "none" is no algorithm. Headers that name a key or where
// to get one (jwk, jku, x5c, x5u) are not read; a token with critical headers (crit) is refused,
// since none is known here. A token without "exp" does not expire. A token must have the claim
// that holds the name.
//
// Tokens and what is in them are neither logged nor part of any error.
//
// # Concurrency
//
// A Verifier with a JWKS has one goroutine, which reads the keys again from time to time and ends
// with Close. A token of a key that is not known makes it do so at once, though not more often than
// every ten seconds; the CONNECT waits for that. What was read last stays in use while the keys
// cannot be had. A Guard has one timer for all sockets.
//
// # Limits
//
// Tokens are at most 16 KiB, key files and answers 1 MiB; a fetch may take ten seconds.
package auth
