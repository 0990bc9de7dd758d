package simulation

import "testing"

// TestFound runs the shortest schedules of what was found once, in which everybody has to be recovered.
func TestFound(t *testing.T) {
	for _, tt := range []struct {
		name, mode string
		seed       uint64
		schedule   string
	}{
		{"the owner ended before the one that is asked began", "both", 1, "638ms term 2 47ms; 1.744s term 1 149ms; 7.755s front-cut 0 297ms"},
		{"the owner is silent, and all others answer", "both", 12, "6.326s back-jam 1 7.32s; 7.878s cut 4 0s"},
		{"the owner answers after it was given up", "both", 13, "730ms back-jam 0 3.6s; 1.265s term 0 1.167s"},
		{"the owner comes back and has not read what others published and ended", "both", 188, "931ms cut 8 0s; 1.813s cut 5 0s; 2.232s kill 0 1.94s; 3.166s cut 1 0s; 3.639s redis-stop 0 3.944s; 3.914s back-jam 0 2.652s; " +
			"4.759s back-cut 2 1.606s; 5.261s isolate 1 6.462s; 6.076s add 0 7.037s; 6.639s term 1 1.731s; 7.56s term 2 1.563s; 7.944s cut 3 0s"},
		{"one has ended in order, the owner is cut off, and as many have come as have gone", "recovery", 6268,
			"4.221s term 0 1.41s; 4.606s back-cut 1 4.346s; 5.362s term 1 1.586s; 6.159s redis-kill 0 4.88s"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s, err := kinds.Read(tt.schedule)
			if err != nil {
				t.Fatal(err)
			}
			v := modes[tt.mode].attempt(t, tt.seed, s)
			if v.Complain(v.Cut-v.Recovered, "were not recovered"); len(v.Complaints) > 0 {
				t.Errorf("%q\n%q", v.Complaints, v.Examples)
			}
		})
	}
}
