//go:build linux

package main

const usage = `chat-load puts load on chat servers and counts exactly what arrives.

  chat-load [run] --server URL [flags]         one load run
  chat-load report FILE.json… [-o FILE.html]   a page with plots that compares runs
  chat-load bench [--quick] [--row NAME]       the project's table: our server, its peers, bare Go
  chat-load floor                              serves as the bench's bare Go server (NODE_PORT, HOST)

The load
  --server URL       http://host:port; repeat it, or separate several with commas: clients are spread over them
  --clients N        clients that connect and listen (100; at most 100,000)
  --senders N        how many of them send (10); 0: everybody is idle
  --rate R           messages a second, of all senders together, whatever the server makes of it (100)
  --in-flight N      instead: each sender waits for its own messages, N at a time (closed loop)
  --size BYTES       of each text (32; at least 25, which identify it)
  --transport T      websocket (default), polling, or upgrade (polling first, then WebSocket: what browsers do)
  --protocol P       Engine.IO protocol, 4 (default) or 3 (clients of versions 1 and 2)
  --dialect D        centrifuge or nats: load a neighbour outside the protocol
  --path, --namespace    other than /socket.io/ and /chat

Its course
  --ramp D           time over which the clients come (0: as fast as they are let in)
  --connecting N     clients that may be connecting at the same time (250)
  --warmup D         load before the measurement begins (2s)
  --duration D       measured time (10s; at most 1h)
  --drain D          longest wait at the end for what is under way (5s)
  --await-joins      wait until every client has heard of every later one (one server with join notices)
  --watch            every client asks who is here, and watches who comes and goes, as soon as it has joined

What is watched
  --pid N            a server process on this machine, for its CPU and memory; repeatable

Results
  --json FILE        the result, for chat-load report and for scripts
  --html FILE        a page with plots, in one file that needs nothing else
  --label TEXT       its name there
  --plain            lines instead of the live display (as without a terminal)
  --strict           exit code 3 if anything was lost, doubled, out of order or damaged, or a client was cut off

How it connects
  --source IP        own address to connect from; repeatable. Many clients of a loopback server use several by themselves
  --threads N        event loops (1): more than one only if the server is on another machine or many cores are idle
  --allow-remote     servers that are not on this machine. Only with their owner's consent: this is a flood.

Latency is from the moment a message was due (--rate) or written (--in-flight) to the moment a client has read it.
Lost is what has not come when the drain ends; with an overloaded server and --rate that is mostly its backlog.
`

const benchUsage = `chat-load bench measures the chat server against its peers, and prints target, ratio, spread and verdict: socket.io on
Node.js, on uWebSockets.js, on Bun and on the newest Node.js, bare Go servers, and outside the protocol Centrifuge and NATS.
Run it in the project's directory. It installs the peers from npm once, and needs go, node (16, 18 or 20 for uWebSockets.js), npm and
redis-server. A whole run takes about an hour. What cannot be installed is said and skipped.

  --quick          short windows and one repeat: some 10 minutes, for a first look
  --row NAME       only this row; repeatable, or with commas. Rows: %s
  --repeats N      instead of 5 (3 for rows with thousands of clients; 1 with --quick)
  --binary FILE    our server, already built
  --json FILE      everything that was measured
  --runs DIR       every single run, for chat-load report
`

const floorUsage = `chat-load floor serves the chat as the bench's bare Go server does: one write a delivery, no checks.

  --io-uring       one system call for up to 256 deliveries instead

Its settings come from the environment: NODE_PORT (3000), HOST (all interfaces), CHAT_JOIN_NOTICE (true).
`

const reportUsage = `chat-load report makes one page with plots of one or several runs: latency, throughput, CPU and memory, faults.

  chat-load report [-o FILE.html] FILE.json…

  -o FILE          where to write it (chat-load.html)
`
