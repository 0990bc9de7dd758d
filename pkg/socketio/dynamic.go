package socketio

import (
	"reflect"
	"sync"
	"time"

	"github.com/zishang520/engine.io/v2/types"
	"github.com/zishang520/socket.io/v2/socket"
)

// Namespaces that a client's CONNECT creates, where the application has matched their names with io.Of(regexp
// or function, …), live from the first link to the last:
//
//	CONNECT ─ enterNamespace: the name is used ─ the library creates it, one CONNECT at a time for a name,
//	                                             those for other names at the same time
//	link gone ─ leaveNamespace: with Options.CleanupEmptyChildNamespaces, and nobody uses the name:
//	                                             closed and forgotten, by the library as well
//
// The library's own clean-up is not used: it may run between a CONNECT that found the namespace and the socket
// that joins it, and then the library makes an ordinary namespace of the name, without middlewares.

// A nameUse is the use of a name that has no namespace, or one that may be removed. It is known as long as
// somebody uses it.
type nameUse struct {
	name   string
	users  int        // links, and CONNECTs under way; guarded by Server.mu
	making sync.Mutex // held while the namespace is made or removed; before Server.mu
}

// enterNamespace returns when a CONNECT can be given to the library: the namespace of its link is ready, or
// does not exist and may be created. The link uses the name until leaveNamespace.
func (s *Server) enterNamespace(l *link) (release func()) {
	u, ns := s.use(l)
	if u == nil {
		<-ns.ready
		return func() {}
	}
	u.making.Lock()
	s.mu.RLock()
	ns = s.namespaces[l.name]
	s.mu.RUnlock()
	if ns == nil {
		return func() {
			u.making.Unlock()
			s.disuse(u)
		}
	}
	u.making.Unlock()
	<-ns.ready
	return func() { s.disuse(u) }
}

// use counts a link, and its CONNECT, as users of its name. It returns nil, and the namespace, if that
// stays anyway.
func (s *Server) use(l *link) (*nameUse, *Namespace) {
	s.mu.Lock()
	defer s.mu.Unlock()
	ns := s.namespaces[l.name]
	if ns != nil && !ns.removable {
		return nil, ns
	}
	u := s.names[l.name]
	if u == nil {
		u = &nameUse{name: l.name}
		s.names[l.name] = u
	}
	u.users++
	if s.links[l] == nil && !s.gone(l) {
		s.links[l] = u
		u.users++
	}
	return u, ns
}

// gone tells whether leaveNamespace has been called for a link, or is about to be.
func (s *Server) gone(l *link) bool {
	l.conn.mu.Lock()
	defer l.conn.mu.Unlock()
	return l.state == linkGone
}

// leaveNamespace is called once a link is gone.
func (s *Server) leaveNamespace(l *link) {
	s.mu.Lock()
	u := s.links[l]
	delete(s.links, l)
	s.mu.Unlock()
	if u != nil {
		s.disuse(u)
	}
}

// disuse counts one user less. After the last the namespace is removed, with recovery when its sessions are
// over.
func (s *Server) disuse(u *nameUse) {
	s.mu.Lock()
	defer s.mu.Unlock()
	u.users--
	ns := s.namespaces[u.name]
	switch {
	case u.users > 0 || s.names[u.name] != u:
	case ns == nil || !ns.removable: // it was refused, or stays
		delete(s.names, u.name)
	case s.closing.Load():
	case s.recovery != nil:
		time.AfterFunc(s.recovery.cfg.For, func() { s.removeUnused(u) }) // does nothing in a server that closes
	default:
		s.removals.Go(func() { s.removeUnused(u) })
	}
}

// removeUnused removes the namespace of a name that nobody uses.
func (s *Server) removeUnused(u *nameUse) {
	u.making.Lock()
	defer u.making.Unlock()
	s.mu.Lock()
	ns := s.namespaces[u.name]
	if u.users > 0 || s.names[u.name] != u || ns == nil || s.closing.Load() {
		s.mu.Unlock()
		return
	}
	delete(s.namespaces, u.name)
	s.past.merge(ns.traffic.stats(Other))
	s.mu.Unlock()

	forgetLibraryNamespace(s.io, ns.Namespace)
	ns.Adapter().Close()
	if ns.local != nil {
		ns.local.endRecovery()
	}
	if s.recovery != nil && ns.local != nil {
		s.recovery.logs.Add(-1)
	}

	s.mu.Lock()
	if u.users == 0 { // otherwise the next of them, which waits for us, creates it anew
		delete(s.names, u.name)
	}
	s.mu.Unlock()
}

// forgetLibraryNamespace takes a namespace out of the library, which has no other way than that of its own
// clean-up: TestDynamicNamespacesAreRemoved fails if its fields are called something else.
func forgetLibraryNamespace(io *socket.Server, nsp socket.Namespace) {
	v := reflect.ValueOf(io).Elem()
	all := (*types.Map[string, socket.Namespace])(v.FieldByName("_nsps").UnsafePointer())
	all.Delete(nsp.Name())
	parents := (*types.Map[socket.ParentNspNameMatchFn, socket.ParentNamespace])(v.FieldByName("parentNsps").UnsafePointer())
	parents.Range(func(_ socket.ParentNspNameMatchFn, p socket.ParentNamespace) bool {
		p.Children().Delete(nsp)
		return true
	})
}
