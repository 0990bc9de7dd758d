package auth

import "encoding/json"

// CarryAdmin returns a copy that carries what the admin UI of other instances is to know of the socket
// whose data the identity is; see adminui.Carrier.
func (i *Identity) CarryAdmin(about json.RawMessage) any {
	with := *i
	with.Admin = about
	return &with
}
