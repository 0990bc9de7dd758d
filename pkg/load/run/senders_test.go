//go:build linux

package run

import "testing"

// TestSendersAreSpread: every sender exists once, each server has its share of them, and among a server's clients they are
// not next to each other.
func TestSendersAreSpread(t *testing.T) {
	for servers := 1; servers <= 5; servers++ {
		for clients := 1; clients <= 60; clients++ {
			for senders := 0; senders <= clients; senders++ {
				seen := make([]bool, senders)
				perServer := make([]int, servers)
				last := make([]int, servers) // place of a server's latest sender among its clients
				for i := range clients {
					k := senderNumber(i, clients, senders, servers)
					if k < 0 {
						continue
					}
					if k >= senders || seen[k] || k%servers != i%servers {
						t.Fatalf("%d servers, %d clients, %d senders: client %d is sender %d", servers, clients, senders, i, k)
					}
					seen[k] = true
					server, place := i%servers, i/servers
					if gap := place - last[server]; perServer[server] > 0 && gap < (clients/servers)/((senders+servers-1)/servers) {
						t.Fatalf("%d servers, %d clients, %d senders: two senders %d places apart", servers, clients, senders, gap)
					}
					last[server] = place
					perServer[server]++
				}
				for k, there := range seen {
					if !there {
						t.Fatalf("%d servers, %d clients, %d senders: nobody is sender %d", servers, clients, senders, k)
					}
				}
				for server, n := range perServer {
					if n != senders/servers && n != senders/servers+1 {
						t.Fatalf("%d servers, %d clients, %d senders: server %d has %d", servers, clients, senders, server, n)
					}
				}
			}
		}
	}
}
