package unread_test

import (
	"fmt"
	"slices"
	"testing"

	"socketio-chat/pkg/unread"
)

// The answer that began first is cut off first, whatever has ended since, and each once.
func TestOldestGivesWay(t *testing.T) {
	var all unread.Answers
	if all.CutOldest() {
		t.Error("something was cut off where there was nothing")
	}
	var cut []string
	answers := make([]unread.Answer, 4)
	for i := range answers {
		for range 2 { // the second time is nothing new
			all.Begin(&answers[i], func() { cut = append(cut, fmt.Sprint(i)) })
		}
	}
	if all.End(&answers[1]) {
		t.Error("an answer that ended by itself is said to have been cut off")
	}
	for range 2 {
		if !all.CutOldest() {
			t.Error("nothing was cut off")
		}
	}
	if want := []string{"0", "2"}; !slices.Equal(cut, want) {
		t.Errorf("%v were cut off, want %v", cut, want)
	}
	if !all.End(&answers[2]) || all.End(&answers[3]) {
		t.Error("that an answer was cut off is not remembered, or said of another one")
	}
	if all.CutOldest() {
		t.Error("an answer that has ended was cut off")
	}
}

// What was cut off neither begins again nor gets more time.
func TestCutIsForGood(t *testing.T) {
	var all unread.Answers
	var a, other unread.Answer
	extended := 0
	extend := func() { extended++ }
	all.Unless(&a, extend) // it has not begun
	all.Begin(&a, func() {})
	all.Begin(&other, func() {})
	all.Unless(&a, extend)
	all.CutOldest()
	all.Unless(&a, extend)
	all.Unless(&other, extend)
	if extended != 3 {
		t.Errorf("clients got more time %d times, want 3", extended)
	}
	all.Begin(&a, func() { t.Error("cut off twice") })
	all.CutOldest()
	if all.CutOldest() {
		t.Error("it began again")
	}
}
