package config

import "testing"

func TestClusterSettings(t *testing.T) {
	for _, tt := range []struct {
		name, value string
		want        Cluster
		ok          bool
	}{
		{"CLUSTER_ADDR", "", Cluster{}, true},
		{"CLUSTER_ADDR", "Off", Cluster{Off: true}, true},
		{"CLUSTER_ADDR", ":9465", Cluster{Addr: ":9465"}, true},
		{"CLUSTER_ADDR", "[::1]:0", Cluster{Addr: "[::1]:0"}, true},
		{"CLUSTER_ADDR", "9465", Cluster{}, false},
		{"ADVERTISE_ADDR", "", Cluster{}, true},
		{"ADVERTISE_ADDR", "10.0.0.7", Cluster{Advertise: "10.0.0.7"}, true},
		{"ADVERTISE_ADDR", "chat-1.chat:9465", Cluster{Advertise: "chat-1.chat:9465"}, true},
		{"ADVERTISE_ADDR", "::1", Cluster{Advertise: "::1"}, true},
		{"ADVERTISE_ADDR", "[::1]", Cluster{Advertise: "::1"}, true},
		{"ADVERTISE_ADDR", "[::1]:9465", Cluster{Advertise: "[::1]:9465"}, true},
		{"ADVERTISE_ADDR", ":9465", Cluster{}, false},
		{"ADVERTISE_ADDR", "a:0", Cluster{}, false},
		{"ADVERTISE_ADDR", "http://a", Cluster{}, false},
		{"CLUSTER_SECRET", "", Cluster{}, true},
		{"CLUSTER_SECRET", "sixteen letters!", Cluster{Secret: "sixteen letters!"}, true},
		{"CLUSTER_SECRET", "fifteen letters", Cluster{}, false},
	} {
		c, err := Load([]string{tt.name + "=" + tt.value}, "")
		if (err == nil) != tt.ok || err == nil && c.Cluster != tt.want {
			t.Errorf("%s=%s: %+v, %v", tt.name, tt.value, c.Cluster, err)
		}
	}
}
