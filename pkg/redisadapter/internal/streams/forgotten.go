package streams

import "socketio-chat/pkg/redisadapter/internal/wire"

// What Redis has forgotten, those who had read nothing of it cannot notice: to them the stream goes on. So an instance that notices that an entry
// which it read, or wrote, is gone tells all, by an entry of no namespace, which Node and older versions pass over:
//
//	before   1 2 3 4 5 6 7        A has read up to 7, B up to 3
//	after    1 2 3 8 9            B reads on, as if 8 came next
//	told     1 2 3 8 9 [7]        B: something up to 7 is missing here
//
// An instance that has read anything of 4 to 7 finds its own position gone. So what it does not find out by itself, it has read nothing of.
const (
	forgottenNsp  = "#forgotten"
	forgottenType = "0"
)

// Forgotten is the entry that tells that the entry named latest, and perhaps others before it, are gone.
func Forgotten(uid string, latest ID) *wire.Entry {
	return &wire.Entry{Uid: uid, Nsp: forgottenNsp, Hidden: true, Typ: forgottenType, Data: latest.String()}
}

// ReadForgotten is the way back.
func ReadForgotten(e *wire.Entry) (latest ID, ok bool) {
	if e.Nsp != forgottenNsp || !e.Hidden || e.Typ != forgottenType {
		return ID{}, false
	}
	latest, err := ParseID(e.Data)
	return latest, err == nil
}
