package docs

import (
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"socketio-chat/pkg/testenv"
)

var publicMember = regexp.MustCompile(`(?m)^    (?:readonly |get )?([a-zA-Z]+)(?:<|\(|:|\?)`)

// TestNodeAPIIsComplete holds pkg/socketio/NODE-API.md against the declarations of the npm package: no public member of its classes is missing.
func TestNodeAPIIsComplete(t *testing.T) {
	testenv.NPM(t, filepath.Join(root, "pkg/e2e/node"))
	dist := filepath.Join(root, "pkg/e2e/node/node_modules/socket.io-4/dist")
	page := read(t, filepath.Join(root, "pkg/socketio/NODE-API.md"))
	for class, file := range map[string]string{
		"Server": "index.d.ts", "Namespace": "namespace.d.ts", "Socket": "socket.d.ts", "BroadcastOperator": "broadcast-operator.d.ts",
	} {
		_, body, ok := strings.Cut(read(t, filepath.Join(dist, file)), "export declare class "+class)
		if !ok {
			t.Errorf("%s declares no %s", file, class)
		}
		_, section, ok := strings.Cut(page, "## "+class)
		if !ok {
			t.Errorf("NODE-API.md has no section %s", class)
		}
		section, _, _ = strings.Cut(section, "\n## ")
		for _, m := range publicMember.FindAllStringSubmatch(body, -1) {
			if m[1] == "constructor" || m[1] == "if" {
				continue
			}
			if !regexp.MustCompile("[` (.]" + m[1] + "[`(\"]").MatchString(section) {
				t.Errorf("the section %s of NODE-API.md lacks %s", class, m[1])
			}
		}
	}
}
