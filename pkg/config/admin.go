package config

import (
	"regexp"
	"strconv"
	"strings"
)

// Admin is who may look into the server with the Admin UI, and how far.
type Admin struct {
	User         string // empty: nobody
	PasswordHash Secret // of bcrypt
	ReadOnly     bool
	Mode         AdminMode
}

// AdminMode is how much the Admin UI is shown.
type AdminMode string

// The modes of the Admin UI.
const (
	AdminProduction  AdminMode = "production"  // numbers
	AdminDevelopment AdminMode = "development" // also sockets, rooms, and events with their contents
)

// Configured tells whether there is an Admin UI.
func (a Admin) Configured() bool { return a.User != "" }

// adminSection is a part of the table.
func adminSection() section {
	return section{"Admin UI (off without a user)", []variable{
		{"ADMIN_USER", "", "User name for the Admin UI (npm's @socket.io/admin-ui), which connects to the namespace /admin.",
			anyText(func(c *Config) *string { return &c.Admin.User })},
		{"ADMIN_PASSWORD_HASH", "", "Its password, hashed: chat-server hash-password makes one. In .env, put it in single quotes.",
			passwordHash(func(c *Config) *Secret { return &c.Admin.PasswordHash })},
		{"ADMIN_READ_ONLY", "false", "Do not let the Admin UI disconnect sockets, change their rooms or send them events.",
			boolean(func(c *Config) *bool { return &c.Admin.ReadOnly })},
		{"ADMIN_MODE", "production", "production shows numbers only; development also shows sockets, rooms and the contents of all events, and costs more.",
			oneOf(func(c *Config) *AdminMode { return &c.Admin.Mode }, AdminProduction, AdminDevelopment)},
	}}
}

var (
	bcryptHash = regexp.MustCompile(`^\$2[abxy]?\$(\d\d)\$[./A-Za-z0-9]{53}$`)
	errHash    = safeHint("cost counts because everybody may make the server compare passwords; chat-server hash-password makes such a hash")
	errUnquote = safeHint("it does not begin with $2: in .env, put it in single quotes, or $ and what follows is taken for a variable; in a Compose file, write $$ for $")
)

func passwordHash(field func(*Config) *Secret) kind {
	return kind{
		accepts: "60 characters of bcrypt such as $2y$10$…, of cost 4 to 14",
		secret:  true,
		set: func(c *Config, text string) error {
			if text == "" {
				return nil
			}
			match := bcryptHash.FindStringSubmatch(text)
			if match == nil && !strings.HasPrefix(text, "$2") {
				return errUnquote
			}
			if match == nil {
				return errHash
			}
			if cost, err := strconv.Atoi(match[1]); err != nil || cost < 4 || cost > 14 {
				return errHash
			}
			*field(c) = Secret(text)
			return nil
		},
	}
}

// adminPair: neither works without the other, and what else there is means that somebody wanted it.
func adminPair(c *Config) *Problem {
	if user, hash := c.Admin.User != "", c.Admin.PasswordHash != ""; user != hash {
		return &Problem{Name: "ADMIN_USER and ADMIN_PASSWORD_HASH", Message: "only one of them is set; the Admin UI needs both"}
	}
	if !c.Admin.Configured() && (c.IsSet("ADMIN_READ_ONLY") || c.IsSet("ADMIN_MODE")) {
		return &Problem{Name: "ADMIN_USER", Message: "it is not set, so that ADMIN_READ_ONLY and ADMIN_MODE mean nothing; set it, or remove them"}
	}
	return nil
}
