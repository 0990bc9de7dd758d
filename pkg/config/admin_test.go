package config

import (
	"fmt"
	"strings"
	"testing"
)

func TestAdmin(t *testing.T) {
	const hash = "$2b$10$abcdefghijklmnopqrstuuABCDEFGHIJKLMNOPQRSTUVWXYZ01234"
	c, err := Load([]string{"ADMIN_USER=ops", "ADMIN_PASSWORD_HASH=" + hash, "ADMIN_MODE=development"}, "")
	if err != nil || !c.Admin.Configured() || c.Admin.PasswordHash.Reveal() != hash || c.Admin.Mode != AdminDevelopment || c.Admin.ReadOnly {
		t.Errorf("%v, %+v", err, c.Admin)
	}
	if text := fmt.Sprintf("%+v %#v %s", c, c.Admin, c.LogValue()); strings.Contains(text, hash) {
		t.Errorf("the hash is shown: %s", text)
	}
	for _, tt := range []struct {
		settings []string
		want     string
	}{
		{[]string{"ADMIN_USER=ops"}, "only one of them is set"},
		{[]string{"ADMIN_PASSWORD_HASH=" + hash}, "only one of them is set"},
		{[]string{"ADMIN_READ_ONLY=true"}, "ADMIN_USER"},
		{[]string{"ADMIN_USER=ops", "ADMIN_PASSWORD_HASH=password"}, "60 characters of bcrypt"},
		{[]string{"ADMIN_USER=ops", "ADMIN_PASSWORD_HASH=" + hash[7:]}, "in .env, put it in single quotes"},
		{[]string{"ADMIN_USER=ops", "ADMIN_PASSWORD_HASH=" + hash[:40]}, "hash-password makes such a hash"},
		{[]string{"ADMIN_USER=ops", "ADMIN_PASSWORD_HASH=" + strings.Replace(hash, "$10$", "$31$", 1)}, "of cost 4 to 14"},
		{[]string{"ADMIN_USER=ops", "ADMIN_PASSWORD_HASH=" + hash, "ADMIN_MODE=debug"}, "ADMIN_MODE"},
	} {
		_, err := Load(tt.settings, "")
		if err == nil || !strings.Contains(err.Error(), tt.want) || strings.Contains(err.Error(), hash[10:]) {
			t.Errorf("%q: %v", tt.settings, err)
		}
	}
}
